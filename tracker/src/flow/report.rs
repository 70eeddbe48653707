//! What became of every series since a baseline.

mod hot;

use std::collections::BTreeMap;

use super::past::{History, Past};
use super::peers::{self, Beside};
use super::summary;
use crate::domain::{Outcome as Became, RunHead};
use crate::failure::{Failure, Outcome};
use crate::record::{Store, Wanted};
use crate::repo::Repository;
use crate::show::page::row::Row;
use crate::show::report::{End, Line, Report};

/// A series whose last point lies so many commits before the newest is called gone.
const LATELY: usize = 50;

/// At so many places between the ends a level is told.
const WAY: usize = 12;

/// Reports on every series since `since`: a revision or a tag of the repository, or a day as `2026-05-01`.
pub fn since(store: &mut Store, repository: Option<&Repository>, name: &str, since: &str) -> Outcome<Report> {
    let history = History::read(store, repository)?;
    let measured = history.heads.iter().filter(|head| !head.line.dirty);
    let Some(newest) = measured.clone().filter_map(|head| history.place(&head.line.commit)).max() else {
        let failure = Failure::usage(anyhow::anyhow!("nothing was measured yet"));
        return Err(failure.hint("`tachograph run` measures HEAD"));
    };
    let baseline = place(&history, repository, since)?;
    if baseline >= newest {
        let failure = Failure::usage(anyhow::anyhow!("nothing was measured after {since}"));
        return Err(failure.hint("name an older revision, tag or day"));
    }
    let span = Span::new(&history, baseline, newest);
    let mut lines = Vec::new();
    let mut machines = BTreeMap::new();
    for stored in store.series(&Wanted::all())? {
        // A peer's results are a reference, and their moves are not ours.
        if stored.series.suite.peer().is_some() {
            continue;
        }
        let points = store.points(&stored, usize::MAX)?;
        let past = Past::new(stored.series, points, &history);
        let Some(row) = summary::row(&past, &history) else { continue };
        let tools = past.points.last().and_then(|point| history.head(&point.run)).map(tools).unwrap_or_default();
        machines.insert(row.machine.clone(), tools);
        lines.push(span.line(row, &past));
    }
    let end = |name: &str, place: usize| {
        let commit = &history.commits[place];
        End { name: name.to_owned(), commit: commit.id.clone(), at_s: commit.committed_at_s }
    };
    let failed = failed(store, &history, newest)?;
    let hot = hot::paths(store, &history, &span)?;
    let peers = peers::peers(store, &Wanted::all())?.beside.into_iter().map(Beside::into_row).collect();
    let newest_name = history.commits[newest].id.short().to_owned();
    Ok(Report {
        name: name.to_owned(),
        from: end(since, baseline),
        to: end(&newest_name, newest),
        commits: newest - baseline,
        releases: span.releases.iter().map(|(place, name)| end(name, *place)).collect(),
        lines,
        failed,
        hot,
        peers,
        machines: machines.into_iter().collect(),
    })
}

/// What a run was compiled with, as far as it tells.
fn tools(head: &RunHead) -> String {
    let told = ["rustc", "kernel"].into_iter().filter_map(|name| Some(format!("{name} {}", head.notes.get(name)?)));
    told.collect::<Vec<_>>().join(", ")
}

/// The places that are reported on.
pub(super) struct Span {
    baseline: usize,
    newest: usize,
    releases: Vec<(usize, String)>,
}

impl Span {
    fn new(history: &History, baseline: usize, newest: usize) -> Span {
        let between = |(place, _): &&(usize, String)| *place > baseline && *place < newest;
        Span { baseline, newest, releases: history.tags.iter().filter(between).cloned().collect() }
    }

    fn line(&self, row: Row, past: &Past) -> Line {
        let level = |place: usize| {
            let point = past.places.iter().rposition(|&other| other <= place)?;
            past.trend.levels.iter().find(|level| level.to > point).map(|level| level.value)
        };
        let far = self.newest - self.baseline;
        let steps = WAY.min(far);
        Line {
            before: level(self.baseline),
            changes: row.changes.iter().filter(|change| change.place > self.baseline).count(),
            is_there: past.places.last().is_some_and(|last| last + LATELY >= self.newest),
            way: (0..=steps).map(|step| level(self.baseline + far * step / steps.max(1))).collect(),
            releases: self.releases.iter().map(|(place, _)| level(*place)).collect(),
            row,
        }
    }
}

/// The place of the baseline: of a day, that of the last commit before it began.
fn place(history: &History, repository: Option<&Repository>, since: &str) -> Outcome<usize> {
    if let Ok(day) = since.parse::<jiff::civil::Date>() {
        let start = day.to_zoned(jiff::tz::TimeZone::UTC).map_err(Failure::usage)?.timestamp().as_second();
        let before = history.commits.iter().rposition(|commit| commit.committed_at_s < start);
        return before.ok_or_else(|| Failure::usage(anyhow::anyhow!("no commit is known from before {since}")));
    }
    let Some(repository) = repository else {
        let failure = Failure::usage(anyhow::anyhow!("{since:?} is no day, and here is no repository that knows it"));
        return Err(failure.hint("give a day as 2026-05-01, or run inside the repository"));
    };
    let commit = repository.commit(since)?;
    history.place(&commit.id).ok_or_else(|| {
        let failure = Failure::usage(anyhow::anyhow!("the store does not know commit {}", commit.id.short()));
        failure.hint("name a revision that was measured, or a day as 2026-05-01")
    })
}

/// What failed at a commit.
fn failed(store: &mut Store, history: &History, place: usize) -> Outcome<Vec<(String, String, String)>> {
    let commit = &history.commits[place].id;
    let mut failed = Vec::new();
    for head in
        history.heads.iter().filter(|head| head.line.commit == *commit && !head.line.dirty && head.line.failed > 0)
    {
        let Some(run) = store.run(&head.line.id)? else { continue };
        for (benchmark, outcome) in run.outcomes {
            if let Became::Failed(trouble) = outcome {
                failed.push((benchmark.to_string(), head.line.machine.clone(), trouble.reason));
            }
        }
    }
    Ok(failed)
}
