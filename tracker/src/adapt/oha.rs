//! oha's JSON: one load test, in seconds. A newer block `metrics` says some of it again in milliseconds and is left.

use super::error::Flaw;
use super::fields::{Fields, numbers_only};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric, time_named};
use crate::domain::{Direction, Kind, Metric};

const NS_PER_S: f64 = 1e9;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "oha",
    title: "oha",
    made_by: "oha --output-format json URL",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has("summary/requestsPerSec") && sniff.has("latencyPercentiles"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let (mut summary, mut latency, mut first_byte) = (Fields::default(), Fields::default(), Fields::default());
    let mut errors = Fields::default();
    let mut reader = Reader::new(text);
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("summary", Next::Map) => summary = numbers_only(reader)?,
            ("latencyPercentiles", Next::Map) => latency = numbers_only(reader)?,
            ("firstBytePercentiles", Next::Map) => first_byte = numbers_only(reader)?,
            ("errorDistribution", Next::Map) => errors = numbers_only(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.finish()?;
    let name = sheet.name("oha")?;
    for (error, count) in errors.iter() {
        sheet.note(&name, &format!("error.{error}"), count.to_string());
    }
    if summary.number("successRate") == Some(0.0) {
        sheet.fail(&name, "no request succeeded", None);
        return Ok(sheet.finish());
    }
    sheet.source_unit(&name, "time", "s");
    for (key, value) in latency.iter() {
        let metric = if key == "p50" { Metric::time() } else { time_named(key) };
        sheet.value(&name, metric, value * NS_PER_S)?;
    }
    for (key, value) in first_byte.iter() {
        sheet.value(&name, time_named(&format!("first_byte_{key}")), value * NS_PER_S)?;
    }
    for (key, metric, factor) in [
        ("average", time_named("average"), NS_PER_S),
        ("fastest", time_named("fastest"), NS_PER_S),
        ("slowest", time_named("slowest"), NS_PER_S),
        ("requestsPerSec", metric("throughput", "requests/s", Direction::Higher, Kind::Noisy), 1.0),
        ("sizePerSec", metric("bandwidth", "B/s", Direction::Higher, Kind::Noisy), 1.0),
        ("successRate", metric("success_rate", "1", Direction::Higher, Kind::Noisy), 1.0),
    ] {
        if let Some(value) = summary.number(key) {
            sheet.value(&name, metric, value * factor)?;
        }
    }
    Ok(sheet.finish())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    #[test]
    fn seconds_become_nanoseconds_and_rates_are_better_higher() {
        let json = br#"{"summary":{"successRate":1.0,"total":3,"average":0.25,"requestsPerSec":200,"stddev":null},
            "metrics":{"latency_ms":{"p50":9}},"latencyPercentiles":{"p50":0.5,"p99":1.5},"errorDistribution":{"x":1}}"#;
        let parsed = parse(None, json).unwrap();
        let Outcome::Measured(oha) = &parsed.sets[0].outcomes["oha"] else { panic!("measured") };
        let found: Vec<_> = oha
            .readings
            .iter()
            .map(|reading| (reading.metric.name.as_str(), reading.metric.better, reading.lives[0].values()[0]))
            .collect();
        let expected = [
            ("time", Direction::Lower, 5e8),
            ("p99", Direction::Lower, 1.5e9),
            ("average", Direction::Lower, 25e7),
            ("throughput", Direction::Higher, 200.0),
            ("success_rate", Direction::Higher, 1.0),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_test_in_which_nothing_succeeded_failed() {
        let json = br#"{"summary":{"successRate":0.0,"requestsPerSec":9000},"latencyPercentiles":{"p50":null}}"#;
        assert!(matches!(&parse(None, json).unwrap().sets[0].outcomes["oha"], Outcome::Failed(_)));
    }
}
