//! BenchmarkDotNet's full JSON: nanoseconds; every measured iteration with the process (launch) that it came from.

use std::collections::BTreeMap;

use super::error::Flaw;
use super::fields::{fields, numbers_only};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use crate::domain::{Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "benchmarkdotnet",
    title: "BenchmarkDotNet (C#), full JSON",
    made_by: "dotnet run -c Release -- --exporters fulljson",
    carries: Carries {
        samples: Held::Always,
        lives: true,
        direction: Directions::Known,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has("HostEnvironmentInfo") && sniff.has("Benchmarks"),
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut reader = Reader::new(text);
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("HostEnvironmentInfo", Next::Map) => host(reader, &mut sheet)?,
            ("Benchmarks", Next::List) => reader.list(|_, reader| benchmark(reader, &mut sheet))?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.finish()?;
    Ok(sheet.finish())
}

fn host(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("BenchmarkDotNetVersion" | "RuntimeVersion" | "Architecture" | "ProcessorName", Next::Text) => {
                sheet.notes.insert(key.to_owned(), reader.text()?.into_owned());
            }
            _ => reader.skip()?,
        }
        Ok(())
    })
}

#[derive(Default)]
struct Names {
    full: Option<String>,
    namespace: Option<String>,
    class: Option<String>,
    method: Option<String>,
    parameters: Option<String>,
}

impl Names {
    fn joined(self) -> Option<String> {
        if let Some(full) = self.full {
            return Some(full);
        }
        let parts: Vec<String> = [self.namespace, self.class, self.method].into_iter().flatten().collect();
        let parameters = self.parameters.filter(|parameters| !parameters.is_empty());
        let parameters = parameters.map_or_else(String::new, |parameters| format!("({parameters})"));
        (!parts.is_empty()).then(|| parts.join(".") + &parameters)
    }
}

fn benchmark(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let mut names = Names::default();
    let (mut originals, mut summary) = (Vec::new(), None);
    let mut launches: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    let mut metrics = Vec::new();
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("FullName", Next::Text) => names.full = Some(reader.text()?.into_owned()),
            ("Namespace", Next::Text) => names.namespace = Some(reader.text()?.into_owned()),
            ("Type", Next::Text) => names.class = Some(reader.text()?.into_owned()),
            ("Method", Next::Text) => names.method = Some(reader.text()?.into_owned()),
            ("Parameters", Next::Text) => names.parameters = Some(reader.text()?.into_owned()),
            ("Statistics", Next::Map) => {
                let numbers = fields(reader, |key, reader| {
                    let is_samples = key == "OriginalValues" && reader.next() == Next::List;
                    if is_samples {
                        originals = reader.numbers()?;
                    }
                    Ok(is_samples)
                })?;
                summary = numbers.first(&["Median", "Mean"]);
            }
            ("Measurements", Next::List) => reader.list(|_, reader| measurement(reader, &mut launches))?,
            ("Memory", Next::Map) => {
                let bytes = numbers_only(reader)?.number("BytesAllocatedPerOperation");
                let allocated = metric("allocated_bytes", "B", Direction::Lower, Kind::Exact);
                metrics.extend(bytes.map(|bytes| (allocated, bytes)));
            }
            ("Metrics", Next::List) => reader.list(|_, reader| {
                metrics.extend(further_metric(reader)?);
                Ok(())
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let name = names.joined().ok_or_else(|| Flaw::new("expected the key \"FullName\", or \"Type\" and \"Method\""))?;
    let name = sheet.fresh_name(&name)?;
    if summary.is_none() && launches.is_empty() && originals.is_empty() {
        sheet.fail(&name, "it has no statistics: it did not run to its end", None);
        return Ok(());
    }
    let lives = match (launches.is_empty(), originals.is_empty()) {
        (false, _) => launches.into_values().collect(),
        (true, false) => vec![originals],
        (true, true) => vec![summary.into_iter().collect()],
    };
    sheet.read(&name, Metric::time(), lives)?;
    let mut known = Vec::new();
    for (metric, value) in metrics {
        // What the memory part says already is among the metrics once more.
        if !known.contains(&metric.name) {
            known.push(metric.name.clone());
            sheet.value(&name, metric, value)?;
        }
    }
    Ok(())
}

/// Keeps the iterations that count: the stage `Result` is the workload with the overhead taken off.
fn measurement(reader: &mut Reader<'_>, launches: &mut BTreeMap<u64, Vec<f64>>) -> Result<(), Flaw> {
    let (mut mode, mut stage) = (None, None);
    let numbers = fields(reader, |key, reader| {
        match (key, reader.next()) {
            ("IterationMode", Next::Text) => mode = Some(reader.text()?),
            ("IterationStage", Next::Text) => stage = Some(reader.text()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if stage.as_deref() == Some("Result") || mode.as_deref() == Some("Result") {
        let (nanoseconds, operations) = (numbers.number("Nanoseconds"), numbers.number("Operations"));
        let (Some(nanoseconds), Some(operations)) = (nanoseconds, operations) else {
            return Err(Flaw::new("expected the keys \"Nanoseconds\" and \"Operations\""));
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index; a wrong one is clamped")]
        let launch = numbers.number("LaunchIndex").unwrap_or(1.0) as u64;
        launches.entry(launch).or_default().push(nanoseconds / operations);
    }
    Ok(())
}

fn further_metric(reader: &mut Reader<'_>) -> Result<Option<(Metric, f64)>, Flaw> {
    let (mut value, mut id, mut unit, mut greater) = (None, None, String::new(), None);
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("Value", Next::Number) => value = Some(reader.number()?),
            ("Descriptor", Next::Map) => reader.map(|key, reader| {
                match (key, reader.next()) {
                    ("Id", Next::Text) => id = Some(reader.text()?.into_owned()),
                    ("Unit", Next::Text) => unit = reader.text()?.into_owned(),
                    ("TheGreaterTheBetter", Next::Bool) => greater = Some(reader.bool()?),
                    _ => reader.skip()?,
                }
                Ok(())
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let better = match greater {
        Some(true) => Direction::Higher,
        Some(false) => Direction::Lower,
        None => Direction::Unknown,
    };
    Ok(id.zip(value).map(|(id, value)| match id.as_str() {
        "Allocated Memory" => (metric("allocated_bytes", "B", Direction::Lower, Kind::Exact), value),
        _ => (metric(&id, &unit, better, Kind::Noisy), value),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    #[test]
    fn launches_are_lives_and_a_benchmark_without_statistics_failed() {
        let json = br#"{"HostEnvironmentInfo":{"ProcessorName":"CPU"},"Benchmarks":[
          {"FullName":"N.T.M(n: 1)","Statistics":{"OriginalValues":[1,2,3],"Median":2},
           "Memory":{"BytesAllocatedPerOperation":64},
           "Measurements":[
             {"IterationMode":"Workload","IterationStage":"Actual","LaunchIndex":1,"Operations":1,"Nanoseconds":99},
             {"IterationMode":"Workload","IterationStage":"Result","LaunchIndex":1,"Operations":2,"Nanoseconds":5},
             {"IterationMode":"Workload","IterationStage":"Result","LaunchIndex":2,"Operations":2,"Nanoseconds":7}],
           "Metrics":[{"Value":5,"Descriptor":{"Id":"Gen0","Unit":"count","TheGreaterTheBetter":false}},
                      {"Value":64,"Descriptor":{"Id":"Allocated Memory","Unit":"B","TheGreaterTheBetter":false}}]},
          {"Namespace":null,"Type":"T","Method":"Old","Parameters":"","Statistics":{"Median":4.5,"Mean":5}},
          {"Namespace":"N","Type":"T","Method":"Bad","Parameters":"n=2","Statistics":null}]}"#;
        let parsed = parse(None, json).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        let Outcome::Measured(m) = &outcomes["N.T.M(n: 1)"] else { panic!("measured") };
        let lives: Vec<_> = m.readings[0].lives.iter().map(|life| life.values().to_vec()).collect();
        assert_eq!(lives, [vec![2.5], vec![3.5]]);
        assert_eq!(m.readings.len(), 3);
        assert_eq!((m.readings[2].metric.name.as_str(), m.readings[2].metric.better), ("Gen0", Direction::Lower));
        let Outcome::Measured(old) = &outcomes["T.Old"] else { panic!("measured") };
        assert_eq!(old.readings[0].lives[0].values(), [4.5]);
        assert!(matches!(&outcomes["N.T.Bad(n=2)"], Outcome::Failed(_)));
    }
}
