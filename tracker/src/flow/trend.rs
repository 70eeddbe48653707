//! The store read as a history: every series along one line of commits, each with what was found in it.
//!
//! Series are read one after the other and judged on all cores, so that no more than a handful is in memory, however
//! many there are.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};

use super::witnessed::{Heard, Leveled, Witnessed, hear};
use crate::domain::{Commit, Line, Mark, Order, RecordId, Series, SeriesTrend, Toolchain};
use crate::failure::{Failure, Outcome};
use crate::judge;
use crate::record::{Dot, RecordError, RunMark, RunMarks, Store, Stored, Wanted};
use crate::repo::Repository;
use crate::stats::changes::{Settings, Values};
use crate::stats::robust;

/// The notes of a run that name what built it, the surest first.
const TOOLCHAIN_NOTES: [&str; 3] = ["rustc", "compiler", "toolchain"];

/// A line of commits with the runs that measured them.
#[derive(Debug)]
pub struct History {
    /// The commits.
    pub line: Line,
    /// Every run of a commit that is in the store.
    pub runs: RunMarks,
    /// Where each run's commit stands.
    places: Vec<Option<usize>>,
    /// What each run's witness saw.
    witnessed: Vec<Witnessed>,
}

impl History {
    /// Reads the runs of a store and puts them on the first-parent line of the repository's main branch. Where there is no
    /// repository, or nothing on its line was measured, commits stand by date.
    pub fn read(store: &mut Store, repository: Option<&Repository>) -> Outcome<History> {
        let runs = store.run_marks()?;
        let along = match repository {
            // A repository without a commit has no line; then the store's dates are all there is.
            Some(repository) => match repository.main_line() {
                Ok(commits) => Some(continued(store, commits)?),
                Err(_) => None,
            },
            None => None,
        };
        let measured = |line: &Line| runs.runs.iter().any(|run| line.place(&run.commit).is_some());
        let line = match along.map(|commits| Line::new(commits, Order::FirstParents)).filter(measured) {
            Some(line) => line,
            None => by_date(store)?,
        };
        Ok(History::of(line, runs))
    }

    fn of(line: Line, runs: RunMarks) -> History {
        let places = runs.runs.iter().map(|run| line.place(&run.commit)).collect();
        let witnessed = runs.runs.iter().map(|run| Witnessed::of(&run.notes)).collect();
        History { line, runs, places, witnessed }
    }

    /// The same along commits that are given, oldest first, and what the store knows of those before them.
    pub(super) fn along(store: &mut Store, commits: Vec<Commit>) -> Outcome<History> {
        let runs = store.run_marks()?;
        Ok(History::of(Line::new(continued(store, commits)?, Order::FirstParents), runs))
    }

    /// One series along the line, judged.
    pub fn trend(&self, store: &mut Store, stored: &Stored, settings: &Settings) -> Outcome<SeriesTrend> {
        let dots = store.dots(stored, &self.runs)?;
        Ok(self.judged(stored.series.clone(), &dots, settings))
    }

    /// How many runs measured commits that are not on the line: of branches, or of a past that was rewritten.
    #[must_use]
    pub fn beside(&self) -> usize {
        self.places.iter().filter(|place| place.is_none()).count()
    }

    /// The runs, in the order of recording; [`Mark::newest`] counts them.
    #[must_use]
    pub fn runs(&self) -> &[RunMark] {
        &self.runs.runs
    }

    /// A series along the line, judged.
    fn judged(&self, series: Series, dots: &[Dot], settings: &Settings) -> SeriesTrend {
        let Marked { marks, brought, left_out, .. } = self.marks(&series, dots);
        let values = Values::new(marks.iter().map(|mark| mark.level).collect()).unwrap_or_default();
        let trend = judge::trend::trend(&values, settings, series.metric.better);
        let toolchains = self.toolchains(&marks);
        SeriesTrend { series, marks, trend, toolchains, brought, left_out: left_out.len() }
    }

    /// The points as marks, one a commit, as their witnesses saw them. Values that are not finite are refused when they are
    /// recorded; what a damaged store holds of them is left out.
    pub(super) fn marks(&self, series: &Series, dots: &[Dot]) -> Marked {
        let mut placed: Vec<(usize, Dot)> = dots
            .iter()
            .filter(|dot| dot.level.is_finite())
            .filter_map(|dot| Some((self.places[dot.run]?, *dot)))
            .collect();
        placed.sort_by_key(|(place, dot)| (*place, self.runs.runs[dot.run].started_at_s, dot.run));
        let heard = hear(series, placed, |(_, dot)| &self.witnessed[dot.run]);
        let mut brought: Vec<usize> = heard.moved.iter().map(|&at| heard.points[at].0).collect();
        brought.dedup();
        let marks = heard.points.chunk_by(|one, other| one.0 == other.0).filter_map(mark).collect();
        let left_out = heard.left_out.iter().map(|(_, dot)| dot.run).collect();
        Marked { marks, left_out, brought: brought.len(), heard }
    }

    fn toolchains(&self, marks: &[Mark]) -> Vec<Toolchain> {
        let name = |mark: &Mark| {
            let notes = &self.runs.runs[mark.newest].notes;
            TOOLCHAIN_NOTES.iter().find_map(|key| notes.get(*key))
        };
        let mut known: Vec<Toolchain> = Vec::new();
        for (at, mark) in marks.iter().enumerate() {
            let Some(name) = name(mark) else { continue };
            if known.last().is_none_or(|last| last.name != *name) {
                known.push(Toolchain { at, name: name.clone() });
            }
        }
        known
    }
}

impl Leveled for (usize, Dot) {
    fn level(&mut self) -> (&mut f64, &mut Option<(f64, f64)>) {
        (&mut self.1.level, &mut self.1.interval)
    }
}

/// The marks of a series, and what was heard on the way.
pub(super) struct Marked {
    pub(super) marks: Vec<Mark>,
    /// The runs whose points were left out, for a neighbour made them.
    left_out: Vec<usize>,
    /// How many marks were brought to the usual clock from another.
    brought: usize,
    heard: Heard<(usize, Dot)>,
}

impl Marked {
    /// Whether this run's point was left out, for a neighbour made it.
    pub(super) fn leaves_out(&self, history: &History, run: &RecordId) -> bool {
        self.left_out.iter().any(|&index| history.runs.runs[index].id == *run)
    }

    /// The value of a run, brought to the same clock.
    pub(super) fn bring(&self, value: f64, witnessed: &Witnessed) -> f64 {
        self.heard.bring(value, witnessed)
    }
}

/// All runs of one commit in one mark.
fn mark(dots: &[(usize, Dot)]) -> Option<Mark> {
    let (place, newest) = dots.last()?;
    let levels: Vec<f64> = dots.iter().map(|(_, dot)| dot.level).collect();
    let intervals: Option<Vec<(f64, f64)>> = dots.iter().map(|(_, dot)| dot.interval).collect();
    let hull = |intervals: Vec<(f64, f64)>| {
        let low = intervals.iter().map(|(low, _)| *low).fold(f64::INFINITY, f64::min);
        (low, intervals.iter().map(|(_, high)| *high).fold(f64::NEG_INFINITY, f64::max))
    };
    let level = robust::median(&levels)?;
    Some(Mark { place: *place, level, interval: intervals.map(hull), runs: dots.len(), newest: newest.run })
}

/// The repository's line, continued where a shallow clone was cut off with what the store knows of the commits before.
fn continued(store: &mut Store, commits: Vec<Commit>) -> Outcome<Vec<Commit>> {
    let Some(oldest) = commits.first().filter(|oldest| !oldest.parents.is_empty()) else { return Ok(commits) };
    let mut before = Vec::new();
    for id in store.first_parents(&oldest.parents[0], usize::MAX)? {
        before.extend(store.commit(&id)?);
    }
    before.reverse();
    before.extend(commits);
    Ok(before)
}

fn by_date(store: &mut Store) -> Outcome<Line> {
    let mut commits = Vec::new();
    store.each_commit(|commit| -> Result<(), RecordError> {
        commits.push(commit);
        Ok(())
    })?;
    Ok(Line::new(commits, Order::Date))
}

/// A series on its way to be judged, with its number.
type Work = (usize, Series, Vec<Dot>);

/// Visits every series that is wanted, judged, in the order of the store.
pub fn each(
    store: &mut Store,
    history: &History,
    wanted: &Wanted,
    settings: &Settings,
    visit: &mut dyn FnMut(SeriesTrend),
) -> Outcome<()> {
    each_with(store, history, wanted, settings, &|series| series, visit)
}

/// The same, with something to be done to each series on all cores before it is visited.
pub(super) fn each_with<T: Send>(
    store: &mut Store,
    history: &History,
    wanted: &Wanted,
    settings: &Settings,
    work_on: &(impl Fn(SeriesTrend) -> T + Sync),
    visit: &mut dyn FnMut(T),
) -> Outcome<()> {
    let hands = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // The reader waits when so many are on their way: that bounds the memory.
    let (work, waiting) = mpsc::sync_channel::<Work>(8 * hands);
    // Shared by the hands alone: if all of them fail, the reader learns of it instead of waiting for ever.
    let waiting = Arc::new(Mutex::new(waiting));
    let (done, judged) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..hands {
            let (waiting, done) = (Arc::clone(&waiting), done.clone());
            scope.spawn(move || {
                while let Some((number, series, dots)) = next(&waiting) {
                    // Nobody listens any more when the reader has failed; then the work is for nothing.
                    let _ = done.send((number, work_on(history.judged(series, &dots, settings))));
                }
            });
        }
        drop((waiting, done));
        let mut queue = Queue { next: 0, early: BTreeMap::new(), visit };
        let mut number = 0;
        let read = store.each_series(wanted, &history.runs, |series, dots| -> Outcome<()> {
            // A peer's results are a reference, and their moves are not ours.
            if series.suite.peer().is_some() {
                return Ok(());
            }
            let lost = |_| Failure::environment(anyhow::anyhow!("judging a series failed"));
            work.send((number, series, dots)).map_err(lost)?;
            number += 1;
            for (number, series) in judged.try_iter() {
                queue.take(number, series);
            }
            Ok(())
        });
        drop(work);
        for (number, series) in judged {
            queue.take(number, series);
        }
        read
    })
}

fn next(waiting: &Mutex<Receiver<Work>>) -> Option<Work> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Puts back in order what several hands finish in any.
struct Queue<'a, T> {
    next: usize,
    early: BTreeMap<usize, T>,
    visit: &'a mut dyn FnMut(T),
}

impl<T> Queue<'_, T> {
    fn take(&mut self, number: usize, done: T) {
        self.early.insert(number, done);
        while let Some(done) = self.early.remove(&self.next) {
            (self.visit)(done);
            self.next += 1;
        }
    }
}
