//! BenchmarkTools.save (Julia): nested lists that begin with the name of their type; groups in groups, and in them
//! trials, with every time, or estimates, with one.

use super::error::Flaw;
use super::fields::fields;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use crate::domain::{Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "julia",
    title: "BenchmarkTools.jl (Julia)",
    made_by: "BenchmarkTools.save(\"FILE.json\", results)",
    carries: Carries {
        samples: Held::WhenAsked,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has("0/BenchmarkTools") || sniff.has("0/Julia"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut reader = Reader::new(text);
    reader.list(|index, reader| match (index, reader.next()) {
        (0, Next::Map) => reader.map(|key, reader| {
            let version = reader.text()?.into_owned();
            sheet.notes.insert(key.to_owned(), version);
            Ok(())
        }),
        (1, Next::List) => reader.list(|_, reader| tagged(reader, &mut Vec::new(), &mut sheet)),
        _ => reader.skip(),
    })?;
    reader.finish()?;
    Ok(sheet.finish())
}

/// A list of a type's name and its content.
fn tagged(reader: &mut Reader<'_>, path: &mut Vec<String>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let mut tag = String::new();
    reader.list(|index, reader| {
        match index {
            0 => tag = reader.text()?.into_owned(),
            1 => match tag.as_str() {
                "BenchmarkGroup" => group(reader, path, sheet)?,
                "Trial" | "TrialEstimate" => trial(reader, path, sheet)?,
                other => {
                    let what = format!("expected BenchmarkGroup, Trial or TrialEstimate, found {other:?}");
                    return Err(Flaw::new(what));
                }
            },
            _ => reader.skip()?,
        }
        Ok(())
    })
}

fn group(reader: &mut Reader<'_>, path: &mut Vec<String>, sheet: &mut Sheet) -> Result<(), Flaw> {
    reader.map(|key, reader| match key {
        "data" => reader.map(|key, reader| {
            // Texts as keys are quoted in some versions, since other values can be keys too.
            path.push(key.trim_matches('"').to_owned());
            tagged(reader, path, sheet)?;
            path.pop();
            Ok(())
        }),
        _ => reader.skip(),
    })
}

fn trial(reader: &mut Reader<'_>, path: &[String], sheet: &mut Sheet) -> Result<(), Flaw> {
    let mut times = Vec::new();
    let numbers = fields(reader, |key, reader| {
        let is_times = key == "times" && reader.next() == Next::List;
        if is_times {
            times = reader.numbers()?;
        }
        Ok(is_times)
    })?;
    let name = if path.is_empty() { "benchmark".to_owned() } else { path.join("/") };
    let name = sheet.fresh_name(&name)?;
    if times.is_empty() {
        times.extend(numbers.number("time"));
    }
    sheet.read(&name, Metric::time(), vec![times])?;
    for (key, known, unit) in [("memory", "allocated_bytes", "B"), ("allocs", "allocations", "count")] {
        if let Some(value) = numbers.number(key) {
            sheet.value(&name, metric(known, unit, Direction::Lower, Kind::Exact), value)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn groups_become_paths_and_trials_keep_their_times() {
        let json = br#"[{"Julia":"1.11","BenchmarkTools":"1.0.0"},[["BenchmarkGroup",{"tags":[],"data":{
            "\"fib\"":["BenchmarkGroup",{"data":{
               "20":["Trial",{"allocs":1,"memory":16,"times":[5.0,6.5],"gctimes":[0,0],"params":["Parameters",{"evals":3}]}],
               "10":["TrialEstimate",{"allocs":0,"memory":0,"time":2.5}]},"tags":["a"]}]}}]]]"#;
        let parsed = parse(None, json).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        for (name, values) in [("fib/20", vec![5.0, 6.5]), ("fib/10", vec![2.5])] {
            let Outcome::Measured(measured) = &outcomes[name] else { panic!("measured") };
            assert_eq!(measured.readings[0].lives[0].values(), values);
            assert_eq!(measured.readings.len(), 3);
        }
    }
}
