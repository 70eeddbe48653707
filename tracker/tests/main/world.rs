//! The door by which these tests enter: a folder of its own with a sealed git, and the program itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::record::again::tell;

/// A folder that is gone when the test is over, with a repository in it.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// A world with an empty repository.
    pub(crate) fn new() -> World {
        let world = World { folder: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir_all(world.root()).expect("a folder for the repository");
        fs::create_dir_all(world.path("home")).expect("a home folder");
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world
    }

    /// A path beside the repository.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The repository's folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("repo")
    }

    /// Runs git with no one's settings, in the repository, and returns what it prints.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.root(), args)
    }

    /// Runs git in some folder.
    pub(crate) fn git_in(&self, folder: &Path, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A Writer")
            .env("GIT_AUTHOR_EMAIL", "writer@example.invalid")
            .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
            .env("GIT_COMMITTER_NAME", "A Committer")
            .env("GIT_COMMITTER_EMAIL", "committer@example.invalid")
            .env("GIT_COMMITTER_DATE", "2026-02-03T04:05:06Z")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("git speaks UTF-8").trim_end().to_owned()
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, content).expect("the file is written");
    }

    /// Commits everything and returns the commit's hash.
    pub(crate) fn commit(&self, subject: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Puts the example worker into the repository, with a configuration that measures it.
    pub(crate) fn with_python_suite(self) -> World {
        self.write("worker.py", include_str!("../fixtures/worker.py"));
        self.write("tachograph.toml", "[suite.python]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"400ms\"\n");
        self.write(".gitignore", ".tachograph/\n");
        self
    }

    /// A bare repository beside this one that is its remote `origin`, with the branch main.
    pub(crate) fn with_remote(self) -> World {
        let remote = self.path("remote.git");
        fs::create_dir_all(&remote).expect("a folder for the remote");
        self.git_in(&remote, &["init", "--quiet", "--bare", "--initial-branch=main"]);
        self.git(&["remote", "add", "origin", remote.to_str().expect("UTF-8")]);
        self.write("readme", "what this is");
        self.commit("the first");
        self.git(&["push", "--quiet", "origin", "main"]);
        self
    }

    /// Runs the program in some folder to its end and returns what it printed, having checked how it ended.
    pub(crate) fn ended_in(&self, folder: &Path, code: i32, args: &[&str]) -> Printed {
        let output = self.tachograph(args).current_dir(folder).output().expect("the program runs");
        Printed::checked(code, args, &output)
    }

    /// The program, in the repository, with a home and a cache of this world and nothing else in its environment.
    pub(crate) fn tachograph(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tachograph"));
        command
            .args(args)
            .current_dir(self.root())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("TACHOGRAPH_CACHE", self.path("cache"))
            .envs(toolchains());
        command
    }

    /// Runs the program to its end and returns what it printed, having checked how it ended.
    pub(crate) fn ended(&self, code: i32, args: &[&str]) -> Printed {
        let output = self.tachograph(args).output().expect("the program runs");
        Printed::checked(code, args, &output)
    }

    /// Where the store of the repository is.
    pub(crate) fn store(&self) -> PathBuf {
        self.root().join(".tachograph/store.db")
    }

    /// What the `sqlite3` program prints for a query on the store.
    pub(crate) fn sqlite3(&self, query: &str) -> String {
        let output = Command::new("sqlite3").arg("-readonly").arg(self.store()).arg(query).output();
        let output = output.expect("sqlite3 runs");
        assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
    }
}

/// Where Rust's toolchains stand, which are looked for below `HOME` unless this is said.
fn toolchains() -> Vec<(&'static str, PathBuf)> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let place = |(name, usual): (&'static str, &str)| {
        let place = std::env::var_os(name).map_or_else(|| home.join(usual), PathBuf::from);
        place.is_dir().then_some((name, place))
    };
    [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")].into_iter().filter_map(place).collect()
}

/// What the program printed.
pub(crate) struct Printed {
    /// On its standard output: the answer.
    pub(crate) out: String,
    /// On its standard error: everything else.
    pub(crate) err: String,
}

impl Printed {
    fn checked(code: i32, args: &[&str], output: &Output) -> Printed {
        let out = String::from_utf8(output.stdout.clone()).expect("it prints UTF-8");
        let err = String::from_utf8(output.stderr.clone()).expect("it prints UTF-8");
        assert_eq!(output.status.code(), Some(code), "tachograph {args:?}\n--- out\n{out}\n--- err\n{err}");
        Printed { out, err }
    }
}

/// Says what a test could not show here, and why. Where everything is said to be installed, by `TACHOGRAPH_ALL_TOOLS`, it
/// has to be shown.
pub(crate) fn skip(what: &str, why: &str) {
    assert!(std::env::var_os("TACHOGRAPH_ALL_TOOLS").is_none(), "{what}: {why}, and TACHOGRAPH_ALL_TOOLS is set");
    tell(&format!("skipped: {what}, for {why}"));
}

/// How many times the ordinary number of trials to make.
pub(crate) fn soak() -> usize {
    std::env::var("TACHOGRAPH_SOAK").ok().and_then(|times| times.parse().ok()).unwrap_or(1).max(1)
}
