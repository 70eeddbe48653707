//! The folder that criterion leaves, `target/criterion`: a folder for each benchmark, and in its `new/` the files
//! `benchmark.json` (names), `sample.json` (iterations and times of each sample) and `estimates.json` (the summary).
//!
//! Folder names are cleaned and cut by criterion, so names come from `benchmark.json`. Saved baselines stand beside
//! `new/` and are older measurements: they are read only where the whole folder has no `new/` and one baseline.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Folder;
use super::sheet::Sheet;
use super::text::decode;
use crate::domain::{BenchmarkName, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "criterion",
    title: "criterion (Rust), its folder",
    made_by: "cargo bench; then give target/criterion",
    carries: Carries {
        samples: Held::Always,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: false,
    },
    takes: Takes::Folder { recognises, find, one },
    lossy: false,
    recognises: |_| false,
};

/// A folder of one measurement, split into the benchmark's folder and the last part: `new` or a baseline's name.
fn measurement(path: &str) -> Option<(&str, &str)> {
    let (folder, file) = path.rsplit_once('/')?;
    let (benchmark, kind) = folder.rsplit_once('/').unwrap_or(("", folder));
    let is_one = matches!(file, "sample.json" | "estimates.json") && kind != "change";
    is_one.then_some((benchmark, kind))
}

fn recognises(paths: &[String]) -> bool {
    paths.iter().any(|path| measurement(path).is_some())
}

/// The folders of the measurements that are wanted.
fn find(folder: &dyn Folder, sheet: &mut Sheet) -> Result<Vec<String>, Flaw> {
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (benchmark, kind) in folder.paths().iter().filter_map(|path| measurement(path)) {
        kinds.entry(benchmark).or_default().insert(kind);
    }
    let all: BTreeSet<&str> = kinds.values().flatten().copied().collect();
    let wanted = match all.iter().copied().collect::<Vec<_>>()[..] {
        [only] => only,
        _ if all.contains("new") => "new",
        _ => {
            let names = all.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Flaw::new(format!("expected new/ or one baseline, found the baselines {names}")));
        }
    };
    if wanted != "new" {
        sheet.remark(format!("the folder has no new/; its baseline {wanted:?} was read"));
    }
    let mut paths = Vec::with_capacity(kinds.len());
    for (benchmark, kinds) in kinds {
        if kinds.contains(wanted) {
            paths.push(if benchmark.is_empty() { wanted.to_owned() } else { format!("{benchmark}/{wanted}") });
        } else {
            sheet.remark(format!("{benchmark:?} has saved baselines only, no {wanted}/; it was left out"));
        }
    }
    Ok(paths)
}

fn one(folder: &dyn Folder, path: &str, sheet: &mut Sheet) -> Result<BenchmarkName, Flaw> {
    let benchmark = path.rsplit_once('/').map_or("", |(benchmark, _)| benchmark);
    let ids = with_file(folder, &format!("{path}/benchmark.json"), ids)?.unwrap_or_default();
    let name = match &ids.full_id {
        Some(full_id) => sheet.fresh_name(full_id)?,
        None => sheet.fresh_name(if benchmark.is_empty() { "benchmark" } else { benchmark })?,
    };
    // A name does not tell in which of its parts a slash stands; who compares with criterion again needs the folder.
    if let Some(directory) = ids.directory.filter(|directory| directory != name.as_str()) {
        sheet.note(&name, "criterion.directory", directory);
    }
    for (unit, amount) in ids.throughput {
        sheet.note(&name, &format!("throughput.{unit}"), amount);
    }
    let samples = with_file(folder, &format!("{path}/sample.json"), samples)?;
    let values = match samples {
        Some(values) => values,
        None => with_file(folder, &format!("{path}/estimates.json"), median)?.into_iter().collect(),
    };
    sheet.read(&name, Metric::time(), vec![values])?;
    Ok(name)
}

/// Reads a file of the folder, if it is there.
fn with_file<T>(
    folder: &dyn Folder,
    path: &str,
    read: fn(&mut Reader<'_>) -> Result<T, Flaw>,
) -> Result<Option<T>, Flaw> {
    if folder.paths().binary_search_by(|known| known.as_str().cmp(path)).is_err() {
        return Ok(None);
    }
    let bytes = folder.read(path).map_err(|reason| Flaw::new(reason).in_file(path, ""))?;
    let decoded = decode(&bytes, false).map_err(|error| Flaw::new(error.to_string()).in_file(path, ""))?;
    let mut reader = Reader::new(&decoded.text);
    let value = read(&mut reader).and_then(|value| reader.finish().map(|()| value));
    value.map(Some).map_err(|flaw| flaw.in_file(path, &decoded.text))
}

#[derive(Default)]
struct Ids {
    full_id: Option<String>,
    directory: Option<String>,
    throughput: Vec<(String, String)>,
}

fn ids(reader: &mut Reader<'_>) -> Result<Ids, Flaw> {
    let mut ids = Ids::default();
    reader.map(|key, reader| {
        match key {
            "full_id" => ids.full_id = Some(reader.text()?.into_owned()),
            "directory_name" => directory(reader, &mut ids)?,
            "throughput" if reader.next() == Next::Map => reader.map(|unit, reader| {
                ids.throughput.push((unit.to_lowercase(), reader.raw()?.to_owned()));
                Ok(())
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(ids)
}

fn directory(reader: &mut Reader<'_>, ids: &mut Ids) -> Result<(), Flaw> {
    match reader.next() {
        Next::Text => ids.directory = Some(reader.text()?.into_owned()),
        _ => reader.skip()?,
    }
    Ok(())
}

/// Time an iteration, for each sample. Before version 0.3 the file was a pair of lists, later an object.
fn samples(reader: &mut Reader<'_>) -> Result<Vec<f64>, Flaw> {
    let (mut iterations, mut times) = (Vec::new(), Vec::new());
    if reader.next() == Next::List {
        reader.list(|index, reader| {
            match index {
                0 => iterations = reader.numbers()?,
                1 => times = reader.numbers()?,
                _ => return Err(Flaw::new("expected two lists, iterations and times")),
            }
            Ok(())
        })?;
    } else {
        reader.map(|key, reader| {
            match key {
                "iters" => iterations = reader.numbers()?,
                "times" => times = reader.numbers()?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
    }
    per_iteration(&iterations, times)
}

/// The times of batches, divided by their sizes.
pub(super) fn per_iteration(iterations: &[f64], mut times: Vec<f64>) -> Result<Vec<f64>, Flaw> {
    if iterations.len() != times.len() {
        let what = format!("{} numbers of iterations for {} times", iterations.len(), times.len());
        return Err(Flaw::new(what));
    }
    for (time, iterations) in times.iter_mut().zip(iterations) {
        *time /= iterations;
    }
    Ok(times)
}

fn median(reader: &mut Reader<'_>) -> Result<f64, Flaw> {
    let mut median = None;
    reader.map(|key, reader| match key {
        "median" => reader.map(|key, reader| match key {
            "point_estimate" => {
                median = Some(reader.number()?);
                Ok(())
            }
            _ => reader.skip(),
        }),
        _ => reader.skip(),
    })?;
    median.ok_or_else(|| Flaw::new("expected the key \"median\" with a \"point_estimate\""))
}

#[cfg(test)]
mod tests {
    use super::super::{AdaptError, MemoryFolder, Parsed, parse_folder};
    use super::*;
    use crate::domain::Outcome;

    const SAMPLE: &str = r#"{"sampling_mode":"Linear","iters":[10.0,20.0],"times":[125.0,500.0]}"#;
    const ESTIMATES: &str =
        r#"{"mean":{"point_estimate":7.0},"median":{"confidence_interval":{},"point_estimate":6.5},"slope":null}"#;

    fn folder(files: &[(&str, &str)]) -> MemoryFolder {
        MemoryFolder::new(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect())
    }

    fn values(parsed: &Parsed, name: &str) -> Vec<f64> {
        let Outcome::Measured(measured) = &parsed.sets[0].outcomes[name] else { panic!("measured") };
        measured.readings[0].lives[0].values().to_vec()
    }

    #[test]
    fn samples_are_divided_by_their_iterations_and_names_come_from_inside() {
        let ids =
            r#"{"group_id":"g","throughput":{"Bytes":1024},"full_id":"sum/<odd> name","directory_name":"sum/_odd_"}"#;
        let parsed = parse_folder(
            None,
            &folder(&[
                ("sum/_odd_/new/benchmark.json", ids),
                ("sum/_odd_/new/sample.json", SAMPLE),
                ("sum/_odd_/base/sample.json", "not read"),
                ("sum/_odd_/change/estimates.json", "not read"),
                ("old/new/estimates.json", ESTIMATES),
                ("kept/base/estimates.json", ESTIMATES),
            ]),
        )
        .unwrap();
        assert_eq!(values(&parsed, "sum/<odd> name"), [12.5, 25.0]);
        assert_eq!(values(&parsed, "old"), [6.5]);
        assert_eq!(parsed.sets[0].outcomes.len(), 2);
        assert!(parsed.remarks[0].contains("\"kept\" has saved baselines only"));
        let Outcome::Measured(measured) = &parsed.sets[0].outcomes["sum/<odd> name"] else { panic!("measured") };
        assert_eq!(measured.notes["throughput.bytes"], "1024");
        assert_eq!(measured.notes["criterion.directory"], "sum/_odd_");
    }

    #[test]
    fn a_folder_of_one_baseline_is_read_and_of_two_refused() {
        let parsed = parse_folder(None, &folder(&[("a/main/estimates.json", ESTIMATES)])).unwrap();
        assert_eq!(values(&parsed, "a"), [6.5]);
        let two = folder(&[("a/x/estimates.json", ESTIMATES), ("a/y/estimates.json", ESTIMATES)]);
        assert!(parse_folder(None, &two).unwrap_err().to_string().contains("the baselines x, y"));
    }

    #[test]
    fn a_broken_file_is_named() {
        let broken = folder(&[("a/new/sample.json", "{\"iters\":[1,2],\"times\":[1]}")]);
        let error = parse_folder(None, &broken).unwrap_err();
        assert!(error.to_string().contains("\"a/new/sample.json\""), "{error}");
        assert!(error.to_string().contains("2 numbers of iterations for 1 times"), "{error}");
        let hyperfine = Format::named("hyperfine").unwrap();
        assert!(matches!(parse_folder(hyperfine, &broken), Err(AdaptError::WantsFile { .. })));
    }
}
