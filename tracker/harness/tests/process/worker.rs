//! Workers, the harness's and the one in Python, through the whole protocol.

use std::process::Command;

use serde_json::{Value, json};

use crate::speaker::{Speaker, example, python};

fn demo() -> Command {
    Command::new(example("demo"))
}

fn faults() -> Command {
    Command::new(example("faults"))
}

fn message(reply: &Value) -> &str {
    assert_eq!(reply["reply"], "error", "{reply}");
    reply["message"].as_str().unwrap()
}

fn benchmark<'l>(list: &'l Value, name: &str) -> &'l Value {
    let benchmarks = list["benchmarks"].as_array().unwrap();
    benchmarks.iter().find(|benchmark| benchmark["name"] == name).unwrap()
}

#[test]
fn the_highest_common_version_is_chosen_and_the_profiler_is_offered() {
    let mut worker = Speaker::start(demo());
    let hello = worker.ask(&json!({ "request": "hello", "versions": [7, 1] }));
    let expected =
        json!({ "reply": "hello", "version": 1, "versions": [1], "worker": "demo", "offers": ["layout", "profile"] });
    assert_eq!(hello, expected);
}

/// What the heap goes on at is a multiple of this, and some more.
const ROUND: u64 = 4 << 20;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_heap_goes_on_where_the_layout_says() {
    let heap = |layout: Option<&str>| {
        let mut command = demo();
        command.env_remove("TACHOGRAPH_LAYOUT").envs(layout.map(|layout| ("TACHOGRAPH_LAYOUT", layout)));
        let mut worker = Speaker::start(command);
        worker.ask(&json!({ "request": "hello", "versions": [1] }));
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", worker.id())).unwrap();
        let line = maps.lines().find(|line| line.ends_with("[heap]")).unwrap().split(' ').next().unwrap();
        let (begin, end) = line.split_once('-').unwrap();
        [begin, end].map(|address| u64::from_str_radix(address, 16).unwrap())
    };
    let [begin, end] = heap(Some("00000000000000065536"));
    let moved = begin.next_multiple_of(ROUND) + (1 << 20);
    assert!((moved..moved + ROUND + (1 << 20)).contains(&end), "{begin:x} {end:x}");
    let [begin, end] = heap(None);
    assert!(end - begin < 1 << 20, "{begin:x} {end:x}");
}

#[test]
fn a_version_that_nobody_speaks_is_refused_and_another_may_be_tried() {
    for command in [demo(), python()] {
        let mut worker = Speaker::start(command);
        let refused = worker.ask(&json!({ "request": "hello", "versions": [7, 9] }));
        assert!(message(&refused).contains('7') && message(&refused).contains("version"), "{refused}");
        let hello = worker.ask(&json!({ "request": "hello", "versions": [1] }));
        assert_eq!(hello["version"], 1);
    }
}

#[test]
fn nothing_is_done_before_hello() {
    let mut worker = Speaker::start(demo());
    assert_eq!(message(&worker.ask(&json!({ "request": "list" }))), "hello must come first");
}

#[test]
fn a_list_declares_everything() {
    let mut worker = Speaker::greeted(demo());
    let list = worker.ask(&json!({ "request": "list" }));
    let counts = json!([
        { "name": "allocations", "unit": "count", "better": "lower", "kind": "exact" },
        { "name": "allocated_bytes", "unit": "bytes", "better": "lower", "kind": "exact" },
        { "name": "peak_live_bytes", "unit": "bytes", "better": "lower", "kind": "exact" },
    ]);
    let sum = json!({
        "name": "sum/1000", "cores": 1, "throughput": { "amount": 1000, "unit": "elements" }, "metrics": counts,
    });
    assert_eq!(benchmark(&list, "sum/1000"), &sum);
    assert_eq!(benchmark(&list, "threads/two")["cores"], 2);
    assert_eq!(benchmark(&list, "memory/fill/4096")["throughput"], json!({ "amount": 4096, "unit": "bytes" }));
    let words = benchmark(&list, "words/count")["metrics"].as_array().unwrap();
    let names: Vec<&Value> = words.iter().map(|metric| &metric["name"]).take(5).collect();
    assert_eq!(names, ["most", "time_p50", "time_p95", "time_p99", "words_read"]);
    assert_eq!(words[0], json!({ "name": "most", "unit": "count", "better": "higher", "kind": "exact" }));
}

#[test]
fn allocations_are_counted_exactly_inside_the_loop_alone() {
    let mut worker = Speaker::greeted(demo());
    let expected = json!({ "allocations": 3, "allocated_bytes": 1400, "peak_live_bytes": 1100 });
    for iterations in [1, 7, 1000, 7] {
        assert_eq!(worker.run("alloc/three", iterations)["metrics"], expected);
    }
    let none = json!({ "allocations": 0, "allocated_bytes": 0, "peak_live_bytes": 0 });
    assert_eq!(worker.run("memory/fill/4096", 100)["metrics"], none);
}

#[test]
fn own_metrics_come_per_iteration() {
    let mut worker = Speaker::greeted(demo());
    let slice = worker.run("words/count", 10);
    assert_eq!(slice["metrics"]["words_read"], 300);
    assert_eq!(slice["metrics"]["most"], 150);
    let quantile = |name: &str| slice["metrics"][name].as_f64().unwrap();
    assert!(quantile("time_p50") > 0.0);
    assert!(quantile("time_p50") <= quantile("time_p95") && quantile("time_p95") <= quantile("time_p99"));
}

#[test]
fn the_time_of_a_slice_is_whole_and_above_zero() {
    for command in [demo(), python()] {
        let mut worker = Speaker::greeted(command);
        for iterations in [1, 10, 1000] {
            assert!(worker.run("sum/1000", iterations)["elapsed_ns"].as_u64().unwrap() > 0);
        }
    }
}

#[test]
fn a_right_answer_is_ok_and_a_wrong_one_is_told() {
    let mut worker = Speaker::greeted(faults());
    assert_eq!(worker.about("check", "good"), json!({ "reply": "check", "ok": true }));
    let wrong = json!({ "reply": "check", "ok": false, "message": "expected 5, got 4" });
    assert_eq!(worker.about("check", "wrong"), wrong);
    assert_eq!(worker.about("check", "freed"), json!({ "reply": "check", "ok": true }));
}

#[test]
fn a_line_that_is_no_request_is_quoted_and_the_next_one_is_served() {
    let unknown = r#"{"request":"dance","benchmark":"good"}"#;
    let lines = ["nonsense", "{}", "[1]", unknown, r#"{"request":"run","benchmark":"sum/1000","iterations":0}"#];
    for command in [demo(), python()] {
        let mut worker = Speaker::greeted(command);
        for line in lines {
            let reply = worker.say(line.as_bytes());
            assert!(!message(&reply).is_empty());
            assert_eq!(reply["line"], line);
        }
        assert_eq!(worker.run("sum/1000", 5)["reply"], "run");
        assert!(message(&worker.run("sum/1001", 5)).contains("no benchmark named"), "an unknown benchmark");
    }
}

#[test]
fn a_line_without_end_is_refused_and_skipped() {
    let mut worker = Speaker::greeted(demo());
    let reply = worker.say(&vec![b'x'; (1 << 20) + 1]);
    assert!(message(&reply).contains("at most 1048576 bytes"));
    let reply = worker.say(b"\xff\xfe");
    assert!(message(&reply).contains("UTF-8"));
    assert_eq!(worker.run("sum/1000", 1)["reply"], "run");
}

#[test]
fn an_unknown_field_is_ignored() {
    for command in [demo(), python()] {
        let mut worker = Speaker::greeted(command);
        let request = json!({ "request": "run", "benchmark": "sum/1000", "iterations": 3, "colour": "red" });
        assert_eq!(worker.ask(&request)["reply"], "run");
    }
}

#[test]
fn a_panic_fails_its_benchmark_alone() {
    let mut worker = Speaker::greeted(faults());
    let broken = worker.run("panic/work", 3);
    assert!(message(&broken).starts_with("\"panic/work\" panicked at "), "{broken}");
    assert!(message(&broken).contains("faults.rs:") && message(&broken).contains("the work is broken"));
    assert!(broken["line"].as_str().unwrap().contains("panic/work"));
    let broken = worker.run("panic/setup", 3);
    assert!(message(&broken).starts_with("set-up of \"panic/setup\" panicked at "), "{broken}");
    assert!(message(&worker.about("check", "panic/work")).contains("the work is broken"));
    assert_eq!(worker.run("good", 10)["reply"], "run");
    let (status, rest, errors) = worker.end();
    assert!(status.success() && rest.is_empty());
    assert!(errors.contains("the model is missing"));
}

#[test]
fn a_metric_that_is_no_number_is_an_error() {
    let mut worker = Speaker::greeted(faults());
    assert_eq!(message(&worker.run("nan", 1)), "metric `ratio` of \"nan\" is NaN: values lie from 0 to 1e24");
}

#[test]
fn a_set_up_is_made_once_freed_by_drop_and_made_again() {
    let mut worker = Speaker::greeted(faults());
    assert_eq!(worker.about("drop", "freed"), json!({ "reply": "drop" }));
    worker.run("freed", 2);
    worker.run("freed", 2);
    worker.about("drop", "freed");
    worker.about("drop", "freed");
    worker.run("freed", 2);
    let (status, rest, errors) = worker.end();
    assert!(status.success() && rest.is_empty());
    assert_eq!(errors, "freed set-up 1\nfreed set-up 2\n");
}

#[test]
fn the_profiler_runs_where_there_is_one() {
    let profile = json!({ "request": "profile", "benchmark": "sum/1000", "iterations": 10 });
    let seen = Speaker::greeted(demo()).ask(&profile);
    assert_eq!(seen, json!({ "reply": "profile", "profile": { "scopes": [{ "name": "everything" }] } }));
    let profile = json!({ "request": "profile", "benchmark": "good", "iterations": 10 });
    assert_eq!(message(&Speaker::greeted(faults()).ask(&profile)), "\"good\" has no profiler");
}

#[test]
fn the_end_of_input_ends_a_worker_with_status_0() {
    for command in [demo(), python()] {
        let (status, rest, errors) = Speaker::greeted(command).end();
        assert!(status.success() && rest.is_empty() && errors.is_empty(), "{status} {rest:?} {errors:?}");
    }
}

#[test]
fn the_worker_in_python_speaks_the_whole_protocol_in_under_60_lines() {
    assert!(include_str!("../../../tests/fixtures/worker.py").lines().count() < 60);
    let mut worker = Speaker::greeted(python());
    let list = worker.ask(&json!({ "request": "list" }));
    let written = json!([{ "name": "written", "unit": "bytes", "better": "lower", "kind": "exact" }]);
    assert_eq!(benchmark(&list, "text/join"), &json!({ "name": "text/join", "metrics": written }));
    assert_eq!(benchmark(&list, "sum/1000")["throughput"], json!({ "amount": 1000, "unit": "elements" }));
    for name in ["sum/1000", "text/join"] {
        assert_eq!(worker.about("check", name)["ok"], true);
        assert_eq!(worker.run(name, 20)["reply"], "run");
        assert_eq!(worker.about("drop", name), json!({ "reply": "drop" }));
    }
    assert_eq!(worker.run("text/join", 20)["metrics"], json!({ "written": 1000 }));
}

#[test]
fn only_below_callgrind_a_worker_counts_and_there_the_loop_alone() {
    let count = |iterations: u64| json!({ "request": "count", "benchmark": "sum/1000", "iterations": iterations });
    let refused = Speaker::greeted(demo()).ask(&count(10));
    assert!(message(&refused).contains("only callgrind can count"), "{refused}");
    if !Command::new("valgrind").arg("--version").output().is_ok_and(|out| out.status.success()) {
        use std::io::Write as _;
        assert!(std::env::var_os("TACHOGRAPH_ALL_TOOLS").is_none(), "valgrind is not installed");
        // Past the test harness, which keeps what succeeds to itself.
        let _ = writeln!(std::io::stderr(), "skipped: counting below callgrind, for valgrind is not installed");
        return;
    }
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("count.callgrind");
    let mut below = Command::new("valgrind");
    below.args(["--tool=callgrind", "-q", "--instr-atstart=no", "--combine-dumps=yes"]);
    below.arg(format!("--callgrind-out-file={}", file.display())).arg(example("demo"));
    let mut worker = Speaker::start(below);
    let hello = worker.ask(&json!({ "request": "hello", "versions": [1] }));
    assert_eq!(hello["offers"], json!(["layout", "profile", "count"]));
    assert!(
        message(&worker.ask(&json!({ "request": "count", "benchmark": "gone", "iterations": 1 }))).contains("gone")
    );
    for iterations in [10, 20, 10] {
        assert_eq!(worker.ask(&count(iterations)), json!({ "reply": "count" }));
    }
    assert!(worker.end().0.success());
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches("desc: Trigger: Client Request: tachograph").count(), 3, "{text}");
    let totals = text.lines().filter_map(|line| line.strip_prefix("totals: ")).map(|total| total.parse().unwrap());
    let totals: Vec<u64> = totals.collect();
    let [ten, twenty, again, _] = totals[..] else { panic!("{totals:?}") };
    assert_eq!(ten, again);
    // What is counted beside the iterations, less than a hundred instructions, is there once.
    assert!(ten > 1000 && (2 * ten - 100..=2 * ten).contains(&twenty), "{ten} {twenty}");
    std::fs::remove_file(&file).unwrap();
}
