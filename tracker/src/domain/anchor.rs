//! A history told against an anchor: one commit that every machine duels again and again, so that ratios can be laid beside
//! one another where times cannot.

use super::{BenchmarkName, Bout, CommitId, Duel, Machine, Metric, SeriesTrend, SuiteName};

/// The note of a duel whose base is the anchor of its day: what that was called.
pub const ANCHOR_NOTE: &str = "anchor";

/// A commit that was dueled with the anchor just now.
#[derive(Debug)]
pub struct AnchorDuel {
    /// What the anchor is called.
    pub anchor: String,
    /// What was read; it is in the store.
    pub duel: Duel,
    /// How much time it took, building included.
    pub extra_ns: u64,
}

impl AnchorDuel {
    /// How many benchmarks have a ratio.
    #[must_use]
    pub fn ratios(&self) -> usize {
        self.duel.bouts.values().filter(|bout| matches!(bout, Bout::Dueled(contests) if !contests.is_empty())).count()
    }
}

/// A commit against the anchor, as one duel read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// The commit.
    pub head: CommitId,
    /// Its place on the line; none if it is not on it.
    pub place: Option<usize>,
    /// The logarithm of commit/anchor.
    pub log: f64,
    /// The variance of that.
    pub variance: f64,
    /// When the duel began, in seconds since 1970 UTC.
    pub started_at_s: i64,
}

/// Ratios that can be compared as they are: of one class of machine, against one anchor, which one toolchain built.
#[derive(Debug, Clone, PartialEq)]
pub struct Strand {
    /// The class of machine.
    pub machine: Machine,
    /// The anchor.
    pub anchor: CommitId,
    /// What it was called.
    pub name: String,
    /// What built it, where that is known.
    pub toolchain: Option<String>,
    /// The ratios, in the order of recording.
    pub ratios: Vec<Ratio>,
}

/// By what a strand is tied to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// It is the one that the others are laid upon.
    First,
    /// A duel of the two anchors on this class of machine.
    Duel,
    /// Commits that both measured, or that lie close together.
    Neighbours,
}

/// How far a strand lies from the first one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offset {
    /// By what it is known.
    pub tie: Tie,
    /// The logarithm of its factor; taken off its ratios.
    pub log: f64,
    /// The standard error of that, along all ties to the first strand.
    pub error: f64,
    /// How many duels or commits say so.
    pub count: usize,
}

/// One metric of one benchmark against the anchor, all classes of machine read as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchored {
    /// The suite.
    pub suite: SuiteName,
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// What is compared.
    pub metric: Metric,
    /// What the anchor of the first strand, to which all is related, is called.
    pub anchor: String,
    /// The strands, the first one first; with how far each lies from it, or none where nothing ties it.
    pub strands: Vec<(Strand, Option<Offset>)>,
    /// All that is tied as one series of ratios, judged.
    pub trend: SeriesTrend,
}
