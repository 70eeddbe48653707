//! Putting a built program aside, so that building the other side does not write over it, and telling builds apart.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::domain::hex;
use crate::failure::{Classify, Outcome};
use crate::measure::child::Program;

/// The program with its executable copied to `place`: two commits are built in one target folder, and one build of cargo
/// may replace the other's.
pub(super) fn copied(program: Program, place: &Path) -> Outcome<Program> {
    let Some(executable) = program.executable() else { return Ok(program) };
    copy(&executable, place)?;
    Ok(program.moved_to(place))
}

/// Copies an executable to `place`.
pub(super) fn copy(executable: &Path, place: &Path) -> Outcome<()> {
    let copy = || -> io::Result<()> {
        place.parent().map_or(Ok(()), fs::create_dir_all)?;
        // Never written over in place: somebody may still run it.
        match fs::remove_file(place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::copy(executable, place).map(drop)
    };
    copy().or_environment(format!("putting {} aside", executable.display()))
}

/// The hash of the program, where it is one file that was built: a command of one word that names a file below one of
/// `folders`, and no script. An interpreter's hash, or a launcher's, says nothing of what it runs.
pub(super) fn hash(program: &Program, folders: &[&Path]) -> Outcome<Option<String>> {
    match program.executable().filter(|_| program.is_one_word()) {
        Some(executable) => hash_of(&executable, folders),
        None => Ok(None),
    }
}

/// The hash of a file that was built below one of `folders`, and is no script.
pub(super) fn hash_of(executable: &Path, folders: &[&Path]) -> Outcome<Option<String>> {
    if !folders.iter().any(|folder| executable.starts_with(folder)) {
        return Ok(None);
    }
    match fs::read(executable) {
        Ok(bytes) if bytes.starts_with(b"#!") => Ok(None),
        Ok(bytes) => Ok(Some(hex(&Sha256::digest(bytes)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).or_environment(format!("reading {}", executable.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::child::Environment;

    #[test]
    fn only_a_built_file_is_a_program_that_can_be_told_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::write(at.join("built"), b"\x7fELF 1").unwrap();
        fs::write(at.join("script"), b"#!/bin/sh\n").unwrap();
        let known = |words: &[&str]| {
            let program = Program::new(words.iter().copied(), at, Environment::worker()).unwrap();
            hash(&program, &[at]).unwrap().is_some()
        };
        assert!(known(&["./built"]));
        for unknown in [&["built"] as &[&str], &["./built", "x"], &["./script"], &["./gone"], &["/bin/sh"]] {
            assert!(!known(unknown), "{unknown:?}");
        }
    }

    #[test]
    fn what_was_put_aside_stays_when_the_next_build_writes_over_it() {
        let folder = tempfile::tempdir().unwrap();
        let (built, place) = (folder.path().join("built"), folder.path().join("aside/base"));
        fs::write(&built, "base").unwrap();
        let program = Program::new([&built], folder.path(), Environment::worker()).unwrap();
        let moved = copied(program, &place).unwrap();
        fs::write(&built, "head").unwrap();
        assert_eq!(moved.executable(), Some(place.clone()));
        assert_eq!(fs::read_to_string(place).unwrap(), "base");
    }
}
