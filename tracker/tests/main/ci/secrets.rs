use std::path::{Path, PathBuf};

use super::{Job, project, propose, pull_request, push_change};
use crate::world::World;

/// What hosts put into a job's environment, and people beside it.
const SECRETS: [&str; 24] = [
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_CACHE_URL",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CARGO_REGISTRY_TOKEN",
    "NPM_TOKEN",
    "NODE_AUTH_TOKEN",
    "TWINE_PASSWORD",
    "DOCKER_AUTH_CONFIG",
    "CI_JOB_TOKEN",
    "CI_REGISTRY_PASSWORD",
    "CI_REPOSITORY_URL",
    "GITLAB_TOKEN",
    "SSH_AUTH_SOCK",
    "SSH_PRIVATE_KEY",
    "DATABASE_URL",
    "INPUT_TOKEN",
    "GITHUB_ENV_SECRET",
    "TACHOGRAPH_TOKEN",
];
const BINARY: (&str, &str) = ("binary", env!("CARGO_BIN_EXE_tachograph"));

fn with_secrets(job: Job<'_>) -> Job<'_> {
    SECRETS.into_iter().fold(job, |job, name| job.with(name, &format!("canary-{name}")))
}

/// Every file below a folder, git's objects left out, which are looked at unpacked.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).into_iter().flatten().map(|entry| entry.expect("an entry")) {
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() && entry.file_name() != "objects" {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// A suite that tells everything it can see, in what it says last.
fn tells_all() -> World {
    let world = project(r#"{"a": 700000}"#);
    let worker = include_str!("../../fixtures/clocked.py").replace(
        "sys.stderr.write(\"out of luck\")",
        "sys.stderr.write(\" \".join(f\"{k}={v}\" for k, v in os.environ.items()))",
    );
    world.write("worker.py", &worker);
    world.commit("tells all");
    world.git(&["push", "--quiet", "origin", "main"]);
    world
}

#[test]
fn no_secret_of_a_job_reaches_a_worker_the_store_a_bundle_the_summary_the_comment_the_ledger_or_the_site() {
    let world = tells_all();
    let head = propose(&world, "crash", r#"{"a": "crash"}"#);
    push_change(&world, &head, 9);
    let job = with_secrets(Job::new(&world, "job", &head, "pull_request", &pull_request(&world, &head, 1)));
    // As a checkout does that keeps its token for later steps.
    let header = "AUTHORIZATION: basic canary-of-git-config";
    world.git_in(job.folder(), &["config", "http.https://forge.example/.extraheader", header]);
    let measured = job.action("tachograph", &[BINARY], &[]);
    assert_eq!(measured.code, 1, "{}", measured.said);
    std::fs::write(world.path("home/pulls"), format!("9 {head}\n")).expect("written");
    let main = world.git(&["rev-parse", "main"]);
    let reporter = with_secrets(Job::new(&world, "reporter", &main, "workflow_run", "{}"))
        .with("TACHOGRAPH_COMMIT", &head)
        .with("TACHOGRAPH_OWNER", "them")
        .with("TACHOGRAPH_BRANCH", "crash")
        .with("TACHOGRAPH_TRUSTED", "true");
    let reported = reporter.step("report.sh", &[job.bundles().to_str().expect("UTF-8")]);
    assert_eq!(reported.code, 0, "{}", reported.said);

    // A push, whose run crashes too, and the job that shares it and draws the site.
    world.git(&["merge", "--quiet", "--ff-only", "crash"]);
    world.git(&["push", "--quiet", "origin", "main"]);
    let _ = std::fs::remove_dir_all(world.path("artifacts"));
    let pushed = with_secrets(Job::new(&world, "push", &head, "push", "{}"));
    let pushed = pushed.action("tachograph", &[("record", "true"), BINARY], &[]);
    assert_eq!(pushed.code, 1, "its benchmark crashes: {}", pushed.said);
    let recorder = with_secrets(Job::new(&world, "record", &head, "push", "{}"));
    let context = [("github.token", "canary-of-the-job"), ("github.sha", head.as_str())];
    let recorded = recorder.action("tachograph/record", &[("site", "site"), BINARY], &context);
    assert_eq!(recorded.code, 0, "{}", recorded.said);
    assert!(recorder.folder().join("site/index.html").is_file());
    assert!(world.path("home/comment.md").is_file());

    for said in [measured.said, reported.said, pushed.said, recorded.said] {
        assert!(!said.contains("canary-"), "{said}");
    }
    let mut told = false;
    for file in files(&world.path("")) {
        let bytes = std::fs::read(&file).expect("read");
        told |= holds(&bytes, "PATH=/") && file.ends_with("store.db");
        assert!(file.ends_with("job/.git/config") || !holds(&bytes, "canary-"), "{}", file.display());
    }
    let all = std::process::Command::new("git")
        .args(["cat-file", "--batch-all-objects", "--batch", "--buffer"])
        .current_dir(world.path("remote.git"))
        .output()
        .expect("git runs")
        .stdout;
    assert!(holds(&all, "PATH=/") && !holds(&all, "canary-"), "the ledger");
    assert!(told, "the suite told what it saw");
}
