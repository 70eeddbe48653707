//! The working tree's changes: what differs from the commit it stands on, read without touching the index.

use std::path::{Path, PathBuf};

use git2::{Delta, DiffOptions, ObjectType, Oid};
use sha2::{Digest, Sha256};

use super::{RepoError, Repository, files, git};
use crate::domain::hex;

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// It is there with this content.
    Written(PathBuf),
    /// It is gone.
    Removed(PathBuf),
}

/// The differences of a working tree from the commit it stands on.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(super) changes: Vec<Change>,
    digest: String,
}

impl Snapshot {
    /// A hash of the differing files, which tells one state of a working tree from another.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many files differ.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl Repository {
    /// What in the working tree differs from HEAD: changed, new and not ignored, removed. None when nothing does.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, RepoError> {
        let head = self.git.head().and_then(|head| head.peel_to_tree()).map_err(git("reading HEAD"))?;
        let mut options = DiffOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).include_typechange(true).ignore_submodules(true);
        options.update_index(false);
        let diff = self
            .git
            .diff_tree_to_workdir_with_index(Some(&head), Some(&mut options))
            .map_err(git("comparing the working tree with HEAD"))?;
        let mut changes = Vec::new();
        for delta in diff.deltas() {
            let path = |file: git2::DiffFile<'_>| file.path().map(Path::to_owned);
            match delta.status() {
                Delta::Deleted => changes.extend(path(delta.old_file()).map(Change::Removed)),
                Delta::Unmodified | Delta::Ignored => {}
                _ => changes.extend(path(delta.new_file()).map(Change::Written)),
            }
        }
        if changes.is_empty() {
            return Ok(None);
        }
        let digest = self.digest(&changes)?;
        Ok(Some(Snapshot { changes, digest }))
    }

    fn digest(&self, changes: &[Change]) -> Result<String, RepoError> {
        let mut hasher = Sha256::new();
        for change in changes {
            match change {
                Change::Removed(path) => hasher.update(format!("removed {}\n", path.display())),
                Change::Written(path) => {
                    let id = hash_file(&self.root.join(path))?;
                    hasher.update(format!("{id} {}\n", path.display()));
                }
            }
        }
        Ok(hex(&hasher.finalize()[..8]))
    }
}

/// The hash that git would give a file's content; of a link, that of its target.
pub(super) fn hash_file(path: &Path) -> Result<Oid, RepoError> {
    let kind = path.symlink_metadata().map_err(files("reading", path))?;
    if kind.is_symlink() {
        let target = std::fs::read_link(path).map_err(files("reading", path))?;
        return Oid::hash_object(ObjectType::Blob, target.as_os_str().as_encoded_bytes())
            .map_err(git("hashing a link"));
    }
    if kind.is_dir() {
        // A repository within the repository: its own business, and named by its folder alone.
        return Ok(Oid::ZERO_SHA1);
    }
    Oid::hash_file(ObjectType::Blob, path).map_err(git("hashing a file"))
}
