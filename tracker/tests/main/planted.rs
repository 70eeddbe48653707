//! Truth that was planted: commits of a real repository that make a real worker slower, and what is said of them.

use serde_json::{Value, json};

use crate::along::Stream;
use crate::record::again::tell;
use crate::world::{World, soak};

/// A benchmark, and by what it is slower at each commit.
struct Planted {
    name: &'static str,
    factor: fn(usize) -> f64,
}

/// A step of so much at a commit.
fn step(at: usize, from: usize, by: f64) -> f64 {
    if at >= from { 1.0 + by } else { 1.0 }
}

/// Makes the repository, and returns its commits.
fn repository(world: &World, commits: usize, planted: &[Planted], real: bool) -> Vec<String> {
    world.write("planted.py", include_str!("../fixtures/planted.py"));
    world.write(".gitignore", ".tachograph/\n");
    world.write("tachograph.toml", "[suite.planted]\nworker = [\"python3\", \"planted.py\"]\n");
    let mut stream = Stream::seeded(41);
    let commit = |at: usize| {
        // What a machine adds from run to run; real work brings its own.
        let mut noise = || if real { 1.0 } else { (0.003 * stream.normal()).exp() };
        let mut factors: serde_json::Map<String, Value> =
            planted.iter().map(|one| (one.name.to_owned(), json!((one.factor)(at) * noise()))).collect();
        if real {
            factors.insert("real".to_owned(), json!(true));
        }
        world.write("factors.json", &Value::Object(factors).to_string());
        world.commit(&format!("Commit {at}"))
    };
    (0..commits).map(commit).collect()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The places of the suspects, first and last, and the benchmarks, of each finding.
fn findings(world: &World, commits: &[String]) -> Vec<(usize, usize, Vec<String>)> {
    let told: Value = serde_json::from_str(&world.ended(0, &["changes", "--format", "json"]).out).expect("JSON");
    let place = |id: &Value| commits.iter().position(|commit| id == commit.as_str()).expect("a commit of the line");
    let finding = |finding: &Value| {
        let names = finding["changes"].as_array().expect("changes").iter();
        let mut names: Vec<String> =
            names.map(|change| change["benchmark"].as_str().expect("a name").to_owned()).collect();
        names.sort_unstable();
        (place(&finding["suspects"]["first"]), place(&finding["suspects"]["last"]), names)
    };
    told["findings"].as_array().expect("findings").iter().map(finding).collect()
}

/// The places at which a benchmark was confirmed, with what was said of it.
fn confirmed(records: &[Value], commits: &[String], benchmark: &str) -> Vec<(usize, f64)> {
    let of = |record: &Value| {
        let place = commits.iter().position(|commit| record["commit"] == commit.as_str())?;
        let verdicts = record["verdicts"].as_array()?;
        let one = verdicts.iter().find(|one| one["benchmark"] == benchmark && one["word"] == "confirmed")?;
        assert!(record["extra_ns"].as_u64().expect("a time") > 0);
        Some((place, one["verdict"]["effect"].as_f64()?))
    };
    records.iter().filter(|record| record["record"] == "confirmation").filter_map(of).collect()
}

#[test]
fn a_step_is_confirmed_at_its_very_commit_and_told_with_it_later() {
    let planted =
        [Planted { name: "slower", factor: |at| step(at, 7, 0.03) }, Planted { name: "steady", factor: |_| 1.0 }];
    let world = World::new();
    let commits = repository(&world, 12, &planted, false);
    let first = commits[0].as_str();
    world.ended(0, &["run", first, "--budget", "150ms"]);
    let run = |from: usize, to: usize| {
        let range = format!("{}..{}", commits[from], commits[to]);
        world.ended(0, &["run", &range, "--budget", "150ms", "--format", "json", "--confirm-budget", "20s"]).out
    };
    let mut out = run(0, 7);
    let found = findings(&world, &commits);
    assert!(
        matches!(&found[..], [(7, 7, names)] if names == &["slower"]),
        "one point of it is enough: {found:?} {out}"
    );
    out += &run(7, 11);
    let records = lines(&out);
    let told = confirmed(&records, &commits, "slower");
    assert_eq!(told.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [7], "{out}");
    assert!((told[0].1 - 0.03).abs() < 0.01, "{told:?}");
    assert_eq!(confirmed(&records, &commits, "steady"), []);
    let found = findings(&world, &commits);
    assert!(matches!(&found[..], [(7, 7, names)] if names == &["slower"]), "the duel names the commit: {found:?}");
    let mut store = world.open_store();
    let looks = store.duels_of_neighbours().expect("read");
    let look = looks.iter().find(|look| look.has_confirmed && look.commit.as_str() == commits[7]).expect("a look");
    let duel = store.duel(&look.id).expect("read").expect("a duel");
    assert_eq!(duel.notes.get("false reds").map(String::as_str), Some("1 in 1000"), "{:?}", duel.notes);
    let text = world.ended(0, &["changes"]).out;
    assert!(text.contains("confirmed in turns with its parent") && text.contains("slower · time +3"), "{text}");
    // The newest point is far from its level before the step, and in line with the one of today.
    let printed = world.ended(0, &["run", "HEAD", "--budget", "150ms", "--no-confirm"]);
    assert!(printed.out.contains("points in line") && !printed.out.contains("measured again"), "{}", printed.out);
    let log = world.ended(0, &["log", "slower"]).out;
    assert!(log.contains("level") && log.contains(&commits[7][..10]), "{log}");
}

/// The whole, with real work, takes half an hour: only when `TACHOGRAPH_SOAK` asks for it; else there is nothing that the
/// shorter test above does not show.
#[test]
fn planted_steps_and_a_planted_leak_are_found_and_nothing_else() {
    if soak() == 1 {
        return tell("skipped: planted steps with real work, for they take half an hour; set TACHOGRAPH_SOAK=2");
    }
    let planted = [
        Planted { name: "up/three", factor: |at| step(at, 20, 0.03) },
        Planted { name: "down/five", factor: |at| step(at, 35, -0.05) },
        Planted { name: "up/one", factor: |at| step(at, 30, 0.01) },
        Planted { name: "leak", factor: |at| 1.0 + 0.0015 * at as f64 },
        Planted { name: "steady", factor: |_| 1.0 },
    ];
    let world = World::new();
    let commits = repository(&world, 60, &planted, true);
    let first = commits[0].as_str();
    world.ended(0, &["run", first, "--budget", "1s"]);
    let printed = world.ended(0, &["run", &format!("{first}..HEAD"), "--budget", "1s", "--format", "json"]);
    let records = lines(&printed.out);
    let extra_s = records.iter().filter_map(|record| record["extra_ns"].as_u64()).sum::<u64>() / 1_000_000_000;
    let found = findings(&world, &commits);
    for benchmark in ["up/three", "down/five", "up/one", "leak", "steady"] {
        tell(&format!("{benchmark}: confirmed at {:?}", confirmed(&records, &commits, benchmark)));
    }
    tell(&format!("findings {found:?}, {extra_s} s extra"));
    tell(&world.ended(0, &["changes"]).out);
    tell(&world.ended(0, &["log", "up/one"]).out);
    tell(&world.ended(0, &["log", "leak"]).out);
    let holds = |name: &str, at: usize| {
        found.iter().any(|(first, last, names)| names.iter().any(|n| n == name) && (*first..=*last).contains(&at))
    };
    assert!(holds("up/three", 20) && holds("down/five", 35) && holds("up/one", 30) && holds("leak", 30), "{found:?}");
    assert!(found.len() == 4 && found.iter().all(|(_, _, names)| names.len() == 1), "and nothing else: {found:?}");
    let three = confirmed(&records, &commits, "up/three");
    assert!(three.iter().any(|(place, size)| *place == 20 && (size - 0.03).abs() < 0.01), "{three:?}");
}
