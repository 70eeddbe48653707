//! A first build in a new place begins with what was built in another: where two sides are built for the first time, the
//! second finds all that they share.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::times::{PAGE, beside, strange};
use super::worktree::{Worktree, lock};
use super::{RepoError, files};

/// Where a folder has the names of the parts that were built in it.
const PARTS: &str = ".parts";

impl Worktree {
    /// The folder `name` among what this place keeps, for building `part`. If that was never built there it begins as a
    /// copy of the one of another place; what cannot be copied costs a build, no more. Only for what may be built in
    /// another folder than it began in.
    #[must_use]
    pub fn seeded(&self, name: &str, part: &str) -> PathBuf {
        let target = self.keep().join(name);
        let has_it = |folder: &Path| folder.join(PARTS).join(part).exists();
        if has_it(&target) {
            return target;
        }
        let elsewhere = self.kept_elsewhere().map(|keep| keep.join(name)).filter(|folder| folder.is_dir());
        let better = elsewhere.filter(|folder| has_it(folder) || !target.exists());
        let strange = |folder: &Path| strange(&beside(folder, PAGE), self.laid()).unwrap_or(usize::MAX);
        if let Some(nearest) = better.min_by_key(|folder| (!has_it(folder), strange(folder))) {
            let part = beside(&target, "part");
            let _ = fs::remove_dir_all(&part);
            if begin(&nearest, &part, &target).is_err() {
                let _ = fs::remove_dir_all(&part);
            }
        }
        target
    }

    /// Remembers that `part` was built in a folder of [`Worktree::seeded`].
    pub fn has_built(&self, target: &Path, part: &str) -> Result<(), RepoError> {
        let parts = target.join(PARTS);
        fs::create_dir_all(&parts).map_err(files("creating", &parts))?;
        fs::write(parts.join(part), []).map_err(files("writing", &parts))
    }
}

/// Puts a copy of what was built in one folder in the place of another, unless somebody builds there right now.
fn begin(from: &Path, part: &Path, to: &Path) -> io::Result<()> {
    let Some(_guard) = lock(&beside(from, "lock")).map_err(io::Error::other)? else { return Ok(()) };
    copy(from, part, &mut HashMap::new())?;
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::copy(beside(from, PAGE), beside(to, PAGE))?;
    fs::rename(part, to)
}

/// Copies a folder with all times, by which build tools tell what is new. Names of one file become names of one file.
fn copy(from: &Path, to: &Path, known: &mut HashMap<(u64, u64), PathBuf>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        let data = entry.metadata()?;
        if data.is_dir() {
            copy(&old, &new, known)?;
        } else if data.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&old)?, &new)?;
        } else if data.is_file() {
            if let Some(first) = known.get(&(data.dev(), data.ino())) {
                fs::hard_link(first, &new)?;
                continue;
            }
            fs::copy(&old, &new)?;
            File::open(&new)?.set_times(FileTimes::new().set_modified(data.modified()?))?;
            if data.nlink() > 1 {
                known.insert((data.dev(), data.ino()), new);
            }
        }
    }
    let modified = fs::metadata(from)?.modified()?;
    File::open(to)?.set_times(FileTimes::new().set_modified(modified))
}
