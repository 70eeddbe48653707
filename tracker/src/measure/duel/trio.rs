//! The three workers of one life of a duel, and serving a few benchmarks by them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::meet::{Meeting, Side, Task, meet};
use super::{Pair, Running, blame};
use crate::measure::lives::{Lives, Stopped};
use crate::measure::order::Order;
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
    /// Starts the three, in random order; each twice if need be, since a machine may be short of memory or processes for a
    /// moment.
    fn start(lives: &mut [Lives<'_>; 3], cores: u32, order: &mut Order) -> Result<Trio, Fault> {
        let mut turns = Side::ALL;
        order.shuffle(&mut turns);
        let mut started: Vec<(Side, Worker)> = Vec::with_capacity(3);
        for side in turns {
            let lives = &mut lives[side.place()];
            let worker = match lives.start(cores) {
                Err(error) if !matches!(error, WorkerError::Stopped) => lives.start(cores),
                result => result,
            };
            started.push((side, worker.map_err(|error| Fault { side, error })?));
        }
        started.sort_by_key(|(side, _)| side.place());
        let workers: Vec<Worker> = started.into_iter().map(|(_, worker)| worker).collect();
        workers
            .try_into()
            .map(|workers| Trio { workers })
            .map_err(|_| Fault { side: Side::Base, error: WorkerError::Stopped })
    }

    /// Runs one slice on a side.
    pub(super) fn run(&mut self, side: Side, pair: &Pair<'_>, iterations: u64) -> Result<Slice, Fault> {
        self.workers[side.place()].run(pair.listed(side), iterations).map_err(|error| Fault { side, error })
    }

    /// Frees the benchmark's set-up on a side.
    pub(super) fn drop_setup(&mut self, side: Side, pair: &Pair<'_>) -> Result<(), Fault> {
        self.workers[side.place()].drop_setup(pair.listed(side)).map_err(|error| Fault { side, error })
    }

    fn finish(self, lives: &mut [Lives<'_>; 3]) {
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
        queue: Vec<usize>,
        cores: u32,
        rounds: &BTreeMap<usize, u32>,
    ) -> Result<(), Stopped> {
        let mut queue = VecDeque::from(queue);
        let few = self.few(&queue, rounds);
        let until = self.begun + self.options.limit;
        while !queue.is_empty() {
            let mut trio = match Trio::start(&mut self.lives, cores, &mut self.order) {
                Ok(trio) => trio,
                Err(Fault { error: WorkerError::Stopped, .. }) => return Err(Stopped),
                Err(fault) => {
                    queue.drain(..).for_each(|index| self.nobody(index, &fault));
                    return Ok(());
                }
            };
            let mut served = 0;
            let mut is_well = true;
            while is_well
                && served < few
                && let Some(index) = queue.pop_front()
            {
                if Instant::now() >= until {
                    self.too_late(index);
                    continue;
                }
                let pair = &self.pairs[index];
                let Some(task) = self.states[index].task(rounds.get(&index).copied().unwrap_or(1)) else { continue };
                match self.meeting(&mut trio, pair, task) {
                    Ok(meeting) => self.states[index].take(meeting),
                    Err(Fault { error: WorkerError::Stopped, .. }) => return Err(Stopped),
                    Err(fault) => {
                        is_well = false;
                        if fault.error.is_crash() && served > 0 {
                            queue.push_front(index);
                        } else {
                            let trouble = fault.error.trouble();
                            self.states[index].fail(pair.name(), fault.side, trouble, self.tell);
                        }
                    }
                }
                served += 1;
            }
            trio.finish(&mut self.lives);
        }
        Ok(())
    }

    fn meeting(&mut self, trio: &mut Trio, pair: &Pair<'_>, task: Task) -> Result<Meeting, Fault> {
        meet(trio, pair, task, &mut self.order)
    }

    /// How many benchmarks these lives serve: more where starting takes long beside measuring.
    fn few(&self, queue: &VecDeque<usize>, rounds: &BTreeMap<usize, u32>) -> usize {
        let costs = queue.iter().filter_map(|&index| {
            let need = self.states[index].need(index, 1)?;
            Some(need.cost(rounds.get(&index).copied().unwrap_or(1)))
        });
        let costs: Vec<_> = costs.collect();
        let all = costs.iter().sum::<std::time::Duration>();
        // Three start, and their meeting counts once: a third of it stands for each.
        self.lives[0].few(all / u32::try_from(3 * costs.len().max(1)).unwrap_or(u32::MAX))
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
