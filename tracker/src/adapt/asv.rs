//! airspeed velocity's results: a folder with `benchmarks.json` (units, types) and for each machine a folder of
//! `<commit>-<environment>.json`; or one of those files. Version 1 maps a benchmark to a number or an object, version 2
//! to a list whose columns are named once.
//!
//! `null` is a failure. `NaN` is what asv writes for a skipped combination of parameters; it is recorded as a failure
//! too, under that name.

use std::collections::BTreeMap;

use super::asv_values::{Row, entry_v1, entry_v2, write_down};
use super::error::Flaw;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::limits;
use super::parsed::{Folder, Parsed};
use super::sheet::Sheet;
use super::text::decode;

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "asv",
    title: "airspeed velocity (Python), its results",
    made_by: "asv run; then give .asv/results",
    carries: Carries {
        samples: Held::WhenAsked,
        lives: false,
        direction: Directions::Partly,
        failures: true,
        history: true,
    },
    takes: Takes::Either { file: read_file, recognises: recognises_folder, folder: read_folder },
    lossy: false,
    recognises: |sniff| sniff.has("results") && sniff.has("commit_hash"),
};

/// What `benchmarks.json` says of a benchmark: its unit.
pub(super) type Units = BTreeMap<String, String>;

fn recognises_folder(paths: &[String]) -> bool {
    paths.iter().any(|path| path == "benchmarks.json" || path.ends_with("/benchmarks.json"))
        || paths.iter().any(|path| path.ends_with("/machine.json"))
}

fn read_folder(folder: &dyn Folder) -> Result<Parsed, Flaw> {
    let mut units = Units::new();
    for path in folder.paths().iter().filter(|path| path.rsplit('/').next() == Some("benchmarks.json")) {
        with_text(folder, path, |text| {
            units.extend(definitions(text)?);
            Ok(())
        })?;
    }
    let (mut parsed, mut broken) = (Parsed::default(), None);
    for path in folder.paths() {
        let Some((_, file)) = path.rsplit_once('/') else { continue };
        let is_result = std::path::Path::new(file).extension().is_some_and(|end| end == "json")
            && !matches!(file, "machine.json" | "benchmarks.json" | "index.json");
        if !is_result {
            continue;
        }
        if parsed.sets.len() >= limits::SETS {
            return Err(Flaw::new(format!("more than {} results", limits::SETS)));
        }
        let read = with_text(folder, path, |text| {
            one_result(text, &units)?.finish_into(&mut parsed);
            Ok(())
        });
        // Each file holds one commit whole, so one that is broken takes nothing from the others; asv passes it over too.
        if let Err(flaw) = read {
            parsed.remark(format!("left out: {}", flaw.clone().in_folder(FORMAT.name)));
            broken.get_or_insert(flaw);
        }
    }
    if let (Some(flaw), true) = (broken, parsed.sets.is_empty()) {
        return Err(flaw);
    }
    if units.is_empty() {
        parsed.remark("no benchmarks.json in the folder: units were taken from the benchmarks' names".to_owned());
    }
    Ok(parsed)
}

fn with_text(folder: &dyn Folder, path: &str, read: impl FnOnce(&str) -> Result<(), Flaw>) -> Result<(), Flaw> {
    let bytes = folder.read(path).map_err(|reason| Flaw::new(reason).in_file(path, ""))?;
    let decoded = decode(&bytes, false).map_err(|error| Flaw::new(error.to_string()).in_file(path, ""))?;
    read(&decoded.text).map_err(|flaw| flaw.in_file(path, &decoded.text))
}

fn read_file(text: &str) -> Result<Parsed, Flaw> {
    Ok(one_result(text, &Units::new())?.finish())
}

fn definitions(text: &str) -> Result<Units, Flaw> {
    let mut units = Units::new();
    let mut reader = Reader::new(text);
    reader.map(|name, reader| {
        if reader.next() != Next::Map {
            return reader.skip();
        }
        reader.map(|key, reader| {
            match (key, reader.next()) {
                ("unit", Next::Text) => {
                    units.insert(name.to_owned(), reader.text()?.into_owned());
                }
                _ => reader.skip()?,
            }
            Ok(())
        })
    })?;
    reader.finish()?;
    Ok(units)
}

fn one_result(text: &str, units: &Units) -> Result<Sheet, Flaw> {
    let mut sheet = Sheet::default();
    let (mut columns, mut results, mut version) = (Vec::new(), None, None);
    let mut environment = None;
    let mut reader = Reader::new(text);
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("commit_hash", Next::Text) => sheet.origin.commit = Some(reader.text()?.into_owned()),
            ("date", Next::Number) => sheet.origin.at_s = Some(seconds(reader.number()?)),
            ("env_name", Next::Text) => environment = Some(reader.text()?.into_owned()),
            ("version", Next::Number) => version = Some(reader.count()?),
            ("params", Next::Map) => machine(reader, &mut sheet)?,
            ("result_columns", Next::List) => reader.list(|_, reader| {
                columns.push(reader.text()?.into_owned());
                Ok(())
            })?,
            ("results", Next::Map) => results = Some(reader.raw_reader()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.finish()?;
    if let Some(version) = version.filter(|version| !matches!(version, 1 | 2)) {
        return Err(Flaw::new(format!("expected version 1 or 2, found {version}")).below_key("version"));
    }
    // One commit is measured in several environments; each is a suite of its own.
    sheet.origin.suite.clone_from(&environment);
    sheet.notes.extend(environment.map(|environment| ("environment".to_owned(), environment)));
    let mut results = results.ok_or_else(|| Flaw::new("expected the key \"results\""))?;
    let read = results.map(|name, reader| {
        let entry = if columns.is_empty() { entry_v1(reader)? } else { entry_v2(reader, &columns)? };
        write_down(Row { name, unit: units.get(name).map(String::as_str), entry }, &mut sheet)
    });
    read.map_err(|flaw| flaw.below_key("results"))?;
    Ok(sheet)
}

/// Milliseconds since 1970 as seconds.
#[expect(clippy::cast_possible_truncation, reason = "a moment beyond i64 seconds is clamped")]
fn seconds(date_ms: f64) -> i64 {
    (date_ms / 1000.0) as i64
}

fn machine(reader: &mut Reader<'_>, sheet: &mut Sheet) -> Result<(), Flaw> {
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("machine", Next::Text) => sheet.origin.machine = Some(reader.text()?.into_owned()),
            ("cpu" | "arch" | "python", Next::Text) => {
                // Of an environment that was there already, `python` is the place of its program.
                let text = reader.text()?;
                if !(key == "python" && text.contains(['/', '\\'])) {
                    sheet.notes.insert(key.to_owned(), text.into_owned());
                }
            }
            _ => reader.skip()?,
        }
        Ok(())
    })
}
