//! What a gate makes of rules: acceptances judged elsewhere, metrics that come and go, rules that name nothing, sides that
//! cannot be used, histories that have no base.

use std::fs;

use serde_json::Value;

use crate::world::World;

const CONFIG: &str = "[suite.clocked]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"5m\"\n";

/// A repository whose main branch offers benchmarks of such costs, on a branch beside it.
fn world(costs: &str, files: &[(&str, &str)]) -> World {
    let world = World::new();
    world.write("worker.py", include_str!("../fixtures/clocked.py"));
    world.write("costs.json", costs);
    world.write("tachograph.toml", CONFIG);
    for (name, content) in files {
        world.write(name, content);
    }
    world.commit("the suite");
    world.git(&["checkout", "--quiet", "-b", "change"]);
    world
}

fn accepting(pattern: &str, what: &str) -> String {
    let (commit, base) = ("b".repeat(40), "a".repeat(40));
    format!(
        "[[accept]]\npattern = \"{pattern}\"\n{what}\nreason = \"checks its input now\"\ncommit = \"{commit}\"\n\
         base = \"{base}\"\nuntil = \"2999-12-31\"\n"
    )
}

#[test]
fn what_base_accepts_is_accepted_by_the_job_that_reports_and_what_a_fork_accepts_for_itself_is_not() {
    let accepted = accepting("=a", "metric = \"time\"\nallowed = \"40 %\"");
    let world = world(r#"{"a": 700000}"#, &[("tachograph.accept.toml", &accepted)]);
    world.write("costs.json", r#"{"a": 910000}"#);
    let head = world.commit("slower, and it is meant");
    world.ended(0, &["gate", "--bundle", "../gate.bundle"]);
    world.git(&["checkout", "--quiet", "main"]);
    let report = |code: i32, head: &str, more: &[&str]| {
        let args = [&["report", "--bundle", "../gate.bundle", "--commit", head], more].concat();
        world.ended(code, &args)
    };
    let printed = report(0, &head, &[]);
    assert!(printed.out.starts_with("green: ") && printed.out.contains("accepted: time of a, +30"), "{}", printed.out);

    // What head itself adds: never that of a fork, and that of others where the project says so.
    fs::remove_file(world.root().join("tachograph.accept.toml")).expect("it is there");
    world.write("tachograph.toml", &format!("trust_new_acceptances = true\n{CONFIG}"));
    world.commit("nothing is accepted any more");
    world.git(&["checkout", "--quiet", "-b", "another"]);
    world.write("costs.json", r#"{"a": 990000}"#);
    world.write("tachograph.accept.toml", &accepting("=a", "metric = \"time\"\nallowed = \"60 %\""));
    let head = world.commit("slower, and accepted by itself");
    world.ended(1, &["gate", "--fork", "--bundle", "../gate.bundle"]);
    world.git(&["checkout", "--quiet", "main"]);
    assert!(report(1, &head, &[]).out.starts_with("red: "));
    let printed = report(0, &head, &["--keep"]);
    assert!(printed.out.starts_with("green: ") && printed.err.contains("head adds the acceptance"), "{}", printed.err);
}

#[test]
fn a_metric_that_head_lost_is_a_finding_with_an_address_that_can_be_accepted_and_a_new_one_is_said() {
    let world = world(r#"{"a": 700000, "b": 700000}"#, &[("metrics.json", r#"{"steps": 7, "rows": 3}"#)]);
    world.write("metrics.json", r#"{"rows": 3, "pages": 2}"#);
    world.commit("counts other things");
    let printed = world.ended(1, &["gate"]);
    assert!(printed.out.starts_with("red: suite clocked: 1 finding\n"), "{}", printed.out);
    for expected in
        ["missing: steps of a, b: base has it, head has not", "new on head: pages of a, b", "4 series unchanged"]
    {
        assert!(printed.out.contains(expected), "{expected} in\n{}", printed.out);
    }
    let whole: Value = serde_json::from_str(&world.ended(1, &["gate", "--format", "json"]).out).expect("JSON");
    let report = &whole["reports"][0];
    assert_eq!(report["findings"][0]["missing metric"]["benchmarks"], serde_json::json!(["a", "b"]));
    assert_eq!((&report["lone"][0]["metric"]["name"], &report["lone"][0]["on_head"]), (&"steps".into(), &false.into()));
    let form = |form: &str| world.ended(1, &["gate", "--format", form]).out;
    assert!(form("markdown").contains("**missing**: `steps` of `a, b`: base has it, head has not"));
    assert!(form("junit").contains("name=\"a: steps\"><failure message=\"base has it, head has not\"/>"));
    assert!(
        form("github").contains("steps is missing::base reads it off a%2C b%2C head does not"),
        "{}",
        form("github")
    );
    let duel = report["duel"].as_str().expect("an identity");
    let explained = world.ended(0, &["explain", duel]).out;
    assert!(explained.contains("steps: missing: base reads it off a, b"), "{explained}");
    let address =
        explained.split("finding   ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address");
    let accepted = world.ended(0, &["accept", address, "--reason", "nobody reads it"]).out;
    assert!(accepted.contains("that steps of * is gone"), "{accepted}");
    let entry = fs::read_to_string(world.root().join("tachograph.accept.toml")).expect("written");
    world.git(&["checkout", "--quiet", "main"]);
    world.write("tachograph.accept.toml", &entry);
    world.commit("accept it");
    world.git(&["checkout", "--quiet", "change"]);
    world.git(&["rebase", "--quiet", "main"]);
    let printed = world.ended(0, &["gate"]);
    assert!(printed.out.contains("accepted: steps of a is gone: nobody reads it"), "{}", printed.out);
}

#[test]
fn a_worker_that_does_not_start_fails_the_environment_on_base_and_the_change_on_head() {
    let world = world(r#"{"a": 700000}"#, &[]);
    let good = world.git(&["rev-parse", "HEAD"]);
    world.write("worker.py", "import sys\nsys.exit('no licence for this')\n");
    let bad = world.commit("does not start");
    let printed = world.ended(1, &["gate"]);
    assert!(printed.err.contains("red: suite clocked does not build or start on head"), "{}", printed.err);
    assert!(printed.err.contains("no licence for this"), "{}", printed.err);
    world.write("worker.py", include_str!("../fixtures/clocked.py"));
    world.commit("starts again");
    let printed = world.ended(3, &["gate", "--base", &bad]);
    assert!(printed.err.contains("suite clocked cannot be used on base"), "{}", printed.err);
    assert!(printed.err.contains("no licence for this") && printed.out.is_empty(), "{}", printed.err);
    assert!(printed.err.contains("--base"), "it says what to try:\n{}", printed.err);
    world.ended(0, &["gate", "--base", &good]);

    // Beside a suite that can be judged it is told, in every form, and what can be judged is.
    world.write("broken.py", "import sys\nsys.exit('no licence for this')\n");
    world.write("tachograph.toml", &format!("{CONFIG}[suite.broken]\nworker = [\"python3\", \"broken.py\"]\n"));
    let base = world.commit("a suite that does not start");
    world.write("broken.py", include_str!("../fixtures/clocked.py"));
    world.commit("it starts");
    let printed = world.ended(3, &["gate", "--base", &base]);
    assert!(printed.out.starts_with("green: suite clocked"), "{}", printed.out);
    assert!(printed.err.contains("not judged: suite broken cannot be used on base"), "{}", printed.err);
    let markdown = world.ended(3, &["gate", "--base", &base, "--format", "markdown"]).out;
    assert!(markdown.starts_with("### Tachograph: not every suite could be judged\n"), "{markdown}");
    assert!(markdown.contains("**not judged**: suite `broken` cannot be used on base"), "{markdown}");
    let json = world.ended(3, &["gate", "--base", &base, "--format", "json"]).out;
    let whole: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&whole["unusable"][0][0], &whole["exit_code"], &whole["whole"]),
        (&"broken".into(), &3.into(), &"nothing".into())
    );
    // Beside one that is red too: the environment is mended first, and what is red is told.
    world.write("costs.json", r#"{"a": 910000}"#);
    world.commit("slower");
    let printed = world.ended(3, &["gate", "--base", &base]);
    assert!(printed.out.starts_with("red: suite clocked"), "{}", printed.out);
}

#[test]
fn rules_that_name_nothing_are_said_and_the_gate_goes_on() {
    let policy =
        "[[policy]]\npattern = \"kernle/*\"\nlimit = \"1 %\"\n[[policy]]\nmetric = \"tiem\"\nlimit = \"1 %\"\n";
    let accepted = accepting("=renamed", "metric = \"time\"\nallowed = \"5 %\"");
    let files = [("tachograph.toml", &*format!("{CONFIG}{policy}")), ("tachograph.accept.toml", &accepted)];
    let world = world(r#"{"kernel/a": 700000}"#, &files);
    world.commit("nothing");
    let printed = world.ended(0, &["gate"]);
    for expected in [
        "entry 1 (pattern \"kernle/*\") is about nothing that was measured",
        "did you mean metric \"time\"?",
        "the acceptance of time of =renamed up to 5 %",
    ] {
        assert!(printed.err.contains(expected), "{expected} in\n{}", printed.err);
    }
    assert!(!world.ended(0, &["gate", "--filter", "kernel"]).err.contains("is about nothing"));
}

#[test]
fn one_commit_beside_itself_is_said_to_be_one() {
    let world = world(r#"{"a": 700000}"#, &[]);
    let printed = world.ended(0, &["gate", "--base", "HEAD", "--head", "HEAD"]);
    assert!(printed.out.starts_with("green: ") && printed.err.contains("are one commit"), "{}", printed.err);
}

#[test]
fn a_shallow_clone_without_the_place_where_head_left_is_refused_and_never_compared_with_something_else() {
    let world = world(r#"{"a": 700000}"#, &[]);
    for subject in ["one", "two", "three"] {
        world.commit(subject);
    }
    let shallow = world.path("shallow");
    let from = format!("file://{}", world.root().display());
    let into = shallow.to_str().expect("UTF-8");
    world.git_in(&world.root(), &["clone", "--quiet", "--depth=2", "--branch=change", &from, into]);
    let printed = world.ended_in(&shallow, 3, &["gate"]);
    assert!(printed.err.contains("shallow") && printed.err.contains("--unshallow"), "{}", printed.err);
    // Without a branch checked out, and with a base that is named, all is as ever.
    world.git_in(&shallow, &["checkout", "--quiet", "--detach"]);
    world.ended_in(&shallow, 0, &["gate", "--base", "HEAD~1"]);
}

#[test]
fn histories_without_anything_in_common_are_compared_with_the_first_parent_or_with_nothing() {
    let world = world(r#"{"a": 700000}"#, &[]);
    world.git(&["checkout", "--quiet", "--orphan", "stranger"]);
    world.commit("a root of its own");
    assert!(world.ended(4, &["gate"]).err.contains("nothing to compare with"));
    world.commit("another");
    let printed = world.ended(0, &["gate"]);
    assert!(printed.err.contains("the first parent of head"), "{}", printed.err);
    world.ended(0, &["gate", "--base", "main"]);
}

#[test]
fn a_submodule_that_is_left_empty_and_moves_is_said() {
    let config = format!("[build]\nsubmodules = \"empty\"\n{CONFIG}");
    let world = world(
        r#"{"a": 700000}"#,
        &[("tachograph.toml", &config), (".gitmodules", "[submodule \"lib\"]\n\tpath = lib\n\turl = ../lib\n")],
    );
    let point =
        |at: &str| world.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},lib", at.repeat(40))]);
    point("1");
    world.git(&["commit", "--quiet", "--message", "a submodule"]);
    point("2");
    world.git(&["commit", "--quiet", "--message", "a newer one"]);
    let printed = world.ended(0, &["gate", "--base", "HEAD~1", "--head", "HEAD"]);
    assert!(printed.err.contains("submodule lib changed and is left empty"), "{}", printed.err);
}
