use super::{Job, project, propose, pull_request};

#[test]
fn no_secret_of_the_job_reaches_a_worker_the_store_the_bundle_or_the_summary() {
    let world = project(r#"{"a": 700000}"#);
    // A suite that tells everything it can see, in a name and in what it says last.
    let worker = include_str!("../../fixtures/clocked.py").replace(
        "sys.stderr.write(\"out of luck\")",
        "sys.stderr.write(\" \".join(f\"{k}={v}\" for k, v in os.environ.items()))",
    );
    world.write("worker.py", &worker);
    world.commit("tells all");
    world.git(&["push", "--quiet", "origin", "main"]);
    let head = propose(&world, "crash", r#"{"a": "crash"}"#);
    let mut job = Job::new(&world, "job", &head, "pull_request", &pull_request(&world, &head, 1));
    let secrets = [
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "CARGO_REGISTRY_TOKEN",
        "NPM_TOKEN",
        "CI_JOB_TOKEN",
        "SSH_AUTH_SOCK",
        "INPUT_TOKEN",
        "GITHUB_ENV_SECRET",
    ];
    for name in secrets {
        job = job.with(name, &format!("canary-{name}"));
    }
    let step = job.measure(1);
    let mut places = vec![
        ("the log", step.said.into_bytes()),
        ("the summary", job.file("summary.md").into_bytes()),
        ("the outputs", job.file("outputs").into_bytes()),
        ("the bundle", std::fs::read(job.bundle()).expect("a bundle")),
    ];
    for end in ["", "-wal"] {
        places.push((
            "the store",
            std::fs::read(job.folder().join(format!(".tachograph/store.db{end}"))).unwrap_or_default(),
        ));
    }
    assert!(
        places.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("PATH=")),
        "the suite told what it saw"
    );
    for (place, bytes) in places {
        assert!(!String::from_utf8_lossy(&bytes).contains("canary-"), "{place}");
    }
}
