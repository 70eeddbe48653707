//! What a gate says, whole: every verdict, the findings among them, and one word for all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BenchmarkName, Effect, Judged, Limit, Machine, Metric, Policy, RecordId, Side, SuiteName, Trouble};

/// Something that deserves a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finding {
    /// A gated metric of one benchmark regressed.
    Regressed {
        /// The benchmark.
        benchmark: BenchmarkName,
        /// The metric's name.
        metric: String,
        /// Head against base.
        effect: Effect,
    },
    /// A metric got worse nearly everywhere by the same factor: one cause, said once.
    Common {
        /// The metric's name.
        metric: String,
        /// The common factor.
        effect: Effect,
        /// The benchmarks that moved together.
        benchmarks: Vec<BenchmarkName>,
    },
    /// Base has the benchmark, head has not.
    Missing {
        /// The benchmark.
        benchmark: BenchmarkName,
    },
    /// A gated metric that benchmarks of base have is not there on head, or is declared as another there.
    #[serde(rename = "missing metric")]
    MissingMetric {
        /// The metric's name.
        metric: String,
        /// The benchmarks.
        benchmarks: Vec<BenchmarkName>,
    },
    /// The benchmark could not be measured on one side.
    Failed {
        /// The benchmark.
        benchmark: BenchmarkName,
        /// Whether it is head that failed.
        on_head: bool,
        /// What happened.
        trouble: Trouble,
    },
}

impl Finding {
    /// The address by which people speak of it: stays the same when the same duel is judged again under another policy.
    #[must_use]
    pub fn address(&self, duel: &RecordId) -> RecordId {
        let (benchmark, metric) = match self {
            Finding::Regressed { benchmark, metric, .. } => (Some(benchmark), Some(metric)),
            Finding::Common { metric, .. } => (None, Some(metric)),
            Finding::MissingMetric { metric, .. } => return RecordId::of("finding", &(duel, "missing metric", metric)),
            Finding::Missing { benchmark } | Finding::Failed { benchmark, .. } => (Some(benchmark), None),
        };
        RecordId::of("finding", &(duel, benchmark, metric))
    }
}

/// What would be red if it had not been accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The metric that regressed or is gone; none for a benchmark that is gone.
    pub metric: Option<String>,
    /// By how much; none for what is gone.
    pub effect: Option<Effect>,
    /// What is accepted.
    pub allowed: Option<Limit>,
    /// Why.
    pub reason: String,
}

/// A metric of a benchmark that is measured on both sides, which only one of them has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lone {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The metric as that side declares it.
    pub metric: Metric,
    /// Whether it is head that has it.
    pub on_head: bool,
    /// Whether its loss makes the gate red.
    pub gate: bool,
}

impl Lone {
    /// Whether its loss makes the gate red.
    #[must_use]
    pub fn is_red(&self) -> bool {
        self.gate && !self.on_head
    }
}

/// The word for the whole gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whole {
    /// Something gated got worse, or a benchmark of base failed or vanished on head.
    Red,
    /// There was nothing to judge.
    Nothing,
    /// Nothing is red, but something gated could not be decided.
    Inconclusive,
    /// Everything gated was judged and nothing is worse.
    Green,
}

impl Whole {
    /// The word used in text and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Whole::Red => "red",
            Whole::Nothing => "nothing",
            Whole::Inconclusive => "inconclusive",
            Whole::Green => "green",
        }
    }

    /// The word from its text.
    #[must_use]
    pub fn parse(word: &str) -> Option<Whole> {
        [Whole::Red, Whole::Nothing, Whole::Inconclusive, Whole::Green].into_iter().find(|one| one.as_str() == word)
    }
}

/// What a gate says of one suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The duel that it judges.
    pub duel: RecordId,
    /// Earlier duels of the same two sides, whose lives were judged together with its own; oldest first.
    #[serde(default)]
    pub pooled: Vec<RecordId>,
    /// The duels of the other jobs that measured parts of the suite, whose verdicts stand here too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<RecordId>,
    /// The suite.
    pub suite: SuiteName,
    /// The side that is measured against.
    pub base: Side,
    /// The side that is judged.
    pub head: Side,
    /// Where it was measured.
    pub machine: Machine,
    /// The policy under which it is judged.
    pub policy: Policy,
    /// Where the policy comes from, in words.
    pub rules: String,
    /// Over how many gated noisy series the error budget is divided.
    pub gated_series: usize,
    /// The word for the whole.
    pub whole: Whole,
    /// What deserves a person, the most important first.
    pub findings: Vec<Finding>,
    /// What would be red if it had not been accepted.
    #[serde(default)]
    pub accepted: Vec<Accepted>,
    /// What else is to be said of it.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// Metrics that only one side has.
    #[serde(default)]
    pub lone: Vec<Lone>,
    /// What is said of each benchmark.
    pub judged: BTreeMap<BenchmarkName, Judged>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_keeps_its_address_whatever_its_size_is_judged_to_be() {
        let duel = RecordId::of("duel", &1);
        let finding = |metric: &str, effect: f64| Finding::Regressed {
            benchmark: BenchmarkName::new("a").unwrap(),
            metric: metric.to_owned(),
            effect: Effect::from(effect),
        };
        assert_eq!(finding("time", 0.03).address(&duel), finding("time", 0.05).address(&duel));
        assert_ne!(finding("time", 0.03).address(&duel), finding("bytes", 0.03).address(&duel));
        assert_ne!(finding("time", 0.03).address(&duel), finding("time", 0.03).address(&RecordId::of("duel", &2)));
    }
}
