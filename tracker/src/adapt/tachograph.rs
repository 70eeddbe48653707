//! Our own format, for commands that write their results for us. One JSON object:
//!
//! ```json
//! {"tachograph": 1,
//!  "notes": {"compiler": "gcc 14.2"},
//!  "benchmarks": [
//!    {"name": "sum/1000", "cores": 1,
//!     "metrics": [
//!       {"name": "time", "unit": "us", "lives": [[1.21, 1.19], [1.30, 1.28]]},
//!       {"name": "allocations", "unit": "count", "better": "lower", "kind": "exact", "values": [3]}]},
//!    {"name": "sum/0", "failed": "answered 1, expected 0"}]}
//! ```
//!
//! `tachograph` is the version, 1. A benchmark has `metrics` or `failed`; `cores` is 1 if absent. A metric has `lives`,
//! a list for each process that measured, or `values`, short for one process. `better` is `lower`, `higher` or
//! `unknown`, `kind` is `noisy` (if absent) or `exact`. The metric `time` is better lower and takes any unit of time;
//! it is kept in nanoseconds. `commit`, `date` (RFC 3339) and `machine` at the top say where the results come from,
//! where the command line does not. Unknown fields are ignored, unknown words refused.

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::Reader;
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::units::{nanoseconds_per, seconds_since_1970};
use crate::domain::{Direction, Kind, Metric, Notes};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "tachograph",
    title: "Tachograph's own JSON",
    made_by: "your own program, as described below",
    carries: Carries {
        samples: Held::Always,
        lives: true,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has_number("tachograph"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut version = None;
    let mut benchmarks = None;
    let mut reader = Reader::new(text);
    reader.map(|key, reader| {
        match key {
            "tachograph" => version = Some(checked_version(reader)?),
            "commit" => sheet.origin.commit = reader.optional(Reader::text)?.map(Into::into),
            "machine" => sheet.origin.machine = reader.optional(Reader::text)?.map(Into::into),
            "date" => sheet.origin.at_s = reader.optional(date)?,
            "notes" => sheet.notes = notes(reader)?,
            "benchmarks" => benchmarks = Some(reader.list(|_, reader| benchmark(reader, &mut sheet))?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.finish()?;
    version.ok_or_else(|| Flaw::new("expected the version, \"tachograph\": 1"))?;
    benchmarks.ok_or_else(|| Flaw::new("expected the key \"benchmarks\""))?;
    Ok(sheet.finish())
}

fn checked_version(reader: &mut Reader<'_>) -> Result<(), Flaw> {
    match reader.count()? {
        1 => Ok(()),
        other => Err(Flaw::new(format!("version {other} of this format is not known; 1 is"))),
    }
}

fn date(reader: &mut Reader<'_>) -> Result<i64, Flaw> {
    let text = reader.text()?;
    seconds_since_1970(&text)
        .ok_or_else(|| Flaw::new(format!("expected a date such as 2026-01-31T12:00:00Z, found {text:?}")))
}

fn notes(reader: &mut Reader<'_>) -> Result<Notes, Flaw> {
    let mut notes = Notes::new();
    reader.map(|key, reader| {
        notes.insert(key.to_owned(), reader.text()?.into_owned());
        Ok(())
    })?;
    Ok(notes)
}

fn benchmark(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let mut name = None;
    let mut cores = 1;
    let mut facts = Notes::new();
    let mut failed = None;
    let mut metrics = None;
    reader.map(|key, reader| {
        match key {
            "name" => name = Some(reader.text()?),
            "cores" => cores = u32::try_from(reader.count()?).unwrap_or(u32::MAX),
            "notes" => facts = notes(reader)?,
            "failed" => failed = reader.optional(Reader::text)?,
            "metrics" => {
                let mut list = Vec::new();
                reader.list(|_, reader| {
                    list.push(one_metric(reader)?);
                    Ok(())
                })?;
                metrics = Some(list);
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let name = sheet.fresh_name(&name.ok_or_else(|| Flaw::new("expected the key \"name\""))?)?;
    sheet.cores(&name, cores.max(1));
    for (key, value) in facts {
        sheet.note(&name, &key, value);
    }
    match (failed, metrics) {
        (Some(reason), _) => sheet.fail(&name, reason, None),
        (None, Some(metrics)) => {
            for RawMetric { metric, source_unit, lives } in metrics {
                sheet.source_unit(&name, &metric.name, &source_unit);
                sheet.read(&name, metric, lives)?;
            }
        }
        (None, None) => return Err(Flaw::new("expected the key \"metrics\" or the key \"failed\"")),
    }
    Ok(())
}

struct RawMetric {
    metric: Metric,
    source_unit: String,
    lives: Vec<Vec<f64>>,
}

fn one_metric(reader: &mut Reader<'_>) -> Result<RawMetric, Flaw> {
    let (mut name, mut unit, mut better, mut kind) = (None, None, None, None);
    let mut lives: Option<Vec<Vec<f64>>> = None;
    reader.map(|key, reader| {
        match key {
            "name" => name = Some(reader.text()?.into_owned()),
            "unit" => unit = Some(reader.text()?.into_owned()),
            "better" => better = Some(direction(&reader.text()?)?),
            "kind" => kind = Some(repeats(&reader.text()?)?),
            "values" => lives = Some(vec![reader.numbers()?]),
            "lives" => {
                let mut list = Vec::new();
                reader.list(|_, reader| {
                    list.push(reader.numbers()?);
                    Ok(())
                })?;
                lives = Some(list);
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let name = name.filter(|name| !name.trim().is_empty()).ok_or_else(|| Flaw::new("expected the key \"name\""))?;
    let mut lives = lives.ok_or_else(|| Flaw::new("expected the key \"lives\" or the key \"values\""))?;
    if name == "time" {
        let source_unit = unit.unwrap_or_else(|| "ns".to_owned());
        let factor = nanoseconds_per(&source_unit).ok_or_else(|| {
            Flaw::new(format!("expected a unit of time such as ns, us, ms or s, found {source_unit:?}"))
        })?;
        for value in lives.iter_mut().flatten() {
            *value *= factor;
        }
        if better.is_some_and(|better| better != Direction::Lower) {
            return Err(Flaw::new("the metric \"time\" is better lower; give another meaning another name"));
        }
        let metric = Metric { kind: kind.unwrap_or(Kind::Noisy), ..Metric::time() };
        return Ok(RawMetric { metric, source_unit, lives });
    }
    let better =
        better.ok_or_else(|| Flaw::new("expected the key \"better\": \"lower\", \"higher\" or \"unknown\""))?;
    let unit = unit.ok_or_else(|| Flaw::new("expected the key \"unit\""))?;
    let metric = metric(&name, &unit, better, kind.unwrap_or(Kind::Noisy));
    Ok(RawMetric { metric, source_unit: "ns".to_owned(), lives })
}

fn direction(word: &str) -> Result<Direction, Flaw> {
    match word {
        "lower" => Ok(Direction::Lower),
        "higher" => Ok(Direction::Higher),
        "unknown" => Ok(Direction::Unknown),
        other => Err(Flaw::new(format!("expected \"lower\", \"higher\" or \"unknown\", found {other:?}"))),
    }
}

fn repeats(word: &str) -> Result<Kind, Flaw> {
    match word {
        "noisy" => Ok(Kind::Noisy),
        "exact" => Ok(Kind::Exact),
        other => Err(Flaw::new(format!("expected \"noisy\" or \"exact\", found {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::domain::Outcome;

    const SAMPLE: &str = r#"{"tachograph": 1, "notes": {"compiler": "gcc"}, "commit": "abc", "date": "1970-01-01T01:00:00+01:00",
        "benchmarks": [
          {"name": "sum/1000", "cores": 2, "extra": [{}], "metrics": [
             {"name": "time", "unit": "us", "lives": [[1.25, 1.5], [2]]},
             {"name": "allocations", "unit": "count", "better": "lower", "kind": "exact", "values": [3]}]},
          {"name": "sum/0", "failed": "answered 1, expected 0"}]}"#;

    #[test]
    fn lives_units_directions_and_failures_are_read() {
        let parsed = parse(None, SAMPLE.as_bytes()).unwrap();
        let set = &parsed.sets[0];
        assert_eq!(set.origin.commit.as_deref(), Some("abc"));
        assert_eq!(set.origin.at_s, Some(0));
        let Outcome::Measured(measured) = &set.outcomes["sum/1000"] else { panic!("measured") };
        assert_eq!(measured.cores, 2);
        assert_eq!(measured.notes["time.unit"], "us");
        let lives: Vec<_> = measured.readings[0].lives.iter().map(|life| life.values().to_vec()).collect();
        assert_eq!(lives, [vec![1250.0, 1500.0], vec![2000.0]]);
        assert_eq!(measured.readings[1].metric, metric("allocations", "count", Direction::Lower, Kind::Exact));
        let Outcome::Failed(trouble) = &set.outcomes["sum/0"] else { panic!("failed") };
        assert_eq!(trouble.reason, "answered 1, expected 0");
    }

    #[test]
    fn every_refusal_says_where_and_what() {
        let with =
            |metric: &str| format!("{{\"tachograph\":1,\"benchmarks\":[{{\"name\":\"a\",\"metrics\":[{metric}]}}]}}");
        let cases = [
            ("{\"benchmarks\":[]}".to_owned(), "\"tachograph\": 1"),
            ("{\"tachograph\":2}".to_owned(), "version 2"),
            ("{\"tachograph\":1}".to_owned(), "\"benchmarks\""),
            (
                with("{\"name\":\"size\",\"unit\":\"B\",\"values\":[1]}"),
                "benchmarks[0].metrics[0]: expected the key \"better\"",
            ),
            (with("{\"name\":\"time\",\"unit\":\"parsec\",\"values\":[1]}"), "a unit of time"),
            (with("{\"name\":\"x\",\"better\":\"up\"}"), "metrics[0].better: expected \"lower\""),
            (with("{\"name\":\"x\",\"name\":\"y\"}"), "\"name\" stands here a second time"),
            (with("{\"name\":\"time\",\"values\":[1,"), "found `]`"),
        ];
        for (text, said) in cases {
            let format = Format::named("tachograph").unwrap();
            let error = parse(format, text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
