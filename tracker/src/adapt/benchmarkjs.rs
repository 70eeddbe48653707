//! benchmark.js: `name x 1,234 ops/sec ±0.50% (90 runs sampled)`; more is better. A name may hold ` x ` itself.

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::text::without_escapes;
use super::units::number;
use crate::domain::{Direction, Kind};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "benchmarkjs",
    title: "benchmark.js (JavaScript)",
    made_by: "suite.on('cycle', e => console.log(String(e.target)))",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| sniff.text.lines().any(|line| cycle(&without_escapes(line)).is_some()),
};

/// A finished cycle: its name, its rate as text, and what follows.
fn cycle(line: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = line.split_once(" ops/sec ")?;
    let (name, rate) = before.rsplit_once(" x ")?;
    let is_cycle = after.contains("sampled)") && rate.starts_with(|c: char| c.is_ascii_digit() || "NI".contains(c));
    is_cycle.then_some((name.trim(), rate.trim(), after))
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    for (index, line) in text.lines().enumerate() {
        let line = without_escapes(line);
        let on_line = |flaw: Flaw| flaw.on_line(index + 1);
        if let Some((name, rate, spread)) = cycle(&line) {
            let value = number(rate).ok_or_else(|| on_line(Flaw::new(format!("expected a rate, found {rate:?}"))))?;
            let name = sheet.fresh_name(name).map_err(on_line)?;
            sheet.note(&name, "spread", spread);
            let rate = metric("throughput", "ops/s", Direction::Higher, Kind::Noisy);
            sheet.value(&name, rate, value).map_err(on_line)?;
        } else if let Some((name, reason)) = line.split_once(": ").filter(|(_, reason)| is_error(reason)) {
            let name = sheet.fresh_name(name.trim()).map_err(on_line)?;
            sheet.fail(&name, reason, None);
        } else if let Some(name) = line.strip_suffix(": ").filter(|name| !name.is_empty() && !name.starts_with(' ')) {
            // Errors have no properties that it could print, so mostly nothing stands behind the colon.
            let name = sheet.fresh_name(name).map_err(on_line)?;
            sheet.fail(&name, "it threw", None);
        }
    }
    Ok(sheet.finish())
}

/// A benchmark that threw is printed as `name: TypeError: reason`.
fn is_error(reason: &str) -> bool {
    let Some((kind, _)) = reason.split_once(": ") else { return reason == "Error" };
    kind.ends_with("Error") && kind.chars().all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    #[test]
    fn names_with_an_x_and_errors_are_read() {
        let text = "fib(10) x 1,431,759 ops/sec ±0.74% (93 runs sampled)\nwith x 2 things x 50.5 ops/sec ±0.10% (1 run sampled)\n\
            this x line is none\nboom: TypeError: no\n";
        let parsed = parse(None, text.as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        assert_eq!(outcomes.len(), 3);
        for (name, value) in [("fib(10)", 1_431_759.0), ("with x 2 things", 50.5)] {
            let Outcome::Measured(measured) = &outcomes[name] else { panic!("measured") };
            assert_eq!(measured.readings[0].lives[0].values(), [value]);
            assert_eq!(measured.readings[0].metric.better, Direction::Higher);
        }
        assert!(matches!(&outcomes["boom"], Outcome::Failed(_)));
    }

    #[test]
    fn an_error_without_a_text_is_a_failure_too() {
        let parsed = parse(None, "a x b x 9 ops/sec ±1% (3 runs sampled)\nbad: \nFastest is: a\n".as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        assert_eq!(outcomes.len(), 2);
        assert!(matches!(&outcomes["bad"], Outcome::Failed(trouble) if trouble.reason == "it threw"));
    }
}
