//! What is read off a benchmark.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Less is better, as with time.
    Lower,
    /// More is better, as with throughput.
    Higher,
    /// The source does not say; shown, never judged until the configuration says.
    Unknown,
}

impl Direction {
    /// The word used in files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Lower => "lower",
            Direction::Higher => "higher",
            Direction::Unknown => "unknown",
        }
    }
}

/// How a metric repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Each reading differs, as with time.
    Noisy,
    /// Two readings of one binary agree, as with instructions or bytes allocated.
    Exact,
}

impl Kind {
    /// The word used in files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Noisy => "noisy",
            Kind::Exact => "exact",
        }
    }
}

/// The unit of a metric's values. Times are always in `ns`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unit(String);

impl Unit {
    /// Takes a text as a unit.
    pub fn new(text: impl Into<String>) -> Unit {
        Unit(text.into())
    }

    /// Nanoseconds: the unit of every time.
    #[must_use]
    pub fn nanoseconds() -> Unit {
        Unit::new("ns")
    }

    /// The unit as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const SIZE: &str = "size";
const INSTRUCTIONS: &str = "instructions";

/// Why a text names no further metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no metric that can be asked for; there is `instructions`")]
pub struct ExtraError(String);

/// A metric that is measured beside what a suite reports itself, where somebody asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// The instructions of an iteration: [`Metric::instructions`].
    Instructions,
}

impl FromStr for Extra {
    type Err = ExtraError;
    fn from_str(text: &str) -> Result<Extra, ExtraError> {
        if text == INSTRUCTIONS { Ok(Extra::Instructions) } else { Err(ExtraError(text.to_owned())) }
    }
}

/// What is read off a benchmark: a name, a unit, which way is good, and how it repeats.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Metric {
    /// Its name: `time`, `allocations`, `tokens`.
    pub name: String,
    /// The unit of its values.
    pub unit: Unit,
    /// Which way is good.
    pub better: Direction,
    /// How it repeats.
    pub kind: Kind,
}

impl Metric {
    /// The size of the program that was built, in bytes.
    #[must_use]
    pub fn size() -> Metric {
        Metric { name: SIZE.to_owned(), unit: Unit::new("bytes"), better: Direction::Lower, kind: Kind::Exact }
    }

    /// Whether it is [`Metric::size`], which each new function makes larger: reported, and gated only where somebody says so.
    #[must_use]
    pub fn is_size(&self) -> bool {
        self.name == SIZE && self.kind == Kind::Exact
    }

    /// The instructions of an iteration, as they are counted where somebody asks for them.
    #[must_use]
    pub fn instructions() -> Metric {
        let name = INSTRUCTIONS.to_owned();
        Metric { name, unit: Unit::new("count"), better: Direction::Lower, kind: Kind::Exact }
    }

    /// The metric that every benchmark has: time per iteration, in nanoseconds.
    #[must_use]
    pub fn time() -> Metric {
        Metric { name: "time".to_owned(), unit: Unit::nanoseconds(), better: Direction::Lower, kind: Kind::Noisy }
    }
}
