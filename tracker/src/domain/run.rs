//! One suite at one commit on one machine: what was observed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::Hash;
use super::{BenchmarkName, Commit, Machine, Metric, Notes, Pulse, RecordId, SuiteName};

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A commit, as it stands in the repository.
    Commit(Commit),
    /// A working tree with changes upon this commit; never a baseline. The digest tells one state of the tree from
    /// another.
    Dirty {
        /// The commit that the working tree stands on.
        on: Commit,
        /// The hash of the differing files.
        digest: String,
    },
}

impl Subject {
    /// The commit measured, or stood upon.
    #[must_use]
    pub fn commit(&self) -> &Commit {
        match self {
            Subject::Commit(commit) | Subject::Dirty { on: commit, .. } => commit,
        }
    }

    /// Whether it was a working tree with changes.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        matches!(self, Subject::Dirty { .. })
    }
}

/// Why numbers are no evidence.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LifeError {
    /// There is no value at all.
    #[error("a life needs at least one value")]
    Empty,
    /// A value is NaN or infinite.
    #[error("value {index} is {value}, which is no finite number")]
    NotFinite {
        /// Its place among the values.
        index: usize,
        /// What it was.
        value: f64,
    },
}

/// The readings of one metric in one life: a value per iteration for each slice. Non-empty and finite because it could
/// not have been made otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Life(Vec<f64>);

impl Life {
    /// Takes the values of a life, in the order in which they were read.
    pub fn new(values: Vec<f64>) -> Result<Life, LifeError> {
        if values.is_empty() {
            return Err(LifeError::Empty);
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(LifeError::NotFinite { index, value: values[index] }),
            None => Ok(Life(values)),
        }
    }

    /// The values, in the order in which they were read.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }
}

impl TryFrom<Vec<f64>> for Life {
    type Error = LifeError;
    fn try_from(values: Vec<f64>) -> Result<Life, LifeError> {
        Life::new(values)
    }
}

impl From<Life> for Vec<f64> {
    fn from(life: Life) -> Vec<f64> {
        life.0
    }
}

/// One metric of one benchmark, as observed in this run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What was read.
    pub metric: Metric,
    /// The values, life by life.
    pub lives: Vec<Life>,
}

/// What a benchmark that worked yielded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its metrics, time first where there is one.
    pub readings: Vec<Reading>,
    /// Cores that it says it uses.
    pub cores: u32,
    /// Further facts that came with it: the source's own unit, arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: Notes,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// It was still running and was ended by us.
    Killed,
}

/// Why a benchmark has no numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// One line: `crashed`, `timed out after 10 s`, `answered 3, expected 4`.
    pub reason: String,
    /// How its process ended, where it did.
    pub ended: Option<Ended>,
    /// The tail of its standard error; before it that of its standard output, where no results stand there.
    pub stderr_tail: String,
}

/// What became of one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was measured.
    Measured(Measured),
    /// It failed, and that is a finding.
    Failed(Trouble),
}

/// Something that a suite gave beside its numbers, such as a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// The benchmark that it belongs to.
    pub benchmark: BenchmarkName,
    /// Its kind: `profile`.
    pub kind: String,
    /// The content.
    pub content: serde_json::Value,
}

/// One suite at one commit on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The suite.
    pub suite: SuiteName,
    /// What was measured.
    pub subject: Subject,
    /// Where.
    pub machine: Machine,
    /// When it began, in seconds since 1970 UTC.
    pub started_at_s: i64,
    /// How long it took, building left out.
    pub elapsed_ns: u64,
    /// Where it comes from: `run` when measured here, `import` with the format's name when read from elsewhere.
    pub source: String,
    /// Everything else about where and how.
    pub notes: Notes,
    /// The machine's state before and after; none when read from elsewhere.
    pub pulse: Option<(Pulse, Pulse)>,
    /// What became of each benchmark.
    pub outcomes: BTreeMap<BenchmarkName, Outcome>,
    /// What the suite gave beside numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

impl Run {
    /// The run's public identity.
    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::of("run", self)
    }

    /// Every reading with its benchmark, in the order of the benchmarks.
    pub fn readings(&self) -> impl Iterator<Item = (&BenchmarkName, &Reading)> {
        self.outcomes.iter().flat_map(|(name, outcome)| {
            let readings = match outcome {
                Outcome::Measured(measured) => &measured.readings[..],
                Outcome::Failed(_) => &[],
            };
            readings.iter().map(move |reading| (name, reading))
        })
    }

    /// Benchmarks that were measured.
    #[must_use]
    pub fn measured(&self) -> usize {
        self.outcomes.values().filter(|outcome| matches!(outcome, Outcome::Measured(_))).count()
    }

    /// Benchmarks that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.outcomes.len() - self.measured()
    }
}

/// The identity of a run whose benchmarks are told one after the other, and need not be in memory together.
#[derive(Debug)]
pub struct RunHash {
    hash: Hash,
    /// What stands before the next benchmark.
    between: &'static str,
}

impl RunHash {
    /// Begins with all of a run but its outcomes, of which it has none yet; nor has it attachments.
    #[must_use]
    pub fn of(head: &Run) -> Option<RunHash> {
        // The outcomes come last, so the form of the head ends with their empty list.
        let form = serde_json::to_string(head).ok()?;
        let mut hash = Hash::of("run");
        hash.text(form.strip_suffix("}}").filter(|before| before.ends_with("\"outcomes\":{"))?);
        Some(RunHash { hash, between: "" })
    }

    /// Goes on with the benchmark whose name comes next.
    pub fn add(&mut self, name: &BenchmarkName, outcome: &Outcome) {
        self.hash.text(self.between);
        self.hash.json(name);
        self.hash.text(":");
        self.hash.json(outcome);
        self.between = ",";
    }

    /// The identity of the run with all of these.
    #[must_use]
    pub fn id(mut self) -> RecordId {
        self.hash.text("}}");
        self.hash.id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CommitId;

    #[test]
    fn a_run_that_is_told_benchmark_by_benchmark_has_the_identity_of_the_whole() {
        let failed = |reason: &str| {
            Outcome::Failed(Trouble { reason: reason.to_owned(), ended: None, stderr_tail: "}}".to_owned() })
        };
        let time = Reading { metric: Metric::time(), lives: vec![Life::new(vec![0.1, 1e300, 3.0]).unwrap()] };
        let measured =
            Outcome::Measured(Measured { readings: vec![time], cores: 2, notes: Notes::from([("a", "b")].map(own)) });
        let outcomes = [("a \"quoted\"", failed("x")), ("b", measured), ("c,:", failed("y"))];
        let mut run = Run {
            suite: SuiteName::new("s").unwrap(),
            subject: Subject::Commit(Commit {
                id: CommitId::new("0123456789012345678901234567890123456789").unwrap(),
                parents: vec![],
                committed_at_s: 1,
                subject: "\"outcomes\":{".to_owned(),
            }),
            machine: Machine::Named("m".to_owned()),
            started_at_s: 2,
            elapsed_ns: 3,
            source: "import x".to_owned(),
            notes: Notes::new(),
            pulse: None,
            outcomes: BTreeMap::new(),
            attachments: vec![],
        };
        for count in 0..=outcomes.len() {
            let mut hash = RunHash::of(&Run { outcomes: BTreeMap::new(), ..run.clone() }).unwrap();
            run.outcomes.iter().for_each(|(name, outcome)| hash.add(name, outcome));
            assert_eq!(hash.id(), run.id(), "{count}");
            if let Some((name, outcome)) = outcomes.get(count) {
                run.outcomes.insert(BenchmarkName::new(*name).unwrap(), outcome.clone());
            }
        }
        assert!(RunHash::of(&run).is_none(), "it has outcomes");
    }

    fn own((key, value): (&str, &str)) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn a_life_is_never_empty_and_never_infinite() {
        assert_eq!(Life::new(vec![]), Err(LifeError::Empty));
        assert_eq!(Life::new(vec![1.0, f64::INFINITY]), Err(LifeError::NotFinite { index: 1, value: f64::INFINITY }));
        assert!(serde_json::from_str::<Life>("[]").is_err());
        assert_eq!(serde_json::from_str::<Life>("[1.5,2.0]").unwrap().values(), [1.5, 2.0]);
    }
}
