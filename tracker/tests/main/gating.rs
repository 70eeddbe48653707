//! `tachograph gate` and `compare` on real repositories with real workers. What the worker says it took is written in a
//! file of the repository, so that no machine's speed decides a test. Costs are from 0.67 to 1 ms: such calls are single
//! in their slices, and the tracker does not wonder that a clock runs ahead of its own by that much.

use std::fs;

use serde_json::Value;

use crate::world::World;

pub(crate) const CONFIG: &str = "[suite.clocked]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"5m\"\n";

/// A repository whose main branch offers benchmarks of such costs, on a branch beside it.
pub(crate) fn world(costs: &str) -> World {
    let world = World::new();
    world.write("worker.py", include_str!("../fixtures/clocked.py"));
    world.write("costs.json", costs);
    world.write("tachograph.toml", CONFIG);
    world.commit("the suite");
    world.git(&["checkout", "--quiet", "-b", "change"]);
    world
}

pub(crate) fn report(world: &World, code: i32, args: &[&str]) -> Value {
    let args = [args, &["--format", "json"]].concat();
    serde_json::from_str(&world.ended(code, &args).out).expect("JSON")
}

#[test]
fn what_got_slower_fails_the_gate_and_what_did_not_is_unchanged() {
    let world = world(r#"{"a": 700000, "b": 750000, "c": 900000}"#);
    world.write("costs.json", r#"{"a": 910000, "b": 750000, "c": 700000}"#);
    let head = world.commit("slower here and faster there");
    let whole = report(&world, 1, &["gate"]);
    assert!(whole["remarks"][0].to_string().contains("merge base with main"), "{whole}");
    let report = &whole["reports"][0];
    assert_eq!((&whole["schema"], &report["whole"]), (&"tachograph/gate/1".into(), &"red".into()));
    assert_eq!(report["head"]["subject"]["commit"]["id"], head.as_str());
    let call = |name: &str| report["judged"][name]["verdicts"][0]["verdict"]["call"].as_str().map(str::to_owned);
    assert_eq!(["a", "b", "c"].map(call), ["regressed", "unchanged", "improved"].map(|call| Some(call.to_owned())));
    let effect = report["judged"]["a"]["verdicts"][0]["verdict"]["effect"].as_f64().expect("a number");
    assert!((effect - 0.3).abs() < 1e-3, "{effect}");
    // A comparison says the same and fails nobody.
    assert_eq!(self::report(&world, 0, &["compare", "main", "change"])["reports"][0]["whole"], "red");
}

#[test]
fn what_a_gate_measured_and_said_is_kept_and_a_store_that_cannot_be_written_is_told_before_anything_is_built() {
    let world = world(r#"{"a": 700000}"#);
    world.write("costs.json", r#"{"a": 910000}"#);
    world.commit("slower");
    let duel = report(&world, 1, &["gate"])["reports"][0]["duel"].clone();
    let listed: Value = serde_json::from_str(&world.ended(0, &["duels", "--format", "json"]).out).expect("JSON");
    assert_eq!((&listed[0]["id"], &listed[0]["whole"], &listed[0]["dueled"]), (&duel, &"red".into(), &1.into()));
    assert!(world.ended(0, &["duels"]).out.contains(" red "));
    let printed = world.ended(3, &["gate", "--store", "no folder/store.db"]);
    assert!(printed.err.contains("no folder") && printed.out.is_empty(), "{}", printed.err);
}

#[test]
fn a_repeated_gate_goes_on_with_the_lives_of_the_earlier_one_and_an_other_head_begins_anew() {
    let world = world(r#"{"a": 700000}"#);
    let head = world.commit("nothing that matters");
    let first = report(&world, 0, &["gate"])["reports"][0].clone();
    let lives = |report: &Value| report["judged"]["a"]["verdicts"][0]["verdict"]["grounds"]["lives"].as_u64();
    assert_eq!((lives(&first), &first["pooled"]), (Some(5), &Value::Array(vec![])));
    let second = report(&world, 0, &["gate", "--head", &head])["reports"][0].clone();
    assert_eq!((lives(&second), &second["pooled"]), (Some(5), &Value::Array(vec![first["duel"].clone()])));
    let took = |index: usize| -> u64 {
        let id = [&first, &second][index]["duel"].as_str().expect("an identity").to_owned();
        let blob = format!(
            "SELECT length(e.head) FROM evidence e JOIN duels d ON d.id = e.duel_id WHERE d.public_id = '{id}'"
        );
        world.sqlite3(&blob).parse().expect("a number")
    };
    assert!(took(1) < took(0), "what is decided gets one life and no more");
    world.commit("another");
    assert_eq!(report(&world, 0, &["gate"])["reports"][0]["pooled"], Value::Array(vec![]));
}

#[test]
fn a_verdict_is_explained_by_duel_and_by_finding_down_to_the_command_that_repeats_it() {
    let world = world(r#"{"a": 700000, "b": 700000, "gone": 700000}"#);
    world.write("costs.json", r#"{"a": 910000, "b": 700000}"#);
    let head = world.commit("slower");
    let duel = report(&world, 1, &["gate", "--seed", "5"])["reports"][0]["duel"].as_str().expect("an id").to_owned();
    let text = world.ended(0, &["explain", &duel[..12]]).out;
    for expected in [
        "a, time: regressed, +30",
        "gone: missing",
        "pairs in",
        "assumed, for no earlier duel",
        "base against base",
        "the default for noisy metrics",
        "tachograph.toml of base",
        &format!("--head {head} --suite clocked --filter '=a' --seed 5"),
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    assert!(!text.contains("b, time") && text.contains("1 more unchanged"), "{text}");
    assert!(world.ended(0, &["explain", &duel, "--filter", "=b"]).out.contains("b, time: unchanged"));
    let whole: Value =
        serde_json::from_str(&world.ended(0, &["explain", &duel, "--format", "json"]).out).expect("JSON");
    assert_eq!(whole["schema"], "tachograph/explain/1");
    let finding = whole["verdicts"][0]["finding"].as_str().expect("an address");
    let text = world.ended(0, &["explain", finding]).out;
    assert!(text.contains("a, time: regressed") && !text.contains("gone"), "{text}");
    assert!(world.ended(2, &["explain", "abc"]).err.contains("tachograph duels"));
}

/// The names of all fields below `value`, those of benchmarks left out.
fn fields(value: &Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| fields(one, found)),
        Value::Object(all) => {
            for (name, one) in all {
                found.insert(name.clone());
                match one {
                    Value::Object(named) if name == "judged" || name == "caches_bytes" => {
                        named.values().for_each(|one| fields(one, found));
                    }
                    one => fields(one, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_form_of_the_report_says_the_same_and_every_field_of_its_json_is_documented() {
    let world = world(r#"{"a": 700000, "b": 700000, "gone": 700000}"#);
    world.write("costs.json", r#"{"a": 910000, "b": "crash", "new": 700000}"#);
    world.commit("slower, <crashing> @and | gone");
    let whole = report(&world, 1, &["gate"]);
    let mut names = std::collections::BTreeSet::new();
    fields(&whole, &mut names);
    let document = include_str!("../../REPORT.md");
    let unknown: Vec<&String> = names
        .iter()
        .filter(|name| !document.contains(&format!("`{name}`")) && !document.contains(&format!("\"{name}\"")))
        .collect();
    assert_eq!(unknown, Vec::<&String>::new());
    let form = |form: &str| world.ended(1, &["gate", "--format", form]).out;
    let markdown = form("markdown");
    assert!(markdown.starts_with("### Tachograph: slower, or something is lost\n"), "{markdown}");
    for expected in [
        "**red**: suite `clocked`: 3 findings",
        "| **regressed** | `a` | `time` |",
        "**missing**: `gone`",
        "`slower, <crashing> @and \\| gone`",
    ] {
        assert!(markdown.contains(expected), "{expected} in\n{markdown}");
    }
    let junit = form("junit");
    assert!(
        junit.contains("<testsuite name=\"clocked\" tests=\"4\" failures=\"2\" errors=\"1\" skipped=\"1\">"),
        "{junit}"
    );
    let github = form("github");
    assert_eq!(github.lines().filter(|line| line.starts_with("::error title=tachograph")).count(), 3, "{github}");
}

#[test]
fn what_is_accepted_on_base_is_no_finding_up_to_its_size_and_until_its_end() {
    let world = world(r#"{"a": 670000, "gone": 700000}"#);
    world.write("costs.json", r#"{"a": 804000}"#);
    world.commit("slower, and one less");
    let first = report(&world, 1, &["gate"])["reports"][0].clone();
    let duel = first["duel"].as_str().expect("an identity");
    let explained: Value =
        serde_json::from_str(&world.ended(0, &["explain", duel, "--format", "json"]).out).expect("JSON");
    let slower = explained["verdicts"][0]["finding"].as_str().expect("an address").to_owned();
    let gone = world.ended(2, &["accept", duel, "--reason", "x"]).err;
    let gone =
        gone.rsplit("its findings are ").next().expect("two").split(", ").next().expect("the first").trim().to_owned();
    assert!(world.ended(2, &["accept", &slower, "--reason", " "]).err.contains("reason"));
    world.ended(0, &["accept", &slower, "--reason", "checks its input now"]);
    world.ended(0, &["accept", &gone, "--reason", "split in two", "--until-rebased"]);
    assert!(world.ended(0, &["accept", &gone, "--reason", "split in two", "--until-rebased"]).out.contains("already"));
    // What head adds waits, in the working tree as in a commit.
    let waits = world.ended(1, &["gate"]);
    assert!(waits.err.contains("time of =a up to 20"), "{}", waits.err);
    assert!(waits.err.contains("it holds once it is base"), "{}", waits.err);
    // Unless base says that somebody guards the file; a fork's never holds.
    let guarded = format!("trust_new_acceptances = true\n{CONFIG}");
    let file = fs::read_to_string(world.root().join("tachograph.accept.toml")).expect("the file");
    fs::remove_file(world.root().join("tachograph.accept.toml")).expect("it is there");
    world.write("costs.json", r#"{"a": 670000, "gone": 700000}"#);
    world.write("tachograph.toml", &guarded);
    let base = world.commit("somebody guards it");
    world.write("costs.json", r#"{"a": 804000}"#);
    world.write(
        "tachograph.accept.toml",
        &file
            .lines()
            .map(|line| if line.starts_with("base = ") { format!("base = \"{base}\"\n") } else { format!("{line}\n") })
            .collect::<String>(),
    );
    world.commit("slower, one less, and accepted");
    let printed = world.ended(0, &["gate", "--base", &base]);
    assert!(printed.out.starts_with("green: "), "{}", printed.out);
    assert!(
        printed.out.contains("accepted: time of a, +20")
            && printed.out.contains("accepted: gone is gone: split in two"),
        "{}",
        printed.out
    );
    assert!(world.ended(1, &["gate", "--base", &base, "--fork"]).err.contains("a fork's never hold"));
    // Once it is base, it holds for what comes after, to its size, and the other is over.
    world.write("costs.json", r#"{"a": 990000}"#);
    world.commit("slower still");
    let printed = world.ended(1, &["gate", "--base", "HEAD~1"]);
    assert!(printed.out.contains("note: time of a was accepted up to 20"), "{}", printed.out);
    assert!(
        printed.err.contains("that =gone is gone") && printed.err.contains("is over; take it out"),
        "{}",
        printed.err
    );
}

#[test]
fn one_program_beside_changed_documentation_is_unchanged_and_that_is_said() {
    let world = World::new();
    world.write("worker.c", include_str!("../fixtures/clocked.c"));
    let config =
        "[suite.built]\nbuild = [\"cc\", \"-O1\", \"-o\", \"worker\", \"worker.c\"]\nworker = [\"./worker\"]\n";
    world.write("tachograph.toml", config);
    world.write(".gitignore", "worker\n");
    world.commit("the suite");
    world.write("README.md", "# Words");
    world.commit("words");
    let said = "nothing that these benchmarks can see differs";
    let printed = world.ended(0, &["gate", "--base", "HEAD~1"]);
    assert!(printed.out.starts_with("green: ") && printed.out.contains(said), "{}", printed.out);
    assert!(!world.ended(0, &["gate", "--base", "HEAD~1", "--measure-anyway"]).out.contains(said));
    // A file that a benchmark may read is no documentation.
    world.write("data.json", "{}");
    world.commit("data");
    assert!(!world.ended(0, &["gate", "--base", "HEAD~1"]).out.contains(said));
}

#[test]
fn a_change_of_the_suite_itself_is_said() {
    let world = world(r#"{"a": 700000}"#);
    world.write("worker.py", &format!("{}\n", include_str!("../fixtures/clocked.py")));
    world.commit("the benchmark itself");
    let printed = world.ended(0, &["gate"]);
    assert!(printed.out.contains("the suite's own source changed (worker.py)"), "{}", printed.out);
}

#[test]
fn what_could_not_be_decided_fails_where_the_policy_says_so() {
    let world = world(r#"{"a": 700000}"#);
    world.write("tachograph.toml", &format!("inconclusive = \"fail\"\n{CONFIG}"));
    world.commit("strict");
    world.commit("nothing more");
    world.ended(4, &["gate", "--base", "HEAD~1", "--budget", "1ms"]);
}

#[test]
fn a_limit_that_head_loosens_is_listed_and_holds_once_it_is_base() {
    let world = world(r#"{"a": 700000}"#);
    world.write("tachograph.toml", &format!("{CONFIG}[[policy]]\nlimit = \"90 %\"\n"));
    world.write("costs.json", r#"{"a": 910000}"#);
    world.commit("a limit that would let everything pass");
    let printed = world.ended(1, &["gate"]);
    assert!(printed.err.contains("head changes the [[policy]] entries"), "{}", printed.err);
    world.git(&["checkout", "--quiet", "main"]);
    world.git(&["merge", "--quiet", "change"]);
    world.commit("nothing more");
    let printed = world.ended(0, &["gate"]);
    assert!(printed.out.starts_with("green: "), "{}", printed.out);
    assert!(printed.err.contains("first parent"), "{}", printed.err);
    // Once it is base, the limit holds.
    world.git(&["checkout", "--quiet", "-b", "slower"]);
    world.write("costs.json", r#"{"a": 990000}"#);
    world.commit("slower, and allowed to be");
    world.ended(0, &["gate"]);
}

/// Every file of the repository, git's own among them, with what is in it and when that was written; but for the store.
fn files(world: &World) -> Vec<(std::path::PathBuf, Vec<u8>, std::time::SystemTime)> {
    let (mut found, mut folders) = (Vec::new(), vec![world.root()]);
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != ".tachograph") {
                folders.push(path);
            } else if path.is_file() {
                let written = path.metadata().and_then(|data| data.modified()).expect("a time");
                found.push((path.clone(), fs::read(&path).expect("a file"), written));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_working_tree_is_judged_before_it_is_committed_and_left_alone() {
    let world = world(r#"{"a": 700000}"#);
    world.write("costs.json", r#"{"a": 910000}"#);
    // Asked first and last: `git status` itself may freshen the index.
    let status = world.git(&["status", "--porcelain"]);
    let before = files(&world);
    let printed = world.ended(1, &["gate"]);
    assert!(printed.out.contains("working tree on"), "{}", printed.out);
    let changed: Vec<_> =
        files(&world).into_iter().filter(|file| !before.contains(file)).map(|(path, ..)| path).collect();
    assert_eq!((changed, files(&world).len()), (vec![], before.len()));
    assert_eq!(world.git(&["status", "--porcelain"]), status);
}
