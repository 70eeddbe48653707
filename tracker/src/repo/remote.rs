//! Talking to a remote, by the user's own git: it has the credentials, the proxies and the settings that libgit2 does not
//! know. No shell stands in between, no hook or monitor of the repository runs, and nothing is ever forced.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{RepoError, Repository};

/// How much of what git says is kept.
const MOST_SAID_BYTES: u64 = 64 << 10;

/// How often a running git is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Settings of the repository that would run its own programs, or do more than was asked for.
const SETTINGS: [&str; 7] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "push.followTags=false",
    "protocol.ext.allow=never",
    "advice.pushNonFFCurrent=false",
];

/// Variables that would lead git to another repository than the one that was meant.
const MISLEADING: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_COMMON_DIR",
];

/// Why a remote did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Somebody else was faster, or a hook of the remote says no this time.
    #[error("the remote {remote} rejected the push: {said}")]
    Rejected {
        /// Which remote.
        remote: String,
        /// What it said.
        said: String,
    },
    /// These credentials may not do that.
    #[error("the remote {remote} does not allow this: {said}")]
    Denied {
        /// Which remote.
        remote: String,
        /// What it said.
        said: String,
    },
    /// It cannot be reached, or is none.
    #[error("the remote {remote} cannot be reached: {said}")]
    Unreachable {
        /// Which remote.
        remote: String,
        /// What git said.
        said: String,
    },
    /// It did not answer in time.
    #[error("the remote {remote} did not answer within {waited_s} s")]
    Late {
        /// Which remote.
        remote: String,
        /// How long we waited.
        waited_s: u64,
    },
    /// There is no git to talk through.
    #[error("git does not start: {0}")]
    NoGit(String),
}

impl RemoteError {
    /// Whether the same may succeed a moment later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        !matches!(self, RemoteError::Denied { .. } | RemoteError::NoGit(_))
    }
}

/// A remote of a repository.
#[derive(Debug, Clone)]
pub struct Remote<'a> {
    pub(super) root: &'a Path,
    pub(super) name: String,
}

impl Repository {
    /// The remote of that name; else `origin`; else the only one.
    pub fn remote(&self, named: Option<&str>) -> Result<Remote<'_>, RepoError> {
        let names = self.git.remotes().map_err(super::git("listing the remotes"))?;
        let names: Vec<&str> = names.iter().flatten().flatten().collect();
        let chosen = match (named, &names[..]) {
            (Some(name), _) => names.iter().find(|known| **known == name),
            (None, [only]) => Some(only),
            (None, _) => names.iter().find(|known| **known == "origin"),
        };
        match chosen {
            // What git would take for an option is no name that it gives a remote.
            Some(name) if !name.starts_with('-') => Ok(Remote { root: self.root(), name: (*name).to_owned() }),
            _ => Err(RepoError::NoRemote { named: named.map(str::to_owned), known: names.join(", ") }),
        }
    }
}

impl Remote<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Fetches refs, each given as a refspec; forgets what the remote no longer has. A filter that a partial clone is
    /// made with does not hold, for the content is what is wanted.
    pub fn fetch(&self, refspecs: &[String], patience: Duration) -> Result<(), RemoteError> {
        let mut arguments = vec![
            "fetch",
            "--quiet",
            "--prune",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-filter",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--",
            &self.name,
        ];
        arguments.extend(refspecs.iter().map(String::as_str));
        self.talk(&arguments, patience)
    }

    /// Pushes refs, each given as a refspec, all or none; never by force.
    pub fn push(&self, refspecs: &[String], patience: Duration) -> Result<(), RemoteError> {
        let mut arguments =
            vec!["push", "--quiet", "--porcelain", "--no-verify", "--recurse-submodules=no", "--", &self.name];
        arguments.extend(refspecs.iter().map(String::as_str));
        self.talk(&arguments, patience)
    }

    fn talk(&self, arguments: &[&str], patience: Duration) -> Result<(), RemoteError> {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.root);
        for setting in SETTINGS {
            git.args(["-c", setting]);
        }
        for name in MISLEADING {
            git.env_remove(name);
        }
        git.args(arguments).env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").process_group(0);
        git.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = git.spawn().map_err(|error| RemoteError::NoGit(error.to_string()))?;
        let (out, err) = (listen(child.stdout.take()), listen(child.stderr.take()));
        let Some(status) = wait(&mut child, patience).map_err(|error| RemoteError::NoGit(error.to_string()))? else {
            return Err(RemoteError::Late { remote: self.name.clone(), waited_s: patience.as_secs() });
        };
        let [out, err] = [out, err].map(|heard| heard.join().unwrap_or_default());
        if status.success() { Ok(()) } else { Err(self.understand(&out, &err)) }
    }

    fn understand(&self, out: &str, err: &str) -> RemoteError {
        let remote = self.name.clone();
        if let Some(line) = out.lines().find(|line| line.starts_with('!')) {
            let said = line.rsplit('\t').next().unwrap_or(line).to_owned();
            return RemoteError::Rejected { remote, said };
        }
        let said = without_credentials(&last_words(err));
        let lower = err.to_lowercase();
        let denied = [
            "denied",
            "returned error: 403",
            "returned error: 401",
            "authentication failed",
            "could not read username",
            "could not read password",
            "read-only",
            "not allowed",
            "not authorized",
            "terminal prompts disabled",
        ];
        if denied.iter().any(|sign| lower.contains(sign)) {
            return RemoteError::Denied { remote, said };
        }
        // Two of our own in one clone.
        if lower.contains("cannot lock ref") || lower.contains("unable to update local ref") {
            return RemoteError::Rejected { remote, said };
        }
        RemoteError::Unreachable { remote, said }
    }
}

/// What git says that matters: its errors, in one line.
fn last_words(err: &str) -> String {
    let telling: Vec<&str> = err
        .lines()
        .filter(|line| line.starts_with("fatal:") || line.starts_with("error:") || line.starts_with("remote:"))
        .collect();
    let lines = if telling.is_empty() { err.lines().rev().take(2).collect() } else { telling };
    lines.join("; ").chars().filter(|sign| !sign.is_control()).take(500).collect()
}

/// An address as git prints it may hold a name and a password: `https://name:secret@host`.
fn without_credentials(said: &str) -> String {
    let mut clean = String::with_capacity(said.len());
    let mut rest = said;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean += before;
        let end = after.find(|sign: char| sign == '/' || sign.is_whitespace() || sign == '\'').unwrap_or(after.len());
        let (host, behind) = after.split_at(end);
        clean += host.rsplit('@').next().unwrap_or(host);
        rest = behind;
    }
    clean + rest
}

fn listen(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut heard = Vec::new();
        if let Some(mut pipe) = pipe {
            // What is beyond the bound is drained, so that git is not kept waiting.
            let _ = pipe.by_ref().take(MOST_SAID_BYTES).read_to_end(&mut heard);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        String::from_utf8_lossy(&heard).into_owned()
    })
}

/// Waits for the end; none if it does not come in time, and then git is ended with all that it started.
fn wait(child: &mut Child, patience: Duration) -> std::io::Result<Option<ExitStatus>> {
    let until = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            if let Some(group) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
                // It may be gone by now, and then there is nothing to end.
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote() -> Remote<'static> {
        Remote { root: Path::new("/"), name: "origin".to_owned() }
    }

    #[test]
    fn a_refusal_is_told_from_a_race_and_from_silence() {
        let rejected =
            remote().understand("To x\n!\ta:refs/b\t[rejected] (fetch first)\nDone\n", "error: failed to push");
        assert_eq!(rejected.to_string(), "the remote origin rejected the push: [rejected] (fetch first)");
        assert!(rejected.may_pass());
        let denied = remote().understand("", "remote: Permission to a/b.git denied to bot.\nfatal: unable to access 'https://u:p@host/a/b.git/': The requested URL returned error: 403\n");
        assert!(
            matches!(&denied, RemoteError::Denied { said, .. } if !said.contains("u:p") && said.contains("host/a/b.git")),
            "{denied}"
        );
        assert!(!denied.may_pass());
        // A hash may hold any number, also one that a server refuses with.
        let raced = "error: cannot lock ref 'refs/x': is at 47d0d395b7d90d1b5f7f39b340123e98fca20248 but expected 4038";
        assert!(remote().understand("", raced).may_pass());
        let gone = remote().understand("", "fatal: '/nowhere' does not appear to be a git repository\n");
        assert!(matches!(gone, RemoteError::Unreachable { .. }));
    }

    #[test]
    fn an_address_is_told_without_its_credentials() {
        let told = without_credentials("fatal: 'https://name:secret@host/x' and ssh://git@host:22/y");
        assert_eq!(told, "fatal: 'https://host/x' and ssh://host:22/y");
    }
}
