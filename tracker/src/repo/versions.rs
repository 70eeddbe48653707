//! What a file held along the main branch.

use git2::Oid;

use super::{RepoError, Repository, git};
use crate::domain::CommitId;

/// Larger files are not read, and of more versions the newest are.
const LONGEST_BYTES: usize = 1 << 20;
const MOST: usize = 400;

/// A file along the main branch's first parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The commits, oldest first.
    pub line: Vec<CommitId>,
    /// What the file held, oldest first.
    pub all: Vec<Version>,
}

/// What a file held from one commit on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// That commit's place on the line; none where the file may have held it before the line begins.
    pub brought_at: Option<usize>,
    /// What it held.
    pub content: Vec<u8>,
}

impl Repository {
    /// What a file in the top folder held along the main branch, as far back as commits are not older than `since_s` and are
    /// here.
    pub fn versions(&self, name: &str, since_s: i64) -> Result<Versions, RepoError> {
        let mut line: Vec<(Oid, Option<Oid>)> = Vec::new();
        let mut next = Some(self.main_tip()?);
        let mut is_whole = false;
        while let Some(commit) = next.take().filter(|commit| commit.time().seconds() >= since_s) {
            let tree = commit.tree().map_err(git("reading the tree of a commit"))?;
            line.push((commit.id(), tree.get_name(name).map(|entry| entry.id())));
            // Where a shallow clone was cut off a commit looks like a root.
            is_whole = commit.parent_count() == 0 && !self.is_shallow();
            next = commit.parent(0).ok();
        }
        line.reverse();
        let mut all = Vec::new();
        for (at, (_, file)) in line.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| line[before].1);
            let Some(blob) = file.filter(|_| before != Some(*file)).and_then(|file| self.git.find_blob(file).ok())
            else {
                continue;
            };
            if blob.size() <= LONGEST_BYTES {
                let brought_at = (before.is_some() || is_whole).then_some(at);
                all.push(Version { brought_at, content: blob.content().to_vec() });
            }
        }
        all.drain(..all.len().saturating_sub(MOST));
        let line = line.iter().map(|(id, _)| CommitId::new(id.to_string())).collect::<Result<_, _>>()?;
        Ok(Versions { line, all })
    }
}
