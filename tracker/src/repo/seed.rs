//! A first build in a new place begins with what was built in another: where two sides are built for the first time, the
//! second finds all that they share.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::times::{PAGE, beside, strange};
use super::worktree::{TREE, Worktree, lock};
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
    let tree = from.ancestors().nth(2).map(|place| place.join(TREE)).unwrap_or_default();
    Copy { tree: tree.as_os_str().as_encoded_bytes(), known: HashMap::new() }.folder(from, part)?;
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::copy(beside(from, PAGE), beside(to, PAGE))?;
    fs::rename(part, to)
}

/// What a build script printed when it ran last.
const OUTPUT: &str = "output";

/// Copying a folder with all times, by which build tools tell what is new. Names of one file become names of one file.
struct Copy<'a> {
    /// Where the commit lies that was built there. What a build script printed of files in it is left out, so that it runs
    /// again: it would watch, and may have told the compiler of, the other side's files.
    tree: &'a [u8],
    /// Files of several names, by device and number.
    known: HashMap<(u64, u64), PathBuf>,
}

impl Copy<'_> {
    fn folder(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let (old, new) = (entry.path(), to.join(entry.file_name()));
            let data = entry.metadata()?;
            if data.is_dir() {
                self.folder(&old, &new)?;
            } else if data.is_symlink() {
                std::os::unix::fs::symlink(fs::read_link(&old)?, &new)?;
            } else if data.is_file() && !(entry.file_name() == OUTPUT && self.names_the_tree(&old)?) {
                self.file(&old, &new, &data)?;
            }
        }
        let modified = fs::metadata(from)?.modified()?;
        File::open(to)?.set_times(FileTimes::new().set_modified(modified))
    }

    fn names_the_tree(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::read(path)?.windows(self.tree.len().max(1)).any(|window| window == self.tree))
    }

    fn file(&mut self, old: &Path, new: &Path, data: &Metadata) -> io::Result<()> {
        let number = (data.dev(), data.ino());
        if let Some(first) = self.known.get(&number) {
            return fs::hard_link(first, new);
        }
        fs::copy(old, new)?;
        File::open(new)?.set_times(FileTimes::new().set_modified(data.modified()?))?;
        if data.nlink() > 1 {
            self.known.insert(number, new.to_owned());
        }
        Ok(())
    }
}
