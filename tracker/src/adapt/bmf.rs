//! Bencher Metric Format: benchmark, measure, value. Neither unit nor direction is in the file.

use super::error::Flaw;
use super::fields::numbers_only;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::Reader;
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use crate::domain::{Direction, Kind};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "bmf",
    title: "Bencher Metric Format",
    made_by: "bencher's adapters, or a program of yours",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Unknown,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has_number("*/*/value"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut reader = Reader::new(text);
    reader.map(|benchmark, reader| {
        let name = sheet.fresh_name(benchmark)?;
        reader.map(|measure, reader| {
            let fields = numbers_only(reader)?;
            let value = fields.number("value").ok_or_else(|| Flaw::new("expected the key \"value\" with a number"))?;
            for bound in ["lower_value", "upper_value"] {
                if let Some(bound_value) = fields.number(bound) {
                    sheet.note(&name, &format!("{measure}.{bound}"), bound_value.to_string());
                }
            }
            sheet.value(&name, metric(measure, "", Direction::Unknown, Kind::Noisy), value)
        })
    })?;
    reader.finish()?;
    Ok(sheet.finish())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    #[test]
    fn measures_are_metrics_of_unknown_direction() {
        let parsed = parse(None, br#"{"a":{"latency":{"value":5,"lower_value":4},"size":{"value":1e3}}}"#).unwrap();
        let Outcome::Measured(measured) = &parsed.sets[0].outcomes["a"] else { panic!("measured") };
        assert_eq!(measured.readings.len(), 2);
        assert!(measured.readings.iter().all(|reading| reading.metric.better == Direction::Unknown));
        assert_eq!(measured.notes["latency.lower_value"], "4");
    }
}
