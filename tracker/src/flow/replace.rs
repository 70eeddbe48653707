//! Writing a file so that it is there whole or not at all.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::failure::{Classify, Failure, Outcome};

/// A file on its way to its place. Dropped before it is finished, it leaves nothing behind and what stood there stays.
#[derive(Debug)]
pub struct Replacement {
    file: File,
    half: Option<PathBuf>,
    place: PathBuf,
}

impl Replacement {
    /// Begins a file that shall stand at `place`; its folder must be there.
    pub fn begin(place: &Path) -> Outcome<Replacement> {
        let Some(name) = place.file_name() else {
            return Err(Failure::usage(anyhow::anyhow!("{} names no file", place.display())));
        };
        let mut half = std::ffi::OsString::from(".");
        half.push(name);
        half.push(format!(".{}.half", std::process::id()));
        let half = place.with_file_name(half);
        // Nobody else has this process's number; what is there was left by one that is gone.
        let file = File::create(&half).or_environment(format_args!("cannot write {}", place.display()))?;
        Ok(Replacement { file, half: Some(half), place: place.to_owned() })
    }

    /// Where to write.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts the file in its place, and makes sure that it is on the disk first.
    pub fn finish(mut self) -> Outcome<()> {
        let put = || -> std::io::Result<()> {
            self.file.sync_all()?;
            if let Some(half) = &self.half {
                std::fs::rename(half, &self.place)?;
            }
            Ok(())
        };
        put().or_environment(format_args!("cannot write {}", self.place.display()))?;
        self.half = None;
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(half) = &self.half {
            // If it cannot be removed there is nothing better to do, and the failure that led here is already told.
            let _ = std::fs::remove_file(half);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_was_not_finished_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("out.csv");
        std::fs::write(&place, "old").unwrap();
        let mut replacement = Replacement::begin(&place).unwrap();
        replacement.file().write_all(b"ne").unwrap();
        drop(replacement);
        assert_eq!(
            (std::fs::read_to_string(&place).unwrap(), names(folder.path())),
            ("old".to_owned(), vec!["out.csv".to_owned()])
        );
        let mut replacement = Replacement::begin(&place).unwrap();
        replacement.file().write_all(b"new").unwrap();
        replacement.finish().unwrap();
        assert_eq!(
            (std::fs::read_to_string(&place).unwrap(), names(folder.path())),
            ("new".to_owned(), vec!["out.csv".to_owned()])
        );
    }
}
