//! All changes of a history as findings, with their names and what people said of them.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::anchored;
use super::dueled::{Dueled, Listed};
use super::trend::{self, History};
use crate::domain::{
    Annotation, ChangeFinding, Commit, Line, Move, Named, Part, Pattern, RecordId, SeriesTrend, State, Turn,
};
use crate::failure::Outcome;
use crate::judge::confirmed::Duels;
use crate::judge::findings::{self, Group, Span};
use crate::judge::neighbours::{Found, Measured, Neighbours};
use crate::judge::{confirmed, drifts};
use crate::record::{Address, Store, Wanted};
use crate::stats::changes::Settings;

/// Of earlier commits than the newest, of which there are so many, what second looks confirmed is told and no more.
const RECENT: usize = 300;

/// Of more suspects the newest are named.
const MOST_COMMITS: usize = 100;

/// Everything that moved.
#[derive(Debug)]
pub struct Changes {
    /// The findings, newest first.
    pub findings: Vec<ChangeFinding>,
    /// How many series were read.
    pub series: usize,
    /// Findings that had no name before, with the one that they were given.
    pub new_names: Vec<Named>,
}

/// Finds everything that moved along a history. All series of the store are judged together, whatever is shown of them
/// later, so that a finding does not depend on who looks.
pub fn changes(store: &mut Store, history: &History, settings: &Settings) -> Outcome<Changes> {
    let mut dueled = Dueled::list(store, &history.line)?;
    let newest = history.line.commits().len().saturating_sub(RECENT);
    let counts = |listed: &Listed| listed.place >= newest || listed.is_where_one_confirmed;
    dueled.read(store, |listed| listed.is_second_look && counts(listed))?;
    let found = Found::of(dueled.all(), newest);
    let measured = Measured::of(dueled.all().filter(|one| one.place >= newest));
    let (mut parts, mut slow, mut told) = (Vec::new(), Vec::new(), Vec::new());
    let mut span = Span::of(history.line.commits().len());
    let mut series = 0;
    let mut add = |one: SeriesTrend| {
        series += 1;
        span.count(&one);
        let looks = confirmed::parts(&one, &found);
        let crept = drifts::slow(&one, &measured, &found, &looks);
        parts.extend(findings::parts(&one));
        if !looks.is_empty() || !crept.is_empty() {
            told.push(one);
        }
        parts.extend(looks);
        slow.extend(crept);
    };
    trend::each(store, history, &Wanted::all(), settings, &mut add)?;
    anchored::all(store, history, settings)?.into_iter().for_each(|one| add(one.trend));
    let steps = parts.iter().filter(|part: &&Part| part.change.kind == Move::Step);
    let suspects: HashSet<usize> = steps.flat_map(|part| part.suspects.0..=part.suspects.1).collect();
    dueled.read(store, |listed| suspects.contains(&listed.place))?;
    // What is not told keeps nothing else from being told.
    let slow = findings::standing(slow, &span);
    let (drifts, mut parts): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| part.change.kind == Move::Drift);
    parts.extend(findings::standing(drifts, &span));
    let all: Vec<&Neighbours> = dueled.all().collect();
    let parts = confirmed::settled(parts, slow, &Duels { all: &all, series: &told, settings });
    let groups = findings::findings(parts, &span);
    let mut names = Names { unborne: store.named()?, borne: HashSet::new(), new: Vec::new() };
    let named: Vec<(Group, RecordId)> =
        groups.into_iter().filter_map(|group| names.of(&group, &history.line).map(|id| (group, id))).collect();
    let said = last_words(store.annotations()?, &named, &names.unborne, &history.line);
    let finding = |(group, id): (Group, RecordId)| finding(group, &history.line, said.get(&id), id);
    Ok(Changes { findings: named.into_iter().map(finding).collect(), series, new_names: names.new })
}

/// Keeps the names that were given. Where the store cannot be written they are given again the next time, and are the same
/// as long as the points are.
pub fn keep_names(address: &Address, names: &[Named]) {
    if names.is_empty() {
        return;
    }
    // Who only reads shall not fail because nothing can be written.
    let _ = Store::open(address).and_then(|mut store| store.name(names));
}

/// The last annotation of each finding. Two who share their words may have given one finding two names, each from the
/// points that it had: what was said under a name that nothing bears any more is said of the finding that it lies on.
fn last_words(
    annotations: Vec<Annotation>,
    found: &[(Group, RecordId)],
    unborne: &[Named],
    line: &Line,
) -> HashMap<RecordId, Annotation> {
    let meant = |name: RecordId| {
        let Some(named) = unborne.iter().find(|named| named.id == name) else { return name };
        let lies_on = |(group, id): &(Group, RecordId)| Some((overlap(named, group, line)?, id.clone()));
        found.iter().filter_map(lies_on).max().map_or(name, |(_, id)| id)
    };
    annotations.into_iter().map(|said| (meant(said.finding.clone()), said)).collect()
}

fn finding(group: Group, line: &Line, said: Option<&Annotation>, id: RecordId) -> ChangeFinding {
    let (kind, turn) = (group.parts[0].change.kind, group.parts[0].change.turn);
    let fixed = turn == Turn::Regression && group.parts.iter().all(|part| part.returned);
    let state = if fixed { State::Fixed } else { said.map_or(State::Open, |said| said.state) };
    ChangeFinding {
        id,
        kind,
        turn,
        suspects: group.suspects,
        likely: group.likely,
        commits: commits(line, kind, group.suspects),
        parts: group.parts,
        state,
        note: said.map(|said| said.note.clone()).unwrap_or_default(),
    }
}

fn commits(line: &Line, kind: Move, (first, last): (usize, usize)) -> Vec<Commit> {
    let all = line.commits();
    match kind {
        Move::Step => all[last.saturating_sub(MOST_COMMITS - 1).max(first)..=last].to_vec(),
        Move::Drift => [first, last].iter().filter_map(|place| all.get(*place)).cloned().collect(),
    }
}

/// The names of findings.
struct Names {
    /// Those that are known and that no finding bears yet.
    unborne: Vec<Named>,
    /// The others.
    borne: HashSet<RecordId>,
    /// Those that were not known.
    new: Vec<Named>,
}

impl Names {
    /// The name of one more finding: the one of those that are known that overlaps it most, else a new one.
    fn of(&mut self, group: &Group, line: &Line) -> Option<RecordId> {
        let change = &group.parts.first()?.change;
        let (first, last) = group.suspects;
        let overlaps = self.unborne.iter().enumerate();
        // Of names that lie on it alike it bears the oldest, which others may know it by.
        let nearest = overlaps.filter_map(|(at, named)| Some((overlap(named, group, line)?, Reverse(at)))).max();
        if let Some((_, Reverse(at))) = nearest {
            let id = self.unborne.remove(at).id;
            self.borne.insert(id.clone());
            return Some(id);
        }
        let commit = |place: usize| line.commits().get(place).map(|commit| commit.id.clone());
        let mut named = Named::new(change.kind, change.turn, [commit(first)?, commit(last)?, commit(group.likely)?]);
        // Two findings on the same commits: told apart by the series.
        while self.borne.contains(&named.id) {
            named.id = RecordId::of("finding of the history", &(&named, group.parts[0].series.id()));
        }
        self.borne.insert(named.id.clone());
        self.new.push(named.clone());
        Some(named.id)
    }
}

/// How well a name lies on a finding: how near, and on how many of its commits. None if it does not, or means another
/// thing.
fn overlap(named: &Named, group: &Group, line: &Line) -> Option<(usize, usize)> {
    let change = &group.parts.first()?.change;
    if (named.kind, named.turn) != (change.kind, change.turn) {
        return None;
    }
    let (first, last) = group.suspects;
    let (from, to) = (line.place(&named.first)?, line.place(&named.last)?);
    let common = to.min(last).checked_sub(from.max(first))?;
    let apart = line.place(&named.likely).map_or(usize::MAX, |likely| likely.abs_diff(group.likely));
    Some((usize::MAX - apart, common))
}

/// Which findings to show.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Benchmarks.
    pub benchmark: Option<Pattern>,
    /// Suites.
    pub suite: Option<Pattern>,
    /// Metrics.
    pub metric: Option<Pattern>,
    /// Machines.
    pub machine: Option<Pattern>,
    /// Findings at this place or later.
    pub since: Option<usize>,
    /// Changes of at least this size, relative to the level before.
    pub size: Option<f64>,
    /// Only regressions, improvements or drifts; all if empty.
    pub sorts: Vec<Sort>,
    /// Only these states; all if empty.
    pub states: Vec<State>,
}

/// A sort of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Steps for the worse.
    Regressions,
    /// Steps for the better.
    Improvements,
    /// Slow moves, whichever way.
    Drifts,
}

impl Filter {
    /// The findings that are to be shown, each with the parts that are.
    #[must_use]
    pub fn of(&self, findings: Vec<ChangeFinding>) -> Vec<ChangeFinding> {
        let shown = |mut finding: ChangeFinding| {
            let wanted = self.since.is_none_or(|since| finding.suspects.1 >= since)
                && (self.sorts.is_empty() || self.sorts.contains(&sort(&finding)?))
                && (self.states.is_empty() || self.states.contains(&finding.state));
            finding.parts.retain(|part| self.shows(part));
            (wanted && !finding.parts.is_empty()).then_some(finding)
        };
        findings.into_iter().filter_map(shown).collect()
    }

    fn shows(&self, part: &Part) -> bool {
        let is = |pattern: &Option<Pattern>, name: &str| pattern.as_ref().is_none_or(|pattern| pattern.matches(name));
        let series = &part.series;
        let moved = ((part.change.after - part.change.before) / part.change.before).abs();
        is(&self.benchmark, series.benchmark.as_str())
            && is(&self.suite, series.suite.as_str())
            && is(&self.metric, &series.metric.name)
            && is(&self.machine, &series.machine.title())
            // A level of nought has no relative change; what leaves it is large.
            && self.size.is_none_or(|size| moved.is_nan() || moved >= size)
    }
}

fn sort(finding: &ChangeFinding) -> Option<Sort> {
    match (finding.kind, finding.turn) {
        (Move::Drift, _) => Some(Sort::Drifts),
        (Move::Step, Turn::Regression) => Some(Sort::Regressions),
        (Move::Step, Turn::Improvement) => Some(Sort::Improvements),
        (Move::Step, Turn::Moved) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Change, CommitId, Duel, Machine, Metric, Order, Series};

    #[test]
    fn findings_on_the_same_commits_have_names_of_their_own_which_stay() {
        let commit = |number: u32| Commit {
            id: CommitId::new(format!("{number:040x}")).unwrap(),
            parents: vec![],
            committed_at_s: i64::from(number),
            subject: String::new(),
        };
        let line = Line::new((0..3).map(commit).collect(), Order::FirstParents);
        let series = Series {
            suite: Duel::example(vec![]).suite,
            benchmark: BenchmarkName::new("a").unwrap(),
            metric: Metric::time(),
            machine: Machine::Named("lorry".to_owned()),
        };
        let (suspects, likely) = ((1, 2), 1);
        let change = Change::example(1, suspects, Turn::Regression);
        let part = Part { series, change, suspects, likely, returned: false, confirmed: None, summed: None };
        let group = Group { suspects, likely, parts: vec![part] };
        let mut first = Names { unborne: vec![], borne: HashSet::new(), new: vec![] };
        let known = first.of(&group, &line).expect("a name");
        let mut later = Names { unborne: first.new.clone(), borne: HashSet::new(), new: vec![] };
        let all: Vec<RecordId> = (0..3).filter_map(|_| later.of(&group, &line)).collect();
        assert!(all[0] == known && later.borne.len() == 3, "{all:?}");
        let mut last = Names { unborne: [first.new, later.new].concat(), borne: HashSet::new(), new: vec![] };
        let again: Vec<RecordId> = (0..3).filter_map(|_| last.of(&group, &line)).collect();
        assert!(again == all && last.new.is_empty(), "{again:?}");
    }
}
