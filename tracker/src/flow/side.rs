//! Building a suite at a commit so that it can be dueled, and telling builds apart.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::duel::Ready;
use super::prepare::{Start, Unprepared, folder_name, prepare};
use super::project::Project;
use crate::config::{Build, Suite};
use crate::domain::{Side, Subject, SuiteName, hex};
use crate::failure::{Classify, Outcome};
use crate::measure::child::Program;
use crate::measure::interrupt::Stop;
use crate::repo::Worktree;

/// What became of one side.
pub(super) enum Built {
    Ready(Box<Ready>),
    No(String),
    Stopped,
}

/// What is built, and how.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) project: &'a Project,
    pub(super) suite: (&'a SuiteName, &'a Suite),
    pub(super) settings: &'a Build,
    pub(super) stop: &'a Stop,
}

impl Site<'_> {
    /// Builds a suite in a worktree.
    pub(super) fn build(
        &self,
        subject: &Subject,
        worktree: &Worktree,
        progress: &mut dyn FnMut(&str),
    ) -> Outcome<Built> {
        let (name, suite) = self.suite;
        let prepared = prepare(worktree, (name, suite), self.settings, self.stop, progress);
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(Unprepared::Stopped) => return Ok(Built::Stopped),
            Err(Unprepared::Failed(failure)) => return Err(failure),
            Err(Unprepared::DoesNotBuild(error)) => return Ok(Built::No(error.to_string())),
        };
        let keep = worktree.keep();
        let (start, hash) = match prepared.start {
            Start::Worker(program) => {
                let hash = hash(&program, &[worktree.path(), &keep])?;
                (Start::Worker(program), hash)
            }
            Start::Command(commanded) => {
                let built = commanded.program.as_deref();
                let hash = built.map(|built| hash_of(built, &[worktree.path(), &keep])).transpose()?;
                (Start::Command(commanded), hash.flatten())
            }
        };
        let side = Side { subject: subject.clone(), program: hash };
        Ok(Built::Ready(Box::new(Ready {
            start,
            side,
            notes: prepared.notes,
            scratch: keep.join("counts").join(folder_name(name)),
        })))
    }
}

/// The hash of the program, where it is one file that was built: a command of one word that names a file below one of
/// `folders`, and no script. An interpreter's hash, or a launcher's, says nothing of what it runs.
fn hash(program: &Program, folders: &[&Path]) -> Outcome<Option<String>> {
    match program.executable().filter(|_| program.is_one_word()) {
        Some(executable) => hash_of(&executable, folders),
        None => Ok(None),
    }
}

/// The hash of a file that was built below one of `folders`, and is no script.
fn hash_of(executable: &Path, folders: &[&Path]) -> Outcome<Option<String>> {
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
}
