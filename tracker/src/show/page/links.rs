//! What stands where in a site, so that one page can lead to another.

use std::collections::{BTreeMap, BTreeSet};

use super::frame::Depth;
use super::html::Html;
use super::row::{Cause, ChangeLine, Row, TOGETHER};
use crate::domain::{
    BenchmarkName, CommitId, DuelLine, Machine, Metric, RecordId, Series, State, SuiteName, Turn, Whole,
};

/// A run by what was measured: commit, suite, machine in a line.
pub type Measured = (CommitId, String, String);

/// What somebody said of a finding of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The first and the last place at which it may have begun.
    pub within: (usize, usize),
    /// What it means.
    pub turn: Turn,
    /// What it is since.
    pub state: State,
    /// Why.
    pub note: String,
}

/// The pages that there are.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// The series that have pages.
    pub series: BTreeSet<RecordId>,
    /// The runs that have pages.
    pub runs: BTreeMap<Measured, RecordId>,
    /// The duels that have pages, newest first.
    pub duels: Vec<DuelLine>,
    /// What was said of findings.
    pub said: Vec<Said>,
}

impl Links {
    /// The run of a commit.
    pub(super) fn run(&self, commit: &CommitId, suite: &SuiteName, machine: &str) -> Option<&RecordId> {
        self.runs.get(&(commit.clone(), suite.to_string(), machine.to_owned()))
    }

    /// What a cause is, and why: fixed if its levels have returned, else what somebody said of it, else open.
    pub(super) fn state(&self, cause: &Cause<'_>) -> (State, &str) {
        let first = cause.first();
        if first.turn == Turn::Regression && cause.changes.iter().all(|(row, change)| has_returned(row, change)) {
            return (State::Fixed, "");
        }
        let is_about =
            |said: &&Said| said.turn == first.turn && (said.within.0..=said.within.1 + TOGETHER).contains(&first.place);
        self.said.iter().rfind(is_about).map_or((State::Open, ""), |said| (said.state, &said.note))
    }

    /// The duels that judged a commit of a suite.
    pub(super) fn duels_of<'a>(
        &'a self,
        commit: &'a CommitId,
        suite: &'a SuiteName,
    ) -> impl Iterator<Item = &'a DuelLine> {
        self.duels.iter().filter(move |duel| duel.head == *commit && !duel.dirty && duel.suite == *suite)
    }

    /// The series of a metric, if it has a page.
    pub(super) fn series_of(
        &self,
        (suite, machine): (&SuiteName, &Machine),
        benchmark: &BenchmarkName,
        metric: &Metric,
    ) -> Option<RecordId> {
        let series = Series {
            suite: suite.clone(),
            benchmark: benchmark.clone(),
            metric: metric.clone(),
            machine: machine.clone(),
        };
        Some(series.id()).filter(|id| self.series.contains(id))
    }
}

/// Whether a later change brought the level back: nearer to where it was before than to where it went.
fn has_returned(row: &Row, change: &ChangeLine) -> bool {
    let (before, after) = change.levels;
    let back = |later: &ChangeLine| (later.levels.1 - before).abs() < (after - before).abs() / 2.0;
    row.changes.iter().any(|later| later.place > change.place && back(later))
}

/// The file of a run's page, in the folder `run`.
#[must_use]
pub fn run_file(run: &RecordId) -> String {
    format!("{}.html", run.short())
}

/// The file of a duel's page, in the folder `duel`.
#[must_use]
pub fn duel_file(duel: &RecordId) -> String {
    format!("{}.html", duel.short())
}

/// The file of a page behind a duel's own, counted from nought, which is the duel's own.
#[must_use]
pub fn duel_page(duel: &RecordId, number: usize) -> String {
    match number {
        0 => duel_file(duel),
        _ => format!("{}-{}.html", duel.short(), number + 1),
    }
}

/// The word for a gate with its colour.
pub(super) fn word(body: &mut Html, whole: Option<Whole>) {
    let (class, word) = match whole {
        Some(Whole::Red) => ("worse", "red"),
        Some(Whole::Green) => ("better", "green"),
        Some(Whole::Inconclusive) => ("moved", "inconclusive"),
        Some(Whole::Nothing) => ("moved", "nothing"),
        None => ("moved", "not judged"),
    };
    body.put("<b class=\"").put(class).put("\">").put(word).put("</b>");
}

/// A link to a page in one of the site's folders.
pub(super) fn to(body: &mut Html, (depth, folder): (Depth, &'static str), file: &str, text: &str) {
    body.put("<a href=\"").put(depth.up()).put(folder).text(file).put("\">").text(text).put("</a>");
}

/// A benchmark's name, leading to its series where that has a page.
pub(super) fn benchmark(body: &mut Html, depth: Depth, series: Option<&RecordId>, name: &str) {
    match series {
        Some(id) => to(body, (depth, "series/"), &format!("{}.html", id.short()), name),
        None => {
            body.text(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::causes;
    use super::super::row::tests::{change, row};
    use super::*;

    #[test]
    fn a_cause_is_fixed_when_its_levels_return_else_what_was_said_of_it_else_open() {
        let back = ChangeLine { levels: (1050.0, 1004.0), ..change(30, Turn::Improvement, -0.05) };
        let rows = [
            row("a", vec![change(10, Turn::Regression, 0.05), back]),
            row("b", vec![change(20, Turn::Regression, 0.05)]),
            row("c", vec![change(50, Turn::Regression, 0.05)]),
        ];
        let said = |state, within| Said { within, turn: Turn::Regression, state, note: "as meant".to_owned() };
        let links = Links { said: vec![said(State::Expected, (19, 20))], ..Links::default() };
        let states: Vec<(usize, State)> =
            causes(&rows).iter().map(|cause| (cause.first().place, links.state(cause).0)).collect();
        let expected = [(50, State::Open), (30, State::Open), (20, State::Expected), (10, State::Fixed)];
        assert_eq!(states, expected);
    }
}
