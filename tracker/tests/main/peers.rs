//! Peers beside our own results, and our own results in the files of other tools.

use serde_json::Value;

use crate::world::World;

const COMMIT: &str = "0123456789012345678901234567890123456789";

/// A store with one run of ours and one of a peer, whose benchmark has another name there.
fn world() -> World {
    let world = World::new();
    world.commit("something");
    let csv = |name: &str, values: &[u32]| {
        let rows: Vec<String> = values.iter().map(|value| format!("{name},{value}\n")).collect();
        format!("benchmark,value\n{}", rows.concat())
    };
    world.write("ours.csv", &csv("prefill/512", &[200, 210, 190, 205, 195, 200, 202]));
    world.write("theirs.csv", &csv("pp512", &[100, 101, 99, 100, 100, 102, 98]));
    let import = |more: &[&str]| {
        world.ended(0, &[&["import", "--format", "csv", "--commit", COMMIT, "--machine", "lorry"], more].concat());
    };
    import(&["ours.csv", "--suite", "mine"]);
    import(&["theirs.csv", "--as-peer", "llama.cpp", "--rename", "pp512=prefill/512"]);
    world
}

#[test]
fn a_peer_stands_beside_us_on_the_same_machine_only() {
    let world = world();
    let rows: Value = serde_json::from_str(&world.ended(0, &["peers", "--format", "json"]).out).expect("JSON");
    let row = &rows[0];
    assert_eq!((&row["benchmark"], &row["peer"]), (&"prefill/512".into(), &"llama.cpp".into()));
    assert!((row["ratio"].as_f64().expect("a ratio") - 2.0).abs() < 1e-9, "{row}");
    let end = |at: usize| row["interval"][at].as_f64().expect("an end");
    assert!(end(0) > 1.8 && end(0) < 2.0 && end(1) > 2.0 && end(1) < 2.2, "{row}");
    let printed = world.ended(0, &["peers"]);
    assert!(printed.out.contains("llama.cpp") && printed.out.contains("2.000"), "{}", printed.out);
    // On another machine nothing is beside anything, and it is said why.
    let elsewhere = ["import", "theirs.csv", "--format", "csv", "--commit", COMMIT, "--machine", "van"];
    world.ended(0, &[&elsewhere[..], &["--as-peer", "other", "--rename", "pp512=only/there"]].concat());
    let printed = world.ended(2, &["peers", "only/there"]);
    assert!(printed.err.contains("van") && printed.err.contains("--machine this"), "{}", printed.err);
}

#[test]
fn what_the_readme_renames_is_what_llama_bench_calls_it() {
    let readme = include_str!("../../../README.md");
    let (_, command) = readme.split_once("--as-peer llama.cpp --rename \"").expect("the example");
    let (renamed, _) = command.split_once('"').expect("the end of it");
    let world = World::new();
    world.commit("something");
    world.write("ours.csv", "benchmark,value\nengine/decode/128,9000000\nengine/decode/128,9100000\n");
    let test = r#"{"model_type": "llama 7B Q4_0", "n_threads": 8, "n_prompt": 0, "n_gen": 128, "n_batch": 2048,
        "n_ubatch": 512, "type_k": "f16", "type_v": "f16", "samples_ns": [1280000000, 1290000000],
        "samples_ts": [100.0, 99.2]}"#;
    world.write("theirs.json", &format!("[{test}]"));
    let import =
        |more: &[&str]| world.ended(0, &[&["import", "--commit", COMMIT, "--machine", "lorry"], more].concat());
    import(&["ours.csv", "--format", "csv"]);
    let printed = import(&["theirs.json", "--as-peer", "llama.cpp", "--rename", renamed]);
    assert!(!printed.err.contains("could be renamed"), "{}", printed.err);
    let beside = world.ended(0, &["peers", "--metric", "time"]);
    assert!(beside.out.contains("engine/decode/128"), "{}", beside.out);
}

#[test]
fn a_pattern_that_no_peer_has_is_told_with_what_peers_have() {
    let world = world();
    let printed = world.ended(2, &["peers", "nowhere"]);
    assert!(printed.err.contains("no result of a peer matches \"nowhere\""), "{}", printed.err);
    assert!(printed.err.contains("peers have prefill/512 (time)"), "{}", printed.err);
    let printed = world.ended(2, &["peers", "--metric", "instructions"]);
    assert!(printed.err.contains("with the metric \"instructions\""), "{}", printed.err);
    let lonely = World::new();
    lonely.commit("something");
    lonely.write("ours.csv", "benchmark,value\na,1\n");
    lonely.ended(0, &["import", "--format", "csv", "--commit", COMMIT, "ours.csv"]);
    let printed = lonely.ended(2, &["peers", "a"]);
    assert!(printed.err.contains("there is no result of a peer"), "{}", printed.err);
}

#[test]
fn a_peer_is_no_suite_of_ours() {
    let world = world();
    world.write("tachograph.toml", "[suite.\"peer/x\"]\nworker = [\"x\"]\n");
    let printed = world.ended(2, &["run"]);
    assert!(printed.err.contains("--as-peer"), "{}", printed.err);
    let both = ["import", "ours.csv", "--as-peer", "x", "--suite", "y"];
    world.ended(2, &both);
    let two = ["import", "two.csv", "--format", "csv", "--commit", COMMIT, "--rename", "a=b"];
    world.write("two.csv", "benchmark,value\na,1\nb,2\n");
    let printed = world.ended(2, &two);
    assert!(printed.err.contains("two benchmarks would be called b"), "{}", printed.err);
}

#[test]
fn a_run_in_another_tools_file_is_read_back_the_same() {
    let world = world();
    world.write(
        "all.json",
        r#"{"tachograph":1,"benchmarks":[
            {"name":"kernel/a:b","metrics":[{"name":"time","unit":"ns","better":"lower","kind":"noisy","lives":[[5,7],[6,6]]},
             {"name":"rate","unit":"items/s","better":"higher","kind":"noisy","lives":[[40],[44]]}]},
            {"name":"plain","metrics":[{"name":"time","unit":"ns","better":"lower","kind":"noisy","lives":[[1.5]]}]}]}"#,
    );
    let import = |file: &str, format: &str, suite: &str| {
        let args = ["import", file, "--format", format, "--commit", COMMIT, "--suite", suite, "--machine", "lorry"];
        let lines = world.ended(0, &[&args[..], &["--output", "json"]].concat()).out;
        let lines: Value = serde_json::from_str(&lines).expect("JSON");
        lines[0]["run"].as_str().expect("a run").to_owned()
    };
    let run = import("all.json", "tachograph", "whole");
    let level = |suite: &str, benchmark: &str, metric: &str| -> f64 {
        let (benchmark, metric) = (format!("={benchmark}"), format!("={metric}"));
        let args = ["log", &benchmark, "--metric", &metric, "--suite", &format!("={suite}"), "--format", "json"];
        let log: Value = serde_json::from_str(&world.ended(0, &args).out).expect("JSON");
        log["points"][0]["level"].as_f64().unwrap_or_else(|| panic!("{suite} {benchmark} {metric}: {log}"))
    };
    let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{one} and {other}");
    let export = |form: &str, file: &str| {
        world.ended(0, &["export", "--format", form, "--run", &run[..16], "--out", file]);
    };
    export("bmf", "run.bmf.json");
    import("run.bmf.json", "bmf", "bmf");
    close(level("bmf", "kernel/a:b", "latency"), level("whole", "kernel/a:b", "time"));
    close(level("bmf", "kernel/a:b", "rate"), 42.0);
    export("gab-smaller", "run.small.json");
    import("run.small.json", "gab-smaller", "small");
    close(level("small", "plain", "time"), 1.5);
    export("gab-bigger", "run.big.json");
    import("run.big.json", "gab-bigger", "big");
    close(level("big", "kernel/a:b rate", "throughput"), 42.0);
    export("criterion", "folder");
    import("folder", "criterion", "folder");
    close(level("folder", "kernel/a:b", "time"), level("whole", "kernel/a:b", "time"));
    close(level("folder", "plain", "time"), 1.5);
    assert!(world.root().join("folder/kernel/a_b/tachograph/estimates.json").is_file());
}

#[test]
fn openmetrics_is_a_gauge_a_line_and_ends_as_it_must() {
    let world = world();
    let printed = world.ended(0, &["export", "--format", "openmetrics"]).out;
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!((lines[0], lines.last()), ("# TYPE tachograph_level gauge", Some(&"# EOF")));
    let samples: Vec<&&str> = lines.iter().filter(|line| !line.starts_with('#')).collect();
    let [sample] = samples[..] else { panic!("{printed}") };
    let (labels, numbers) = sample.rsplit_once("} ").expect("labels");
    assert!(
        labels.starts_with("tachograph_level{suite=\"mine\",benchmark=\"prefill/512\",metric=\"time\""),
        "{sample}"
    );
    let numbers: Vec<f64> = numbers.split(' ').map(|number| number.parse().expect("a number")).collect();
    assert!((numbers[0] - 200.0).abs() < 1e-9 && numbers.len() == 2, "{sample}");
    world.ended(2, &["export", "--format", "criterion"]);
    world.ended(2, &["export", "--run", "00"]);
}
