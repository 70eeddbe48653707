//! Publishing: the store as a folder of plain files.
//!
//! A site is written beside its place and swapped in, so a reader or a kill never meets half of one. What stands behind each
//! series' page is kept as a stamp: a page whose stamp is the same is taken over from the site that is there.

mod swap;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::past::{History, Past};
use super::{picture, summary};
use crate::domain::{CommitId, RecordId, Series};
use crate::failure::{Classify, Outcome};
use crate::record::{Store, Stored, Wanted};
use crate::repo::Repository;
use crate::show::page::overview::{self, Newest};
use crate::show::page::row::Row;
use crate::show::page::series::{self, Sibling};
use crate::show::page::{self, Site};

/// What a site remembers of how it was made.
const MEMORY: &str = "site.json";

/// What was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The series that have pages.
    pub series: usize,
    /// How many of those pages were drawn anew.
    pub drawn: usize,
}

/// What stands behind the pages.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    rows: BTreeMap<RecordId, Remembered>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    /// Of all that the page depends on.
    stamp: RecordId,
    row: Row,
}

/// Writes the site of a store to `out`, taking over what did not change from the site that is there.
pub fn publish(store: &mut Store, repository: Option<&Repository>, name: &str, out: &Path) -> Outcome<Published> {
    let site = Site { name: name.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let history = History::read(store, repository)?;
    let mut all = store.series(&Wanted::all())?;
    all.sort_by(|one, other| order(&one.series).cmp(&order(&other.series)));
    let place = swap::Place::open(out)?;
    let mut known = memory(out);
    let half = place.begin()?;
    let folder = half.path().join("series");
    fs::create_dir(&folder).or_environment(format_args!("making {}", folder.display()))?;

    let ids: Vec<RecordId> = all.iter().map(|stored| stored.series.id()).collect();
    let siblings = siblings(&all, &ids);
    let stamps = stamps(&all, &ids, &history, &siblings, &site);
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    let mut fresh = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        let file = format!("{}.html", id.short());
        let kept = known.rows.remove(id).filter(|kept| kept.stamp == stamps[at]);
        let taken = kept.filter(|_| swap::take_over(&out.join("series").join(&file), &folder.join(&file)));
        match taken {
            Some(kept) => drop(rows.insert(at, kept.row)),
            None => fresh.push(at),
        }
    }
    let drawn =
        draw(store, &all, &fresh, &Drawing { site: &site, history: &history, siblings: &siblings, folder: &folder })?;
    let drawn_count = drawn.len();
    rows.extend(drawn);
    let published = Published { series: rows.len(), drawn: drawn_count };
    let remembered =
        rows.iter().map(|(at, row)| (ids[*at].clone(), Remembered { stamp: stamps[*at].clone(), row: row.clone() }));
    let memory = Memory { rows: remembered.collect() };
    let rows: Vec<Row> = rows.into_values().collect();

    let write = |name: &str, text: &str| {
        let file = half.path().join(name);
        fs::write(&file, text).or_environment(format_args!("writing {}", file.display()))
    };
    for (name, text) in overview::pages(&site, newest(&history).as_ref(), &rows) {
        write(&name, &text)?;
    }
    write("changes.html", &page::changes::page_of(&site, &rows))?;
    write("changes.atom", &page::feed::atom(&site, &rows))?;
    write("site.css", &page::style())?;
    write("site.js", page::SCRIPT)?;
    write("history.js", &summary::history(&history).or_environment("writing the history")?)?;
    if rows.len() > overview::ROWS {
        write("rows.js", &summary::rows(&rows).or_environment("writing the list of series")?)?;
    }
    write(MEMORY, &serde_json::to_string(&memory).or_environment("writing what the site remembers")?)?;
    half.swap_in()?;
    Ok(published)
}

/// The order in which series are listed: by name as people read it.
fn order(series: &Series) -> (&str, &str, &str, String, RecordId) {
    let (suite, benchmark) = (series.suite.as_str(), series.benchmark.as_str());
    (suite, benchmark, &series.metric.name, series.machine.title(), series.id())
}

/// What the site that is there remembers; nothing where there is none, or it is of another version.
fn memory(out: &Path) -> Memory {
    let text = fs::read_to_string(out.join(MEMORY)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// For each series, those of the same benchmark.
fn siblings(all: &[Stored], ids: &[RecordId]) -> HashMap<(String, String), Vec<Sibling>> {
    let mut siblings: HashMap<(String, String), Vec<Sibling>> = HashMap::new();
    for (stored, id) in all.iter().zip(ids) {
        siblings.entry(family(&stored.series)).or_default().push(Sibling {
            file: format!("{}.html", id.short()),
            metric: stored.series.metric.name.clone(),
            machine: stored.series.machine.title(),
        });
    }
    siblings
}

fn family(series: &Series) -> (String, String) {
    (series.suite.to_string(), series.benchmark.to_string())
}

/// What each page depends on, as a hash: the program, the runs of its suite on its machine, the history up to the last of
/// them, and the links to its siblings.
fn stamps(
    all: &[Stored],
    ids: &[RecordId],
    history: &History,
    siblings: &HashMap<(String, String), Vec<Sibling>>,
    site: &Site,
) -> Vec<RecordId> {
    let mut shelves: HashMap<(&str, &RecordId), (Vec<&RecordId>, usize)> = HashMap::new();
    for head in history.heads.iter().filter(|head| !head.line.dirty) {
        let shelf = shelves.entry((head.line.suite.as_str(), &head.machine)).or_default();
        shelf.0.push(&head.line.id);
        shelf.1 = shelf.1.max(history.place(&head.line.commit).map_or(0, |place| place + 1));
    }
    let pages = (&site.name, &site.version, page::style(), page::SCRIPT);
    let program = RecordId::of("program", &pages);
    let shelf_stamp = |(runs, end): &(Vec<&RecordId>, usize)| {
        let commits: Vec<(&CommitId, i64)> =
            history.commits[..*end].iter().map(|commit| (&commit.id, commit.committed_at_s)).collect();
        let tags: Vec<_> = history.tags.iter().filter(|(place, _)| place < end).collect();
        RecordId::of("shelf", &(&program, runs, commits, tags))
    };
    let stamps: HashMap<(&str, &RecordId), RecordId> =
        shelves.iter().map(|(key, shelf)| (*key, shelf_stamp(shelf))).collect();
    let stamp = |(stored, id): (&Stored, &RecordId)| {
        let machine = stored.series.machine.id();
        let shelf = stamps.get(&(stored.series.suite.as_str(), &machine));
        let links: Vec<&str> = siblings[&family(&stored.series)].iter().map(|sibling| sibling.file.as_str()).collect();
        RecordId::of("page", &(shelf, id, links))
    };
    all.iter().zip(ids).map(stamp).collect()
}

/// What all pages are drawn from.
struct Drawing<'a> {
    site: &'a Site,
    history: &'a History,
    siblings: &'a HashMap<(String, String), Vec<Sibling>>,
    folder: &'a Path,
}

/// Draws the pages of some series, on every processor: one thread reads, the others judge, draw and write.
fn draw(store: &mut Store, all: &[Stored], fresh: &[usize], drawing: &Drawing<'_>) -> Outcome<Vec<(usize, Row)>> {
    let hands = std::thread::available_parallelism().map_or(1, usize::from);
    let (give, take) = sync_channel(hands * 2);
    let take = Mutex::new(take);
    std::thread::scope(|scope| {
        let hands: Vec<_> = (0..hands).map(|_| scope.spawn(|| drawing.all(&take))).collect();
        let mut read = || -> Outcome<()> {
            for &at in fresh {
                let points = store.points(&all[at], usize::MAX)?;
                if give.send((at, all[at].series.clone(), points)).is_err() {
                    break;
                }
            }
            Ok(())
        };
        let read = read();
        drop(give);
        let mut rows = Vec::new();
        for hand in hands {
            match hand.join() {
                Ok(drawn) => rows.extend(drawn?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read.map(|()| rows)
    })
}

type Work = (usize, Series, Vec<crate::domain::Point>);

impl Drawing<'_> {
    fn all(&self, work: &Mutex<Receiver<Work>>) -> Outcome<Vec<(usize, Row)>> {
        let mut rows = Vec::new();
        loop {
            let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((at, series, points)) = next else { return Ok(rows) };
            // A series of working trees alone has no point and no page.
            if let Some(row) = self.one(series, points)? {
                rows.push((at, row));
            }
        }
    }

    fn one(&self, series: Series, points: Vec<crate::domain::Point>) -> Outcome<Option<Row>> {
        let past = Past::new(series, points, self.history);
        let Some(row) = summary::row(&past, self.history) else { return Ok(None) };
        let chart = picture::chart(&past, self.history);
        let last = past.places.last().copied().unwrap_or_default();
        let tags: Vec<(usize, String)> =
            self.history.tags.iter().filter(|(place, _)| *place <= last).cloned().collect();
        let html = series::render(
            self.site,
            &series::Page {
                row: &row,
                chart: &chart,
                readings: &summary::readings(&past, self.history),
                levels: &past.trend.levels,
                siblings: &self.siblings[&family(&past.series)],
                tags: &tags,
            },
        );
        let file = self.folder.join(series::file(&row));
        fs::write(&file, html).or_environment(format_args!("writing {}", file.display()))?;
        Ok(Some(row))
    }
}

/// The newest commit of which there is a run.
fn newest(history: &History) -> Option<Newest> {
    let measured = history.heads.iter().filter(|head| !head.line.dirty);
    let place = measured.clone().filter_map(|head| history.place(&head.line.commit)).max()?;
    let commit = &history.commits[place];
    let release = history.tags.iter().rev().find(|(tag, _)| *tag < place);
    Some(Newest {
        commit: commit.id.short().to_owned(),
        subject: commit.subject.clone(),
        at_s: commit.committed_at_s,
        failed: measured.filter(|head| head.line.commit == commit.id).map(|head| head.line.failed).sum(),
        release: release.map(|(_, name)| name.clone()),
    })
}
