//! pytest-benchmark's `--benchmark-json`: seconds, a value for each round unless it was saved without data.

use super::error::Flaw;
use super::fields::{as_text, fields};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::Sheet;
use super::units::seconds_since_1970;
use crate::domain::Metric;

const NS_PER_S: f64 = 1e9;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "pytest-benchmark",
    title: "pytest-benchmark (Python)",
    made_by: "pytest --benchmark-json FILE",
    carries: Carries {
        samples: Held::WhenAsked,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has("machine_info") && sniff.has("benchmarks/0/stats"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut reader = Reader::new(text);
    reader.map(|key, reader| {
        match key {
            "datetime" => sheet.origin.at_s = seconds_since_1970(&reader.text()?),
            "commit_info" if reader.next() == Next::Map => commit(reader, &mut sheet)?,
            "machine_info" if reader.next() == Next::Map => machine(reader, &mut sheet)?,
            "benchmarks" => reader.list(|_, reader| benchmark(reader, &mut sheet))?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.finish()?;
    Ok(sheet.finish())
}

fn commit(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    reader.map(|key, reader| {
        match key {
            "id" => sheet.origin.commit = reader.optional(Reader::text)?.map(Into::into),
            "dirty" if reader.next() == Next::Bool => {
                if reader.bool()? {
                    sheet.remark("the working tree had changes upon its commit when this was measured".to_owned());
                }
            }
            _ => reader.skip()?,
        }
        Ok(())
    })
}

fn machine(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    reader.map(|key, reader| {
        match key {
            "python_version" | "python_implementation" => {
                sheet.notes.insert(key.to_owned(), as_text(reader)?);
            }
            "cpu" if reader.next() == Next::Map => reader.map(|key, reader| {
                if matches!(key, "brand" | "brand_raw") && reader.next() == Next::Text {
                    sheet.notes.insert("cpu".to_owned(), reader.text()?.into_owned());
                    return Ok(());
                }
                reader.skip()
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })
}

fn benchmark(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let (mut name, mut full_name, mut stats) = (None, None, None);
    reader.map(|key, reader| {
        match key {
            "name" => name = Some(reader.text()?),
            "fullname" => full_name = reader.optional(Reader::text)?,
            "stats" => stats = Some(one_stats(reader)?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let name = full_name.or(name).ok_or_else(|| Flaw::new("expected the key \"fullname\""))?;
    let name = sheet.fresh_name(&name)?;
    let Stats { mut data, left_out, rounds, summary } = stats.ok_or_else(|| Flaw::new("expected the key \"stats\""))?;
    if !data.is_empty() && (left_out > 0 || rounds.is_some_and(|rounds| rounds > data.len() as u64)) {
        let of = rounds.map_or_else(String::new, |rounds| format!(" of {rounds}"));
        sheet.remark(format!("{:?}: the file holds {}{of} samples only", name.as_str(), data.len()));
    }
    if data.is_empty() {
        data.extend(summary);
    }
    for value in &mut data {
        *value *= NS_PER_S;
    }
    sheet.source_unit(&name, "time", "s");
    sheet.read(&name, Metric::time(), vec![data])
}

struct Stats {
    data: Vec<f64>,
    /// Entries of the data that are no numbers.
    left_out: usize,
    rounds: Option<u64>,
    summary: Option<f64>,
}

fn one_stats(reader: &mut Reader<'_>) -> Result<Stats, Flaw> {
    let (mut data, mut left_out) = (Vec::new(), 0);
    let numbers = fields(reader, |key, reader| {
        if key != "data" || reader.next() != Next::List {
            return Ok(false);
        }
        reader.list(|_, reader| {
            if reader.next() == Next::Number {
                data.push(reader.number()?);
                return Ok(());
            }
            left_out += 1;
            reader.skip()
        })?;
        Ok(true)
    })?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count; a wrong one is clamped")]
    let rounds = numbers.number("rounds").map(|rounds| rounds as u64);
    Ok(Stats { data, left_out, rounds, summary: numbers.first(&["median", "mean"]) })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn rounds_are_samples_and_a_file_without_data_has_its_median() {
        let json = br#"{"machine_info":{"node":"host","cpu":{"brand_raw":"Some CPU"}},
            "commit_info":{"id":"abc","dirty":false},"datetime":"1970-01-01T00:01:00.5",
            "benchmarks":[
              {"name":"test_a[1]","fullname":"b.py::test_a[1]","stats":{"median":9.0,"rounds":2,"data":[0.25,0.5]}},
              {"name":"test_b","fullname":"b.py::test_b","stats":{"median":2e-6,"mean":3.0}}]}"#;
        let parsed = parse(None, json).unwrap();
        let set = &parsed.sets[0];
        assert_eq!((set.origin.commit.as_deref(), set.origin.at_s), (Some("abc"), Some(60)));
        assert_eq!(set.notes.get("cpu").map(String::as_str), Some("Some CPU"));
        for (name, values) in [("b.py::test_a[1]", vec![25e7, 5e8]), ("b.py::test_b", vec![2000.0])] {
            let Outcome::Measured(measured) = &set.outcomes[name] else { panic!("measured") };
            assert_eq!(measured.readings[0].lives[0].values(), values);
        }
        assert!(parsed.remarks.is_empty());
    }
}
