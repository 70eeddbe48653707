//! A gate that several jobs measure: each a part, and one verdict for all.

use serde_json::Value;

use super::{Job, Step, project, propose, pull_request, push_change};
use crate::world::World;

const COSTS: &str = r#"{"a": 700000, "b": 750000, "c": 800000, "d": 680000}"#;
const SLOWER: &str = r#"{"a": 700000, "b": 825000, "c": 800000, "d": 680000}"#;

/// The jobs of a pull request, each with its part.
fn measure(world: &World, name: &str, head: &str, of: u32, but: Option<u32>) {
    let _ = std::fs::remove_dir_all(world.path("artifacts"));
    for shard in (1..=of).filter(|shard| Some(*shard) != but) {
        let job = Job::new(world, &format!("{name}-{shard}"), head, "pull_request", &pull_request(world, head, 1));
        let inputs = [
            ("shard", &*shard.to_string()),
            ("shards", &*of.to_string()),
            ("binary", env!("CARGO_BIN_EXE_tachograph")),
        ];
        let step = job.action("tachograph", &inputs, &[]);
        assert_eq!(step.code, 0, "a shard says nothing of the change: {}", step.said);
        assert!(step.said.contains("a part of it") && job.file("summary.md").is_empty(), "{}", step.said);
    }
}

fn judge<'a>(world: &'a World, name: &str, head: &str) -> (Job<'a>, Step) {
    let job = Job::new(world, name, head, "pull_request", &pull_request(world, head, 1));
    let step = job.action("tachograph/judge", &[("binary", env!("CARGO_BIN_EXE_tachograph"))], &[]);
    (job, step)
}

fn report(world: &World, job: &Job<'_>, code: i32) -> Value {
    let folder = world
        .path(&format!("{}-temp/tachograph-incoming", job.folder().file_name().expect("a name").to_string_lossy()));
    let mut args = vec!["report".to_owned(), "--commit".to_owned(), world.git_in(job.folder(), &["rev-parse", "HEAD"])];
    for entry in std::fs::read_dir(folder).expect("files").map(|entry| entry.expect("an entry")) {
        args.extend(["--bundle".to_owned(), entry.path().display().to_string()]);
    }
    args.extend(["--format".to_owned(), "json".to_owned()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    serde_json::from_str(&world.ended_in(job.folder(), code, &args).out).expect("JSON")
}

#[test]
fn the_parts_become_one_report_with_one_error_budget_in_which_each_benchmark_stands_once() {
    let world = project(COSTS);
    let head = propose(&world, "slower", SLOWER);
    measure(&world, "shard", &head, 3, None);
    let (job, step) = judge(&world, "judge", &head);
    assert_eq!(step.code, 1, "{}", step.said);
    assert_eq!(job.file("outputs"), "verdict=red\nexit-code=1\n");
    assert!(job.file("summary.md").contains("+10.0"), "{}", job.file("summary.md"));
    let told = report(&world, &job, 1);
    let report = &told["reports"][0];
    let judged: Vec<&String> = report["judged"].as_object().expect("benchmarks").keys().collect();
    assert_eq!(judged, ["a", "b", "c", "d"]);
    assert_eq!(
        (&report["gated_series"], report["shards"].as_array().map(Vec::len)),
        (&4.into(), Some(2)),
        "{report:#}"
    );
    assert_eq!(told["broken"], Value::Array(vec![]));
}

#[test]
fn a_part_that_is_missing_is_said_and_makes_the_whole_red() {
    let world = project(COSTS);
    let same = propose(&world, "same", r#"{"d": 680000, "c": 800000, "b": 750000, "a": 700000}"#);
    measure(&world, "one-of-two", &same, 2, Some(2));
    let (job, step) = judge(&world, "judge", &same);
    assert_eq!(step.code, 1, "{}", step.said);
    assert!(step.said.contains("nothing was handed on by shard 2/2"), "{}", step.said);
    let told = report(&world, &job, 1);
    assert_eq!(told["reports"].as_array().map(Vec::len), Some(1), "what was measured is told: {told:#}");
    // With the other part there, all of it is green.
    measure(&world, "both", &same, 2, None);
    let (_, step) = judge(&world, "judge-again", &same);
    assert_eq!(step.code, 0, "{}", step.said);
}

#[test]
fn a_finding_of_joined_parts_is_explained_from_the_part_that_measured_it() {
    let world = project(COSTS);
    let head = propose(&world, "slower", r#"{"a": 770000, "b": 825000, "c": 880000, "d": 748000}"#);
    measure(&world, "shard", &head, 2, None);
    let (job, step) = judge(&world, "judge", &head);
    assert_eq!(step.code, 1, "{}", step.said);
    let report = &report(&world, &job, 1)["reports"][0];
    let (first, other) = (report["duel"].as_str().expect("an id"), report["shards"][0].as_str().expect("an id"));
    // At home, with the files that the jobs handed on, in any order.
    let err = world.ended_in(job.folder(), 2, &["explain", first]).err;
    assert!(err.contains("--keep"), "how to get there is told: {err}");
    let files = |name: &str| world.path("judge-temp/tachograph-incoming").join(name).display().to_string();
    let (one, two) = (files("gate-1.bundle"), files("gate-2.bundle"));
    let args = ["report", "--commit", &head, "--bundle", &two, "--bundle", &one, "--keep"];
    world.ended_in(job.folder(), 1, &args);
    let explain = |id: &str| {
        let text = world.ended_in(job.folder(), 0, &["explain", id, "--format", "json"]).out;
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    // Whichever part is asked for, all of it is explained, and each of its benchmarks is as it was measured.
    for whole in [explain(first), explain(other)] {
        assert_eq!(whole["report"]["duel"], first);
        let verdicts = whole["verdicts"].as_array().expect("verdicts");
        assert_eq!(verdicts.len(), 4, "{whole:#}");
        let mut repeated = std::collections::BTreeSet::new();
        for one in verdicts {
            assert!(one["null"].is_array(), "base against base was measured: {one:#}");
            let repeat = one["repeat"].as_str().expect("a command");
            repeated.insert(repeat.rsplit(' ').next().expect("a seed").to_owned());
            let alone = explain(one["finding"].as_str().expect("an address"));
            assert_eq!(alone["verdicts"], Value::Array(vec![one.clone()]));
        }
        assert_eq!(repeated.len(), 2, "each part had orders of its own: {repeated:?}");
    }
    let text = world.ended_in(job.folder(), 0, &["explain", other]).out;
    assert!(text.contains("measured by several jobs") && !text.contains("too few lives"), "{text}");
}

#[test]
fn a_suite_that_is_new_is_no_green_whole_either() {
    let world = World::new().with_remote();
    world.git(&["checkout", "--quiet", "-b", "change"]);
    world.write("worker.py", include_str!("../../fixtures/clocked.py"));
    world.write("costs.json", COSTS);
    world.write("tachograph.toml", "[suite.clocked]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"5m\"\n");
    let head = world.commit("the first benchmarks");
    push_change(&world, &head, 9);
    measure(&world, "new", &head, 2, None);
    let (job, step) = judge(&world, "judge", &head);
    assert_eq!(step.code, 0, "{}", step.said);
    assert_eq!(job.file("outputs"), "verdict=nothing\nexit-code=0\n");
    assert!(job.file("summary.md").contains("new, and nothing to compare with yet"), "{}", job.file("summary.md"));
}

#[test]
fn files_that_are_no_parts_of_one_gate_are_refused_together() {
    let world = project(COSTS);
    let head = propose(&world, "slower", SLOWER);
    let job = Job::new(&world, "job", &head, "pull_request", &pull_request(&world, &head, 1));
    let run = |name: &str, shard: &str| {
        let file = world.path(name).display().to_string();
        world.ended_in(
            job.folder(),
            0,
            &["gate", "--base", "origin/main", "--bundle", &file, "--shard", shard, "--budget", "1s"],
        );
        file
    };
    let (one, other) = (run("one", "1/2"), run("other", "1/3"));
    let refused = |files: [&str; 2]| {
        let args = ["report", "--commit", &head, "--bundle", files[0], "--bundle", files[1]];
        world.ended_in(job.folder(), 2, &args).err
    };
    assert!(refused([&one, &other]).contains("different divisions"));
    assert!(refused([&one, &one]).contains("not as shards of one gate"));
    assert!(world.ended(2, &["gate", "--shard", "1/2"]).err.contains("--bundle"));
}
