//! The CI host that this runs on, told by its environment alone: what happened, what is to be compared with what, whose
//! change it is, and where the host wants to be told the outcome.
//!
//! Everything that is read here was written by somebody: a hash must look like one, a number must be one, an address is
//! made of parts that were checked.

mod base;
mod github;
mod gitlab;

use std::path::{Path, PathBuf};

pub use base::{Chosen, choose};

use crate::domain::CommitId;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Commits were pushed to a branch.
    Push,
    /// A change is proposed.
    PullRequest,
    /// A change is about to be merged.
    MergeQueue,
    /// Another workflow has ended, and this one reports.
    Report,
    /// Something else: a schedule, a person.
    Other,
}

impl Event {
    /// The word for people and programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Push => "push",
            Event::PullRequest => "pull request",
            Event::MergeQueue => "merge queue",
            Event::Report => "report",
            Event::Other => "other",
        }
    }
}

/// What the host says about the other side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The first parent of head.
    Parent,
    /// This very commit.
    Commit(CommitId),
    /// What somebody named by hand: a hash, a tag, a branch.
    Named(String),
    /// Where head left the line that this commit is of.
    LeftFrom(CommitId),
}

/// What a host says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The host's name.
    pub name: &'static str,
    /// What happened.
    pub event: Event,
    /// What to compare with; none where the host does not know.
    pub base: Option<Base>,
    /// The commit that it is about.
    pub head: Option<CommitId>,
    /// The number of the pull request.
    pub pull_request: Option<u64>,
    /// Whether the change comes from somebody who may not write here.
    pub is_fork: bool,
    /// Where this run can be looked at.
    pub run_url: Option<String>,
    /// The file to which a summary is appended.
    pub summary: Option<PathBuf>,
    /// The file to which outputs are appended.
    pub outputs: Option<PathBuf>,
}

/// What surrounds the process: its variables, and the files that they name.
pub struct Surroundings<'a> {
    /// A variable's value.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// A file's content, if it can be read and is no larger than anybody's event.
    pub file: &'a dyn Fn(&Path) -> Option<String>,
}

impl Surroundings<'_> {
    /// A variable that is set to something.
    fn set(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn says_yes(&self, name: &str) -> bool {
        self.set(name).is_some_and(|value| value == "true" || value == "1")
    }

    fn hash(&self, name: &str) -> Option<CommitId> {
        self.set(name).as_deref().and_then(hash)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.set(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

/// A hash that names a commit; the one of zeros names none.
fn hash(text: &str) -> Option<CommitId> {
    CommitId::new(text).ok().filter(|id| id.as_str().bytes().any(|digit| digit != b'0'))
}

/// An address that can stand in Markdown and in a workflow command.
fn address(text: &str) -> Option<String> {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "-._~:/?#@&=%".contains(sign);
    let whole = (text.starts_with("https://") || text.starts_with("http://")) && text.chars().all(plain);
    (whole && text.len() <= 500).then(|| text.to_owned())
}

/// The host that this runs on; none outside of CI.
#[must_use]
pub fn detect(around: &Surroundings<'_>) -> Option<Host> {
    let found = github::detect(around).or_else(|| gitlab::detect(around)).or_else(|| plain(around));
    // Whoever sets this knows better; zeros are what hosts write for no commit.
    let named = around.set("TACHOGRAPH_BASE").filter(|revision| revision.bytes().any(|sign| sign != b'0'));
    found.map(|host| if let Some(base) = named { Host { base: Some(Base::Named(base)), ..host } } else { host })
}

/// A host that nothing else is known of.
fn plain(around: &Surroundings<'_>) -> Option<Host> {
    let known = around.set("CI").is_some_and(|value| value != "false") || around.set("TACHOGRAPH_BASE").is_some();
    known.then(|| Host {
        name: "a CI host",
        event: Event::Other,
        base: None,
        head: None,
        pull_request: None,
        is_fork: false,
        run_url: around.set("BUILD_URL").as_deref().and_then(address),
        summary: None,
        outputs: None,
    })
}

#[cfg(test)]
mod tests;
