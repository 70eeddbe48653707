//! The commits that people ask to see compared: neighbouring releases, and the newest with the release before it; and how
//! each series stood at them.

use std::collections::BTreeMap;

use super::data::Shelf;
use crate::domain::{CommitId, RecordId};
use crate::flow::past::{History, Past};
use crate::record::Stored;
use crate::show::page::Site;
use crate::show::page::compare::{Compared, End, Measured, Page, Pair, Snap, render};
use crate::show::page::links::Links;
use crate::show::page::row::Row;

/// So many releases are compared, the newest.
const RELEASES: usize = 10;
/// Where there is no release, the newest commit is compared with the one so long before it.
const BEFORE_S: i64 = 30 * 86_400;
/// Notes that differ from run to run and say nothing of what was measured.
const FLEETING: [&str; 11] =
    ["load", "steal", "free", "time", "uptime", "clock_ghz", "crowd", "witness", "disturbed", "lives", "slices"];

/// A commit that is compared: its place and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) place: usize,
    pub(super) name: String,
}

/// The commits that are compared, each with the next; the newest measured one is the last.
pub(super) fn marks(history: &History) -> Vec<Mark> {
    let measured = history.heads.iter().filter(|head| !head.line.dirty);
    let places = || measured.clone().filter_map(|head| history.place(&head.line.commit));
    let (Some(oldest), Some(newest)) = (places().min(), places().max()) else { return Vec::new() };
    let tags: Vec<&(usize, String)> =
        history.tags.iter().filter(|(place, _)| (oldest..newest).contains(place)).collect();
    let mut marks: Vec<Mark> = Vec::new();
    for (place, name) in tags.iter().skip(tags.len().saturating_sub(RELEASES)) {
        match marks.last_mut() {
            // Two names of one commit.
            Some(last) if last.place == *place => last.name = format!("{}, {name}", last.name),
            _ => marks.push(Mark { place: *place, name: name.clone() }),
        }
    }
    if marks.is_empty() {
        let since = history.commits[newest].committed_at_s - BEFORE_S;
        let before = places().filter(|place| *place < newest && history.commits[*place].committed_at_s <= since).max();
        marks.extend(before.map(|place| Mark { place, name: "30 days before".to_owned() }));
    }
    let subject = history.commits[newest].id.short();
    marks.push(Mark { place: newest, name: format!("now ({subject})") });
    marks
}

/// Which of a shelf's runs stands for each mark: the last one there or before.
pub(super) fn runs(history: &History, shelf: &Shelf, marks: &[Mark]) -> Vec<Option<RecordId>> {
    let place = |run: &usize| history.place(&history.heads[*run].line.commit);
    let run = |mark: &Mark| {
        let last = shelf.runs.iter().rev().find(|run| place(run).is_some_and(|place| place <= mark.place))?;
        Some(history.heads[*last].line.id.clone())
    };
    marks.iter().map(run).collect()
}

/// How a series stood in each of these runs; nothing where it was not read.
pub(super) fn snaps(past: &Past, runs: &[Option<RecordId>]) -> Vec<Option<Snap>> {
    let snap = |run: &Option<RecordId>| {
        let at = past.points.iter().position(|point| Some(&point.run) == run.as_ref())?;
        let point = &past.points[at];
        Some(Snap { place: past.places[at], run: point.run.clone(), level: point.level, interval: point.interval })
    };
    runs.iter().map(snap).collect()
}

/// The pairs that are drawn, oldest first.
pub(super) fn pairs(history: &History, marks: &[Mark]) -> Vec<Pair> {
    let end = |mark: &Mark| {
        let commit = &history.commits[mark.place];
        End {
            name: mark.name.clone(),
            commit: commit.id.clone(),
            subject: commit.subject.clone(),
            at_s: commit.committed_at_s,
        }
    };
    marks.windows(2).map(|two| Pair { from: end(&two[0]), to: end(&two[1]) }).collect()
}

/// A series that has a page: where it is stored, its line, and how it stood at the marks.
pub(super) type Standing<'a> = (&'a Stored, &'a Row, &'a [Option<Snap>]);

/// The page of the pair with this number.
pub(super) fn page(
    (site, links, history): (&Site, &Links, &History),
    (number, pair): (usize, &Pair),
    series: &[Standing<'_>],
) -> String {
    let mut alone = [0, 0];
    let mut rows = Vec::new();
    let mut shelves: BTreeMap<(&str, String), [&Snap; 2]> = BTreeMap::new();
    for &(stored, row, snaps) in series {
        match (snaps.get(number).and_then(Option::as_ref), snaps.get(number + 1).and_then(Option::as_ref)) {
            // One that was not measured between the two has nothing to compare.
            (Some(from), Some(to)) if from.run == to.run => {}
            (Some(from), Some(to)) => {
                rows.push(Compared { row, from, to });
                let shelf = shelves.entry((row.suite.as_str(), stored.series.machine.title())).or_insert([from, to]);
                // The newest of what stands on the shelf speaks for it.
                if to.place > shelf[1].place {
                    *shelf = [from, to];
                }
            }
            (None, Some(_)) => alone[1] += 1,
            (Some(_), None) => alone[0] += 1,
            (None, None) => {}
        }
    }
    let measured: Vec<Measured> = shelves
        .into_iter()
        .map(|((suite, machine), ends)| Measured {
            suite: suite.to_owned(),
            machine,
            ends: [at(history, ends[0], &pair.from.commit), at(history, ends[1], &pair.to.commit)],
            differs: differs(history, ends.map(|snap| &snap.run)),
        })
        .collect();
    render(site, &Page { pair, rows: &rows, alone, measured: &measured, links })
}

fn at(history: &History, snap: &Snap, wanted: &CommitId) -> (CommitId, bool) {
    let commit = history.commits[snap.place].id.clone();
    let is_itself = commit == *wanted;
    (commit, is_itself)
}

/// What two runs note otherwise, but for what differs from run to run.
fn differs(history: &History, runs: [&RecordId; 2]) -> Vec<(String, String, String)> {
    let [Some(then), Some(now)] = runs.map(|run| history.head(run)) else { return Vec::new() };
    let lasting = |name: &&String| !FLEETING.iter().any(|fleeting| name.contains(fleeting));
    let differing = then.notes.keys().filter(lasting).filter_map(|name| {
        let (then, now) = (&then.notes[name], now.notes.get(name)?);
        (then != now).then(|| (name.clone(), then.clone(), now.clone()))
    });
    differing.take(8).collect()
}
