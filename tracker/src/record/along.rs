//! Every series whole, one after the other, as a history reads them.

use std::collections::HashMap;

use sqlx::{Row, SqliteConnection};

use super::error::Fault;
use super::series::run_id;
use super::{RecordError, Store, Stored, Wanted, commits, json, read, series, sql};
use crate::domain::{CommitId, Machine, Notes, RecordId, Series, SuiteName};

const READING: &str = "reading the series";

/// A run as its points need it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunMark {
    /// The run.
    pub id: RecordId,
    /// The commit that it measured.
    pub commit: CommitId,
    /// When it began, in seconds since 1970 UTC.
    pub started_at_s: i64,
    /// Everything else about where and how.
    pub notes: Notes,
}

/// Every run of a commit, in the order of recording. Working trees with changes are left out: they are part of no history.
#[derive(Debug, Default)]
pub struct RunMarks {
    /// The runs.
    pub runs: Vec<RunMark>,
    indices: HashMap<i64, usize>,
}

/// One run's value in a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// The index of its run.
    pub run: usize,
    /// The level.
    pub level: f64,
    /// Its 95 % interval.
    pub interval: Option<(f64, f64)>,
}

impl Store {
    /// The runs that series are made of.
    pub fn run_marks(&mut self) -> Result<RunMarks, RecordError> {
        self.does(READING, async |conn| {
            let mut marks = RunMarks::default();
            let mut after = 0_i64;
            loop {
                let page = sqlx::query(sql::RUN_MARKS_AFTER).bind(after).fetch_all(&mut *conn).await?;
                let Some(last) = page.last() else { return Ok(marks) };
                after = last.try_get(0)?;
                for row in &page {
                    marks.indices.insert(row.try_get(0)?, marks.runs.len());
                    marks.runs.push(RunMark {
                        id: run_id(row.try_get(1)?)?,
                        commit: commits::id(row.try_get(2)?)?,
                        started_at_s: row.try_get(3)?,
                        notes: json::read("a run's notes", row.try_get(4)?)?,
                    });
                }
            }
        })
    }

    /// All points of a series, in the order of recording.
    pub fn dots(&mut self, series: &Stored, marks: &RunMarks) -> Result<Vec<Dot>, RecordError> {
        self.does(READING, async |conn| dots(conn, series.key, marks).await)
    }

    /// Visits every series that is wanted with all its points, in the order of recording. One series is in memory at a
    /// time. The visitor's error ends it.
    pub fn each_series<E: From<RecordError>>(
        &mut self,
        wanted: &Wanted,
        marks: &RunMarks,
        mut visit: impl FnMut(Series, Vec<Dot>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut machines = HashMap::new();
        let mut after = 0_i64;
        loop {
            let page = self.does(READING, async |conn| page_after(conn, after, wanted, &mut machines).await)?;
            let Some(last) = page.last else { return Ok(()) };
            after = last;
            for (key, series) in page.series {
                let dots = self.does(READING, async |conn| dots(conn, key, marks).await)?;
                visit(series, dots)?;
            }
        }
    }
}

/// A page of series: those that are wanted, and the key of the last one that was looked at.
struct Page {
    last: Option<i64>,
    series: Vec<(i64, Series)>,
}

async fn page_after(
    conn: &mut SqliteConnection,
    after: i64,
    wanted: &Wanted,
    machines: &mut HashMap<i64, Option<Machine>>,
) -> Result<Page, Fault> {
    let rows = sqlx::query(sql::SERIES_AFTER).bind(after).fetch_all(&mut *conn).await?;
    let mut page = Page { last: None, series: Vec::new() };
    for row in &rows {
        let key: i64 = row.try_get(0)?;
        page.last = Some(key);
        let (suite, benchmark): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
        if !wanted.names(suite, benchmark) {
            continue;
        }
        let metric = read::metric(row, 3)?;
        let machine = series::wanted_machine(conn, machines, row.try_get(7)?, wanted).await?;
        if let (Some(machine), true) = (machine, wanted.metric(&metric)) {
            let suite = SuiteName::new(suite).map_err(|error| Fault::Damaged(error.to_string()))?;
            let benchmark = read::benchmark(benchmark.to_owned())?;
            page.series.push((key, Series { suite, benchmark, metric, machine }));
        }
    }
    Ok(page)
}

async fn dots(conn: &mut SqliteConnection, key: i64, marks: &RunMarks) -> Result<Vec<Dot>, Fault> {
    let rows = sqlx::query(sql::POINTS_AS_RECORDED).bind(key).fetch_all(conn).await?;
    let mut dots = Vec::with_capacity(rows.len());
    for row in &rows {
        // A run that is not among the marks measured a working tree, or came after the marks were read.
        let Some(&run) = marks.indices.get(&row.try_get::<i64, _>(0)?) else { continue };
        let interval = match (row.try_get(2)?, row.try_get(3)?) {
            (Some(low), Some(high)) => Some((low, high)),
            _ => None,
        };
        dots.push(Dot { run, level: row.try_get(1)?, interval });
    }
    Ok(dots)
}
