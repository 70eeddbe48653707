//! What a gate says where there is less to judge than there should be: nothing of it is ever green by accident.

use serde_json::Value;

use crate::gating::{CONFIG, report, world};
use crate::world::World;

#[test]
fn a_benchmark_that_vanished_crashes_or_answers_wrongly_on_head_is_red_each_with_its_own_word() {
    let world = world(r#"{"a": 700000, "b": 700000}"#);
    for (costs, expected) in [
        (r#"{"a": 700000}"#, "missing: b"),
        (r#"{"a": 700000, "b": "crash"}"#, "failed on head: b"),
        (r#"{"a": 700000, "b": "wrong"}"#, "wrong answer: expected 4, got 5"),
        (r#"{"a": 700000, "B": 700000}"#, "new on head: B"),
    ] {
        world.write("costs.json", costs);
        world.commit(expected);
        let printed = world.ended(1, &["gate"]);
        assert!(printed.out.contains(expected) && printed.out.contains("1 series unchanged"), "{}", printed.out);
    }
    world.write("costs.json", r#"{"a": 700000, "b": "crash"}"#);
    world.commit("crashes");
    let printed = world.ended(1, &["compare", "main", "change"]);
    assert!(printed.out.contains("out of luck"), "it says what the worker said last:\n{}", printed.out);
}

#[test]
fn a_benchmark_that_hangs_on_head_is_red_and_the_others_are_judged() {
    let world = world(r#"{"a": 700000, "b": 700000}"#);
    world.write("tachograph.toml", &format!("{CONFIG}timeout = \"1s\"\n"));
    let base = world.commit("impatient");
    world.write("costs.json", r#"{"a": 700000, "b": "hang"}"#);
    world.commit("hangs");
    let printed = world.ended(1, &["gate", "--base", &base]);
    assert!(printed.out.contains("failed on head: b") && printed.out.contains("1 series unchanged"), "{}", printed.out);
}

#[test]
fn a_worker_that_leaves_its_core_spins_between_slices_and_starts_threads_is_judged_like_any_other() {
    let world = World::new();
    let strange = "import os, threading\nos.sched_setaffinity(0, range(os.cpu_count()))\n\n\ndef spin():\n    while True:\n        \
                   pass\n\n\nfor _ in range(3):\n    threading.Thread(target=spin, daemon=True).start()\n";
    world.write("worker.py", &format!("{strange}\n{}", include_str!("../fixtures/clocked.py")));
    world.write("costs.json", r#"{"a": 700000, "b": 750000}"#);
    world.write("tachograph.toml", CONFIG);
    world.commit("a strange suite");
    world.write("costs.json", r#"{"a": 910000, "b": 750000}"#);
    world.commit("slower");
    let report = report(&world, 1, &["gate", "--base", "HEAD~1"])["reports"][0].clone();
    let call = |name: &str| report["judged"][name]["verdicts"][0]["verdict"]["call"].as_str().map(str::to_owned);
    assert_eq!(["a", "b"].map(call), ["regressed", "unchanged"].map(|call| Some(call.to_owned())));
}

#[test]
fn a_benchmark_that_only_fails_on_base_is_no_fault_of_heads() {
    let world = world(r#"{"a": 700000, "b": "crash"}"#);
    world.write("costs.json", r#"{"a": 700000, "b": 700000}"#);
    world.commit("mended");
    let printed = world.ended(0, &["gate"]);
    assert!(printed.out.starts_with("inconclusive: ") && printed.out.contains("failed on base: b"), "{}", printed.out);
}

#[test]
fn nothing_to_judge_is_never_green() {
    let world = world(r#"{"a": 700000}"#);
    world.commit("nothing changed");
    let printed = world.ended(4, &["gate", "--filter", "nothing is called so"]);
    assert!(printed.out.starts_with("nothing: "), "{}", printed.out);
    world.write("costs.json", "{}");
    world.git(&["checkout", "--quiet", "--orphan", "empty"]);
    world.git(&["branch", "--quiet", "--delete", "--force", "main", "change"]);
    world.commit("no benchmark and no history");
    let printed = world.ended(4, &["gate"]);
    assert!(printed.err.contains("nothing to compare with"), "{}", printed.err);
    world.commit("no benchmark on either side");
    world.ended(4, &["gate"]);
}

#[test]
fn a_budget_that_is_too_small_decides_nothing_and_says_so() {
    let world = world(r#"{"a": 700000}"#);
    world.write("costs.json", r#"{"a": 910000}"#);
    world.commit("slower");
    let printed = world.ended(0, &["gate", "--budget", "1ms"]);
    assert!(printed.out.starts_with("inconclusive: ") && printed.out.contains("too few lives"), "{}", printed.out);
}

#[test]
fn a_benchmark_that_is_left_to_runs_is_gated_only_where_it_is_asked_for() {
    let world = world(r#"{"a": 700000}"#);
    world.write("tachograph.toml", &format!("{CONFIG}run_only = [\"large/*\"]\n"));
    world.write("costs.json", r#"{"a": 700000, "large/b": 700000}"#);
    let base = world.commit("large benchmarks are for runs");
    world.write("costs.json", r#"{"a": 700000, "large/b": "crash"}"#);
    world.commit("a large one crashes");
    let printed = world.ended(0, &["gate", "--base", &base]);
    assert!(!printed.out.contains("large/b") && printed.out.contains("1 series unchanged"), "{}", printed.out);
    assert!(printed.out.contains("left to runs (run_only): what matches large/*"), "{}", printed.out);
    let printed = world.ended(1, &["gate", "--base", &base, "--filter", "large"]);
    assert!(printed.out.contains("failed on head: large/b"), "{}", printed.out);
    world.write("tachograph.toml", &format!("{CONFIG}run_only = [\"\"]\n"));
    let printed = world.ended(2, &["run"]);
    assert!(printed.err.contains("`run_only` has an empty pattern"), "{}", printed.err);
}

#[test]
fn head_that_does_not_build_is_red_and_base_that_does_not_gives_way_to_its_parent() {
    let world = world(r#"{"a": 700000}"#);
    let build = |how: &str| world.write("build.sh", how);
    let config = CONFIG.replace("budget", "build = [\"sh\", \"build.sh\"]\nbudget");
    world.write("tachograph.toml", &config);
    build("exit 0");
    let good = world.commit("builds");
    build("echo the reason it fails >&2; exit 7");
    let bad = world.commit("broken");
    let printed = world.ended(1, &["gate", "--base", &good]);
    assert!(printed.err.contains("does not build") && printed.err.contains("the reason it fails"), "{}", printed.err);
    build("exit 0 # mended");
    world.commit("mended");
    let whole = report(&world, 0, &["gate", "--base", &bad]);
    assert_eq!(whole["reports"][0]["base"]["subject"]["commit"]["id"], good.as_str());
    assert!(whole["remarks"].to_string().contains("does not build"), "{whole}");
    // With nothing before it that builds, the environment has failed and not the change.
    world.write("tachograph.toml", &config.replace("build.sh", "no such file"));
    let lost = world.commit("cannot build");
    world.git(&["checkout", "--quiet", "--orphan", "alone"]);
    world.commit("cannot build either");
    world.ended(3, &["gate", "--base", "HEAD", "--head", &lost]);
}

#[test]
fn a_suite_that_base_does_not_have_is_new_and_passes_unless_the_rules_say_otherwise() {
    let world = World::new();
    world.write("readme", "nothing is measured yet");
    world.commit("before");
    world.write("worker.py", include_str!("../fixtures/clocked.py"));
    world.write("costs.json", r#"{"a": 700000, "b": "crash"}"#);
    world.write("tachograph.toml", CONFIG);
    world.write(".gitignore", ".tachograph/\n");
    world.commit("the first benchmarks");
    let printed = world.ended(0, &["gate", "--base", "HEAD~1"]);
    for expected in ["new: suite", "there is nothing to compare it with yet", "its benchmark runs", "failed on head: b"]
    {
        assert!(printed.err.contains(expected), "{expected}: {}", printed.err);
    }
    assert!(printed.out.is_empty(), "nothing is called green: {}", printed.out);
    let json: Value =
        serde_json::from_str(&world.ended(0, &["gate", "--base", "HEAD~1", "--format", "json"]).out).expect("JSON");
    assert_eq!((&json["whole"], &json["exit_code"]), (&"nothing".into(), &0.into()));
    assert_eq!(json["new"].as_array().map(Vec::len), Some(1), "{json:#}");
    let markdown = world.ended(0, &["gate", "--base", "HEAD~1", "--format", "markdown"]).out;
    assert!(markdown.starts_with("### Tachograph: new, and nothing to compare with yet\n"), "{markdown}");

    world.write("tachograph.toml", &format!("no_baseline = \"fail\"\n{CONFIG}"));
    world.git(&["commit", "--quiet", "--all", "--amend", "--message", "strict"]);
    world.ended(4, &["gate", "--base", "HEAD~1"]);
    // What does not work on head is red all the same.
    world.write("worker.py", "raise SystemExit(3)\n");
    world.write("tachograph.toml", CONFIG);
    world.git(&["commit", "--quiet", "--all", "--amend", "--message", "broken"]);
    assert!(world.ended(1, &["gate", "--base", "HEAD~1"]).err.contains("does not build or start on head"));
    // A base that says what to measure and cannot be measured is no such base.
    world.write("worker.py", include_str!("../fixtures/clocked.py"));
    world.commit("mended");
    world.ended(3, &["gate", "--base", "HEAD~1"]);
}
