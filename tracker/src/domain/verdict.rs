//! What is said of a metric and of a benchmark, and the numbers that it rests on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Limit, Metric, Terms, Trouble};

/// A ratio head/base. Kept as its logarithm, so that half and double are equally far from 1; written as the relative
/// change, so that 0.02 is 2 % more; or as nothing where base was 0 and head is not, so that there is no finite one.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "Option<f64>", into = "Option<f64>")]
pub struct Effect(f64);

impl Effect {
    /// Takes the logarithm of the ratio.
    #[must_use]
    pub fn from_log(log: f64) -> Effect {
        Effect(log)
    }

    /// The logarithm of the ratio.
    #[must_use]
    pub fn log(self) -> f64 {
        self.0
    }

    /// The relative change: 0.02 for 2 % more.
    #[must_use]
    pub fn relative(self) -> f64 {
        self.0.exp_m1()
    }
}

impl From<f64> for Effect {
    fn from(relative: f64) -> Effect {
        Effect(relative.ln_1p())
    }
}

impl From<Option<f64>> for Effect {
    fn from(relative: Option<f64>) -> Effect {
        relative.map_or(Effect(f64::INFINITY), Effect::from)
    }
}

impl From<Effect> for Option<f64> {
    fn from(effect: Effect) -> Option<f64> {
        Some(effect.relative()).filter(|relative| relative.is_finite())
    }
}

/// The word said of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    /// Worse, beyond the limit and beyond what noise and the luck of two builds explain.
    Regressed,
    /// Better, likewise.
    Improved,
    /// The whole interval lies within the limits.
    Unchanged,
    /// The numbers do not decide.
    Inconclusive,
}

impl Call {
    /// The word used in text and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Call::Regressed => "regressed",
            Call::Improved => "improved",
            Call::Unchanged => "unchanged",
            Call::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A range that holds the true effect with at least this probability, however often one looked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: Effect,
    /// Its upper end.
    pub high: Effect,
    /// The probability: 0.95.
    pub level: f64,
}

/// What a verdict on a noisy metric rests on; enough to judge it again by hand.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Grounds {
    /// Lives that were judged: those up to the last look.
    pub lives: usize,
    /// Pairs in these lives.
    pub pairs: usize,
    /// The standard error of the effect, from how lives disagree (drawn towards the usual one).
    pub se: f64,
    /// Its degrees of freedom.
    pub se_df: f64,
    /// The standard deviation that two builds of harmlessly different code differ by.
    pub tau: f64,
    /// Earlier duels of different builds that taught it; none while it is assumed.
    #[serde(default)]
    pub lessons: usize,
    /// The degrees of freedom of the two errors together.
    pub df: f64,
    /// What the null control proves of the harness's own bias; taken off the effect.
    pub bias: f64,
    /// The error that a finding may make at this look, one side; none while there are too few lives for any finding.
    pub level: Option<f64>,
    /// The quantile at that level: the effect must exceed this many errors.
    pub factor: Option<f64>,
    /// The probability of such signs and ranks, were there no effect; none where they were not asked.
    pub signs: Option<f64>,
    /// The probability of such places of head among head, base and the null control, were there no effect; none where
    /// they were not asked.
    #[serde(default)]
    pub places: Option<f64>,
    /// The lives at which the next look stands.
    pub next_look: usize,
}

/// What is said of one metric of one benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The word.
    pub call: Call,
    /// Head against base.
    pub effect: Effect,
    /// Where the true difference between these two builds lies; none with too few lives.
    pub interval: Option<Interval>,
    /// The allowed change.
    pub limit: Limit,
    /// The smallest worsening that would have been told from nothing nine times in ten; none with too few lives.
    pub detectable: Option<Effect>,
    /// What it rests on; none for an exact metric, which is compared as a number.
    pub grounds: Option<Grounds>,
}

impl Verdict {
    /// Whether the interval leaves out "no change at all" while the word is `unchanged`: it moved within its limit.
    #[must_use]
    pub fn moved_within_limit(&self) -> bool {
        let moved = match self.interval {
            Some(interval) => interval.low.log() > 0.0 || interval.high.log() < 0.0,
            None => self.effect.log() != 0.0,
        };
        self.call == Call::Unchanged && moved
    }
}

/// What is said of one metric, beside what it was measured at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricVerdict {
    /// The metric.
    pub metric: Metric,
    /// The median on base, in the metric's unit.
    pub base: f64,
    /// The median on head.
    pub head: f64,
    /// What the policy says of this series.
    pub terms: Terms,
    /// What is said.
    pub verdict: Verdict,
}

impl MetricVerdict {
    /// Whether this makes the gate red.
    #[must_use]
    pub fn is_red(&self) -> bool {
        self.terms.gate && self.verdict.call == Call::Regressed
    }
}

/// What is said of one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judged {
    /// Both sides were measured: a verdict for each metric, in the order of the duel.
    Verdicts(Vec<MetricVerdict>),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_written_as_a_relative_change() {
        let effect = Effect::from_log(1.02f64.ln());
        assert_eq!(serde_json::to_value(effect).unwrap().as_f64().map(|v| (v * 1e9).round() / 1e9), Some(0.02));
        let read: Effect = serde_json::from_str("-0.5").unwrap();
        assert!((read.log() + 2f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn something_from_nothing_has_no_finite_effect_and_survives_json() {
        let effect = Effect::from_log(f64::INFINITY);
        assert_eq!(serde_json::to_string(&effect).unwrap(), "null");
        assert_eq!(serde_json::from_str::<Effect>("null").unwrap(), effect);
        assert_eq!(serde_json::from_str::<Effect>("-1.0").unwrap(), Effect::from_log(f64::NEG_INFINITY));
    }

    #[test]
    fn what_moved_within_its_limit_is_told_from_what_did_not_move() {
        let verdict = |low, high| Verdict {
            call: Call::Unchanged,
            effect: Effect::from_log(f64::midpoint(low, high)),
            interval: Some(Interval { low: Effect::from_log(low), high: Effect::from_log(high), level: 0.95 }),
            limit: Limit::percent(2.0).unwrap(),
            detectable: None,
            grounds: None,
        };
        assert!(verdict(0.010, 0.015).moved_within_limit());
        assert!(!verdict(-0.010, 0.015).moved_within_limit());
    }
}
