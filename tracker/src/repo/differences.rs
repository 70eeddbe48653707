//! Which files differ between two sides.

use std::path::PathBuf;

use git2::DiffOptions;

use super::snapshot::Change;
use super::{RepoError, Repository, Snapshot, git};
use crate::domain::CommitId;

impl Repository {
    /// The files in which `head`, with its changes if it is a working tree, differs from `base`; at most some more than
    /// really do, where a change takes back what the commit did.
    pub fn differences(
        &self,
        base: &CommitId,
        head: &CommitId,
        changes: Option<&Snapshot>,
    ) -> Result<Vec<PathBuf>, RepoError> {
        let (base, head) = (self.tree(base)?, self.tree(head)?);
        let mut options = DiffOptions::new();
        let diff = self
            .git
            .diff_tree_to_tree(Some(&base), Some(&head), Some(&mut options))
            .map_err(git("comparing two commits"))?;
        let mut paths: Vec<PathBuf> = diff
            .deltas()
            .flat_map(|delta| [delta.old_file().path(), delta.new_file().path()])
            .flatten()
            .map(PathBuf::from)
            .collect();
        if let Some(changes) = changes {
            paths.extend(changes.changes.iter().map(|change| match change {
                Change::Written(path) | Change::Removed(path) => path.clone(),
            }));
        }
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    /// The submodules that two commits hold in different states.
    pub fn moved_submodules(&self, base: &CommitId, head: &CommitId) -> Result<Vec<PathBuf>, RepoError> {
        let (base, head) = (self.tree(base)?, self.tree(head)?);
        let diff = self.git.diff_tree_to_tree(Some(&base), Some(&head), None).map_err(git("comparing two commits"))?;
        let is_submodule = |delta: &git2::DiffDelta<'_>| {
            [delta.old_file().mode(), delta.new_file().mode()].contains(&git2::FileMode::Commit)
        };
        let moved = diff.deltas().filter(is_submodule);
        Ok(moved.filter_map(|delta| delta.new_file().path().map(PathBuf::from)).collect())
    }
}
