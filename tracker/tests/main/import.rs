//! `tachograph import` on real files, in a real repository.

use std::io::Write as _;
use std::process::Stdio;

use crate::world::World;

const RESULTS: &str = r#"{"results": [{"command": "sum 1000", "mean": 0.25, "times": [0.125, 0.25], "exit_codes": [0, 0]},
    {"command": "false", "mean": 0.1, "times": [0.1], "exit_codes": [1]}]}"#;

#[test]
fn a_file_is_recorded_once_under_its_commit_and_its_samples_are_there() {
    let world = World::new();
    let commit = world.commit("first");
    world.write("results.json", RESULTS);
    let first = world.ended(0, &["import", "results.json", "--commit", "HEAD", "--suite", "shell"]);
    assert!(first.out.contains("1 measured, 1 failed") && first.out.contains("1 new, 0 known"), "{}", first.out);
    let again = world.ended(0, &["import", "results.json", "--commit", &commit[..10], "--suite", "shell"]);
    assert!(again.out.contains("0 new, 1 known"), "{}", again.out);
    assert_eq!(world.sqlite3("select hash from commits join runs on runs.commit_id = commits.id"), commit);
    let exported = world.ended(0, &["export"]).out;
    assert!(exported.contains("125000000") && exported.contains("import hyperfine"), "{exported}");
}

#[test]
fn standard_input_and_whole_histories_are_taken() {
    let world = World::new();
    let commits = [world.commit("first"), world.commit("second")];
    let entry = |commit: &str, value: u32| {
        format!(
            "{{\"commit\":{{\"id\":\"{commit}\"}},\"date\":1000,\"tool\":\"cargo\",\"benches\":[{{\"name\":\"a\",\"unit\":\"ns/iter\",\"value\":{value}}}]}}"
        )
    };
    let history = format!(
        "window.BENCHMARK_DATA = {{\"entries\":{{\"Rust\":[{},{},{}]}},\"lastUpdate\":1}}",
        entry(&commits[0], 5),
        entry(&commits[1], 6),
        entry("no hash", 7)
    );
    let mut import = world.tachograph(&["import", "-", "--output", "json"]);
    let mut child =
        import.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    child.stdin.take().expect("its input").write_all(history.as_bytes()).expect("the history is written");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("\"no hash\" is no hash") && said.contains("of 1 commits"), "{said}");
    let lines: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the answer is JSON");
    let found: Vec<_> =
        lines.as_array().expect("a list").iter().map(|line| line["commit"].as_str().expect("a hash")).collect();
    assert_eq!(found, commits);
}

#[test]
fn a_folder_of_files_named_by_commits_is_a_history() {
    let world = World::new();
    for n in 0..3 {
        let commit = world.commit(&format!("change {n}"));
        world.write(&format!("results/{commit}.json"), RESULTS);
    }
    let printed = world.ended(0, &["import", "results"]);
    assert!(printed.out.contains("3 new"), "{}", printed.out);
}

#[test]
fn what_cannot_be_placed_is_refused_and_nothing_is_recorded() {
    let world = World::new();
    world.commit("first");
    world.write("results.json", RESULTS);
    let nameless = world.ended(2, &["import", "results.json"]);
    assert!(nameless.err.contains("--commit REV"), "{}", nameless.err);
    world.write("odd.txt", "hello");
    let odd = world.ended(2, &["import", "results.json", "odd.txt", "--commit", "HEAD"]);
    assert!(odd.err.contains("no known format"), "{}", odd.err);
    assert!(!world.store().exists());
}
