//! Runs and duels in a line each.

use serde::Serialize;

use super::{CommitId, Notes, RecordId, SuiteName, Whole};

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

/// A duel in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuelLine {
    /// Its identity.
    pub id: RecordId,
    /// The suite.
    pub suite: SuiteName,
    /// The commit that was measured against.
    pub base: CommitId,
    /// The commit that was judged, or stood upon.
    pub head: CommitId,
    /// Whether head was a working tree with changes.
    pub dirty: bool,
    /// When it began, in seconds since 1970 UTC.
    pub started_at_s: i64,
    /// How long it took.
    pub elapsed_ns: u64,
    /// The machine, in a line for people.
    pub machine: String,
    /// Benchmarks that were dueled.
    pub dueled: u64,
    /// Benchmarks that failed on a side.
    pub failed: u64,
    /// What was said of it last; none if nobody judged it.
    pub whole: Option<Whole>,
}

/// All of a run but its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHead {
    /// The run in a line.
    pub line: RunLine,
    /// The machine's identity.
    pub machine: RecordId,
    /// Everything else about where and how it was made.
    pub notes: Notes,
}
