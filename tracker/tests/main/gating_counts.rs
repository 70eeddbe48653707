//! Instructions as a metric: asked for, counted, judged, kept, shown; and refused where nothing counts or nothing can be
//! counted.

use std::path::PathBuf;

use serde_json::Value;

use crate::world::{World, skip};

/// Whether valgrind is there; if not, says so.
fn counts() -> bool {
    let works = std::process::Command::new("valgrind").arg("--version").output().is_ok_and(|out| out.status.success());
    if !works {
        skip("instructions", "valgrind is not installed");
    }
    works
}

/// A program that links the harness, among the examples, which cargo builds where nobody chooses among the tests.
fn steady_suite() -> Option<PathBuf> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_tachograph"));
    let built = program.parent()?.join("examples/steady");
    built.is_file().then_some(built)
}

/// A repository whose worker is the interpreter itself: a script that looks for it would be counted too.
fn world(rounds: u32) -> World {
    let found = std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let python = String::from_utf8(found.expect("python3 runs").stdout).expect("UTF-8");
    let world = World::new();
    let worker = include_str!("../fixtures/worker.py");
    world.write("worker.py", &worker.replace("ROUNDS = 1 ", &format!("ROUNDS = {rounds} ")));
    let config = format!(
        "[suite.python]\nworker = [{:?}, \"-S\", \"worker.py\"]\nbudget = \"400ms\"\nmetrics = [\"instructions\"]\n",
        python.trim()
    );
    world.write("tachograph.toml", &config);
    world.write(".gitignore", ".tachograph/\n");
    world.commit("the suite");
    world
}

#[test]
fn instructions_are_counted_alike_in_two_runs_and_a_change_of_a_few_percent_is_red_by_them_alone() {
    if !counts() {
        return;
    }
    let world = world(30);
    let args = ["run", "--filter", "text", "--no-confirm", "--format", "json"];
    let counted = || -> f64 {
        let run: Value = serde_json::from_str(world.ended(0, &args).out.lines().next().expect("a line")).expect("JSON");
        let text = run.to_string();
        let metrics = run["benchmarks"][0]["metrics"].as_array().unwrap_or_else(|| panic!("{text}"));
        let found = metrics.iter().find(|one| one["name"] == "instructions").unwrap_or_else(|| panic!("{text}"));
        found["value"].as_f64().unwrap_or_else(|| panic!("{text}"))
    };
    let (one, other) = (counted(), counted());
    assert!((one / other - 1.0).abs() < 1e-3, "{one} {other}");
    assert!(world.ended(0, &["log", "text", "--metric", "instructions"]).out.contains("instructions"));

    world.git(&["checkout", "--quiet", "-b", "change"]);
    world.write("worker.py", &include_str!("../fixtures/worker.py").replace("ROUNDS = 1 ", "ROUNDS = 31 "));
    world.commit("a thirtieth more work");
    let args = ["gate", "--filter", "text", "--budget", "1ms", "--format", "json"];
    let whole: Value = serde_json::from_str(&world.ended(1, &args).out).expect("JSON");
    let report = &whole["reports"][0];
    assert_eq!(report["findings"][0]["regressed"]["metric"], "instructions", "{whole}");
    let verdicts = report["judged"]["text/join"]["verdicts"].as_array().expect("verdicts");
    let verdict = verdicts.iter().find(|one| one["metric"]["name"] == "instructions").expect("instructions");
    assert_eq!((&verdict["verdict"]["call"], &verdict["terms"]["limit"]), (&"regressed".into(), &"0.5 %".into()));
    let effect = verdict["verdict"]["effect"].as_f64().expect("a number");
    assert!((0.02..0.05).contains(&effect), "{effect}");
    let explained = world.ended(0, &["explain", report["duel"].as_str().expect("an identity")]).out;
    assert!(explained.contains("text/join, instructions: regressed"), "{explained}");
    assert!(explained.contains("numbers of the binary, compared as numbers"), "{explained}");
}

#[test]
fn a_worker_of_the_harness_marks_its_work_and_is_counted_to_the_last_instruction() {
    let Some(program) = steady_suite() else {
        return skip("a worker of the harness", "the examples are not built (`--examples` builds them)");
    };
    if !counts() {
        return;
    }
    let world = World::new();
    let config = format!("[suite.rust]\nworker = [{program:?}]\nbudget = \"100ms\"\n");
    world.write("tachograph.toml", &config);
    world.write(".gitignore", ".tachograph/\n");
    world.commit("the suite");
    let args = ["gate", "--base", "HEAD", "--head", "HEAD", "--metrics", "instructions", "--format", "json"];
    let whole: Value = serde_json::from_str(&world.ended(0, &args).out).expect("JSON");
    let judged = whole["reports"][0]["judged"].as_object().expect("benchmarks");
    let mut counted = 0;
    for verdict in judged.values().filter_map(|one| one["verdicts"].as_array()).flatten() {
        if verdict["metric"]["name"] == "instructions" && verdict["metric"]["kind"] == "exact" {
            assert_eq!(verdict["base"], verdict["head"], "{verdict}");
            assert!(verdict["base"].as_f64().is_some_and(|base| base > 1.0), "{verdict}");
            counted += 1;
        }
    }
    assert!(counted > 0, "{whole}");
}

#[test]
fn where_nothing_counts_that_is_said_before_anything_is_built() {
    let world = World::new().with_python_suite();
    world.commit("the suite");
    world.commit("nothing");
    let bin = world.path("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    for name in ["valgrind", "perf"] {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(bin.join(name), "#!/bin/sh\nexit 127\n").expect("written");
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).expect("executable");
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
    for verb in [&["run", "--metrics", "instructions"][..], &["gate", "--metrics", "instructions"]] {
        let output = world.tachograph(verb).env("PATH", &path).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(3), true), "{said}");
        assert!(said.contains("instructions cannot be counted here") && said.contains("install valgrind"), "{said}");
    }
    let said = world.ended(2, &["gate", "--metrics", "instruction"]).err;
    assert!(said.contains("there is `instructions`"), "{said}");
}

#[test]
fn a_command_cannot_be_counted_and_that_is_said() {
    let world = World::new();
    world.write("tachograph.toml", "[suite.cli.time]\nnap = [\"true\"]\n");
    world.commit("a tool");
    world.commit("nothing");
    let said = world.ended(2, &["gate", "--metrics", "instructions"]).err;
    assert!(said.contains("suite cli are not counted, for it is no worker"), "{said}");
}
