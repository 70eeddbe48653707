//! After a run: its points are judged, and the suspects among them measured again.

use super::{Confirm, Event, Going, Next, Planned, Stage};
use crate::domain::{Run, Subject};
use crate::failure::Outcome;
use crate::flow::beside::{Beside, Step};
use crate::flow::confirm::{Looked, Second};
use crate::flow::follow;
use crate::flow::instructions;
use crate::flow::side::Site;
use crate::measure::duel::Progress;
use crate::record::Store;
use crate::repo::Worktree;

impl Going<'_, '_> {
    /// Judges the new points by the past of their series, and looks again at those that are out of line.
    pub(super) fn follow(&mut self, stage: &Stage, planned: &Planned, tree: &Worktree, run: &Run) -> Outcome<Next> {
        let trend = &stage.config.trend;
        let mut store = Store::open(self.address)?;
        let followed = follow::follow(&mut store, &self.project.repository, run, trend.size)?;
        drop(store);
        (self.tell)(Event::Followed(run, &followed));
        let suspects = followed.suspects();
        let wanted = trend.confirm && self.request.confirm == Confirm::Configured && !suspects.is_empty();
        // A working tree has no parent that the history knows; it is never a baseline, and the gate compares it.
        let (true, Subject::Commit(head)) = (wanted, &stage.subject) else { return Ok(Next::GoOn) };
        let suite = (&planned.suite, &planned.settings);
        let second = Second {
            commit: Beside {
                site: Site { project: self.project, suite, settings: &stage.config.build, stop: self.stop },
                config: &stage.config,
                bench: self.bench,
                address: self.address,
                head: (head, tree),
                seed: self.request.seed,
                counter: self.counter.as_ref().filter(|_| instructions::wants(&planned.settings)),
                now_s: self.now_s,
            },
            suspects: &suspects,
            budget: self.request.confirm_budget.unwrap_or(trend.confirm_budget),
        };
        let looked = second.look(&mut |step| told(planned, "looking again", &step, self.tell))?;
        match looked {
            Looked::Again(confirmation) => (self.tell)(Event::Confirmed(run, &confirmation)),
            Looked::Cannot(why) => (self.tell)(Event::Unconfirmed(planned, &why)),
            Looked::Stopped => return Ok(Next::Stop),
        }
        Ok(Next::GoOn)
    }
}

/// Says how a duel beside the run goes on.
pub(super) fn told(planned: &Planned, what: &str, step: &Step<'_>, tell: &mut dyn FnMut(Event<'_>)) {
    match step {
        Step::Building(subject, line) => {
            let line = format!("{what}: building {} {line}", subject.commit().id.short());
            tell(Event::Beside(planned, line.trim_end()));
        }
        Step::Dueling(Progress::Life { .. }) => tell(Event::Beside(planned, &format!("{what}: another life"))),
        Step::Dueling(_) => {}
    }
}
