//! A duel of suites that are no workers: processes of base and head in turns.
//!
//! What is started is a unit: one benchmark by name where the suite can list and select, else the whole suite. A life of
//! a unit is one process on each side, one right after the other. Lives come in blocks of two, in the order ABBA, and
//! which side begins is drawn for each block: so neither a drift nor the luck of going second can favour a side. Within a
//! round of lives the units stand in random order.
//!
//! The null control costs no process of its own: the two processes of base in a block are set against each other, in the
//! direction that was drawn.
//!
//! What is enough a [`Rule`] says, as in a duel of workers; decided units drop out, and who cannot reach the next look in
//! the time that is left does not go on.

mod unit;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use self::unit::{Came, Unit};
use super::{CommandError, CommandSuite, List, Once, Parse, list, process};
use crate::domain::{BenchmarkName, Bout, Metric, Notes, Share, Trouble};
use crate::measure::duel::{self, Fought, Options, Progress, Rule, Want};
use crate::measure::interrupt::Stop;
use crate::measure::order::Order;

/// Processes without which an exact metric is not known to be one.
const EXACT_LIVES: usize = 2;

/// A side, built: what runs it and what lists its benchmarks, where something does.
#[derive(Debug, Clone, Copy)]
pub struct Party<'a> {
    /// What runs it.
    pub suite: &'a CommandSuite,
    /// What lists its benchmarks, where it can run one by name.
    pub list: Option<&'a List>,
}

/// Base and head, and how both are understood.
#[derive(Clone, Copy)]
pub struct Parties<'a> {
    /// The side that is measured against.
    pub base: Party<'a>,
    /// The side that is judged.
    pub head: Party<'a>,
    /// What reads their results.
    pub parse: &'a Parse<'a>,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Base,
    Head,
}

impl Side {
    fn place(self) -> usize {
        usize::from(self == Side::Head)
    }
}

/// Why a suite could not be dueled at all.
#[derive(Debug, thiserror::Error)]
pub enum Undueled {
    /// A side cannot list its benchmarks, or its only process yields nothing.
    #[error("{why}")]
    Broken {
        /// Whether it is head.
        on_head: bool,
        /// What happened.
        why: String,
    },
    /// The machine failed us, not the suite.
    #[error(transparent)]
    Failed(CommandError),
    /// Somebody wants us to stop.
    #[error("stopped by a signal")]
    Stopped,
}

/// A duel whose first life is over, so that it is known what there is to judge.
pub struct Begun<'a> {
    parties: Parties<'a>,
    options: &'a Options,
    stop: &'a Stop,
    since: Instant,
    order: Order,
    units: Vec<Unit>,
    /// Benchmarks that only one side lists.
    lone: BTreeMap<BenchmarkName, Bout>,
    processes: u32,
    /// How many benchmarks base lists, and how many either side does, those of other jobs among them; none where a side
    /// runs whole.
    listed: Option<(usize, usize)>,
    /// By side, how many whole processes ended badly after results, and what the first said.
    ended_badly: [Option<(u32, String)>; 2],
}

/// Lists both sides, and gives each unit one life as far as the budget goes.
pub fn begin<'a>(
    parties: Parties<'a>,
    options: &'a Options,
    stop: &'a Stop,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Begun<'a>, Undueled> {
    let since = Instant::now();
    let (base, head) = (names(parties.base, false, stop)?, names(parties.head, true, stop)?);
    let mut duel = Begun {
        parties,
        options,
        stop,
        since,
        order: Order::new(options.seed),
        units: Vec::new(),
        lone: BTreeMap::new(),
        processes: 0,
        listed: None,
        ended_badly: [None, None],
    };
    match (base, head) {
        (Some(base), Some(head)) => {
            let (base, head) = duel.divide(base, head);
            let lone = |of: &BTreeSet<BenchmarkName>, other: &BTreeSet<BenchmarkName>, bout: Bout| {
                let chosen = of.difference(other).filter(|name| options.chooses(name)).cloned();
                chosen.map(|name| (name, bout.clone())).collect::<Vec<_>>()
            };
            duel.lone.extend(lone(&base, &head, Bout::Missing));
            duel.lone.extend(lone(&head, &base, Bout::New));
            let both = base.intersection(&head).filter(|name| options.chooses(name));
            duel.units = both.map(|name| Unit::new(Some(name.clone()))).collect();
        }
        // What cannot be divided is the first job's.
        _ if options.share.as_ref().is_none_or(Share::is_first) => duel.units.push(Unit::new(None)),
        _ => {}
    }
    tell(Progress::Listed { benchmarks: duel.units.len() });
    duel.round(&(0..duel.units.len()).collect::<Vec<_>>(), tell)?;
    duel.check_whole()?;
    Ok(duel)
}

/// The benchmarks that a side can run by name; none where it runs whole.
fn names(party: Party<'_>, on_head: bool, stop: &Stop) -> Result<Option<BTreeSet<BenchmarkName>>, Undueled> {
    if !party.suite.timed.is_empty() {
        return Ok(Some(party.suite.timed.keys().cloned().collect()));
    }
    let Some(how) = party.list else { return Ok(None) };
    match list(party.suite, how, stop) {
        Ok(listed) => Ok(Some(listed.names.into_iter().collect())),
        Err(CommandError::Stopped) => Err(Undueled::Stopped),
        Err(error @ CommandError::List { .. }) => Err(Undueled::Broken { on_head, why: error.to_string() }),
        Err(error) => Err(Undueled::Failed(error)),
    }
}

/// What a unit wants whose benchmarks run together: as much as any that is not decided, else as little as any.
fn together(all: &[Want]) -> Option<Want> {
    let open: Vec<&Want> = all.iter().filter(|want| !want.is_decided).collect();
    if open.is_empty() {
        return all.iter().min_by_key(|want| want.next.max(want.enough)).copied();
    }
    let (next, enough) = (open.iter().map(|want| want.next).max()?, open.iter().map(|want| want.enough).max()?);
    Some(Want { next, enough, is_decided: false })
}

impl Begun<'_> {
    /// Leaves to other jobs what is theirs.
    fn divide(
        &mut self,
        mut base: BTreeSet<BenchmarkName>,
        mut head: BTreeSet<BenchmarkName>,
    ) -> (BTreeSet<BenchmarkName>, BTreeSet<BenchmarkName>) {
        for side in [&mut base, &mut head] {
            side.retain(|name| self.options.chooses(name));
        }
        let all: BTreeSet<BenchmarkName> = base.union(&head).cloned().collect();
        self.listed = Some((base.len(), all.len()));
        if let Some(share) = &self.options.share {
            let mine = share.of(&all);
            for side in [&mut base, &mut head] {
                side.retain(|name| mine.contains(name));
            }
        }
        (base, head)
    }

    /// How many benchmarks base lists, and how many either side does, those of other jobs among them; none where a side
    /// runs whole.
    #[must_use]
    pub fn listed(&self) -> Option<(usize, usize)> {
        self.listed
    }

    /// Each metric of each benchmark that base offers: what can be judged. Of what was not reached, its time.
    #[must_use]
    pub fn of_base(&self) -> Vec<(BenchmarkName, Metric)> {
        let mut found: Vec<_> = self.units.iter().flat_map(Unit::of_base).collect();
        let gone = self.lone.iter().filter(|(_, bout)| **bout == Bout::Missing);
        found.extend(gone.map(|(name, _)| (name.clone(), Metric::time())));
        found.retain(|(name, _)| self.tells(name));
        found
    }

    /// Goes on until `rule` has enough or the time is spent.
    pub fn run(mut self, rule: &mut dyn Rule, tell: &mut dyn FnMut(Progress<'_>)) -> Result<Fought, Undueled> {
        let (next, enough) = (rule.first_look(), rule.least_for_a_finding());
        let noisy = Want { next, enough, is_decided: false };
        let exact = Want { next: EXACT_LIVES, enough: EXACT_LIVES, is_decided: false };
        let target = |unit: &Unit| if unit.is_exact() { exact } else { noisy };
        let mut targets: Vec<(usize, Want)> =
            self.units.iter().enumerate().map(|(index, unit)| (index, target(unit))).collect();
        // A rule that knows of earlier lives may have enough of the first one, or name more: it is asked in any case.
        targets.retain(|&(index, target)| self.units[index].wants_lives(target.next));
        loop {
            if !targets.is_empty() {
                let (decided, open): (Vec<_>, Vec<_>) = targets.iter().partition(|(_, want)| want.is_decided);
                let affordable =
                    [&open, &decided].map(|these| self.affordable(these)).into_iter().find(|these| !these.is_empty());
                let Some(affordable) = affordable else { return Ok(self.conclude(&open)) };
                targets.retain(|(index, _)| affordable.contains(index));
            }
            while !targets.is_empty() {
                let open: Vec<usize> = targets.iter().map(|&(index, _)| index).collect();
                let lives = self.lives();
                self.round(&open, tell)?;
                targets.retain(|&(index, target)| self.units[index].wants_lives(target.next));
                if self.lives() == lives {
                    break;
                }
            }
            let wants = rule.wants(&self.bouts());
            let wanted = |(index, unit): (usize, &Unit)| {
                let all: Vec<Want> = unit.names().into_iter().filter_map(|name| wants.get(name)).copied().collect();
                Some((index, together(&all)?))
            };
            targets = self.units.iter().enumerate().filter_map(wanted).collect();
            targets.retain(|&(index, target)| self.units[index].wants_lives(target.next));
            if targets.is_empty() {
                return Ok(self.conclude(&[]));
            }
        }
    }

    fn left(&self) -> Duration {
        self.options.budget.saturating_sub(self.since.elapsed())
    }

    fn lives(&self) -> usize {
        self.units.iter().map(Unit::lives).sum()
    }

    /// Those that can have all the lives that they need in the time that is left, the cheapest first.
    fn affordable(&self, targets: &[(usize, Want)]) -> BTreeSet<usize> {
        let mut costs: Vec<(Duration, usize)> = targets.iter().map(|target| (self.cost_of(target), target.0)).collect();
        costs.sort_unstable();
        let mut left = self.left();
        let fits = |&(cost, _): &(Duration, usize)| match left.checked_sub(cost) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        };
        costs.into_iter().take_while(fits).map(|(_, index)| index).collect()
    }

    fn cost_of(&self, &(index, want): &(usize, Want)) -> Duration {
        self.units[index].cost_to(want.next.max(want.enough))
    }

    /// One life for each of these, in random order, as far as the budget goes. The very first of all comes in any case.
    fn round(&mut self, open: &[usize], tell: &mut dyn FnMut(Progress<'_>)) -> Result<(), Undueled> {
        let mut order = open.to_vec();
        self.order.shuffle(&mut order);
        tell(Progress::Life { benchmarks: open.len(), left: self.left() });
        for index in order {
            let is_first = self.processes == 0;
            if !is_first && self.units[index].cost().max(Duration::from_nanos(1)) > self.left() {
                continue;
            }
            self.life(index, tell)?;
        }
        Ok(())
    }

    /// One process of a unit on each side.
    fn life(&mut self, index: usize, tell: &mut dyn FnMut(Progress<'_>)) -> Result<(), Undueled> {
        let mut sides = [Side::Base, Side::Head];
        if self.units[index].lives().is_multiple_of(2) {
            self.order.shuffle(&mut sides);
            self.units[index].begin_block(sides[0] == Side::Head);
        } else if !self.units[index].head_began() {
            sides.reverse();
        }
        let mut came: [Option<Came>; 2] = [None, None];
        let name = self.units[index].name().cloned();
        for side in sides {
            let once = self.process(side, name.as_ref())?;
            self.note_bad_end(side, &once, name.is_none());
            came[side.place()] = Some(Came::of(once, name.as_ref()));
        }
        let [Some(base), Some(head)] = came else { return Ok(()) };
        for (benchmark, trouble) in self.units[index].take(base, head) {
            tell(Progress::Failed { benchmark: &benchmark, trouble: &trouble });
        }
        Ok(())
    }

    fn process(&mut self, side: Side, name: Option<&BenchmarkName>) -> Result<Once, Undueled> {
        let party = if side == Side::Head { self.parties.head } else { self.parties.base };
        self.processes += 1;
        match process(party.suite, name, self.parties.parse, self.stop, &mut |_| ()) {
            Ok(once) => Ok(once),
            Err(CommandError::Stopped) => Err(Undueled::Stopped),
            Err(CommandError::Child(error)) => {
                Err(Undueled::Broken { on_head: side == Side::Head, why: error.to_string() })
            }
            Err(error) => Err(Undueled::Failed(error)),
        }
    }

    fn note_bad_end(&mut self, side: Side, once: &Once, is_whole: bool) {
        if let (true, Some(trouble)) = (is_whole, &once.trouble) {
            let (count, _) = self.ended_badly[side.place()].get_or_insert((0, trouble.reason.clone()));
            *count += 1;
        }
    }

    /// A whole suite that yields nothing at all is broken, and there is no benchmark to say it of.
    fn check_whole(&self) -> Result<(), Undueled> {
        let [unit] = &self.units[..] else { return Ok(()) };
        match unit.fruitless() {
            Some((on_head, Trouble { reason, stderr_tail, .. })) if unit.name().is_none() => {
                let why = format!("{reason}\n{stderr_tail}").trim_end().to_owned();
                Err(Undueled::Broken { on_head, why })
            }
            _ => Ok(()),
        }
    }

    /// Whether a benchmark was asked for. One that belongs to a unit that was asked for by its name was, too.
    fn tells(&self, name: &BenchmarkName) -> bool {
        self.options.chooses(name)
            || self.units.iter().any(|unit| unit.name().is_some() && unit.names().contains(&name))
    }

    fn bouts(&self) -> BTreeMap<BenchmarkName, Bout> {
        let mut bouts: BTreeMap<_, _> = self.units.iter().flat_map(Unit::bouts).collect();
        bouts.retain(|name, _| self.tells(name));
        bouts
    }

    /// What is to be said of it all, when these are not decided.
    fn conclude(self, open: &[(usize, Want)]) -> Fought {
        let mut bouts = self.bouts();
        let mut notes = Notes::from([
            ("processes".to_owned(), self.processes.to_string()),
            ("time left".to_owned(), format!("{:.1} s", self.left().as_secs_f64())),
        ]);
        let short = duel::short(open.iter().map(|target| self.cost_of(target)), self.left());
        notes.extend(short.map(|short| (duel::SHORT.to_owned(), short)));
        for (ended, side) in self.ended_badly.iter().zip(["base", "head"]) {
            if let Some((count, first)) = ended {
                notes.insert(format!("ended badly on {side}"), format!("{count} processes, the first: {first}"));
            }
        }
        bouts.extend(self.lone);
        Fought { bouts, notes }
    }
}

#[cfg(test)]
mod tests;
