//! The sides of a gate: laid out and built.

use super::{Event, Going, One, named};
use crate::config::Suite;
use crate::domain::{Commit, Subject, SuiteName};
use crate::failure::Outcome;
use crate::flow::duel::Ready;
use crate::flow::project::absent;
use crate::flow::side::{Built, Site};
use crate::repo::{Snapshot, Worktree};

/// So many first parents are tried where base does not build.
const MOST_STEPS_BACK: usize = 10;

impl Going<'_, '_> {
    /// Builds a suite on base, or on the nearest first parent that builds.
    pub(super) fn base(&mut self, name: &SuiteName, suite: &Suite) -> Outcome<Built> {
        let mut commit = self.ends.base.clone();
        let mut first_why = None;
        for _ in 0..=MOST_STEPS_BACK {
            let worktree = match self.bases.remove(&commit.id) {
                Some(worktree) => worktree,
                None => self.lay_out(&commit, None)?,
            };
            let built = self.build(name, suite, &Subject::Commit(commit.clone()), &worktree)?;
            // One that does not build leaves its place to the next.
            if !matches!(built, Built::No(_)) {
                self.bases.insert(commit.id.clone(), worktree);
            }
            let why = match built {
                // A base that knows nothing of suites has none, and neither have those before it.
                Built::No(why) if self.base_has_none => return Ok(Built::No(why)),
                Built::No(why) => why,
                built => return Ok(built),
            };
            let Some(parent) = self.project.repository.first_parent(&commit)? else {
                first_why.get_or_insert(why);
                break;
            };
            let (from, to) = (named(&commit), named(&parent));
            (self.tell)(Event::Remark(format!("suite {name} does not build on {from}; trying its first parent {to}")));
            first_why.get_or_insert(why);
            commit = parent;
        }
        let why = first_why.unwrap_or_default();
        Ok(Built::No(format!("it builds neither there nor on the commits before: {why}")))
    }

    /// Builds a suite on head, or says how it ends.
    pub(super) fn head(
        &mut self,
        name: &SuiteName,
        suite: &Suite,
        worktree: &Worktree,
    ) -> Outcome<Result<Box<Ready>, One>> {
        Ok(match self.build(name, suite, &self.ends.head, worktree)? {
            Built::Ready(ready) => Ok(ready),
            Built::No(why) => Err(One::Broken(why)),
            Built::Stopped => Err(One::Stopped),
        })
    }

    fn lay_out(&self, commit: &Commit, changes: Option<&Snapshot>) -> Outcome<Worktree> {
        Ok(self.bench.lay_out(&self.project.repository, commit, changes, absent(self.config))?)
    }

    fn build(&mut self, name: &SuiteName, suite: &Suite, subject: &Subject, worktree: &Worktree) -> Outcome<Built> {
        let mut progress = |line: &str| (self.tell)(Event::Building(subject, name, line));
        progress("");
        let (project, settings, stop) = (self.project, &self.config.build, self.stop);
        Site { project, suite: (name, suite), settings, stop }.build(subject, worktree, &mut progress)
    }
}
