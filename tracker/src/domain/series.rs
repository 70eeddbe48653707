//! A metric along the history.

use serde::{Deserialize, Serialize};

use super::{BenchmarkName, CommitId, Machine, Metric, RecordId, SuiteName};

/// One metric of one benchmark on one machine along the history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Series {
    /// The suite that offers the benchmark.
    pub suite: SuiteName,
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// What is read off it.
    pub metric: Metric,
    /// Where.
    pub machine: Machine,
}

impl Series {
    /// The series' public identity.
    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::of("series", self)
    }
}

/// One run's value in a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The run.
    pub run: RecordId,
    /// The commit that it measured.
    pub commit: CommitId,
    /// When that was committed, in seconds since 1970 UTC; not to be trusted for order.
    pub committed_at_s: i64,
    /// The run's level: the middle of its lives' medians (`stats/summary.rs`).
    pub level: f64,
    /// The level's 95 % interval, where the data allow one.
    pub interval: Option<(f64, f64)>,
    /// How many lives there were.
    pub lives: u32,
    /// How many samples they held together.
    pub samples: u64,
}
