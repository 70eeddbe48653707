//! The same program run by a person, by cargo and by test runners.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::speaker::example;

fn ran(program: &str, arguments: &[&str]) -> Output {
    Command::new(example(program)).args(arguments).env_remove("CARGO").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_table_has_a_row_for_each_benchmark_and_each_own_metric() {
    let output = ran("demo", &["--time", "0.01"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    let names: Vec<&str> = table.lines().map(|line| line.split("  ").find(|part| !part.is_empty()).unwrap()).collect();
    let expected = [
        "benchmark",
        "sum/1000",
        "memory/fill/64",
        "memory/fill/4096",
        "alloc/three",
        "words/count",
        "most",
        "time_p50",
        "time_p95",
        "time_p99",
        "words_read",
        "threads/two",
    ];
    assert_eq!(names, expected, "{table}");
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(row("sum/1000").contains("elements/s"), "{table}");
    let counts: Vec<&str> = row("alloc/three").split_whitespace().rev().take(5).collect();
    assert_eq!(counts, ["kB", "1.100", "kB", "1.400", "3"], "{table}");
    assert_eq!(row("benchmark").chars().count(), row("alloc/three").chars().count(), "right-aligned: {table}");
}

#[test]
fn results_as_json_hold_every_reading() {
    let output = ran("demo", &["--format", "json", "--time", "0.01", "=alloc/three"]);
    let file = json(&output);
    assert_eq!((&file["tachograph"], &file["suite"]), (&json!(1), &json!("demo")));
    let metrics = file["benchmarks"][0]["metrics"].as_array().unwrap();
    assert_eq!(metrics[0]["name"], "time");
    let readings = metrics[0]["values"].as_array().unwrap();
    assert!(readings.len() >= 5 && readings.iter().all(|time| time.as_f64().unwrap() > 0.0));
    assert_eq!(metrics[1]["name"], "allocations");
    assert_eq!(metrics[1]["values"].as_array().unwrap(), &vec![json!(3); readings.len()]);
}

#[test]
fn a_list_names_the_chosen() {
    assert_eq!(text(&ran("demo", &["--list", "memory"]).stdout), "memory/fill/64\nmemory/fill/4096\n");
    assert_eq!(text(&ran("demo", &["--list", "*/64"]).stdout), "memory/fill/64\n");
    assert_eq!(text(&ran("demo", &["--list", "=sum/1000", "threads"]).stdout), "sum/1000\nthreads/two\n");
    assert_eq!(text(&ran("demo", &["--list", "--format", "terse", "sum"]).stdout), "sum/1000: benchmark\n");
    let file = json(&ran("demo", &["--list", "--format", "json", "threads"]));
    assert_eq!((&file["benchmarks"][0]["name"], &file["benchmarks"][0]["cores"]), (&json!("threads/two"), &json!(2)));
}

#[test]
fn a_check_fails_with_the_reasons() {
    let output = ran("demo", &["--check"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout).lines().filter(|line| line.starts_with("ok ")).count(), 6);
    let output = ran("faults", &["--check"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    assert!(told.contains("ok      good\nFAILED  wrong: wrong answer: expected 5, got 4\n"), "{told}");
    assert!(told.contains("FAILED  panic/setup: set-up of \"panic/setup\" panicked at "), "{told}");
    assert!(text(&output.stderr).contains("3 of 6 benchmarks failed"));
    let file = json(&ran("faults", &["--check", "--format", "json", "wrong"]));
    let wrong = json!({ "name": "wrong", "ok": false, "failed": "wrong answer: expected 5, got 4" });
    assert_eq!(file["benchmarks"], json!([wrong]));
}

#[test]
fn what_fails_while_measuring_is_told_in_its_row_and_the_rest_is_measured() {
    let output = ran("faults", &["--time", "0.001"]);
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    assert_eq!(table.lines().count(), 7, "{table}");
    assert!(table.contains("wrong answer: expected 5, got 4") && table.contains("NaN"), "{table}");
    assert!(table.lines().find(|line| line.starts_with("good")).unwrap().contains("ns"), "{table}");
    let file = json(&ran("faults", &["--time", "0.001", "--format", "json", "=nan"]));
    assert!(file["benchmarks"][0]["failed"].as_str().unwrap().contains("NaN"), "{file}");
}

#[test]
fn cargo_and_test_runners_get_what_they_expect() {
    let checked = ran("faults", &["--test", "good", "--nocapture"]);
    assert!(checked.status.success());
    assert_eq!(text(&checked.stdout), "ok      good\n");
    let none = ran("demo", &["--bench", "no such name"]);
    assert!(none.status.success() && none.stdout.is_empty());
}

#[test]
fn wrong_usage_is_refused_with_status_2() {
    let output = ran("demo", &["--lst"]);
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(2), "unknown option --lst: did you mean --list?\n")
    );
    let output = ran("demo", &["no such name"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("none of the 6 benchmarks"), "{}", text(&output.stderr));
    let output = ran("demo", &["--help"]);
    assert!(output.status.success() && text(&output.stdout).contains("--check"));
}
