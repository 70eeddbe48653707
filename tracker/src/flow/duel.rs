//! Dueling one suite that is built on both sides, with a look at the machine before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use super::enough::{Aim, Enough, Inputs};
use super::instructions::{Counting, UNCOUNTED};
use super::prepare::{BUILT_BYTES, Commanded, Start};
use super::results;
use crate::domain::{
    BenchmarkName, Bout, Contest, Duel, Kind, Life, Machine, Metric, Notes, Pattern, Policy, Readings, Side, SuiteName,
    Trouble,
};
use crate::failure::Failure;
use crate::judge::known::Known;
use crate::judge::neighbours::{FALSE_REDS, GATED_SERIES};
use crate::measure::command::duel::{Parties, Party, Undueled};
use crate::measure::command::{self, Results};
use crate::measure::count::Counter;
use crate::measure::duel::{self, DuelError, Fought, Options, Programs, Progress, SHORT};
use crate::measure::interrupt::Stop;
use crate::measure::lives::Stopped;
use crate::measure::machine::{self, Watch};
use crate::measure::pulse;
use crate::stats::looks::Sides;

/// The benchmark under which the size of what was built is compared.
pub(super) const PROGRAM: &str = "program";

/// The note that tells how many benchmarks a suite has that several jobs measure.
pub(super) const ALL_SHARDS: &str = "benchmarks of all shards";

/// The note that tells which benchmarks are left to runs.
const RUN_ONLY: &str = "left to runs";

/// What a duel's notes have to say to whoever reads the report.
pub(super) fn remarks(duel: &Duel) -> Vec<String> {
    let of_note = |note: &str, said: fn(&str) -> String| duel.notes.get(note).map(|value| said(value));
    let uncounted = of_note(UNCOUNTED, |why| format!("instructions that could not be counted: {why}"));
    let short = of_note(SHORT, |time| format!("the budget was too short by {time}; --budget gives more"));
    let left = of_note(RUN_ONLY, |patterns| format!("left to runs (run_only): what matches {patterns}"));
    uncounted.into_iter().chain(short).chain(left).collect()
}

/// One side, built.
pub(super) struct Ready {
    pub(super) start: Start,
    pub(super) side: Side,
    /// What was learned while building.
    pub(super) notes: Notes,
    /// A folder of its own.
    pub(super) scratch: PathBuf,
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
    pub(super) inputs: Inputs,
    pub(super) aim: Aim,
    /// What counts instructions, where they are wanted.
    pub(super) counter: Option<&'a Counter>,
    pub(super) stop: &'a Stop,
    pub(super) now_s: &'a dyn Fn() -> i64,
}

/// What came of it.
pub(super) enum Dueled {
    /// A duel, and over how many series the error budget was divided.
    Duel(Box<Duel>, usize),
    /// A side cannot be used.
    Broken {
        on_head: bool,
        why: String,
    },
    /// The environment failed.
    Failed(Failure),
    Stopped,
}

impl From<DuelError> for Dueled {
    fn from(error: DuelError) -> Dueled {
        match error {
            DuelError::Stopped => Dueled::Stopped,
            DuelError::Base(error) => Dueled::Broken { on_head: false, why: told(error.trouble()) },
            DuelError::Head(error) => Dueled::Broken { on_head: true, why: told(error.trouble()) },
        }
    }
}

impl From<Undueled> for Dueled {
    fn from(error: Undueled) -> Dueled {
        match error {
            Undueled::Stopped => Dueled::Stopped,
            Undueled::Broken { on_head, why } => Dueled::Broken { on_head, why },
            Undueled::Failed(error) => Dueled::Failed(Failure::environment(error)),
        }
    }
}

impl Job<'_> {
    /// Asks both sides what they offer, duels it, and looks at the machine before and after.
    pub(super) fn duel(&self, tell: &mut dyn FnMut(Progress<'_>)) -> Dueled {
        match self.fight(tell) {
            Ok((duel, series)) => Dueled::Duel(Box::new(duel), series),
            Err(ended) => ended,
        }
    }

    fn fight(&self, tell: &mut dyn FnMut(Progress<'_>)) -> Result<(Duel, usize), Dueled> {
        let started_at_s = (self.now_s)();
        let (before, watch) = (pulse::take(), Watch::begin());
        let mut notes = machine::conditions().notes();
        let begun = Instant::now();
        let unfought = self.unfought(started_at_s);
        let (fought, gated_series) = match (&self.base.start, &self.head.start) {
            (Start::Worker(base), Start::Worker(head)) => {
                self.workers(Programs { base, head }, unfought.clone(), tell)?
            }
            (Start::Command(base), Start::Command(head)) => self.commands((base, head), unfought.clone(), tell)?,
            _ => {
                let why = anyhow::anyhow!("suite {} is a worker on one side and a command on the other", self.suite);
                return Err(Dueled::Failed(Failure::environment(why)));
            }
        };
        notes.extend(watch.notes());
        for (side, ready) in [("base", self.base), ("head", self.head)] {
            notes.extend(ready.notes.iter().map(|(name, value)| (format!("{name} of {side}"), value.clone())));
        }
        notes.extend(fought.notes);
        notes.insert(GATED_SERIES.to_owned(), gated_series.to_string());
        notes.insert(FALSE_REDS.to_owned(), self.policy.false_reds.to_string());
        if let (true, without @ [_, ..]) = (self.options.filter.is_empty(), &self.options.without[..]) {
            let patterns: Vec<&str> = without.iter().map(Pattern::as_str).collect();
            notes.insert(RUN_ONLY.to_owned(), patterns.join(", "));
        }
        let mut bouts = fought.bouts;
        if let (Some(counting), Start::Worker(base), Start::Worker(head)) =
            (self.counting(), &self.base.start, &self.head.start)
        {
            tell(Progress::Counting);
            let (base, head) = ((base, &*self.base.scratch), (head, &*self.head.scratch));
            notes.extend(counting.of_duel(base, head, &mut bouts).map_err(|Stopped| Dueled::Stopped)?);
        }
        self.add_size(&mut bouts);
        let duel = Duel {
            elapsed_ns: u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX),
            notes,
            pulse: Some((before, pulse::take())),
            bouts,
            ..unfought
        };
        Ok((duel, gated_series))
    }

    fn counting(&self) -> Option<Counting<'_>> {
        let Options { limit, patience, .. } = self.options;
        Some(Counting { counter: self.counter?, timeout: patience.request, limit, stop: self.stop })
    }

    /// Duels by workers.
    fn workers(
        &self,
        programs: Programs<'_>,
        duel: Duel,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(Fought, usize), Dueled> {
        let mut offers = duel::offers(programs, &self.options, self.stop)?;
        // The whole suite's, also where this job measures a part of it.
        let gated_series = self.gated_series(offers.of_base());
        let all = offers.names();
        if let Some(share) = &self.options.share {
            let mine = share.of(&all);
            offers.retain(|name| mine.contains(name));
        }
        let mut rule = self.enough(duel, gated_series, Sides::Three);
        let mut fought = duel::run(programs, &offers, &self.options, (&mut rule, self.stop), tell)?;
        self.note_all(&mut fought, all.len());
        Ok((fought, gated_series))
    }

    /// Duels by processes of a command.
    fn commands(
        &self,
        (base, head): (&Commanded, &Commanded),
        duel: Duel,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(Fought, usize), Dueled> {
        let format = base.format;
        let parse = |results: Results<'_>| results::read(format, results);
        let [base, head] = [base, head].map(|side| Party { suite: &side.suite, list: side.list.as_ref() });
        let parties = Parties { base, head, parse: &parse };
        let begun = command::duel::begin(parties, &self.options, self.stop, tell)?;
        let offered = begun.of_base();
        let here = self.gated_series(offered.iter().map(|(name, metric)| (name, metric.clone())));
        let listed = begun.listed();
        let gated_series = match (listed, &self.options.share) {
            // What the others' benchmarks offer shows when they run; they are taken to be like those here.
            (Some((of_base, _)), Some(_)) => {
                let mine: BTreeSet<&BenchmarkName> = offered.iter().map(|(name, _)| name).collect();
                (here * of_base).div_ceil(mine.len().max(1)).max(of_base)
            }
            _ => here,
        };
        let mut rule = self.enough(duel, gated_series, Sides::Two);
        let mut fought = begun.run(&mut rule, tell)?;
        if let Some((_, all)) = listed {
            self.note_all(&mut fought, all);
        }
        Ok((fought, gated_series))
    }

    /// Notes how many benchmarks all jobs measure together, so that one that fell between them is missed.
    fn note_all(&self, fought: &mut Fought, all: usize) {
        if self.options.share.is_some() {
            fought.notes.insert(ALL_SHARDS.to_owned(), all.to_string());
        }
    }

    fn enough(&self, duel: Duel, gated_series: usize, sides: Sides) -> Enough<'_> {
        let Job { earlier, policy, known, inputs, aim, .. } = *self;
        Enough { aim, duel, earlier, policy, known, gated_series, inputs, sides }
    }

    /// Over how many series the error budget is divided, known before anything is measured. An exact metric counts too:
    /// one that turns out to differ from life to life is judged as a noisy one.
    fn gated_series<'b>(&self, offered: impl Iterator<Item = (&'b BenchmarkName, Metric)>) -> usize {
        let noisy = |metric: Metric| Metric { kind: Kind::Noisy, ..metric };
        let all: Vec<_> = offered.map(|(name, metric)| (name, noisy(metric))).collect();
        self.policy.gated_series(all.iter().map(|(name, metric)| (*name, metric)))
    }

    /// The size of what was built is a number of the binary like others, under a name of its own. Where no benchmark was
    /// dueled it must not pass for one.
    fn add_size(&self, bouts: &mut BTreeMap<BenchmarkName, Bout>) {
        let size = |ready: &Ready| Life::new(vec![ready.notes.get(BUILT_BYTES)?.parse().ok()?]).ok();
        let (Some(base), Some(head)) = (size(self.base), size(self.head)) else { return };
        let is_dueled = bouts.values().any(|bout| matches!(bout, Bout::Dueled(contests) if !contests.is_empty()));
        let Ok(name) = BenchmarkName::new(PROGRAM) else { return };
        let is_anothers = self.options.share.as_ref().is_some_and(|share| !share.is_first());
        if !is_dueled || is_anothers || !self.options.chooses(&name) || bouts.contains_key(&name) {
            return;
        }
        let (on_base, on_head) = (base.values()[0], head.values()[0]);
        let readings = Readings::Exact { base, head };
        bouts.insert(
            name,
            Bout::Dueled(vec![Contest { metric: Metric::size(), base: on_base, head: on_head, readings }]),
        );
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
            bouts: BTreeMap::new(),
        }
    }
}

fn told(Trouble { reason, stderr_tail, .. }: Trouble) -> String {
    format!("{reason}\n{stderr_tail}").trim_end().to_owned()
}
