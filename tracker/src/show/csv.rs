//! Samples for spreadsheets and data frames: a row a sample, and a row for each benchmark that failed.

use crate::domain::{Outcome, RecordId, Run};

/// What the columns hold. Times of day are seconds since 1970 UTC; `life` and `sample` count from 1.
pub const COLUMNS: [&str; 18] = [
    "run",
    "suite",
    "commit",
    "committed_at_s",
    "dirty",
    "machine",
    "machine_title",
    "started_at_s",
    "source",
    "benchmark",
    "metric",
    "unit",
    "better",
    "kind",
    "life",
    "sample",
    "value",
    "failure",
];

/// The rows of one run. Each value is written with as many digits as it takes to read it back.
pub fn rows<E>(id: &RecordId, run: &Run, mut write: impl FnMut([&str; 18]) -> Result<(), E>) -> Result<(), E> {
    let commit = run.subject.commit();
    let (committed_at, started_at) = (commit.committed_at_s.to_string(), run.started_at_s.to_string());
    let (machine, title) = (run.machine.id(), run.machine.title());
    let dirty = if run.subject.is_dirty() { "true" } else { "false" };
    for (benchmark, outcome) in &run.outcomes {
        let mut row = [
            id.as_str(),
            run.suite.as_str(),
            commit.id.as_str(),
            &committed_at,
            dirty,
            machine.as_str(),
            &title,
            &started_at,
            &run.source,
            benchmark.as_str(),
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
        ];
        let measured = match outcome {
            Outcome::Failed(trouble) => {
                row[17] = &trouble.reason;
                write(row)?;
                continue;
            }
            Outcome::Measured(measured) => measured,
        };
        for reading in &measured.readings {
            let metric = &reading.metric;
            let of_metric = [metric.name.as_str(), metric.unit.as_str(), metric.better.as_str(), metric.kind.as_str()];
            row[10..14].copy_from_slice(&of_metric);
            for (life, values) in (1..).zip(&reading.lives) {
                for (sample, value) in (1..).zip(values.values()) {
                    let numbers: [String; 3] = [i32::to_string(&life), i32::to_string(&sample), format!("{value:?}")];
                    let mut row = row;
                    row[14..17].copy_from_slice(&[&numbers[0], &numbers[1], &numbers[2]]);
                    write(row)?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{
        BenchmarkName, Commit, CommitId, Life, Machine, Measured, Metric, Reading, Subject, SuiteName, Trouble,
    };

    #[test]
    fn a_sample_is_a_row_and_a_failure_is_a_row() {
        let lives = vec![Life::new(vec![0.1, 1e300]).unwrap(), Life::new(vec![-0.0]).unwrap()];
        let measured =
            Measured { readings: vec![Reading { metric: Metric::time(), lives }], cores: 1, notes: BTreeMap::new() };
        let trouble = Trouble { reason: "hung".to_owned(), ended: None, stderr_tail: String::new() };
        let name = |text: &str| BenchmarkName::new(text).unwrap();
        let id = CommitId::new("0c".repeat(20)).unwrap();
        let run = Run {
            suite: SuiteName::new("engine").unwrap(),
            subject: Subject::Commit(Commit { id, parents: vec![], committed_at_s: 12, subject: "Go".to_owned() }),
            machine: Machine::Named("lorry".to_owned()),
            started_at_s: 13,
            elapsed_ns: 14,
            source: "import go".to_owned(),
            notes: BTreeMap::new(),
            pulse: None,
            outcomes: BTreeMap::from([(name("b"), Outcome::Measured(measured)), (name("a"), Outcome::Failed(trouble))]),
            attachments: vec![],
        };
        let mut written = Vec::new();
        rows(&run.id(), &run, |row| -> Result<(), ()> {
            written.push(row.map(str::to_owned));
            Ok(())
        })
        .unwrap();
        let (run_id, commit, machine) = (run.id(), "0c".repeat(20), run.machine.id());
        let head = |benchmark| {
            [run_id.as_str(), "engine", &commit, "12", "false", machine.as_str(), "lorry", "13", "import go", benchmark]
                .map(str::to_owned)
        };
        let tails = [
            ("a", ["", "", "", "", "", "", "", "hung"]),
            ("b", ["time", "ns", "lower", "noisy", "1", "1", "0.1", ""]),
            ("b", ["time", "ns", "lower", "noisy", "1", "2", "1e300", ""]),
            ("b", ["time", "ns", "lower", "noisy", "2", "1", "-0.0", ""]),
        ];
        let expected: Vec<Vec<String>> =
            tails.map(|(benchmark, tail)| [&head(benchmark)[..], &tail.map(str::to_owned)].concat()).into();
        assert_eq!(written.iter().map(|row| row.to_vec()).collect::<Vec<_>>(), expected);
    }
}
