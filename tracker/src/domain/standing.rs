//! How a new point stands to the level of its series.

use serde::{Deserialize, Serialize};

use super::{BenchmarkName, Commit, CommitId, MetricVerdict, RecordId, Series, Size};

/// What is said of a new point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Too few points came before to say anything.
    Young,
    /// Where the level lets points lie.
    InLine,
    /// In line, and points of this series scatter so much that one would be with a change of the size that counts: worth
    /// another look too.
    Blind,
    /// Farther from the level than points of this series usually lie: worth another look.
    Suspect,
    /// With this point it is sure that the level moved.
    Moved,
    /// It would be suspect or have moved, but a neighbour on the processor made it, as far as is known: the history leaves it
    /// out, and only another look says more.
    Disturbed,
}

impl Standing {
    /// The word used in files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Young => "young",
            Standing::InLine => "in line",
            Standing::Blind => "blind",
            Standing::Suspect => "suspect",
            Standing::Moved => "moved",
            Standing::Disturbed => "disturbed",
        }
    }
}

/// A new point of a series, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewPoint {
    /// The series.
    pub series: Series,
    /// How it stands.
    pub standing: Standing,
    /// The point.
    pub value: f64,
    /// The level that it is compared with; none while the series is young.
    pub level: Option<f64>,
    /// How far it lies from the level, with the 95 % interval in which a single point tells that.
    pub size: Option<Size>,
    /// Of a level that moved, the first commit of the new one.
    pub since: Option<CommitId>,
}

/// A second look at suspects: their commit measured in turns with its first parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The first parent.
    pub parent: Commit,
    /// The duel, which is in the store.
    pub duel: RecordId,
    /// How much time it all took, building included.
    pub extra_ns: u64,
    /// What is said of each metric of each suspect. A metric that is beyond its limit has moved at this very commit.
    pub verdicts: Vec<(BenchmarkName, MetricVerdict)>,
    /// Suspects that could not be measured on a side, and why.
    pub failed: Vec<(BenchmarkName, String)>,
}
