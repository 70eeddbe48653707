//! How many series got worse and better lately: what the overview's first line and the badge say.

use super::overview::Newest;
use super::row::{DAYS, Row};
use crate::domain::Turn;

/// A level that moved by less is called the same.
pub(super) const SAME: f64 = 0.005;

/// The counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::show) struct Tally {
    pub(in crate::show) worse: usize,
    pub(in crate::show) better: usize,
    /// Since when: a release, or so many days before.
    pub(in crate::show) since: String,
}

/// Counts since the last release; where there is none, over some weeks.
pub(in crate::show) fn tally(newest: &Newest, rows: &[Row]) -> Tally {
    let column = if newest.release.is_some() { 3 } else { 1 };
    let moved = |wanted: Turn| {
        let is = |row: &&Row| {
            row.over[column].is_some_and(|over| over.abs() >= SAME && Turn::of(over > 0.0, row.metric.better) == wanted)
        };
        rows.iter().filter(is).count()
    };
    let since = newest.release.as_deref().map_or_else(|| format!("{} days before", DAYS[1]), str::to_owned);
    Tally { worse: moved(Turn::Regression), better: moved(Turn::Improvement), since }
}
