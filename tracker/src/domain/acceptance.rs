//! A reviewed, bounded, expiring permission for a regression.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{BenchmarkName, CommitId, Limit, Pattern};

/// Why a text is no expiry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an acceptance holds until a day, such as \"2026-12-31\", or until \"rebased\", not {0:?}")]
pub struct UntilError(String);

/// How long an acceptance holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Until {
    /// To the end of this day, UTC.
    Day(Date),
    /// For as long as base is the commit that the regression was seen against.
    Rebased,
}

impl FromStr for Until {
    type Err = UntilError;
    fn from_str(text: &str) -> Result<Until, UntilError> {
        match text.trim() {
            "rebased" => Ok(Until::Rebased),
            day => day.parse().map(Until::Day).map_err(|_| UntilError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Until {
    type Error = UntilError;
    fn try_from(text: String) -> Result<Until, UntilError> {
        text.parse()
    }
}

impl From<Until> for String {
    fn from(until: Until) -> String {
        until.to_string()
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Until::Day(day) => write!(f, "{day}"),
            Until::Rebased => f.write_str("rebased"),
        }
    }
}

/// Why a table is no acceptance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcceptanceError {
    /// It says how much of what, or it is about a benchmark that is gone.
    #[error(
        "an acceptance has a `metric` and what is `allowed` of it, or a `metric` that is `gone = true`, or neither, for a \
         benchmark that is gone"
    )]
    Half,
    /// Nobody says why.
    #[error("an acceptance needs a `reason`")]
    NoReason,
}

/// What may get worse, how far, why, and until when. It has a metric with a size, or a metric that is gone, or neither if it
/// is about benchmarks that are gone, because it could not have been made otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Acceptance {
    /// The benchmarks.
    pattern: Pattern,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<Limit>,
    /// Whether the metric is gone.
    #[serde(skip_serializing_if = "is_false")]
    gone: bool,
    reason: String,
    /// The head that was seen to be slower.
    commit: CommitId,
    /// The base that it was seen against.
    base: CommitId,
    until: Until,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(value: &bool) -> bool {
    !value
}

/// An acceptance as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// The benchmarks.
    pub pattern: Pattern,
    /// The metric; none for benchmarks that are gone.
    pub metric: Option<String>,
    /// How much worse it may be; none for benchmarks that are gone.
    pub allowed: Option<Limit>,
    /// Whether the metric is gone.
    #[serde(default)]
    pub gone: bool,
    /// Why.
    pub reason: String,
    /// The head that was seen to be slower.
    pub commit: CommitId,
    /// The base that it was seen against.
    pub base: CommitId,
    /// How long it holds.
    pub until: Until,
}

impl TryFrom<Raw> for Acceptance {
    type Error = AcceptanceError;
    fn try_from(raw: Raw) -> Result<Acceptance, AcceptanceError> {
        let Raw { pattern, metric, allowed, gone, reason, commit, base, until } = raw;
        if metric.is_some() != (allowed.is_some() || gone) || (gone && allowed.is_some()) {
            return Err(AcceptanceError::Half);
        }
        if reason.trim().is_empty() {
            return Err(AcceptanceError::NoReason);
        }
        Ok(Acceptance { pattern, metric, allowed, gone, reason, commit, base, until })
    }
}

impl Acceptance {
    /// How much worse this metric of this benchmark may be; none if it is not about it.
    #[must_use]
    pub fn allows(&self, benchmark: &BenchmarkName, metric: &str) -> Option<Limit> {
        let is_about = self.metric.as_deref() == Some(metric) && self.pattern.matches(benchmark.as_str());
        self.allowed.filter(|_| is_about)
    }

    /// Whether this benchmark may be gone.
    #[must_use]
    pub fn lets_go(&self, benchmark: &BenchmarkName) -> bool {
        self.metric.is_none() && self.pattern.matches(benchmark.as_str())
    }

    /// Whether this metric of this benchmark may be gone.
    #[must_use]
    pub fn lets_metric_go(&self, benchmark: &BenchmarkName, metric: &str) -> bool {
        self.gone && self.metric.as_deref() == Some(metric) && self.pattern.matches(benchmark.as_str())
    }

    /// Whether it is about something of this benchmark, which head has or has lost. What may be gone must be gone.
    #[must_use]
    pub fn is_about(&self, benchmark: &BenchmarkName, is_missing: bool) -> bool {
        self.pattern.matches(benchmark.as_str()) && (self.metric.is_some() || is_missing)
    }

    /// Whether it holds on this day against this base.
    #[must_use]
    pub fn holds(&self, today: Date, base: &CommitId) -> bool {
        match self.until {
            Until::Day(last) => today <= last,
            Until::Rebased => self.base == *base,
        }
    }

    /// Whether it is about a series of this benchmark and metric: that it gets worse, or that it ends.
    #[must_use]
    pub fn covers(&self, benchmark: &BenchmarkName, metric: &str) -> bool {
        self.pattern.matches(benchmark.as_str()) && self.metric.as_deref().is_none_or(|own| own == metric)
    }

    /// What tells it from others: the same, written anew with another bound, reason or end, is still the same.
    #[must_use]
    pub fn key(&self) -> (&str, Option<&str>, &CommitId, &CommitId) {
        (self.pattern.as_str(), self.metric.as_deref(), &self.commit, &self.base)
    }

    /// How much worse it lets something be; none if it lets something go.
    #[must_use]
    pub fn allowed(&self) -> Option<Limit> {
        self.allowed
    }

    /// The head that was seen to be slower.
    #[must_use]
    pub fn commit(&self) -> &CommitId {
        &self.commit
    }

    /// The base that it was seen against.
    #[must_use]
    pub fn base(&self) -> &CommitId {
        &self.base
    }

    /// How long it holds.
    #[must_use]
    pub fn until(&self) -> Until {
        self.until
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// An acceptance on a history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlacedAcceptance {
    /// The commit's place.
    pub place: usize,
    /// What was accepted there.
    pub acceptance: Acceptance,
}

impl fmt::Display for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern = self.pattern.as_str();
        match (&self.metric, self.allowed) {
            (Some(metric), Some(allowed)) => write!(f, "{metric} of {pattern} up to {allowed}")?,
            (Some(metric), None) => write!(f, "that {metric} of {pattern} is gone")?,
            _ => write!(f, "that {pattern} is gone")?,
        }
        write!(f, " (until {}: {})", self.until, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Acceptance, String> {
        let (commit, base) = ("b".repeat(40), "a".repeat(40));
        let text = format!("pattern = \"kernel/*\"\ncommit = \"{commit}\"\nbase = \"{base}\"\n{text}");
        toml::from_str(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn it_says_how_much_of_what_and_why_or_is_about_what_is_gone() {
        let name = BenchmarkName::new("kernel/a").unwrap();
        let size = read("metric = \"time\"\nallowed = \"5 %\"\nreason = \"safer\"\nuntil = \"rebased\"").unwrap();
        assert_eq!(size.allows(&name, "time").map(|limit| limit.to_string()), Some("5 %".to_owned()));
        assert_eq!((size.allows(&name, "bytes"), size.lets_go(&name)), (None, false));
        let gone = read("reason = \"split in two\"\nuntil = \"2026-12-31\"").unwrap();
        assert!(gone.lets_go(&name) && gone.allows(&name, "time").is_none());
        let lost = read("metric = \"bytes\"\ngone = true\nreason = \"x\"\nuntil = \"rebased\"").unwrap();
        assert!(lost.lets_metric_go(&name, "bytes") && !lost.lets_metric_go(&name, "time") && !lost.lets_go(&name));
        assert!(lost.to_string().starts_with("that bytes of kernel/* is gone"), "{lost}");
        for (text, expected) in [
            ("metric = \"time\"\nreason = \"x\"\nuntil = \"rebased\"", "allowed"),
            ("allowed = \"5 %\"\nreason = \"x\"\nuntil = \"rebased\"", "metric"),
            ("metric = \"time\"\ngone = true\nallowed = \"5 %\"\nreason = \"x\"\nuntil = \"rebased\"", "gone"),
            ("gone = true\nreason = \"x\"\nuntil = \"rebased\"", "metric"),
            ("reason = \" \"\nuntil = \"rebased\"", "reason"),
            ("reason = \"x\"", "until"),
            ("reason = \"x\"\nuntil = \"soon\"", "2026-12-31"),
            ("reason = \"x\"\nuntil = \"rebased\"\nallow = \"5 %\"", "allow"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn it_holds_through_its_last_day_or_until_base_is_another() {
        let here = CommitId::new("a".repeat(40)).unwrap();
        let elsewhere = CommitId::new("c".repeat(40)).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let dated = read("reason = \"x\"\nuntil = \"2026-12-31\"").unwrap();
        assert!(dated.holds(day("2026-12-31"), &elsewhere) && !dated.holds(day("2027-01-01"), &here));
        let rebased = read("reason = \"x\"\nuntil = \"rebased\"").unwrap();
        assert!(rebased.holds(day("2999-01-01"), &here) && !rebased.holds(day("2020-01-01"), &elsewhere));
    }
}
