//! A history: commits in order, and series laid along it.

use std::collections::HashMap;

use super::{Commit, CommitId, Series, Trend};

/// By what commits were put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Each is the first parent of the next: the history of the main branch.
    FirstParents,
    /// By date, children after parents: nothing better is known.
    Date,
}

/// The commits of a history, oldest first. A commit's place is its index.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    commits: Vec<Commit>,
    places: HashMap<CommitId, usize>,
    order: Order,
}

impl Line {
    /// Takes commits, oldest first; one that comes again is left out.
    #[must_use]
    pub fn new(commits: Vec<Commit>, order: Order) -> Line {
        let mut places = HashMap::with_capacity(commits.len());
        let mut line = Vec::with_capacity(commits.len());
        for commit in commits {
            if let std::collections::hash_map::Entry::Vacant(free) = places.entry(commit.id.clone()) {
                free.insert(line.len());
                line.push(commit);
            }
        }
        Line { commits: line, places, order }
    }

    /// The commits, oldest first.
    #[must_use]
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// By what they were put in order.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// Where a commit stands; none if it is not on this line.
    #[must_use]
    pub fn place(&self, commit: &CommitId) -> Option<usize> {
        self.places.get(commit).copied()
    }
}

/// All that was measured of a series at one commit: where it was measured more than once, the median of the runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// The commit's place on the line. Commits between two marks are gaps: nobody measured them.
    pub place: usize,
    /// The level, at the clock that the processor mostly had.
    pub level: f64,
    /// Its 95 % interval, from the least to the greatest of the runs; none if a run had none.
    pub interval: Option<(f64, f64)>,
    /// How many runs there were.
    pub runs: usize,
    /// The newest of them: its index among the history's runs.
    pub newest: usize,
}

/// From here on another toolchain built what was measured.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Toolchain {
    /// The first mark of it.
    pub at: usize,
    /// What it calls itself.
    pub name: String,
}

/// A series along a line, with what was found in it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesTrend {
    /// What it is of.
    pub series: Series,
    /// Its marks, in the order of the line.
    pub marks: Vec<Mark>,
    /// Its levels and changes; their indices count marks.
    pub trend: Trend,
    /// The first toolchain, if its name is known, and each that came after it: a note in the lane, never a new series.
    pub toolchains: Vec<Toolchain>,
    /// How many marks were measured at another clock than the usual one and brought to that, which moved them.
    pub brought: usize,
    /// How many points are no marks, since a neighbour on the processor made them.
    pub left_out: usize,
}

impl SeriesTrend {
    /// The places of the commits, first and last, in which the change `at` whose new level began within these marks may lie:
    /// from behind the last mark of the old level to the first sure mark of the new one. Gaps widen it.
    #[must_use]
    pub fn suspects(&self, (first, last): (usize, usize)) -> (usize, usize) {
        let place = |mark: usize| self.marks.get(mark).map_or(0, |mark| mark.place);
        let after = first.checked_sub(1).map_or(place(first), |before| place(before) + 1);
        (after, place(last).max(after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Machine, Metric, SuiteName};

    fn commit(number: u32) -> Commit {
        let id = CommitId::new(format!("{number:040x}")).unwrap();
        Commit { id, parents: vec![], committed_at_s: 0, subject: String::new() }
    }

    #[test]
    fn a_commit_that_comes_again_keeps_its_first_place() {
        let line = Line::new(vec![commit(1), commit(2), commit(1), commit(3)], Order::Date);
        assert_eq!(line.commits().len(), 3);
        assert_eq!([1, 2, 3, 4].map(|number| line.place(&commit(number).id)), [Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn a_gap_before_the_new_level_widens_the_suspects() {
        let mark = |place| Mark { place, level: 1.0, interval: None, runs: 1, newest: 0 };
        let series = SeriesTrend {
            series: Series {
                suite: SuiteName::new("engine").unwrap(),
                benchmark: BenchmarkName::new("a").unwrap(),
                metric: Metric::time(),
                machine: Machine::Named("lorry".to_owned()),
            },
            marks: [3, 4, 9, 10].map(mark).to_vec(),
            trend: Trend::default(),
            toolchains: vec![],
            brought: 0,
            left_out: 0,
        };
        assert_eq!(series.suspects((2, 2)), (5, 9));
        assert_eq!(series.suspects((1, 3)), (4, 10));
        assert_eq!(series.suspects((0, 1)), (3, 4));
    }
}
