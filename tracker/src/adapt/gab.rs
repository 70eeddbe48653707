//! github-action-benchmark's own formats: a list of `{name, unit, value, range?, extra?}`. The tool's name says which
//! way is good, not the file; so there are two formats of one shape, and the content alone cannot decide.

use super::error::Flaw;
use super::fields::as_text;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::sniff::Sniff;
use super::units::{nanoseconds_per, rate_or_unknown};
use crate::domain::{Direction, Kind, Metric};

/// The card of this format where more is better.
pub(super) static BIGGER: Format = Format {
    name: "gab-bigger",
    title: "github-action-benchmark, customBiggerIsBetter",
    made_by: "a program of yours",
    carries: CARRIES,
    takes: Takes::File(|text| read(text, Direction::Higher)),
    lossy: false,
    recognises,
};

/// The card of this format where less is better.
pub(super) static SMALLER: Format = Format {
    name: "gab-smaller",
    title: "github-action-benchmark, customSmallerIsBetter",
    made_by: "a program of yours",
    carries: CARRIES,
    takes: Takes::File(|text| read(text, Direction::Lower)),
    lossy: false,
    recognises,
};

const CARRIES: Carries =
    Carries { samples: Held::Never, lives: false, direction: Directions::Known, failures: false, history: false };

fn recognises(sniff: &Sniff<'_>) -> bool {
    sniff.has("0/name") && sniff.has("0/unit") && sniff.has("0/value")
}

fn read(text: &str, better: Direction) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut reader = Reader::new(text);
    reader.list(|_, reader| bench(reader, &mut sheet, |_| better))?;
    reader.finish()?;
    Ok(sheet.finish())
}

/// Reads one entry; `better` is asked for the direction of a unit.
pub(super) fn bench<F>(reader: &mut Reader<'_>, sheet: &mut Sheet, better: F) -> Result<(), Flaw>
where
    F: Fn(&str) -> Direction,
{
    let (mut name, mut unit, mut value, mut range, mut extra) = (None, None, None, None, None);
    reader.map(|key, reader| {
        match key {
            "name" => name = Some(reader.text()?),
            "unit" => unit = Some(reader.text()?),
            "value" => value = Some(number(reader)?),
            "range" if !reader.null() => range = Some(as_text(reader)?),
            "extra" if !reader.null() => extra = Some(as_text(reader)?),
            "range" | "extra" => {}
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let name = sheet.fresh_name(&name.ok_or_else(|| Flaw::new("expected the key \"name\""))?)?;
    let unit = unit.ok_or_else(|| Flaw::new("expected the key \"unit\""))?;
    let value = value.ok_or_else(|| Flaw::new("expected the key \"value\""))?;
    for (key, text) in [("range", range), ("extra", extra)] {
        if let Some(text) = text {
            sheet.note(&name, key, text);
        }
    }
    let (metric, factor) = metric_of(&unit, better(&unit));
    if metric == Metric::time() {
        sheet.source_unit(&name, "time", &unit);
    }
    sheet.value(&name, metric, value * factor)
}

/// A number, or a text that holds one.
fn number(reader: &mut Reader<'_>) -> Result<f64, Flaw> {
    if reader.next() != Next::Text {
        return reader.number();
    }
    let text = reader.text()?;
    text.trim().parse().map_err(|_| Flaw::new(format!("expected a number, found the text {text:?}")))
}

/// The metric of a value in this unit, and the factor to the metric's own unit.
fn metric_of(unit: &str, better: Direction) -> (Metric, f64) {
    let plain = ["/iter", "/op", "/iteration"].iter().find_map(|end| unit.strip_suffix(end)).unwrap_or(unit);
    match nanoseconds_per(plain) {
        Some(factor) if better != Direction::Higher => (Metric::time(), factor),
        _ if rate_or_unknown(unit) == Direction::Higher => (metric("throughput", unit, better, Kind::Noisy), 1.0),
        _ => (metric("value", unit, better, Kind::Noisy), 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AdaptError, Format, parse};
    use crate::domain::{Direction, Metric, Outcome};

    const SAMPLE: &[u8] = br#"[{"name":"a","unit":"ms","value":2.5,"range":"3","extra":"x\ny"},
        {"name":"b","unit":"req/s","value":"70"},{"name":"c","unit":"Megabytes","value":150,"range":7}]"#;

    #[test]
    fn the_content_does_not_tell_the_direction_so_the_reader_must() {
        let Err(AdaptError::Ambiguous { formats }) = parse(None, SAMPLE) else { panic!("ambiguous") };
        assert_eq!(formats, ["gab-bigger", "gab-smaller"]);
    }

    #[test]
    fn values_take_the_direction_of_the_format_and_times_become_nanoseconds() {
        let smaller = parse(Format::named("gab-smaller").unwrap(), SAMPLE).unwrap();
        let Outcome::Measured(a) = &smaller.sets[0].outcomes["a"] else { panic!("measured") };
        assert_eq!((&a.readings[0].metric, a.readings[0].lives[0].values()), (&Metric::time(), &[2.5e6][..]));
        assert_eq!(a.notes["time.unit"], "ms");
        let bigger = parse(Format::named("gab-bigger").unwrap(), SAMPLE).unwrap();
        for (name, metric, value) in [("b", "throughput", 70.0), ("c", "value", 150.0), ("a", "value", 2.5)] {
            let Outcome::Measured(measured) = &bigger.sets[0].outcomes[name] else { panic!("measured") };
            let reading = &measured.readings[0];
            assert_eq!((reading.metric.name.as_str(), reading.metric.better), (metric, Direction::Higher));
            assert_eq!(reading.lives[0].values(), [value]);
        }
    }
}
