//! Hosts that are not GitHub: what stands in the README and what `init` writes for GitLab, run with the variables that
//! those hosts set.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::yaml::parse;
use super::{project, propose};
use crate::world::World;

/// A job's folder with a checkout, as such hosts make it.
fn checkout(world: &World, name: &str, commit: &str) -> std::path::PathBuf {
    let folder = world.path(name);
    let remote = format!("file://{}", world.path("remote.git").display());
    world.git_in(&world.root(), &["clone", "--quiet", &remote, folder.to_str().expect("UTF-8")]);
    world.git_in(&folder, &["checkout", "--quiet", "--detach", commit]);
    folder
}

/// Runs a script there; what it said, and how it ended.
fn run(world: &World, folder: &Path, script: &str, variables: &[(&str, &str)]) -> (i32, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_tachograph")).parent().expect("a folder").to_owned();
    let output = Command::new("bash")
        .args(["-eo", "pipefail", "-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:{}", program.display(), std::env::var("PATH").expect("a path")))
        .env("HOME", world.path("home"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("TACHOGRAPH_CACHE", world.path("cache"))
        .envs(variables.iter().copied())
        .output()
        .expect("bash runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_recipe_for_any_host_is_what_the_readme_says() {
    let readme = fs::read_to_string(super::top().join("README.md")).expect("a README");
    let (_, behind) = readme.split_once("<!-- anywhere:").expect("the recipe");
    let script = behind.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a script");
    let world = project(r#"{"a": 700000}"#);
    for (branch, cost, code) in [("same", 700_001, 0), ("slower", 770_000, 1)] {
        let head = propose(&world, branch, &format!("{{\"a\": {cost}}}"));
        let folder = checkout(&world, &format!("jenkins-{branch}"), &head);
        let variables = [("CI", "true"), ("BUILD_URL", "https://ci.example/job/5/"), ("CHANGE_TARGET", "main")];
        let (ended, said) = run(&world, &folder, script, &variables);
        assert_eq!(ended, code, "{said}");
        let junit = fs::read_to_string(folder.join("tachograph.xml")).expect("JUnit");
        assert!(junit.contains(&format!("failures=\"{code}\"")), "{junit}");
    }
}

/// A project whose workers look into git's settings of the jobs that measure it, and write down what they see; a hook of
/// its remote does so with those of the job that shares.
fn curious() -> World {
    let world = project(r#"{"a": 700000}"#);
    let look = format!(
        "import pathlib\nhere = pathlib.Path({:?})\nwith open(here / 'seen', 'a') as seen:\n    \
         for job in here.glob('*/.git/config'):\n        seen.write(job.read_text())\n",
        world.path("").display().to_string()
    );
    world.write("worker.py", &(look + include_str!("../../fixtures/clocked.py")));
    world.commit("curious");
    world.git(&["push", "--quiet", "origin", "main"]);
    let hook = format!("cat '{0}'/*/.git/config >>'{0}/seen'", world.path("").display());
    crate::sharing::hook(&world, "pre-receive", &hook);
    world
}

/// What was seen in git's settings since the last time.
fn seen(world: &World) -> String {
    let seen = fs::read_to_string(world.path("seen")).expect("something was seen");
    fs::remove_file(world.path("seen")).expect("removed");
    seen
}

/// As older runners leave a checkout: with the job's token in the address.
fn with_token(world: &World, folder: &Path) {
    let with_token = "https://gitlab-ci-token:canary@gitlab.example/remote.git";
    let remote = format!("file://{}", world.path("remote.git").display());
    world.git_in(folder, &["config", "--global", &format!("url.{remote}.insteadOf"), with_token]);
    world.git_in(folder, &["remote", "set-url", "origin", with_token]);
}

#[test]
fn the_jobs_for_gitlab_measure_report_and_share() {
    let world = curious();
    let written = World::new();
    written.write("go.mod", "module example.invalid/x\n");
    written.write("x_test.go", "package x\n\nfunc BenchmarkX(b *testing.B) {}\n");
    written.write(".gitlab-ci.yml", "include: []\n");
    written.commit("a project on GitLab");
    let told = written.ended(0, &["init"]).out;
    assert!(
        told.contains("wrote .gitlab/tachograph.yml") && told.contains("git add .gitlab tachograph.toml"),
        "{told}"
    );
    assert!(!written.root().join(".github").exists());
    let jobs = parse(&fs::read_to_string(written.root().join(".gitlab/tachograph.yml")).expect("written"));
    let script = |job: &str| {
        let job = jobs.get(job).expect("a job");
        let prepared = jobs.get(".tachograph").and_then(|all| all.get("before_script")).expect("lines").list();
        let lines = prepared.iter().chain(job.get("script").expect("lines").list());
        lines.flat_map(|line| [super::yaml_text(line), "\n"]).collect::<String>()
    };
    let base = world.git(&["rev-parse", "main"]);
    let head = propose(&world, "slower", r#"{"a": 770000}"#);
    let folder = checkout(&world, "merge-request", &head);
    with_token(&world, &folder);
    let place = folder.display().to_string();
    let server = format!("file://{}", world.path("").display().to_string().trim_end_matches('/'));
    let common = [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_JOB_TOKEN", "canary"),
        ("CI_SERVER_URL", server.as_str()),
        ("CI_PROJECT_PATH", "remote"),
    ];
    let of = |more: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        common.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    let request = of(&[
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_COMMIT_SHA", &head),
        ("CI_PROJECT_DIR", &place),
        ("CI_MERGE_REQUEST_IID", "4"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base),
        ("CI_MERGE_REQUEST_PROJECT_ID", "1"),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "1"),
    ]);
    let go = |folder: &Path, job: &str, variables: &[(&'static str, String)]| {
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        run(&world, folder, &script(job), &variables)
    };
    let (code, said) = go(&folder, "tachograph", &request);
    assert_eq!(code, 1, "{said}");
    let settings = seen(&world);
    assert!(settings.contains("[remote \"origin\"]") && !settings.contains("canary"), "{settings}");
    assert!(!said.contains("without the shared history"), "it was read while the token was there: {said}");
    let file = |name: &str| fs::read_to_string(folder.join("tachograph").join(name)).expect("written");
    assert!(file("junit").contains("failures=\"1\""), "{}", file("junit"));
    assert!(
        file("openmetrics").contains("tachograph_head_level{suite=\"clocked\",benchmark=\"a\""),
        "{}",
        file("openmetrics")
    );
    let quality: serde_json::Value = serde_json::from_str(&file("code-quality")).expect("JSON");
    assert_eq!((&quality[0]["check_name"], quality.as_array().map(Vec::len)), (&"regressed".into(), Some(1)));

    // The main branch, and the job that shares.
    let folder = checkout(&world, "main-branch", &base);
    let place = folder.display().to_string();
    let push = of(&[
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_SHA", &base),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_PROJECT_DIR", &place),
        ("TACHOGRAPH_TOKEN", "canary"),
    ]);
    let (code, said) = go(&folder, "tachograph", &push);
    assert_eq!(code, 0, "{said}");
    let (code, said) = go(&folder, "tachograph-record", &push);
    assert_eq!(code, 0, "{said}");
    let settings = seen(&world);
    assert!(settings.contains("[remote \"ledger\"]") && !settings.contains("canary"), "{settings}");
    let refs = world.git_in(&world.path("remote.git"), &["ls-tree", "-r", "--name-only", "refs/tachograph/ledger"]);
    assert!(refs.lines().filter(|line| line.starts_with("runs/")).count() == 1, "{refs}");
    assert!(!fs::read_to_string(folder.join(".git/config")).expect("a config").contains("ledger"));
}

#[test]
fn a_base_named_by_hand_may_be_any_revision_and_one_that_is_not_there_is_refused() {
    let world = project(r#"{"a": 700000}"#);
    let head = propose(&world, "named", r#"{"a": 700001}"#);
    let folder = checkout(&world, "elsewhere", &head);
    let named = |base| run(&world, &folder, "tachograph ci", &[("CI", "true"), ("TACHOGRAPH_BASE", base)]);
    let (ended, said) = named("origin/main");
    assert!(ended == 0 && said.contains("as TACHOGRAPH_BASE says"), "{said}");
    let (ended, said) = named("v9.9");
    assert_eq!(ended, 2, "as --base v9.9: {said}");
    for word in ["TACHOGRAPH_BASE", "\"v9.9\" names no commit here", "git branch --all", "git fetch --unshallow"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}
