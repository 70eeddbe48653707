//! The life of a project on a CI host: the steps of the action, run with the variables that the host sets, on a local
//! remote; the forge's own program is a script that writes down what it is asked for.

mod codes;
mod elsewhere;
mod hostile;
mod initial;
mod installing;
mod life;
mod runner;
mod secrets;
mod shards;
mod workflows;
mod yaml;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::World;

/// What a forge is asked for, and what it answers.
const GH: &str = r#"#!/bin/sh
echo "$*" >>"$HOME/gh.log"
for word in "$@"; do case $word in body=@*) cp "${word#body=@}" "$HOME/comment.md" ;; esac; done
case "$*" in
*"/pulls "*) cat "$HOME/pulls" ;;
*--paginate*) cat "$HOME/comments" 2>/dev/null || true ;;
*"--method POST"*/comments*) echo 77 >"$HOME/comments" ;;
esac
"#;

/// A job: a checkout, and what the runner gives it.
pub(super) struct Job<'a> {
    world: &'a World,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

/// What became of a step.
pub(super) struct Step {
    pub(super) code: i32,
    pub(super) said: String,
}

fn yaml_text(value: &yaml::Yaml) -> &str {
    match value {
        yaml::Yaml::Text(text) => text,
        other => panic!("no text: {other:?}"),
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the top folder").to_owned()
}

impl<'a> Job<'a> {
    /// A fresh checkout of a commit, with all of history, as the runner of a GitHub job prepares it.
    pub(super) fn new(world: &'a World, name: &str, commit: &str, event: &str, told: &str) -> Job<'a> {
        let folder = world.path(name);
        let remote = format!("file://{}", world.path("remote.git").display());
        world.git_in(&world.root(), &["clone", "--quiet", "--no-checkout", &remote, folder.to_str().expect("UTF-8")]);
        world.git_in(
            &folder,
            &["fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", "+refs/pull/*:refs/pull/*"],
        );
        world.git_in(&folder, &["checkout", "--quiet", "--detach", commit]);
        let temp = world.path(&format!("{name}-temp"));
        let bin = world.path("bin");
        for needed in [&temp, &bin] {
            fs::create_dir_all(needed).expect("a folder");
        }
        fs::write(temp.join("event.json"), told).expect("written");
        let gh = bin.join("gh");
        if !gh.exists() {
            use std::os::unix::fs::PermissionsExt as _;
            fs::write(&gh, GH).expect("written");
            fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).expect("executable");
        }
        let file = |file: &str| temp.join(file).display().to_string();
        let variables = [
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_EVENT_NAME", event.to_owned()),
            ("GITHUB_EVENT_PATH", file("event.json")),
            ("GITHUB_STEP_SUMMARY", file("summary.md")),
            ("GITHUB_OUTPUT", file("outputs")),
            ("GITHUB_PATH", file("path")),
            ("GITHUB_SHA", commit.to_owned()),
            ("GITHUB_REPOSITORY", "us/it".to_owned()),
            ("GITHUB_SERVER_URL", "https://forge.example".to_owned()),
            ("GITHUB_RUN_ID", "5".to_owned()),
            ("RUNNER_TEMP", temp.display().to_string()),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Job { world, folder, variables }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Job<'a> {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a script of the action.
    pub(super) fn step(&self, script: &str, arguments: &[&str]) -> Step {
        let folder = top().join(".github/actions/tachograph");
        let command = format!("bash \"$GITHUB_ACTION_PATH/{script}\" \"$@\"");
        self.bash(&["-c", &command, "step"], arguments, &folder, &[])
    }

    /// Runs what stands in a step as the runner does.
    fn run(&self, command: &str, action: &Path, variables: &[(String, String)]) -> Step {
        self.bash(&["--noprofile", "--norc", "-eo", "pipefail", "-c", command], &[], action, variables)
    }

    fn variable(&self, name: &str) -> String {
        self.variables.iter().find(|(known, _)| known == name).expect("a variable").1.clone()
    }

    fn bash(&self, how: &[&str], arguments: &[&str], action: &Path, variables: &[(String, String)]) -> Step {
        let program = Path::new(env!("CARGO_BIN_EXE_tachograph")).parent().expect("a folder").to_owned();
        let path = std::env::var("PATH").expect("a path");
        let path = format!("{}:{}:{path}", self.world.path("bin").display(), program.display());
        let output = Command::new("bash")
            .args(how)
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.world.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("TACHOGRAPH_CACHE", self.world.path("cache"))
            .env("GITHUB_ACTION_PATH", action)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("bash runs");
        let said = [output.stdout, output.stderr].concat();
        Step { code: output.status.code().unwrap_or(-1), said: String::from_utf8_lossy(&said).into_owned() }
    }

    /// Runs the measuring step, which must end so.
    pub(super) fn measure(&self, code: i32) -> Step {
        let step = self.step("measure.sh", &[]);
        assert_eq!(step.code, code, "{}", step.said);
        step
    }

    /// A file of the runner's.
    pub(super) fn file(&self, name: &str) -> String {
        fs::read_to_string(Path::new(&self.variable("RUNNER_TEMP")).join(name)).unwrap_or_default()
    }

    /// The folder of what is handed on, and the gate's file in it.
    pub(super) fn bundles(&self) -> PathBuf {
        Path::new(&self.variable("RUNNER_TEMP")).join("tachograph")
    }

    pub(super) fn bundle(&self) -> PathBuf {
        self.bundles().join("gate.bundle")
    }
}

/// A project with a suite whose costs stand in a file, a remote, and one commit on the main branch.
pub(super) fn project(costs: &str) -> World {
    let world = World::new().with_remote();
    world.write("worker.py", include_str!("../../fixtures/clocked.py"));
    world.write("costs.json", costs);
    world.commit("the suite");
    world.write(
        "tachograph.toml",
        "[suite.clocked]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"5m\"\n[[policy]]\nwiden = false\n",
    );
    world.write(".gitignore", ".tachograph/\n");
    world.commit("measure it");
    world.git(&["push", "--quiet", "origin", "main"]);
    world
}

/// Pushes a branch with such costs, and returns its commit.
pub(super) fn propose(world: &World, branch: &str, costs: &str) -> String {
    world.git(&["checkout", "--quiet", "-b", branch, "main"]);
    world.write("costs.json", costs);
    let head = world.commit(branch);
    world.git(&["push", "--quiet", "origin", branch]);
    world.git(&["checkout", "--quiet", "main"]);
    head
}

/// The same as the change 9 that a forge knows it by, with another program, so that its duels teach how builds differ.
pub(super) fn change(world: &World, branch: &str, costs: &str) -> String {
    world.git(&["checkout", "--quiet", "-b", branch, "main"]);
    world.write("worker.py", &format!("{}# {branch}\n", include_str!("../../fixtures/clocked.py")));
    world.write("costs.json", costs);
    let head = world.commit(branch);
    push_change(world, &head, 9);
    world.git(&["checkout", "--quiet", "main"]);
    head
}

/// Makes a commit the head of a pull request.
pub(super) fn push_change(world: &World, head: &str, number: u32) {
    world.git(&["push", "--quiet", "--force", "origin", &format!("{head}:refs/pull/{number}/head")]);
}

/// The event of a pull request.
pub(super) fn pull_request(world: &World, head: &str, repository: u32) -> String {
    let base = world.git(&["rev-parse", "origin/main"]);
    serde_json::json!({
        "repository": {"id": 1},
        "pull_request": {
            "number": 9, "title": "](x) `$(evil)`",
            "head": {"sha": head, "repo": {"id": repository}}, "base": {"sha": base, "repo": {"id": 1}},
        },
    })
    .to_string()
}
