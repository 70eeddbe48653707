//! The workers of a duel: three alive at a time, and the next three started while these are measured.
//!
//! Starting takes long on a busy machine, mostly in waiting, and a verdict takes many lives; so the next life is made
//! ready, and the last one let go, on the processors that the slices do not use.

use std::thread;

use super::meet::Side;
use super::trio::{Fault, Trio};
use crate::measure::cores::Pinned;
use crate::measure::lives::Lives;
use crate::measure::order::Order;
use crate::measure::worker::WorkerError;

/// Who starts workers and lets them go.
#[derive(Debug)]
pub(super) struct Crew<'a> {
    /// By side.
    lives: [Lives<'a>; 3],
    /// Started for so many processors, and not used yet.
    spare: Option<(u32, Trio)>,
    /// Used, and not let go yet.
    spent: Option<Trio>,
    /// Whether the workers of a life have the same addresses.
    share_layouts: bool,
}

/// How the workers of a life are started: in which order, and with which addresses.
pub(super) type Start = ([Side; 3], Option<u64>);

impl<'a> Crew<'a> {
    pub(super) fn new(mut lives: [Lives<'a>; 3], share_layouts: bool) -> Crew<'a> {
        let [base, others @ ..] = &mut lives;
        for other in others {
            other.nudge_with(base);
        }
        Crew { lives, spare: None, spent: None, share_layouts }
    }

    /// A random way to start the workers of a life.
    pub(super) fn drawn(&self, order: &mut Order) -> Start {
        let turns = order.shuffled(Side::ALL);
        (turns, self.share_layouts.then(|| order.number()))
    }

    /// Who starts the workers of each side.
    pub(super) fn lives(&mut self) -> &mut [Lives<'a>; 3] {
        &mut self.lives
    }

    /// Three fresh workers. Each is started twice if need be, since a machine may be short of memory or processes for a
    /// moment.
    pub(super) fn next(&mut self, cores: u32, order: &mut Order) -> Result<Trio, Fault> {
        let trio = self.started(cores, order)?;
        trio.gather(&self.lives, cores);
        Ok(trio)
    }

    fn started(&mut self, cores: u32, order: &mut Order) -> Result<Trio, Fault> {
        if let Some((fits, trio)) = self.spare.take() {
            if fits == cores {
                return Ok(trio);
            }
            trio.finish(&mut self.lives);
        }
        let (turns, layout) = self.drawn(order);
        match Trio::start(&mut self.lives, cores, turns, layout) {
            Err(Fault { error, .. }) if !matches!(error, WorkerError::Stopped) => {
                Trio::start(&mut self.lives, cores, turns, layout)
            }
            result => result,
        }
    }

    /// Does `work` with workers on so many processors; meanwhile the next three start, in this way.
    pub(super) fn beside<T>(&mut self, cores: u32, (turns, layout): Start, work: impl FnOnce() -> T) -> T {
        let idle = self.lives[0].cpus_beside(cores).to_vec();
        if idle.is_empty() || self.spare.is_some() {
            return work();
        }
        let Crew { lives, spare, spent, .. } = self;
        thread::scope(|scope| {
            let aside = scope.spawn(move || {
                let _elsewhere = Pinned::here(&idle);
                if let Some(spent) = spent.take() {
                    spent.finish(lives);
                }
                // Whoever needs them and finds none tries again, and hears why there are none.
                Trio::start(lives, cores, turns, layout).ok()
            });
            let done = work();
            *spare = aside.join().unwrap_or_default().map(|trio| (cores, trio));
            done
        })
    }

    /// These were used, on so many processors.
    pub(super) fn used(&mut self, trio: Trio, cores: u32) {
        trio.scatter(&self.lives, cores);
        if let Some(before) = self.spent.replace(trio) {
            before.finish(&mut self.lives);
        }
    }

    /// Lets all go.
    pub(super) fn close(&mut self) {
        let left = [self.spent.take(), self.spare.take().map(|(_, trio)| trio)];
        left.into_iter().flatten().for_each(|trio| trio.finish(&mut self.lives));
    }
}
