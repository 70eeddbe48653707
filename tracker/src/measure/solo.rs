//! A solo run: all benchmarks of one suite, measured by themselves.
//!
//! First each benchmark is rehearsed: its answer is checked, its iterations are calibrated, its profile fetched. Then
//! come rounds. In each, the benchmarks that need another life ([`plan`]) are put in random order and served by fresh
//! workers, a few benchmarks a worker, so that what happens on the machine hits all alike and memory layout varies. It
//! varies from round to round, and alike in all runs: luck of placement is then no difference between two runs.
//!
//! A [witness](super::witness) looks on. Slices at which it saw that the processor was shared, or that its clock went
//! unlike most of the time, do not count; lives of which hardly a slice counts are set aside and taken again.

mod notes;
mod state;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use self::state::{Known, State};
use super::child::Program;
use super::child::urgent::Urgent;
use super::cores::Pinned;
use super::interrupt::Stop;
use super::lives::{Lives, Manner, Stopped};
use super::order::Order;
use super::plan::{self, Turn};
use super::protocol::Listed;
use super::visit::{Task, rehearse, visit};
use super::witness::Usual;
use super::worker::{Patience, WorkerError};
use crate::domain::{Attachment, BenchmarkName, Notes, Outcome, Pattern, Trouble};

/// What a solo run is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The time that measuring should take at the most. Slow suites exceed it: see [`Options::limit`].
    pub budget: Duration,
    /// The time after which no benchmark is begun, whether it was measured or not.
    pub limit: Duration,
    /// The half-width of a 95 % interval that is good enough, as a share of the time.
    pub precision: f64,
    /// What random orders follow from.
    pub seed: u64,
    /// How long workers may take.
    pub patience: Patience,
    /// Which benchmarks; all if empty, else those that any pattern matches.
    pub filter: Vec<Pattern>,
}

impl Options {
    /// A run of so much time, for benchmarks that may keep silent for `timeout`.
    #[must_use]
    pub fn new(budget: Duration, timeout: Duration, seed: u64) -> Options {
        let limit = (10 * budget).max(Duration::from_mins(10));
        let (precision, patience) = (0.005, Patience::of(timeout));
        Options { budget, limit, precision, seed, patience, filter: Vec::new() }
    }

    fn chooses(&self, name: &BenchmarkName) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|pattern| pattern.matches(name.as_str()))
    }
}

/// What a solo run yielded.
#[derive(Debug, Clone, PartialEq)]
pub struct Solo {
    /// What became of each benchmark that was chosen.
    pub outcomes: BTreeMap<BenchmarkName, Outcome>,
    /// Profiles.
    pub attachments: Vec<Attachment>,
    /// How it was measured.
    pub notes: Notes,
    /// Where the time went.
    pub overhead: Overhead,
}

/// Where the time of a solo run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overhead {
    /// Inside the slices that count, by the workers' clocks.
    pub inside: Duration,
    /// From the first to the last slice that counts of each visit, by ours: the slices and the talk about them.
    pub slicing: Duration,
    /// The whole run: starting, setting up, checking, calibrating and warming up too.
    pub whole: Duration,
}

impl Overhead {
    /// The share of the measuring time that is spent inside slices, in percent.
    #[must_use]
    pub fn inside_pct(&self) -> f64 {
        pct(self.inside, self.slicing)
    }

    /// The share of the whole run's time that is spent inside slices that count, in percent.
    #[must_use]
    pub fn useful_pct(&self) -> f64 {
        pct(self.inside, self.whole)
    }
}

fn pct(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { 100.0 * part.as_secs_f64() / whole.as_secs_f64() }
}

/// Why a suite could not be measured at all.
#[derive(Debug, thiserror::Error)]
pub enum SoloError {
    /// Its worker does not start, greet or list.
    #[error("the suite's worker cannot be used")]
    Worker(#[source] WorkerError),
    /// Somebody wants us to stop.
    #[error("stopped by a signal")]
    Stopped,
}

impl From<Stopped> for SoloError {
    fn from(Stopped: Stopped) -> SoloError {
        SoloError::Stopped
    }
}

impl From<WorkerError> for SoloError {
    fn from(error: WorkerError) -> SoloError {
        if matches!(error, WorkerError::Stopped) { SoloError::Stopped } else { SoloError::Worker(error) }
    }
}

/// What a solo run says while it goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress<'a> {
    /// The suite is known.
    Listed {
        /// What the worker calls itself.
        worker: &'a str,
        /// How many benchmarks were chosen.
        benchmarks: usize,
    },
    /// A benchmark was rehearsed.
    Rehearsed {
        /// Which.
        benchmark: &'a BenchmarkName,
        /// What one iteration takes, in nanoseconds.
        iteration_ns: f64,
    },
    /// A round begins.
    Round {
        /// How many benchmarks get another life.
        benchmarks: usize,
        /// What is left of the budget.
        left: Duration,
    },
    /// A benchmark had a life.
    Measured {
        /// Which.
        benchmark: &'a BenchmarkName,
        /// How many lives it has had.
        lives: usize,
        /// The half-width of the 95 % interval, as a share; infinite after one life.
        doubt: f64,
    },
    /// A benchmark failed.
    Failed {
        /// Which.
        benchmark: &'a BenchmarkName,
        /// Why.
        trouble: &'a Trouble,
    },
}

/// The benchmarks of a suite that a run with `options` would measure.
pub fn list(program: &Program, options: &Options, stop: &Stop) -> Result<Vec<Listed>, SoloError> {
    let mut lives = Lives::new(program, options.patience, Instant::now() + options.limit, stop);
    Ok(chosen(&mut lives, options)?.1)
}

fn chosen(lives: &mut Lives<'_>, options: &Options) -> Result<(String, Vec<Listed>), SoloError> {
    let mut worker = lives.start(u32::MAX, Some(LAYOUTS))?;
    let listed = worker.list()?;
    let name = worker.hello().worker.clone();
    lives.finish(worker);
    Ok((name, listed.into_iter().filter(|benchmark| options.chooses(&benchmark.name)).collect()))
}

/// Measures the suite whose worker `program` starts. `tell` hears how it goes.
pub fn run(
    program: &Program,
    options: &Options,
    stop: &Stop,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Solo, SoloError> {
    let begun = Instant::now();
    let mut lives = Lives::new(program, options.patience, begun + options.limit, stop);
    let (worker, listed) = chosen(&mut lives, options)?;
    tell(Progress::Listed { worker: &worker, benchmarks: listed.len() });
    // Beside its workers the tracker wakes them without waking another processor first, and theirs stays awake: on a
    // virtual machine the talk about a slice took 18 µs so, and 70 to 100 µs from another processor (`examples/steady`).
    let here = Pinned::here(lives.cpus(1));
    // As in a duel: not where the workers' only processor is everybody's.
    let urgent = if lives.cpus_beside(1).is_empty() { None } else { Urgent::here() };
    let states = listed.iter().map(|_| State::New).collect();
    let (order, is_urgent, is_witnessed) = (Order::new(options.seed), urgent.is_some(), here.is_some());
    let layouts = Order::new(LAYOUTS);
    let beside = Beside { is_urgent, is_witnessed };
    let mut running = Running { listed: &listed, states, order, layouts, lives, beside, tell };
    running.rehearse()?;
    while running.round(options.budget.saturating_sub(begun.elapsed()), options.precision)? {}
    let most = REPLACING * options.budget;
    while running.replace(most.saturating_sub(begun.elapsed()))? {}
    Ok(running.conclude(worker, options, begun.elapsed()))
}

/// What is done beside the workers.
#[derive(Debug, Clone, Copy)]
struct Beside {
    /// Whether slices go before what else runs there.
    is_urgent: bool,
    /// Whether a witness looks on.
    is_witnessed: bool,
}

/// A solo run under way.
struct Running<'a> {
    listed: &'a [Listed],
    /// What is known of each, in the same order.
    states: Vec<State>,
    order: Order,
    /// Whose addresses the workers of each round have.
    layouts: Order,
    lives: Lives<'a>,
    beside: Beside,
    tell: &'a mut dyn FnMut(Progress<'_>),
}

impl<'a> Running<'a> {
    /// Rehearses all, in random order.
    fn rehearse(&mut self) -> Result<(), Stopped> {
        let listed = self.listed;
        let few = self.lives.few(USUAL_REHEARSAL);
        let layout = Some(self.layouts.number());
        for (cores, queue) in self.shuffled((0..listed.len()).collect(), |&index| index) {
            let Running { states, lives, tell, .. } = self;
            lives.serve(
                queue,
                Manner { cores, few, layout },
                |worker, &index| rehearse(worker, &listed[index]),
                |index, result| states[index].rehearsed(&listed[index], result, tell),
            )?;
        }
        Ok(())
    }

    /// Gives another life to those that need one, in random order; false if nobody does.
    fn round(&mut self, left: Duration, precision: f64) -> Result<bool, Stopped> {
        let open = self.states.iter().enumerate().filter_map(|(index, state)| Some((index, state.account()?)));
        let turns = plan::next_round(open, left, precision);
        self.take(&turns, left)
    }

    /// Gives another life to those that have too few, for some were disturbed, in random order; false if there are none.
    fn replace(&mut self, left: Duration) -> Result<bool, Stopped> {
        let open = self.states.iter().enumerate().filter_map(|(index, state)| Some((index, state.account()?)));
        let turns = plan::replacing_round(open, left);
        self.take(&turns, left)
    }

    /// A round of these turns, in random order; false if there are none.
    fn take(&mut self, turns: &[Turn<usize>], left: Duration) -> Result<bool, Stopped> {
        if turns.is_empty() {
            return Ok(false);
        }
        let listed = self.listed;
        (self.tell)(Progress::Round { benchmarks: turns.len(), left });
        let tasks = turns.iter().filter_map(|turn| {
            let index = turn.benchmark;
            Some((index, self.states[index].task(&listed[index], turn.slices, self.beside)?))
        });
        let tasks: Vec<(usize, Task<'a>)> = tasks.collect();
        let layout = Some(self.layouts.number());
        for (cores, queue) in self.shuffled(tasks, |(index, _)| *index) {
            let few = self.lives.few(expected(&queue));
            let start = self.lives.start_time() / u32::try_from(few.min(queue.len())).unwrap_or(1);
            let Running { states, lives, tell, .. } = self;
            lives.serve(
                queue,
                Manner { cores, few, layout },
                |worker, (_, task)| visit(worker, *task).map(Ok),
                |(index, _), result| states[index].visited(&listed[index], result, start, tell),
            )?;
        }
        // What began in a burst is known for it only now.
        if let Some(usual) = self.usual() {
            self.states.iter_mut().filter_map(State::known_mut).for_each(|known| known.sift(usual));
            self.compare(turns);
        }
        Ok(true)
    }

    /// Counts for whom the processor was not as usual in a round of these turns, if it was for half of the others.
    fn compare(&mut self, turns: &[Turn<usize>]) {
        let newest = |turn: &Turn<usize>| Some((turn.benchmark, self.states[turn.benchmark].known()?.is_newest_like?));
        let (like, unlike): (Vec<_>, Vec<_>) = turns.iter().filter_map(newest).partition(|(_, is_like)| *is_like);
        if like.is_empty() || like.len() + 1 < unlike.len() {
            return;
        }
        for (index, _) in unlike {
            if let Some(known) = self.states[index].known_mut() {
                known.unlike += 1;
            }
        }
    }

    /// How the processor was where nobody shared it, as far as the witnesses saw it so.
    fn usual(&self) -> Option<Usual> {
        Usual::of(self.states.iter().filter_map(State::known).flat_map(Known::looks))
    }

    /// Things in random order, apart by the number of processors that their benchmark's worker gets.
    fn shuffled<T>(&mut self, mut things: Vec<T>, index: impl Fn(&T) -> usize) -> Vec<(u32, Vec<T>)> {
        self.order.shuffle(&mut things);
        let mut groups: BTreeMap<u32, Vec<T>> = BTreeMap::new();
        for thing in things {
            let cores = self.lives.granted(self.listed[index(&thing)].cores);
            groups.entry(cores).or_default().push(thing);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        self.order.shuffle(&mut groups);
        groups
    }

    fn conclude(mut self, worker: String, options: &Options, whole: Duration) -> Solo {
        let usual = self.usual();
        if let Some(usual) = usual {
            self.states.iter_mut().filter_map(State::known_mut).for_each(|known| known.make_do(usual));
        }
        let known = self.states.iter().filter_map(State::known);
        let overhead = known.fold(Overhead { whole, ..Overhead::default() }, |sum, known| Overhead {
            inside: sum.inside + known.inside(),
            slicing: sum.slicing + known.slicing(),
            ..sum
        });
        let notes = self.notes(worker, options.seed, &overhead, usual);
        let mut solo = Solo { outcomes: BTreeMap::new(), attachments: Vec::new(), notes, overhead };
        for (listed, state) in self.listed.iter().zip(self.states) {
            let (outcome, profile) = state.conclude(listed);
            let benchmark = listed.name.clone();
            if let Some(content) = profile {
                let kind = "profile".to_owned();
                solo.attachments.push(Attachment { benchmark: benchmark.clone(), kind, content });
            }
            solo.outcomes.insert(benchmark, outcome);
        }
        solo
    }
}

/// What the layouts of rounds follow from: not from the run's seed, so that the first lives of all runs have the same
/// addresses, and so do the second ones.
const LAYOUTS: u64 = 0;

/// How many times its budget a run may take, so that lives that were disturbed are taken again.
const REPLACING: u32 = 2;

/// What a rehearsal takes, as long as nothing is known.
const USUAL_REHEARSAL: Duration = Duration::from_millis(100);

/// What a visit of these will take on average: their slices, and as much again for short ones.
fn expected(queue: &[(usize, Task<'_>)]) -> Duration {
    let slices_ns: f64 = queue.iter().map(|(_, task)| task.calibration.slice_ns() * f64::from(task.slices)).sum();
    Duration::from_secs_f64(slices_ns / 1e9 / queue.len().max(1) as f64)
}

#[cfg(test)]
mod tests;
