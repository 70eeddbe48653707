//! What was accepted along a history, and on which series it lies.
//!
//! An entry is taken out of the file when it is over, and what it said of the history stays true. So the file is read as it
//! was at every commit of the main branch, and as it is in the working copy.

use std::collections::HashMap;

use super::acceptances::{FILE_NAME, here, parse};
use super::past::Past;
use crate::domain::{Acceptance, Commit, CommitId, Line, Move, PlacedAcceptance, Series, SeriesTrend, Turn};
use crate::failure::Outcome;
use crate::repo::{Repository, Versions};
use crate::show::accepted::Entry;

/// A change lies at most so many commits off the one that was accepted, where its place is not sure.
const NEAR: usize = 2;

/// Everything that was accepted along the main branch, in order.
pub fn of_line(repository: Option<&Repository>, line: &Line) -> Outcome<Vec<PlacedAcceptance>> {
    repository.map_or(Ok(Vec::new()), |repository| along(repository, line.commits(), |commit| line.place(commit)))
}

/// What was accepted of a series on that line.
#[must_use]
pub fn entries(trend: &SeriesTrend, accepted: &[PlacedAcceptance], line: &Line) -> Vec<Entry> {
    let (Some(first), Some(last)) = (trend.marks.first(), trend.marks.last()) else { return Vec::new() };
    let lying = lying(&trend.series, (first.place, last.place), accepted);
    let entry = |(number, place): (usize, usize)| {
        let commit = line.commits().get(place)?;
        let acceptance = accepted[number].acceptance.clone();
        Some(Entry { place, commit: commit.id.clone(), at_s: commit.committed_at_s, acceptance })
    };
    lying.filter_map(entry).collect()
}

/// Everything that was accepted of a history's commits, in order.
pub(super) fn along(
    repository: &Repository,
    commits: &[Commit],
    place: impl Fn(&CommitId) -> Option<usize>,
) -> Outcome<Vec<PlacedAcceptance>> {
    let Some(since_s) = commits.iter().map(|commit| commit.committed_at_s).min() else { return Ok(Vec::new()) };
    let here = here(repository)?;
    // A repository without a commit has no line.
    let Ok(versions) = repository.versions(FILE_NAME, since_s) else { return Ok(Vec::new()) };
    Ok(placed(&versions, here, place))
}

/// The entries of all versions where they lie. Their own commit is the place if the main branch has it; it is not there
/// when a change was squashed or rebased, and then the commit that brought the entry is.
fn placed(
    versions: &Versions,
    here: Vec<Acceptance>,
    place: impl Fn(&CommitId) -> Option<usize>,
) -> Vec<PlacedAcceptance> {
    let line: HashMap<&CommitId, usize> = versions.line.iter().enumerate().map(|(at, id)| (id, at)).collect();
    // A commit that nobody measured may be unknown: what it brought is seen at the next one that is known.
    let known = |at: usize| versions.line[at..].iter().find_map(&place);
    let mut found: Vec<(Option<usize>, Acceptance)> = Vec::new();
    let mut numbers: HashMap<_, usize> = HashMap::new();
    let mut add = |brought_at: Option<usize>, entry: Acceptance| {
        let (pattern, metric, commit, base) = entry.key();
        let key = (pattern.to_owned(), metric.map(str::to_owned), commit.clone(), base.clone());
        let number = *numbers.entry(key).or_insert(found.len());
        if let Some(known) = found.get_mut(number) {
            known.1 = entry;
        } else {
            let at = line.get(entry.commit()).copied().or(brought_at);
            found.push((at.and_then(known).or_else(|| place(entry.commit())), entry));
        }
    };
    for version in &versions.all {
        // What could not be read was no acceptance for any gate either.
        for entry in parse(&version.content).unwrap_or_default() {
            add(version.brought_at, entry);
        }
    }
    for entry in here {
        add(None, entry);
    }
    let placed = |(place, acceptance)| Some(PlacedAcceptance { place: place?, acceptance });
    let mut placed: Vec<PlacedAcceptance> = found.into_iter().filter_map(placed).collect();
    placed.sort_by_key(|one| one.place);
    placed
}

/// An acceptance on a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covered {
    /// Which of the history's.
    pub number: usize,
    /// The commit's place, which is within the series.
    pub place: usize,
    /// The change that it is about, if the series shows one.
    pub change: Option<usize>,
}

/// What was accepted of a series.
pub(super) fn of(past: &Past, accepted: &[PlacedAcceptance]) -> Vec<Covered> {
    let (Some(&first), Some(&last)) = (past.places.first(), past.places.last()) else { return Vec::new() };
    let covered = |(number, place): (usize, usize)| {
        let is_worse = accepted[number].acceptance.allowed().is_some();
        Covered { number, place, change: is_worse.then(|| change(past, place)).flatten() }
    };
    lying(&past.series, (first, last), accepted).map(covered).collect()
}

/// The acceptances of a series from its first place to its last, each with its place: that it got worse where it was
/// measured, or that it ends.
fn lying<'a>(
    series: &'a Series,
    (first, last): (usize, usize),
    accepted: &'a [PlacedAcceptance],
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let is_ours = series.suite.peer().is_none();
    let lies = move |(number, one): (usize, &PlacedAcceptance)| {
        let place = match one.acceptance.allowed() {
            Some(_) => Some(one.place).filter(|place| (first..=last).contains(place)),
            // A series that goes on is not gone.
            None => Some(last).filter(|last| one.place >= *last),
        };
        let covers = is_ours && one.acceptance.covers(&series.benchmark, &series.metric.name);
        Some((number, place.filter(|_| covers)?))
    };
    accepted.iter().enumerate().filter_map(lies)
}

/// The step for the worse at a place, the nearest if there are several.
fn change(past: &Past, place: usize) -> Option<usize> {
    let at = |point: usize| past.places.get(point).copied().unwrap_or_default();
    let steps = past.trend.changes.iter().enumerate().filter(|(_, change)| {
        let from = change.within.0.checked_sub(1).map_or(0, |before| at(before) + 1);
        let suspects = from.saturating_sub(NEAR)..=at(change.within.1) + NEAR;
        change.kind == Move::Step && change.turn == Turn::Regression && suspects.contains(&place)
    });
    steps.min_by_key(|(_, change)| at(change.at).abs_diff(place)).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Change, Machine, Metric, Point, RecordId, SuiteName, Trend};
    use crate::repo::Version;

    fn id(number: usize) -> CommitId {
        CommitId::new(format!("{number:040x}")).unwrap()
    }

    fn entry(pattern: &str, commit: usize, rest: &str) -> String {
        let (commit, base) = (id(commit), id(0));
        format!("[[accept]]\npattern = \"{pattern}\"\ncommit = \"{commit}\"\nbase = \"{base}\"\n{rest}\n")
    }

    const WORSE: &str = "metric = \"time\"\nallowed = \"5 %\"\nreason = \"safer\"\nuntil = \"2026-12-31\"";

    fn version(brought_at: Option<usize>, text: &str) -> Version {
        Version { brought_at, content: text.as_bytes().to_vec() }
    }

    /// Commits 100 to 109 are the main branch; the history knows the even ones, at the same places.
    fn places(all: Vec<Version>, here: &str) -> Vec<(usize, String)> {
        let versions = Versions { line: (100..110).map(id).collect(), all };
        let known = |wanted: &CommitId| (0..10).step_by(2).find(|at| id(100 + at) == *wanted);
        let found = placed(&versions, parse(here.as_bytes()).unwrap(), known);
        found.into_iter().map(|one| (one.place, one.acceptance.key().0.to_owned())).collect()
    }

    #[test]
    fn an_acceptance_lies_at_its_commit_or_where_it_came_into_the_main_branch() {
        let squashed = entry("squashed", 7, WORSE);
        let own = entry("own", 104, WORSE);
        let all =
            vec![version(Some(3), &squashed), version(Some(6), &format!("{squashed}{own}")), version(Some(8), "")];
        let told = |all: &[(usize, &str)]| all.iter().map(|(at, name)| (*at, (*name).to_owned())).collect::<Vec<_>>();
        assert_eq!(places(all, ""), told(&[(4, "squashed"), (4, "own")]), "what was taken out again stays in the past");
        assert_eq!(places(vec![version(None, &squashed)], ""), [], "who knows when it came");
        assert_eq!(places(vec![version(Some(0), "no toml [")], &own), told(&[(4, "own")]));
    }

    #[test]
    fn an_acceptance_that_was_renewed_is_one_with_its_last_words() {
        let again = WORSE.replace("safer", "still safer");
        let all = vec![version(Some(2), &entry("a", 7, WORSE)), version(Some(6), &entry("a", 7, &again))];
        let versions = Versions { line: (0..10).map(id).collect(), all };
        let found = placed(&versions, Vec::new(), |wanted| (0..10).find(|at| id(*at) == *wanted));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].place, found[0].acceptance.reason()), (7, "still safer"));
    }

    fn past(places: &[usize], changes: Vec<Change>) -> Past {
        let point = |place: &usize| Point {
            run: RecordId::of("run", place),
            commit: id(*place),
            committed_at_s: 0,
            level: 100.0,
            interval: None,
            lives: 1,
            samples: 1,
        };
        let series = Series {
            suite: SuiteName::new("engine").unwrap(),
            benchmark: BenchmarkName::new("kernel/a").unwrap(),
            metric: Metric::time(),
            machine: Machine::Named("lorry".to_owned()),
        };
        Past {
            series,
            points: places.iter().map(point).collect(),
            places: places.to_vec(),
            trend: Trend { points: places.len(), changes, levels: vec![] },
            accepted: vec![],
        }
    }

    fn at(place: usize, text: &str) -> PlacedAcceptance {
        PlacedAcceptance { place, acceptance: parse(text.as_bytes()).unwrap().remove(0) }
    }

    #[test]
    fn it_lies_on_the_series_that_it_covers_and_on_the_step_for_the_worse_that_is_there() {
        let steps = vec![
            Change::example(1, (1, 1), Turn::Improvement),
            Change::example(2, (2, 2), Turn::Regression),
            Change::example(4, (4, 4), Turn::Regression),
        ];
        let past = past(&[10, 20, 30, 40, 50], steps);
        let gone = "reason = \"split\"\nuntil = \"rebased\"";
        let accepted = [
            at(9, &entry("kernel/*", 1, WORSE)),
            at(14, &entry("kernel/*", 2, WORSE)),
            at(25, &entry("kernel/*", 3, WORSE)),
            at(36, &entry("kernel/*", 4, WORSE)),
            at(30, &entry("decode/*", 5, WORSE)),
            at(30, &entry("kernel/*", 6, &WORSE.replace("time", "bytes"))),
            at(30, &entry("kernel/*", 7, gone)),
            at(77, &entry("kernel/*", 8, gone)),
        ];
        let covered: Vec<(usize, usize, Option<usize>)> =
            of(&past, &accepted).iter().map(|one| (one.number, one.place, one.change)).collect();
        assert_eq!(covered, [(1, 14, None), (2, 25, Some(1)), (3, 36, None), (7, 50, None)]);
    }
}
