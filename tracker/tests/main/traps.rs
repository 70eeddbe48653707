//! A repository that has git run what it says: hooks, filters, a monitor, an editor, a command for ssh. Each leaves a file
//! where it was run.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::world::World;

const HOOKS: [&str; 5] = ["post-checkout", "post-index-change", "pre-commit", "post-commit", "reference-transaction"];

/// A repository with traps, of which none was sprung yet.
pub(crate) struct Traps<'a> {
    world: &'a World,
    folder: PathBuf,
}

impl Traps<'_> {
    /// Sets them, for files with the filter `evil`.
    pub(crate) fn set(world: &World) -> Traps<'_> {
        let folder = world.path("sprung");
        fs::create_dir_all(&folder).expect("a folder");
        let touch = |name: &str| format!("touch {}", folder.join(name).display());
        for hook in HOOKS {
            let path = world.root().join(".git/hooks").join(hook);
            fs::create_dir_all(path.parent().expect("a folder")).expect("the hooks folder");
            fs::write(&path, format!("#!/bin/sh\n{}\n", touch(hook))).expect("a hook");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        }
        let settings = [
            ("core", "fsmonitor"),
            ("core", "sshCommand"),
            ("core", "editor"),
            ("filter \"evil\"", "smudge"),
            ("filter \"evil\"", "clean"),
            ("filter \"evil\"", "process"),
        ];
        let settings = settings.map(|(section, key)| format!("[{section}]\n\t{key} = {}\n", touch(key))).concat();
        let config = world.root().join(".git/config");
        let before = fs::read_to_string(&config).expect("a configuration");
        fs::write(&config, format!("{before}\n{settings}[filter \"evil\"]\n\trequired = true\n")).expect("written");
        Traps { world, folder }
    }

    fn sprung(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(&self.folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
    }

    /// None was sprung; and they were no dummies, for git itself springs them all.
    pub(crate) fn held_and_plain_git_springs_them(self) {
        assert_eq!(self.sprung(), BTreeSet::new(), "something of the repository was run");
        self.world.write("new.txt", "for git");
        self.git("add --all");
        // As long as there is a process for it, the other two are not asked.
        self.git("config --unset filter.evil.process");
        self.git("add --all");
        self.git("commit --allow-empty --message one");
        self.git("commit --allow-empty --amend");
        fs::remove_file(self.world.root().join("new.txt")).expect("removed");
        self.git("checkout -- new.txt");
        self.git("checkout -b other");
        self.git("fetch ssh://nobody.invalid/nothing");
        let wanted = HOOKS.into_iter().chain(["fsmonitor", "sshCommand", "editor", "smudge", "clean", "process"]);
        assert_eq!(self.sprung(), wanted.map(str::to_owned).collect());
    }

    /// Git with the repository's own settings, however it ends.
    fn git(&self, words: &str) {
        let mut git = Command::new("git");
        git.args(words.split(' ')).current_dir(self.world.root()).env_clear().stdin(Stdio::null());
        git.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.world.path("home"));
        for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
            git.env(name, "somebody");
        }
        git.env("GIT_CONFIG_NOSYSTEM", "1").output().expect("git runs");
    }
}
