//! The limits that turn evidence into verdicts, and the budget for errors.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{BenchmarkName, Direction, Kind, Metric, Pattern};

/// What stands in a file where a text should: a number too, so that whoever writes one hears what to write instead.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text such as \"2 %\"")]
enum Written {
    Text(String),
    Number(f64),
}

impl Written {
    fn text(self) -> String {
        match self {
            Written::Text(text) => text,
            Written::Number(number) => number.to_string(),
        }
    }
}

/// Why a text is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a limit is a percentage from 0 to 1000, such as \"2 %\", not {0:?}")]
pub struct LimitError(String);

/// How much worse a metric may get before it counts, as a share: 0.02 for 2 %.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub struct Limit(f64);

impl Limit {
    /// Takes a percentage.
    pub fn percent(percent: f64) -> Result<Limit, LimitError> {
        if (0.0..=1000.0).contains(&percent) {
            Ok(Limit(percent / 100.0))
        } else {
            Err(LimitError(percent.to_string()))
        }
    }

    /// The limit of a metric that no entry of the policy names: 2 % for noisy ones, below which two builds of the same
    /// code often differ, and 0.5 % for exact ones.
    #[must_use]
    pub fn default_for(kind: Kind) -> Limit {
        Limit(match kind {
            Kind::Noisy => 0.02,
            Kind::Exact => 0.005,
        })
    }

    /// As a share: 0.02 for 2 %.
    #[must_use]
    pub fn share(self) -> f64 {
        self.0
    }

    /// As the logarithm of the ratio that it allows.
    #[must_use]
    pub fn log(self) -> f64 {
        self.0.ln_1p()
    }
}

impl FromStr for Limit {
    type Err = LimitError;
    fn from_str(text: &str) -> Result<Limit, LimitError> {
        let wrong = || LimitError(text.to_owned());
        let number = text.trim().strip_suffix('%').ok_or_else(wrong)?;
        number.trim().parse().map_err(|_| wrong()).and_then(|percent| Limit::percent(percent).map_err(|_| wrong()))
    }
}

impl TryFrom<Written> for Limit {
    type Error = LimitError;
    fn try_from(written: Written) -> Result<Limit, LimitError> {
        written.text().parse()
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> String {
        limit.to_string()
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Through twelve digits, so that 0.005 · 100 is 0.5 and not 0.5000000000000001.
        write!(f, "{} %", (self.0 * 1e12).round() / 1e10)
    }
}

/// Why a text is no error budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an error budget is \"1 in N\" with N from 2 to 1,000,000, such as \"1 in 1000\", not {0:?}")]
pub struct FalseRedsError(String);

/// The promise: at most one gate in so many is red although nothing got slower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub struct FalseReds(u32);

impl FalseReds {
    /// At most one false red in `gates` gates.
    pub fn one_in(gates: u32) -> Result<FalseReds, FalseRedsError> {
        let sane = (2..=1_000_000).contains(&gates);
        if sane { Ok(FalseReds(gates)) } else { Err(FalseRedsError(format!("1 in {gates}"))) }
    }

    /// As the probability a gate.
    #[must_use]
    pub fn probability(self) -> f64 {
        1.0 / f64::from(self.0)
    }
}

impl Default for FalseReds {
    /// One in a thousand: a team of ten that opens ten pull requests a day meets one in five months.
    fn default() -> FalseReds {
        FalseReds(1000)
    }
}

impl FromStr for FalseReds {
    type Err = FalseRedsError;
    fn from_str(text: &str) -> Result<FalseReds, FalseRedsError> {
        let wrong = || FalseRedsError(text.to_owned());
        let mut words = text.split_whitespace();
        let (Some("1"), Some("in"), Some(number), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        number
            .replace('_', "")
            .parse()
            .map_err(|_| wrong())
            .and_then(|gates| FalseReds::one_in(gates).map_err(|_| wrong()))
    }
}

impl TryFrom<Written> for FalseReds {
    type Error = FalseRedsError;
    fn try_from(written: Written) -> Result<FalseReds, FalseRedsError> {
        written.text().parse()
    }
}

impl From<FalseReds> for String {
    fn from(budget: FalseReds) -> String {
        budget.to_string()
    }
}

impl fmt::Display for FalseReds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1 in {}", self.0)
    }
}

/// One `[[policy]]` entry: which series it is about, and what it says of them. What it leaves out stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry {
    /// Benchmarks that it is about; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// The metric that it is about; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The kind of metrics that it is about; all if absent. Only for policies made by the program: no file says it.
    #[serde(skip)]
    pub kind: Option<Kind>,
    /// How much worse it may get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Whether a regression fails the gate; `false` only reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<bool>,
    /// Whether the luck of two builds widens the error; `false` takes the limit literally.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widen: Option<bool>,
}

impl PolicyEntry {
    /// Whether it speaks of this series.
    #[must_use]
    pub fn is_about(&self, benchmark: &BenchmarkName, metric: &Metric) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.matches(benchmark.as_str()))
            && self.metric.as_ref().is_none_or(|name| *name == metric.name)
            && self.kind.is_none_or(|kind| kind == metric.kind)
    }
}

/// What the policy says of one series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// How much worse it may get.
    pub limit: Limit,
    /// The entry, counted from 0, that set the limit; none for the default.
    pub limit_from: Option<usize>,
    /// Whether a regression fails the gate.
    pub gate: bool,
    /// Whether the luck of two builds widens the error.
    pub widen: bool,
}

/// What becomes of a gate in which nothing is red and something stays open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Undecided {
    /// It passes, and says so.
    #[default]
    Pass,
    /// It does not.
    Fail,
}

/// What the project wants of its gate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The error budget of a gate, over all its gated series together.
    pub false_reds: FalseReds,
    /// What becomes of a gate that could not decide everything.
    #[serde(default)]
    pub inconclusive: Undecided,
    /// What becomes of a gate whose suites are all so new that base has none of them.
    #[serde(default)]
    pub no_baseline: Undecided,
    /// The entries, the last one that speaks of a field decides it.
    pub entries: Vec<PolicyEntry>,
}

impl Policy {
    /// The terms of one series.
    #[must_use]
    pub fn terms(&self, benchmark: &BenchmarkName, metric: &Metric) -> Terms {
        let mut terms =
            Terms { limit: Limit::default_for(metric.kind), limit_from: None, gate: !metric.is_size(), widen: true };
        for (at, entry) in self.entries.iter().enumerate().filter(|(_, entry)| entry.is_about(benchmark, metric)) {
            if let Some(limit) = entry.limit {
                (terms.limit, terms.limit_from) = (limit, Some(at));
            }
            terms.gate = entry.gate.unwrap_or(terms.gate);
            terms.widen = entry.widen.unwrap_or(terms.widen);
        }
        // A metric of which nobody says which way is good is shown and never judged.
        terms.gate &= metric.better != Direction::Unknown;
        terms
    }

    /// How many of these series can make a gate red by chance: the gated noisy ones, over which the error budget is
    /// divided.
    #[must_use]
    pub fn gated_series<'a>(&self, series: impl IntoIterator<Item = (&'a BenchmarkName, &'a Metric)>) -> usize {
        let counts = |(benchmark, metric): &(&BenchmarkName, &Metric)| {
            metric.kind == Kind::Noisy && self.terms(benchmark, metric).gate
        };
        series.into_iter().filter(counts).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_percentage_and_says_so() {
        assert_eq!("2 %".parse(), Limit::percent(2.0));
        assert_eq!("0.5%".parse::<Limit>().unwrap().to_string(), "0.5 %");
        assert_eq!("7%".parse::<Limit>().unwrap().to_string(), "7 %");
        for wrong in ["0.02", "", "%", "-1 %", "NaN %", "inf %", "2 % 3", "5000 %"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
        let message = serde_json::from_str::<Limit>("0.02").unwrap_err().to_string();
        assert!(message.contains("such as \"2 %\", not \"0.02\""), "{message}");
    }

    #[test]
    fn an_error_budget_is_one_in_so_many() {
        assert_eq!("1 in 1000".parse(), FalseReds::one_in(1000));
        assert_eq!("1  in 10_000".parse::<FalseReds>().unwrap().to_string(), "1 in 10000");
        for wrong in ["1 in 1", "2 in 1000", "1/1000", "0.001", "1 in 1000 gates", "1 in -5", "1 in 99999999999"] {
            assert!(wrong.parse::<FalseReds>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_last_entry_that_speaks_of_a_field_decides_it() {
        let policy: Policy = toml::from_str(
            r#"
            false_reds = "1 in 100"
            [[entries]]
            limit = "3 %"
            [[entries]]
            pattern = "kernel/*"
            metric = "time"
            limit = "1 %"
            widen = false
            [[entries]]
            pattern = "kernel/slow"
            gate = false
            "#,
        )
        .unwrap();
        let terms = |name: &str| policy.terms(&BenchmarkName::new(name).unwrap(), &Metric::time());
        let from =
            |name: &str| (terms(name).limit.to_string(), terms(name).limit_from, terms(name).gate, terms(name).widen);
        assert_eq!(from("load"), ("3 %".to_owned(), Some(0), true, true));
        assert_eq!(from("kernel/slow"), ("1 %".to_owned(), Some(1), false, false));
    }

    #[test]
    fn the_size_of_the_program_is_gated_where_an_entry_says_so() {
        let name = BenchmarkName::new("program").unwrap();
        assert!(!Policy::default().terms(&name, &Metric::size()).gate);
        let entry = PolicyEntry { metric: Some("size".to_owned()), gate: Some(true), ..PolicyEntry::default() };
        assert!(Policy { entries: vec![entry], ..Policy::default() }.terms(&name, &Metric::size()).gate);
    }

    #[test]
    fn the_budget_is_divided_over_gated_noisy_series_of_known_direction() {
        let name = BenchmarkName::new("a").unwrap();
        let exact = Metric { kind: Kind::Exact, ..Metric::time() };
        let unknown = Metric { better: Direction::Unknown, ..Metric::time() };
        let series = [(&name, &Metric::time()), (&name, &exact), (&name, &unknown)];
        assert_eq!(Policy::default().gated_series(series), 1);
        let off = PolicyEntry { gate: Some(false), ..PolicyEntry::default() };
        assert_eq!(Policy { entries: vec![off], ..Policy::default() }.gated_series(series), 0);
    }

    #[test]
    fn without_entries_time_may_move_two_percent_and_exact_metrics_half() {
        let instructions = Metric { name: "instructions".to_owned(), kind: Kind::Exact, ..Metric::time() };
        let name = BenchmarkName::new("a").unwrap();
        assert_eq!(Policy::default().terms(&name, &Metric::time()).limit.to_string(), "2 %");
        assert_eq!(Policy::default().terms(&name, &instructions).limit.to_string(), "0.5 %");
    }
}
