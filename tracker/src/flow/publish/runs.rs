//! The pages of runs. All of them would not fit, so of each shelf (a suite on a machine) the newest have one, and those at
//! which something moved, and those that were dueled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::data::Shelf;
use super::hands;
use super::kept::Sites;
use crate::domain::{DuelLine, RecordId, Run};
use crate::failure::Outcome;
use crate::flow::past::History;
use crate::record::Store;
use crate::show::page::links::{Links, Measured, run_file};
use crate::show::page::row::{ChangeLine, Row};
use crate::show::page::{Site, run};

/// The pages of the newest runs hold about so many readings.
const READINGS: usize = 24_000;
/// But of each shelf at least so many runs have one, and at most so many.
const LEAST: usize = 8;
const MOST: usize = 400;

/// How many of a shelf's newest runs have a page, whatever happened in them.
pub(super) fn newest(shelves: usize, series: usize) -> usize {
    (READINGS / shelves.max(1) / series.max(1)).clamp(LEAST, MOST)
}

/// The changes of a shelf by the place at which they begin.
pub(super) type Moved<'a> = BTreeMap<usize, Vec<(&'a Row, &'a ChangeLine)>>;

/// Of a shelf, the runs that have pages, in the order of history.
pub(super) type Chosen = BTreeSet<usize>;

/// Chooses them.
pub(super) fn chosen(shelf: &Shelf, history: &History, moved: &Moved<'_>, duels: &[DuelLine]) -> Chosen {
    let newest = shelf.newest;
    let mut chosen: Chosen = shelf.runs.iter().rev().take(newest).copied().collect();
    let place = |run: &usize| history.place(&history.heads[*run].line.commit);
    let at_changes = shelf.runs.iter().rev().filter(|run| place(run).is_some_and(|place| moved.contains_key(&place)));
    chosen.extend(at_changes.take((newest / 2).max(LEAST)));
    let of_suite = duels.iter().filter(|duel| duel.suite.as_str() == shelf.suite);
    let dueled: BTreeSet<_> = of_suite.flat_map(|duel| [&duel.base, &duel.head]).collect();
    let of_duels = shelf.runs.iter().rev().filter(|run| dueled.contains(&history.heads[**run].line.commit));
    chosen.extend(of_duels.take(newest.max(LEAST)));
    chosen
}

/// What leads to a run.
pub(super) fn measured(history: &History, run: usize) -> (Measured, RecordId) {
    let line = &history.heads[run].line;
    ((line.commit.clone(), line.suite.to_string(), line.machine.clone()), line.id.clone())
}

/// A page to draw.
struct Job<'a> {
    id: &'a RecordId,
    run: Arc<Run>,
    before: Option<Arc<Run>>,
    changes: &'a [(&'a Row, &'a ChangeLine)],
    beside: (Option<&'a RecordId>, Option<&'a RecordId>),
    file: String,
}

/// What the pages of a shelf are drawn from.
pub(super) struct Drawing<'a> {
    pub(super) site: &'a Site,
    pub(super) history: &'a History,
    pub(super) links: &'a Links,
    /// The stamp of what all these pages depend on.
    pub(super) program: &'a RecordId,
    pub(super) sites: &'a Sites<'a>,
}

impl Drawing<'_> {
    /// Draws what is not there yet of a shelf; gives the stamp of each page.
    pub(super) fn shelf(
        &self,
        store: &mut Store,
        (shelf, chosen): (&Shelf, &Chosen),
        moved: &Moved<'_>,
    ) -> Outcome<BTreeMap<String, RecordId>> {
        let ids = |run: usize| &self.history.heads[run].line.id;
        let order: Vec<usize> = chosen.iter().copied().collect();
        let mut stamps = BTreeMap::new();
        let mut missing = Vec::new();
        for (at, &run) in order.iter().enumerate() {
            let line = &self.history.heads[run].line;
            let before = shelf.runs.partition_point(|other| *other < run).checked_sub(1).map(|at| shelf.runs[at]);
            let place = self.history.place(&line.commit);
            let changes = place.and_then(|place| moved.get(&place)).map_or(&[][..], Vec::as_slice);
            let beside = (at.checked_sub(1).map(|at| ids(order[at])), order.get(at + 1).map(|run| ids(*run)));
            let duels = self.links.duels.iter().filter(|duel| duel.head == line.commit && duel.suite == line.suite);
            let duels: Vec<_> = duels.map(|duel| (&duel.id, duel.whole)).collect();
            let moves: Vec<_> =
                changes.iter().map(|(row, change)| (&row.id, &change.size, change.levels, &change.accepted)).collect();
            let behind = (self.program, &line.id, before.map(ids), beside, duels, moves);
            let stamp = RecordId::of("run's page", &behind);
            let file = format!("run/{}", run_file(&line.id));
            if !self.sites.keeps(&file, &stamp) {
                missing.push((run, before, changes, beside, file.clone()));
            }
            stamps.insert(file, stamp);
        }
        let mut last: Option<(usize, Arc<Run>)> = None;
        hands::share(
            &mut |give| {
                for (run, before, changes, beside, file) in &missing {
                    let mut read = |wanted: usize| -> Outcome<Option<Arc<Run>>> {
                        match &last {
                            Some((at, run)) if *at == wanted => Ok(Some(Arc::clone(run))),
                            _ => Ok(store.run(ids(wanted))?.map(Arc::new)),
                        }
                    };
                    let before = before.map(&mut read).transpose()?.flatten();
                    let Some(whole) = read(*run)? else { continue };
                    last = Some((*run, Arc::clone(&whole)));
                    let (beside, file) = (*beside, file.clone());
                    if !give(Job { id: ids(*run), run: whole, before, changes, beside, file }) {
                        break;
                    }
                }
                Ok(())
            },
            &|job| self.one(&job),
        )?;
        Ok(stamps)
    }

    fn one(&self, job: &Job<'_>) -> Outcome<Option<()>> {
        let page = run::Page {
            id: job.id,
            run: &job.run,
            before: job.before.as_deref(),
            changes: job.changes,
            beside: job.beside,
            links: self.links,
        };
        self.sites.write(&job.file, &run::render(self.site, &page))?;
        Ok(Some(()))
    }
}
