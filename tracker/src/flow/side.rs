//! Building a suite at a commit so that it can be dueled, whatever is built after it.

use super::aside;
use super::duel::Ready;
use super::prepare::{Start, Unprepared, folder_name, prepare};
use super::project::Project;
use crate::config::{Build, Source, Suite};
use crate::domain::{Side, Subject, SuiteName};
use crate::failure::Outcome;
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
    /// Builds a suite in a worktree, and puts what was built aside.
    pub(super) fn build(
        &self,
        subject: &Subject,
        worktree: &Worktree,
        progress: &mut dyn FnMut(&str),
    ) -> Outcome<Built> {
        let (name, suite) = self.suite;
        let prepared = prepare(self.project, worktree, (name, suite), self.settings, self.stop, progress);
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(Unprepared::Stopped) => return Ok(Built::Stopped),
            Err(Unprepared::Failed(failure)) => return Err(failure),
            Err(Unprepared::DoesNotBuild(error)) => return Ok(Built::No(error.to_string())),
        };
        let keep = worktree.keep();
        let (start, hash) = match prepared.start {
            Start::Worker(program) => {
                let place = keep.join("dueled").join(folder_name(name));
                let is_shared = matches!(suite.source, Source::Cargo { .. });
                let program = if is_shared { aside::copied(program, &place)? } else { program };
                let hash = aside::hash(&program, &[worktree.path(), &keep])?;
                (Start::Worker(program), hash)
            }
            Start::Command(commanded) => {
                let built = commanded.program.as_deref();
                let hash = built.map(|built| aside::hash_of(built, &[worktree.path(), &keep])).transpose()?;
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
