//! `tachograph changes` on real repositories whose numbers are made.

use serde_json::Value;
use tachograph::domain::{Commit, Metric, Move, Order, Turn};
use tachograph::flow::changes::{Changes, changes};
use tachograph::flow::trend::History;
use tachograph::record::Trust;
use tachograph::repo::Repository;
use tachograph::stats::changes::Settings;

use crate::along::{Stream, dueled, made, stranger};
use crate::record::again::tell;
use crate::world::{World, soak};

/// What is found in a world's store.
fn found(world: &World) -> (History, Changes) {
    let mut store = world.open_store();
    let repository = Repository::discover(&world.root()).expect("a repository");
    let history = History::read(&mut store, Some(&repository)).expect("a history");
    let found = changes(&mut store, &history, &Settings::history()).expect("changes");
    (history, found)
}

fn json(world: &World, args: &[&str]) -> Value {
    let all = [&["changes", "--format", "json"], args].concat();
    serde_json::from_str(&world.ended(0, &all).out).expect("JSON")
}

/// A line of 60 commits on which two benchmarks get 3 % slower at commit 40, one gets 5 % faster at 20 and one stays.
fn moved_world() -> (World, Vec<Commit>) {
    let world = World::new();
    let line = world.with_line(60);
    record(&world, &line, 5);
    (world, line)
}

fn record(world: &World, line: &[Commit], seed: u64) {
    let (mut stream, mut store) = (Stream::seeded(seed), world.open_store());
    for (at, commit) in line.iter().enumerate() {
        let slower = if at >= 40 { 1.03 } else { 1.0 };
        let faster = if at >= 20 { 0.95 } else { 1.0 };
        let mut value = |factor: f64| 5000.0 * factor * (0.004 * stream.normal()).exp();
        let values = [
            ("parse/big", value(slower)),
            ("parse/small", value(slower)),
            ("load", value(faster)),
            ("same", value(1.0)),
        ];
        store.record(&made(commit, "lorry", &values)).expect("recorded");
    }
}

#[test]
fn what_moved_is_told_with_its_commit_its_size_and_its_benchmarks() {
    let (world, line) = moved_world();
    let told = json(&world, &[]);
    assert_eq!((&told["schema"], &told["order"]), (&"tachograph/changes/1".into(), &"first-parents".into()));
    let findings = told["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 2, "{told:#}");
    for (finding, (place, turn, names, size)) in findings
        .iter()
        .zip([(40, "regression", &["parse/big", "parse/small"][..], 0.03), (20, "improvement", &["load"], -0.05)])
    {
        assert_eq!((&finding["turn"], &finding["state"]), (&turn.into(), &"open".into()));
        assert_eq!(finding["suspects"]["likely"], line[place].id.as_str());
        let changes = finding["changes"].as_array().expect("changes");
        let mut told: Vec<&str> = changes.iter().filter_map(|change| change["benchmark"].as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, names);
        for change in changes {
            let of = |key: &str| change["size"][key].as_f64().expect("a number");
            assert!(of("low") < size && size < of("high") && (of("value") - size).abs() < 0.01, "{change}");
        }
    }
    let text = world.ended(0, &["changes"]).out;
    assert!(text.contains("Change 40") && text.contains(line[40].id.short()) && text.contains("parse/small"), "{text}");
    assert!(text.ends_with("2 findings in 4 series over 60 commits along first parents\n"), "{text}");
}

#[test]
fn second_looks_tell_what_they_saw_of_the_newest_commits_and_of_older_ones_what_they_confirmed() {
    let world = World::new();
    let line = world.with_line(310);
    let (mut stream, mut store) = (Stream::seeded(9), world.open_store());
    for commit in &line[..30] {
        let value = 5000.0 * (0.03 * stream.normal()).exp();
        store.record(&made(commit, "lorry", &[("decode", value)])).expect("recorded");
    }
    let metric = serde_json::to_value(Metric::time()).expect("JSON");
    let confirmed = serde_json::json!([{"benchmark": "decode", "metric": metric, "effect": 0.03}]).to_string();
    // The newest 300 begin at 10. What is sure of itself needs no note there.
    for (place, apart, noted) in [(3, 0.1, true), (6, 0.001, false), (15, 0.1, false), (20, 0.001, false)] {
        let lives: Vec<f64> = (0..15).map(|at| 0.03 + [apart, 0.0, -apart][at % 3]).collect();
        let notes = [("second_look", "0.01"), ("confirmed", confirmed.as_str())];
        let notes = if noted { &notes[..] } else { &notes[..1] };
        let duel = dueled(&line[place - 1], &line[place], "lorry", &lives, notes);
        store.record_duel(&duel, Trust::Trusted).expect("recorded");
    }
    let told: Vec<_> = found(&world).1.findings.iter().map(|finding| (finding.kind, finding.likely)).collect();
    assert_eq!(told, [(Move::Step, 20), (Move::Step, 3)]);
}

#[test]
fn findings_are_chosen_by_name_size_sort_and_time() {
    let (world, line) = moved_world();
    let count = |args: &[&str]| json(&world, args)["findings"].as_array().expect("findings").len();
    for (args, expected) in [
        (&["load"][..], 1),
        (&["--suite", "other"], 0),
        (&["--metric", "time"], 2),
        (&["--machine", "lorry"], 2),
        (&["--machine", "train"], 0),
        (&["--size", "4 %"], 1),
        (&["--regressions"], 1),
        (&["--improvements"], 1),
        (&["--regressions", "--improvements"], 2),
        (&["--drifts"], 0),
        (&["--state", "open"], 2),
        (&["--state", "fixed"], 0),
        (&["--since", line[30].id.as_str()], 1),
        (&["--since", "2026-02-02"], 2),
        (&["--since", "2027-01-01"], 0),
        (&["--mode", "alert"], 2),
    ] {
        assert_eq!(count(args), expected, "{args:?}");
    }
    assert!(world.ended(2, &["changes", "--since", "yesterday"]).err.contains("yesterday"));
}

#[test]
fn what_was_said_of_a_finding_stays_while_points_come() {
    let (world, line) = moved_world();
    let id = json(&world, &["--regressions"])["findings"][0]["id"].as_str().expect("an id").to_owned();
    let said = world.ended(0, &["changes", "--acknowledge", &id[..8], "--note", "the price of safety"]).out;
    assert!(said.contains("acknowledged: the price of safety"), "{said}");
    assert!(world.ended(2, &["changes", "--expected", "ffffffff"]).err.contains("ffffffff"));
    assert!(world.ended(2, &["changes", "--note", "of what?"]).err.contains("--acknowledge"));
    // The commits are measured once more: all places are found anew, from twice the runs.
    record(&world, &line, 6);
    let finding = json(&world, &["--regressions"])["findings"][0].clone();
    assert_eq!(finding["id"], id.as_str());
    assert_eq!((&finding["state"], &finding["note"]), (&"acknowledged".into(), &"the price of safety".into()));
    world.ended(0, &["changes", "--reopen", &id]);
    assert_eq!(json(&world, &["--regressions"])["findings"][0]["state"], "open");
}

#[test]
fn a_regression_is_fixed_once_its_level_has_returned() {
    let world = World::new();
    let line = world.with_line(90);
    let (mut stream, mut store) = (Stream::seeded(8), world.open_store());
    for (at, commit) in line.iter().enumerate() {
        let level = if (30..60).contains(&at) { 103.0 } else { 100.0 };
        store.record(&made(commit, "lorry", &[("a", level * (0.004 * stream.normal()).exp())])).unwrap();
    }
    drop(store);
    let (_, found) = found(&world);
    let told: Vec<_> =
        found.findings.iter().map(|finding| (finding.turn, finding.likely, finding.state.as_str())).collect();
    assert_eq!(told, [(Turn::Improvement, 60, "open"), (Turn::Regression, 30, "fixed")]);
}

#[test]
fn machines_that_take_turns_are_not_mixed() {
    let world = World::new();
    let line = world.with_line(60);
    let (mut stream, mut store) = (Stream::seeded(9), world.open_store());
    for (at, commit) in line.iter().enumerate() {
        let (machine, level) = if at % 2 == 0 { ("fast", 100.0) } else { ("slow", 250.0) };
        store.record(&made(commit, machine, &[("a", level * (0.01 * stream.normal()).exp())])).unwrap();
    }
    drop(store);
    let (_, found) = found(&world);
    assert_eq!((found.series, found.findings.len()), (2, 0), "{:?}", found.findings);
}

/// A benchmark and by what its level is multiplied; a note.
type Noted = (Vec<(&'static str, f64)>, Vec<(&'static str, String)>);

/// Sixty commits at which runs were recorded with notes, under noise of 0.4 %.
fn noted_world(seed: u64, at: impl Fn(usize) -> Noted) -> (World, Vec<Commit>) {
    let world = World::new();
    let line = world.with_line(60);
    let (mut stream, mut store) = (Stream::seeded(seed), world.open_store());
    for (place, commit) in line.iter().enumerate() {
        let (factors, notes) = at(place);
        let mut value = |factor: f64| 5000.0 * factor * (0.004 * stream.normal()).exp();
        let values: Vec<(&str, f64)> = factors.into_iter().map(|(name, factor)| (name, value(factor))).collect();
        let mut run = made(commit, "lorry", &values);
        run.notes.extend(notes.into_iter().map(|(name, note)| (name.to_owned(), note)));
        store.record(&run).expect("recorded");
    }
    (world, line)
}

fn log_of(world: &World, benchmark: &str) -> Value {
    serde_json::from_str(&world.ended(0, &["log", benchmark, "--format", "json"]).out).expect("JSON")
}

#[test]
fn a_clock_that_goes_faster_for_some_commits_is_no_change_of_what_was_measured_meanwhile() {
    let (world, line) = noted_world(8, |at| {
        // The clock is faster twice, the second time to the end; what waits for memory does not hear of it.
        let clock = if (12..20).contains(&at) || at >= 45 { 1.06 } else { 1.0 };
        let slower = if at >= 30 { 1.03 } else { 1.0 };
        let factors = vec![("core", 1.0 / clock), ("memory", 1.0), ("slower", slower / clock)];
        (factors, vec![("clock_ghz", (3.2 * clock).to_string())])
    });
    let told = json(&world, &[]);
    let findings = told["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{told:#}");
    assert_eq!(findings[0]["suspects"]["likely"], line[30].id.as_str());
    assert_eq!(findings[0]["changes"][0]["benchmark"], "slower");
    let said = "points at another clock of the processor, brought to the usual one in levels and chart: 23";
    assert!(world.ended(0, &["log", "slower"]).out.contains(said));
    assert!(!world.ended(0, &["log", "memory"]).out.contains("another clock"));
    let log = log_of(&world, "core");
    assert_eq!((&log["at_another_clock"], log["levels"].as_array().map(Vec::len)), (&23.into(), Some(1)), "{log}");
}

#[test]
fn points_of_which_a_run_says_that_a_neighbour_made_them_are_left_out() {
    let (world, _) = noted_world(9, |at| {
        let is_disturbed = (20..32).contains(&at);
        let notes = is_disturbed.then(|| ("disturbed", "[\"disturbed\"]".to_owned()));
        (vec![("disturbed", if is_disturbed { 1.7 } else { 1.0 }), ("same", 1.0)], notes.into_iter().collect())
    });
    assert_eq!(json(&world, &[])["findings"].as_array().map(Vec::len), Some(0));
    let commits = |benchmark: &str| log_of(&world, benchmark)["levels"][0]["commits"].clone();
    assert_eq!((commits("disturbed"), commits("same")), (48.into(), 60.into()));
}

#[test]
fn points_of_a_processor_that_was_more_crowded_than_before_and_after_are_left_out() {
    let (world, _) = noted_world(10, |at| {
        let (factor, crowd) = if (20..28).contains(&at) { (1.7, "1.790") } else { (1.0, "1.231") };
        (vec![("a", factor)], vec![("crowd", crowd.to_owned()), ("witness_build", "14300552".to_owned())])
    });
    assert_eq!(json(&world, &[])["findings"].as_array().map(Vec::len), Some(0));
    let log = log_of(&world, "a");
    assert_eq!((&log["levels"][0]["commits"], &log["left_out"]), (&52.into(), &8.into()));
    // What is shown elsewhere agrees.
    let file = world.path("a.svg");
    world.ended(0, &["chart", "a", "--out", file.to_str().expect("a path")]);
    let drawn = std::fs::read_to_string(file).expect("a chart");
    let range = drawn.split("data-y=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a range");
    let top: f64 = range.split(' ').nth(1).and_then(|top| top.parse().ok()).expect("its top");
    assert!(top < 5500.0, "points are drawn up to {top}");
}

#[test]
fn commits_that_were_not_measured_widen_the_suspects() {
    let world = World::new();
    let line = world.with_line(80);
    let (mut stream, mut store) = (Stream::seeded(10), world.open_store());
    for (at, commit) in line.iter().enumerate().filter(|(at, _)| !(38..45).contains(at)) {
        let level = if at >= 45 { 110.0 } else { 100.0 };
        store.record(&made(commit, "lorry", &[("a", level * (0.005 * stream.normal()).exp())])).unwrap();
    }
    drop(store);
    let (_, found) = found(&world);
    let finding = &found.findings[0];
    assert_eq!((finding.suspects, finding.likely, finding.commits.len()), ((38, 45), 45, 8));
}

#[test]
fn the_order_of_measuring_and_measuring_twice_change_no_place() {
    let world = World::new();
    let line = world.with_line(60);
    let (mut stream, mut store) = (Stream::seeded(11), world.open_store());
    let mut runs: Vec<_> = (0..120)
        .map(|at| {
            let place = at % 60;
            let level = if place >= 25 { 105.0 } else { 100.0 };
            made(&line[place], "lorry", &[("a", level * (0.01 * stream.normal()).exp())])
        })
        .collect();
    runs.sort_by_key(tachograph::domain::Run::id);
    for run in &runs {
        store.record(run).unwrap();
    }
    drop(store);
    let (_, found) = found(&world);
    assert_eq!(found.findings.iter().map(|finding| finding.likely).collect::<Vec<_>>(), [25]);
}

#[test]
fn commits_of_merged_branches_and_of_a_past_that_was_rewritten_are_not_on_the_line() {
    let world = World::new();
    let line = world.with_line(40);
    let tip = line.last().expect("a commit");
    // A branch of three commits, merged; the line goes over the merge.
    let commit = |mark: u32, subject: &str, from: &str| {
        let date = 1_780_000_000 + mark;
        format!(
            "commit refs/heads/main\nmark :{mark}\ncommitter A <a@example.invalid> {date} +0000\ndata <<E\n{subject}\nE\n{from}\n"
        )
    };
    let mut stream = commit(1, "aside 1", &format!("from {}\n", tip.id)).replace("heads/main", "heads/aside");
    stream += &commit(2, "aside 2", "from :1\n").replace("heads/main", "heads/aside");
    stream += &commit(3, "merge", &format!("from {}\nmerge :2\n", tip.id));
    stream += &commit(4, "after", "from :3\n");
    world.fast_import(&stream);
    let aside = Repository::discover(&world.root()).unwrap().commit("aside").unwrap();
    let (mut noise, mut store) = (Stream::seeded(12), world.open_store());
    let (history, _) = found(&world);
    assert_eq!(history.line.order(), Order::Date, "nothing of the line was measured yet");
    let repository = Repository::discover(&world.root()).unwrap();
    let whole = repository.main_line().unwrap();
    assert_eq!(whole.len(), 42);
    assert_eq!(
        whole.iter().rev().take(2).map(|commit| commit.subject.as_str()).collect::<Vec<_>>(),
        ["after", "merge"]
    );
    for commit in &whole {
        store.record(&made(commit, "lorry", &[("a", 100.0 * (0.01 * noise.normal()).exp())])).unwrap();
    }
    // What lies aside is far from the level, and must not be seen.
    let gone = stranger(7, &[&line[10]], line[11].committed_at_s);
    for commit in [&aside, &gone] {
        store.record(&made(commit, "lorry", &[("a", 900.0)])).unwrap();
    }
    drop(store);
    let (history, found) = found(&world);
    assert_eq!((history.line.order(), history.line.commits().len(), history.beside()), (Order::FirstParents, 42, 2));
    assert_eq!(found.findings, []);
    assert!(world.ended(0, &["changes"]).out.contains("2 runs of other commits left out"));
}

#[test]
fn without_a_repository_commits_stand_by_date() {
    let (world, line) = moved_world();
    let store = world.store().display().to_string();
    let mut command = world.tachograph(&["changes", "--format", "json", "--store", &store]);
    let output = command.current_dir(world.path("home")).output().expect("it runs");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["order"], "date");
    assert_eq!(told["findings"][0]["suspects"]["likely"], line[40].id.as_str());
}

#[test]
fn a_slow_leak_is_one_drift_and_a_series_that_ends_is_no_change() {
    let world = World::new();
    let line = world.with_line(200);
    let (mut stream, mut store) = (Stream::seeded(13), world.open_store());
    for (at, commit) in line.iter().enumerate() {
        let mut noise = || (0.01 * stream.normal()).exp();
        let leaking = 100.0 * (1.0 + 0.0006 * at as f64) * noise();
        let (leak, short) = (("leak", leaking), ("short", 100.0 * noise()));
        let values = if at < 90 { vec![leak, short] } else { vec![leak] };
        store.record(&made(commit, "lorry", &values)).unwrap();
    }
    drop(store);
    let (_, found) = found(&world);
    let told: Vec<_> = found.findings.iter().map(|finding| (finding.kind, finding.turn)).collect();
    assert_eq!(told, [(Move::Drift, Turn::Regression)]);
}

/// Twenty repositories in an ordinary test run; as many hundreds as `TACHOGRAPH_SOAK` says, each at most three findings.
#[test]
fn repositories_in_which_nothing_happens_hold_at_most_three_findings_in_a_hundred() {
    let (rounds, repositories, most) = if soak() > 1 { (soak(), 100, 3) } else { (1, 20, 0) };
    let world = World::new();
    let line = world.with_line(60);
    for round in 1..=rounds {
        let mut false_findings = Vec::new();
        for seed in 0..repositories {
            let (mut stream, mut store) = (Stream::seeded(1000 * round as u64 + seed), world.open_store());
            for commit in &line {
                store.record(&made(commit, "lorry", &[("a", 100.0 * (0.01 * stream.normal()).exp())])).unwrap();
            }
            drop(store);
            let (_, found) = found(&world);
            false_findings.extend(found.findings.iter().map(|finding| (seed, finding.likely)));
            std::fs::remove_file(world.store()).expect("the store is removed");
        }
        tell(&format!("round {round}: {} findings in {repositories} quiet repositories", false_findings.len()));
        assert!(false_findings.len() <= most, "round {round}: {false_findings:?}");
    }
}
