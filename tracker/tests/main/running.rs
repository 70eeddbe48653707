//! `tachograph run` on real repositories with a real worker.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::traps::Traps;
use crate::world::World;

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn a_range_is_measured_commit_by_commit_and_every_sample_comes_back() {
    let world = World::new().with_python_suite();
    world.commit("the suite");
    let mut commits = Vec::new();
    for n in 0..3 {
        world.write("README", &n.to_string());
        commits.push(world.commit(&format!("change {n}")));
    }
    let printed = world.ended(0, &["run", "HEAD~3..HEAD"]);
    assert!(printed.out.contains(".tachograph/store.db"), "it says where the data is:\n{}", printed.out);
    let stored = world.sqlite3("select hash from commits join runs on runs.commit_id = commits.id order by runs.id");
    assert_eq!(stored.lines().collect::<Vec<_>>(), commits, "oldest first");
    let exported = json_lines(&world.ended(0, &["export"]).out);
    let exported: Vec<&Value> = exported.iter().filter(|line| line["record"] == "run").collect();
    assert_eq!(exported.len(), 3);
    let in_tables: usize = world.sqlite3("select sum(samples) from points").parse().expect("a number");
    let values = |value: &Value| -> usize {
        let lives = value["lives"].as_array().expect("lives");
        lives.iter().map(|life| life.as_array().expect("values").len()).sum()
    };
    let in_export: usize = exported
        .iter()
        .flat_map(|run| run["content"]["outcomes"].as_object().expect("outcomes").values())
        .flat_map(|outcome| outcome["measured"]["readings"].as_array().expect("readings"))
        .map(values)
        .sum();
    assert!(in_export >= 12 && in_export == in_tables, "{in_export} exported, {in_tables} in the tables");
}

#[test]
fn a_dirty_working_tree_is_measured_as_such_and_left_alone() {
    let world = World::new().with_python_suite();
    world.commit("the suite");
    world.write("notes.txt", "not committed");
    let before = (world.git(&["status", "--porcelain"]), fs::read(world.root().join(".git/index")).expect("an index"));
    let printed = world.ended(0, &["run"]);
    assert!(printed.out.contains("working tree"), "{}", printed.out);
    assert_eq!(world.sqlite3("select count(*) from runs where dirty_digest is not null"), "1");
    let after = (world.git(&["status", "--porcelain"]), fs::read(world.root().join(".git/index")).expect("an index"));
    assert_eq!(before, after);
    world.git(&["stash", "--include-untracked", "--quiet"]);
    world.ended(0, &["run"]);
    assert_eq!(world.sqlite3("select count(*) from runs where dirty_digest is null"), "1");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let world = World::new().with_python_suite();
    let commit = world.commit("the suite");
    let printed = world.ended(0, &["run", "--dry-run"]);
    for expected in [&commit[..10], "python", "worker.py", "400"] {
        assert!(printed.out.contains(expected), "{expected} in\n{}", printed.out);
    }
    assert!(!world.store().exists());
}

#[test]
fn suites_and_benchmarks_are_chosen_and_a_wrong_choice_is_named() {
    let world = World::new().with_python_suite();
    world.commit("the suite");
    let runs = json_lines(&world.ended(0, &["run", "--suite", "python", "--filter", "sum", "--format", "json"]).out);
    let names: BTreeSet<&str> =
        runs[0]["benchmarks"].as_array().expect("benchmarks").iter().filter_map(|b| b["name"].as_str()).collect();
    assert!(!names.is_empty() && names.iter().all(|name| name.contains("sum")), "{names:?}");
    let printed = world.ended(2, &["run", "--suite", "pyton"]);
    assert!(printed.err.contains("pyton") && printed.err.contains("python"), "{}", printed.err);
    let printed = world.ended(4, &["run", "--filter", "nothing is called so"]);
    assert!(printed.err.contains("nothing is called so"), "{}", printed.err);
    let printed = world.ended(2, &["run", "--budget", "soon"]);
    assert!(printed.err.contains("90s"), "the error shows how to write it: {}", printed.err);
}

#[test]
fn without_a_configuration_the_error_says_what_to_write() {
    let world = World::new();
    world.commit("nothing here");
    let printed = world.ended(2, &["run"]);
    assert!(printed.err.contains("tachograph.toml") && printed.err.contains("[suite."), "{}", printed.err);
    world.write("tachograph.toml", "[suite.x]\nwroker = [\"true\"]\n");
    world.commit("a mistake");
    let printed = world.ended(2, &["run"]);
    assert!(printed.err.contains("did you mean `worker`?"), "{}", printed.err);
}

#[test]
fn a_commit_that_does_not_build_is_said_and_the_others_are_measured() {
    let world = World::new().with_python_suite();
    world.write("build.sh", "exit 0");
    world.write(
        "tachograph.toml",
        "[suite.python]\nbuild = [\"sh\", \"build.sh\"]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"300ms\"\n",
    );
    world.commit("builds");
    world.write("build.sh", "echo the reason it fails >&2; exit 7");
    let broken = world.commit("broken");
    world.write("build.sh", "exit 0 # mended");
    world.commit("mended");
    world.git(&["commit", "--quiet", "--allow-empty", "--message", "last"]);
    let printed = world.ended(1, &["run", "HEAD~3..HEAD"]);
    assert!(printed.err.contains("the reason it fails"), "{}", printed.err);
    assert!(printed.err.contains(&broken[..10]), "{}", printed.err);
    assert_eq!(world.sqlite3("select count(*) from runs"), "2");
}

#[test]
fn no_secret_reaches_the_worker_the_store_or_the_export() {
    let world = World::new().with_python_suite();
    // It greets, offers one benchmark, and when that is to run it says all that it sees and dies.
    world.write(
        "spy.py",
        r#"import json, os, sys
for line in sys.stdin:
    request = json.loads(line)["request"]
    reply = {"reply": request, "version": 1, "versions": [1], "worker": "spy", "benchmarks": [{"name": "look/around"}]}
    if request not in ("hello", "list"):
        sys.stderr.write("saw " + repr(dict(os.environ)))
        sys.stderr.flush()
        os.kill(os.getpid(), 9)
    print(json.dumps(reply), flush=True)
"#,
    );
    let spied = world.path("spied.txt");
    world.write("build.sh", &format!("env > {}\n", spied.display()));
    world.write(
        "tachograph.toml",
        "[suite.python]\nbuild = [\"sh\", \"build.sh\"]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"300ms\"\n\
         [suite.spy]\nworker = [\"python3\", \"spy.py\"]\nbudget = \"300ms\"\n",
    );
    world.commit("a suite that looks around");
    let names = [
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "GITHUB_ENV",
        "GITHUB_OUTPUT",
        "GITHUB_PATH",
        "GITHUB_STEP_SUMMARY",
        "CI_JOB_TOKEN",
        "CI_JOB_JWT",
        "NPM_TOKEN",
        "CARGO_REGISTRY_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AZURE_CREDENTIALS",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "SSH_AUTH_SOCK",
        "DOCKER_AUTH_CONFIG",
        "TWINE_PASSWORD",
        "SECRET",
        "BUILDKITE_AGENT_ACCESS_TOKEN",
    ];
    let canary = "canary-4e1f";
    let mut command = world.tachograph(&["run"]);
    for name in names {
        command.env(name, format!("{canary}-{name}"));
    }
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "a benchmark failed");
    let seen = fs::read_to_string(&spied).expect("the build looked around");
    assert!(seen.contains("PATH=") && !seen.contains(canary), "the build saw:\n{seen}");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!said.contains(canary), "{said}");
    let mut store = Vec::new();
    for file in ["store.db", "store.db-wal"] {
        store.extend(fs::read(world.root().join(".tachograph").join(file)).unwrap_or_default());
    }
    assert!(!store.windows(canary.len()).any(|window| window == canary.as_bytes()), "the store holds a canary");
    let exported = world.ended(0, &["export"]).out;
    assert!(exported.contains("saw {") && exported.contains("PATH"), "what the worker saw is in the export");
    assert!(!exported.contains(canary));
}

#[test]
fn a_variable_of_the_configuration_is_set_for_builds_and_for_no_worker() {
    let world = World::new().with_python_suite();
    let (built, measured) = (world.path("built"), world.path("measured"));
    let worker = format!("env > {}; exec python3 worker.py \"$@\"", measured.display());
    world.write("worker.sh", &worker);
    world.write(
        "tachograph.toml",
        &format!(
            "[build]\nenv = {{ FLAVOUR = \"sweet\", PATH_OF_TOOLS = \"\" }}\n[suite.python]\n\
             build = [\"sh\", \"-c\", \"env > {}\"]\nworker = [\"sh\", \"worker.sh\"]\nbudget = \"300ms\"\n",
            built.display()
        ),
    );
    world.commit("the suite");
    let mut command = world.tachograph(&["run"]);
    assert!(command.env("FLAVOUR", "sour").status().expect("it runs").success());
    let saw = |path: &std::path::Path| fs::read_to_string(path).expect("it looked around");
    assert!(saw(&built).lines().any(|line| line == "FLAVOUR=sweet"), "{}", saw(&built));
    assert!(saw(&built).lines().any(|line| line == "PATH_OF_TOOLS="), "{}", saw(&built));
    assert!(!saw(&measured).contains("FLAVOUR"), "{}", saw(&measured));
}

#[test]
fn nothing_of_a_hostile_repository_runs_but_its_own_build_and_worker() {
    let world = World::new().with_python_suite();
    world.write(".gitattributes", "* filter=evil\n");
    world.commit("the suite");
    let traps = Traps::set(&world);
    world.ended(0, &["run", "HEAD"]);
    traps.held_and_plain_git_springs_them();
}

/// A program that writes our own result format; each process reads other numbers.
const COMMAND: &str = r#"import json, os, sys
names = ["alpha/1", "alpha/2", "beta"]
if sys.argv[1:] == ["--list"]:
    print("\n".join(names))
    sys.exit()
chosen = [sys.argv[2]] if sys.argv[1:2] == ["--only"] else names
if chosen == ["beta"]:
    sys.stderr.write("beta is broken")
    sys.exit(3)
value = 100 + os.getpid() % 7
time = {"name": "time", "unit": "ns", "better": "lower", "kind": "noisy", "lives": [[value, value + 1]]}
json.dump({"tachograph": 1, "benchmarks": [{"name": name, "metrics": [time]} for name in chosen]}, sys.stdout)
"#;

#[test]
fn a_command_suite_is_run_as_whole_processes_each_of_them_a_life() {
    let world = World::new();
    world.write("bench.py", COMMAND);
    world.write(
        "tachograph.toml",
        "[suite.whole]\ncommand = [\"python3\", \"bench.py\"]\nformat = \"tachograph\"\nprocesses = 3\nbudget = \"30s\"\n",
    );
    world.commit("a command");
    world.ended(0, &["run"]);
    assert_eq!(world.sqlite3("select distinct lives || ' ' || samples from points"), "3 6");
}

#[test]
fn a_command_suite_that_lists_its_benchmarks_is_run_one_a_process_and_a_broken_one_fails_alone() {
    let world = World::new();
    world.write("bench.py", COMMAND);
    world.write(
        "tachograph.toml",
        "[suite.named]\ncommand = [\"python3\", \"bench.py\", \"--only\", \"{name}\"]\n\
         list = [\"python3\", \"bench.py\", \"--list\"]\nformat = \"tachograph\"\nprocesses = 2\nbudget = \"30s\"\n",
    );
    world.commit("a command that lists");
    let printed = world.ended(1, &["run"]);
    assert!(printed.out.contains("beta is broken"), "{}", printed.out);
    assert_eq!(world.sqlite3("select count(*) from points"), "2");
    assert_eq!(world.sqlite3("select count(*) from failed"), "1");
    world.ended(0, &["run", "--filter", "alpha"]);
}

#[test]
fn a_format_that_nobody_knows_is_refused_with_those_that_are_known() {
    let world = World::new();
    world.write("tachograph.toml", "[suite.x]\ncommand = [\"true\"]\nformat = \"critrion\"\n");
    world.commit("a mistake");
    let printed = world.ended(2, &["run"]);
    assert!(printed.err.contains("critrion") && printed.err.contains("criterion"), "{}", printed.err);
}
