//! A first build in a new place begins with what was built in another: where two sides are built for the first time, the
//! second finds all that they share.

use std::collections::{HashMap, HashSet};
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
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    let free = |folder: &Path| lock(&beside(folder, "lock")).map_err(io::Error::other);
    // Another process may copy from there in turn.
    let (Some(_there), Some(_here)) = (free(from)?, free(to)?) else { return Ok(()) };
    let place = from.ancestors().nth(2).ok_or(io::ErrorKind::NotFound)?.canonicalize()?;
    let tree = place.join(TREE);
    let tree = tree.as_os_str().as_encoded_bytes();
    Copy { tree, own: own_units(from, tree)?, known: HashMap::new() }.folder(from, part)?;
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::copy(beside(from, PAGE), beside(to, PAGE))?;
    fs::rename(part, to)
}

/// The hashes of what was compiled from the commit's own files, by cargo's lists of what each unit was made of. Such a unit
/// may hold paths of the place, which cargo does not look at: of a program that it starts, or of a file that it reads.
fn own_units(target: &Path, tree: &[u8]) -> io::Result<HashSet<String>> {
    let mut own = HashSet::new();
    let mut folders = vec![target.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let (entry, is_unit) = (entry?, folder.file_name().is_some_and(|name| name == "deps"));
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if is_unit && path.extension().is_some_and(|end| end == "d") {
                let text = fs::read(&path)?;
                let made_of = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
                let is_own = |word: &[u8]| !word.ends_with(b":") && (!word.starts_with(b"/") || word.starts_with(tree));
                let rules = made_of.take_while(|word| !word.starts_with(b"#"));
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                if let (true, Some((_, hash))) = (rules.into_iter().any(is_own), stem.rsplit_once('-')) {
                    own.insert(hash.to_owned());
                }
            }
        }
    }
    Ok(own)
}

/// Where cargo keeps what tells it that a unit is fresh, in folders that end in the unit's hash.
const FINGERPRINTS: &str = ".fingerprint";

/// Where each build script has a folder.
const SCRIPTS: &str = "build";

/// What it printed when it ran last.
const OUTPUT: &str = "output";

/// Copying a folder with all times, by which build tools tell what is new. Names of one file become names of one file.
struct Copy<'a> {
    /// Where the commit lies that was built there. What a build script printed of files in it is left out, so that it runs
    /// again: it would watch, and may have told the compiler of, the other side's files.
    tree: &'a [u8],
    /// Hashes of units that are not taken for fresh in the copy.
    own: HashSet<String>,
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
                if !self.is_own(&old) {
                    self.folder(&old, &new)?;
                }
            } else if data.is_symlink() {
                std::os::unix::fs::symlink(fs::read_link(&old)?, &new)?;
            } else if data.is_file() && !(is_output(&old) && self.names_the_tree(&old)?) {
                self.file(&old, &new, &data)?;
            }
        }
        let modified = fs::metadata(from)?.modified()?;
        File::open(to)?.set_times(FileTimes::new().set_modified(modified))
    }

    fn is_own(&self, folder: &Path) -> bool {
        let is_fingerprint = folder.parent().and_then(Path::file_name).is_some_and(|name| name == FINGERPRINTS);
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        is_fingerprint && name.rsplit_once('-').is_some_and(|(_, hash)| self.own.contains(hash))
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

fn is_output(path: &Path) -> bool {
    let scripts = path.ancestors().nth(2).and_then(Path::file_name);
    path.file_name().is_some_and(|name| name == OUTPUT) && scripts.is_some_and(|name| name == SCRIPTS)
}
