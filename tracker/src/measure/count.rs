//! Counting the instructions of benchmarks: a metric of its own, taken beside the time and never while time is measured.
//!
//! A worker runs below a [`Counter`], callgrind or perf. One that offers the request `count` (the harness does, below
//! callgrind) marks the work itself, and one process serves all benchmarks. Of any other worker the whole process is
//! counted, once with some iterations and once with twice as many: what the second has more, the iterations did. Either way
//! there are two lives of each, for a number of the binary must be the same twice.

mod counter;
mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use counter::{Counter, NoCounter};

use super::child::Program;
use super::interrupt::Stop;
use super::lives::Stopped;
use super::protocol::Listed;
use super::worker::{Patience, Worker, WorkerError};
use crate::domain::{BenchmarkName, Trouble};

/// Lives of each benchmark.
const LIVES: usize = 2;

/// Iterations of one that marks its work: always the same number, as with other exact metrics, and one where ten would
/// take long.
const MARKED_ITERATIONS: u64 = 10;
const LONGEST_FOR_TEN_NS: f64 = 1e6;

/// Iterations of one that does not are worth so much time, so that what differs between two starts (a thousand or two of an
/// interpreter's instructions) is little beside them.
const UNMARKED_NS: f64 = 5e6;
const MOST_ITERATIONS: f64 = 4_294_967_296.0;

/// Below callgrind everything takes longer: what is counted up to a hundred times, what is not about ten times. A worker
/// that still says nothing after that hangs.
const SLOWER: u32 = 10;
const MUCH_SLOWER: f64 = 200.0;

/// How long a worker may take to exit: the counter writes its file then.
const LONGEST_END: Duration = Duration::from_mins(1);

/// A benchmark to count.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Which.
    pub benchmark: BenchmarkName,
    /// What an iteration takes, in nanoseconds.
    pub iteration_ns: f64,
}

/// How to count.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// By what.
    pub counter: &'a Counter,
    /// How long a benchmark may keep silent when nothing counts it.
    pub timeout: Duration,
    /// After this no benchmark is begun.
    pub until: Instant,
    /// A folder that is ours.
    pub folder: &'a Path,
    /// Who wants us to stop.
    pub stop: &'a Stop,
}

/// The instructions of an iteration, life by life, or why there are none.
pub type Counted = BTreeMap<BenchmarkName, Result<Vec<f64>, Trouble>>;

/// Counts these benchmarks of the suite whose worker `program` starts.
pub fn count(program: &Program, wanted: &[Wanted], manner: Manner<'_>) -> Result<Counted, Stopped> {
    // Whatever a killed one left there.
    let _ = std::fs::remove_dir_all(manner.folder);
    let made = std::fs::create_dir_all(manner.folder);
    // Of an interpreter the order of its tables must not be drawn anew in each process.
    let program = program.clone().with("PYTHONHASHSEED", "0");
    let mut counting = Counting { program, wanted, manner, values: vec![Ok(Vec::new()); wanted.len()] };
    let ended = match made {
        Ok(()) => counting.all(),
        Err(error) => {
            let trouble = blame(format!("there is no place to count: {error}"));
            counting.fail_all(0..wanted.len(), &trouble);
            Ok(())
        }
    };
    let _ = std::fs::remove_dir_all(manner.folder);
    ended?;
    Ok(wanted.iter().map(|one| one.benchmark.clone()).zip(counting.values).collect())
}

struct Counting<'a> {
    program: Program,
    wanted: &'a [Wanted],
    manner: Manner<'a>,
    values: Vec<Result<Vec<f64>, Trouble>>,
}

/// Why there is no number.
enum Uncounted {
    Failed(Trouble),
    Stopped,
}

impl From<WorkerError> for Uncounted {
    fn from(error: WorkerError) -> Uncounted {
        if matches!(error, WorkerError::Stopped) { Uncounted::Stopped } else { Uncounted::Failed(error.trouble()) }
    }
}

impl From<std::io::Error> for Uncounted {
    fn from(error: std::io::Error) -> Uncounted {
        Uncounted::Failed(blame(format!("what was counted cannot be read: {error}")))
    }
}

impl From<Stopped> for Uncounted {
    fn from(Stopped: Stopped) -> Uncounted {
        Uncounted::Stopped
    }
}

impl Counting<'_> {
    fn all(&mut self) -> Result<(), Stopped> {
        for _ in 0..LIVES {
            let mut open: Vec<usize> = (0..self.wanted.len()).filter(|&index| self.values[index].is_ok()).collect();
            open.reverse();
            while let Some(&next) = open.last() {
                match self.life(&mut open) {
                    Ok(Way::Marked) => {}
                    Ok(Way::Whole) => {
                        open.pop();
                        self.by_difference(next)?;
                    }
                    Err(Uncounted::Stopped) => return Err(Stopped),
                    Err(Uncounted::Failed(trouble)) => self.fail_all(open.drain(..), &trouble),
                }
            }
        }
        Ok(())
    }

    fn fail_all(&mut self, open: impl IntoIterator<Item = usize>, trouble: &Trouble) {
        open.into_iter().for_each(|index| self.values[index] = Err(trouble.clone()));
    }

    /// A worker that counts as many of `open` as it can, from the end; or none, if it does not mark its work.
    fn life(&mut self, open: &mut Vec<usize>) -> Result<Way, Uncounted> {
        if !self.manner.counter.takes_marks() {
            return Ok(Way::Whole);
        }
        let (mut worker, listed) = self.start(&self.manner.counter.marked(self.manner.folder))?;
        if !worker.offers("count") {
            drop(worker.finish());
            return Ok(Way::Whole);
        }
        let place = self.place(&worker);
        let mut counted = Vec::new();
        while worker.is_alive()
            && let Some(index) = open.pop()
        {
            match self.marked(&mut worker, &listed, index) {
                Ok(iterations) => counted.push((index, iterations)),
                Err(Uncounted::Stopped) => return Err(Uncounted::Stopped),
                Err(Uncounted::Failed(trouble)) => self.values[index] = Err(trouble),
            }
        }
        drop(worker.finish());
        let parts = file::marked(&place)?;
        if parts.len() < counted.len() {
            let trouble = blame(format!("callgrind wrote of {} benchmarks, not of {}", parts.len(), counted.len()));
            self.fail_all(counted.into_iter().map(|(index, _)| index), &trouble);
            return Ok(Way::Marked);
        }
        for ((index, iterations), instructions) in counted.into_iter().zip(parts) {
            self.keep(index, instructions as f64 / iterations as f64);
        }
        Ok(Way::Marked)
    }

    fn marked(&self, worker: &mut Worker, listed: &[Listed], index: usize) -> Result<u64, Uncounted> {
        let wanted = &self.wanted[index];
        let benchmark = self.ready(listed, wanted)?;
        let iterations = if wanted.iteration_ns <= LONGEST_FOR_TEN_NS { MARKED_ITERATIONS } else { 1 };
        worker.be_patient(self.patience(wanted, iterations));
        // Sets up, and does what only the first iteration does.
        worker.run(benchmark, 1)?;
        worker.count(benchmark, iterations)?;
        worker.drop_setup(benchmark)?;
        Ok(iterations)
    }

    /// Counts whole processes.
    fn by_difference(&mut self, index: usize) -> Result<(), Stopped> {
        let wanted = &self.wanted[index];
        let worth = (UNMARKED_NS / wanted.iteration_ns.max(1e-3)).clamp(1.0, MOST_ITERATIONS);
        // A power of two, so that runs whose times differ a little count the same.
        let iterations = worth.log2().ceil().exp2();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a power of two up to 2^32")]
        let whole = iterations as u64;
        let totals = self.whole(wanted, whole).and_then(|few| Ok((few, self.whole(wanted, 2 * whole)?)));
        match totals {
            Ok((few, many)) if many > few => self.keep(index, (many - few) as f64 / iterations),
            Ok((few, many)) => {
                let why = format!("{whole} iterations took {few} instructions, and twice as many took {many}");
                self.values[index] = Err(blame(why));
            }
            Err(Uncounted::Stopped) => return Err(Stopped),
            Err(Uncounted::Failed(trouble)) => self.values[index] = Err(trouble),
        }
        Ok(())
    }

    /// All instructions of a worker that runs so many iterations.
    fn whole(&self, wanted: &Wanted, iterations: u64) -> Result<u64, Uncounted> {
        let counter = self.manner.counter;
        let (mut worker, listed) = self.start(&counter.whole(self.manner.folder))?;
        let benchmark = self.ready(&listed, wanted)?;
        worker.be_patient(self.patience(wanted, iterations));
        worker.run(benchmark, 1)?;
        worker.run(benchmark, iterations)?;
        let place = self.place(&worker);
        match worker.finish() {
            Some(finished) if finished.succeeded() => {}
            Some(finished) => return Err(Uncounted::Failed(finished.trouble())),
            None => return Err(Uncounted::Failed(blame("the worker was over before it was let go".to_owned()))),
        }
        let total = if counter.takes_marks() { file::whole(&place) } else { counter::by_perf(&place) };
        let _ = std::fs::remove_file(&place);
        Ok(total?)
    }

    fn start(&self, words: &[String]) -> Result<(Worker, Vec<Listed>), Uncounted> {
        let start = self.manner.timeout * SLOWER;
        let patience = Patience { start, request: start, end: LONGEST_END };
        let mut worker = Worker::start(&self.program.clone().under(words), patience, self.manner.stop)?;
        let listed = worker.list()?;
        Ok((worker, listed))
    }

    /// Where the counter writes of this worker.
    fn place(&self, worker: &Worker) -> PathBuf {
        self.manner.counter.place(self.manner.folder, worker.process_id().unwrap_or_default())
    }

    fn patience(&self, wanted: &Wanted, iterations: u64) -> Duration {
        let counted_ns = wanted.iteration_ns * iterations as f64 * MUCH_SLOWER;
        self.manner.timeout * SLOWER + Duration::try_from_secs_f64(counted_ns / 1e9).unwrap_or(Duration::MAX / 4)
    }

    fn ready<'l>(&self, listed: &'l [Listed], wanted: &Wanted) -> Result<&'l Listed, Uncounted> {
        if Instant::now() >= self.manner.until {
            let why = "not reached: the time that counting may take at the most was over";
            return Err(Uncounted::Failed(blame(why.to_owned())));
        }
        let found = listed.iter().find(|one| one.name == wanted.benchmark);
        found.ok_or_else(|| Uncounted::Failed(blame("the worker does not list it when it is counted".to_owned())))
    }

    fn keep(&mut self, index: usize, value: f64) {
        if let Ok(values) = &mut self.values[index] {
            values.push(value);
        }
    }
}

/// How a worker is counted.
enum Way {
    /// It marks its work.
    Marked,
    /// As a whole.
    Whole,
}

fn blame(reason: String) -> Trouble {
    Trouble { reason, ended: None, stderr_tail: String::new() }
}

#[cfg(test)]
mod tests;
