//! mitata's JSON: nanoseconds; a run for each combination of arguments. Names begin with their group, where it has one.

use super::error::Flaw;
use super::fields::{as_text, fields, numbers_only};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use crate::domain::{Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "mitata",
    title: "mitata (JavaScript)",
    made_by: "await run({ format: 'json' })",
    carries: Carries {
        samples: Held::WhenAsked,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has("layout") && sniff.has("benchmarks/0/runs"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut groups: Vec<Option<String>> = Vec::new();
    let mut benchmarks = None;
    let mut reader = Reader::new(text);
    reader.map(|key, reader| {
        match key {
            "layout" => reader.list(|_, reader| {
                let mut name = None;
                reader.map(|key, reader| {
                    match key {
                        "name" => name = reader.optional(Reader::text)?.map(Into::into),
                        _ => reader.skip()?,
                    }
                    Ok(())
                })?;
                groups.push(name);
                Ok(())
            })?,
            "benchmarks" => benchmarks = Some(reader.raw_reader()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.finish()?;
    let mut benchmarks = benchmarks.ok_or_else(|| Flaw::new("expected the key \"benchmarks\""))?;
    benchmarks.list(|_, reader| trial(reader, &groups, &mut sheet))?;
    Ok(sheet.finish())
}

fn trial(reader: &mut Reader<'_>, groups: &[Option<String>], sheet: &mut Sheet) -> Result<(), Flaw> {
    let (mut group, mut alias, mut runs) = (None, None, None);
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("group", Next::Number) => group = usize::try_from(reader.count()?).ok(),
            ("alias", Next::Text) => alias = Some(reader.text()?),
            ("runs", Next::List) => runs = Some(reader.raw_reader()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let prefix = group.and_then(|group| groups.get(group)?.as_deref());
    let Some(mut runs) = runs else { return Err(Flaw::new("expected the key \"runs\"")) };
    runs.list(|_, reader| run(reader, prefix, alias.as_deref(), sheet))
}

fn run(reader: &mut Reader<'_>, group: Option<&str>, alias: Option<&str>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let (mut name, mut error, mut numbers) = (None, None, None);
    let (mut samples, mut heap) = (Vec::new(), None);
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("name", Next::Text) => name = Some(reader.text()?.into_owned()),
            ("error", Next::Map) => {
                let mut message = String::new();
                reader.map(|key, reader| {
                    match key {
                        "message" => message = as_text(reader)?,
                        _ => reader.skip()?,
                    }
                    Ok(())
                })?;
                error = Some(message);
            }
            ("error", Next::Text) => error = Some(reader.text()?.into_owned()),
            ("stats", Next::Map) => {
                numbers = Some(fields(reader, |key, reader| {
                    match (key, reader.next()) {
                        ("samples", Next::List) => samples = reader.numbers()?,
                        ("heap", Next::Map) => heap = numbers_only(reader)?.number("avg"),
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?);
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let name = name.or_else(|| alias.map(str::to_owned)).ok_or_else(|| Flaw::new("expected the key \"name\""))?;
    let name = sheet.fresh_name(&group.map_or_else(|| name.clone(), |group| format!("{group}/{name}")))?;
    let Some(numbers) = numbers.filter(|_| error.is_none()) else {
        sheet.fail(&name, error.unwrap_or_else(|| "it has neither stats nor an error".to_owned()), None);
        return Ok(());
    };
    if samples.is_empty() {
        samples.extend(numbers.first(&["p50", "avg"]));
    }
    sheet.read(&name, Metric::time(), vec![samples])?;
    if let Some(bytes) = heap {
        sheet.value(&name, metric("heap_bytes", "B", Direction::Lower, Kind::Noisy), bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn groups_arguments_and_errors_are_told_apart() {
        let json = br#"{"layout":[{"name":null},{"name":"sort"}],"benchmarks":[
            {"alias":"map $n","group":1,"runs":[
              {"name":"map 1","stats":{"samples":[3,4],"p50":3.5,"heap":{"avg":64}}},{"name":"map 2","stats":{"samples":null,"p50":5}}]},
            {"alias":"throws","group":0,"runs":[{"name":"throws","error":{"message":"boom"}}]}],"context":{"noop":{}}}"#;
        let parsed = parse(None, json).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        for (name, values) in [("sort/map 1", vec![3.0, 4.0]), ("sort/map 2", vec![5.0])] {
            let Outcome::Measured(measured) = &outcomes[name] else { panic!("measured") };
            assert_eq!(measured.readings[0].lives[0].values(), values);
        }
        let Outcome::Failed(trouble) = &outcomes["throws"] else { panic!("failed") };
        assert_eq!(trouble.reason, "boom");
    }
}
