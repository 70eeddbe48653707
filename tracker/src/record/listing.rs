//! Which runs there are.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::error::Fault;
use super::series::run_id;
use super::{commits, json, sql};
use crate::domain::{RecordId, RunHead, RunLine, SuiteName};

/// What the beginning of an identity leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    None,
    /// One record.
    One(RecordId),
    /// Several, of which these are the first.
    Several(Vec<RecordId>),
}

/// The newest runs, newest first.
pub(super) async fn newest(conn: &mut SqliteConnection, most: usize) -> Result<Vec<RunLine>, Fault> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = sqlx::query(sql::RUNS_NEWEST_FIRST).bind(most).fetch_all(conn).await?;
    rows.iter().map(line).collect()
}

fn line(row: &SqliteRow) -> Result<RunLine, Fault> {
    let count = |index| -> Result<u64, Fault> { Ok(row.try_get::<i64, _>(index)?.unsigned_abs()) };
    Ok(RunLine {
        id: run_id(row.try_get(0)?)?,
        suite: SuiteName::new(row.try_get::<String, _>(1)?).map_err(|error| Fault::Damaged(error.to_string()))?,
        commit: commits::id(row.try_get(2)?)?,
        dirty: row.try_get(3)?,
        started_at_s: row.try_get(4)?,
        elapsed_ns: count(5)?,
        source: row.try_get(6)?,
        machine: row.try_get(7)?,
        measured: count(8)?,
        failed: count(9)?,
    })
}

/// Every run but its numbers, in the order of history.
pub(super) async fn heads(conn: &mut SqliteConnection) -> Result<Vec<RunHead>, Fault> {
    let rows = sqlx::query(sql::RUN_HEADS).fetch_all(conn).await?;
    let head = |row: &SqliteRow| {
        let notes = json::read("a run's notes", row.try_get(11)?)?;
        Ok(RunHead { line: line(row)?, machine: run_id(row.try_get(10)?)?, notes })
    };
    rows.iter().map(head).collect()
}

/// The record whose identity begins so. Anything that is no beginning of an identity finds nothing.
pub(super) async fn find(conn: &mut SqliteConnection, alike: &'static str, prefix: &str) -> Result<Found, Fault> {
    let hexadecimal = prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if prefix.is_empty() || !hexadecimal {
        return Ok(Found::None);
    }
    let ids: Vec<String> = sqlx::query_scalar(alike).bind(prefix).bind(5_i64).fetch_all(conn).await?;
    let mut ids = ids.iter().map(|id| run_id(id)).collect::<Result<Vec<_>, _>>()?;
    Ok(match ids.len() {
        0 => Found::None,
        1 => Found::One(ids.remove(0)),
        _ => Found::Several(ids),
    })
}

/// Every record's identity, and what else the statement says of it.
pub(super) async fn all(
    conn: &mut SqliteConnection,
    statement: &'static str,
) -> Result<BTreeMap<RecordId, bool>, Fault> {
    let rows = sqlx::query(statement).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((run_id(row.try_get(0)?)?, row.try_get(1)?))).collect()
}

/// The records that came after the one with this key, in the order of recording, a page of them, with their keys.
pub(super) async fn page_after(
    conn: &mut SqliteConnection,
    statement: &'static str,
    key: i64,
) -> Result<Vec<(i64, RecordId)>, Fault> {
    let rows = sqlx::query(statement).bind(key).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, run_id(row.try_get(1)?)?))).collect()
}
