use std::fs;

use super::{Job, project, propose, pull_request};
use crate::world::World;

const COSTS: &str = r#"{"a": 700000, "b": 750000}"#;
const SLOWER: &str = r#"{"a": 721000, "b": 750000}"#;

fn ledger(world: &World) -> String {
    let list =
        world.git_in(&world.path("remote.git"), &["for-each-ref", "--format=%(objectname)", "refs/tachograph/ledger"]);
    assert!(list.lines().count() <= 1);
    list
}

fn files(world: &World) -> usize {
    world.git_in(&world.path("remote.git"), &["ls-tree", "-r", "--name-only", "refs/tachograph/ledger"]).lines().count()
}

/// A job that reports on a commit whose measuring handed on this file.
fn report(world: &World, name: &str, measured: &Job<'_>, commit: &str, trusted: bool) -> (i32, String) {
    let main = world.git(&["rev-parse", "origin/main"]);
    let job = Job::new(world, name, &main, "workflow_run", "{}")
        .with("TACHOGRAPH_COMMIT", commit)
        .with("TACHOGRAPH_OWNER", "them")
        .with("TACHOGRAPH_BRANCH", "a branch; $(touch evil)")
        .with("TACHOGRAPH_TRUSTED", if trusted { "true" } else { "false" })
        .with("TACHOGRAPH_RUN_URL", "https://forge.example/us/it/actions/runs/5");
    let file = measured.bundle();
    let step = job.step("report.sh", &[file.to_str().expect("UTF-8")]);
    assert!(!job.folder().join("evil").exists());
    (step.code, step.said)
}

fn comment(world: &World) -> String {
    fs::read_to_string(world.path("home/comment.md")).unwrap_or_default()
}

fn asked(world: &World) -> String {
    let log = fs::read_to_string(world.path("home/gh.log")).unwrap_or_default();
    let _ = fs::remove_file(world.path("home/gh.log"));
    log
}

#[test]
fn a_project_lives_through_pushes_pull_requests_forks_queues_and_rewritten_history() {
    let world = project(COSTS);
    let main = world.git(&["rev-parse", "HEAD"]);

    // The main branch: its head is measured and shared.
    let push = Job::new(&world, "push", &main, "push", r#"{"repository":{"id":1}}"#).with("TACHOGRAPH_PUSH", "true");
    let step = push.measure(0);
    assert!(step.said.contains("GitHub Actions, push"), "{}", step.said);
    assert!(files(&world) >= 1, "{}", step.said);

    // A pull request that changes nothing that a benchmark sees.
    let same = propose(&world, "same", r#"{"b": 750000, "a": 700000}"#);
    let job = Job::new(&world, "same", &same, "pull_request", &pull_request(&world, &same, 1));
    let step = job.measure(0);
    assert!(step.said.contains("pull request 9"), "{}", step.said);
    assert_eq!(job.file("outputs"), "verdict=green\nexit-code=0\n");
    assert!(job.file("summary.md").contains("nothing got worse"), "{}", job.file("summary.md"));

    // One that makes a benchmark slower by 3 %: red, with the place named, and nothing shared by the job that measures.
    let before = ledger(&world);
    let slower = propose(&world, "slower", SLOWER);
    let job = Job::new(&world, "slower", &slower, "pull_request", &pull_request(&world, &slower, 1));
    let step = job.measure(1);
    assert_eq!(job.file("outputs"), "verdict=red\nexit-code=1\n");
    assert!(job.file("summary.md").contains("+3.0"), "{}", job.file("summary.md"));
    assert_eq!(step.said.matches("::error").count(), 1, "{}", step.said);
    assert_eq!(ledger(&world), before);

    // The report on it: a comment, a status, and what it teaches is shared.
    fs::write(world.path("home/pulls"), format!("8 {same}\n9 {slower}\n")).expect("written");
    let (code, said) = report(&world, "report", &job, &slower, true);
    assert_eq!(code, 0, "{said}");
    let told = comment(&world);
    assert!(told.starts_with("<!-- tachograph -->\n### Tachograph: slower"), "{told}");
    assert!(told.contains("https://forge.example/us/it/actions/runs/5"), "{told}");
    let log = asked(&world);
    assert!(log.contains("--method POST repos/us/it/issues/9/comments"), "{log}");
    assert!(log.contains("state=failure") && log.contains(&format!("statuses/{slower}")), "{log}");

    // A re-run: the same comment is edited.
    let again = Job::new(&world, "again", &slower, "pull_request", &pull_request(&world, &slower, 1));
    again.measure(1);
    report(&world, "report-again", &again, &slower, true);
    let log = asked(&world);
    assert!(
        log.contains("--method PATCH repos/us/it/issues/comments/77") && !log.contains("issues/9/comments -F"),
        "{log}"
    );

    // From a fork: red again, judged anew, and the ledger learns nothing of it.
    let before = ledger(&world);
    let fork = Job::new(&world, "fork", &slower, "pull_request", &pull_request(&world, &slower, 2));
    assert!(fork.measure(1).said.contains("from a fork"));
    let (code, said) = report(&world, "report-fork", &fork, &slower, false);
    assert_eq!(code, 0, "{said}");
    assert!(asked(&world).contains("state=failure"));
    assert_eq!(ledger(&world), before);

    // A commit that is no longer the head of anything.
    fs::write(world.path("home/pulls"), format!("9 {main}\n")).expect("written");
    let (code, said) = report(&world, "report-stale", &fork, &slower, true);
    assert!(code == 0 && said.contains("nothing to report"), "{said}");
    assert!(!asked(&world).contains("comments"));

    // The merge queue: compared with what it says.
    let told = format!(r#"{{"repository":{{"id":1}},"merge_group":{{"head_sha":"{slower}","base_sha":"{main}"}}}}"#);
    let queue = Job::new(&world, "queue", &slower, "merge_group", &told);
    let step = queue.measure(1);
    assert!(step.said.contains("merge queue") && step.said.contains("as GitHub Actions says"), "{}", step.said);

    // The main branch is rewritten: what was measured of the old commits is still there.
    world.write("costs.json", r#"{"a": 700001, "b": 750000}"#);
    world.git(&["commit", "--quiet", "--all", "--amend", "--message", "squashed"]);
    world.git(&["push", "--quiet", "--force", "origin", "main"]);
    let head = world.git(&["rev-parse", "HEAD"]);
    let squashed =
        Job::new(&world, "squashed", &head, "push", r#"{"repository":{"id":1}}"#).with("TACHOGRAPH_PUSH", "true");
    let before = files(&world);
    squashed.measure(0);
    assert!(files(&world) > before);
    let runs = world.ended_in(squashed.folder(), 0, &["runs"]).out;
    assert!(runs.contains(&main[..10]) && runs.contains(&head[..10]), "{runs}");
}

#[test]
fn a_shallow_clone_is_refused_with_what_mends_it_and_never_compared_with_a_wrong_base() {
    let world = project(COSTS);
    let head = propose(&world, "slower", SLOWER);
    let job = Job::new(&world, "job", &head, "pull_request", &pull_request(&world, &head, 1));
    let shallow = world.path("shallow");
    let remote = format!("file://{}", world.path("remote.git").display());
    world.git_in(
        &world.root(),
        &["clone", "--quiet", "--depth=1", "--branch=slower", &remote, shallow.to_str().expect("UTF-8")],
    );
    let job = Job { folder: shallow, ..job };
    let step = job.step("measure.sh", &[]);
    assert_eq!(step.code, 3, "{}", step.said);
    assert!(step.said.contains("fetch-depth: 0"), "{}", step.said);
}
