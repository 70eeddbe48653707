use std::fs;

use super::runner::Context;
use super::yaml::parse;
use super::{Job, Step, change, pull_request, push_change};
use crate::world::World;

const COSTS: &str = r#"{"a": 700000, "b": 750000}"#;
const SLOWER: &str = r#"{"a": 721000, "b": 750000}"#;
const BINARY: (&str, &str) = ("binary", env!("CARGO_BIN_EXE_tachograph"));

/// The files of the ledger, at its tip.
fn ledger(world: &World) -> Vec<String> {
    let remote = world.path("remote.git");
    if world.git_in(&remote, &["for-each-ref", "refs/tachograph/ledger"]).is_empty() {
        return Vec::new();
    }
    let list = world.git_in(&remote, &["ls-tree", "-r", "--name-only", "refs/tachograph/ledger"]);
    list.lines().map(str::to_owned).collect()
}

fn count(files: &[String], kind: &str) -> usize {
    files.iter().filter(|file| file.starts_with(kind)).count()
}

/// The jobs of a push to the main branch: one that measures, one that shares.
fn push(world: &World, name: &str, commit: &str, code: i32) -> Step {
    let _ = fs::remove_dir_all(world.path("artifacts"));
    let told = r#"{"repository":{"id":1}}"#;
    let job = Job::new(world, name, commit, "push", told);
    let before = ledger(world);
    let measured = job.action("tachograph", &[("record", "true"), BINARY], &[]);
    assert_eq!(measured.code, code, "{}", measured.said);
    assert_eq!(ledger(world), before, "who measures shares nothing");
    let job = Job::new(world, &format!("{name}-record"), commit, "push", told);
    let context: &Context<'_> = &[("github.token", "canary-token"), ("github.sha", commit)];
    let recorded = job.action("tachograph/record", &[("site", "site"), BINARY], context);
    assert_eq!(recorded.code, 0, "{}", recorded.said);
    assert!(job.folder().join("site/index.html").is_file(), "{}", recorded.said);
    measured
}

/// The job of a pull request, in which `repository` is 1 unless it comes from a fork.
fn measure<'a>(world: &'a World, name: &str, head: &str, repository: u32, code: i32) -> (Job<'a>, Step) {
    let _ = fs::remove_dir_all(world.path("artifacts"));
    let job = Job::new(world, name, head, "pull_request", &pull_request(world, head, repository));
    let before = ledger(world);
    let step = job.action("tachograph", &[BINARY], &[]);
    assert_eq!(step.code, code, "{}", step.said);
    assert_eq!(ledger(world), before, "a pull request's job shares nothing");
    (job, step)
}

/// The job that reports on a commit, from what its workflow handed on.
fn report(world: &World, name: &str, measured: &Job<'_>, commit: &str, trusted: bool) -> Step {
    let main = world.git(&["rev-parse", "origin/main"]);
    let job = Job::new(world, name, &main, "workflow_run", "{}");
    let folder = measured.bundles().display().to_string();
    let run = "github.event.workflow_run";
    let names =
        ["head_sha", "head_repository.owner.login", "head_branch", "html_url"].map(|key| format!("{run}.{key}"));
    let same = format!("{run}.head_repository.id == github.event.repository.id");
    let url = "https://forge.example/us/it/actions/runs/5";
    let context: &Context<'_> = &[
        ("github.token", "canary-token"),
        (&names[0], commit),
        (&names[1], "them"),
        (&names[2], "a branch; $(touch evil)"),
        (&names[3], url),
        (&same, if trusted { "true" } else { "false" }),
    ];
    let step = job.action("tachograph/report", &[("folder", &folder), BINARY], context);
    assert!(!job.folder().join("evil").exists() && !step.said.contains("canary-token"), "{}", step.said);
    assert_eq!(step.code, 0, "{}", step.said);
    step
}

fn comment(world: &World) -> String {
    let text = fs::read_to_string(world.path("home/comment.md")).unwrap_or_default();
    assert!(!text.contains("canary-token"), "{text}");
    text
}

fn asked(world: &World) -> String {
    let log = fs::read_to_string(world.path("home/gh.log")).unwrap_or_default();
    let _ = fs::remove_file(world.path("home/gh.log"));
    log
}

/// What the forge was asked for writes no second comment.
fn edits_its_one_comment(log: &str) {
    let [edited, written] =
        ["--method PATCH repos/us/it/issues/comments/77", "--method POST repos/us/it/issues/9/comments"];
    assert!(log.contains(edited) && !log.contains(written), "{log}");
}

/// A project of somebody's, in which `init` was run and said what to measure. Go stands for whatever it is written in;
/// what is measured is a worker whose costs stand in a file, so that it is known what must be found.
fn project() -> World {
    let world = World::new().with_remote();
    world.write("go.mod", "module example.invalid/it\n");
    world.write("x_test.go", "package it\n\nfunc BenchmarkX(b *testing.B) {}\n");
    world.commit("a project");
    world.git(&["push", "--quiet", "origin", "main"]);
    world.git(&["checkout", "--quiet", "-b", "start"]);
    world.ended(0, &["init"]);
    let config = "trust_new_acceptances = true\n[suite.clocked]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"5m\"\n\
                  [[policy]]\nwiden = false\n";
    world.write("tachograph.toml", config);
    world.write("worker.py", include_str!("../../fixtures/clocked.py"));
    world.write("costs.json", COSTS);
    world.write(".gitignore", ".tachograph/\n");
    world
}

#[test]
fn a_project_lives_from_init_through_pushes_pull_requests_forks_queues_and_rewritten_history() {
    let world = project();
    // What `init` wrote does what is played here.
    let workflow = fs::read_to_string(world.root().join(".github/workflows/tachograph.yml")).expect("written");
    let workflow = parse(&workflow);
    let jobs: Vec<&str> = workflow.get("jobs").expect("jobs").entries().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(jobs, ["measure", "record"]);

    // The very first pull request: nothing to compare with yet, and that fails nobody.
    let first = world.commit("measure it");
    push_change(&world, &first, 9);
    let (job, step) = measure(&world, "first", &first, 1, 0);
    assert!(
        step.said.contains("new: suite clocked is new") && step.said.contains("its 2 benchmarks run"),
        "{}",
        step.said
    );
    assert_eq!(job.file("outputs"), "verdict=nothing\nexit-code=0\n");
    assert!(
        job.file("summary.md").contains("### Tachograph: new, and nothing to compare with yet"),
        "{}",
        job.file("summary.md")
    );
    assert!(!step.said.contains("::error"), "{}", step.said);

    // It is merged: the main branch's head is measured and shared, though its parent has no suite.
    world.git(&["checkout", "--quiet", "main"]);
    world.git(&["merge", "--quiet", "--ff-only", "start"]);
    world.git(&["push", "--quiet", "origin", "main"]);
    let main = world.git(&["rev-parse", "HEAD"]);
    let step = push(&world, "push", &main, 0);
    assert!(step.said.contains("GitHub Actions, push"), "{}", step.said);
    assert_eq!((count(&ledger(&world), "runs/"), count(&ledger(&world), "duels/")), (1, 0));

    // A pull request that changes nothing that a benchmark sees.
    let same = change(&world, "same", r#"{"b": 750000, "a": 700000}"#);
    let (job, step) = measure(&world, "same", &same, 1, 0);
    assert!(step.said.contains("pull request 9"), "{}", step.said);
    assert_eq!(job.file("outputs"), "verdict=green\nexit-code=0\n");
    assert!(job.file("summary.md").contains("nothing got worse"), "{}", job.file("summary.md"));
    fs::write(world.path("home/pulls"), format!("9 {same}\n")).expect("written");
    report(&world, "report-same", &job, &same, true);
    assert!(
        comment(&world).starts_with("<!-- tachograph -->\n### Tachograph: nothing got worse"),
        "{}",
        comment(&world)
    );
    let log = asked(&world);
    assert!(log.contains("--method POST repos/us/it/issues/9/comments") && log.contains("state=success"), "{log}");
    assert_eq!(count(&ledger(&world), "duels/"), 1, "what a trusted change teaches is shared");

    // One that makes a benchmark slower by 3 %: red, with the place named; the one comment is edited.
    let slower = change(&world, "slower", SLOWER);
    let (job, step) = measure(&world, "slower", &slower, 1, 1);
    assert_eq!(job.file("outputs"), "verdict=red\nexit-code=1\n");
    assert!(job.file("summary.md").contains("+3.0"), "{}", job.file("summary.md"));
    assert_eq!(step.said.matches("::error").count(), 1, "{}", step.said);
    fs::write(world.path("home/pulls"), format!("8 {same}\n9 {slower}\n")).expect("written");
    report(&world, "report", &job, &slower, true);
    let told = comment(&world);
    assert!(told.starts_with("<!-- tachograph -->\n### Tachograph: slower"), "{told}");
    assert!(told.contains("https://forge.example/us/it/actions/runs/5") && told.contains("+3.0"), "{told}");
    let log = asked(&world);
    edits_its_one_comment(&log);
    assert!(log.contains("state=failure") && log.contains(&format!("statuses/{slower}")), "{log}");

    // A re-run of it is another measurement, judged together with the first.
    let before = count(&ledger(&world), "duels/");
    let (again, _) = measure(&world, "again", &slower, 1, 1);
    report(&world, "report-again", &again, &slower, true);
    assert_eq!(count(&ledger(&world), "duels/"), before + 1);
    edits_its_one_comment(&asked(&world));

    accepted(&world, &again, &slower);
    of_a_fork(&world, &slower);
    queued_and_rewritten(&world, &slower, &main);
}

/// Accepted in the change itself, which the project's rules allow: green, with the entry shown, in the job and the comment.
fn accepted(world: &World, measured: &Job<'_>, slower: &str) {
    world.git(&["checkout", "--quiet", "slower"]);
    let folder = measured.folder();
    let bundle = measured.bundle().display().to_string();
    let args = ["report", "--bundle", &bundle, "--commit", slower, "--format", "json"];
    let told: serde_json::Value = serde_json::from_str(&world.ended_in(folder, 1, &args).out).expect("JSON");
    assert_eq!(told["reports"][0]["findings"].as_array().map(Vec::len), Some(1));
    let shown = fs::read_to_string(world.path("home/comment.md")).expect("a comment");
    let row = shown.lines().find(|line| line.contains("**regressed**")).expect("a row");
    let finding = row.rsplit('`').nth(1).expect("a name").to_owned();
    world.ended_in(folder, 0, &["accept", &finding, "--reason", "checks its input now"]);
    fs::copy(folder.join("tachograph.accept.toml"), world.root().join("tachograph.accept.toml")).expect("copied");
    let head = world.commit("slower, and accepted");
    push_change(world, &head, 9);
    world.git(&["checkout", "--quiet", "main"]);
    let (job, step) = measure(world, "accepted", &head, 1, 0);
    assert!(step.said.contains("accepted: time of a, +3"), "{}", step.said);
    assert!(job.file("summary.md").contains("checks its input now"), "{}", job.file("summary.md"));
    fs::write(world.path("home/pulls"), format!("9 {head}\n")).expect("written");
    report(world, "report-accepted", &job, &head, true);
    let told = comment(world);
    assert!(told.contains("### Tachograph: nothing got worse") && told.contains("**accepted**"), "{told}");
    assert!(asked(world).contains("state=success"));

    // The same of a fork's: its word counts for nothing.
    let (job, _) = measure(world, "accepted-fork", &head, 2, 1);
    let step = report(world, "report-accepted-fork", &job, &head, false);
    let told = comment(world);
    assert!(told.contains("### Tachograph: slower") && asked(world).contains("state=failure"), "{told}{}", step.said);
}

/// From a fork: red again, judged anew, and the ledger learns nothing of it.
fn of_a_fork(world: &World, slower: &str) {
    push_change(world, slower, 9);
    fs::write(world.path("home/pulls"), format!("9 {slower}\n")).expect("written");
    let before = ledger(world);
    let (fork, step) = measure(world, "fork", slower, 2, 1);
    assert!(step.said.contains("from a fork"), "{}", step.said);
    report(world, "report-fork", &fork, slower, false);
    assert!(asked(world).contains("state=failure"));
    assert_eq!(ledger(world), before);
    // Documentation alone.
    world.git(&["checkout", "--quiet", "-b", "words", "main"]);
    world.write("README.md", "# Words");
    let words = world.commit("words");
    push_change(world, &words, 9);
    world.git(&["checkout", "--quiet", "main"]);
    let (job, _) = measure(world, "words", &words, 1, 0);
    fs::write(world.path("home/pulls"), format!("9 {words}\n")).expect("written");
    report(world, "report-words", &job, &words, true);
    assert!(comment(world).contains("### Tachograph: nothing got worse"), "{}", comment(world));
    fs::write(world.path("home/pulls"), format!("9 {slower}\n")).expect("written");
    asked(world);
    // A commit that is no longer the head of anything.
    let step = report(world, "report-stale", &fork, &words, true);
    assert!(step.said.contains("nothing to report"), "{}", step.said);
    assert!(!asked(world).contains("comments"));
}

/// The merge queue is compared with what it says; and when the main branch is rewritten, what was measured of the old
/// commits is still there.
fn queued_and_rewritten(world: &World, slower: &str, main: &str) {
    let told = format!(r#"{{"repository":{{"id":1}},"merge_group":{{"head_sha":"{slower}","base_sha":"{main}"}}}}"#);
    push_change(world, slower, 7);
    let queue = Job::new(world, "queue", slower, "merge_group", &told);
    let step = queue.action("tachograph", &[BINARY], &[]);
    assert_eq!(step.code, 1, "{}", step.said);
    assert!(step.said.contains("merge queue") && step.said.contains("as GitHub Actions says"), "{}", step.said);

    // A re-run of the main branch's own workflow is another run.
    let before = count(&ledger(world), "runs/");
    push(world, "push-again", main, 0);
    assert_eq!(count(&ledger(world), "runs/"), before + 1);

    world.write("costs.json", r#"{"a": 700001, "b": 750000}"#);
    world.commit("one");
    world.write("costs.json", r#"{"a": 700002, "b": 750000}"#);
    world.write("worker.py", &format!("{}# two\n", include_str!("../../fixtures/clocked.py")));
    world.commit("two");
    world.git(&["reset", "--quiet", "--soft", main]);
    world.git(&["commit", "--quiet", "--message", "squashed"]);
    world.git(&["commit", "--quiet", "--amend", "--message", "squashed, and rewritten"]);
    world.git(&["push", "--quiet", "--force", "origin", "main"]);
    let head = world.git(&["rev-parse", "HEAD"]);
    push(world, "squashed", &head, 0);
    let reader = Job::new(world, "reader", &head, "push", "{}");
    world.ended_in(reader.folder(), 0, &["pull"]);
    let runs = world.ended_in(reader.folder(), 0, &["runs"]).out;
    assert_eq!((runs.matches(&main[..10]).count(), runs.matches(&head[..10]).count()), (2, 1), "{runs}");
    assert_eq!(count(&ledger(world), "duels/"), 6, "five of pull requests, one of a push: {:?}", ledger(world));
}

#[test]
fn a_shallow_clone_is_refused_with_what_mends_it_and_never_compared_with_a_wrong_base() {
    let world = super::project(COSTS);
    let head = super::propose(&world, "slower", SLOWER);
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
