//! The three workers of one life of a duel, and serving a few benchmarks by them.

use std::collections::{BTreeMap, VecDeque};
use std::thread;
use std::time::{Duration, Instant};

use super::crew::Crew;
use super::meet::{Side, Task, meet};
use super::share::Part;
use super::{Pair, Running, blame};
use crate::measure::child::urgent::{self, Pace};
use crate::measure::lives::{Lives, Stopped};
use crate::measure::protocol::Slice;
use crate::measure::worker::{Worker, WorkerError};

/// A worker that gave no answer, and whose it was.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) side: Side,
    pub(super) error: WorkerError,
}

/// Base, head and the null control, alive together.
#[derive(Debug)]
pub(super) struct Trio {
    /// By side.
    workers: [Worker; 3],
}

impl Trio {
    /// Starts the three in this order, without waiting for one before the next: on a busy machine most of a start is
    /// waiting. Beside the processors where they will be measured, where there is room; [`Trio::gather`] brings them over.
    /// All three have the addresses of one `layout`, if there is one.
    pub(super) fn start(
        lives: &mut [Lives<'_>; 3],
        cores: u32,
        turns: [Side; 3],
        layout: Option<u64>,
    ) -> Result<Trio, Fault> {
        let mut lives = lives.each_mut().map(Some);
        let mut started = thread::scope(|scope| {
            let starts = turns.map(|side| {
                let lives = lives[side.place()].take();
                (side, scope.spawn(move || lives.map(|lives| lives.start_aside(cores, layout))))
            });
            starts.map(|(side, start)| (side, start.join().ok().flatten().unwrap_or(Err(WorkerError::Stopped))))
        });
        started.sort_by_key(|(side, _)| side.place());
        let [base, head, null] = started.map(|(side, worker)| worker.map_err(|error| Fault { side, error }));
        Ok(Trio { workers: [base?, head?, null?] })
    }

    /// Brings the three to the processors where they are measured.
    pub(super) fn gather(&self, lives: &[Lives<'_>; 3], cores: u32) {
        for (worker, lives) in self.workers.iter().zip(lives) {
            lives.gather(worker, cores);
        }
    }

    /// Sends the three away again, to where they can end.
    pub(super) fn scatter(&self, lives: &[Lives<'_>; 3], cores: u32) {
        for (worker, lives) in self.workers.iter().zip(lives) {
            lives.scatter(worker, cores);
        }
    }

    /// Lets the three go before what else runs there, if each has one thread and all of it is allowed.
    pub(super) fn hurry(&self) {
        // Where it is not, the three are measured as they are.
        let _ = urgent::hurry(&self.process_ids());
    }

    /// Lets the three be as others again.
    pub(super) fn relax(&self) {
        urgent::relax(&self.process_ids());
    }

    pub(super) fn process_ids(&self) -> Vec<i32> {
        self.workers.iter().filter_map(Worker::process_id).collect()
    }

    /// Runs one slice on a side.
    pub(super) fn run(&mut self, side: Side, pair: &Pair<'_>, iterations: u64) -> Result<Slice, Fault> {
        self.workers[side.place()].run(pair.listed(side), iterations).map_err(|error| Fault { side, error })
    }

    /// Frees the benchmark's set-up on a side.
    pub(super) fn drop_setup(&mut self, side: Side, pair: &Pair<'_>) -> Result<(), Fault> {
        self.workers[side.place()].drop_setup(pair.listed(side)).map_err(|error| Fault { side, error })
    }

    /// Lets the three go.
    pub(super) fn finish(self, lives: &mut [Lives<'_>; 3]) {
        for (worker, lives) in self.workers.into_iter().zip(lives) {
            lives.finish(worker);
        }
    }
}

impl Running<'_> {
    /// Serves each of `queue`, a few a life. One that fails takes nothing with it but its own life; one that crashes
    /// workers which had served others before is asked once more in a life of its own.
    pub(super) fn serve(
        &mut self,
        crew: &mut Crew<'_>,
        queue: Vec<usize>,
        cores: u32,
        parts: &BTreeMap<usize, Part>,
    ) -> Result<(), Stopped> {
        let mut queue = VecDeque::from(queue);
        let few = self.few(crew, &queue, parts);
        while !queue.is_empty() {
            let begun = Instant::now();
            let mut trio = match crew.next(cores, &mut self.order) {
                Ok(trio) => trio,
                Err(Fault { error: WorkerError::Stopped, .. }) => return Err(Stopped),
                Err(fault) => {
                    queue.drain(..).for_each(|index| self.nobody(index, &fault));
                    return Ok(());
                }
            };
            let next = crew.drawn(&mut self.order);
            let served = crew.beside(cores, next, || self.one_life(&mut trio, &mut queue, few, parts))?;
            crew.used(trio, cores);
            self.share_start(&served, begun.elapsed());
        }
        Ok(())
    }

    /// Meetings of at most so many benchmarks, until one goes wrong.
    fn one_life(
        &mut self,
        trio: &mut Trio,
        queue: &mut VecDeque<usize>,
        few: usize,
        parts: &BTreeMap<usize, Part>,
    ) -> Result<Vec<usize>, Stopped> {
        let until = self.begun + self.options.limit;
        let mut served = Vec::new();
        while served.len() < few
            && let Some(index) = queue.pop_front()
        {
            if Instant::now() >= until {
                self.too_late(index);
                continue;
            }
            let pair = &self.pairs[index];
            let Some(task) = self.task(index, parts) else { continue };
            match meet(trio, pair, task, &mut self.order) {
                Ok(meeting) => self.states[index].take(meeting),
                Err(Fault { error: WorkerError::Stopped, .. }) => return Err(Stopped),
                Err(fault) if fault.error.is_crash() && !served.is_empty() => {
                    queue.push_front(index);
                    break;
                }
                Err(fault) => {
                    self.states[index].fail(pair.name(), fault.side, fault.error.trouble(), self.tell);
                    break;
                }
            }
            served.push(index);
        }
        Ok(served)
    }

    /// What is to be done in its next meeting. Its workers go before others if they share one processor that is not the
    /// only one, and only in short slices.
    fn task(&self, index: usize, parts: &BTreeMap<usize, Part>) -> Option<Task> {
        let task = self.states[index].task(parts.get(&index).copied().unwrap_or_default())?;
        let pace = Pace::of(self.is_urgent, self.pairs[index].cores(), task.calibration.slice_ns());
        Some(Task { pace, ..task })
    }

    /// What a life took beside its meetings, waiting for its workers above all, is borne by all that it served.
    fn share_start(&mut self, served: &[usize], took: Duration) {
        let meetings: Duration = served.iter().filter_map(|&index| self.states[index].last_meeting()).sum();
        let each = took.saturating_sub(meetings) / u32::try_from(served.len()).unwrap_or(u32::MAX).max(1);
        for &index in served {
            self.states[index].bear(each);
        }
    }

    /// How many benchmarks these lives serve: more where starting takes long beside measuring.
    fn few(&self, crew: &mut Crew<'_>, queue: &VecDeque<usize>, parts: &BTreeMap<usize, Part>) -> usize {
        let costs = queue.iter().filter_map(|&index| {
            let need = self.states[index].need(index, 1)?;
            Some(need.cost(parts.get(&index).copied().unwrap_or_default().rounds))
        });
        let costs: Vec<_> = costs.collect();
        let all = costs.iter().sum::<Duration>();
        // Three start, and their meeting counts once: a third of it stands for each.
        crew.lives()[0].few(all / u32::try_from(3 * costs.len().max(1)).unwrap_or(u32::MAX))
    }

    /// No worker starts any more: what has numbers keeps them.
    fn nobody(&mut self, index: usize, fault: &Fault) {
        if self.states[index].close() {
            return;
        }
        self.states[index].fail(self.pairs[index].name(), fault.side, fault.error.trouble(), self.tell);
    }

    /// The time is over for good: what has numbers keeps them.
    fn too_late(&mut self, index: usize) {
        if self.states[index].close() {
            return;
        }
        let why = "not reached: the time that the suite may take at the most was over".to_owned();
        self.states[index].fail(self.pairs[index].name(), Side::Base, blame(why), self.tell);
    }
}
