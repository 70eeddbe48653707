//! criterion's console output: `name  time:   [low estimate high]`, the name on a line of its own when it is long.

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::text::without_escapes;
use super::units::{nanoseconds_per, number, plain_rate};
use crate::domain::{BenchmarkName, Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "criterion-text",
    title: "criterion (Rust), its console output",
    made_by: "cargo bench",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| sniff.text.lines().any(|line| estimate(&without_escapes(line), "time:").is_some()),
};

/// Low, estimate and high with their units.
type Estimate = [(f64, String); 3];

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut before = String::new();
    let mut current: Option<BenchmarkName> = None;
    for (index, line) in text.lines().enumerate() {
        let line = without_escapes(line);
        one_line(&line, &before, &mut current, &mut sheet).map_err(|flaw| flaw.on_line(index + 1))?;
        line.as_ref().clone_into(&mut before);
    }
    Ok(sheet.finish())
}

fn one_line(line: &str, before: &str, current: &mut Option<BenchmarkName>, sheet: &mut Sheet) -> Result<(), Flaw> {
    if let Some((name, [low, middle, high])) = estimate(line, "time:") {
        let name = if name.is_empty() { before.trim() } else { name };
        let name = sheet.fresh_name(name)?;
        sheet.source_unit(&name, "time", &middle.1);
        for (key, (value, unit)) in [("time.low_ns", &low), ("time.high_ns", &high)] {
            sheet.note(&name, key, (value * factor(unit)?).to_string());
        }
        sheet.value(&name, Metric::time(), middle.0 * factor(&middle.1)?)?;
        *current = Some(name);
    } else if let (Some(name), Some(("", [_, (value, unit), _]))) = (&current, estimate(line, "thrpt:")) {
        let (factor, unit) = plain_rate(&unit)
            .ok_or_else(|| Flaw::new(format!("expected a rate such as MiB/s or Kelem/s, found {unit:?}")))?;
        sheet.value(name, metric("throughput", &unit, Direction::Higher, Kind::Noisy), value * factor)?;
    }
    Ok(())
}

fn factor(unit: &str) -> Result<f64, Flaw> {
    nanoseconds_per(unit).ok_or_else(|| Flaw::new(format!("expected a unit of time, found {unit:?}")))
}

/// Splits `name  time:   [1.0 ns 1.1 ns 1.2 ns]`. The lines of a change look alike but are in percent.
fn estimate<'a>(line: &'a str, label: &str) -> Option<(&'a str, Estimate)> {
    let (before, list) = line.trim_end().strip_suffix(']')?.rsplit_once('[')?;
    let name = before.trim_end().strip_suffix(label)?;
    let words: Vec<&str> = list.split_whitespace().collect();
    let [low, low_unit, middle, unit, high, high_unit] = words[..] else { return None };
    let one = |value: &str, unit: &str| Some((number(value)?, unit.to_owned()));
    Some((name.trim(), [one(low, low_unit)?, one(middle, unit)?, one(high, high_unit)?]))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn short_and_long_names_rates_and_changes_are_told_apart() {
        let text = "Benchmarking a\nBenchmarking a: Warming up for 3.0000 s\ra                       time:   [1.0000 µs 1.2500 µs 1.5000 µs]\n\
            \x20                       thrpt:  [1.0 MiB/s 2.0 MiB/s 3.0 MiB/s]\n\
            \x20                change:\n                        time:   [-1.0% -0.5% +0.1%] (p = 0.2 > 0.05)\n\
            Found 2 outliers among 100 measurements (2.00%)\n\
            a group/with a very long name\n                        time:   [12.0 ns 13.5 ns 14.0 ns]\n\
            \x20                       change: [-1.0% -0.5% +0.1%] (p = 0.2 > 0.05)\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        assert_eq!(outcomes.len(), 2);
        let Outcome::Measured(a) = &outcomes["a"] else { panic!("measured") };
        assert_eq!(a.readings[0].lives[0].values(), [1250.0]);
        assert_eq!((a.readings[1].metric.unit.as_str(), a.readings[1].lives[0].values()), ("B/s", &[2_097_152.0][..]));
        assert_eq!(a.notes["time.high_ns"], "1500");
        let Outcome::Measured(long) = &outcomes["a group/with a very long name"] else { panic!("measured") };
        assert_eq!(long.readings[0].lives[0].values(), [13.5]);
    }
}
