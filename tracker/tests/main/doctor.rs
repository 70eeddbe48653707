//! The verb `doctor` on the machine that runs these tests.

use std::process::Command;

fn doctor(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tachograph"));
    let output = command.arg("doctor").args(arguments).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_doctor_examines_this_machine_for_programs() {
    let report: serde_json::Value = serde_json::from_str(&doctor(&["--format", "json"])).expect("JSON");
    assert!(report["machine"]["fingerprint"]["cores"].as_u64().expect("a count") >= 1);
    assert!(report["pulse"]["bandwidth_gb_s"].as_f64().expect("a rate") > 0.0);
    for advice in report["advice"].as_array().expect("a list") {
        assert!(["noisy", "note", "fine"].contains(&advice["weight"].as_str().expect("a word")), "{advice}");
    }
}

#[test]
fn the_doctor_speaks_without_colour_where_no_terminal_listens() {
    let text = doctor(&[]);
    assert!(text.starts_with("This machine\n") && text.contains("\nIts pulse\n") && !text.contains('\u{1b}'), "{text}");
}
