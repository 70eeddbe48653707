//! The list of benchmarks, as a worker offers it.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::bounded::Bounded;
use super::reply::{LARGEST_VALUE, ReplyError, parse, quote};
use super::{MOST_BENCHMARKS, MOST_METRICS};
use crate::domain::{BenchmarkName, Direction, Metric};

/// The most cores that a benchmark may claim: more than any machine has, less than nonsense.
const MOST_CORES: u32 = 4096;

/// The longest name of a metric or unit, in bytes.
const LONGEST_WORD_BYTES: usize = 256;

/// A benchmark as the worker lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: BenchmarkName,
    /// Cores that it uses.
    pub cores: u32,
    /// The work in one iteration.
    pub throughput: Option<Throughput>,
    /// What it reports besides time.
    pub metrics: Vec<Metric>,
}

/// The work done in one iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct Throughput {
    /// How much.
    pub amount: f64,
    /// Of what: `elements`, `bytes`.
    pub unit: String,
}

#[derive(Deserialize)]
struct RawList {
    benchmarks: Bounded<RawBenchmark, MOST_BENCHMARKS>,
}

#[derive(Deserialize)]
struct RawBenchmark {
    name: BenchmarkName,
    #[serde(default = "one")]
    cores: u32,
    throughput: Option<RawThroughput>,
    #[serde(default)]
    metrics: Bounded<Metric, MOST_METRICS>,
}

fn one() -> u32 {
    1
}

#[derive(Deserialize)]
struct RawThroughput {
    amount: f64,
    unit: String,
}

/// Reads the reply to `list`.
pub fn parse_list(line: &[u8]) -> Result<Vec<Listed>, ReplyError> {
    let raw: RawList = parse("list", line)?;
    let wrong = |why: String| ReplyError::Malformed { request: "list", why, line: quote(line) };
    let mut names = BTreeSet::new();
    let mut benchmarks = Vec::with_capacity(raw.benchmarks.0.len());
    for benchmark in raw.benchmarks.0 {
        let name = quote(benchmark.name.as_str().as_bytes());
        let listed = listed(benchmark).map_err(|why| wrong(format!("benchmark \"{name}\" {why}")))?;
        if !names.insert(listed.name.clone()) {
            return Err(wrong(format!("benchmark \"{name}\" is listed twice")));
        }
        benchmarks.push(listed);
    }
    Ok(benchmarks)
}

/// A benchmark whose parts make sense, or why they do not.
fn listed(raw: RawBenchmark) -> Result<Listed, String> {
    if !(1..=MOST_CORES).contains(&raw.cores) {
        return Err(format!("says that it uses {} cores; from 1 to {MOST_CORES} make sense", raw.cores));
    }
    let throughput = match raw.throughput {
        Some(raw) if !(raw.amount > 0.0 && raw.amount <= LARGEST_VALUE) => {
            return Err(format!("declares a throughput of {}, which is no amount of work", raw.amount));
        }
        Some(raw) => {
            word("a throughput's unit", &raw.unit)?;
            Some(Throughput { amount: raw.amount, unit: raw.unit })
        }
        None => None,
    };
    let mut metrics: Vec<Metric> = Vec::with_capacity(raw.metrics.0.len());
    for metric in raw.metrics.0 {
        word("a metric's name", &metric.name)?;
        word("a metric's unit", metric.unit.as_str())?;
        if metric.better == Direction::Unknown {
            return Err(format!("must say of \"{}\" whether lower or higher is better", quote(metric.name.as_bytes())));
        }
        if metric.name == Metric::time().name {
            return Err("declares the metric `time`, which every benchmark has already".to_owned());
        }
        if metrics.iter().any(|other| other.name == metric.name) {
            return Err(format!("declares the metric \"{}\" twice", quote(metric.name.as_bytes())));
        }
        metrics.push(metric);
    }
    Ok(Listed { name: raw.name, cores: raw.cores, throughput, metrics })
}

/// Refuses a name or unit that could not stand in a table.
fn word(what: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() || text.len() > LONGEST_WORD_BYTES || text.contains('\0') {
        return Err(format!("has {what} that is empty, longer than {LONGEST_WORD_BYTES} bytes or holds a NUL"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, Unit};

    fn list(benchmarks: &str) -> Result<Vec<Listed>, ReplyError> {
        parse_list(format!(r#"{{"reply":"list","benchmarks":[{benchmarks}]}}"#).as_bytes())
    }

    #[test]
    fn what_a_benchmark_leaves_out_has_the_value_of_the_protocol_page() {
        let name = BenchmarkName::new("a").unwrap();
        assert_eq!(list(r#"{"name":"a"}"#).unwrap(), [Listed { name, cores: 1, throughput: None, metrics: vec![] }]);
    }

    #[test]
    fn all_that_a_benchmark_declares_is_read() {
        let read = list(
            r#"{"name":"a","cores":2,"throughput":{"amount":8,"unit":"bytes"},
                "metrics":[{"name":"m","unit":"u","better":"higher","kind":"noisy"}]}"#,
        );
        let metric =
            Metric { name: "m".to_owned(), unit: Unit::new("u"), better: Direction::Higher, kind: Kind::Noisy };
        let throughput = Some(Throughput { amount: 8.0, unit: "bytes".to_owned() });
        let name = BenchmarkName::new("a").unwrap();
        assert_eq!(read.unwrap(), [Listed { name, cores: 2, throughput, metrics: vec![metric] }]);
    }

    #[test]
    fn a_benchmark_that_makes_no_sense_is_refused_with_the_reason() {
        let metric = |text: &str| format!(r#"{{"name":"a","metrics":[{text}]}}"#);
        let cases = [
            (r#"{"name":"a"},{"name":"a"}"#.to_owned(), "benchmark \"a\" is listed twice"),
            (r#"{"name":" "}"#.to_owned(), "must not be empty"),
            (r#"{"cores":1}"#.to_owned(), "missing field `name`"),
            (r#"{"name":"a","cores":0}"#.to_owned(), "0 cores"),
            (r#"{"name":"a","cores":5000}"#.to_owned(), "5000 cores"),
            (r#"{"name":"a","throughput":{"amount":0,"unit":"b"}}"#.to_owned(), "throughput of 0"),
            (r#"{"name":"a","throughput":{"amount":-1,"unit":"b"}}"#.to_owned(), "throughput of -1"),
            (r#"{"name":"a","throughput":{"amount":1,"unit":""}}"#.to_owned(), "a throughput's unit"),
            (metric(r#"{"name":"","unit":"u","better":"lower","kind":"noisy"}"#), "a metric's name"),
            (metric(r#"{"name":"m","unit":" ","better":"lower","kind":"noisy"}"#), "a metric's unit"),
            (metric(r#"{"name":"m","unit":"u","better":"unknown","kind":"noisy"}"#), "lower or higher"),
            (metric(r#"{"name":"m","unit":"u","better":"up","kind":"noisy"}"#), "unknown variant `up`"),
            (metric(r#"{"name":"m","unit":"u","better":"lower"}"#), "missing field `kind`"),
            (metric(r#"{"name":"time","unit":"s","better":"lower","kind":"noisy"}"#), "the metric `time`"),
            (
                metric(&[r#"{"name":"m","unit":"u","better":"lower","kind":"noisy"}"#; 2].join(",")),
                "the metric \"m\" twice",
            ),
            (
                metric(&[r#"{"name":"m","unit":"u","better":"lower","kind":"noisy"}"#; 65].join(",")),
                "more than 64 items",
            ),
        ];
        for (benchmarks, reason) in cases {
            let message = list(&benchmarks).unwrap_err().to_string();
            assert!(message.contains(reason), "{benchmarks}: {message}");
        }
    }

    #[test]
    fn a_list_beyond_all_measure_is_refused() {
        let names: Vec<String> = (0..=MOST_BENCHMARKS).map(|index| format!(r#"{{"name":"b{index}"}}"#)).collect();
        assert_eq!(list(&names[1..].join(",")).unwrap().len(), MOST_BENCHMARKS);
        assert!(list(&names.join(",")).unwrap_err().to_string().contains("more than 100000 items"));
    }
}
