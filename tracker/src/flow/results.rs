//! Results of a command suite, from bytes or a folder on the disk to outcomes.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::adapt::{self, Folder, Format, Parsed, limits};
use crate::domain::{BenchmarkName, Outcome};
use crate::measure::command::Results;

/// Files that are taken from one folder at the most.
const MOST_FILES: usize = 1_000_000;

/// How deep a folder is read.
const DEEPEST: usize = 32;

/// Reads one process's results in a format; none is found out from the content.
pub fn read(format: Option<&'static Format>, results: Results<'_>) -> Result<BTreeMap<BenchmarkName, Outcome>, String> {
    let parsed = match results {
        Results::Bytes(bytes) => adapt::parse(format, bytes),
        Results::Folder(path) => adapt::parse_folder(format, &DiskFolder::open(path)?),
    };
    one_set(parsed.map_err(|error| error.to_string())?)
}

fn one_set(parsed: Parsed) -> Result<BTreeMap<BenchmarkName, Outcome>, String> {
    let count = parsed.sets.len();
    let mut sets = parsed.sets.into_iter();
    match (sets.next(), sets.next()) {
        (Some(set), None) => Ok(set.outcomes),
        _ => Err(format!("these are results of {count} commits, where one run's were expected")),
    }
}

/// A file on the disk, which has to stay as it is while it is read.
#[derive(Debug)]
pub struct DiskFile {
    file: fs::File,
    about: Metadata,
}

impl DiskFile {
    /// Takes an open file.
    pub fn new(file: fs::File) -> io::Result<DiskFile> {
        Ok(DiskFile { about: file.metadata()?, file })
    }

    /// All of it; of what is larger than is taken, enough to tell.
    pub fn whole(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; adapt::File::bytes(self).min(limits::FILE_BYTES + 1)];
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn part(&self, from: usize, most: usize) -> io::Result<Vec<u8>> {
        let now = self.file.metadata()?;
        if (now.len(), now.modified().ok()) != (self.about.len(), self.about.modified().ok()) {
            return Err(io::Error::other("it was changed while it was read"));
        }
        let mut bytes = vec![0; most];
        let length = self.file.read_at(&mut bytes, from as u64)?;
        bytes.truncate(length);
        Ok(bytes)
    }
}

impl adapt::File for DiskFile {
    fn bytes(&self) -> usize {
        usize::try_from(self.about.len()).unwrap_or(usize::MAX)
    }

    fn read(&self, from: usize, most: usize) -> Result<Vec<u8>, String> {
        self.part(from, most).map_err(|error| error.to_string())
    }
}

/// A folder on the disk. Links are not followed, so nothing outside of it is read.
#[derive(Debug)]
pub struct DiskFolder {
    root: PathBuf,
    paths: Vec<String>,
}

impl DiskFolder {
    /// Lists a folder, within bounds.
    pub fn open(root: &Path) -> Result<DiskFolder, String> {
        let mut paths = Vec::new();
        let mut folders = vec![(root.to_owned(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            for entry in entries {
                let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
                let kind = entry.file_type().map_err(|error| format!("{}: {error}", entry.path().display()))?;
                if kind.is_dir() && depth < DEEPEST {
                    folders.push((entry.path(), depth + 1));
                } else if kind.is_file()
                    && let Some(name) = entry.path().strip_prefix(root).ok().and_then(Path::to_str)
                {
                    paths.push(name.to_owned());
                }
                if paths.len() > MOST_FILES {
                    return Err(format!("{} holds more than {MOST_FILES} files", root.display()));
                }
            }
        }
        paths.sort();
        Ok(DiskFolder { root: root.to_owned(), paths })
    }
}

impl Folder for DiskFolder {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let full = self.root.join(path);
        let said = |error: io::Error| format!("{}: {error}", full.display());
        let bytes = fs::metadata(&full).map_err(said)?.len();
        let most = u64::try_from(limits::FILE_BYTES).unwrap_or(u64::MAX);
        if bytes > most {
            return Err(format!("{} has {bytes} bytes; at most {most} are read", full.display()));
        }
        fs::read(&full).map_err(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_to_its_bottom_and_not_beyond_its_links() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/c.json"), "{}").unwrap();
        fs::write(folder.path().join("top"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("a/file")).unwrap();
        let open = DiskFolder::open(folder.path()).unwrap();
        assert_eq!(open.paths(), ["a/b/c.json", "top"]);
        assert_eq!(open.read("a/b/c.json").unwrap(), b"{}");
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "0123456789").unwrap();
        let file = DiskFile::new(fs::File::open(&path).unwrap()).unwrap();
        assert_eq!((adapt::File::bytes(&file), file.whole().unwrap()), (10, b"0123456789".to_vec()));
        assert_eq!(adapt::File::read(&file, 8, 5).unwrap(), b"89");
        assert_eq!(adapt::File::read(&file, 10, 5).unwrap(), b"");
        fs::write(&path, "01234567890").unwrap();
        assert!(adapt::File::read(&file, 8, 5).unwrap_err().contains("changed"));
    }

    #[test]
    fn results_of_our_own_format_become_outcomes_and_garbage_an_error() {
        let text = br#"{"tachograph":1,"benchmarks":[{"name":"a","metrics":[{"name":"time","unit":"ns","better":"lower","kind":"noisy","lives":[[5.0,6.0]]}]}]}"#;
        let outcomes = read(None, Results::Bytes(text)).unwrap();
        assert!(matches!(outcomes["a"], Outcome::Measured(_)));
        assert!(read(None, Results::Bytes(b"nothing that anybody knows")).is_err());
    }
}
