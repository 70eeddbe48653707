//! All of git: history, worktrees and the ledger. Only this room says `git2`.
//!
//! Nothing of the user's is touched: no index, no branch. Commits are laid out elsewhere, see [`Bench`], and libgit2 runs
//! no hook, filter or monitor on the way. Only sharing runs writes to the `.git` folder: refs under `refs/tachograph/`, and
//! the objects behind them.

mod differences;
mod history;
mod ledger;
mod remote;
mod seed;
mod snapshot;
mod times;
mod versions;
mod worktree;

use std::path::{Path, PathBuf};

pub use history::Requested;
pub use ledger::{Addition, Ledger, Title, Visit, Written};
pub use remote::{Remote, RemoteError};
pub use snapshot::Snapshot;
pub use times::Settled;
pub use versions::{Version, Versions};
pub use worktree::{Absent, Bench, Worktree};

use crate::domain::CommitIdError;
use crate::failure::Failure;

/// What can go wrong with a repository.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// There is none here.
    #[error("no git repository at {} or above it", .0.display())]
    NotFound(PathBuf),
    /// It belongs to somebody else, and git refuses such.
    #[error("the repository at {} belongs to another user", .0.display())]
    NotOurs(PathBuf),
    /// It has no working tree.
    #[error("the repository at {} is bare: it has no working tree, and so no tachograph.toml", .0.display())]
    Bare(PathBuf),
    /// A revision that names nothing.
    #[error("{0:?} names no commit here")]
    NoSuchCommit(String),
    /// A range without commits.
    #[error("the range {0:?} holds no commit")]
    EmptyRange(String),
    /// The tree holds submodules.
    #[error("the commit {commit} has submodules ({names}), which a worktree does not fetch")]
    Submodules {
        /// The commit, shortened.
        commit: String,
        /// Where they stand.
        names: String,
    },
    /// The tree holds files kept by Git LFS.
    #[error("the commit {commit} keeps files in Git LFS ({names}): a worktree has only pointers to them")]
    Lfs {
        /// The commit, shortened.
        commit: String,
        /// The first few of them.
        names: String,
    },
    /// Objects that were never fetched.
    #[error("the repository is a partial clone, and objects of commit {0} are not here")]
    Partial(String),
    /// There is no remote, or none of that name.
    #[error("{}", no_remote(named.as_deref(), known))]
    NoRemote {
        /// The name that was asked for.
        named: Option<String>,
        /// Those that are there.
        known: String,
    },
    /// A remote did not do what it was asked to.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// libgit2 failed.
    #[error("{doing}: {}", source.message())]
    Git {
        /// What was being done.
        doing: &'static str,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// The file system failed.
    #[error("{doing} {}: {source}", path.display())]
    Files {
        /// What was being done.
        doing: &'static str,
        /// To which path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A hash that is no hash of ours.
    #[error(transparent)]
    Id(#[from] CommitIdError),
}

impl RepoError {
    /// What the reader can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            RepoError::NotFound(_) => "run this inside a git repository".to_owned(),
            RepoError::NotOurs(path) => {
                format!("if you trust it: git config --global --add safe.directory {}", path.display())
            }
            RepoError::Bare(_) => "run this in a clone with a working tree".to_owned(),
            RepoError::NoSuchCommit(_) => {
                "name a tag, a hash, or a branch as this clone has it (git branch --all), such as origin/main; in a shallow \
                 clone, fetch more first: git fetch --unshallow"
                    .to_owned()
            }
            RepoError::EmptyRange(_) => "A..B means the commits that B has and A has not; see git log A..B".to_owned(),
            RepoError::Submodules { .. } => {
                "if the benchmarks do without them, say so in tachograph.toml: [build] submodules = \"empty\""
                    .to_owned()
            }
            RepoError::Lfs { .. } => {
                "if the benchmarks do without them, say so in tachograph.toml: [build] lfs = \"pointers\"".to_owned()
            }
            RepoError::Partial(commit) => {
                format!("fetch them first: git -c core.hooksPath=/dev/null archive {commit} --output=/dev/null")
            }
            RepoError::NoRemote { .. } => {
                "name a remote with --remote, or add one: git remote add origin URL; what was measured stays in the \
                 store until then"
                    .to_owned()
            }
            RepoError::Remote(RemoteError::Denied { .. }) => {
                "what was measured stays in the store; push again with credentials that may write refs/tachograph/* \
                 there (on GitHub, a job with `permissions: contents: write`)"
                    .to_owned()
            }
            RepoError::Remote(_) => {
                "what was measured stays in the store; do it again once the remote answers".to_owned()
            }
            RepoError::Git { .. } | RepoError::Files { .. } | RepoError::Id(_) => return None,
        })
    }
}

impl From<RepoError> for Failure {
    fn from(error: RepoError) -> Failure {
        let hint = error.hint();
        let failure = match error {
            RepoError::NoSuchCommit(_) | RepoError::EmptyRange(_) => Failure::usage(error),
            _ => Failure::environment(error),
        };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

fn no_remote(named: Option<&str>, known: &str) -> String {
    match (named, known) {
        (_, "") => "this repository has no remote to share runs through".to_owned(),
        (Some(named), known) => format!("there is no remote {named:?} here, only {known}"),
        (None, known) => format!("there are several remotes, and none is called origin: {known}"),
    }
}

fn git(doing: &'static str) -> impl Fn(git2::Error) -> RepoError {
    move |source| RepoError::Git { doing, source }
}

fn files<'a>(doing: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> RepoError + use<'a> {
    move |source| RepoError::Files { doing, path: path.to_owned(), source }
}

/// A repository with a working tree.
pub struct Repository {
    git: git2::Repository,
    root: PathBuf,
}

impl Repository {
    /// Finds the repository that `start` lies in.
    pub fn discover(start: &Path) -> Result<Repository, RepoError> {
        let git = git2::Repository::discover(start).map_err(|source| match source.code() {
            git2::ErrorCode::NotFound => RepoError::NotFound(start.to_owned()),
            git2::ErrorCode::Owner => RepoError::NotOurs(start.to_owned()),
            _ => RepoError::Git { doing: "opening the repository", source },
        })?;
        let Some(root) = git.workdir().map(Path::to_owned) else { return Err(RepoError::Bare(git.path().to_owned())) };
        Ok(Repository { git, root })
    }

    /// The folder of its working tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A text that tells this repository from others on this machine: where its objects are.
    #[must_use]
    pub fn address(&self) -> &Path {
        self.git.commondir()
    }

    /// Whether history was cut off when it was fetched.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.git.is_shallow()
    }
}
