//! What is known of a series in a line: enough for the overview and the list of changes.

use serde::{Deserialize, Serialize};

use crate::domain::{BenchmarkName, CommitId, Metric, RecordId, SuiteName, Turn};

/// How far back the columns of the overview look, in days; the last column looks to the last release.
pub const DAYS: [i64; 3] = [1, 30, 90];

/// A series in a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The series.
    pub id: RecordId,
    /// Its suite.
    pub suite: SuiteName,
    /// Its benchmark.
    pub benchmark: BenchmarkName,
    /// Its metric.
    pub metric: Metric,
    /// Its machine, in a line.
    pub machine: String,
    /// How it went, in few values.
    pub spark: Vec<f64>,
    /// Its present level.
    pub level: f64,
    /// How far its points lie off their levels, relative to the present one.
    pub noise: Option<f64>,
    /// The present level relative to that of so many [`DAYS`] before its last point, and of the last release before it.
    pub over: [Option<f64>; 4],
    /// Its changes, oldest first.
    pub changes: Vec<ChangeLine>,
    /// The last commit that it has a point of.
    pub last: CommitId,
    /// When that was committed.
    pub last_at_s: i64,
}

/// A change in a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeLine {
    /// Its place in the history.
    pub place: usize,
    /// The first commit of the new level.
    pub commit: CommitId,
    /// When that was committed.
    pub at_s: i64,
    /// What it says of itself.
    pub subject: String,
    /// The first and the last commit at which the level may have moved.
    pub within: (CommitId, CommitId),
    /// What it means.
    pub turn: Turn,
    /// Whether it moved slowly.
    pub drifts: bool,
    /// How much it moved, in a word.
    pub size: String,
    /// How much it moved, relative to the level before; none where that has no meaning.
    pub relative: Option<f64>,
    /// The interval of that.
    pub interval: Option<(f64, f64)>,
    /// The levels before and after.
    pub levels: (f64, f64),
    /// The reasons for which it was accepted.
    pub accepted: Vec<String>,
}

/// Changes of several series that began at about the same commit and went the same way: one cause, most likely.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause<'a> {
    /// The changes with their series, the largest first.
    pub changes: Vec<(&'a Row, &'a ChangeLine)>,
    /// The one that speaks for all.
    first: &'a ChangeLine,
}

impl Cause<'_> {
    /// The change that speaks for all: the largest of those at the commit that most of them name.
    #[must_use]
    pub fn first(&self) -> &ChangeLine {
        self.first
    }

    /// An address that stays the same while the largest change stays where it is.
    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::of("cause", &(&self.first().commit, self.first().turn))
    }
}

impl ChangeLine {
    /// That it was accepted and why, if it was.
    pub(super) fn told_accepted(&self) -> Option<String> {
        (!self.accepted.is_empty()).then(|| format!("accepted: {}", self.accepted.join("; ")))
    }
}

/// The places of one cause lie at most so many commits apart.
pub(super) const TOGETHER: usize = 2;

/// All changes of all series by cause, the newest first.
#[must_use]
pub fn causes(rows: &[Row]) -> Vec<Cause<'_>> {
    let mut changes: Vec<(&Row, &ChangeLine)> =
        rows.iter().flat_map(|row| row.changes.iter().map(move |change| (row, change))).collect();
    changes.sort_by(|one, other| {
        let key = |(row, change): &(&Row, &ChangeLine)| (change.turn.as_str(), change.place, row.id.clone());
        key(one).cmp(&key(other))
    });
    let mut causes: Vec<Cause<'_>> = changes
        .chunk_by(|one, next| one.1.turn == next.1.turn && next.1.place - one.1.place <= TOGETHER)
        .map(|together| {
            let mut changes = together.to_vec();
            let size = |change: &ChangeLine| change.relative.map_or(0.0, f64::abs);
            changes.sort_by(|one, other| size(other.1).total_cmp(&size(one.1)));
            let named = |change: &ChangeLine| together.iter().filter(|(_, other)| other.place == change.place).count();
            let places: Vec<usize> = changes.iter().map(|(_, change)| named(change)).collect();
            let most = places.iter().copied().max().unwrap_or_default();
            let first = places.iter().position(|&count| count == most).unwrap_or_default();
            Cause { first: changes[first].1, changes }
        })
        .collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.first().place));
    causes
}

#[cfg(test)]
pub(in crate::show) mod tests {
    use super::*;

    pub(in crate::show) fn row(name: &str, changes: Vec<ChangeLine>) -> Row {
        Row {
            id: RecordId::of("series", &name),
            suite: SuiteName::new("engine").unwrap(),
            benchmark: BenchmarkName::new(name).unwrap(),
            metric: Metric::time(),
            machine: "lorry".to_owned(),
            spark: vec![1.0, 2.0, 3.0],
            level: 5312.0,
            noise: Some(0.012),
            over: [Some(0.0), Some(0.031), Some(-0.2), None],
            changes,
            last: CommitId::new("ab".repeat(20)).unwrap(),
            last_at_s: 1_790_000_000,
        }
    }

    pub(in crate::show) fn change(place: usize, turn: Turn, relative: f64) -> ChangeLine {
        let commit = |place: usize| CommitId::new(format!("{place:040x}")).unwrap();
        ChangeLine {
            place,
            commit: commit(place),
            at_s: 1_780_000_000 + i64::try_from(place).unwrap() * 3600,
            subject: format!("Change {place}"),
            within: (commit(place - 1), commit(place + 1)),
            turn,
            drifts: false,
            size: format!("{:+.1} %", relative * 100.0),
            relative: Some(relative),
            interval: Some((relative - 0.01, relative + 0.01)),
            levels: (1000.0, 1000.0 * (1.0 + relative)),
            accepted: vec![],
        }
    }

    #[test]
    fn what_moved_at_one_commit_the_same_way_has_one_cause() {
        let rows = [
            row("a", vec![change(10, Turn::Regression, 0.05)]),
            row("b", vec![change(11, Turn::Regression, 0.09), change(40, Turn::Improvement, -0.2)]),
            row("d", vec![change(10, Turn::Regression, 0.04)]),
            row("c", vec![change(10, Turn::Improvement, -0.03)]),
        ];
        let causes = causes(&rows);
        let told: Vec<(usize, usize)> = causes.iter().map(|cause| (cause.first().place, cause.changes.len())).collect();
        assert_eq!(told, [(40, 1), (10, 1), (10, 3)]);
        assert_eq!(causes[2].changes[0].0.benchmark.as_str(), "b", "the largest first");
        assert_eq!(causes[2].first().size, "+5.0 %", "of those at the commit that most of them name");
    }
}
