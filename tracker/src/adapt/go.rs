//! `go test -bench`: a line a benchmark, `BenchmarkName-8  N  value unit  value unit …`, below `pkg:` and the like.
//!
//! A benchmark that appears again (`-count`) has further values. Names begin with their package, since each package has
//! names of its own. The suffix `-8` is GOMAXPROCS and leaves the name for a note where all of the file have the same.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::text::without_escapes;
use super::units::{nanoseconds_per, rate_or_unknown};
use crate::domain::{BenchmarkName, Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "go",
    title: "Go's testing package",
    made_by: "go test -bench . -benchmem -count 10",
    carries: Carries {
        samples: Held::WhenAsked,
        lives: false,
        direction: Directions::Partly,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| sniff.text.lines().any(|line| result(&without_escapes(line)).is_some()),
};

/// A line of results: the name, and the values with their units.
struct Line<'a> {
    name: &'a str,
    pairs: Vec<(f64, &'a str)>,
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let procs = procs(text);
    let mut page =
        Page { sheet: Sheet::default(), package: String::new(), procs, under_way: None, better: BTreeMap::new() };
    if let Some(procs) = procs {
        page.sheet.notes.insert("gomaxprocs".to_owned(), procs.to_string());
    }
    for (index, line) in text.lines().enumerate() {
        page.line(&without_escapes(line)).map_err(|flaw| flaw.on_line(index + 1))?;
    }
    page.broke_off("the output ends while it runs")?;
    Ok(page.sheet.finish())
}

/// The output as it is read.
struct Page {
    sheet: Sheet,
    package: String,
    procs: Option<u32>,
    /// The benchmark whose name was printed and whose result has not come yet.
    under_way: Option<String>,
    /// Directions stated by `Unit NAME better=higher` lines.
    better: BTreeMap<String, Direction>,
}

impl Page {
    fn line(&mut self, line: &str) -> Result<(), Flaw> {
        if let Some(line) = result(line) {
            let name = self.name(line.name)?;
            self.under_way = None;
            return self.results(&name, &line.pairs);
        }
        if let Some(name) = lone_name(line) {
            self.under_way = Some(name.to_owned());
        } else if let Some(name) = line.trim_start().strip_prefix("--- FAIL: Benchmark") {
            let name = name.split_whitespace().next().unwrap_or("");
            let name = self.name(&format!("Benchmark{name}"))?;
            self.under_way = None;
            self.sheet.fail(&name, "FAIL", None);
        } else if ["panic: ", "fatal error: ", "signal: ", "exit status "].iter().any(|sign| line.starts_with(sign)) {
            self.broke_off(line)?;
        } else if line == "PASS" || line.starts_with("ok  \t") {
            self.under_way = None;
        } else if let Some(unit) = line.strip_prefix("Unit ") {
            self.unit(unit);
        } else if let Some((key @ ("goos" | "goarch" | "cpu"), value)) = line.split_once(": ") {
            self.sheet.notes.insert(key.to_owned(), value.trim().to_owned());
        } else if let Some(package) = line.strip_prefix("pkg: ") {
            package.trim().clone_into(&mut self.package);
        } else if let Some((name, pairs)) = self.under_way.as_ref().zip(continued(line)) {
            let name = self.name(&name.clone())?;
            self.under_way = None;
            self.results(&name, &pairs)?;
        }
        Ok(())
    }

    /// Records the benchmark under way, if there is one, as failed.
    fn broke_off(&mut self, reason: &str) -> Result<(), Flaw> {
        if let Some(name) = self.under_way.take() {
            let name = self.name(&name)?;
            self.sheet.fail(&name, reason, None);
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<BenchmarkName, Flaw> {
        let (name, procs) = split_procs(name);
        let name = match procs {
            Some(procs) if self.procs != Some(procs) => format!("{name}-{procs}"),
            _ => name.to_owned(),
        };
        let package = &self.package;
        self.sheet.name(&if package.is_empty() { name } else { format!("{package}/{name}") })
    }

    fn unit(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let Some(unit) = words.next() else { return };
        for word in words {
            match word {
                "better=higher" => self.better.insert(unit.to_owned(), Direction::Higher),
                "better=lower" => self.better.insert(unit.to_owned(), Direction::Lower),
                _ => None,
            };
        }
    }

    fn results(&mut self, name: &BenchmarkName, pairs: &[(f64, &str)]) -> Result<(), Flaw> {
        for &(value, unit) in pairs {
            let (metric, factor) = match unit {
                "ns/op" => (Metric::time(), 1.0),
                "B/op" => (metric("allocated_bytes", "B", Direction::Lower, Kind::Exact), 1.0),
                "allocs/op" => (metric("allocations", "count", Direction::Lower, Kind::Exact), 1.0),
                "MB/s" => (metric("throughput", "MB/s", Direction::Higher, Kind::Noisy), 1.0),
                _ => self.custom(unit),
            };
            self.sheet.read(name, metric, vec![vec![value * factor]])?;
        }
        Ok(())
    }

    /// A metric of the user's own; its name is its unit. What is given in a unit of time is a time.
    fn custom(&self, unit: &str) -> (Metric, f64) {
        let better = self.better.get(unit).copied();
        let plain = unit.strip_suffix("/op").unwrap_or(unit);
        match nanoseconds_per(plain) {
            Some(factor) => (metric(unit, "ns", better.unwrap_or(Direction::Lower), Kind::Noisy), factor),
            None => (metric(unit, unit, better.unwrap_or_else(|| rate_or_unknown(unit)), Kind::Noisy), 1.0),
        }
    }
}

fn is_name(word: &str) -> bool {
    word.strip_prefix("Benchmark").is_some_and(|rest| !rest.starts_with(|c: char| c.is_lowercase()))
}

fn result(line: &str) -> Option<Line<'_>> {
    let (name, rest) = line.split_once([' ', '\t'])?;
    is_name(name).then_some(())?;
    Some(Line { name, pairs: continued(rest)? })
}

/// The part of a result line after the name: the number of iterations, then values with units.
fn continued(rest: &str) -> Option<Vec<(f64, &str)>> {
    let mut words = rest.split_whitespace();
    words.next()?.parse::<u64>().ok()?;
    let mut pairs = Vec::new();
    while let (Some(value), Some(unit)) = (words.next(), words.next()) {
        pairs.push((value.parse().ok()?, unit));
    }
    (!pairs.is_empty()).then_some(pairs)
}

/// A name that stands alone: its benchmark is running, and something else was printed in between.
fn lone_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let is_alone =
        line.starts_with(name) && is_name(name) && words.next().is_none_or(|word| word.parse::<f64>().is_err());
    is_alone.then_some(name)
}

fn split_procs(name: &str) -> (&str, Option<u32>) {
    match name.rsplit_once('-') {
        Some((rest, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
            Ok(procs) if procs > 0 => (rest, Some(procs)),
            _ => (name, None),
        },
        _ => (name, None),
    }
}

/// The value of GOMAXPROCS, where one suffix is all there is and no name is there with it and without.
fn procs(text: &str) -> Option<u32> {
    let mut suffixes = BTreeSet::new();
    let mut forms: BTreeSet<(String, &str, Option<u32>)> = BTreeSet::new();
    let mut package = "";
    for line in text.lines() {
        package = line.strip_prefix("pkg: ").unwrap_or(package);
        if let Some(line) = result(&without_escapes(line)) {
            let (name, procs) = split_procs(line.name);
            suffixes.extend(procs);
            forms.insert((name.to_owned(), package, procs));
        }
    }
    let only = suffixes.pop_first().filter(|_| suffixes.is_empty())?;
    let both =
        forms.iter().any(|(name, package, procs)| procs.is_some() && forms.contains(&(name.clone(), package, None)));
    (!both).then_some(only)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::domain::Outcome;

    #[test]
    fn names_printed_alone_are_no_benchmarks() {
        let verbose = "BenchmarkFib\nBenchmarkFib/10\nBenchmarkFib/10-8 \t 3 \t 5 ns/op\nPASS\n";
        assert_eq!(names(verbose), ["BenchmarkFib/10"]);
    }

    fn names(text: &str) -> Vec<String> {
        let parsed = parse(None, text.as_bytes()).unwrap();
        parsed.sets[0].outcomes.keys().map(|name| name.as_str().to_owned()).collect()
    }

    const SAMPLE: &str = "goos: linux\ngoarch: amd64\npkg: example.org/a\ncpu: Some CPU @ 2.0GHz\n\
        Unit hits better=higher\n\
        BenchmarkSum-8   \t 100\t 12.5 ns/op\t 64 B/op\t 2 allocs/op\t 3 hits\t 4 odd\n\
        BenchmarkSum-8   \t 100\t 13.5 ns/op\t 64 B/op\t 2 allocs/op\t 5 hits\t 4 odd\n\
        BenchmarkCopy/16-8 \t 7\t 0.5 ns/op\t 800.25 MB/s\n\
        PASS\nok  \texample.org/a\t1.2s\npkg: example.org/b\nBenchmarkSum-8 1 1 ns/op\n";

    #[test]
    fn repetitions_units_and_packages_are_read() {
        let parsed = parse(None, SAMPLE.as_bytes()).unwrap();
        assert_eq!(
            names(SAMPLE),
            ["example.org/a/BenchmarkCopy/16", "example.org/a/BenchmarkSum", "example.org/b/BenchmarkSum"]
        );
        assert_eq!(parsed.sets[0].notes["gomaxprocs"], "8");
        let Outcome::Measured(sum) = &parsed.sets[0].outcomes["example.org/a/BenchmarkSum"] else { panic!("measured") };
        let found: Vec<_> = sum
            .readings
            .iter()
            .map(|reading| (reading.metric.name.as_str(), reading.metric.better, reading.lives[0].values().to_vec()))
            .collect();
        assert_eq!(
            found,
            [
                ("time", Direction::Lower, vec![12.5, 13.5]),
                ("allocated_bytes", Direction::Lower, vec![64.0, 64.0]),
                ("allocations", Direction::Lower, vec![2.0, 2.0]),
                ("hits", Direction::Higher, vec![3.0, 5.0]),
                ("odd", Direction::Unknown, vec![4.0, 4.0]),
            ]
        );
        let Outcome::Measured(copy) = &parsed.sets[0].outcomes["example.org/a/BenchmarkCopy/16"] else {
            panic!("measured")
        };
        assert_eq!(copy.readings[1].metric.better, Direction::Higher);
    }

    #[test]
    fn a_suffix_that_tells_benchmarks_apart_stays() {
        assert_eq!(names("BenchmarkA 1 1 ns/op\nBenchmarkA-2 1 1 ns/op\n"), ["BenchmarkA", "BenchmarkA-2"]);
        assert_eq!(names("BenchmarkA-2 1 1 ns/op\nBenchmarkB-4 1 1 ns/op\n"), ["BenchmarkA-2", "BenchmarkB-4"]);
    }

    #[test]
    fn failures_and_interrupted_lines_are_kept() {
        let text = "BenchmarkA-2   \tlog from inside\n   100\t 12 ns/op\nBenchmarkB-2 1 1 ns/op\n--- FAIL: BenchmarkC-2\n\
            \x20   c_test.go:5: wrong\nBenchmarkE-2  \npanic: runtime error: index out of range\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        assert!(matches!(&outcomes["BenchmarkA"], Outcome::Measured(_)));
        assert!(matches!(&outcomes["BenchmarkC"], Outcome::Failed(_)));
        let Outcome::Failed(trouble) = &outcomes["BenchmarkE"] else { panic!("failed") };
        assert_eq!(trouble.reason, "panic: runtime error: index out of range");
        let Outcome::Failed(trouble) =
            &parse(None, b"BenchmarkA 1 1 ns/op\nBenchmarkB  ").unwrap().sets[0].outcomes["BenchmarkB"]
        else {
            panic!("failed")
        };
        assert_eq!(trouble.reason, "the output ends while it runs");
    }
}
