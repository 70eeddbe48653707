//! After a run: the commit is dueled with the anchor, so that machines whose times cannot be compared share a line of
//! ratios. Where the anchor is a new one it is dueled with the old one first, which chains the two lines.

use std::time::Instant;

use super::second::told;
use super::{Event, Going, Next, Planned, Stage};
use crate::domain::{ANCHOR_NOTE, AnchorDuel, Commit, Policy, Subject};
use crate::failure::Outcome;
use crate::flow::anchored::TOOLCHAIN_OF_BASE;
use crate::flow::beside::{Against, Beside, Met};
use crate::flow::enough::Aim;
use crate::flow::project::absent;
use crate::flow::run::machine_of;
use crate::flow::side::Site;
use crate::record::{Store, Trust};
use crate::repo::Worktree;

impl Going<'_, '_> {
    /// Duels what was measured with the anchor, where the project has one.
    pub(super) fn anchor(&mut self, stage: &Stage, planned: &Planned, tree: &Worktree) -> Outcome<Next> {
        let wanted = stage.config.trend.anchor.as_ref().filter(|_| !self.request.no_anchor);
        // A working tree is part of no history.
        let (Some(name), Subject::Commit(head)) = (wanted, &stage.subject) else { return Ok(Next::GoOn) };
        let repository = &self.project.repository;
        let anchor = match repository.commit(name) {
            Ok(anchor) => anchor,
            Err(error) => {
                (self.tell)(Event::Unanchored(planned, &format!("{name} cannot be found: {error}")));
                return Ok(Next::GoOn);
            }
        };
        if anchor.id == head.id {
            return Ok(Next::GoOn);
        }
        let machine = machine_of(&stage.config);
        let last = Store::open(self.address)?.last_anchored(&planned.suite, &machine)?;
        if let Some(last) = last.filter(|last| last.base.subject.commit().id != anchor.id) {
            let is_chained = last.head.subject.commit().id == anchor.id;
            let old = last.base.subject.commit();
            let old_name = last.notes.get(ANCHOR_NOTE).map_or_else(|| old.id.short().to_owned(), Clone::clone);
            // The old anchor may be gone from the repository; then the new line begins by itself.
            if let (false, Ok(old)) = (is_chained, repository.commit(old.id.as_str())) {
                let tree = self.bench.lay_out(repository, &anchor, None, absent(&stage.config))?;
                if self.lay_down((stage, planned), (&anchor, &tree), (&old, &old_name))? == Next::Stop {
                    return Ok(Next::Stop);
                }
            }
        }
        self.lay_down((stage, planned), (head, tree), (&anchor, name))
    }

    /// Duels a commit with an anchor, and keeps the duel under its name.
    fn lay_down(
        &mut self,
        (stage, planned): (&Stage, &Planned),
        head: (&Commit, &Worktree),
        (anchor, name): (&Commit, &str),
    ) -> Outcome<Next> {
        let begun = Instant::now();
        let kept = Store::open(self.address)?.anchor_built_by(&planned.suite, &anchor.id, TOOLCHAIN_OF_BASE)?;
        let suite = (&planned.suite, &planned.settings);
        let site = Site { project: self.project, suite, settings: &stage.config.build, stop: self.stop };
        let commit = Beside {
            site,
            config: &stage.config,
            bench: self.bench,
            address: self.address,
            head,
            seed: self.request.seed,
            // The ratio to the anchor is one of times.
            counter: None,
            now_s: self.now_s,
        };
        let policy = Policy::default();
        let against = Against {
            base: anchor,
            called: "the anchor",
            filter: self.request.filter.clone(),
            budget: planned.settings.budget,
            policy: &policy,
            aim: Aim::Size,
            toolchain: kept,
        };
        let what = format!("dueling with the anchor {name}");
        let met = commit.duel(&against, &mut |step| told(planned, &what, &step, self.tell))?;
        match met {
            Met::Duel(mut duel, _, _) => {
                duel.notes.insert(ANCHOR_NOTE.to_owned(), name.to_owned());
                Store::open(self.address)?.record_duel(&duel, Trust::Trusted)?;
                let extra_ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
                let anchored = AnchorDuel { anchor: name.to_owned(), duel: *duel, extra_ns };
                (self.tell)(Event::Anchored(&anchored));
            }
            // The ratio of a program to itself is no news.
            Met::OneProgram => {}
            Met::Cannot(why) => (self.tell)(Event::Unanchored(planned, &why)),
            Met::Stopped => return Ok(Next::Stop),
        }
        Ok(Next::GoOn)
    }
}
