//! When files changed, as build tools are to see it.
//!
//! cargo and make take a file for unchanged if it is older than what they built last. A folder that is built in sees one
//! commit after the other, laid out anew each time, so the time at which a file was written tells nothing: it may lie
//! before a build of another commit. So every such folder has a page beside it with the content and the time of each file
//! that it was last built from. Before a build, a file of the same content gets the time on the page, so that what did not
//! change is not built again, and every other file gets the present, which is later than all that was built. A folder's
//! content are the names in it, for build scripts watch folders too.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use git2::{ObjectType, Oid};

use super::worktree::{Guard, Worktree, wait_for};
use super::{RepoError, files, git};

/// That nobody else builds in a folder.
pub struct Settled {
    _guard: Guard,
}

impl Worktree {
    /// Makes the files' times tell what changed since something was last built in `target`, and holds others off from
    /// building there for as long as what is returned lives.
    pub fn settle(&self, target: &Path) -> Result<Settled, RepoError> {
        fs::create_dir_all(target).map_err(files("creating", target))?;
        let guard = wait_for(&beside(target, "lock"))?;
        let page = beside(target, PAGE);
        let mut before = read(&page);
        if self.has_other_links(&before) {
            before.clear();
        }
        let fresh = beside(target, "times.part");
        let now = present(&fresh)?;
        let mut out = BufWriter::new(File::create(&fresh).map_err(files("writing", &fresh))?);
        for (name, id) in self.contents()? {
            let full = self.path().join(name);
            let Ok(kind) = full.symlink_metadata() else { continue };
            let time = before.get(name).filter(|(was, _)| *was == id).map_or(now, |&(_, time)| time);
            if !kind.is_symlink() {
                set(&full, time)?;
            }
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
            if let Some(name) = name.to_str().filter(|name| !name.contains('\n')) {
                writeln!(out, "{id} {since} {name}").map_err(files("writing", &fresh))?;
            }
        }
        out.flush().map_err(files("writing", &fresh))?;
        fs::rename(&fresh, &page).map_err(files("writing", &page))?;
        Ok(Settled { _guard: guard })
    }

    /// Whether a link is not what it was. Through it a name means another file, which need not have changed, and build
    /// tools look at that file's time alone.
    fn has_other_links(&self, before: &HashMap<PathBuf, (Oid, SystemTime)>) -> bool {
        let is_other = |(name, id): (&PathBuf, &Oid)| before.get(name).is_none_or(|(was, _)| was != id);
        let is_link = |name: &Path| self.path().join(name).symlink_metadata().is_ok_and(|kind| kind.is_symlink());
        self.laid().iter().any(|one| is_other(one) && is_link(one.0))
    }

    /// Everything that a build may look at, with a hash of its content: the files, the folders, and which commit it is.
    fn contents(&self) -> Result<Vec<(&Path, Oid)>, RepoError> {
        let hash = |bytes: &[u8]| Oid::hash_object(ObjectType::Blob, bytes).map_err(git("hashing a folder's names"));
        let mut folders: HashMap<&Path, BTreeSet<&[u8]>> = HashMap::new();
        for name in self.laid().keys() {
            for inner in name.ancestors() {
                let (Some(folder), Some(last)) = (inner.parent(), inner.file_name()) else { break };
                folders.entry(folder).or_default().insert(last.as_encoded_bytes());
            }
        }
        let mut contents: Vec<(&Path, Oid)> = self.laid().iter().map(|(name, id)| (name.as_path(), *id)).collect();
        for (folder, names) in folders {
            contents.push((folder, hash(&Vec::from_iter(names).join(&b'/'))?));
        }
        let head = self.path().join(HEAD);
        contents.push((Path::new(HEAD), hash(&fs::read(&head).map_err(files("reading", &head))?)?));
        Ok(contents)
    }
}

/// What build scripts watch that put the commit's name into a program.
const HEAD: &str = ".git/HEAD";

/// How the page of a folder is called, after the folder's name.
pub(super) const PAGE: &str = "times";

/// How many of `wanted` are not what the folder of this page was last built from; none if there is no page.
pub(super) fn strange(page: &Path, wanted: &HashMap<PathBuf, Oid>) -> Option<usize> {
    let before = page.exists().then(|| read(page))?;
    let is_known = |(name, id): (&PathBuf, &Oid)| before.get(name).is_some_and(|(was, _)| was == id);
    Some(wanted.iter().filter(|&one| !is_known(one)).count())
}

/// The same of the folder in `keep` that has the fewest.
pub(super) fn least_strange(keep: &Path, wanted: &HashMap<PathBuf, Oid>) -> Option<usize> {
    let entries = fs::read_dir(keep).ok()?.flatten().map(|entry| entry.path());
    let pages = entries.filter(|path| path.extension().is_some_and(|end| end == PAGE));
    pages.filter_map(|page| strange(&page, wanted)).min()
}

/// A file that belongs to a folder and stands beside it, so that it is not mistaken for something that was built.
pub(super) fn beside(folder: &Path, what: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    folder.with_file_name(name)
}

/// The present, as soon as the file system tells it from the time of what was written before: file systems count in steps,
/// some of a second or two, and a file of the same time as what was built from another would pass for unchanged.
fn present(probe: &Path) -> Result<SystemTime, RepoError> {
    let file = File::create(probe).map_err(files("writing", probe))?;
    let modified = || file.metadata().and_then(|meta| meta.modified()).map_err(files("reading the time of", probe));
    let written = modified()?;
    loop {
        let now = SystemTime::now();
        file.set_modified(now).map_err(files("setting the time of", probe))?;
        if modified()? > written {
            return Ok(now);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn set(path: &Path, time: SystemTime) -> Result<(), RepoError> {
    let file = File::open(path).or_else(|_| File::options().write(true).open(path));
    file.and_then(|file| file.set_modified(time)).map_err(files("setting the time of", path))
}

/// What a folder was last built from; a page that cannot be read costs a build, no more.
fn read(page: &Path) -> HashMap<PathBuf, (Oid, SystemTime)> {
    let Ok(file) = File::open(page) else { return HashMap::new() };
    let line = |line: std::io::Result<String>| {
        let line = line.ok()?;
        let mut parts = line.splitn(3, ' ');
        let id = Oid::from_str(parts.next()?).ok()?;
        let nanos = parts.next()?.parse::<u64>().ok()?;
        Some((PathBuf::from(parts.next()?), (id, SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos))))
    };
    BufReader::new(file).lines().filter_map(line).collect()
}
