//! Lives one after the other: workers are started, serve a few benchmarks each, and are let go.
//!
//! A benchmark that fails takes nothing with it but its own life: the next worker goes on with the next benchmark. One
//! that crashes a worker which had served others before is asked once more in a life of its own, since the others may
//! be to blame; then its failure is final.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::child::layout::NUDGES;
use super::child::{Finished, Program, ProgramError, Reason, layout};
use super::cores;
use super::huge_pages;
use super::interrupt::Stop;
use super::visit::Verdict;
use super::worker::{Patience, Worker, WorkerError};
use crate::domain::Trouble;

/// Benchmarks that a life serves, unless starting a worker takes long.
const FEW: usize = 8;

/// Benchmarks that a life serves at the most, however long starting takes.
const MANY: usize = 64;

/// The share of a life that its start may take before lives serve more benchmarks.
const START_SHARE: f64 = 0.1;

/// Why a benchmark was not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unserved {
    /// By its own fault.
    Failed(Trouble),
    /// Because no worker would start any more.
    NoWorker(Trouble),
    /// Because the time was over.
    NotReached,
}

/// Somebody wants us to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// A suite of which workers are started again and again.
#[derive(Debug)]
pub struct Lives<'a> {
    program: &'a Program,
    patience: Patience,
    stop: &'a Stop,
    /// The processors to choose from; empty where nothing can be chosen.
    allowed: Vec<usize>,
    /// No benchmark is begun after this.
    until: Instant,
    /// How many workers were started.
    started: u32,
    /// How long starting took in all.
    starting: Duration,
    /// How many of the workers took huge pages, and how many were seen that did not; none where none is asked to.
    huge: Option<(u32, u32)>,
    /// Whether no addresses were drawn for a worker for which none were to be; none if there was no such worker.
    fixed: Option<bool>,
    /// How often the stack is nudged from where a layout puts it, so that workers take huge pages.
    nudges: Arc<AtomicU32>,
    /// Workers that did not exit with status 0 when they were let go: how many, and how the first did.
    ended_badly: Option<(u32, String)>,
}

impl<'a> Lives<'a> {
    /// The lives of `program`; no benchmark is begun after `until`.
    #[must_use]
    pub fn new(program: &'a Program, patience: Patience, until: Instant, stop: &'a Stop) -> Lives<'a> {
        Lives {
            program,
            patience,
            stop,
            allowed: cores::allowed(),
            until,
            started: 0,
            starting: Duration::ZERO,
            huge: huge_pages::are_asked_for().then_some((0, 0)),
            fixed: None,
            nudges: Arc::default(),
            ended_badly: None,
        }
    }

    /// How many workers were started.
    #[must_use]
    pub fn started(&self) -> u32 {
        self.started
    }

    /// Workers that ended badly after their work was done: how many, and how the first did.
    #[must_use]
    pub fn ended_badly(&self) -> Option<&(u32, String)> {
        self.ended_badly.as_ref()
    }

    /// The time that starting a worker takes, on average.
    #[must_use]
    pub fn start_time(&self) -> Duration {
        self.starting.checked_div(self.started).unwrap_or_default()
    }

    /// How many benchmarks a life should serve if each takes so long.
    #[must_use]
    pub fn few(&self, visit: Duration) -> usize {
        let needed = self.start_time().as_secs_f64() / (START_SHARE * visit.as_secs_f64().max(1e-6));
        (FEW..MANY).find(|&few| few as f64 >= needed).unwrap_or(MANY)
    }

    /// The processors for a worker that uses so many: the last, since the system's own work is mostly done on the first.
    #[must_use]
    pub fn cpus(&self, cores: u32) -> &[usize] {
        let wanted = usize::try_from(cores).unwrap_or(usize::MAX).max(1);
        &self.allowed[self.allowed.len().saturating_sub(wanted)..]
    }

    /// The processors that such a worker leaves to others.
    #[must_use]
    pub fn cpus_beside(&self, cores: u32) -> &[usize] {
        &self.allowed[..self.allowed.len() - self.cpus(cores).len()]
    }

    /// How many processors a worker gets that uses so many.
    #[must_use]
    pub fn granted(&self, cores: u32) -> u32 {
        u32::try_from(self.cpus(cores).len()).unwrap_or(cores)
    }

    /// Starts a worker on as many processors as it uses. With a `layout` it has the addresses that belong to that number.
    pub fn start(&mut self, cores: u32, layout: Option<u64>) -> Result<Worker, WorkerError> {
        let here = self.cpus(cores).to_vec();
        self.start_on(&here, layout)
    }

    /// Starts a worker beside the processors where it will be measured, if there is room: nobody is disturbed there, nor
    /// does it wait for those who are measured. [`Lives::gather`] brings it over. With a `layout` it has the addresses that
    /// belong to that number.
    pub fn start_aside(&mut self, cores: u32, layout: Option<u64>) -> Result<Worker, WorkerError> {
        let there = self.aside(cores).to_vec();
        self.start_on(&there, layout)
    }

    /// From now on stacks are nudged as often as those of `other`: were sides to differ in that, it would be an effect.
    pub fn nudge_with(&mut self, other: &Lives<'_>) {
        self.nudges = Arc::clone(&other.nudges);
    }

    /// Whether no addresses were drawn for a worker for which none were to be; none if there was no such worker.
    #[must_use]
    pub fn fixed(&self) -> Option<bool> {
        self.fixed
    }

    /// Brings a worker to the processors where it is measured.
    pub fn gather(&self, worker: &Worker, cores: u32) {
        send(worker, self.cpus(cores));
    }

    /// Sends a worker that was measured away again. It would not come to its end where others go before it: up to a second
    /// of waiting for a processor was seen.
    pub fn scatter(&self, worker: &Worker, cores: u32) {
        send(worker, self.aside(cores));
    }

    /// The processors beside those for a worker that uses so many, or, where there is no room, those.
    fn aside(&self, cores: u32) -> &[usize] {
        let (here, beside) = (self.cpus(cores), self.cpus_beside(cores));
        if beside.len() < here.len() { here } else { &beside[beside.len() - here.len()..] }
    }

    /// Starts a worker that takes huge pages, if any of this program does.
    fn start_on(&mut self, cpus: &[usize], layout: Option<u64>) -> Result<Worker, WorkerError> {
        let mut nudges = self.nudges.load(Ordering::Relaxed);
        let mut worker = self.start_once(cpus, layout, nudges)?;
        if layout.is_some() && self.fixed.is_none() {
            self.fixed = worker.process_id().and_then(layout::is_fixed);
        }
        // Where addresses are drawn another start may do; where they are not, another place of the stack.
        let most = if self.fixed == Some(true) { NUDGES } else { huge_pages::MOST_STARTS };
        for _ in 1..most {
            if !self.may_take_huge_pages(&worker) {
                break;
            }
            self.finish(worker);
            // Once for all sides that found the same.
            let _ = self.nudges.compare_exchange(nudges, nudges + 1, Ordering::Relaxed, Ordering::Relaxed);
            nudges = self.nudges.load(Ordering::Relaxed);
            worker = self.start_once(cpus, layout, nudges)?;
        }
        Ok(worker)
    }

    /// Whether the worker took no huge pages and another start might.
    fn may_take_huge_pages(&mut self, worker: &Worker) -> bool {
        let is_slow = self.start_time() > huge_pages::LONGEST_START;
        let (Some((heard, deaf)), Some(id)) = (&mut self.huge, worker.process_id()) else { return false };
        let is_given_up = *heard == 0 && *deaf >= huge_pages::DEAF;
        if is_slow || is_given_up {
            return false;
        }
        let Some(takes) = huge_pages::are_taken_by(id) else { return false };
        *(if takes { heard } else { deaf }) += 1;
        !takes
    }

    fn start_once(&mut self, cpus: &[usize], layout: Option<u64>, nudges: u32) -> Result<Worker, WorkerError> {
        let begun = Instant::now();
        let mut program = self.program.clone();
        if let Some(layout) = layout {
            program = program.laid_out(layout, nudges);
        }
        let worker = match program.clone().on_cpus(cpus) {
            Ok(bound) => Worker::start(&bound, self.patience, self.stop),
            // Where nothing can be chosen, the worker runs where the system likes.
            Err(ProgramError::Cpus(_) | ProgramError::Empty) => Worker::start(&program, self.patience, self.stop),
        };
        self.started += 1;
        self.starting += begun.elapsed();
        worker
    }

    /// Lets a worker go.
    pub fn finish(&mut self, worker: Worker) {
        let Some(finished) = worker.finish() else { return };
        if finished.succeeded() || finished.reason == Reason::Stopped {
            return;
        }
        self.count_bad_end(&finished);
    }

    fn count_bad_end(&mut self, finished: &Finished) {
        let (count, _) = self.ended_badly.get_or_insert_with(|| (0, finished.to_string()));
        *count += 1;
    }

    /// Serves each benchmark of `queue`, `few` a life, by `task`, and hands on what came of it.
    pub fn serve<T, R>(
        &mut self,
        queue: impl IntoIterator<Item = T>,
        manner: Manner,
        mut task: impl FnMut(&mut Worker, &T) -> Result<Verdict<R>, WorkerError>,
        mut done: impl FnMut(T, Result<R, Unserved>),
    ) -> Result<(), Stopped> {
        let mut queue: VecDeque<T> = queue.into_iter().collect();
        while !queue.is_empty() {
            let mut worker = match self.start_or_retry(manner) {
                Ok(worker) => worker,
                Err(WorkerError::Stopped) => return Err(Stopped),
                Err(error) => {
                    let trouble = error.trouble();
                    queue.drain(..).for_each(|item| done(item, Err(Unserved::NoWorker(trouble.clone()))));
                    break;
                }
            };
            let mut served = 0;
            while served < manner.few
                && worker.is_alive()
                && let Some(item) = queue.pop_front()
            {
                if Instant::now() >= self.until {
                    done(item, Err(Unserved::NotReached));
                    continue;
                }
                match task(&mut worker, &item) {
                    Ok(verdict) => done(item, verdict.map_err(Unserved::Failed)),
                    Err(WorkerError::Stopped) => return Err(Stopped),
                    Err(error) if error.is_crash() && served > 0 => queue.push_front(item),
                    Err(error) => done(item, Err(Unserved::Failed(error.trouble()))),
                }
                served += 1;
            }
            self.finish(worker);
        }
        Ok(())
    }

    /// Starts a worker, twice if need be: a machine may be short of memory or processes for a moment.
    fn start_or_retry(&mut self, Manner { cores, layout, .. }: Manner) -> Result<Worker, WorkerError> {
        match self.start(cores, layout) {
            Err(error) if !matches!(error, WorkerError::Stopped) => self.start(cores, layout),
            result => result,
        }
    }
}

fn send(worker: &Worker, cpus: &[usize]) {
    if let Some(id) = worker.process_id() {
        // It fails where nothing was chosen at the start either, or where the worker is gone, which it will say.
        let _ = cores::move_process(id, cpus);
    }
}

/// How benchmarks are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// How many processors their workers get.
    pub cores: u32,
    /// How many of them a life serves.
    pub few: usize,
    /// Whose addresses their workers have; none for addresses of their own.
    pub layout: Option<u64>,
}
