//! Private integers for the names that a run uses: looked up, or made.

use std::collections::{BTreeSet, HashMap};

use sqlx::{Row, SqliteConnection};

use super::error::Fault;
use super::sql::{self, CHUNK};
use crate::domain::{Machine, Metric, SuiteName};

/// A suite's key.
pub(super) async fn suite(conn: &mut SqliteConnection, name: &SuiteName) -> Result<i64, Fault> {
    if let Some(known) = sqlx::query_scalar(sql::SUITE).bind(name.as_str()).fetch_optional(&mut *conn).await? {
        return Ok(known);
    }
    Ok(sqlx::query_scalar(sql::ADD_SUITE).bind(name.as_str()).fetch_one(conn).await?)
}

/// A machine's key.
pub(super) async fn machine(conn: &mut SqliteConnection, machine: &Machine) -> Result<i64, Fault> {
    let id = machine.id();
    if let Some(known) = sqlx::query_scalar(sql::MACHINE).bind(id.as_str()).fetch_optional(&mut *conn).await? {
        return Ok(known);
    }
    let content = super::json::write(machine)?;
    let add = sqlx::query_scalar(sql::ADD_MACHINE).bind(id.as_str()).bind(machine.title()).bind(content);
    Ok(add.fetch_one(conn).await?)
}

/// The keys of metrics.
pub(super) async fn metrics<'a>(
    conn: &mut SqliteConnection,
    metrics: impl Iterator<Item = &'a Metric>,
) -> Result<HashMap<&'a Metric, i64>, Fault> {
    let mut keys = HashMap::new();
    for metric in metrics {
        if !keys.contains_key(metric) {
            keys.insert(metric, self::metric(conn, metric).await?);
        }
    }
    Ok(keys)
}

async fn metric(conn: &mut SqliteConnection, metric: &Metric) -> Result<i64, Fault> {
    let with = |statement| {
        sqlx::query_scalar(statement)
            .bind(metric.name.as_str())
            .bind(metric.unit.as_str())
            .bind(metric.better.as_str())
            .bind(metric.kind.as_str())
    };
    if let Some(known) = with(sql::METRIC).fetch_optional(&mut *conn).await? {
        return Ok(known);
    }
    Ok(with(sql::ADD_METRIC).fetch_one(conn).await?)
}

/// The keys of a suite's benchmarks.
pub(super) async fn benchmarks<'a>(
    conn: &mut SqliteConnection,
    suite: i64,
    names: &BTreeSet<&'a str>,
) -> Result<HashMap<&'a str, i64>, Fault> {
    let wanted: Vec<&str> = names.iter().copied().collect();
    let mut keys = HashMap::with_capacity(wanted.len());
    for chunk in wanted.chunks(CHUNK) {
        let query = padded(chunk).fold(sqlx::query(sql::BENCHMARKS), |query, name| query.bind(name.copied()));
        for row in query.bind(suite).fetch_all(&mut *conn).await? {
            let name = names.get(row.try_get::<&str, _>(1)?).ok_or_else(odd)?;
            keys.insert(*name, row.try_get(0)?);
        }
    }
    let missing: Vec<&str> = wanted.into_iter().filter(|name| !keys.contains_key(name)).collect();
    for chunk in missing.chunks(CHUNK) {
        let query = sqlx::query(sql::ADD_BENCHMARKS).bind(suite);
        let query = padded(chunk).fold(query, |query, name| query.bind(name.copied()));
        for row in query.fetch_all(&mut *conn).await? {
            let name = names.get(row.try_get::<&str, _>(1)?).ok_or_else(odd)?;
            keys.insert(*name, row.try_get(0)?);
        }
    }
    Ok(keys)
}

/// The keys of series on one machine, each named by its benchmark's and its metric's key.
pub(super) async fn series(
    conn: &mut SqliteConnection,
    machine: i64,
    wanted: &BTreeSet<(i64, i64)>,
) -> Result<HashMap<(i64, i64), i64>, Fault> {
    let benchmarks: BTreeSet<i64> = wanted.iter().map(|&(benchmark, _)| benchmark).collect();
    let benchmarks: Vec<i64> = benchmarks.into_iter().collect();
    let mut keys = HashMap::with_capacity(wanted.len());
    for chunk in benchmarks.chunks(CHUNK) {
        let query = padded(chunk)
            .fold(sqlx::query(sql::SERIES_OF_BENCHMARKS), |query, benchmark| query.bind(benchmark.copied()));
        for row in query.bind(machine).fetch_all(&mut *conn).await? {
            keys.insert((row.try_get(1)?, row.try_get(2)?), row.try_get(0)?);
        }
    }
    let missing: Vec<(i64, i64)> = wanted.iter().copied().filter(|series| !keys.contains_key(series)).collect();
    for chunk in missing.chunks(CHUNK) {
        let query = padded(chunk).fold(sqlx::query(sql::ADD_SERIES).bind(machine), |query, series| {
            query.bind(series.map(|series| series.0)).bind(series.map(|series| series.1))
        });
        for row in query.fetch_all(&mut *conn).await? {
            keys.insert((row.try_get(1)?, row.try_get(2)?), row.try_get(0)?);
        }
    }
    Ok(keys)
}

/// A chunk's items, then nothing until the statement's rows are full.
pub(super) fn padded<T>(chunk: &[T]) -> impl Iterator<Item = Option<&T>> {
    (0..CHUNK).map(|place| chunk.get(place))
}

fn odd() -> Fault {
    Fault::Damaged("a benchmark that nobody asked for was found".to_owned())
}
