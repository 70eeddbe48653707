//! The shelves of a store: what one suite measured on one machine. A shelf's stamp is a hash of all that its pages depend
//! on; a new run changes one shelf's, and the pages of the others stay.

use std::collections::{BTreeMap, HashMap};

use super::data::Shelf;
use super::kept::Remembered;
use super::marks::Mark;
use super::runs::{self, Chosen, Moved};
use crate::domain::{CommitId, DuelLine, RecordId};
use crate::flow::past::History;
use crate::record::Stored;

/// All shelves, in the order in which their first series is listed.
pub(super) struct Shelves {
    /// The shelves.
    pub(super) all: Vec<Shelf>,
    /// Of each, its series among all.
    pub(super) series: Vec<Vec<usize>>,
    /// Each series' shelf.
    shelf_of: HashMap<RecordId, usize>,
    /// Each run's place on its shelf.
    places: HashMap<RecordId, usize>,
}

impl Shelves {
    /// Puts every series and every run on its shelf.
    pub(super) fn of(all: &[Stored], history: &History, marks: &[Mark], program: &RecordId) -> Shelves {
        let mut numbers: HashMap<(String, RecordId), usize> = HashMap::new();
        let (mut series, mut shelf_of): (Vec<Vec<usize>>, HashMap<RecordId, usize>) = (Vec::new(), HashMap::new());
        for (at, stored) in all.iter().enumerate() {
            let key = (stored.series.suite.to_string(), stored.series.machine.id());
            let number = *numbers.entry(key).or_insert(series.len());
            if number == series.len() {
                series.push(Vec::new());
            }
            series[number].push(at);
            shelf_of.insert(stored.series.id(), number);
        }
        let (mut runs, mut places) = (vec![Vec::new(); series.len()], HashMap::new());
        for (at, head) in history.heads.iter().enumerate() {
            let number = numbers.get(&(head.line.suite.to_string(), head.machine.clone()));
            let (Some(&number), Some(_)) = (number, history.place(&head.line.commit)) else { continue };
            if !head.line.dirty {
                places.insert(head.line.id.clone(), runs[number].len());
                runs[number].push(at);
            }
        }
        let newest: Vec<usize> = series.iter().map(|series| runs::newest(numbers.len(), series.len())).collect();
        let mut keys: Vec<(String, RecordId)> = vec![(String::new(), program.clone()); series.len()];
        for (key, number) in numbers {
            keys[number] = key;
        }
        let shelf = |((suite, machine), (number, runs)): ((String, RecordId), (usize, Vec<usize>))| {
            let key = RecordId::of("shelf's name", &(&suite, &machine)).short().to_owned();
            let newest = newest[number];
            let stamp = stamp(history, &runs, (program, marks, newest));
            Shelf { key, suite, runs, newest, stamp }
        };
        let all: Vec<Shelf> = keys.into_iter().zip(runs.into_iter().enumerate()).map(shelf).collect();
        Shelves { all, series, shelf_of, places }
    }

    /// A run's place on its shelf.
    pub(super) fn place(&self, run: &RecordId) -> Option<u32> {
        u32::try_from(*self.places.get(run)?).ok()
    }

    /// Whether a run has a page, whatever happened in it.
    pub(super) fn is_certain(&self, shelf: &Shelf, run: &RecordId) -> bool {
        self.places.get(run).is_some_and(|place| place + shelf.newest >= shelf.runs.len())
    }

    /// Of each shelf, what moved where.
    pub(super) fn moved<'a>(&self, standing: &[(&Stored, &'a Remembered)]) -> Vec<Moved<'a>> {
        let mut moved: Vec<Moved<'a>> = vec![BTreeMap::new(); self.all.len()];
        for (_, Remembered { row, .. }) in standing {
            let Some(&number) = self.shelf_of.get(&row.id) else { continue };
            for change in &row.changes {
                moved[number].entry(change.place).or_default().push((row, change));
            }
        }
        moved
    }

    /// Of each shelf, the runs that have pages.
    pub(super) fn chosen(&self, history: &History, moved: &[Moved<'_>], duels: &[DuelLine]) -> Vec<Chosen> {
        let of = |(shelf, moved): (&Shelf, &Moved<'_>)| runs::chosen(shelf, history, moved, duels);
        self.all.iter().zip(moved).map(of).collect()
    }
}

/// What all pages of a shelf depend on: the program, the runs, the history up to the last of them, the commits that are
/// compared, and how many runs have pages.
fn stamp(history: &History, runs: &[usize], (program, marks, newest): (&RecordId, &[Mark], usize)) -> RecordId {
    let place = |run: &usize| history.place(&history.heads[*run].line.commit).map_or(0, |place| place + 1);
    let end = runs.iter().map(place).max().unwrap_or_default();
    let runs: Vec<&RecordId> = runs.iter().map(|run| &history.heads[*run].line.id).collect();
    let commits: Vec<(&CommitId, i64)> =
        history.commits[..end].iter().map(|commit| (&commit.id, commit.committed_at_s)).collect();
    let tags: Vec<_> = history.tags.iter().filter(|(place, _)| *place < end).collect();
    // A mark after the last run stands for that run, wherever it is.
    let marks: Vec<usize> = marks.iter().map(|mark| mark.place.min(end)).collect();
    RecordId::of("shelf", &(program, runs, commits, tags, (marks, newest)))
}
