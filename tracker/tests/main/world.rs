//! The door by which these tests enter: a folder of its own with a sealed git, and the program itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
}
