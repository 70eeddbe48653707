//! The samples of real tools: each is parsed and compared with a key that was made from the files by other means.
//!
//! The samples are not part of this repository, since their licences are their authors' own. They are read where a
//! folder `shared/samples` stands beside it; elsewhere the test says that it compared nothing.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, which may stop at what they did not expect"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tachograph::adapt::{self, AdaptError, Format, MemoryFolder, Parsed, parse, parse_folder, pieces};
use tachograph::config::{Config, Runs, Source};
use tachograph::domain::{Measured, Outcome};

const KEY: &str = include_str!("fixtures/formats/samples.key.tsv");

fn samples() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples");
    let further = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    [beside, further].into_iter().find(|path| path.join("SOURCES.tsv").is_file())
}

/// Every file of the samples by its format's folder, and the path that it had in its own repository.
fn files(samples: &Path) -> Vec<(String, String, Vec<u8>)> {
    let sources = std::fs::read_to_string(samples.join("SOURCES.tsv")).unwrap();
    let mut files = Vec::new();
    for line in sources.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let (format, path, file) = (cells[0], cells[2], cells[5]);
        let mut place = samples.join(format).join(file);
        if !place.is_file() {
            // Some names were cleaned when the files were laid down.
            let only: Vec<_> =
                std::fs::read_dir(samples.join(format)).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert_eq!(only.len(), 1, "{file} is not among {only:?}");
            place.clone_from(&only[0]);
        }
        files.push((format.to_owned(), path.to_owned(), std::fs::read(place).unwrap()));
    }
    files
}

/// What was read, in the key's own form: format, benchmark, metric, unit, direction, kind, values a life, first value,
/// last value.
fn table(name: &str, parsed: &Parsed, out: &mut String) {
    for set in &parsed.sets {
        for (benchmark, outcome) in &set.outcomes {
            match outcome {
                Outcome::Failed(trouble) => {
                    writeln!(out, "{name}\t{benchmark}\tfailed\t{}", trouble.reason).unwrap();
                }
                Outcome::Measured(measured) => readings(name, benchmark.as_str(), measured, out),
            }
        }
    }
}

fn readings(name: &str, benchmark: &str, measured: &Measured, out: &mut String) {
    for reading in &measured.readings {
        let metric = &reading.metric;
        let counts: Vec<String> = reading.lives.iter().map(|life| life.values().len().to_string()).collect();
        let first = reading.lives[0].values()[0];
        let last = reading.lives.last().unwrap().values().last().unwrap();
        let (unit, better, kind) = (&metric.unit, metric.better.as_str(), metric.kind.as_str());
        let counts = counts.join("+");
        writeln!(out, "{name}\t{benchmark}\t{}\t{unit}\t{better}\t{kind}\t{counts}\t{first}\t{last}", metric.name)
            .unwrap();
    }
}

fn same(found: &str, key: &str) -> bool {
    let (found, key): (Vec<_>, Vec<_>) = (found.split('\t').collect(), key.split('\t').collect());
    let close = |found: &str, key: &str| match (found.parse::<f64>(), key.parse::<f64>()) {
        // The key's products were rounded by another program.
        (Ok(found), Ok(key)) => (found - key).abs() <= 1e-9 * key.abs(),
        _ => found == key,
    };
    found.len() == key.len() && found.iter().zip(&key).all(|(found, key)| close(found, key))
}

#[test]
fn every_sample_of_a_real_tool_is_read_as_its_key_says() {
    let Some(samples) = samples() else {
        println!("compared nothing: no folder shared/samples beside the repository");
        return;
    };
    let mut found = String::new();
    let mut criterion = BTreeMap::new();
    for (format, path, bytes) in files(&samples) {
        in_pieces(adapt::Source::File(&bytes), &parse(None, &bytes));
        if format == "criterion-json" {
            criterion.insert(path, bytes);
            continue;
        }
        let name = format!("{format}/{}", path.rsplit('/').next().unwrap());
        let told = if format == "gab-custom" { Format::named("gab-bigger").unwrap() } else { None };
        match parse(told, &bytes) {
            Ok(parsed) => table(&name, &parsed, &mut found),
            Err(error) => writeln!(found, "{name}\trefused\t{}", short(&error)).unwrap(),
        }
    }
    let folder = MemoryFolder::new(criterion.clone());
    in_pieces(adapt::Source::Folder(&folder), &parse_folder(None, &folder));
    table("criterion-json", &parse_folder(None, &MemoryFolder::new(criterion.clone())).unwrap(), &mut found);
    criterion.retain(|path, _| path.contains("fib 20"));
    table("criterion-json/fib 20", &parse_folder(None, &MemoryFolder::new(criterion)).unwrap(), &mut found);

    let mut found: Vec<&str> = found.lines().collect();
    found.sort_unstable();
    let mut key: Vec<&str> = KEY.lines().filter(|line| !line.starts_with('#')).collect();
    key.sort_unstable();
    let missing: Vec<&&str> = key.iter().filter(|line| !found.iter().any(|found| same(found, line))).collect();
    let extra: Vec<&&str> = found.iter().filter(|line| !key.iter().any(|key| same(line, key))).collect();
    assert!(missing.is_empty() && extra.is_empty(), "not found:\n{missing:#?}\nnot in the key:\n{extra:#?}");
    assert_eq!(found.len(), key.len());
}

/// What can be read benchmark by benchmark is the same when it is.
fn in_pieces(source: adapt::Source<'_>, whole: &Result<Parsed, AdaptError>) {
    let Some(found) = pieces(None, source).ok().flatten() else { return };
    let whole = whole.as_ref().unwrap();
    assert_eq!((found.format, &found.remarks), (whole.format, &whole.remarks));
    assert_eq!(found.benchmarks.len(), whole.sets[0].outcomes.len());
    for (name, piece) in &found.benchmarks {
        assert_eq!(piece.read(source).unwrap(), whole.sets[0].outcomes[name], "{name}");
    }
    println!("{}: {} benchmarks read one at a time", found.format, found.benchmarks.len());
}

#[test]
fn every_recipe_of_the_configuration_names_a_format_that_there_is() {
    let suite = |recipe: &str, program: &str| Config::parse(&format!("[suite.a]\nrecipe = {recipe:?}\n{program}"));
    let refused = suite("unheard of", "").unwrap_err().to_string();
    let (_, names) = refused.split_once("there is ").unwrap();
    let names: Vec<&str> = names.lines().next().unwrap().split(", ").collect();
    assert!(names.len() >= 8 && names.contains(&"criterion"), "{refused}");
    for name in names {
        let config = suite(name, "program = \"./bench\"").or_else(|_| suite(name, "")).unwrap();
        let Source::Command(source) = &config.suites["a"].source else { panic!("{name}") };
        let Runs::Harness(harness) = &source.runs else { panic!("{name}") };
        assert!(matches!(Format::named(&harness.format), Ok(Some(_))), "{name}: {:?}", harness.format);
    }
}

fn short(error: &AdaptError) -> &'static str {
    match error {
        AdaptError::Unrecognised => "unrecognised",
        AdaptError::Ambiguous { .. } => "ambiguous",
        AdaptError::NothingMeasured { .. } => "nothing measured",
        AdaptError::Flawed { .. } => "flawed",
        _ => "other",
    }
}
