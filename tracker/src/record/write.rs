//! Recording a run, all of it in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::SqliteConnection;

use super::commits::{self, Teller};
use super::error::Fault;
use super::identity::{self, padded};
use super::sql::{self, CHUNK};
use super::{json, samples, sqlite};
use crate::domain::{
    Attachment, BenchmarkName, Ended, Gist, Life, Measured, Metric, Outcome, RecordId, Run, Subject, Trouble,
};
use crate::stats::summary::{Summary, summarise};

/// What became of benchmarks.
pub(super) type Outcomes = BTreeMap<BenchmarkName, Outcome>;

/// A run that comes from elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// Its identity.
    pub id: &'a RecordId,
    /// Its content; a sketch of it where there are gists.
    pub run: &'a Run,
    /// What was measured of each reading, benchmark by benchmark; none where the run is whole.
    pub gists: Option<&'a [Gist]>,
}

/// A reading ready to be written: everything that takes time is done before the store is locked.
pub(super) struct Prepared<'a> {
    benchmark: &'a str,
    metric: &'a Metric,
    place: i64,
    summary: Summary,
    samples: Vec<u8>,
}

/// Writes the run; false if it is there already.
pub(super) async fn record(conn: &mut SqliteConnection, id: &RecordId, run: &Run) -> Result<bool, Fault> {
    let prepared = prepare(&run.outcomes)?;
    let mut tx = sqlite::begin(conn).await?;
    let new = insert(&mut tx, id, run, prepared).await?;
    tx.commit().await?;
    Ok(new)
}

/// Writes runs that others measured, all in one transaction; says how many are new.
pub(super) async fn take_in(conn: &mut SqliteConnection, arrivals: &[Arrival<'_>]) -> Result<usize, Fault> {
    let mut prepared = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        prepared.push(match arrival.gists {
            None => prepare(&arrival.run.outcomes)?,
            Some(gists) => prepare_sketch(arrival.run, gists)?,
        });
    }
    let mut tx = sqlite::begin(conn).await?;
    let mut new = 0;
    for (arrival, prepared) in arrivals.iter().zip(prepared) {
        new += usize::from(insert(&mut tx, arrival.id, arrival.run, prepared).await?);
    }
    tx.commit().await?;
    Ok(new)
}

async fn insert(
    tx: &mut SqliteConnection,
    id: &RecordId,
    run: &Run,
    prepared: Vec<Prepared<'_>>,
) -> Result<bool, Fault> {
    if is_known(tx, id).await? {
        return Ok(false);
    }
    let keys = add_head(tx, id.as_str(), run).await?;
    add_part(tx, keys, &run.outcomes, &run.attachments, prepared).await?;
    Ok(true)
}

/// Whether the run is there.
pub(super) async fn is_known(conn: &mut SqliteConnection, id: &RecordId) -> Result<bool, Fault> {
    Ok(sqlx::query_scalar::<_, i64>(sql::RUN_KEY).bind(id.as_str()).fetch_optional(conn).await?.is_some())
}

/// The private integers of a run that is being written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) run: i64,
    suite: i64,
    machine: i64,
}

/// Writes all of a run but what was measured.
pub(super) async fn add_head(tx: &mut SqliteConnection, id: &str, run: &Run) -> Result<Keys, Fault> {
    let elapsed_ns = i64::try_from(run.elapsed_ns)
        .map_err(|_| Fault::Unusable(format!("the run took {} ns, more than a lifetime", run.elapsed_ns)))?;
    let suite = identity::suite(tx, &run.suite).await?;
    let machine = identity::machine(tx, &run.machine).await?;
    let commit = commits::know(tx, run.subject.commit(), Teller::Run).await?;
    let dirty_digest = match &run.subject {
        Subject::Commit(_) => None,
        Subject::Dirty { digest, .. } => Some(digest),
    };
    let key: i64 = sqlx::query_scalar(sql::ADD_RUN)
        .bind(id)
        .bind(suite)
        .bind(machine)
        .bind(commit)
        .bind(json::write(&run.subject)?)
        .bind(dirty_digest)
        .bind(run.started_at_s)
        .bind(elapsed_ns)
        .bind(&run.source)
        .bind(json::write(&run.notes)?)
        .bind(run.pulse.as_ref().map(json::write).transpose()?)
        .fetch_one(&mut *tx)
        .await?;
    Ok(Keys { run: key, suite, machine })
}

/// Writes what was measured of some of a run's benchmarks, or of all.
pub(super) async fn add_part(
    tx: &mut SqliteConnection,
    keys: Keys,
    outcomes: &Outcomes,
    attachments: &[Attachment],
    prepared: Vec<Prepared<'_>>,
) -> Result<(), Fault> {
    let attached = attachments.iter().map(|attachment| &attachment.benchmark);
    let names: BTreeSet<&str> = outcomes.keys().chain(attached).map(BenchmarkName::as_str).collect();
    let benchmarks = identity::benchmarks(tx, keys.suite, &names).await?;
    add_outcomes(tx, keys.run, outcomes, &benchmarks).await?;
    add_readings(tx, keys.run, keys.machine, prepared, &benchmarks).await?;
    add_attachments(tx, keys.run, attachments, &benchmarks).await
}

/// The readings of a run that is a sketch: what was measured of them is told by the gists, one a reading.
fn prepare_sketch<'a>(run: &'a Run, gists: &[Gist]) -> Result<Vec<Prepared<'a>>, Fault> {
    let mut prepared = prepare(&run.outcomes)?;
    if prepared.len() != gists.len() {
        return Err(Fault::Unusable(format!("{} readings come with {} summaries", prepared.len(), gists.len())));
    }
    let lives = run.readings().map(|(_, reading)| &reading.lives);
    for ((prepared, gist), lives) in prepared.iter_mut().zip(gists).zip(lives) {
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        prepared.summary = Summary {
            level: gist.level(),
            interval: gist.interval(),
            lives: count(gist.lives().into()),
            samples: count(gist.samples()),
        };
        prepared.samples = samples::pack_sketch(lives).map_err(|error| Fault::Unusable(error.to_string()))?;
    }
    Ok(prepared)
}

pub(super) fn prepare(outcomes: &Outcomes) -> Result<Vec<Prepared<'_>>, Fault> {
    let mut prepared = Vec::new();
    for (benchmark, outcome) in outcomes {
        let Outcome::Measured(measured) = outcome else { continue };
        let mut seen = BTreeSet::new();
        for (place, reading) in (0..).zip(&measured.readings) {
            let unusable = |why: &str| Fault::Unusable(format!("{benchmark}, {}: {why}", reading.metric.name));
            if !seen.insert(&reading.metric) {
                return Err(unusable("the metric was read twice"));
            }
            let lives: Vec<&[f64]> = reading.lives.iter().map(Life::values).collect();
            prepared.push(Prepared {
                benchmark: benchmark.as_str(),
                metric: &reading.metric,
                place,
                summary: summarise(&lives).ok_or_else(|| unusable("there are no samples"))?,
                samples: samples::pack(&reading.lives).map_err(|error| unusable(&error.to_string()))?,
            });
        }
    }
    Ok(prepared)
}

async fn add_outcomes(
    conn: &mut SqliteConnection,
    key: i64,
    outcomes: &Outcomes,
    benchmarks: &HashMap<&str, i64>,
) -> Result<(), Fault> {
    let mut worked: Vec<(i64, &Measured)> = Vec::with_capacity(outcomes.len());
    for (name, outcome) in outcomes {
        let benchmark = key_of(benchmarks, name.as_str())?;
        match outcome {
            Outcome::Measured(measured) => worked.push((benchmark, measured)),
            Outcome::Failed(trouble) => add_failed(conn, key, benchmark, trouble).await?,
        }
    }
    worked.sort_unstable_by_key(|&(benchmark, _)| benchmark);
    for chunk in worked.chunks(CHUNK) {
        let mut query = sqlx::query(sql::ADD_MEASURED).bind(key);
        for row in padded(chunk) {
            let notes = match row {
                Some((_, measured)) if !measured.notes.is_empty() => Some(json::write(&measured.notes)?),
                _ => None,
            };
            query = query.bind(row.map(|row| row.0)).bind(row.map(|row| row.1.cores)).bind(notes);
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn add_failed(conn: &mut SqliteConnection, key: i64, benchmark: i64, trouble: &Trouble) -> Result<(), Fault> {
    let (ended, code) = match trouble.ended {
        None => (None, None),
        Some(Ended::Status(status)) => (Some("status"), Some(status)),
        Some(Ended::Signal(signal)) => (Some("signal"), Some(signal)),
        Some(Ended::Killed) => (Some("killed"), None),
    };
    let add = sqlx::query(sql::ADD_FAILED).bind(key).bind(benchmark).bind(&trouble.reason);
    add.bind(ended).bind(code).bind(&trouble.stderr_tail).execute(conn).await?;
    Ok(())
}

async fn add_readings(
    conn: &mut SqliteConnection,
    key: i64,
    machine: i64,
    prepared: Vec<Prepared<'_>>,
    benchmarks: &HashMap<&str, i64>,
) -> Result<(), Fault> {
    let metrics = identity::metrics(conn, prepared.iter().map(|reading| reading.metric)).await?;
    let mut named = Vec::with_capacity(prepared.len());
    for reading in prepared {
        named.push(((key_of(benchmarks, reading.benchmark)?, key_of(&metrics, reading.metric)?), reading));
    }
    let wanted: BTreeSet<(i64, i64)> = named.iter().map(|&(series, _)| series).collect();
    let series = identity::series(conn, machine, &wanted).await?;
    let mut rows = Vec::with_capacity(named.len());
    for (name, reading) in named {
        rows.push((key_of(&series, &name)?, reading));
    }
    // In the order of the table, so that a page that takes several rows is visited once.
    rows.sort_unstable_by_key(|&(series, _)| series);

    for chunk in rows.chunks(CHUNK) {
        let mut query = sqlx::query(sql::ADD_POINTS).bind(key);
        for row in padded(chunk) {
            let summary = row.map(|(_, reading)| reading.summary);
            let interval = summary.and_then(|summary| summary.interval);
            query = query
                .bind(row.map(|&(series, _)| series))
                .bind(row.map(|(_, reading)| reading.place))
                .bind(summary.map(|summary| summary.level))
                .bind(interval.map(|(low, _)| low))
                .bind(interval.map(|(_, high)| high))
                .bind(summary.and_then(|summary| i64::try_from(summary.lives).ok()))
                .bind(summary.and_then(|summary| i64::try_from(summary.samples).ok()));
        }
        query.execute(&mut *conn).await?;
    }
    for chunk in rows.chunks_mut(CHUNK) {
        let mut query = sqlx::query(sql::ADD_SAMPLES).bind(key);
        let mut chunk = chunk.iter_mut();
        for _ in 0..CHUNK {
            let row = chunk.next();
            query = query.bind(row.as_ref().map(|row| row.0)).bind(row.map(|row| std::mem::take(&mut row.1.samples)));
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn add_attachments(
    conn: &mut SqliteConnection,
    key: i64,
    attachments: &[Attachment],
    benchmarks: &HashMap<&str, i64>,
) -> Result<(), Fault> {
    for (place, attachment) in (0_i64..).zip(attachments) {
        sqlx::query(sql::ADD_ATTACHMENT)
            .bind(key)
            .bind(place)
            .bind(key_of(benchmarks, attachment.benchmark.as_str())?)
            .bind(&attachment.kind)
            .bind(json::write(&attachment.content)?)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// What was just looked up or made.
pub(super) fn key_of<K, Q>(keys: &HashMap<K, i64>, name: &Q) -> Result<i64, Fault>
where
    K: std::borrow::Borrow<Q> + std::hash::Hash + Eq,
    Q: std::hash::Hash + Eq + ?Sized + std::fmt::Debug,
{
    keys.get(name).copied().ok_or_else(|| Fault::Damaged(format!("{name:?} was written and is not there")))
}
