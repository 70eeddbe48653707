//! The workflows themselves, ours and those that `init` writes: what each step calls is there, what it takes from elsewhere
//! is pinned, and no job may do more than it must.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::top;
use super::yaml::{Yaml, parse};
use crate::world::World;

const ACTIONS: &str = ".github/actions/tachograph";

/// Every file below a folder that ends so, with what it says.
fn files(folder: &Path, end: &str) -> Vec<(PathBuf, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{}", folder.display());
    found
}

/// Our workflows, and those that `init` writes.
fn workflows() -> Vec<(PathBuf, String)> {
    let world = World::new();
    world.write("go.mod", "module example.invalid/x\n");
    world.write("x_test.go", "package x\n\nfunc BenchmarkX(b *testing.B) {}\n");
    world.commit("a suite");
    world.ended(0, &["init"]);
    let written = files(&world.root().join(".github/workflows"), ".yml");
    assert_eq!(written.len(), 2);
    [files(&top().join(".github/workflows"), ".yml"), written].concat()
}

fn steps(job: &Yaml) -> &[Yaml] {
    job.get("steps").expect("steps").list()
}

/// What is used is pinned by its hash with the version beside it, or is ours and there.
fn check_use(name: &str, used: &str, text: &str) {
    let ours = used.strip_prefix("./").or(used.strip_prefix("tachograph/tachograph/"));
    if let Some(path) = ours.map(|path| path.split('@').next().unwrap_or(path)) {
        assert!(top().join(path).join("action.yml").is_file(), "{name}: {used}");
        return;
    }
    let (_, hash) = used.split_once('@').unwrap_or_else(|| panic!("{name}: {used}"));
    assert!(hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}: {used}");
    assert!(text.contains(&format!("{used} # v")), "{name}: {used} has no version beside it");
}

/// What is run is there, and nothing of an event stands in a command line.
fn check_run(name: &str, run: &str) {
    assert!(!run.contains("${{"), "{name}: what a host fills in goes through the environment: {run}");
    let words: Vec<&str> = run.split_whitespace().collect();
    match words[..] {
        ["bash", script, ..] => {
            let script = script.trim_matches('"').replace("$GITHUB_ACTION_PATH/../", &format!("{ACTIONS}/"));
            let script = script.replace("$GITHUB_ACTION_PATH/", &format!("{ACTIONS}/"));
            assert!(top().join(&script).is_file(), "{name}: {script}");
        }
        [program, ..] => assert!(["cargo", "gh", "sudo"].contains(&program), "{name}: {run}"),
        [] => panic!("{name}: nothing is run"),
    }
}

fn check_steps(name: &str, steps: &[Yaml], text: &str) {
    for step in steps {
        match (step.text("uses"), step.text("run")) {
            (Some(used), None) => check_use(name, used, text),
            (None, Some(run)) => check_run(name, run),
            _ => panic!("{name}: {step:?}"),
        }
        let with = |key: &str| step.get("with").and_then(|with| with.text(key));
        if step.text("uses").is_some_and(|used| used.starts_with("actions/checkout@")) {
            assert_eq!(with("persist-credentials"), Some("false"), "{name}: a token would lie in .git/config");
        }
    }
}

#[test]
fn every_step_calls_what_is_there_every_action_is_pinned_and_every_permission_is_needed() {
    // By the action that needs it.
    let needed = [
        ("contents", "write", "tachograph/record"),
        ("contents", "write", "tachograph/report"),
        ("actions", "read", "tachograph/report"),
        ("pull-requests", "write", "tachograph/report"),
        ("statuses", "write", "tachograph/report"),
        ("contents", "write", "gh release create"),
        ("pages", "write", "actions/deploy-pages"),
        ("id-token", "write", "actions/deploy-pages"),
    ];
    for (path, text) in workflows() {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let workflow = parse(&text);
        let all = Yaml::Map(vec![("contents".to_owned(), Yaml::Text("read".to_owned()))]);
        assert_eq!(workflow.get("permissions"), Some(&all), "{name}");
        assert!(workflow.get("on").is_some_and(|on| on.get("pull_request_target").is_none()), "{name}");
        for (job, body) in workflow.get("jobs").expect("jobs").entries() {
            let name = format!("{name}: {job}");
            assert!(body.text("timeout-minutes").is_some_and(|limit| limit.parse::<u32>().is_ok()), "{name}");
            check_steps(&name, steps(body), &text);
            let does = |what: &str| {
                steps(body).iter().any(|step| {
                    [step.text("uses"), step.text("run")].into_iter().flatten().any(|said| said.contains(what))
                })
            };
            for (scope, right) in body.get("permissions").map_or(&[][..], Yaml::entries) {
                let Yaml::Text(right) = right else { panic!("{name}: {right:?}") };
                let is_needed = needed.iter().any(|(what, how, by)| what == scope && how == right && does(by));
                assert!(is_needed, "{name}: {scope}: {right}");
            }
            let measures = steps(body)
                .iter()
                .filter_map(|step| step.text("uses"))
                .any(|used| used.split('@').next().is_some_and(|path| path.ends_with(".github/actions/tachograph")));
            assert!(!measures || body.get("permissions").is_none(), "{name}: it runs the change's code");
            assert!(!measures || !text.contains("secrets."), "{name}");
        }
    }
}

#[test]
fn every_action_says_what_it_takes_and_its_scripts_can_be_read() {
    for (path, text) in files(&top().join(ACTIONS), "action.yml") {
        let name = path.display().to_string();
        let action = parse(&text);
        let runs = action.get("runs").expect("runs");
        assert_eq!(runs.text("using"), Some("composite"), "{name}");
        check_steps(&name, steps(runs), &text);
        let inputs = action.get("inputs").map_or(&[][..], Yaml::entries);
        for (input, about) in inputs {
            assert!(about.text("description").is_some_and(|said| !said.is_empty()), "{name}: {input}");
            assert!(text.contains(&format!("inputs.{input}")), "{name}: {input} is never used");
        }
        for used in text.split("inputs.").skip(1) {
            let used: String = used.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '-').collect();
            assert!(inputs.iter().any(|(input, _)| *input == used), "{name}: inputs.{used} is not said");
        }
        for step in steps(runs).iter().filter(|step| step.get("run").is_some()) {
            assert_eq!(step.text("shell"), Some("bash"), "{name}");
        }
    }
    for (path, _) in files(&top().join(".github"), ".sh") {
        let read = Command::new("bash").arg("-n").arg(&path).status().expect("bash runs");
        assert!(read.success(), "{}", path.display());
    }
}
