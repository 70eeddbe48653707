//! Dueling one suite that is built on both sides, with a look at the machine before and after.

use std::time::Instant;

use super::enough::Enough;
use crate::domain::{Duel, Kind, Machine, Metric, Notes, Policy, Side, SuiteName, Trouble};
use crate::judge::known::Known;
use crate::measure::child::Program;
use crate::measure::duel::{self, DuelError, Options, Programs, Progress};
use crate::measure::interrupt::Stop;
use crate::measure::machine::{self, Watch};
use crate::measure::pulse;

/// One side, built.
pub(super) struct Ready {
    pub(super) program: Program,
    pub(super) side: Side,
    /// What was learned while building.
    pub(super) notes: Notes,
}

/// One suite that is to be dueled.
pub(super) struct Job<'a> {
    pub(super) suite: &'a SuiteName,
    pub(super) machine: Machine,
    pub(super) base: &'a Ready,
    pub(super) head: &'a Ready,
    pub(super) options: Options,
    pub(super) policy: &'a Policy,
    pub(super) known: &'a Known,
    /// Earlier duels of the same sides.
    pub(super) earlier: &'a [Duel],
    pub(super) stop: &'a Stop,
    pub(super) now_s: &'a dyn Fn() -> i64,
}

/// What came of it.
pub(super) enum Dueled {
    /// A duel, and over how many series the error budget was divided.
    Duel(Box<Duel>, usize),
    /// A side's worker cannot be used.
    Broken {
        on_head: bool,
        why: String,
    },
    Stopped,
}

impl Job<'_> {
    /// Asks both sides what they offer, duels it, and looks at the machine before and after.
    pub(super) fn duel(&self, tell: &mut dyn FnMut(Progress<'_>)) -> Dueled {
        match self.fight(tell) {
            Ok((duel, series)) => Dueled::Duel(Box::new(duel), series),
            Err(DuelError::Stopped) => Dueled::Stopped,
            Err(DuelError::Base(error)) => Dueled::Broken { on_head: false, why: told(error.trouble()) },
            Err(DuelError::Head(error)) => Dueled::Broken { on_head: true, why: told(error.trouble()) },
        }
    }

    fn fight(&self, tell: &mut dyn FnMut(Progress<'_>)) -> Result<(Duel, usize), DuelError> {
        let started_at_s = (self.now_s)();
        let (before, watch) = (pulse::take(), Watch::begin());
        let mut notes = machine::conditions().notes();
        let begun = Instant::now();
        let programs = Programs { base: &self.base.program, head: &self.head.program };
        let offers = duel::offers(programs, &self.options, self.stop)?;
        let gated_series = self.gated_series(&offers);
        let (duel, earlier) = (self.unfought(started_at_s), self.earlier);
        let mut rule = Enough { duel, earlier, policy: self.policy, known: self.known, gated_series };
        let fought = duel::run(programs, &offers, &self.options, (&mut rule, self.stop), tell)?;
        notes.extend(watch.notes());
        for (side, ready) in [("base", self.base), ("head", self.head)] {
            notes.extend(ready.notes.iter().map(|(name, value)| (format!("{name} of {side}"), value.clone())));
        }
        notes.extend(fought.notes);
        notes.insert("gated series".to_owned(), gated_series.to_string());
        let duel = Duel {
            elapsed_ns: u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX),
            notes,
            pulse: Some((before, pulse::take())),
            bouts: fought.bouts,
            ..rule.duel
        };
        Ok((duel, gated_series))
    }

    /// Over how many series the error budget is divided, known before anything is measured. An exact metric counts too:
    /// one that turns out to differ from life to life is judged as a noisy one.
    fn gated_series(&self, offers: &duel::Offers) -> usize {
        let noisy = |metric: Metric| Metric { kind: Kind::Noisy, ..metric };
        let all: Vec<_> = offers.of_base().map(|(name, metric)| (name, noisy(metric))).collect();
        self.policy.gated_series(all.iter().map(|(name, metric)| (*name, metric)))
    }

    fn unfought(&self, started_at_s: i64) -> Duel {
        Duel {
            suite: self.suite.clone(),
            base: self.base.side.clone(),
            head: self.head.side.clone(),
            machine: self.machine.clone(),
            started_at_s,
            elapsed_ns: 0,
            seed: self.options.seed,
            notes: Notes::new(),
            pulse: None,
            bouts: std::collections::BTreeMap::new(),
        }
    }
}

fn told(Trouble { reason, stderr_tail, .. }: Trouble) -> String {
    format!("{reason}\n{stderr_tail}").trim_end().to_owned()
}
