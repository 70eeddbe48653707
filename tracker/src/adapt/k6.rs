//! k6's end-of-test summary, in its three shapes: flat (`--summary-export`), with `values` and `type` (`handleSummary`),
//! and with lists below `results` (`--new-machine-readable-summary`).
//!
//! Each k6 metric becomes a benchmark with what k6 says about it. A trend's main value is its median, in milliseconds
//! if it is a time; of a rate or counter only k6's own have a direction.

use super::error::Flaw;
use super::fields::{Fields, fields, numbers_only};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric, time_named};
use crate::domain::{BenchmarkName, Direction, Kind, Metric};

const NS_PER_MS: f64 = 1e6;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "k6",
    title: "k6, its summary",
    made_by: "k6 run --summary-export FILE, or handleSummary",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Partly,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| {
        let is_k6 = |metric: &str| sniff.has(&format!("metrics/{metric}"));
        let is_keyed = is_k6("iterations") || is_k6("vus") || is_k6("http_reqs") || is_k6("iteration_duration");
        is_keyed || (sniff.has_text("metadata/k6Version") && sniff.has("results/metrics"))
    },
};

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut reader = Reader::new(text);
    reader.map(|key, reader| match (key, reader.next()) {
        ("metrics", _) => metrics(reader, &mut sheet),
        ("results", Next::Map) => results(reader, &mut sheet),
        _ => reader.skip(),
    })?;
    reader.finish()?;
    Ok(sheet.finish())
}

/// In the newest shape the metrics stand here, and those of the checks by themselves.
fn results(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    reader.map(|key, reader| match (key, reader.next()) {
        ("metrics", _) => metrics(reader, sheet),
        ("checks", Next::Map) => reader.map(|key, reader| match key {
            "metrics" => metrics(reader, sheet),
            _ => reader.skip(),
        }),
        _ => reader.skip(),
    })
}

/// Metrics by their names, or a list of metrics that say their names.
fn metrics(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    match reader.next() {
        Next::List => reader.list(|_, reader| one(reader, None, sheet)),
        _ => reader.map(|name, reader| one(reader, Some(name), sheet)),
    }
}

/// What k6 calls the kinds of its metrics.
enum Sort {
    Trend,
    Rate,
    Counter,
    Gauge,
}

fn one(reader: &mut Reader<'_>, key: Option<&str>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let (mut name, mut nested, mut sort, mut contains) = (None, None, None, None);
    let flat = fields(reader, |key, reader| {
        match (key, reader.next()) {
            ("values", Next::Map) => nested = Some(numbers_only(reader)?),
            ("name", Next::Text) => name = Some(reader.text()?),
            ("type", Next::Text) => sort = Some(reader.text()?),
            ("contains", Next::Text) => contains = Some(reader.text()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let name = name.as_deref().or(key).ok_or_else(|| Flaw::new("expected the key \"name\""))?;
    let numbers = nested.unwrap_or(flat);
    let sort = match sort.as_deref() {
        Some("trend") => Sort::Trend,
        Some("rate") => Sort::Rate,
        Some("counter") => Sort::Counter,
        Some("gauge") => Sort::Gauge,
        Some(other) => return Err(Flaw::new(format!("expected trend, rate, counter or gauge, found {other:?}"))),
        None => guess(&numbers)?,
    };
    // Below the name stands the tag that a part is limited to: `http_req_duration{status:200}`.
    let base = name.split('{').next().unwrap_or(name);
    let is_time = contains.map_or_else(|| is_builtin_time(base), |contains| contains == "time");
    let name = sheet.fresh_name(name)?;
    match sort {
        Sort::Trend => trend(&name, &numbers, is_time, sheet),
        Sort::Rate => {
            let better = match base {
                "http_req_failed" | "checks_failed" => Direction::Lower,
                "checks" | "checks_succeeded" => Direction::Higher,
                _ => Direction::Unknown,
            };
            let value = numbers.first(&["rate", "value"]);
            value.map_or(Ok(()), |value| sheet.value(&name, metric("rate", "1", better, Kind::Noisy), value))
        }
        Sort::Counter => {
            let better = match base {
                "http_reqs" | "iterations" | "grpc_reqs" | "ws_sessions" => Direction::Higher,
                "dropped_iterations" => Direction::Lower,
                _ => Direction::Unknown,
            };
            let unit = if base.starts_with("data_") { "B" } else { "count" };
            if let Some(value) = numbers.number("rate") {
                sheet.value(&name, metric("rate", &format!("{unit}/s"), better, Kind::Noisy), value)?;
            }
            let value = numbers.number("count");
            value.map_or(Ok(()), |value| {
                sheet.value(&name, metric("count", unit, Direction::Unknown, Kind::Noisy), value)
            })
        }
        Sort::Gauge => {
            for (key, value) in numbers.iter() {
                sheet.value(&name, metric(key, "count", Direction::Unknown, Kind::Noisy), value)?;
            }
            Ok(())
        }
    }
}

/// The flat shape has no types; the keys tell.
fn guess(numbers: &Fields) -> Result<Sort, Flaw> {
    let has = |key| numbers.number(key).is_some();
    match () {
        () if has("avg") || has("med") => Ok(Sort::Trend),
        () if has("count") => Ok(Sort::Counter),
        () if has("passes") || has("fails") => Ok(Sort::Rate),
        () if has("value") => Ok(Sort::Gauge),
        () => Err(Flaw::new("expected the keys of a trend, a counter, a rate or a gauge")),
    }
}

fn is_builtin_time(base: &str) -> bool {
    let ends = ["_duration", "_waiting", "_connecting", "_blocked", "_sending", "_receiving", "_handshaking", "_ping"];
    let begins = ["http_req_", "iteration_", "group_", "ws_", "grpc_req_", "browser_"];
    begins.iter().any(|begin| base.starts_with(begin)) && ends.iter().any(|end| base.ends_with(end))
}

fn trend(name: &BenchmarkName, numbers: &Fields, is_time: bool, sheet: &mut Sheet) -> Result<(), Flaw> {
    for (key, value) in numbers.iter() {
        if key == "count" {
            continue;
        }
        let (metric, value) = match (is_time, key) {
            (true, "med") => (Metric::time(), value * NS_PER_MS),
            (true, key) => (time_named(key), value * NS_PER_MS),
            (false, key) => (metric(key, "", Direction::Unknown, Kind::Noisy), value),
        };
        sheet.value(name, metric, value)?;
    }
    if is_time {
        sheet.source_unit(name, "time", "ms");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    #[test]
    fn all_shapes_come_to_the_same() {
        let flat = br#"{"metrics":{"http_req_duration":{"avg":2,"med":1.5,"p(95)":3},"http_reqs":{"count":10,"rate":5},
            "http_req_failed":{"passes":1,"fails":9,"value":0.1},"vus":{"value":3,"min":1,"max":3}},"root_group":{}}"#;
        let nested = br#"{"metrics":{
            "http_req_duration":{"type":"trend","contains":"time","values":{"avg":2,"med":1.5,"p(95)":3},"thresholds":{"p(95)<5":{"ok":true}}},
            "http_reqs":{"type":"counter","contains":"default","values":{"count":10,"rate":5}},
            "http_req_failed":{"type":"rate","contains":"default","values":{"passes":1,"fails":9,"rate":0.1}},
            "vus":{"type":"gauge","contains":"default","values":{"value":3,"min":1,"max":3}}},"state":{}}"#;
        let listed = br#"{"version":"1.0.0","metadata":{"generatedAt":"2025-01-15T10:30:45.123Z","k6Version":"1.5.0"},
            "config":{"execution":"local","duration":2.0},"results":{"passed":true,"metrics":[
            {"name":"http_req_duration","type":"trend","contains":"time","category":"http","values":{"avg":2,"med":1.5,"p(95)":3,"count":10}},
            {"name":"http_reqs","type":"counter","contains":"default","category":"http","values":{"count":10,"rate":5}},
            {"name":"http_req_failed","type":"rate","contains":"default","category":"http","values":{"passes":1,"fails":9,"rate":0.1}},
            {"name":"vus","type":"gauge","contains":"default","category":"execution","values":{"value":3,"min":1,"max":3}}]}}"#;
        let [flat, nested, listed] = [&flat[..], &nested[..], &listed[..]].map(|json| parse(None, json).unwrap());
        assert_eq!(flat, nested);
        assert_eq!(flat, listed);
        let outcomes = &flat.sets[0].outcomes;
        let first = |name: &str| {
            let Outcome::Measured(measured) = &outcomes[name] else { panic!("measured") };
            let reading = &measured.readings[0];
            (reading.metric.name.clone(), reading.metric.better, reading.lives[0].values()[0])
        };
        assert_eq!(first("http_req_duration"), ("time".to_owned(), Direction::Lower, 1.5e6));
        assert_eq!(first("http_reqs"), ("rate".to_owned(), Direction::Higher, 5.0));
        assert_eq!(first("http_req_failed"), ("rate".to_owned(), Direction::Lower, 0.1));
    }

    #[test]
    fn the_metrics_of_checks_stand_by_themselves_in_a_list_or_by_keys() {
        let rate = |name: &str| {
            format!("{{\"name\":\"{name}\",\"type\":\"rate\",\"values\":{{\"rate\":0.5,\"passes\":1,\"fails\":1}}}}")
        };
        let (good, bad) = (rate("checks_succeeded"), rate("checks_failed"));
        let whole = |checks: &str| {
            format!(
                "{{\"metadata\":{{\"k6Version\":\"1.5.0\"}},\"results\":{{\"metrics\":[],\"checks\":{{\"metrics\":{checks},\"results\":[]}}}}}}"
            )
        };
        let list = parse(None, whole(&format!("[{good},{bad}]")).as_bytes()).unwrap();
        let keyed = parse(None, whole(&format!("{{\"a\":{good},\"b\":{bad}}}")).as_bytes()).unwrap();
        assert_eq!(list, keyed);
        let better = |name: &str| match &list.sets[0].outcomes[name] {
            Outcome::Measured(measured) => measured.readings[0].metric.better,
            Outcome::Failed(trouble) => panic!("{trouble:?}"),
        };
        assert_eq!((better("checks_succeeded"), better("checks_failed")), (Direction::Higher, Direction::Lower));
        let nameless = whole("[{\"type\":\"rate\",\"values\":{\"rate\":1}}]");
        assert!(parse(None, nameless.as_bytes()).unwrap_err().to_string().contains("\"name\""));
    }
}
