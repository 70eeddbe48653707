//! What the two sides of a duel offer, and what they have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use super::meet::Side;
use super::{DuelError, Options, Programs};
use crate::domain::{BenchmarkName, Bout, Kind, Metric};
use crate::measure::child::{Program, layout};
use crate::measure::interrupt::Stop;
use crate::measure::lives::Lives;
use crate::measure::protocol::Listed;
use crate::measure::worker::WorkerError;

/// What the two sides offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Offers {
    base: Vec<Listed>,
    head: Vec<Listed>,
    pub(super) workers: [String; 2],
    /// Whether both sides' processes can have the same addresses: their workers move their heaps as they are told, or
    /// they are one program, as where one interpreter reads two sources.
    pub(super) share_layouts: bool,
}

impl Offers {
    /// Each metric of each benchmark that base offers: what can be judged.
    pub fn of_base(&self) -> impl Iterator<Item = (&BenchmarkName, Metric)> {
        self.base.iter().flat_map(|listed| {
            let metrics = std::iter::once(Metric::time()).chain(listed.metrics.iter().cloned());
            metrics.map(|metric| (&listed.name, metric))
        })
    }

    /// Every benchmark that either side offers.
    #[must_use]
    pub fn names(&self) -> BTreeSet<BenchmarkName> {
        self.base.iter().chain(&self.head).map(|listed| listed.name.clone()).collect()
    }

    /// Leaves out what is not to be measured here.
    pub fn retain(&mut self, mut keep: impl FnMut(&BenchmarkName) -> bool) {
        for side in [&mut self.base, &mut self.head] {
            side.retain(|listed| keep(&listed.name));
        }
    }

    /// Benchmarks that only one side has.
    pub(super) fn lone(&self) -> impl Iterator<Item = (BenchmarkName, Bout)> {
        let lacks = |side: &[Listed], name: &BenchmarkName| side.iter().all(|other| other.name != *name);
        let gone = self.base.iter().filter(move |one| lacks(&self.head, &one.name));
        let come = self.head.iter().filter(move |one| lacks(&self.base, &one.name));
        gone.map(|one| (one.name.clone(), Bout::Missing)).chain(come.map(|one| (one.name.clone(), Bout::New)))
    }

    /// Benchmarks that both have.
    pub(super) fn common(&self) -> Vec<Pair<'_>> {
        let of_head: BTreeMap<&BenchmarkName, &Listed> = self.head.iter().map(|one| (&one.name, one)).collect();
        self.base.iter().filter_map(|base| Some(Pair::new(base, of_head.get(&base.name)?))).collect()
    }
}

/// One benchmark as both sides list it.
#[derive(Debug, Clone)]
pub(super) struct Pair<'a> {
    pub(super) base: &'a Listed,
    pub(super) head: &'a Listed,
    /// The metrics that both declare, with their places on base and on head. One that only a side takes for exact is noisy.
    pub(super) shared: Vec<(Metric, usize, usize)>,
    /// The metrics that only a side declares, or declares with another unit or direction, with their place there.
    pub(super) lone: Vec<(Side, &'a Metric, usize)>,
}

impl<'a> Pair<'a> {
    fn new(base: &'a Listed, head: &'a Listed) -> Pair<'a> {
        let same = |one: &Metric, other: &Metric| {
            (&one.name, &one.unit, one.better) == (&other.name, &other.unit, other.better)
        };
        let (mut shared, mut lone) = (Vec::new(), Vec::new());
        for (on_base, metric) in base.metrics.iter().enumerate() {
            match head.metrics.iter().position(|other| same(metric, other)) {
                Some(on_head) => {
                    let kind = if head.metrics[on_head].kind == Kind::Noisy { Kind::Noisy } else { metric.kind };
                    shared.push((Metric { kind, ..metric.clone() }, on_base, on_head));
                }
                None => lone.push((Side::Base, metric, on_base)),
            }
        }
        let of_head = head.metrics.iter().enumerate();
        let new = of_head.filter(|(_, metric)| base.metrics.iter().all(|other| !same(metric, other)));
        lone.extend(new.map(|(at, metric)| (Side::Head, metric, at)));
        Pair { base, head, shared, lone }
    }

    pub(super) fn name(&self) -> &'a BenchmarkName {
        &self.base.name
    }

    pub(super) fn listed(&self, side: Side) -> &'a Listed {
        if side == Side::Head { self.head } else { self.base }
    }

    pub(super) fn cores(&self) -> u32 {
        self.base.cores.max(self.head.cores)
    }
}

/// Asks both sides what they offer, as far as `options` chooses it.
pub fn offers(programs: Programs<'_>, options: &Options, stop: &Stop) -> Result<Offers, DuelError> {
    let until = Instant::now() + options.limit;
    let ask = |program: &Program| -> Result<(String, Footing, Vec<Listed>), WorkerError> {
        let mut lives = Lives::new(program, options.patience, until, stop);
        let mut worker = lives.start(u32::MAX, None)?;
        let listed = worker.list()?;
        let alone = worker.process_id().and_then(layout::program_alone_in);
        let (name, footing) = (worker.hello().worker.clone(), Footing { moves: worker.offers("layout"), alone });
        lives.finish(worker);
        Ok((name, footing, listed.into_iter().filter(|benchmark| options.chooses(&benchmark.name)).collect()))
    };
    let stopped = |error| if matches!(error, WorkerError::Stopped) { Err(DuelError::Stopped) } else { Ok(error) };
    let (base_worker, base_footing, base) =
        ask(programs.base).or_else(|error| Err(DuelError::Base(stopped(error)?)))?;
    let (head_worker, head_footing, head) =
        ask(programs.head).or_else(|error| Err(DuelError::Head(stopped(error)?)))?;
    Ok(Offers {
        base,
        head,
        workers: [base_worker, head_worker],
        share_layouts: base_footing.is_shared_by(&head_footing),
    })
}

/// What decides where a worker's memory lies.
struct Footing {
    /// Whether it moves its heap as it is told.
    moves: bool,
    /// The program that runs in its process, if that has started no other and the system says so.
    alone: Option<PathBuf>,
}

impl Footing {
    fn is_shared_by(&self, other: &Footing) -> bool {
        self.moves && other.moves || self.alone.is_some() && self.alone == other.alone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shared_by_those_that_move_their_heaps_and_by_one_program() {
        let footing = |moves: bool, alone: Option<&str>| Footing { moves, alone: alone.map(PathBuf::from) };
        assert!(footing(true, Some("base/suite")).is_shared_by(&footing(true, Some("head/suite"))));
        assert!(!footing(true, Some("base/suite")).is_shared_by(&footing(false, Some("head/suite"))));
        assert!(footing(false, Some("python3")).is_shared_by(&footing(false, Some("python3"))));
        assert!(!footing(false, None).is_shared_by(&footing(false, None)), "nobody knows");
    }
}
