//! Series and their points.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::error::Fault;
use super::{commits, json, read, samples, sql};
use crate::domain::{Life, Machine, Metric, Pattern, Point, RecordId, Series, SuiteName};

/// Which series are wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The benchmark's name.
    pub benchmark: Pattern,
    /// The suite's name.
    pub suite: Option<Pattern>,
    /// The metric's name.
    pub metric: Option<Pattern>,
    /// The machine: the beginning of its identity, or a pattern for its title.
    pub machine: Option<String>,
}

impl Wanted {
    /// Every series.
    #[must_use]
    pub fn all() -> Wanted {
        Wanted { benchmark: Pattern::new(""), suite: None, metric: None, machine: None }
    }

    fn suite(&self, name: &str) -> bool {
        self.suite.as_ref().is_none_or(|pattern| pattern.matches(name))
    }

    pub(super) fn names(&self, suite: &str, benchmark: &str) -> bool {
        self.suite(suite) && self.benchmark.matches(benchmark)
    }

    pub(super) fn metric(&self, metric: &Metric) -> bool {
        self.metric.as_ref().is_none_or(|pattern| pattern.matches(&metric.name))
    }

    fn machine(&self, machine: &Machine) -> bool {
        self.machine.as_deref().is_none_or(|wanted| machine.is_called(wanted))
    }
}

/// A series that is in the store, with the way to its points.
#[derive(Debug, Clone)]
pub struct Stored {
    pub(super) key: i64,
    /// What it is of.
    pub series: Series,
}

/// The series that are wanted, in the order in which they first came.
pub(super) async fn find(conn: &mut SqliteConnection, wanted: &Wanted) -> Result<Vec<Stored>, Fault> {
    let mut found = Vec::new();
    let mut machines: HashMap<i64, Option<Machine>> = HashMap::new();
    let mut after = 0_i64;
    loop {
        let page = sqlx::query(sql::BENCHMARKS_AFTER).bind(after).fetch_all(&mut *conn).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.try_get(0)?;
        for row in &page {
            let (suite, benchmark): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
            if !wanted.names(suite, benchmark) {
                continue;
            }
            let suite = SuiteName::new(suite).map_err(|error| Fault::Damaged(error.to_string()))?;
            let benchmark = read::benchmark(benchmark.to_owned())?;
            let key: i64 = row.try_get(0)?;
            for row in sqlx::query(sql::SERIES_OF_BENCHMARK).bind(key).fetch_all(&mut *conn).await? {
                let metric = read::metric(&row, 1)?;
                let machine = wanted_machine(conn, &mut machines, row.try_get(5)?, wanted).await?;
                if let (Some(machine), true) = (machine, wanted.metric(&metric)) {
                    let series = Series { suite: suite.clone(), benchmark: benchmark.clone(), metric, machine };
                    found.push(Stored { key: row.try_get(0)?, series });
                }
            }
        }
    }
}

/// A machine if it is wanted; each is read once.
pub(super) async fn wanted_machine(
    conn: &mut SqliteConnection,
    machines: &mut HashMap<i64, Option<Machine>>,
    key: i64,
    wanted: &Wanted,
) -> Result<Option<Machine>, Fault> {
    if let Some(known) = machines.get(&key) {
        return Ok(known.clone());
    }
    let content: String = sqlx::query_scalar(sql::MACHINE_CONTENT).bind(key).fetch_one(conn).await?;
    let machine = Some(json::read("a machine", &content)?).filter(|machine| wanted.machine(machine));
    machines.insert(key, machine.clone());
    Ok(machine)
}

/// The newest points of a series, newest last, in the order of history; working trees with changes left out.
pub(super) async fn points(conn: &mut SqliteConnection, series: &Stored, most: usize) -> Result<Vec<Point>, Fault> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = sqlx::query(sql::POINTS).bind(series.key).bind(most).fetch_all(conn).await?;
    rows.iter().rev().map(point).collect()
}

fn point(row: &SqliteRow) -> Result<Point, Fault> {
    let count = |index| -> Result<u64, Fault> { Ok(row.try_get::<i64, _>(index)?.unsigned_abs()) };
    let interval = match (row.try_get(4)?, row.try_get(5)?) {
        (Some(low), Some(high)) => Some((low, high)),
        _ => None,
    };
    Ok(Point {
        run: run_id(row.try_get(0)?)?,
        commit: commits::id(row.try_get(1)?)?,
        committed_at_s: row.try_get(2)?,
        level: row.try_get(3)?,
        interval,
        lives: u32::try_from(count(6)?).map_err(|error| Fault::Damaged(error.to_string()))?,
        samples: count(7)?,
    })
}

/// A run's identity from a column.
pub(super) fn run_id(text: &str) -> Result<RecordId, Fault> {
    RecordId::parse(text).ok_or_else(|| Fault::Damaged(format!("{text:?} is the identity of no run")))
}

/// Every sample of one point, life by life.
pub(super) async fn lives(conn: &mut SqliteConnection, series: &Stored, run: &RecordId) -> Result<Vec<Life>, Fault> {
    let content: Option<Vec<u8>> =
        sqlx::query_scalar(sql::SAMPLES).bind(series.key).bind(run.as_str()).fetch_optional(conn).await?;
    content.map_or(Ok(Vec::new()), |bytes| samples::unpack(&bytes).map_err(|error| Fault::Damaged(error.to_string())))
}
