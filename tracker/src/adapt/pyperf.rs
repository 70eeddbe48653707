//! pyperf's JSON: a run for each process, its values in seconds (or bytes). Calibration runs have no values.

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::units::seconds_since_1970;
use crate::domain::{Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "pyperf",
    title: "pyperf (Python)",
    made_by: "python bench.py -o FILE",
    carries: Carries {
        samples: Held::Always,
        lives: true,
        direction: Directions::Partly,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has("benchmarks/0/runs/0/metadata") || sniff.has("benchmarks/0/runs/0/values"),
};

/// What is wanted of a block of metadata.
#[derive(Debug, Clone, Default)]
struct Metadata {
    name: Option<String>,
    unit: Option<String>,
    date_s: Option<i64>,
    facts: Vec<(String, String)>,
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut common = Metadata::default();
    let mut benchmarks = None;
    let mut reader = Reader::new(text);
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("metadata", Next::Map) => common = metadata(reader)?,
            ("benchmarks", Next::List) => benchmarks = Some(reader.raw_reader()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.finish()?;
    let mut benchmarks = benchmarks.ok_or_else(|| Flaw::new("expected the key \"benchmarks\""))?;
    benchmarks.list(|_, reader| benchmark(reader, &common, &mut sheet)).map_err(|flaw| flaw.below_key("benchmarks"))?;
    sheet.notes.extend(common.facts);
    Ok(sheet.finish())
}

fn metadata(reader: &mut Reader<'_>) -> Result<Metadata, Flaw> {
    let mut metadata = Metadata::default();
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("name", Next::Text) => metadata.name = Some(reader.text()?.into_owned()),
            ("unit", Next::Text) => metadata.unit = Some(reader.text()?.into_owned()),
            ("date", Next::Text) => metadata.date_s = seconds_since_1970(&reader.text()?),
            ("cpu_model_name" | "python_version" | "python_implementation" | "perf_version", Next::Text) => {
                metadata.facts.push((key.to_owned(), reader.text()?.into_owned()));
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(metadata)
}

fn benchmark(reader: &mut Reader<'_>, common: &Metadata, sheet: &mut Sheet) -> Result<(), Flaw> {
    let mut own = Metadata::default();
    let mut lives = Vec::new();
    let mut first_date = None;
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("metadata", Next::Map) => own = metadata(reader)?,
            ("runs", Next::List) => reader.list(|_, reader| {
                reader.map(|key, reader| {
                    match (key, reader.next()) {
                        ("values", Next::List) => lives.push(reader.numbers()?),
                        ("metadata", Next::Map) => {
                            let date_s = metadata(reader)?.date_s;
                            first_date = first_date.or(date_s);
                        }
                        _ => reader.skip()?,
                    }
                    Ok(())
                })
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let name = own.name.or_else(|| common.name.clone()).unwrap_or_else(|| "benchmark".to_owned());
    let name = sheet.fresh_name(&name)?;
    sheet.origin.at_s = sheet.origin.at_s.or(first_date).or(common.date_s);
    let unit = own.unit.or_else(|| common.unit.clone());
    let (metric, factor) = match unit.as_deref() {
        None | Some("second") => (Metric::time(), 1e9),
        Some("byte") => (metric("memory", "B", Direction::Lower, Kind::Noisy), 1.0),
        Some("integer") => (metric("value", "count", Direction::Unknown, Kind::Noisy), 1.0),
        Some(other) => return Err(Flaw::new(format!("expected the unit second, byte or integer, found {other:?}"))),
    };
    for value in lives.iter_mut().flatten() {
        *value *= factor;
    }
    if factor > 1.0 {
        sheet.source_unit(&name, "time", "s");
    }
    sheet.read(&name, metric, lives)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn processes_are_lives_and_calibration_is_none() {
        let json = br#"{"benchmarks":[{"runs":[{"metadata":{"date":"1970-01-01 00:00:05.1"},"warmups":[[1,2.0]]},
            {"values":[1e-6,2e-6]},{"values":[3e-6]}]}],"metadata":{"name":"sum","unit":"second","hostname":"h"},"version":"1.0"}"#;
        let parsed = parse(None, json).unwrap();
        assert_eq!(parsed.sets[0].origin.at_s, Some(5));
        let Outcome::Measured(sum) = &parsed.sets[0].outcomes["sum"] else { panic!("measured") };
        let lives: Vec<_> = sum.readings[0].lives.iter().map(|life| life.values().to_vec()).collect();
        assert_eq!(lives, [vec![1000.0, 2000.0], vec![3000.0]]);
    }
}
