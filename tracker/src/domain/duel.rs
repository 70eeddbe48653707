//! Base and head measured alternately in one job: what was observed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BenchmarkName, Life, Machine, Metric, Notes, Pulse, RecordId, Subject, SuiteName, Trouble};

/// One side of a duel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// What was measured.
    pub subject: Subject,
    /// The hash of the program that was run, where it is one file; equal hashes are one build.
    pub program: Option<String>,
}

/// What was read of one metric on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readings {
    /// The metric differs from slice to slice: the logarithms of head/base, pair by pair, life by life.
    Paired {
        /// Head against base. Lives are independent evidence, pairs of one life are not.
        lives: Vec<Life>,
        /// Base against base, in the same rotation: the null control.
        null: Vec<Life>,
    },
    /// The metric is a number of the binary: its values on both sides, which agree among themselves.
    Exact {
        /// Base's.
        base: Life,
        /// Head's.
        head: Life,
    },
    /// Only base has the metric: its levels there.
    Missing {
        /// Base's.
        base: Life,
    },
    /// Only head has it.
    New {
        /// Head's.
        head: Life,
    },
}

/// One metric of one benchmark in a duel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// What was read.
    pub metric: Metric,
    /// The median on base, in the metric's unit; to give the effect a size. Zero where base has no such metric.
    pub base: f64,
    /// The median on head, likewise.
    pub head: f64,
    /// The evidence.
    pub readings: Readings,
}

impl Contest {
    /// Whether both sides have the metric.
    #[must_use]
    pub fn is_on_both(&self) -> bool {
        !matches!(self.readings, Readings::Missing { .. } | Readings::New { .. })
    }
}

/// What became of one benchmark in a duel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bout {
    /// Both sides were measured.
    Dueled(Vec<Contest>),
    /// Base has it, head has not.
    Missing,
    /// Head has it, base has not.
    New,
    /// One side could not be measured.
    Failed {
        /// Whether it is head that failed.
        on_head: bool,
        /// What happened.
        trouble: Trouble,
    },
}

/// Base and head of one suite, measured alternately on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Duel {
    /// The suite.
    pub suite: SuiteName,
    /// The side that is measured against.
    pub base: Side,
    /// The side that is judged.
    pub head: Side,
    /// Where.
    pub machine: Machine,
    /// When it began, in seconds since 1970 UTC.
    pub started_at_s: i64,
    /// How long it took, building left out.
    pub elapsed_ns: u64,
    /// What the random order was drawn from.
    pub seed: u64,
    /// Everything else about where and how.
    pub notes: Notes,
    /// The machine's state before and after.
    pub pulse: Option<(Pulse, Pulse)>,
    /// What became of each benchmark.
    pub bouts: BTreeMap<BenchmarkName, Bout>,
}

impl Duel {
    /// The duel's public identity.
    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::of("duel", self)
    }

    /// Whether both sides ran the very same program. Such a duel shows the harness's own error, and teaches nothing of
    /// how builds differ.
    #[must_use]
    pub fn is_of_one_build(&self) -> bool {
        self.base.program.is_some() && self.base.program == self.head.program
    }
}

#[cfg(test)]
impl Duel {
    /// A duel of different builds with the given bouts.
    pub(crate) fn example(bouts: Vec<(&str, Bout)>) -> Duel {
        use super::{Commit, CommitId};
        let side = |digit: &str, program: &str| Side {
            subject: Subject::Commit(Commit {
                id: CommitId::new(digit.repeat(40)).unwrap(),
                parents: vec![],
                committed_at_s: 1_700_000_000,
                subject: format!("Commit {digit}"),
            }),
            program: Some(program.to_owned()),
        };
        Duel {
            suite: SuiteName::new("engine").unwrap(),
            base: side("a", "0a"),
            head: side("b", "0b"),
            machine: Machine::Named("bench-1".to_owned()),
            started_at_s: 1_700_000_100,
            elapsed_ns: 2_000_000_000,
            seed: 7,
            notes: Notes::new(),
            pulse: None,
            bouts: bouts.into_iter().map(|(name, bout)| (BenchmarkName::new(name).unwrap(), bout)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duel_survives_json_with_its_identity() {
        let paired = Readings::Paired { lives: vec![Life::new(vec![0.01, 0.1 + 0.2]).unwrap()], null: vec![] };
        let life = |value: f64| Life::new(vec![value]).unwrap();
        let exact = Readings::Exact { base: life(7.0), head: life(9.0) };
        let (missing, new) = (Readings::Missing { base: life(3.0) }, Readings::New { head: life(4.0) });
        let contest = |readings| Contest { metric: Metric::time(), base: 5000.0, head: 5100.0, readings };
        let trouble = Trouble { reason: "crashed".to_owned(), ended: None, stderr_tail: String::new() };
        let before = Duel::example(vec![
            ("a", Bout::Dueled(vec![contest(paired), contest(exact), contest(missing), contest(new)])),
            ("b", Bout::Missing),
            ("c", Bout::New),
            ("d", Bout::Failed { on_head: true, trouble }),
        ]);
        let read: Duel = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
        assert_eq!(read, before);
        assert_eq!(read.id(), before.id());
    }

    #[test]
    fn sides_without_a_known_program_are_not_one_build() {
        let mut one = Duel::example(vec![]);
        assert!(!one.is_of_one_build());
        one.head.program.clone_from(&one.base.program);
        assert!(one.is_of_one_build());
        (one.base.program, one.head.program) = (None, None);
        assert!(!one.is_of_one_build());
    }
}
