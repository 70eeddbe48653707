//! A change: a place in a series where the level moved.

use serde::{Deserialize, Serialize};

use super::Direction;

/// How the level moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Move {
    /// From one point to the next.
    Step,
    /// Slowly, over many points.
    Drift,
}

impl Move {
    /// The word used in files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Move::Step => "step",
            Move::Drift => "drift",
        }
    }
}

/// What a change means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// For the worse.
    Regression,
    /// For the better.
    Improvement,
    /// Nobody said which way is good.
    Moved,
}

impl Turn {
    /// The turn from its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Turn> {
        [Turn::Regression, Turn::Improvement, Turn::Moved].into_iter().find(|turn| turn.as_str() == word)
    }

    /// What a level that rose or fell means where `better` is good.
    #[must_use]
    pub fn of(rose: bool, better: Direction) -> Turn {
        match (better, rose) {
            (Direction::Unknown, _) => Turn::Moved,
            (Direction::Lower, true) | (Direction::Higher, false) => Turn::Regression,
            (Direction::Lower, false) | (Direction::Higher, true) => Turn::Improvement,
        }
    }

    /// The word used in files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Turn::Regression => "regression",
            Turn::Improvement => "improvement",
            Turn::Moved => "moved",
        }
    }
}

/// How much a level moved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "lowercase")]
pub enum Size {
    /// Relative to the level before: 0.02 for 2 % more.
    Relative {
        /// The best estimate.
        value: f64,
        /// The lower end of its interval.
        low: f64,
        /// The upper end of its interval.
        high: f64,
    },
    /// In the values' own unit, where not all values are above zero.
    Absolute {
        /// The best estimate.
        value: f64,
        /// The lower end of its interval.
        low: f64,
        /// The upper end of its interval.
        high: f64,
    },
}

impl Size {
    /// The best estimate.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Size::Relative { value, .. } | Size::Absolute { value, .. } => value,
        }
    }

    /// The logarithm of after over before; none where there is no ratio.
    #[must_use]
    pub fn log(self) -> Option<f64> {
        match self {
            Size::Relative { value, .. } => Some(value.ln_1p()).filter(|log| log.is_finite()),
            Size::Absolute { .. } => None,
        }
    }
}

/// What speaks for a change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// The probability that there is one within five points of the place.
    pub probability: f64,
    /// How much better two levels explain the points than one does, in nats.
    pub nats: f64,
    /// How often, at most, the best place in these points would do as well if nothing had moved.
    pub p: f64,
}

/// A place in a series where the level moved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The first point of the new level, counted from 0; of a drift, its first point.
    pub at: usize,
    /// The first and the last point at which the new level may have begun, with 95 % probability; of a drift, its span.
    pub within: (usize, usize),
    /// How it moved.
    #[serde(rename = "move")]
    pub kind: Move,
    /// What it means.
    pub turn: Turn,
    /// How much it moved, with its 95 % interval.
    pub size: Size,
    /// The size in units of the series' noise.
    pub noises: f64,
    /// The level before.
    pub before: f64,
    /// The level after.
    pub after: f64,
    /// What speaks for it; none for a drift.
    pub signs: Option<Signs>,
}

#[cfg(test)]
impl Change {
    /// A step of +3 % between such marks, without what bears it out.
    pub(crate) fn example(at: usize, within: (usize, usize), turn: Turn) -> Change {
        let size = Size::Relative { value: 0.03, low: 0.02, high: 0.04 };
        let (before, after) = (100.0, 103.0);
        Change { at, within, kind: Move::Step, turn, size, noises: 3.0, before, after, signs: None }
    }
}

/// A stretch of a series on one level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Its first point.
    pub from: usize,
    /// The point behind its last.
    pub to: usize,
    /// Where it lies.
    pub value: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end of its 95 % interval.
    pub high: f64,
}

/// A series as its levels and the changes between them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// How many points it has.
    pub points: usize,
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// The levels, in order.
    pub levels: Vec<Level>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_is_good_where_higher_is_better() {
        assert_eq!(Turn::of(true, Direction::Higher), Turn::Improvement);
        assert_eq!(Turn::of(true, Direction::Lower), Turn::Regression);
        assert_eq!(Turn::of(false, Direction::Higher), Turn::Regression);
        assert_eq!(Turn::of(true, Direction::Unknown), Turn::Moved);
    }
}
