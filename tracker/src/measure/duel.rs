//! A duel: base and head of one suite, measured alternately on the same processors.
//!
//! Three workers live at a time: base, head, and base once more as the null control. First each benchmark is rehearsed:
//! both sides' answers are checked, and base's iterations are calibrated; all sides run that number. Then come lives. In
//! each, a few benchmarks are put in random order and served by three fresh workers (`trio`): a benchmark is set up
//! and warmed up on all three, then slices alternate in rounds, in an order that is drawn for each life (`meet`).
//!
//! What is enough is not for this room to say: a [`Rule`] hears what was read and names the lives that are still wanted.
//! Decided benchmarks drop out, and the others get their time (`share`).

mod crew;
mod meet;
mod offers;
mod share;
mod state;
mod trio;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use self::crew::Crew;
use self::meet::Side;
use self::offers::Pair;
pub use self::offers::{Offers, offers};
use self::share::{Claim, Need};
use self::state::State;
use super::child::Program;
use super::child::urgent::{self, PRIORITY, Urgent};
use super::cores::Pinned;
use super::interrupt::Stop;
use super::lives::{Lives, Manner, Stopped, Unserved};
use super::order::Order;
use super::protocol::Answer;
use super::visit::rehearse;
use super::worker::{Patience, WorkerError};
use crate::domain::{BenchmarkName, Bout, Notes, Pattern, Share, Trouble};

/// What a rehearsal takes, as long as nothing is known.
const USUAL_REHEARSAL: Duration = Duration::from_millis(100);

/// What a duel is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The time that measuring may take. Each benchmark gets one life whatever it says.
    pub budget: Duration,
    /// The time after which no benchmark is begun, whether it was measured or not.
    pub limit: Duration,
    /// What random orders follow from.
    pub seed: u64,
    /// How long workers may take.
    pub patience: Patience,
    /// Which benchmarks; all if empty, else those that any pattern matches.
    pub filter: Vec<Pattern>,
    /// Which to leave out where no filter asks for them.
    pub without: Vec<Pattern>,
    /// This job's part of those; all of them if none.
    pub share: Option<Share>,
}

impl Options {
    /// A duel of so much time, for benchmarks that may keep silent for `timeout`.
    #[must_use]
    pub fn new(budget: Duration, timeout: Duration, seed: u64) -> Options {
        let limit = (10 * budget).max(Duration::from_mins(10));
        let (filter, without) = (Vec::new(), Vec::new());
        Options { budget, limit, seed, patience: Patience::of(timeout), filter, without, share: None }
    }

    /// Whether a benchmark is chosen.
    #[must_use]
    pub fn chooses(&self, name: &BenchmarkName) -> bool {
        let is_in = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name.as_str()));
        if self.filter.is_empty() { !is_in(&self.without) } else { is_in(&self.filter) }
    }
}

/// The programs that start the workers of the two sides.
#[derive(Debug, Clone, Copy)]
pub struct Programs<'a> {
    /// Base's, which the null control runs too.
    pub base: &'a Program,
    /// Head's.
    pub head: &'a Program,
}

/// Says what is enough.
pub trait Rule {
    /// The lives after which it wants to be asked for the first time.
    fn first_look(&self) -> usize;
    /// The lives without which there can be no finding.
    fn least_for_a_finding(&self) -> usize;
    /// The lives that time is put by for, so that it is not over when the least number has not been enough.
    fn lives_to_plan(&self) -> usize {
        self.least_for_a_finding()
    }
    /// By benchmark, the lives that it wants. What it does not name is decided.
    fn wants(&mut self, bouts: &BTreeMap<BenchmarkName, Bout>) -> BTreeMap<BenchmarkName, Want>;
}

/// The lives that a benchmark is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// After so many the rule asks again.
    pub next: usize,
    /// Who cannot have so many gets none while others can: fewer hardly decide anything.
    pub enough: usize,
    /// It is decided, and more lives only make it surer: it comes after those that are not.
    pub is_decided: bool,
}

/// What a duel yielded.
#[derive(Debug, Clone, PartialEq)]
pub struct Fought {
    /// What became of each benchmark that was chosen.
    pub bouts: BTreeMap<BenchmarkName, Bout>,
    /// How it was measured.
    pub notes: Notes,
}

/// Why a suite could not be dueled at all.
#[derive(Debug, thiserror::Error)]
pub enum DuelError {
    /// Base's worker does not start, greet or list.
    #[error("the suite's worker cannot be used on base")]
    Base(#[source] WorkerError),
    /// Head's does not.
    #[error("the suite's worker cannot be used on head")]
    Head(#[source] WorkerError),
    /// Somebody wants us to stop.
    #[error("stopped by a signal")]
    Stopped,
}

impl From<Stopped> for DuelError {
    fn from(Stopped: Stopped) -> DuelError {
        DuelError::Stopped
    }
}

/// What a duel says while it goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress<'a> {
    /// Both sides are known.
    Listed {
        /// How many benchmarks both have.
        benchmarks: usize,
    },
    /// Another life begins.
    Life {
        /// How many benchmarks get one.
        benchmarks: usize,
        /// What is left of the budget.
        left: Duration,
    },
    /// All is measured, and what is counted is being counted.
    Counting,
    /// A benchmark failed.
    Failed {
        /// Which.
        benchmark: &'a BenchmarkName,
        /// Why.
        trouble: &'a Trouble,
    },
}

/// Measures what both sides offer until `rule` has enough or the time is spent. `tell` hears how it goes.
pub fn run(
    programs: Programs<'_>,
    offers: &Offers,
    options: &Options,
    (rule, stop): (&mut dyn Rule, &Stop),
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Fought, DuelError> {
    let begun = Instant::now();
    let until = begun + options.limit;
    let lives = |program| Lives::new(program, options.patience, until, stop);
    let all = [lives(programs.base), lives(programs.head), lives(programs.base)];
    let mut crew = Crew::new(all, offers.share_layouts);
    let pairs = offers.common();
    tell(Progress::Listed { benchmarks: pairs.len() });
    // Where the workers are the tracker wakes them without waking another processor first, as in a solo run.
    let _here = Pinned::here(crew.lives()[0].cpus(1));
    // Not where the workers' only processor is everybody's.
    let urgent = if crew.lives()[0].cpus_beside(1).is_empty() { None } else { Urgent::here() };
    let states = pairs.iter().map(|_| State::New).collect();
    let order = Order::new(options.seed);
    let is_urgent = urgent.is_some();
    let mut running = Running { pairs: &pairs, states, order, begun, options, tell, is_urgent };
    running.rehearse(&mut crew)?;
    let open = running.fight(&mut crew, rule)?;
    crew.close();
    let short = short(open.iter().map(Need::least_cost), running.left());
    let mut fought = running.conclude(&mut crew, offers);
    fought.notes.extend(short.map(|short| (SHORT.to_owned(), short)));
    fought.notes.insert(PRIORITY.to_owned(), urgent::said(is_urgent).to_owned());
    Ok(fought)
}

/// The note that tells how much time was short.
pub const SHORT: &str = "time that was short";

/// What is said of the lives that there was no time for, by what they cost each benchmark that is not decided.
pub(super) fn short(costs: impl Iterator<Item = Duration>, left: Duration) -> Option<String> {
    let costs: Vec<Duration> = costs.collect();
    let missing = costs.iter().sum::<Duration>().saturating_sub(left).as_secs_f64().ceil();
    let benchmarks = if costs.len() == 1 { "1 benchmark" } else { &format!("{} benchmarks", costs.len()) };
    (missing > 0.0).then(|| format!("some {missing} s for the lives that {benchmarks} would need"))
}

/// A duel under way.
struct Running<'a> {
    pairs: &'a [Pair<'a>],
    /// What is known of each, in the same order.
    states: Vec<State>,
    order: Order,
    begun: Instant,
    options: &'a Options,
    tell: &'a mut dyn FnMut(Progress<'_>),
    /// Whether the asking thread goes before others.
    is_urgent: bool,
}

impl Running<'_> {
    fn left(&self) -> Duration {
        self.options.budget.saturating_sub(self.begun.elapsed())
    }

    /// Checks both sides' answers and calibrates base.
    fn rehearse(&mut self, crew: &mut Crew<'_>) -> Result<(), Stopped> {
        let pairs = self.pairs;
        let few = crew.lives()[0].few(USUAL_REHEARSAL);
        for (cores, queue) in self.shuffled(crew, (0..pairs.len()).collect()) {
            let manner = Manner { cores, few, layout: None };
            let Running { states, tell, .. } = self;
            let [base, head, _] = crew.lives();
            base.serve(
                queue.iter().copied(),
                manner,
                |worker, &index| rehearse(worker, pairs[index].base),
                |index, result| match result {
                    Ok(rehearsal) => states[index] = State::rehearsed(pairs[index].base, &rehearsal),
                    Err(unserved) => states[index].fail(pairs[index].name(), Side::Base, trouble(unserved), tell),
                },
            )?;
            let good = queue.into_iter().filter(|&index| states[index].known().is_some()).collect::<Vec<_>>();
            head.serve(
                good,
                manner,
                |worker, &index| {
                    let answer = worker.check(pairs[index].head)?;
                    worker.drop_setup(pairs[index].head)?;
                    Ok(match answer {
                        Answer::Right => Ok(()),
                        Answer::Wrong(message) => Err(blame(format!("wrong answer: {message}"))),
                    })
                },
                |index, result| {
                    if let Err(unserved) = result {
                        states[index].fail(pairs[index].name(), Side::Head, trouble(unserved), tell);
                    }
                },
            )?;
        }
        Ok(())
    }

    /// Lives, until the rule has enough or the time is spent. Returns what those need that are not decided.
    fn fight(&mut self, crew: &mut Crew<'_>, rule: &mut dyn Rule) -> Result<Vec<Need>, Stopped> {
        let working = (0..self.pairs.len()).filter(|&index| self.states[index].known().is_some());
        let working: Vec<usize> = working.collect();
        let plan = rule.lives_to_plan();
        self.life(crew, &working.iter().map(|&index| (index, plan)).collect::<Vec<_>>())?;
        let (next, enough) = (rule.first_look(), rule.least_for_a_finding());
        let first = Want { next, enough, is_decided: false };
        let mut targets: Vec<(usize, Want)> = working.iter().map(|&index| (index, first)).collect();
        // A rule that knows of earlier lives may have enough of the first one, or name more: it is asked in any case.
        targets.retain(|&(index, target)| self.states[index].wants_lives(target.next));
        loop {
            if !targets.is_empty() {
                let (open, payable) = self.payable(&targets);
                if payable.is_empty() {
                    return Ok(open);
                }
                targets.retain(|&(index, _)| payable.contains(&index));
            }
            while !targets.is_empty() {
                let to_come = |&(index, want): &(usize, Want)| (index, plan.max(want.next).max(want.enough));
                self.life(crew, &targets.iter().map(to_come).collect::<Vec<_>>())?;
                targets.retain(|&(index, target)| self.states[index].wants_lives(target.next));
                if self.left().is_zero() {
                    break;
                }
            }
            let wants = rule.wants(&self.bouts());
            let wanted = |&index: &usize| Some((index, *wants.get(self.pairs[index].name())?));
            targets = working.iter().filter_map(wanted).collect();
            targets.retain(|&(index, target)| self.states[index].wants_lives(target.next));
            if targets.is_empty() {
                return Ok(Vec::new());
            }
        }
    }

    /// What those need that are not decided, and who of all gets its lives.
    fn payable(&self, targets: &[(usize, Want)]) -> (Vec<Need>, BTreeSet<usize>) {
        let fair = self.options.budget / u32::try_from(self.pairs.len()).unwrap_or(u32::MAX).max(1);
        let claim = |&(index, want): &(usize, Want)| {
            let need = self.states[index].need(index, want.next.max(want.enough))?;
            let spent = self.states[index].known()?.spent() + need.least_cost();
            let may_wait = want.is_decided || !self.states[index].wants_lives(want.enough);
            let claim = match want.is_decided {
                _ if may_wait && spent > share::FAIR_SHARES * fair => Claim::Still,
                false => Claim::Open,
                true => Claim::Blind,
            };
            Some((claim, need))
        };
        let (mut claims, mut open) = (Vec::new(), Vec::new());
        for target in targets {
            let Some((claim, need)) = claim(target) else { continue };
            claims.push((claim, need));
            open.extend((!target.1.is_decided).then_some(need));
        }
        let payable = share::payable(&claims, &open, self.left());
        (open, payable)
    }

    /// Gives each of these one life, in random order, such that there is time for as many as stand beside it.
    fn life(&mut self, crew: &mut Crew<'_>, open: &[(usize, usize)]) -> Result<(), Stopped> {
        let left = self.left();
        (self.tell)(Progress::Life { benchmarks: open.len(), left });
        let needs: Vec<Need> =
            open.iter().filter_map(|&(index, lives)| self.states[index].need(index, lives)).collect();
        let parts = share::parts(&needs, left);
        for (cores, queue) in self.shuffled(crew, open.iter().map(|&(index, _)| index).collect()) {
            self.serve(crew, queue, cores, &parts)?;
        }
        Ok(())
    }

    /// Things in random order, apart by the number of processors that their workers get.
    fn shuffled(&mut self, crew: &mut Crew<'_>, mut indices: Vec<usize>) -> Vec<(u32, Vec<usize>)> {
        self.order.shuffle(&mut indices);
        let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for index in indices {
            groups.entry(crew.lives()[0].granted(self.pairs[index].cores())).or_default().push(index);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        self.order.shuffle(&mut groups);
        groups
    }

    fn bouts(&self) -> BTreeMap<BenchmarkName, Bout> {
        let all = self.pairs.iter().zip(&self.states);
        all.map(|(pair, state)| (pair.name().clone(), state.bout(pair))).collect()
    }

    fn conclude(self, crew: &mut Crew<'_>, offers: &Offers) -> Fought {
        let mut bouts = self.bouts();
        bouts.extend(offers.lone());
        let started: u32 = crew.lives().iter().map(Lives::started).sum();
        let [base, head] = &offers.workers;
        let is_fixed = crew.lives().iter().all(|lives| lives.fixed() == Some(true));
        let addresses = if is_fixed { "the same on all sides of a life" } else { "each worker's own" };
        let mut notes = Notes::from([
            ("worker of base".to_owned(), base.clone()),
            ("worker of head".to_owned(), head.clone()),
            ("workers started".to_owned(), started.to_string()),
            ("time left".to_owned(), format!("{:.1} s", self.left().as_secs_f64())),
            ("addresses".to_owned(), addresses.to_owned()),
        ]);
        for (lives, side) in crew.lives().iter().zip(["base", "head", "null control"]) {
            if let Some((count, first)) = lives.ended_badly() {
                notes.insert(format!("ended badly on {side}"), format!("{count} workers, the first {first}"));
            }
        }
        Fought { bouts, notes }
    }
}

fn trouble(unserved: Unserved) -> Trouble {
    match unserved {
        Unserved::Failed(trouble) | Unserved::NoWorker(trouble) => trouble,
        Unserved::NotReached => blame("not reached: the time that the suite may take at the most was over".to_owned()),
    }
}

fn blame(reason: String) -> Trouble {
    Trouble { reason, ended: None, stderr_tail: String::new() }
}

#[cfg(test)]
mod tests;
