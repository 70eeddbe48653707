//! A suite that base does not have yet, as in the change that brings the first benchmarks: there is nothing to compare
//! with, and that is no fault of the change. It is shown to run on head, so that the next change finds a base.

use super::{Going, One};
use crate::config::Suite;
use crate::domain::{BenchmarkName, Bout, Duel, SuiteName, Trouble};
use crate::failure::Outcome;
use crate::flow::duel::{Dueled, Job};
use crate::flow::enough::{Aim, Inputs};
use crate::flow::run::machine_of;
use crate::judge::known::Known;
use crate::measure::duel::Options;
use crate::repo::Worktree;

impl Going<'_, '_> {
    /// Builds a suite on head and measures it briefly against itself; `lacks` is why base cannot be compared with.
    pub(super) fn new_suite(
        &mut self,
        name: &SuiteName,
        suite: &Suite,
        head_tree: &Worktree,
        lacks: &str,
    ) -> Outcome<One> {
        let head = match self.head(name, suite, head_tree)? {
            Ok(ready) => ready,
            Err(ended) => return Ok(ended),
        };
        let mut options = Options::new(suite.budget, suite.timeout, self.request.seed);
        options.filter.clone_from(&self.request.filter);
        let job = Job {
            suite: name,
            machine: machine_of(self.config),
            base: &head,
            head: &head,
            options,
            policy: &self.config.policy,
            known: &Known::default(),
            earlier: &[],
            inputs: Inputs::Same,
            aim: Aim::Verdict,
            counter: None,
            stop: self.stop,
            now_s: self.now_s,
        };
        match job.duel(&mut |progress| (self.tell)(super::Event::Dueling(name, progress))) {
            Dueled::Duel(duel, _) => Ok(One::New(format!("{}; {}", self.nothing_there(lacks), shown(&duel)))),
            Dueled::Broken { why, .. } => Ok(One::Broken(why)),
            Dueled::Failed(failure) => Err(failure),
            Dueled::Stopped => Ok(One::Stopped),
        }
    }

    fn nothing_there(&self, lacks: &str) -> String {
        let last = lacks.trim_end().lines().last().unwrap_or_default().trim();
        let file = crate::config::FILE_NAME;
        format!("base {} has no {file}, and the suite cannot be used there ({last})", self.ends.base.id.short())
    }
}

/// What became of its benchmarks on head.
fn shown(duel: &Duel) -> String {
    let failed = |(name, bout): (&BenchmarkName, &Bout)| match bout {
        Bout::Failed { trouble: Trouble { reason, .. }, .. } => Some(format!("{name} ({reason})")),
        _ => None,
    };
    let failed: Vec<String> = duel.bouts.iter().filter_map(failed).collect();
    // The program's size stands among them under a name of its own.
    let is_benchmark = |(name, bout): &(&BenchmarkName, &Bout)| {
        matches!(bout, Bout::Dueled(_)) && name.as_str() != crate::flow::duel::PROGRAM
    };
    let count = duel.bouts.iter().filter(is_benchmark).count();
    let works = match count {
        0 => "on head none of its benchmarks runs".to_owned(),
        1 => "on head its benchmark runs, and the next change will be compared with it".to_owned(),
        _ => format!("on head its {count} benchmarks run, and the next change will be compared with them"),
    };
    if failed.is_empty() { works } else { format!("{works}; failed on head: {}", failed.join(", ")) }
}
