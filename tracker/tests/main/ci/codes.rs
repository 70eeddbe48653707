//! How the action's scripts end, and what they say, where something in the middle of them fails or there is nothing to
//! compare.

use std::fs;

use super::{Job, project, propose, pull_request, push_change};
use crate::world::World;

/// The step that reports on a commit, with what a host's event says of it.
fn report(job: Job<'_>, head: &str) -> (i32, String) {
    fs::write(job.world.path("home/pulls"), format!("9 {head}\n")).expect("written");
    let job = job
        .with("TACHOGRAPH_COMMIT", head)
        .with("TACHOGRAPH_OWNER", "us")
        .with("TACHOGRAPH_BRANCH", "change")
        .with("TACHOGRAPH_TRUSTED", "true");
    let folder = job.world.path("measured-temp/tachograph").display().to_string();
    let step = job.step("report.sh", &[&folder]);
    (step.code, step.said)
}

fn asked(world: &World) -> String {
    fs::read_to_string(world.path("home/gh.log")).expect("the forge was asked")
}

#[test]
fn what_was_compared_with_nothing_is_not_said_to_have_got_no_worse() {
    let world = World::new().with_remote();
    world.git(&["checkout", "--quiet", "-b", "change"]);
    world.write("worker.py", include_str!("../../fixtures/clocked.py"));
    world.write("costs.json", r#"{"a": 700000}"#);
    world.write("tachograph.toml", "[suite.clocked]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"5m\"\n");
    let head = world.commit("the first benchmarks");
    push_change(&world, &head, 9);
    let told = pull_request(&world, &head, 1);
    Job::new(&world, "measured", &head, "pull_request", &told).measure(0);
    let (code, said) = report(Job::new(&world, "report", &head, "pull_request", &told), &head);
    assert_eq!(code, 0, "{said}");
    let log = asked(&world);
    assert!(log.contains("state=success") && log.contains("description=new, and nothing to compare with yet"), "{log}");
    assert!(!log.contains("nothing got worse"), "{log}");
}

#[test]
fn a_status_says_what_the_report_says_also_where_only_something_could_not_be_decided_or_nothing_was_handed_on() {
    let world = project(r#"{"a": 700000}"#);
    let rules = "inconclusive = \"fail\"\n[suite.clocked]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"1ms\"\n";
    world.write("tachograph.toml", rules);
    world.commit("strict");
    world.git(&["push", "--quiet", "origin", "main"]);
    let head = propose(&world, "change", r#"{"a": 700010}"#);
    push_change(&world, &head, 9);
    let told = pull_request(&world, &head, 1);
    let main = world.git(&["rev-parse", "origin/main"]);
    let (code, said) = report(Job::new(&world, "early", &main, "workflow_run", "{}"), &head);
    assert_eq!(code, 0, "{said}");
    assert!(asked(&world).contains("state=error"), "{}", asked(&world));
    assert!(asked(&world).contains("description=the job that measured handed nothing on"), "{}", asked(&world));
    Job::new(&world, "measured", &head, "pull_request", &told).measure(4);
    let (code, said) = report(Job::new(&world, "report", &main, "workflow_run", "{}"), &head);
    assert_eq!(code, 0, "{said}");
    let log = asked(&world);
    let wanted = "description=nothing is known to be worse, and not everything could be decided";
    assert!(log.contains("state=failure") && log.contains(wanted), "{log}");
}

#[test]
fn what_is_judged_without_the_shared_history_is_not_kept() {
    let world = project(r#"{"a": 700000}"#);
    let head = propose(&world, "change", r#"{"a": 721000}"#);
    push_change(&world, &head, 9);
    Job::new(&world, "measured", &head, "pull_request", &pull_request(&world, &head, 1)).measure(1);
    let main = world.git(&["rev-parse", "origin/main"]);
    for (name, is_there) in [("cut-off", false), ("connected", true)] {
        let job = Job::new(&world, name, &main, "workflow_run", "{}");
        let folder = job.folder().to_owned();
        if !is_there {
            world.git_in(&folder, &["remote", "set-url", "origin", "file:///nowhere/at/all"]);
        }
        let (code, said) = report(job, &head);
        assert_eq!(code, 0, "{said}");
        assert_eq!(said.contains("judging without the shared history"), !is_there, "{said}");
        assert!(asked(&world).contains("state=failure"), "it is judged all the same");
        let kept = world.ended_in(&folder, 0, &["duels"]).out;
        assert_eq!(kept.contains(&head[..10]), is_there, "{kept}");
    }
}

#[test]
fn a_measuring_job_ends_as_the_first_thing_that_failed_in_it_did() {
    let world = project(r#"{"a": 700000}"#);
    let head = propose(&world, "change", r#"{"a": 700000}"#);
    for (name, blocked, code) in [("free", false, 0), ("blocked", true, 3)] {
        let job = Job::new(&world, name, &head, "push", r#"{"repository":{"id":1}}"#).with("TACHOGRAPH_RECORD", "true");
        if blocked {
            // What is to be handed on cannot be written where a folder stands.
            fs::create_dir_all(job.bundles().join("record.bundle/in the way")).expect("a folder");
        }
        job.measure(code);
    }
}
