//! Ratios to an anchor, of unlike machines, as one history.

use serde_json::Value;
use tachograph::domain::{ANCHOR_NOTE, Commit, Duel, Side, Subject};
use tachograph::record::Trust;

use crate::along::{Stream, dueled};
use crate::world::World;

/// A duel of a commit with an anchor, of one benchmark, whose true log-ratio this is.
fn against((anchor, name): (&Commit, &str), head: &Commit, machine: &str, log: f64, stream: &mut Stream) -> Duel {
    // What one build of one life adds, and what all lives of this duel share.
    let shared = 0.002 * stream.normal();
    let lives: Vec<f64> = (0..7).map(|_| log + shared + 0.001 * stream.normal()).collect();
    dueled(anchor, head, machine, &lives, &[(ANCHOR_NOTE, name), ("rustc of base", "1.95.0")])
}

fn json(world: &World, args: &[&str]) -> Value {
    serde_json::from_str(&world.ended(0, args).out).expect("JSON")
}

/// Two classes of machine take turns over 90 commits. At 40 the anchor is a new one, at 60 the code gets 2 % slower.
fn fleet() -> (World, Vec<Commit>) {
    let world = World::new();
    let line = world.with_line(90);
    let (mut stream, mut store) = (Stream::seeded(31), world.open_store());
    let truth = |at: usize| if at >= 60 { 0.02 } else { 0.0 };
    let classes = [("lorry", 0.0, 0.10), ("train", 0.08, 0.13)];
    for (at, head) in line.iter().enumerate().skip(1).filter(|(at, _)| *at != 40) {
        let (machine, offset, to_old) = classes[usize::from(stream.uniform() < 0.4)];
        let (anchor, log) = if at > 40 {
            ((&line[40], "v2"), truth(at) + offset)
        } else {
            ((&line[0], "v1"), truth(at) + offset + to_old)
        };
        store.record_duel(&against(anchor, head, machine, log, &mut stream), Trust::Trusted).expect("recorded");
    }
    for (machine, _, to_old) in classes {
        // What the new anchor is against the old one: so much the ratios to the old one are above those to the new.
        let link = against((&line[0], "v1"), &line[40], machine, to_old, &mut stream);
        store
            .record_duel(&Duel { started_at_s: line[40].committed_at_s + 90, ..link }, Trust::Trusted)
            .expect("recorded");
    }
    (world, line)
}

#[test]
fn a_fleet_of_unlike_machines_is_read_as_one_line_across_a_new_anchor() {
    let (world, line) = fleet();
    let told = json(&world, &["log", "decode", "--anchor", "--format", "json"]);
    let classes = told["classes"].as_array().expect("classes");
    assert_eq!((classes.len(), &told["anchor"]), (4, &"v2".into()), "{told:#}");
    assert!(classes.iter().all(|class| class["offset"].is_number() && class["toolchain"] == "1.95.0"), "{told:#}");
    let found = json(&world, &["changes", "--format", "json"]);
    let findings = found["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{found:#}");
    let likely = findings[0]["suspects"]["likely"].as_str().expect("a commit");
    let place = line.iter().position(|commit| commit.id.as_str() == likely).expect("on the line");
    assert!(place.abs_diff(60) <= 1, "{place}");
    let change = &findings[0]["changes"][0];
    assert_eq!(change["machine"]["title"], "all, against v2");
    assert!((change["size"]["value"].as_f64().expect("a size") - 0.02).abs() < 0.006, "{change:#}");
    let text = world.ended(0, &["log", "decode", "--anchor", "--limit", "3"]).out;
    assert!(text.contains("against v2") && text.contains("a duel of the anchors") && text.contains("×"), "{text}");
    assert!(world.ended(2, &["log", "other", "--anchor"]).err.contains("[trend] anchor"));
}

#[test]
fn duels_with_an_anchor_teach_nothing_of_builds_and_a_strangers_count_for_nothing() {
    let world = World::new();
    let line = world.with_line(3);
    let (mut stream, mut store) = (Stream::seeded(32), world.open_store());
    let ours = against((&line[0], "v1"), &line[1], "lorry", 0.3, &mut stream);
    let strangers = against((&line[0], "v1"), &line[2], "lorry", 0.3, &mut stream);
    store.record_duel(&ours, Trust::Trusted).expect("recorded");
    store.record_duel(&strangers, Trust::Untrusted).expect("recorded");
    let side = |commit: &Commit| Side { subject: Subject::Commit(commit.clone()), program: None };
    let (base, head) = (side(&line[1]), side(&line[2]));
    let matching = tachograph::record::Match { suite: &ours.suite, machine: &ours.machine, base: &base, head: &head };
    assert_eq!(store.lessons(matching).expect("read"), []);
    let mut seen = Vec::new();
    let all = store.each_anchored(|duel| -> Result<(), tachograph::record::RecordError> {
        seen.push(duel.head.subject.commit().id.clone());
        Ok(())
    });
    all.expect("read");
    assert_eq!(seen, [line[1].id.clone()]);
}

/// A repository whose worker makes its times up: at each commit it is so many times as slow as at first.
fn planted(factors: &[f64], anchors: &[&str]) -> World {
    let world = World::new();
    world.write("planted.py", include_str!("../fixtures/planted.py"));
    world.write(".gitignore", ".tachograph/\n");
    for (at, (factor, anchor)) in factors.iter().zip(anchors).enumerate() {
        let toml = format!("[trend]\nanchor = \"{anchor}\"\n[suite.planted]\nworker = [\"python3\", \"planted.py\"]\n");
        world.write("tachograph.toml", &toml);
        world.write("factors.json", &format!("{{\"decode\": {factor}}}"));
        world.commit(&format!("Commit {at}"));
        world.git(&["tag", &format!("v{at}")]);
    }
    world
}

#[test]
fn a_run_is_dueled_with_the_anchor_and_a_new_anchor_with_the_old_one() {
    let world = planted(&[1.0, 1.2, 1.08, 0.9], &["v0", "v0", "v1", "nowhere"]);
    let run = |rev: &str| world.ended(0, &["run", rev, "--budget", "800ms", "--no-confirm", "--format", "json"]);
    let anchors = |printed: &str| -> Vec<(String, String)> {
        let records = printed.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let anchor = |record: Value| {
            let text = |key: &str| record[key].as_str().map(str::to_owned);
            (record["record"] == "anchor").then(|| (text("anchor").expect("a name"), text("commit").expect("a commit")))
        };
        records.filter_map(anchor).collect()
    };
    let id = |rev: &str| world.git(&["rev-parse", rev]).trim().to_owned();
    assert_eq!(anchors(&run("v0").out), [], "the anchor is not dueled with itself");
    assert_eq!(anchors(&run("v1").out), [("v0".to_owned(), id("v1"))]);
    assert_eq!(anchors(&run("v2").out), [("v1".to_owned(), id("v2"))], "v1 was dueled with v0 already");
    let printed = run("v3");
    assert!(printed.err.contains("no ratio to the anchor: nowhere"), "{}", printed.err);
    let told = json(&world, &["log", "decode", "--anchor", "--format", "json"]);
    let near = |value: &Value, truth: f64| (value.as_f64().expect("a ratio") - truth).abs() < 0.01;
    let classes = told["classes"].as_array().expect("classes");
    assert_eq!(classes.len(), 2, "{told:#}");
    assert!(near(&classes[0]["ratios"][0]["ratio"], 0.9) && near(&classes[1]["offset"], 1.2), "{told:#}");
    assert_eq!(classes[1]["tied_by"], "duel");
    // In the scale of v1: v1 itself, as a ratio to v0 times v0/v1, and v2.
    let points = told["points"].as_array().expect("points");
    assert!(near(&points[0]["ratio"], 1.0) && near(&points[1]["ratio"], 0.9), "{told:#}");
    assert_eq!(
        anchors(&world.ended(0, &["run", "v2", "--budget", "100ms", "--no-anchor", "--format", "json"]).out),
        []
    );
}
