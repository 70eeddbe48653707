//! `tachograph judge`, as its users call it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn judge(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tachograph"))
        .arg("judge")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that refuses its arguments does not read; the broken pipe is no failure of the test.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("it speaks UTF-8")
}

/// The first fenced block of a kind after a heading.
fn block<'a>(page: &'a str, heading: &str, kind: &str) -> &'a str {
    let (_, after) = page.split_once(heading).expect("the heading");
    let (_, inside) = after.split_once(&format!("```{kind}\n")).expect("the block begins");
    inside.split_once("```").expect("the block ends").0
}

#[test]
fn the_worked_example_of_the_methodology_is_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../METHODOLOGY.md");
    let page = std::fs::read_to_string(path).expect("METHODOLOGY.md");
    let heading = "### A worked example";
    let output = judge(&[], block(&page, heading, "json"));
    assert_eq!(stdout(&output), block(&page, heading, "text"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn plain_prints_one_for_regressed_and_zero_for_all_else() {
    let said = |head: f64| {
        let base: Vec<f64> = (0..12).map(|i| 100.0 + f64::from(i % 4) * 0.1).collect();
        let head: Vec<f64> = base.iter().enumerate().map(|(i, x)| x * head + 0.01 * (i % 3) as f64).collect();
        let input = serde_json::json!({ "base": base, "head": head, "interleaved": true }).to_string();
        let output = judge(&["--plain"], &input);
        assert_eq!(output.status.code(), Some(0));
        stdout(&output).to_owned()
    };
    assert_eq!([said(1.2), said(1.0), said(0.8)], ["1\n", "0\n", "0\n"]);
}

#[test]
fn what_cannot_be_judged_is_wrong_usage_and_says_what_to_try() {
    let refused = |args: &[&str], input: &str, part: &str| {
        let output = judge(args, input);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(part), "{stderr}");
        assert!(output.stdout.is_empty());
    };
    refused(&[], "", "as JSON");
    refused(&[], r#"{"base":[1.0]}"#, "missing field `head`");
    refused(&[], r#"{"base":[1.0],"head":[1.0],"pasts":[]}"#, "unknown field `pasts`");
    refused(&[], r#"{"base":[],"head":[1.0]}"#, "base has no values");
    refused(&["--limit", "0.02"], "", "a limit is a percentage");
    refused(&["--false-reds", "0.001"], "", "1 in N");
    refused(&["--base", "/nowhere/base.txt", "--head", "/nowhere/head.txt"], "", "/nowhere/base.txt");
}
