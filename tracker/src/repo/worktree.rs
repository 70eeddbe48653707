//! Laying a commit out as files, away from the user's working copy.
//!
//! A [`Bench`] is a folder in the cache with numbered places. Each place holds one worktree at a time and is guarded by a
//! lock that the kernel drops when its holder dies; whoever comes next clears what a killed process left. A worktree is a
//! small repository of its own, detached at the commit, which borrows the user's objects: so `git describe` works in a
//! build script, and still nothing is written to the user's `.git`, and none of its configuration (hooks, filters, a file
//! monitor) holds there.
//!
//! What is built stays in the place ([`Worktree::keep`]), and a commit is laid out where the last build was of the most
//! like files. So the two sides of a comparison never build over each other, and a base that was built before is there.
//! Build tools trust modification times, which [`Worktree::settle`] sets before a build.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use git2::build::CheckoutBuilder;
use git2::{ObjectType, Oid, RepositoryInitOptions, TreeWalkMode, TreeWalkResult};
use rustix::fs::FlockOperation;

use super::snapshot::{Change, hash_file};
use super::{RepoError, Repository, Snapshot, files, git, times};
use crate::domain::{Commit, CommitId};

/// How many worktrees one machine may hold of one repository at a time.
const MOST_PLACES: usize = 256;

/// What a place kept and no longer does, until it is removed.
const GONE: &str = "gone";

/// How many places that are free keep what was built in them: two sides, a base of another branch, an anchor.
const MOST_KEPT: usize = 4;

/// What is locked, in a place and in the folder of all.
const LOCK: &str = "lock";

/// The folder of a place in which a commit is laid out.
pub(super) const TREE: &str = "tree";

/// The folder of a place that outlives worktrees.
const KEEP: &str = "keep";

/// The most bytes of a Git LFS pointer.
const LFS_POINTER_BYTES: usize = 1024;

/// What the project says it can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Absent {
    /// Empty folders in place of submodules are fine.
    pub submodules: bool,
    /// Pointers in place of files in Git LFS are fine.
    pub lfs: bool,
}

/// The folder in which worktrees are laid out.
pub struct Bench {
    folder: PathBuf,
}

impl Bench {
    /// Opens the folder, and clears what processes that died left there.
    pub fn open(folder: &Path) -> Result<Bench, RepoError> {
        fs::create_dir_all(folder).map_err(files("creating", folder))?;
        let bench = Bench { folder: folder.to_owned() };
        let _one = bench.wait()?;
        for number in 0..MOST_PLACES {
            let place = bench.place(number);
            if !place.exists() {
                break;
            }
            if let Some(guard) = lock(&place.join(LOCK))? {
                clear(&place.join(TREE))?;
                let _ = fs::remove_dir_all(place.join(GONE));
                drop(guard);
            }
        }
        Ok(bench)
    }

    /// Looks at places one process at a time: to another, each place that is looked at would be taken.
    fn wait(&self) -> Result<Guard, RepoError> {
        wait_for(&self.folder.join(LOCK))
    }

    fn place(&self, number: usize) -> PathBuf {
        self.folder.join(number.to_string())
    }

    /// Of the places that are free, the one whose last build was of the most like files; a new one if none is free. What
    /// others keep is removed where it was not used for the longest, for it is as large as all that a build makes.
    fn free_place(&self, wanted: &HashMap<PathBuf, Oid>) -> Result<(PathBuf, Guard), RepoError> {
        let one = self.wait()?;
        let mut free = Vec::new();
        for number in 0..MOST_PLACES {
            let place = self.place(number);
            let is_new = !place.exists();
            if is_new && !free.is_empty() {
                break;
            }
            fs::create_dir_all(&place).map_err(files("creating", &place))?;
            let Some(guard) = lock(&place.join(LOCK))? else { continue };
            free.push((place, guard));
            if is_new {
                break;
            }
        }
        let strange = |place: &Path| times::least_strange(&place.join(KEEP), wanted).unwrap_or(usize::MAX);
        let nearest = (0..free.len()).min_by_key(|&index| strange(&free[index].0));
        let Some((place, guard)) = nearest.map(|index| free.swap_remove(index)) else {
            let source = std::io::Error::other("all places are in use");
            return Err(RepoError::Files { doing: "finding a free place in", path: self.folder.clone(), source });
        };
        guard.0.set_modified(SystemTime::now()).map_err(files("setting the time of", &place.join(LOCK)))?;
        free.sort_by_key(|(_, other)| Reverse(other.0.metadata().and_then(|data| data.modified()).ok()));
        // Renamed first, so that nothing is ever half there: not for somebody who copies from it, nor if we are killed. A
        // cache that cannot be removed holds nobody up.
        let old = free.drain(..).skip(MOST_KEPT - 1).map(|(other, _guard)| {
            let gone = other.join(GONE);
            let _ = fs::remove_dir_all(&gone);
            let _ = fs::rename(other.join(KEEP), &gone);
            gone
        });
        let old: Vec<PathBuf> = old.collect();
        drop(one);
        for gone in old {
            let _ = fs::remove_dir_all(gone);
        }
        Ok((place, guard))
    }

    /// Lays out a commit, and the changes of a working tree upon it if there are any.
    pub fn lay_out(
        &self,
        repository: &Repository,
        commit: &Commit,
        changes: Option<&Snapshot>,
        absent: Absent,
    ) -> Result<Worktree, RepoError> {
        repository.refuse_absent(&commit.id, absent)?;
        let (place, guard) = self.free_place(&repository.contents(&commit.id)?)?;
        let tree = place.join(TREE);
        clear(&tree)?;
        let mut worktree = Worktree { tree, place, laid: HashMap::new(), _guard: guard };
        worktree.laid = repository.check_out(&commit.id, &worktree.tree)?;
        if let Some(changes) = changes {
            repository.copy_changes(changes, &worktree.tree, &mut worktree.laid)?;
        }
        Ok(worktree)
    }
}

/// A lock. It is given back by name, not by closing the file: a child that is being started at this moment has the
/// file open too, and would keep the lock a little longer.
pub(super) struct Guard(File);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

fn open_lock(path: &Path) -> Result<File, RepoError> {
    let file = File::options().create(true).truncate(false).write(true).open(path);
    file.map_err(files("opening the lock", path))
}

/// A lock, unless somebody holds it.
pub(super) fn lock(path: &Path) -> Result<Option<Guard>, RepoError> {
    let file = open_lock(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Guard(file))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(files("locking", path)(error.into())),
    }
}

/// A lock, as soon as nobody holds it.
pub(super) fn wait_for(path: &Path) -> Result<Guard, RepoError> {
    let file = open_lock(path)?;
    loop {
        match rustix::fs::flock(&file, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(Guard(file)),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(files("locking", path)(error.into())),
        }
    }
}

fn clear(tree: &Path) -> Result<(), RepoError> {
    match fs::remove_dir_all(tree) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(files("clearing", tree)(error)),
        _ => Ok(()),
    }
}

/// A commit laid out as files. It is removed when dropped.
pub struct Worktree {
    tree: PathBuf,
    place: PathBuf,
    laid: HashMap<PathBuf, Oid>,
    _guard: Guard,
}

impl Worktree {
    /// The folder of the files.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.tree
    }

    /// A folder of this place that outlives the worktree, for what a build wants to find again.
    #[must_use]
    pub fn keep(&self) -> PathBuf {
        self.place.join(KEEP)
    }

    /// What other places keep.
    pub(super) fn kept_elsewhere(&self) -> impl Iterator<Item = PathBuf> {
        let places = self.place.parent().and_then(|bench| fs::read_dir(bench).ok()).into_iter().flatten().flatten();
        places.map(|place| place.path()).filter(|place| *place != self.place).map(|place| place.join(KEEP))
    }

    /// What was laid out, with its content's hash.
    pub(super) fn laid(&self) -> &HashMap<PathBuf, Oid> {
        &self.laid
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        // What cannot be removed now is removed at the next start.
        let _ = fs::remove_dir_all(&self.tree);
    }
}

impl Repository {
    /// Makes a small repository at `tree` that borrows our objects, checks the commit out, and returns what it laid.
    fn check_out(&self, commit: &CommitId, tree: &Path) -> Result<HashMap<PathBuf, Oid>, RepoError> {
        let id = Oid::from_str(commit.as_str()).map_err(git("reading a commit id"))?;
        let mut options = RepositoryInitOptions::new();
        options.external_template(false).no_reinit(true);
        let made = git2::Repository::init_opts(tree, &options).map_err(git("making a worktree"))?;
        let info = made.path().join("objects/info");
        fs::create_dir_all(&info).map_err(files("creating", &info))?;
        let ours = self.address().join("objects");
        let ours = ours.canonicalize().map_err(files("finding", &ours))?;
        let alternates = info.join("alternates");
        fs::write(&alternates, [ours.as_os_str().as_encoded_bytes(), b"\n"].concat())
            .map_err(files("writing", &alternates))?;
        let shallow = self.address().join("shallow");
        if shallow.exists() {
            fs::copy(&shallow, made.path().join("shallow")).map_err(files("copying", &shallow))?;
        }
        // Opened again, so that it sees the borrowed objects.
        let made = git2::Repository::open(tree).map_err(git("opening the worktree"))?;
        self.lend_tags(&made)?;
        let mut checkout = CheckoutBuilder::new();
        checkout.force().disable_filters(true);
        let object = made.find_object(id, None).map_err(git("finding the commit"))?;
        made.checkout_tree(&object, Some(&mut checkout)).map_err(|source| match source.code() {
            git2::ErrorCode::NotFound if self.is_partial() => RepoError::Partial(commit.short().to_owned()),
            _ => RepoError::Git { doing: "checking the commit out", source },
        })?;
        made.set_head_detached(id).map_err(git("detaching the worktree's HEAD"))?;
        let index = made.index().map_err(git("reading the worktree's index"))?;
        Ok(index.iter().map(|entry| (path_of(&entry.path), entry.id)).collect())
    }

    /// The files of a commit, with their content's hash.
    fn contents(&self, commit: &CommitId) -> Result<HashMap<PathBuf, Oid>, RepoError> {
        let mut contents = HashMap::new();
        let walked = self.tree(commit)?.walk(TreeWalkMode::PreOrder, |folder, entry| {
            if entry.kind() == Some(ObjectType::Blob) {
                contents.insert(path_of(&[folder.as_bytes(), entry.name_bytes()].concat()), entry.id());
            }
            TreeWalkResult::Ok
        });
        walked.map_err(git("reading the tree of a commit"))?;
        Ok(contents)
    }

    /// Tags, for builds that ask `git describe` for their version.
    fn lend_tags(&self, made: &git2::Repository) -> Result<(), RepoError> {
        let tags = self.git.references_glob("refs/tags/*").map_err(git("reading tags"))?;
        let lines: Vec<String> =
            tags.flatten().filter_map(|tag| Some(format!("{} {}\n", tag.target()?, tag.name().ok()?))).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let path = made.path().join("packed-refs");
        fs::write(&path, lines.concat()).map_err(files("writing", &path))
    }

    fn copy_changes(&self, changes: &Snapshot, tree: &Path, laid: &mut HashMap<PathBuf, Oid>) -> Result<(), RepoError> {
        for change in &changes.changes {
            match change {
                Change::Removed(name) => {
                    let _ = fs::remove_file(tree.join(name));
                    laid.remove(name);
                }
                Change::Written(name) => {
                    copy_file(&self.root.join(name), &tree.join(name))?;
                    laid.insert(name.clone(), hash_file(&tree.join(name))?);
                }
            }
        }
        Ok(())
    }

    fn is_partial(&self) -> bool {
        let Ok(config) = self.git.config() else { return false };
        let Ok(mut entries) = config.entries(Some("remote\\..*\\.promisor")) else { return false };
        entries.next().is_some()
    }

    /// Refuses trees whose files are not all here, unless the project says that it can do without.
    fn refuse_absent(&self, commit: &CommitId, absent: Absent) -> Result<(), RepoError> {
        let tree = self.tree(commit)?;
        let (mut submodules, mut attributes, mut small) = (Vec::new(), Vec::new(), Vec::new());
        let walked = tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            let name = format!("{folder}{}", entry.name().unwrap_or("?"));
            match entry.kind() {
                Some(ObjectType::Commit) => submodules.push(name),
                Some(ObjectType::Blob) if name.ends_with(".gitattributes") => attributes.push(entry.id()),
                Some(ObjectType::Blob) => small.push((name, entry.id())),
                _ => {}
            }
            TreeWalkResult::Ok
        });
        walked.map_err(|source| match source.code() {
            git2::ErrorCode::NotFound if self.is_partial() => RepoError::Partial(commit.short().to_owned()),
            _ => RepoError::Git { doing: "reading the tree of a commit", source },
        })?;
        if !submodules.is_empty() && !absent.submodules {
            return Err(RepoError::Submodules { commit: commit.short().to_owned(), names: few(&submodules) });
        }
        if absent.lfs || !attributes.iter().any(|&id| self.blob_holds(id, b"filter=lfs")) {
            return Ok(());
        }
        let odb = self.git.odb().map_err(git("opening the objects"))?;
        let pointers: Vec<String> = small
            .into_iter()
            .filter(|&(_, id)| odb.read_header(id).is_ok_and(|(bytes, _)| bytes <= LFS_POINTER_BYTES))
            .filter(|&(_, id)| self.blob_holds(id, b"version https://git-lfs.github.com/spec/"))
            .map(|(name, _)| name)
            .collect();
        if pointers.is_empty() {
            return Ok(());
        }
        Err(RepoError::Lfs { commit: commit.short().to_owned(), names: few(&pointers) })
    }

    fn blob_holds(&self, id: Oid, text: &[u8]) -> bool {
        let Ok(blob) = self.git.find_blob(id) else { return false };
        blob.content().windows(text.len()).any(|window| window == text)
    }
}

fn few(names: &[String]) -> String {
    let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 3 { format!("{shown} and {} more", names.len() - 3) } else { shown }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(unix)]
fn copy_file(from: &Path, to: &Path) -> Result<(), RepoError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(files("creating", folder))?;
    }
    let kind = from.symlink_metadata().map_err(files("reading", from))?;
    if kind.is_dir() {
        return Ok(());
    }
    if to.symlink_metadata().is_ok() {
        fs::remove_file(to).map_err(files("replacing", to))?;
    }
    if kind.is_symlink() {
        let target = fs::read_link(from).map_err(files("reading", from))?;
        return std::os::unix::fs::symlink(target, to).map_err(files("linking", to));
    }
    fs::copy(from, to).map(|_| ()).map_err(files("copying", from))
}
