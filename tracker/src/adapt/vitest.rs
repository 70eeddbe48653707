//! vitest's `bench --outputJson`: milliseconds; samples are left out of the file unless they are asked for.

use super::error::Flaw;
use super::fields::fields;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::Sheet;
use crate::domain::Metric;

const NS_PER_MS: f64 = 1e6;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "vitest",
    title: "vitest bench (JavaScript)",
    made_by: "vitest bench --run --outputJson FILE",
    carries: Carries {
        samples: Held::WhenAsked,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has("files/0/groups"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut reader = Reader::new(text);
    reader.map(|key, reader| match key {
        "files" => reader.list(|_, reader| {
            reader.map(|key, reader| match key {
                "groups" => reader.list(|_, reader| group(reader, &mut sheet)),
                _ => reader.skip(),
            })
        }),
        _ => reader.skip(),
    })?;
    reader.finish()?;
    Ok(sheet.finish())
}

fn group(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let (mut full_name, mut benchmarks) = (None, None);
    reader.map(|key, reader| {
        match key {
            "fullName" => full_name = reader.optional(Reader::text)?,
            "benchmarks" => benchmarks = Some(reader.raw_reader()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let Some(mut benchmarks) = benchmarks else { return Ok(()) };
    benchmarks.list(|_, reader| benchmark(reader, full_name.as_deref(), sheet))
}

fn benchmark(reader: &mut Reader<'_>, group: Option<&str>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let (mut name, mut samples) = (None, Vec::new());
    let numbers = fields(reader, |key, reader| {
        match (key, reader.next()) {
            ("name", Next::Text) => name = Some(reader.text()?),
            ("samples", Next::List) => samples = reader.numbers()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let name = name.ok_or_else(|| Flaw::new("expected the key \"name\""))?;
    let name =
        sheet.fresh_name(&group.map_or_else(|| name.clone().into_owned(), |group| format!("{group} > {name}")))?;
    if samples.is_empty() {
        samples.extend(numbers.first(&["median", "mean"]));
    }
    if samples.is_empty() || numbers.number("sampleCount") == Some(0.0) {
        sheet.fail(&name, "it has no numbers: it threw or did not run", None);
        return Ok(());
    }
    for value in &mut samples {
        *value *= NS_PER_MS;
    }
    sheet.source_unit(&name, "time", "ms");
    sheet.read(&name, Metric::time(), vec![samples])
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn milliseconds_become_nanoseconds_and_what_threw_failed() {
        let json = br#"{"files":[{"filepath":"/home/me/x","groups":[{"fullName":"m.bench.ts > math","benchmarks":[
            {"name":"add","median":0.5,"mean":1,"samples":[]},{"name":"mul","median":0.5,"samples":[0.25,2]},
            {"name":"boom","rank":1}]}]}]}"#;
        let parsed = parse(None, json).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        for (name, values) in [("m.bench.ts > math > add", vec![5e5]), ("m.bench.ts > math > mul", vec![25e4, 2e6])] {
            let Outcome::Measured(measured) = &outcomes[name] else { panic!("measured") };
            assert_eq!(measured.readings[0].lives[0].values(), values);
        }
        assert!(matches!(&outcomes["m.bench.ts > math > boom"], Outcome::Failed(_)));
    }
}
