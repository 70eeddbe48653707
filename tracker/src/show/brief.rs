//! A run's results for programs: one object, levels instead of samples.

use serde::Serialize;

use crate::domain::{Life, Measured, Metric, Outcome, RecordId, Run, Trouble};
use crate::stats::summary::summarise;

/// A run with its results.
#[derive(Debug, Serialize)]
pub struct Brief<'a> {
    run: &'a RecordId,
    suite: &'a str,
    commit: &'a str,
    dirty: bool,
    machine: String,
    started_at_s: i64,
    elapsed_ns: u64,
    benchmarks: Vec<Benchmark<'a>>,
}

#[derive(Debug, Serialize)]
struct Benchmark<'a> {
    name: &'a str,
    #[serde(flatten)]
    came: Came<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Came<'a> {
    Metrics(Vec<Row<'a>>),
    Failed(&'a Trouble),
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    metric: &'a Metric,
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
    lives: usize,
    samples: usize,
}

impl<'a> Brief<'a> {
    /// The results of a run that was recorded under `id`.
    #[must_use]
    pub fn new(run: &'a Run, id: &'a RecordId) -> Brief<'a> {
        let benchmarks = run.outcomes.iter().map(|(name, outcome)| {
            let came = match outcome {
                Outcome::Measured(measured) => Came::Metrics(rows(measured)),
                Outcome::Failed(trouble) => Came::Failed(trouble),
            };
            Benchmark { name: name.as_str(), came }
        });
        Brief {
            run: id,
            suite: run.suite.as_str(),
            commit: run.subject.commit().id.as_str(),
            dirty: run.subject.is_dirty(),
            machine: run.machine.title(),
            started_at_s: run.started_at_s,
            elapsed_ns: run.elapsed_ns,
            benchmarks: benchmarks.collect(),
        }
    }
}

fn rows(measured: &Measured) -> Vec<Row<'_>> {
    let row = |reading: &'_ crate::domain::Reading| {
        let lives: Vec<&[f64]> = reading.lives.iter().map(Life::values).collect();
        summarise(&lives)
    };
    let rows = measured.readings.iter().filter_map(|reading| {
        let summary = row(reading)?;
        let (low, high) = summary.interval.unzip();
        let (lives, samples) = (summary.lives, summary.samples);
        Some(Row { metric: &reading.metric, value: summary.level, low, high, lives, samples })
    });
    rows.collect()
}
