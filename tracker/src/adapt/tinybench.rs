//! tinybench's tasks, written with `JSON.stringify(bench.tasks)`: milliseconds, samples where they were retained.
//!
//! Throughput is the latency's reciprocal, sample by sample, and is not kept a second time.

use super::error::Flaw;
use super::fields::{Fields, as_text, fields};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::sheet::Sheet;
use crate::domain::{BenchmarkName, Metric};

const NS_PER_MS: f64 = 1e6;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "tinybench",
    title: "tinybench (JavaScript), its tasks",
    made_by: "JSON.stringify(bench.tasks.map(t => ({name: t.name, result: t.result})))",
    carries: Carries {
        samples: Held::WhenAsked,
        lives: false,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::List(task),
    lossy: false,
    recognises: |sniff| {
        sniff.has("0/name")
            && ["state", "latency", "error", "hz", "period"].iter().any(|key| sniff.has(&format!("0/result/{key}")))
    },
};

/// What became of a task.
#[derive(Default)]
struct Done {
    state: Option<String>,
    error: Option<String>,
    samples: Vec<f64>,
    numbers: Fields,
}

fn task(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<BenchmarkName, Flaw> {
    let (mut name, mut done) = (None, None);
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("name", _) => name = Some(reader.text()?),
            ("result", Next::Map) => done = Some(result(reader)?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let name = sheet.fresh_name(&name.ok_or_else(|| Flaw::new("expected the key \"name\""))?)?;
    let Some(Done { state, error, mut samples, numbers }) = done else {
        sheet.fail(&name, "it has no result: it did not run", None);
        return Ok(name);
    };
    match state.as_deref() {
        None | Some("completed" | "finished") if error.is_none() => {}
        None | Some("completed" | "finished" | "errored") => {
            sheet.fail(&name, error.unwrap_or_else(|| "errored".to_owned()), None);
            return Ok(name);
        }
        Some("aborted" | "aborted-with-statistics" | "not-started" | "started") => {
            sheet.fail(&name, format!("its state is {}", state.unwrap_or_default()), None);
            return Ok(name);
        }
        Some(other) => return Err(Flaw::new(format!("the state {other:?} of {:?} is not known", name.as_str()))),
    }
    if let Some(count) =
        numbers.number("samplesCount").filter(|count| !samples.is_empty() && *count > samples.len() as f64)
    {
        sheet.remark(format!("{:?}: the file holds {} of {count} samples only", name.as_str(), samples.len()));
    }
    if samples.is_empty() {
        samples.extend(numbers.first(&["p50", "median", "mean", "period"]));
    }
    for value in &mut samples {
        *value *= NS_PER_MS;
    }
    sheet.source_unit(&name, "time", "ms");
    sheet.read(&name, Metric::time(), vec![samples])?;
    Ok(name)
}

/// The result; before version 3 the latency's numbers stood in it directly.
fn result(reader: &mut Reader<'_>) -> Result<Done, Flaw> {
    let mut done = Done::default();
    let mut latency = None;
    let numbers = fields(reader, |key, reader| {
        match (key, reader.next()) {
            ("state", Next::Text) => done.state = Some(reader.text()?.into_owned()),
            ("error", Next::Map) => reader.map(|key, reader| {
                match key {
                    "message" => done.error = Some(as_text(reader)?),
                    _ => reader.skip()?,
                }
                Ok(())
            })?,
            ("error", Next::Text) => done.error = Some(reader.text()?.into_owned()),
            ("samples", Next::List) => done.samples = reader.numbers()?,
            ("latency", Next::Map) => {
                latency = Some(fields(reader, |key, reader| {
                    let is_samples = key == "samples" && reader.next() == Next::List;
                    if is_samples {
                        done.samples = reader.numbers()?;
                    }
                    Ok(is_samples)
                })?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if done.state.as_deref() == Some("errored") || done.error.is_some() {
        done.error.get_or_insert_with(|| "errored".to_owned());
    }
    done.numbers = latency.unwrap_or(numbers);
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::Outcome;

    #[test]
    fn samples_in_milliseconds_and_errors_are_read() {
        let json = br#"[{"name":"a","result":{"state":"completed","latency":{"p50":2,"samples":[0.5,1]},"throughput":{"samples":[7]}}},
            {"name":"b","result":{"state":"completed","latency":{"p50":2,"mean":3}}},
            {"name":"old","result":{"hz":5,"mean":4,"samples":[8]}},
            {"name":"bad","result":{"state":"errored","error":{"message":"x"}}}]"#;
        let parsed = parse(None, json).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        for (name, values) in [("a", vec![5e5, 1e6]), ("b", vec![2e6]), ("old", vec![8e6])] {
            let Outcome::Measured(measured) = &outcomes[name] else { panic!("measured") };
            assert_eq!(measured.readings[0].lives[0].values(), values);
        }
        let Outcome::Failed(trouble) = &outcomes["bad"] else { panic!("failed") };
        assert_eq!(trouble.reason, "x");
        let error = parse(None, br#"[{"name":"a","result":{"state":"odd"}}]"#).unwrap_err().to_string();
        assert!(error.contains("\"odd\" of \"a\" is not known"), "{error}");
    }
}
