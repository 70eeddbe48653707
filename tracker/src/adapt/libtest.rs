//! libtest's `cargo bench`: `test NAME ... bench: 1,234 ns/iter (+/- 56)`. The figure is a median; what follows `+/-`
//! is the distance from the least to the greatest.

use std::collections::BTreeMap;

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::text::without_escapes;
use super::units::{nanoseconds_per, number};
use crate::domain::{Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "libtest",
    title: "libtest (Rust), cargo bench",
    made_by: "cargo +nightly bench",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| {
        sniff.text.lines().any(|line| matches!(test(&without_escapes(line)), Some((_, Said::Bench(_)))))
    },
};

/// What a test's line says.
enum Said<'a> {
    Bench(&'a str),
    Failed,
}

fn test(line: &str) -> Option<(&str, Said<'_>)> {
    let (name, said) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let said = said.trim();
    match said.strip_prefix("bench:") {
        Some(figures) => Some((name.trim_end(), Said::Bench(figures))),
        None => (said == "FAILED").then_some((name.trim_end(), Said::Failed)),
    }
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let reports = reports(text);
    let mut sheet = Sheet::default();
    for (index, line) in text.lines().enumerate() {
        let line = without_escapes(line);
        let read = match test(&line) {
            None => Ok(()),
            Some((name, Said::Failed)) => sheet.fresh_name(name).map(|fresh| {
                let report = reports.get(name).map_or("", |report| report.as_str());
                sheet.fail(&fresh, format!("FAILED\n{report}"), None);
            }),
            Some((name, Said::Bench(figures))) => bench(name, figures, &mut sheet),
        };
        read.map_err(|flaw| flaw.on_line(index + 1))?;
    }
    Ok(sheet.finish())
}

/// What failed tests printed, by their names.
fn reports(text: &str) -> BTreeMap<&str, String> {
    let mut reports: BTreeMap<&str, String> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----")) {
            current = Some(name);
        } else if line.starts_with("failures:") || line.starts_with("test result:") {
            current = None;
        } else if let Some(name) = current {
            let report = reports.entry(name).or_default();
            if report.len() < super::limits::EXCERPT_BYTES {
                report.push_str(line);
                report.push('\n');
            }
        }
    }
    reports
}

/// `1,234.50 ns/iter (+/- 56) = 12 MB/s`. Harnesses with a clock of their own print this line too, with `cycles/iter`, or
/// a rate such as `MB/s`.
fn bench(name: &str, figures: &str, sheet: &mut Sheet) -> Result<(), Flaw> {
    let expected = || Flaw::new(format!("expected `1,234 ns/iter (+/- 56)`, found `{}`", figures.trim()));
    let mut words = figures.split_whitespace();
    let value = words.next().and_then(number).ok_or_else(expected)?;
    let unit = words.next().ok_or_else(expected)?;
    let (main, factor) = main_metric(unit).ok_or_else(expected)?;
    let name = sheet.fresh_name(name)?;
    if main == Metric::time() {
        sheet.source_unit(&name, "time", unit.trim_end_matches("/iter"));
    }
    let range_key = if main == Metric::time() { "time.range_ns".to_owned() } else { format!("{}.range", main.name) };
    sheet.value(&name, main, value * factor)?;
    if let Some((_, rest)) = figures.split_once("(+/- ") {
        let (range, rest) = rest.split_once(')').ok_or_else(expected)?;
        let range = number(range).ok_or_else(expected)?;
        sheet.note(&name, &range_key, (range * factor).to_string());
        if let Some(rate) = rest.trim().strip_prefix("= ") {
            let (value, unit) = rate.split_once(' ').ok_or_else(expected)?;
            let value = number(value).ok_or_else(expected)?;
            sheet.value(&name, metric("throughput", unit.trim(), Direction::Higher, Kind::Noisy), value)?;
        }
    }
    Ok(())
}

/// What a unit measures, and the factor to the metric's own unit.
fn main_metric(unit: &str) -> Option<(Metric, f64)> {
    let Some(cost) = unit.strip_suffix("/iter") else {
        let is_rate = unit.ends_with("/s");
        return is_rate.then(|| (metric("throughput", unit, Direction::Higher, Kind::Noisy), 1.0));
    };
    let counted = || (metric(cost, cost, Direction::Lower, Kind::Noisy), 1.0);
    match nanoseconds_per(cost) {
        Some(factor) => Some((Metric::time(), factor)),
        None => matches!(cost, "cycles" | "instructions" | "ticks").then(counted),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    #[test]
    fn commas_throughput_and_failures_are_read_and_ignored_tests_are_not() {
        let text = "running 4 tests\ntest a ... bench:       3,296 ns/iter (+/- 521)\ntest b::c ... ignored\n\
            test d ... bench:   1.25 us/iter (+/- 0.50) = 12 MB/s\ntest e ... FAILED\n\nfailures:\n\n\
            ---- e stdout ----\nthread 'main' panicked at 'no'\n\nfailures:\n    e\n\ntest result: FAILED.\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        assert_eq!(outcomes.len(), 3);
        let Outcome::Measured(a) = &outcomes["a"] else { panic!("measured") };
        assert_eq!((a.readings[0].lives[0].values(), a.notes["time.range_ns"].as_str()), (&[3296.0][..], "521"));
        let Outcome::Measured(d) = &outcomes["d"] else { panic!("measured") };
        assert_eq!((d.readings[0].lives[0].values(), d.readings[1].lives[0].values()), (&[1250.0][..], &[12.0][..]));
        let Outcome::Failed(e) = &outcomes["e"] else { panic!("failed") };
        assert_eq!(e.reason, "FAILED");
        assert!(e.stderr_tail.contains("panicked at 'no'"));
    }

    #[test]
    fn comma_decimals_are_refused_with_their_line() {
        let text = "test a ... bench: 1 ns/iter (+/- 0)\ntest b ... bench: 3,29 ns/iter (+/- 521)\n";
        let error = parse(None, text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("3,29"), "{error}");
    }

    #[test]
    fn cycles_and_rates_are_read_and_other_units_refused() {
        let text = "test a ... bench:        2835 cycles/iter (+/- 14)\n\ntest b ... bench:        1911 MS/s (+/- 420)";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let first = |name: &str| {
            let Outcome::Measured(measured) = &parsed.sets[0].outcomes[name] else { panic!("measured") };
            let reading = &measured.readings[0];
            (reading.metric.name.clone(), reading.metric.better, reading.lives[0].values()[0])
        };
        assert_eq!(first("a"), ("cycles".to_owned(), Direction::Lower, 2835.0));
        assert_eq!(first("b"), ("throughput".to_owned(), Direction::Higher, 1911.0));
        let error = parse(None, b"test a ... bench: 5 apples/iter (+/- 1)\n").unwrap_err().to_string();
        assert!(error.contains("apples/iter"), "{error}");
    }
}
