//! Google Benchmark's JSON: a row for each repetition, further rows that summarise them, user counters as extra keys.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Flaw;
use super::fields::{Fields, as_text, fields};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric, time_named};
use super::units::{nanoseconds_per, seconds_since_1970};
use crate::domain::{BenchmarkName, Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "google-benchmark",
    title: "Google Benchmark (C++)",
    made_by: "./bench --benchmark_repetitions=10 --benchmark_out=FILE --benchmark_out_format=json",
    carries: Carries {
        samples: Held::WhenAsked,
        lives: false,
        direction: Directions::Partly,
        failures: true,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| {
        sniff.has("context") && sniff.has("benchmarks/0/real_time")
            || sniff.has("context/library_build_type") && sniff.has("benchmarks")
    },
};

/// Numbers of a row that are no measurements.
const BOOKKEEPING: [&str; 10] = [
    "family_index",
    "per_family_instance_index",
    "repetitions",
    "repetition_index",
    "threads",
    "iterations",
    "real_time",
    "cpu_time",
    "cpu_coefficient",
    "real_coefficient",
];

/// The endings of names by which old versions marked summary rows.
const SUMMARIES: [&str; 6] = ["_mean", "_median", "_stddev", "_cv", "_BigO", "_RMS"];

#[derive(Default)]
struct Row {
    name: String,
    run_name: Option<String>,
    /// What is summarised: `mean`, `median`, `stddev`; none for a repetition.
    aggregate: Option<String>,
    time_unit: Option<String>,
    label: Option<String>,
    error: Option<String>,
    skipped: Option<String>,
    numbers: Fields,
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut rows = Vec::new();
    let mut reader = Reader::new(text);
    reader.map(|key, reader| {
        match key {
            "context" if reader.next() == Next::Map => context(reader, &mut sheet)?,
            "benchmarks" => reader.list(|_, reader| {
                rows.push(row(reader)?);
                Ok(())
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.finish()?;
    let repeated: BTreeSet<String> =
        rows.iter().filter(|row| row.aggregate.is_none()).map(|row| row.series().to_owned()).collect();
    let mut centres: BTreeMap<String, Row> = BTreeMap::new();
    for row in rows {
        match row.aggregate.as_deref() {
            None => repetition(&row, &mut sheet)?,
            // Without its repetitions, a benchmark is what its median says, or its mean.
            Some("median") if !repeated.contains(row.series()) => {
                centres.insert(row.series().to_owned(), row);
            }
            Some("mean") if !repeated.contains(row.series()) => {
                centres.entry(row.series().to_owned()).or_insert(row);
            }
            Some(_) => {}
        }
    }
    for row in centres.into_values() {
        repetition(&row, &mut sheet)?;
    }
    Ok(sheet.finish())
}

fn context(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    reader.map(|key, reader| {
        match key {
            "date" => sheet.origin.at_s = seconds_since_1970(&reader.text()?),
            "library_version" | "library_build_type" | "num_cpus" | "cpu_scaling_enabled" => {
                sheet.notes.insert(key.to_owned(), as_text(reader)?);
            }
            _ => reader.skip()?,
        }
        Ok(())
    })
}

fn row(reader: &mut Reader<'_>) -> Result<Row, Flaw> {
    let mut row = Row::default();
    let (mut run_type, mut aggregate, mut is_error, mut is_skipped) = (None, None, false, false);
    let numbers = fields(reader, |key, reader| {
        match (key, reader.next()) {
            ("name", Next::Text) => row.name = reader.text()?.into_owned(),
            ("run_name", Next::Text) => row.run_name = Some(reader.text()?.into_owned()),
            ("run_type", Next::Text) => run_type = Some(reader.text()?.into_owned()),
            ("aggregate_name", Next::Text) => aggregate = Some(reader.text()?.into_owned()),
            ("time_unit", Next::Text) => row.time_unit = Some(reader.text()?.into_owned()),
            ("label", Next::Text) => row.label = Some(reader.text()?.into_owned()),
            ("error_occurred", Next::Bool) => is_error = reader.bool()?,
            ("error_message", Next::Text) => row.error = Some(reader.text()?.into_owned()),
            ("skipped", Next::Bool) => is_skipped = reader.bool()?,
            ("skip_message", Next::Text) => row.skipped = Some(reader.text()?.into_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    row.numbers = numbers;
    row.error = is_error.then(|| row.error.take().unwrap_or_else(|| "an error occurred".to_owned()));
    row.skipped = is_skipped.then(|| row.skipped.take().unwrap_or_else(|| "skipped".to_owned()));
    row.aggregate = match run_type.as_deref() {
        Some("iteration") => None,
        Some("aggregate") => Some(aggregate.unwrap_or_default()),
        Some(other) => return Err(Flaw::new(format!("expected run_type iteration or aggregate, found {other:?}"))),
        None => {
            let ending = SUMMARIES.iter().find(|ending| row.name.ends_with(**ending));
            ending.map(|ending| ending[1..].to_owned())
        }
    };
    Ok(row)
}

impl Row {
    /// The name that all rows of a benchmark share.
    fn series(&self) -> &str {
        let ending = self.aggregate.as_ref().map(|aggregate| format!("_{aggregate}"));
        let cut = ending.and_then(|ending| self.name.strip_suffix(ending.as_str()));
        self.run_name.as_deref().or(cut).unwrap_or(&self.name)
    }
}

fn repetition(row: &Row, sheet: &mut Sheet) -> Result<(), Flaw> {
    if let Some(reason) = &row.skipped {
        sheet.remark(format!("{:?} was skipped: {reason}", row.series()));
        return Ok(());
    }
    let name = sheet.name(row.series())?;
    if let Some(reason) = &row.error {
        sheet.fail(&name, reason.as_str(), None);
        return Ok(());
    }
    if let Some(label) = &row.label {
        sheet.note(&name, "label", label.as_str());
    }
    if let Some(threads) = row.numbers.number("threads").filter(|threads| (1.0..1e6).contains(threads)) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
        sheet.cores(&name, threads as u32);
    }
    times(row, &name, sheet)?;
    for (key, value) in row.numbers.iter().filter(|(key, _)| !BOOKKEEPING.contains(key)) {
        sheet.value(&name, counter(key), value)?;
    }
    Ok(())
}

fn times(row: &Row, name: &BenchmarkName, sheet: &mut Sheet) -> Result<(), Flaw> {
    let unit = row.time_unit.as_deref().unwrap_or("ns");
    let factor = nanoseconds_per(unit)
        .ok_or_else(|| Flaw::new(format!("{:?}: expected time_unit ns, us, ms or s, found {unit:?}", row.name)))?;
    sheet.source_unit(name, "time", unit);
    for (metric, key) in [(Metric::time(), "real_time"), (time_named("cpu_time"), "cpu_time")] {
        if let Some(value) = row.numbers.number(key) {
            sheet.value(name, metric, value * factor)?;
        }
    }
    Ok(())
}

/// The metric of an extra key: a few are the library's own, others the user's, of which no direction is known.
fn counter(key: &str) -> Metric {
    match key {
        "items_per_second" => metric(key, "items/s", Direction::Higher, Kind::Noisy),
        "bytes_per_second" => metric(key, "B/s", Direction::Higher, Kind::Noisy),
        "allocs_per_iter" => metric("allocations", "count", Direction::Lower, Kind::Exact),
        "max_bytes_used" | "net_heap_growth" => metric(key, "B", Direction::Lower, Kind::Exact),
        "total_allocated_bytes" => metric("allocated_bytes", "B", Direction::Lower, Kind::Exact),
        _ => metric(key, "", Direction::Unknown, Kind::Noisy),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::domain::Outcome;

    #[test]
    fn repetitions_are_samples_and_summaries_are_not() {
        let json = br#"{"context":{"date":"1970-01-01T01:00:00+01:00","host_name":"h"},"benchmarks":[
            {"name":"a","run_name":"a","run_type":"iteration","threads":2,"real_time":2.5,"cpu_time":2,"time_unit":"us","items_per_second":7,"mine":3},
            {"name":"a","run_name":"a","run_type":"iteration","threads":2,"real_time":3.5,"cpu_time":3,"time_unit":"us","items_per_second":8,"mine":NaN},
            {"name":"a_mean","run_name":"a","run_type":"aggregate","aggregate_name":"mean","real_time":3,"time_unit":"us"},
            {"name":"b_median","run_name":"b","run_type":"aggregate","aggregate_name":"median","real_time":5,"cpu_time":5,"time_unit":"ns"},
            {"name":"b_mean","run_name":"b","run_type":"aggregate","aggregate_name":"mean","real_time":6,"cpu_time":5,"time_unit":"ns"},
            {"name":"b_cv","run_name":"b","run_type":"aggregate","aggregate_name":"cv","aggregate_unit":"percentage","real_time":0.1,"time_unit":"ns"},
            {"name":"c_BigO","run_name":"c","run_type":"aggregate","aggregate_name":"BigO","cpu_coefficient":1,"big_o":"N"},
            {"name":"d","run_type":"iteration","error_occurred":true,"error_message":"no file"}]}"#;
        let parsed = parse(None, json).unwrap();
        let set = &parsed.sets[0];
        assert_eq!(set.origin.at_s, Some(0));
        assert_eq!(set.outcomes.keys().map(|name| name.as_str().to_owned()).collect::<Vec<_>>(), ["a", "b", "d"]);
        let Outcome::Measured(a) = &set.outcomes["a"] else { panic!("measured") };
        assert_eq!(a.readings[0].lives[0].values(), [2500.0, 3500.0]);
        assert_eq!((a.cores, a.notes["time.unit"].as_str()), (2, "us"));
        let items = a.readings.iter().find(|reading| reading.metric.name == "items_per_second").unwrap();
        assert_eq!(items.metric.better, Direction::Higher);
        let Outcome::Measured(b) = &set.outcomes["b"] else { panic!("measured") };
        assert_eq!(b.readings[0].lives[0].values(), [5.0]);
        let Outcome::Failed(trouble) = &set.outcomes["d"] else { panic!("failed") };
        assert_eq!(trouble.reason, "no file");
    }

    #[test]
    fn rows_of_old_versions_are_told_apart_by_their_names() {
        let json = br#"{"context":{"library_build_type":"release"},"benchmarks":[
            {"name":"a","real_time":NaN,"cpu_time":1,"time_unit":"ns"},{"name":"a_mean","real_time":3,"time_unit":"ns"}]}"#;
        let parsed = parse(None, json).unwrap();
        assert_eq!(parsed.sets[0].outcomes.len(), 1);
        assert!(matches!(&parsed.sets[0].outcomes["a"], Outcome::Failed(_)));
    }
}
