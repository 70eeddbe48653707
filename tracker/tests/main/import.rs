//! `tachograph import` on real files, in a real repository.

use std::fmt::Write as _;
use std::fs::File;
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

    // What is to be said of each of them is said once.
    let twice = RESULTS.replace("false", "sum 1000");
    for n in 0..3 {
        let commit = world.commit(&format!("further change {n}"));
        world.write(&format!("more/{commit}.json"), &twice);
    }
    let printed = world.ended(0, &["import", "more"]);
    let notes: Vec<&str> = printed.err.lines().filter(|line| line.contains("appears again")).collect();
    assert!(notes.len() == 1 && notes[0].contains("and 2 more: "), "{}", printed.err);
}

/// So many benchmarks of so many samples, as tinybench writes them: 18 bytes a sample.
fn tinybench(benchmarks: usize, samples: usize) -> String {
    let mut text = String::from("[");
    for benchmark in 0..benchmarks {
        let comma = if benchmark > 0 { "," } else { "" };
        // The order of the file is not that of the names.
        let _ = write!(
            text,
            "{comma}\n{{\"name\":\"task {}\",\"result\":{{\"latency\":{{\"samples\":[0.5",
            benchmark * 37 % 1000
        );
        for sample in 0..samples {
            let _ = write!(text, ",0.{:015}", sample * 7_654_321 + benchmark);
        }
        text.push_str("]}}}");
    }
    text + "]"
}

/// Imports a file into a store of its own and says how much memory that took at the most, in bytes.
fn peak_bytes(world: &World, file: &str, store: &str) -> u64 {
    let asks = "import resource, subprocess, sys\nsubprocess.run(sys.argv[1:], check=True, stdout=sys.stderr)\n\
                print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let import = world.tachograph(&["import", file, "--commit", "HEAD", "--store", store]);
    let mut asked = std::process::Command::new("python3");
    asked.args(["-c", asks]).arg(import.get_program()).args(import.get_args()).current_dir(world.root());
    let output = asked.output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kilobytes: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number");
    // What macOS counts in bytes, Linux counts in kilobytes.
    if cfg!(target_os = "macos") { kilobytes } else { kilobytes << 10 }
}

#[test]
fn a_large_file_takes_as_much_memory_as_its_largest_benchmark() {
    let world = World::new();
    world.commit("first");
    let (benchmarks, samples) = (300, 4000);
    let text = tinybench(benchmarks, samples);
    let largest = (text.len() / benchmarks) as u64;
    assert!(text.len() > 20_000_000, "{}", text.len());
    world.write("large.json", &text);
    world.write("small.json", &tinybench(1, 1));
    let base = peak_bytes(&world, "small.json", "small.db");
    let peak = peak_bytes(&world, "large.json", "large.db");
    assert!(peak < base + 10 * largest + (6 << 20), "{peak} bytes, {base} of them the program, for {}", text.len());
}

#[test]
fn a_large_file_is_the_same_run_by_its_path_and_by_standard_input_and_comes_back_whole() {
    let world = World::new();
    world.commit("first");
    let text = tinybench(20, 4000);
    assert!(text.len() > 1 << 20, "{}", text.len());
    world.write("large.json", &text);
    let rename = ["--commit", "HEAD", "--rename", "task 37=a b", "--rename", "nothing=c"];
    let first = world.ended(0, &[&["import", "large.json"][..], &rename].concat());
    assert!(first.out.contains("20 measured") && first.out.contains("1 new"), "{}", first.out);
    assert!(first.err.contains("nothing is called \"nothing\""), "{}", first.err);
    let mut again = world.tachograph(&[&["import", "-"][..], &rename].concat());
    let output =
        again.stdin(File::open(world.root().join("large.json")).expect("it is there")).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("20 measured, known already"), "{said}{}", String::from_utf8_lossy(&output.stderr));

    assert_eq!(world.sqlite3("select count(*), sum(samples) from points"), "20|80020");
    // Reading the run checks that its content is what its identity says.
    let exported = world.ended(0, &["export"]).out;
    assert_eq!(exported.matches("\"a b\"").count(), 1, "{}", exported.len());
    let folder = world.path("baseline");
    world.ended(0, &["export", "--format", "criterion", "--out", folder.to_str().expect("UTF-8")]);
    let back = world.ended(0, &["import", folder.to_str().expect("UTF-8"), "--commit", "HEAD"]);
    assert!(back.out.contains("20 measured") && back.out.contains("1 new"), "{}", back.out);
}

#[test]
fn a_large_file_that_breaks_off_is_refused_with_its_place_and_nothing_is_recorded() {
    let world = World::new();
    world.commit("first");
    let text = tinybench(20, 4000);
    assert!(text.len() > 1 << 20, "{}", text.len());
    world.write("good.json", &text);
    for (end, place) in [(text.len() - 1, "line 21"), (text.len() - 100, "line 21"), (text.len() / 2 - 1000, "line 11")]
    {
        world.write("cut.json", &text[..end]);
        let refused = world.ended(2, &["import", "good.json", "cut.json", "--commit", "HEAD"]);
        assert!(refused.err.contains("cut.json") && refused.err.contains(place), "{}", refused.err);
        assert!(!world.store().exists());
    }
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
