//! Publishing: the store as a folder of plain files.
//!
//! A site is written beside its place and swapped in, so a reader or a kill never meets half of one. What stands behind each
//! series' page is kept as a stamp: a page whose stamp is the same is taken over from the site that is there.

pub mod boards;
mod data;
mod duels;
mod hands;
mod kept;
mod marks;
pub mod references;
mod runs;
mod shelves;
mod swap;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use self::data::{Cell, Shelf};
pub(in crate::flow) use self::kept::MEMORY;
use self::kept::{Memory, Remembered, Sites};
use self::marks::Mark;
use self::references::References;
use self::shelves::Shelves;
use super::past::{History, Past};
use super::{picture, summary};
use crate::domain::{DuelLine, Named, PlacedAcceptance, Point, RecordId, Series};
use crate::failure::{Classify, Outcome};
use crate::record::{Store, Stored, Wanted};
use crate::repo::Repository;
use crate::show::badge;
use crate::show::page::links::{Links, Said, run_file};
use crate::show::page::overview::{self, Beside, Newest};
use crate::show::page::row::Row;
use crate::show::page::series::{self, Sibling};
use crate::show::page::{self, Site};

/// What was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The series that have pages.
    pub series: usize,
    /// How many of those pages were drawn anew.
    pub drawn: usize,
}

/// What a site is of, beside the store.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The project's name.
    pub name: &'a str,
    /// The repository, which knows the releases.
    pub repository: Option<&'a Repository>,
    /// The project's dashboards.
    pub boards: &'a [boards::Defined],
}

/// Writes the site of a store to `out`, taking over what did not change from the site that is there.
pub fn publish(store: &mut Store, plan: &Plan<'_>, out: &Path) -> Outcome<Published> {
    let site = Site { name: plan.name.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let history = History::read(store, plan.repository)?.with_accepted(plan.repository)?;
    let mut all = store.series(&Wanted::all())?;
    all.sort_by(|one, other| order(&one.series).cmp(&order(&other.series)));
    let place = swap::Place::open(out)?;
    let known = kept::memory(out);
    let half = place.begin()?;
    for folder in ["series", "charts", "run", "duel", "compare", "data"] {
        let folder = half.path().join(folder);
        fs::create_dir(&folder).or_environment(format_args!("making {}", folder.display()))?;
    }
    let sites = Sites { old: out, new: half.path(), known: &known.pages };
    let program = RecordId::of("program", &(&site.name, &site.version, page::style(), page::SCRIPT));
    let ids: Vec<RecordId> = all.iter().map(|stored| stored.series.id()).collect();
    let marks = marks::marks(&history);
    let shelves = Shelves::of(&all, &history, &marks, &program);
    let references = References::read(store, &all)?;
    let drawing = Drawing {
        references: &references,
        site: &site,
        history: &history,
        siblings: &siblings(&all, &ids),
        marks: &marks,
        shelves: &shelves,
        sites: &sites,
    };
    let (remembered, data, drawn) = drawing.series(store, &all, &ids, &known)?;
    let published = Published { series: remembered.len(), drawn };

    let standing: Vec<(&Stored, &Remembered)> =
        remembered.iter().map(|(at, remembered)| (&all[*at], remembered)).collect();
    let pages = beside(store, (&site, &history), (&program, &sites), (&shelves, &marks), &standing)?;
    let boards = boards::Drawing { all: &all, history: &history, references: &references };
    boards.write(store, plan.boards, (&site, &sites))?;
    let memory = Memory {
        rows: remembered.into_iter().map(|(at, remembered)| (ids[at].clone(), remembered)).collect(),
        shelves: data,
        pages,
    };
    sites.write(MEMORY, &serde_json::to_string(&memory).or_environment("writing what the site remembers")?)?;
    half.swap_in()?;
    Ok(published)
}

/// The pages beside those of series; gives the stamps of those that can be taken over.
fn beside(
    store: &mut Store,
    (site, history): (&Site, &History),
    (program, sites): (&RecordId, &Sites<'_>),
    (shelves, marks): (&Shelves, &[Mark]),
    standing: &[(&Stored, &Remembered)],
) -> Outcome<BTreeMap<String, RecordId>> {
    let rows: Vec<Row> = standing.iter().map(|(_, remembered)| remembered.row.clone()).collect();
    let duels = store.newest_duels(usize::MAX)?;
    let shown = &duels[..duels.len().min(duels::DUELS)];
    let moved = shelves.moved(standing);
    let chosen = shelves.chosen(history, &moved, shown);
    let links = Links {
        series: standing.iter().map(|(_, remembered)| remembered.row.id.clone()).collect(),
        runs: chosen.iter().flatten().map(|&run| runs::measured(history, run)).collect(),
        duels: shown.to_vec(),
        said: said(store, history)?,
    };
    let program = RecordId::of("program and series", &(program, &links.series));
    let mut pages = duels::draw(store, (site, &links), (&program, sites))?;
    let drawing = runs::Drawing { site, history, links: &links, program: &program, sites };
    for ((shelf, chosen), moved) in shelves.all.iter().zip(&chosen).zip(&moved) {
        pages.extend(drawing.shelf(store, (shelf, chosen), moved)?);
    }

    let pairs = marks::pairs(history, marks);
    let series: Vec<marks::Standing<'_>> =
        standing.iter().map(|(stored, remembered)| (*stored, &remembered.row, &remembered.snaps[..])).collect();
    for (number, pair) in pairs.iter().enumerate() {
        let page = marks::page((site, &links, history), (number, pair), &series);
        sites.write(&format!("compare/{}", pair.file()), &page)?;
    }
    let keys: Vec<String> = shelves.all.iter().map(|shelf| shelf.key.clone()).collect();
    sites.write("compare.html", &page::hub::render(site, &pairs, &keys))?;
    listed(sites, (site, history), &links, (&chosen, &duels))?;
    let newest = newest(history);
    for (name, text) in overview::pages(site, newest.as_ref(), &rows, Beside { links: &links, pairs: &pairs }) {
        sites.write(&name, &text)?;
    }
    sites.write("badge.svg", &badge::svg(newest.as_ref(), &rows))?;
    sites.write("changes.html", &page::changes::page_of(site, &rows, &links))?;
    sites.write("changes.atom", &page::feed::atom(site, &rows))?;
    sites.write("site.css", &page::style())?;
    sites.write("site.js", page::SCRIPT)?;
    sites.write("history.js", &summary::history(history).or_environment("writing the history")?)?;
    if rows.len() > overview::ROWS {
        sites.write("rows.js", &summary::rows(&rows).or_environment("writing the list of series")?)?;
    }
    Ok(pages)
}

/// What people said of findings of the history, oldest first.
fn said(store: &mut Store, history: &History) -> Outcome<Vec<Said>> {
    let named: HashMap<RecordId, Named> = store.named()?.into_iter().map(|named| (named.id.clone(), named)).collect();
    let said = store.annotations()?.into_iter().filter_map(|annotation| {
        let named = named.get(&annotation.finding)?;
        let within = (history.place(&named.first)?, history.place(&named.last)?);
        Some(Said { within, turn: named.turn, state: annotation.state, note: annotation.note })
    });
    Ok(said.collect())
}

/// The list of the runs and duels that have pages.
fn listed(
    sites: &Sites<'_>,
    (site, history): (&Site, &History),
    links: &Links,
    (chosen, duels): (&[runs::Chosen], &[DuelLine]),
) -> Outcome<()> {
    let mut places: Vec<usize> = chosen.iter().flatten().copied().collect();
    places.sort_unstable_by_key(|&run| {
        let line = &history.heads[run].line;
        (std::cmp::Reverse(line.started_at_s), line.id.clone())
    });
    let subject = |run: usize| {
        let commit = history.place(&history.heads[run].line.commit);
        commit.map_or("", |place| history.commits[place].subject.as_str())
    };
    let runs: Vec<_> = places.iter().map(|&run| (&history.heads[run].line, subject(run))).collect();
    let page = page::runs::Page { runs: &runs, all_runs: history.heads.len(), all_duels: duels.len(), links };
    sites.write("runs.html", &page::runs::render(site, &page))
}

/// The order in which series are listed: by name as people read it.
fn order(series: &Series) -> (&str, &str, &str, String, RecordId) {
    let (suite, benchmark) = (series.suite.as_str(), series.benchmark.as_str());
    (suite, benchmark, &series.metric.name, series.machine.title(), series.id())
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

/// What the pages of series are drawn from.
struct Drawing<'a> {
    references: &'a References,
    site: &'a Site,
    history: &'a History,
    siblings: &'a HashMap<(String, String), Vec<Sibling>>,
    marks: &'a [Mark],
    shelves: &'a Shelves,
    sites: &'a Sites<'a>,
}

/// A series that was drawn: its number, its line, and its readings for comparisons.
type Drawn = (usize, Remembered, Vec<Cell>);

/// The data of comparisons by shelf: stamp, and number of pieces.
type Data = BTreeMap<String, (RecordId, usize)>;

impl Drawing<'_> {
    /// Draws the series' pages that are not there yet, shelf by shelf, with the data of each shelf.
    fn series(
        &self,
        store: &mut Store,
        all: &[Stored],
        ids: &[RecordId],
        known: &Memory,
    ) -> Outcome<(BTreeMap<usize, Remembered>, Data, usize)> {
        let (mut remembered, mut data, mut count) = (BTreeMap::new(), Data::new(), 0);
        for (number, series) in self.shelves.series.iter().enumerate() {
            let shelf = &self.shelves.all[number];
            let kept_data = known.shelves.get(&shelf.key).filter(|(stamp, _)| *stamp == shelf.stamp);
            let (from, to) = (self.sites.old.join("data"), self.sites.new.join("data"));
            let kept_data = kept_data.filter(|(_, pieces)| data::take_over((&from, &to), &shelf.key, *pieces));
            let mut fresh = Vec::new();
            for &at in series {
                let stamp = self.stamp(shelf, &all[at].series, &ids[at]);
                let kept = known.rows.get(&ids[at]).filter(|kept| kept.stamp == stamp && kept_data.is_some());
                let taken = |file: String| swap::take_over(&self.sites.old.join(&file), &self.sites.new.join(&file));
                let id = ids[at].short();
                let all_taken =
                    |_: &&Remembered| taken(format!("series/{id}.html")) && taken(format!("charts/{id}.svg"));
                match kept.filter(all_taken) {
                    Some(kept) => drop(remembered.insert(at, kept.clone())),
                    None => fresh.push((at, stamp)),
                }
            }
            let mut drawn = self.draw(store, all, &fresh, (shelf, &marks::runs(self.history, shelf, self.marks)))?;
            drawn.sort_by_key(|(at, ..)| *at);
            count += drawn.len();
            let pieces = match kept_data {
                Some((_, pieces)) => *pieces,
                None => self.data(shelf, &mut drawn)?,
            };
            data.insert(shelf.key.clone(), (shelf.stamp.clone(), pieces));
            remembered.extend(drawn.into_iter().map(|(at, remembered, _)| (at, remembered)));
        }
        Ok((remembered, data, count))
    }

    /// The data of a shelf of which every series was drawn just now.
    fn data(&self, shelf: &Shelf, drawn: &mut [Drawn]) -> Outcome<usize> {
        let columns: Vec<(&Row, Vec<Cell>)> =
            drawn.iter_mut().map(|(_, remembered, cells)| (&remembered.row, std::mem::take(cells))).collect();
        let has_page = |run: &RecordId| self.shelves.is_certain(shelf, run);
        data::write(&self.sites.new.join("data"), (shelf, self.history), &columns, &has_page)
    }

    /// What a series' page depends on: its shelf, the links to its siblings, what others reach, and what was accepted.
    fn stamp(&self, shelf: &Shelf, series: &Series, id: &RecordId) -> RecordId {
        let links: Vec<&str> = self.siblings[&family(series)].iter().map(|sibling| sibling.file.as_str()).collect();
        let others = self.references.of(series).iter();
        let others: Vec<(&str, f64)> = others.map(|other| (other.name.as_str(), other.value)).collect();
        let is_about = |one: &&PlacedAcceptance| one.acceptance.covers(&series.benchmark, series.metric.name.as_str());
        let accepted: Vec<&PlacedAcceptance> = self.history.accepted.iter().filter(is_about).collect();
        RecordId::of("page", &(&shelf.stamp, id, links, others, accepted))
    }

    fn draw(
        &self,
        store: &mut Store,
        all: &[Stored],
        fresh: &[(usize, RecordId)],
        (shelf, runs): (&Shelf, &[Option<RecordId>]),
    ) -> Outcome<Vec<Drawn>> {
        hands::share(
            &mut |give| {
                for (at, stamp) in fresh {
                    let points = store.points(&all[*at], usize::MAX)?;
                    if !give((*at, stamp.clone(), all[*at].series.clone(), points)) {
                        break;
                    }
                }
                Ok(())
            },
            // A series of working trees alone has no point and no page.
            &|(at, stamp, series, points)| {
                let drawn = self.one(series, points, (shelf, runs, stamp))?;
                Ok(drawn.map(|(remembered, cells)| (at, remembered, cells)))
            },
        )
    }

    fn one(
        &self,
        series: Series,
        points: Vec<Point>,
        (shelf, runs, stamp): (&Shelf, &[Option<RecordId>], RecordId),
    ) -> Outcome<Option<(Remembered, Vec<Cell>)>> {
        let past = Past::new(series, points, self.history);
        let Some(row) = summary::row(&past, self.history) else { return Ok(None) };
        let chart = picture::chart(&past, self.history, self.references.of(&past.series));
        let last = past.places.last().copied().unwrap_or_default();
        let tags: Vec<(usize, String)> =
            self.history.tags.iter().filter(|(place, _)| *place <= last).cloned().collect();
        let mut readings = summary::readings(&past, self.history);
        for (reading, point) in readings.iter_mut().zip(&past.points) {
            reading.run = self.shelves.is_certain(shelf, &point.run).then(|| run_file(&point.run));
        }
        let html = series::render(
            self.site,
            &series::Page {
                row: &row,
                chart: &chart,
                readings: &readings,
                levels: &past.trend.levels,
                siblings: &self.siblings[&family(&past.series)],
                tags: &tags,
                accepted: &summary::accepted(&past, self.history),
            },
        );
        self.sites.write(&format!("series/{}", series::file(&row)), &html)?;
        self.sites.write(&format!("charts/{}", series::chart_file(&row)), &chart.into_file())?;
        let cells = data::column(&past, &|run| self.shelves.place(run));
        let snaps = marks::snaps(&past, runs);
        Ok(Some((Remembered { stamp, row, snaps }, cells)))
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
