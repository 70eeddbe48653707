//! Where the store is.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::RecordError;

/// The folder at the repository's root that holds what Tachograph keeps there.
const FOLDER: &str = ".tachograph";

/// Where a store is: today always a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    file: PathBuf,
    default: bool,
}

/// What a store's files look like from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark([Option<(u64, u64, i64, i64)>; 2]);

impl Address {
    /// Takes what somebody typed or configured. A relative path is taken from `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Address, RecordError> {
        // `postgres://…` must not make a folder of that name, and SQLite would read `file:` as more than a path.
        if text.is_empty() || text.contains("://") || text.starts_with("file:") || text == ":memory:" {
            return Err(RecordError::Address(text.to_owned()));
        }
        Ok(Address { file: absolute(&base.join(text))?, default: false })
    }

    /// Where a repository keeps its store unless told otherwise.
    pub fn of_repository(root: &Path) -> Result<Address, RecordError> {
        Ok(Address { file: absolute(&root.join(FOLDER).join("store.db"))?, default: true })
    }

    /// A place beside this one, whose name ends so; its folder is made if that of this one would be.
    #[must_use]
    pub fn beside(&self, end: &str) -> Address {
        let mut file = self.file.as_os_str().to_owned();
        file.push(end);
        Address { file: PathBuf::from(file), default: self.default }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Something that is another whenever what the store holds may be.
    #[must_use]
    pub fn mark(&self) -> Mark {
        use std::os::unix::fs::MetadataExt as _;
        let of = |file: &Path| {
            let about = std::fs::metadata(file).ok().filter(|about| about.len() > 0)?;
            Some((about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
        };
        // An empty journal comes and goes with each reader.
        Mark([of(&self.file), of(self.beside("-wal").file())])
    }

    /// Makes the default folder with a note that git shall ignore all of it. A folder that somebody named is not made: a
    /// slip of the finger would leave runs where nobody looks for them.
    pub(super) fn prepare(&self) -> Result<(), RecordError> {
        let Some(folder) = self.file.parent().filter(|_| self.default) else { return Ok(()) };
        let ignore = folder.join(".gitignore");
        if ignore.exists() {
            return Ok(());
        }
        std::fs::create_dir_all(folder).map_err(|error| files("cannot make the folder", folder, error))?;
        // Several may come here at once; the content is the same, so whoever is last does no harm.
        std::fs::File::create(&ignore)
            .and_then(|mut file| file.write_all(b"*\n"))
            .map_err(|error| files("cannot write", &ignore, error))
    }
}

fn absolute(path: &Path) -> Result<PathBuf, RecordError> {
    std::path::absolute(path).map_err(|error| files("cannot make sense of the path", path, error))
}

fn files(doing: &'static str, path: &Path, source: std::io::Error) -> RecordError {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
    match source.kind() {
        PermissionDenied | ReadOnlyFilesystem => RecordError::ReadOnly(path.to_owned()),
        StorageFull => RecordError::Full { path: path.to_owned(), free: 0 },
        _ => RecordError::Files { doing, path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_no_file_is_refused() {
        for text in ["", "postgres://host/name", "file:x?mode=memory", ":memory:"] {
            let error = Address::parse(text, Path::new("/base")).unwrap_err();
            assert!(matches!(error, RecordError::Address(ref wrong) if wrong == text), "{error}");
        }
    }

    #[test]
    fn a_relative_path_is_taken_from_its_base() {
        assert_eq!(Address::parse("a/b.db", Path::new("/base")).unwrap().file(), Path::new("/base/a/b.db"));
        assert_eq!(Address::parse("/c.db", Path::new("/base")).unwrap().file(), Path::new("/c.db"));
    }

    #[test]
    fn the_default_folder_tells_git_to_ignore_it() {
        let root = tempfile::tempdir().unwrap();
        Address::of_repository(root.path()).unwrap().prepare().unwrap();
        assert_eq!(std::fs::read_to_string(root.path().join(".tachograph/.gitignore")).unwrap(), "*\n");
    }

    #[test]
    fn a_folder_that_somebody_named_is_not_made() {
        let root = tempfile::tempdir().unwrap();
        Address::parse("typo/store.db", root.path()).unwrap().prepare().unwrap();
        assert!(!root.path().join("typo").exists());
    }
}
