//! Revisions, ranges, and what a commit says of itself.

use git2::{Oid, Revspec, Sort};

use super::{RepoError, Repository, git};
use crate::domain::{Commit, CommitId};

/// The longest subject that is kept, in characters.
const LONGEST_SUBJECT: usize = 300;

/// The branches that a project's history is told by, the usual names.
const MAIN_BRANCHES: [&str; 5] = [
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
];

/// What a person asked to have measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// One commit.
    One(Commit),
    /// Those of a range, parents before children.
    Range(Vec<Commit>),
}

impl Requested {
    /// The commits, parents before children.
    #[must_use]
    pub fn commits(self) -> Vec<Commit> {
        match self {
            Requested::One(commit) => vec![commit],
            Requested::Range(commits) => commits,
        }
    }
}

impl Repository {
    /// The commit that a revision names.
    pub fn commit(&self, revision: &str) -> Result<Commit, RepoError> {
        let missing = |_| RepoError::NoSuchCommit(revision.to_owned());
        let object = self.git.revparse_single(revision).map_err(missing)?;
        describe(&object.peel_to_commit().map_err(missing)?)
    }

    /// The commit that is checked out.
    pub fn head(&self) -> Result<Commit, RepoError> {
        self.commit("HEAD")
    }

    /// The first parent of a commit; none of a root, or of where a shallow clone was cut off.
    pub fn first_parent(&self, commit: &Commit) -> Result<Option<Commit>, RepoError> {
        let Some(parent) = commit.parents.first() else { return Ok(None) };
        match self.git.find_commit(oid(parent)?) {
            Ok(found) => describe(&found).map(Some),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(git("reading a commit")(error)),
        }
    }

    /// Where the history of `head` left the main branch: the nearest merge base with any of `MAIN_BRANCHES` that is
    /// there, and the branch's name. `head` itself counts only if `with_itself` says so, as for a working tree with
    /// changes upon it. None where there is no such branch or nothing in common.
    pub fn merge_base(&self, head: &Commit, with_itself: bool) -> Result<Option<(Commit, &'static str)>, RepoError> {
        let tip = oid(&head.id)?;
        let mut nearest: Option<(Oid, &'static str)> = None;
        for branch in MAIN_BRANCHES {
            let found = self.git.revparse_single(branch).and_then(|object| object.peel_to_commit());
            let Some(base) = found.ok().and_then(|main| self.git.merge_base(tip, main.id()).ok()) else { continue };
            if base == tip && !with_itself {
                continue;
            }
            let is_nearer = match nearest {
                None => true,
                Some((known, _)) => {
                    let newer = self.git.graph_descendant_of(base, known);
                    newer.map_err(git("comparing two commits"))?
                }
            };
            if is_nearer {
                nearest = Some((base, branch));
            }
        }
        let Some((base, branch)) = nearest else { return Ok(None) };
        let found = self.git.find_commit(base).map_err(git("reading a commit"))?;
        Ok(Some((describe(&found)?, branch)))
    }

    /// The main branch's history along first parents, oldest first.
    pub fn main_line(&self) -> Result<Vec<Commit>, RepoError> {
        self.first_parents(&self.main_tip()?, usize::MAX)
    }

    /// The newest commit of the main branch. Of the usual names that are there, the one that leads farthest; without any,
    /// what is checked out.
    pub(super) fn main_tip(&self) -> Result<git2::Commit<'_>, RepoError> {
        let commit_of = |name: &str| self.git.revparse_single(name).and_then(|object| object.peel_to_commit());
        let mut tip = None;
        for name in MAIN_BRANCHES {
            let Ok(found) = commit_of(name) else { continue };
            let farther = match &tip {
                None => true,
                Some(known) => self.leads_to(known, &found)?,
            };
            if farther {
                tip = Some(found);
            }
        }
        match tip {
            Some(tip) => Ok(tip),
            None => commit_of("HEAD").map_err(|_| RepoError::NoSuchCommit("HEAD".to_owned())),
        }
    }

    /// A commit and its first parents, oldest first, as far as they are here and at most so many.
    pub fn first_parents_of(&self, commit: &Commit, most: usize) -> Result<Vec<Commit>, RepoError> {
        let tip = self.git.find_commit(oid(&commit.id)?).map_err(git("reading a commit"))?;
        self.first_parents(&tip, most)
    }

    /// Whether `later` has `earlier` among its ancestors.
    fn leads_to(&self, earlier: &git2::Commit<'_>, later: &git2::Commit<'_>) -> Result<bool, RepoError> {
        self.git.graph_descendant_of(later.id(), earlier.id()).map_err(git("comparing two commits"))
    }

    fn first_parents(&self, tip: &git2::Commit<'_>, most: usize) -> Result<Vec<Commit>, RepoError> {
        let mut line = vec![describe(tip)?];
        let mut next = tip.parent_id(0).ok();
        while let Some(id) = next.filter(|_| line.len() < most) {
            match self.git.find_commit(id) {
                Ok(found) => {
                    line.push(describe(&found)?);
                    next = found.parent_id(0).ok();
                }
                // Where a shallow clone was cut off.
                Err(error) if error.code() == git2::ErrorCode::NotFound => break,
                Err(error) => return Err(git("reading a commit")(error)),
            }
        }
        line.reverse();
        Ok(line)
    }

    /// Where two lines of history parted; none where they have nothing in common here.
    pub fn common_ancestor(&self, one: &Commit, other: &Commit) -> Result<Option<Commit>, RepoError> {
        match self.git.merge_base(oid(&one.id)?, oid(&other.id)?) {
            Ok(base) => describe(&self.git.find_commit(base).map_err(git("reading a commit"))?).map(Some),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(git("finding where two lines parted")(error)),
        }
    }

    /// Whether a commit is `tip` or one before it.
    pub fn contains(&self, tip: &Commit, commit: &CommitId) -> Result<bool, RepoError> {
        let (tip, commit) = (oid(&tip.id)?, oid(commit)?);
        if tip == commit {
            return Ok(true);
        }
        if self.git.find_commit(commit).is_err() {
            return Ok(false);
        }
        self.git.graph_descendant_of(tip, commit).map_err(git("comparing two commits"))
    }

    /// The name of the main branch, as the remote says or as the usual names have it.
    #[must_use]
    pub fn main_branch(&self) -> Option<String> {
        let head = self.git.find_reference(MAIN_BRANCHES[0]).ok();
        let told = head.and_then(|head| head.symbolic_target().ok().flatten().map(str::to_owned));
        let usual = || MAIN_BRANCHES[1..].iter().find(|name| self.git.find_reference(name).is_ok());
        let whole = told.or_else(|| usual().map(|name| (*name).to_owned()))?;
        Some(whole.trim_start_matches("refs/remotes/origin/").trim_start_matches("refs/heads/").to_owned())
    }

    /// Reads a revision, or a range as git means it: `A..B` is what B has and A has not, `A...B` what only one has.
    pub fn requested(&self, spec: &str) -> Result<Requested, RepoError> {
        if !spec.contains("..") {
            return self.commit(spec).map(Requested::One);
        }
        let missing = |_| RepoError::NoSuchCommit(spec.to_owned());
        let range = self.git.revparse(spec).map_err(missing)?;
        let (from, to) = ends(&range).ok_or_else(|| RepoError::NoSuchCommit(spec.to_owned()))?;
        let mut walk = self.git.revwalk().map_err(git("walking history"))?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(git("walking history"))?;
        walk.push(to).map_err(missing)?;
        if range.mode().contains(git2::RevparseMode::MERGE_BASE) {
            walk.push(from).map_err(missing)?;
            for base in self.git.merge_bases(from, to).map_err(git("finding the merge base"))?.iter() {
                walk.hide(*base).map_err(git("walking history"))?;
            }
        } else {
            walk.hide(from).map_err(missing)?;
        }
        let commits = walk
            .map(|step| {
                let id = step.map_err(git("walking history"))?;
                describe(&self.git.find_commit(id).map_err(git("reading a commit"))?)
            })
            .collect::<Result<Vec<Commit>, RepoError>>()?;
        if commits.is_empty() { Err(RepoError::EmptyRange(spec.to_owned())) } else { Ok(Requested::Range(commits)) }
    }

    /// Every tag that leads to a commit, by name.
    pub fn tags(&self) -> Result<Vec<(String, CommitId)>, RepoError> {
        let mut tags = Vec::new();
        for reference in self.git.references_glob("refs/tags/*").map_err(git("listing the tags"))? {
            let Ok(reference) = reference else { continue };
            let (Ok(name), Ok(commit)) = (reference.shorthand(), reference.peel_to_commit()) else { continue };
            tags.push((name.to_owned(), CommitId::new(commit.id().to_string())?));
        }
        tags.sort();
        Ok(tags)
    }

    /// The content of a file of a commit, if it is there and is a file.
    pub fn file(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, RepoError> {
        let tree = self.tree(commit)?;
        match tree.get_path(std::path::Path::new(path)) {
            Ok(entry) => {
                let object = entry.to_object(&self.git).map_err(git("reading a file of a commit"))?;
                Ok(object.as_blob().map(|blob| blob.content().to_vec()))
            }
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(git("reading a file of a commit")(error)),
        }
    }

    pub(super) fn tree(&self, commit: &CommitId) -> Result<git2::Tree<'_>, RepoError> {
        let id = oid(commit)?;
        self.git.find_commit(id).and_then(|found| found.tree()).map_err(git("reading the tree of a commit"))
    }
}

fn oid(commit: &CommitId) -> Result<Oid, RepoError> {
    Oid::from_str(commit.as_str()).map_err(git("reading a commit id"))
}

fn ends(range: &Revspec<'_>) -> Option<(Oid, Oid)> {
    let commit = |object: Option<&git2::Object<'_>>| object?.peel_to_commit().ok().map(|commit| commit.id());
    Some((commit(range.from())?, commit(range.to())?))
}

fn describe(commit: &git2::Commit<'_>) -> Result<Commit, RepoError> {
    let message = String::from_utf8_lossy(commit.message_bytes());
    let subject = message.trim_start().lines().next().unwrap_or_default();
    Ok(Commit {
        id: CommitId::new(commit.id().to_string())?,
        parents: commit.parent_ids().map(|id| CommitId::new(id.to_string())).collect::<Result<_, _>>()?,
        committed_at_s: commit.time().seconds(),
        subject: subject.chars().take(LONGEST_SUBJECT).collect(),
    })
}
