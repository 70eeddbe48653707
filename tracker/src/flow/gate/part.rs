//! One job's part of a gate that several jobs measure.

use std::collections::BTreeMap;

use super::Going;
use crate::config::{Source, Suite};
use crate::domain::{BenchmarkName, Pattern, Shard, Share, SuiteName};
use crate::failure::Outcome;
use crate::record::{Store, Wanted};

/// What a benchmark costs at the least: a slice where a worker serves it, a process where a command does.
const SLICE_NS: f64 = 1e6;
const PROCESS_NS: f64 = 1e9;

impl Going<'_, '_> {
    /// This job's part of a suite, by what an iteration of each benchmark was last known to take.
    pub(super) fn share(&self, name: &SuiteName, suite: &Suite, shard: Shard) -> Outcome<Share> {
        let mut store = Store::open(self.address)?;
        let exactly = |text: &str| Some(Pattern::new(format!("={text}")));
        let wanted = Wanted { suite: exactly(name.as_str()), metric: exactly("time"), ..Wanted::all() };
        let mut costs: BTreeMap<BenchmarkName, f64> = BTreeMap::new();
        for stored in store.series(&wanted)? {
            for point in store.points(&stored, 1)? {
                let cost = costs.entry(stored.series.benchmark.clone()).or_default();
                *cost = cost.max(point.level);
            }
        }
        let least = match suite.source {
            Source::Cargo { .. } | Source::Worker { .. } => SLICE_NS,
            Source::Command(_) => PROCESS_NS,
        };
        Ok(Share { shard, costs, least })
    }
}
