//! A series' past in a line, and the history as the site's script reads it.

use super::accepted::Covered;
use super::past::{History, Past};
use crate::domain::{Change, Move, Size};
use crate::show::accepted::{self, Entry};
use crate::show::number;
use crate::show::page::row::{ChangeLine, DAYS, Row};
use crate::show::page::series::Reading;
use crate::stats::robust;

/// How many values a sparkline is drawn from.
const SPARK: usize = 24;

/// So many reasons of one change are told.
const REASONS: usize = 4;

const DAY_S: i64 = 86_400;

/// The line of a series; none without points.
pub(super) fn row(past: &Past, history: &History) -> Option<Row> {
    let (last, &place) = (past.points.last()?, past.places.last()?);
    let level = past.trend.levels.last().map_or(last.level, |level| level.value);
    let at_s = history.commits[place].committed_at_s;
    let before = |then: &dyn Fn(usize) -> bool| {
        let point = past.places.iter().rposition(|&place| then(place))?;
        let was = past.trend.levels.iter().find(|level| level.to > point)?.value;
        Some((level - was) / was.abs()).filter(|over| over.is_finite())
    };
    let days = |days: i64| before(&|place| history.commits[place].committed_at_s <= at_s - days * DAY_S);
    let release = history.tags.iter().rev().map(|(tag, _)| *tag).find(|tag| *tag < place);
    let over = [days(DAYS[0]), days(DAYS[1]), days(DAYS[2]), release.and_then(|tag| before(&|place| place <= tag))];
    let series = &past.series;
    Some(Row {
        id: series.id(),
        suite: series.suite.clone(),
        benchmark: series.benchmark.clone(),
        metric: series.metric.clone(),
        machine: series.machine.title(),
        spark: spark(past),
        level,
        noise: noise(past, level),
        over,
        changes: past.trend.changes.iter().enumerate().map(|(at, change)| line(past, history, (at, change))).collect(),
        last: last.commit.clone(),
        last_at_s: at_s,
    })
}

fn spark(past: &Past) -> Vec<f64> {
    let values: Vec<f64> = past.points.iter().map(|point| point.level).collect();
    let share = values.len().div_ceil(SPARK).max(1);
    values.chunks(share).filter_map(robust::median).collect()
}

/// How far the points lie off their levels: the middle distance, as a standard deviation, relative to the present level.
fn noise(past: &Past, level: f64) -> Option<f64> {
    let off = past
        .trend
        .levels
        .iter()
        .flat_map(|step| past.points[step.from..step.to].iter().map(move |point| (point.level - step.value).abs()));
    let off: Vec<f64> = off.collect();
    robust::median(&off).map(|off| 1.4826 * off / level.abs()).filter(|noise| noise.is_finite())
}

fn line(past: &Past, history: &History, (at, change): (usize, &Change)) -> ChangeLine {
    let place = past.places[change.at];
    let commit = &history.commits[place];
    let (relative, interval) = match change.size {
        Size::Relative { value, low, high } => (Some(value), Some((low, high))),
        Size::Absolute { .. } => (None, None),
    };
    let id = |at: usize| past.points[at].commit.clone();
    ChangeLine {
        place,
        commit: commit.id.clone(),
        at_s: commit.committed_at_s,
        subject: commit.subject.clone(),
        within: (id(change.within.0), id(change.within.1)),
        turn: change.turn,
        drifts: change.kind == Move::Drift,
        size: number::moved(change, &past.series.metric.unit),
        relative,
        interval,
        levels: (change.before, change.after),
        accepted: reasons(past, history, at),
    }
}

/// Why the change of this number was accepted.
fn reasons(past: &Past, history: &History, change: usize) -> Vec<String> {
    let of_it = past.accepted.iter().filter(|covered| covered.change == Some(change));
    let mut reasons: Vec<String> =
        of_it.map(|covered| accepted::reason(&history.accepted[covered.number].acceptance)).take(REASONS).collect();
    reasons.dedup();
    reasons
}

/// What was accepted of a series, as a page lists it.
pub(super) fn accepted(past: &Past, history: &History) -> Vec<Entry> {
    let entry = |covered: &Covered| {
        let commit = &history.commits[covered.place];
        Entry {
            place: covered.place,
            commit: commit.id.clone(),
            at_s: commit.committed_at_s,
            acceptance: history.accepted[covered.number].acceptance.clone(),
        }
    };
    past.accepted.iter().map(entry).collect()
}

/// The points as a page lists them.
pub(super) fn readings(past: &Past, history: &History) -> Vec<Reading> {
    let reading = |(point, &place): (&crate::domain::Point, &usize)| {
        let commit = &history.commits[place];
        Reading {
            place,
            commit: commit.id.short().to_owned(),
            at_s: commit.committed_at_s,
            subject: commit.subject.clone(),
            level: point.level,
            interval: point.interval,
            lives: point.lives,
            run: None,
        }
    };
    past.points.iter().zip(&past.places).map(reading).collect()
}

/// Every commit for the script, by place: hash, time, subject.
pub(super) fn history(history: &History) -> serde_json::Result<String> {
    let commits: Vec<(&str, i64, String)> = history
        .commits
        .iter()
        .map(|commit| (commit.id.short(), commit.committed_at_s, commit.subject.chars().take(100).collect()))
        .collect();
    Ok(format!(
        "\"use strict\";\nconst tachographHistory = {};\nconst tachographTags = {};\n",
        serde_json::to_string(&commits)?,
        serde_json::to_string(&history.tags)?
    ))
}

/// Every series for the script's search over several pages.
pub(super) fn rows(rows: &[Row]) -> serde_json::Result<String> {
    let names: Vec<(&str, &str, &str, &str, &str)> = rows
        .iter()
        .map(|row| {
            (row.id.short(), row.suite.as_str(), row.benchmark.as_str(), row.metric.name.as_str(), row.machine.as_str())
        })
        .collect();
    Ok(format!("\"use strict\";\nvar tachographRows = {};\n", serde_json::to_string(&names)?))
}
