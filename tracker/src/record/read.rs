//! A run as it was recorded, to the last bit.

use std::collections::{BTreeMap, HashMap};

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::error::Fault;
use super::{json, samples, sql};
use crate::domain::{
    Attachment, BenchmarkName, Direction, Ended, Gist, Kind, Measured, Metric, Outcome, Reading, RecordId, Run,
    SuiteName, Trouble, Unit,
};

/// A run as a store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Its content; a sketch of it where there are gists.
    pub run: Run,
    /// What was measured of each reading, benchmark by benchmark, where this store has a sketch only.
    pub gists: Option<Vec<Gist>>,
}

/// Reads a run, and makes sure that it is the one that was asked for.
pub(super) async fn run(conn: &mut SqliteConnection, id: &RecordId) -> Result<Option<Held>, Fault> {
    let Some(row) = sqlx::query(sql::RUN).bind(id.as_str()).fetch_optional(&mut *conn).await? else {
        return Ok(None);
    };
    let key: i64 = row.try_get(0)?;
    let (outcomes, is_sketch) = outcomes(conn, key).await?;
    let run = Run {
        suite: SuiteName::new(row.try_get::<String, _>(1)?).map_err(|error| Fault::Damaged(error.to_string()))?,
        machine: json::read("a machine", row.try_get(2)?)?,
        subject: json::read("a run's subject", row.try_get(3)?)?,
        started_at_s: row.try_get(4)?,
        elapsed_ns: row.try_get::<i64, _>(5)?.unsigned_abs(),
        source: row.try_get(6)?,
        notes: json::read("a run's notes", row.try_get(7)?)?,
        pulse: match row.try_get(8)? {
            Some(pulse) => json::read("a run's pulse", pulse)?,
            None => None,
        },
        outcomes,
        attachments: attachments(conn, key).await?,
    };
    if is_sketch {
        let gists = Some(gists(conn, key).await?);
        return Ok(Some(Held { run, gists }));
    }
    // The identity is the hash of the content: whatever was damaged between writing and reading shows here.
    if run.id() != *id {
        return Err(Fault::Damaged(format!("what is stored as run {} is not what was recorded", id.short())));
    }
    Ok(Some(Held { run, gists: None }))
}

/// What was measured of each reading, in the order in which a run tells them.
async fn gists(conn: &mut SqliteConnection, key: i64) -> Result<Vec<Gist>, Fault> {
    let rows = sqlx::query(sql::GISTS).bind(key).fetch_all(conn).await?;
    let gist = |row: &SqliteRow| -> Result<Gist, Fault> {
        let interval = row.try_get::<Option<f64>, _>(1)?.zip(row.try_get::<Option<f64>, _>(2)?);
        let (lives, samples): (i64, i64) = (row.try_get(3)?, row.try_get(4)?);
        let lives = u32::try_from(lives).map_err(|error| Fault::Damaged(error.to_string()))?;
        let gist = Gist::new(row.try_get(0)?, interval, lives, samples.unsigned_abs());
        gist.map_err(|error| Fault::Damaged(error.to_string()))
    };
    rows.iter().map(gist).collect()
}

/// Benchmarks, and whether what stands there of their samples is a sketch.
type Outcomes = (BTreeMap<BenchmarkName, Outcome>, bool);

async fn outcomes(conn: &mut SqliteConnection, key: i64) -> Result<Outcomes, Fault> {
    let mut outcomes = BTreeMap::new();
    let (mut readings, is_sketch) = readings(conn, key).await?;
    for row in sqlx::query(sql::MEASURED).bind(key).fetch_all(&mut *conn).await? {
        let notes = match row.try_get::<Option<&str>, _>(3)? {
            Some(notes) => json::read("a benchmark's notes", notes)?,
            None => BTreeMap::new(),
        };
        let readings = readings.remove(&row.try_get(0)?).unwrap_or_default();
        let measured = Measured { readings, cores: row.try_get(2)?, notes };
        outcomes.insert(benchmark(row.try_get(1)?)?, Outcome::Measured(measured));
    }
    for row in sqlx::query(sql::FAILED).bind(key).fetch_all(conn).await? {
        let ended = match (row.try_get::<Option<&str>, _>(2)?, row.try_get::<Option<i32>, _>(3)?) {
            (None, None) => None,
            (Some("status"), Some(status)) => Some(Ended::Status(status)),
            (Some("signal"), Some(signal)) => Some(Ended::Signal(signal)),
            (Some("killed"), None) => Some(Ended::Killed),
            (how, code) => return Err(Fault::Damaged(format!("a process ended by {how:?} {code:?}"))),
        };
        let trouble = Trouble { reason: row.try_get(1)?, ended, stderr_tail: row.try_get(4)? };
        outcomes.insert(benchmark(row.try_get(0)?)?, Outcome::Failed(trouble));
    }
    Ok((outcomes, is_sketch))
}

async fn readings(conn: &mut SqliteConnection, key: i64) -> Result<(HashMap<i64, Vec<Reading>>, bool), Fault> {
    let mut readings: HashMap<i64, Vec<Reading>> = HashMap::new();
    let mut is_sketch = false;
    for row in sqlx::query(sql::READINGS).bind(key).fetch_all(conn).await? {
        is_sketch |= samples::is_sketch(row.try_get(5)?);
        let lives = samples::unpack(row.try_get(5)?).map_err(|error| Fault::Damaged(error.to_string()))?;
        readings.entry(row.try_get(0)?).or_default().push(Reading { metric: metric(&row, 1)?, lives });
    }
    Ok((readings, is_sketch))
}

async fn attachments(conn: &mut SqliteConnection, key: i64) -> Result<Vec<Attachment>, Fault> {
    let rows = sqlx::query(sql::ATTACHMENTS).bind(key).fetch_all(conn).await?;
    let attachment = |row: &SqliteRow| -> Result<Attachment, Fault> {
        Ok(Attachment {
            benchmark: benchmark(row.try_get(0)?)?,
            kind: row.try_get(1)?,
            content: json::read("an attachment", row.try_get(2)?)?,
        })
    };
    rows.iter().map(attachment).collect()
}

/// A benchmark's name from a column.
pub(super) fn benchmark(name: String) -> Result<BenchmarkName, Fault> {
    BenchmarkName::new(name).map_err(|error| Fault::Damaged(error.to_string()))
}

/// A metric from four columns, the first of which is number `from`.
pub(super) fn metric(row: &SqliteRow, from: usize) -> Result<Metric, Fault> {
    let better = match row.try_get(from + 2)? {
        "lower" => Direction::Lower,
        "higher" => Direction::Higher,
        "unknown" => Direction::Unknown,
        other => return Err(Fault::Damaged(format!("a metric is better {other:?}"))),
    };
    let kind = match row.try_get(from + 3)? {
        "noisy" => Kind::Noisy,
        "exact" => Kind::Exact,
        other => return Err(Fault::Damaged(format!("a metric is of kind {other:?}"))),
    };
    let unit = Unit::new(row.try_get::<String, _>(from + 1)?);
    Ok(Metric { name: row.try_get(from)?, unit, better, kind })
}
