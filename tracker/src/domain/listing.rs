//! Runs in a line each.

use serde::Serialize;

use super::{CommitId, RecordId, SuiteName};

/// A run in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunLine {
    /// Its identity.
    pub id: RecordId,
    /// The suite.
    pub suite: SuiteName,
    /// The commit that was measured, or stood upon.
    pub commit: CommitId,
    /// Whether it was a working tree with changes.
    pub dirty: bool,
    /// When it began, in seconds since 1970 UTC.
    pub started_at_s: i64,
    /// How long it took.
    pub elapsed_ns: u64,
    /// Where it comes from.
    pub source: String,
    /// The machine, in a line for people.
    pub machine: String,
    /// Benchmarks that were measured.
    pub measured: u64,
    /// Benchmarks that failed.
    pub failed: u64,
}
