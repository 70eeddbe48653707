//! The values of asv's results: one a benchmark, or one for each combination of its parameters.

use super::error::Flaw;
use super::fields::as_text;
use super::json::{Next, Reader};
use super::limits;
use super::sheet::{Sheet, metric};
use super::units::nanoseconds_per;
use crate::domain::{Direction, Kind, Metric};

/// What a results file holds of one benchmark.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// A value for each combination of parameters; none for a failure.
    values: Vec<Option<f64>>,
    /// For each parameter, its values as text.
    parameters: Vec<Vec<String>>,
    /// For each combination the single measurements, where they were recorded.
    samples: Vec<Vec<f64>>,
}

/// A benchmark's entry with what is known of it.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    /// The unit, where `benchmarks.json` names it.
    pub(super) unit: Option<&'a str>,
    pub(super) entry: Entry,
}

/// An entry of version 1: a number, or an object with `result` and `params`.
pub(super) fn entry_v1(reader: &mut Reader<'_>) -> Result<Entry, Flaw> {
    let mut entry = Entry::default();
    if reader.next() != Next::Map {
        entry.values.push(reader.optional(Reader::number)?);
        return Ok(entry);
    }
    reader.map(|key, reader| field(reader, key, &mut entry))?;
    Ok(entry)
}

/// An entry of version 2: a list whose columns are named once for the file. It may be cut after the last that is used.
pub(super) fn entry_v2(reader: &mut Reader<'_>, columns: &[String]) -> Result<Entry, Flaw> {
    if reader.next() != Next::List {
        return entry_v1(reader);
    }
    let mut entry = Entry::default();
    reader.list(|index, reader| match columns.get(index) {
        Some(column) => field(reader, column, &mut entry),
        None => Err(Flaw::new(format!("expected at most {} columns", columns.len()))),
    })?;
    Ok(entry)
}

fn field(reader: &mut Reader<'_>, key: &str, entry: &mut Entry) -> Result<(), Flaw> {
    match (key, reader.next()) {
        ("result", Next::List) => reader.list(|_, reader| {
            entry.values.push(reader.optional(Reader::number)?);
            Ok(())
        }),
        ("result", _) => {
            entry.values.push(reader.optional(Reader::number)?);
            Ok(())
        }
        ("params", Next::List) => reader.list(|_, reader| {
            let mut values = Vec::new();
            reader.list(|_, reader| {
                values.push(as_text(reader)?);
                Ok(())
            })?;
            entry.parameters.push(values);
            Ok(())
        }),
        ("samples", Next::List) => reader.list(|_, reader| {
            entry.samples.push(reader.optional(Reader::numbers)?.unwrap_or_default());
            Ok(())
        }),
        _ => reader.skip(),
    }
}

pub(super) fn write_down(row: Row<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    let Row { name, unit, entry } = row;
    let combinations = combinations(&entry.parameters)?;
    let unit = unit.map_or_else(|| unit_by_name(name), str::to_owned);
    let (metric, factor) = metric_of(name, &unit);
    let mut values = entry.values;
    if values.len() == 1 && values[0].is_none() {
        // The whole benchmark failed, whatever its parameters.
        values.resize(combinations.len(), None);
    }
    if values.len() != combinations.len() {
        let what = format!("{} results for {} combinations of parameters", values.len(), combinations.len());
        return Err(Flaw::new(what));
    }
    let mut samples = entry.samples.into_iter();
    for (value, parameters) in values.into_iter().zip(combinations) {
        let name = sheet.fresh_name(&format!("{name}{parameters}"))?;
        let mut kept = samples.next().unwrap_or_default();
        match value {
            None => sheet.fail(&name, "failed (asv recorded null)", None),
            Some(value) if value.is_nan() => sheet.fail(&name, "skipped (asv recorded NaN)", None),
            Some(value) => {
                if kept.is_empty() {
                    kept.push(value);
                }
                for value in &mut kept {
                    *value *= factor;
                }
                if metric == Metric::time() {
                    sheet.source_unit(&name, "time", &unit);
                }
                sheet.read(&name, metric.clone(), vec![kept])?;
            }
        }
    }
    Ok(())
}

/// The combinations of all parameters' values, the last parameter's changing fastest, as they stand in names.
fn combinations(parameters: &[Vec<String>]) -> Result<Vec<String>, Flaw> {
    if parameters.is_empty() {
        return Ok(vec![String::new()]);
    }
    let count = parameters.iter().try_fold(1_usize, |count, values| count.checked_mul(values.len()));
    if count.is_none_or(|count| count > limits::BENCHMARKS) {
        return Err(Flaw::new(format!("more than {} combinations of parameters", limits::BENCHMARKS)));
    }
    let mut names = vec![String::new()];
    for values in parameters {
        names = names
            .iter()
            .flat_map(|name| {
                let comma = if name.is_empty() { "" } else { ", " };
                values.iter().map(move |value| format!("{name}{comma}{value}"))
            })
            .collect();
        // A name is refused when it is written down; do not build a product of long ones first.
        if names.iter().map(String::len).sum::<usize>() > limits::FILE_BYTES {
            return Err(Flaw::new("the parameters' names are too long"));
        }
    }
    Ok(names.into_iter().map(|name| format!("({name})")).collect())
}

/// asv names benchmarks by what they measure.
fn unit_by_name(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let unit = match last.split_once('_').map(|(kind, _)| kind) {
        Some("time" | "timeraw") => "seconds",
        Some("mem" | "peakmem") => "bytes",
        _ => "unit",
    };
    unit.to_owned()
}

fn metric_of(name: &str, unit: &str) -> (Metric, f64) {
    let last = name.rsplit('.').next().unwrap_or(name).to_lowercase();
    if last.starts_with("track") {
        return (metric("value", unit, Direction::Unknown, Kind::Noisy), 1.0);
    }
    match (nanoseconds_per(unit), unit) {
        (Some(factor), _) => (Metric::time(), factor),
        (None, "bytes") => (metric("memory", "B", Direction::Lower, Kind::Noisy), 1.0),
        (None, _) => (metric("value", unit, Direction::Unknown, Kind::Noisy), 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryFolder, parse, parse_folder};
    use super::*;
    use crate::domain::Outcome;

    const DEFINITIONS: &str =
        r#"{"version":2,"t.time_a":{"unit":"seconds","type":"time"},"t.track_b":{"unit":"hits"}}"#;
    const V1: &str = r#"{"commit_hash":"c1","date":1500,"params":{"machine":"box","cpu":"C"},"env_name":"py3","version":1,
        "results":{"t.time_a":0.5,"t.mem_p":{"params":[["1","2"],["'x'"]],"result":[64,null]}}}"#;
    const V2: &str = r#"{"commit_hash":"c2","date":2500,"params":{"machine":"box"},"env_name":"py3","version":2,
        "result_columns":["result","params","version","samples"],
        "results":{"t.time_a":[[0.25],[],"v",[[0.125,0.375]]],"t.track_b":[[7.0],[]],"t.time_f":[null,[["1","2"]]],"t.time_n":[[NaN]]}}"#;

    #[test]
    fn both_versions_are_read_with_parameters_samples_and_failures() {
        let files = [
            ("benchmarks.json", DEFINITIONS),
            ("box/machine.json", "{}"),
            ("box/c1-py3.json", V1),
            ("box/c2-py3.json", V2),
        ];
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        let parsed = parse_folder(None, &MemoryFolder::new(files)).unwrap();
        let [first, second] = &parsed.sets[..] else { panic!("two sets") };
        assert_eq!((first.origin.commit.as_deref(), first.origin.at_s), (Some("c1"), Some(1)));
        assert_eq!(first.origin.machine.as_deref(), Some("box"));
        let reading = |outcome: &Outcome| match outcome {
            Outcome::Measured(measured) => {
                (measured.readings[0].metric.clone(), measured.readings[0].lives[0].values().to_vec())
            }
            Outcome::Failed(trouble) => panic!("{trouble:?}"),
        };
        assert_eq!(reading(&first.outcomes["t.time_a"]), (Metric::time(), vec![5e8]));
        assert_eq!(reading(&first.outcomes["t.mem_p(1, 'x')"]).1, [64.0]);
        assert!(matches!(&first.outcomes["t.mem_p(2, 'x')"], Outcome::Failed(_)));
        assert_eq!(reading(&second.outcomes["t.time_a"]), (Metric::time(), vec![125e6, 375e6]));
        let (track, values) = reading(&second.outcomes["t.track_b"]);
        assert_eq!((track.better, track.unit.as_str(), values), (Direction::Unknown, "hits", vec![7.0]));
        for name in ["t.time_f(1)", "t.time_f(2)", "t.time_n"] {
            assert!(matches!(&second.outcomes[name], Outcome::Failed(_)), "{name}");
        }
    }

    #[test]
    fn one_file_is_read_alone_and_a_wrong_number_of_results_refused() {
        assert_eq!(parse(None, V2.as_bytes()).unwrap().sets[0].outcomes.len(), 5);
        let error = parse(None, V1.replace("[64,null]", "[64]").as_bytes()).unwrap_err().to_string();
        assert!(error.contains("1 results for 2 combinations") && error.contains("results.t.mem_p"), "{error}");
    }

    #[test]
    fn a_broken_file_of_a_folder_is_left_out_and_told_and_a_folder_of_such_alone_is_an_error() {
        let broken = "{\n  This file contains malformed JSON\n";
        let folder = |files: &[(&str, &str)]| {
            MemoryFolder::new(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect())
        };
        let good = [("benchmarks.json", DEFINITIONS), ("box/a-py3.json", broken), ("box/c1-py3.json", V1)];
        let parsed = parse_folder(None, &folder(&good)).unwrap();
        assert_eq!(parsed.sets.len(), 1);
        assert!(
            parsed.remarks[0].starts_with("left out: ") && parsed.remarks[0].contains("\"box/a-py3.json\", line 2")
        );
        let error = parse_folder(None, &folder(&good[..2])).unwrap_err().to_string();
        assert!(error.contains("\"box/a-py3.json\", line 2"), "{error}");
    }
}
