//! Broken and hostile files: fixtures of every format are mutated, and no parser may panic, hang or eat memory.
//!
//! The mutations come from a fixed seed. `TACHOGRAPH_SOAK=N` does N times as many. Eleven million inputs, some minutes:
//! `TACHOGRAPH_SOAK=500 cargo test --release --test formats_hostile`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, which may stop at what they did not expect"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use tachograph::adapt::{
    AdaptError, FORMATS, File, Format, MemoryFolder, Parsed, Source, limits, parse, parse_folder, pieces,
};
use tachograph::domain::Outcome;

/// How often each fixture is mutated in an ordinary run.
const ROUNDS: u64 = 600;
/// No input of a few kilobytes may take longer, even on a busy machine in a debug build.
const SLOWEST: Duration = Duration::from_secs(1);

/// The fixtures by the name of their format: what stands before the first dot, `k6-flat` and `k6-listed` being further
/// shapes of `k6`.
fn fixtures() -> Vec<(&'static Format, String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats");
    let mut fixtures = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let stem = file.split('.').next().unwrap().trim_end_matches("-flat").trim_end_matches("-listed").to_owned();
        if file.ends_with(".key.tsv") {
            continue;
        }
        let format = Format::named(&stem).unwrap().unwrap();
        fixtures.push((format, file, std::fs::read(&path).unwrap()));
    }
    fixtures.sort_by(|(_, one, _), (_, other, _)| one.cmp(other));
    fixtures
}

#[test]
fn every_format_that_is_a_file_has_a_fixture_and_auto_finds_it_alone() {
    let fixtures = fixtures();
    for format in FORMATS.iter().filter(|format| format.taken_as() != "folder" && format.name != "gab-smaller") {
        assert!(fixtures.iter().any(|(known, _, _)| known.name == format.name), "no fixture for {}", format.name);
    }
    for (format, file, bytes) in &fixtures {
        let parsed = parse(Some(format), bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
        match parse(None, bytes) {
            Ok(found) => assert_eq!(found, parsed, "{file}"),
            Err(AdaptError::Ambiguous { formats }) if file.starts_with("gab-") => {
                assert_eq!(formats, ["gab-bigger", "gab-smaller"], "{file}");
            }
            Err(error) => panic!("{file}: {error}"),
        }
        match in_pieces(None, Source::File(bytes)) {
            Some(read) => assert_eq!(read, in_one_set(Ok(parsed.clone())), "{file}"),
            None => assert!(format.name != "tinybench"),
        }
        // A byte order mark and the line ends of Windows change nothing.
        let windows = String::from_utf8(bytes.clone()).unwrap().replace('\n', "\r\n");
        let marked = [b"\xef\xbb\xbf".as_slice(), windows.as_bytes()].concat();
        assert_eq!(parse(Some(format), &marked).unwrap().sets, parsed.sets, "{file}");
    }
}

#[test]
fn how_a_file_is_encoded_is_seen_however_few_bytes_come_at_a_time() {
    let format = Format::named("tinybench").unwrap().unwrap();
    let (_, _, good) = fixtures().into_iter().find(|(known, ..)| known.name == format.name).unwrap();
    for begin in ["[\0".as_bytes(), b"\xff\xfe[", b"\xef\xbb\xbf", b"\xef\xbb\xbf[1,"] {
        let bytes = [begin, &good].concat();
        for step in 1..10 {
            let read = in_pieces(Some(format), Source::File(&Dribble { bytes: &bytes, step })).expect("a list");
            assert_same(read, in_one_set(parse(Some(format), &bytes)), &format!("{begin:?} by {step}"));
        }
    }
}

#[test]
fn every_prefix_of_every_fixture_is_read_or_refused_with_a_place() {
    for (format, file, bytes) in fixtures() {
        for end in 0..bytes.len() {
            check(format, &file, &bytes[..end]);
        }
    }
}

#[test]
fn no_mutation_makes_a_parser_panic_hang_or_yield_what_is_no_number() {
    let soak: u64 = std::env::var("TACHOGRAPH_SOAK").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let fixtures = fixtures();
    let (mut inputs, mut taken) = (0_u64, 0_u64);
    for (at, (format, file, bytes)) in fixtures.iter().enumerate() {
        let mut random = Pcg64Mcg::seed_from_u64(at as u64);
        for _ in 0..ROUNDS * soak {
            let mutated = mutate(bytes, &fixtures, &mut random);
            taken += u64::from(check(format, file, &mutated));
            inputs += 1;
            if inputs % 16 == 0 {
                look_through(file, &mutated);
                inputs += 1;
            }
        }
    }
    println!("{inputs} inputs, {taken} of them read");
    assert!(taken > inputs / 50, "the mutations are too coarse to reach far: {taken} of {inputs} read");
}

#[test]
fn no_mutation_of_a_file_in_criterions_folder_makes_its_parser_panic_or_hang() {
    let soak: u64 = std::env::var("TACHOGRAPH_SOAK").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let whole: [(&str, &[u8]); 3] = [
        ("a/new/benchmark.json", br#"{"full_id":"a/1","throughput":{"Bytes":1024}}"#),
        ("a/new/sample.json", br#"{"sampling_mode":"Linear","iters":[10.0,20.0],"times":[125.0,500.5]}"#),
        ("b/new/estimates.json", br#"{"median":{"confidence_interval":{},"point_estimate":6.5},"slope":null}"#),
    ];
    let fixtures = fixtures();
    let mut random = Pcg64Mcg::seed_from_u64(7);
    for _ in 0..ROUNDS * soak {
        let broken = below(&mut random, whole.len());
        let files = whole.iter().enumerate().map(|(at, (path, bytes))| {
            let bytes = if at == broken { mutate(bytes, &fixtures, &mut random) } else { bytes.to_vec() };
            ((*path).to_owned(), bytes)
        });
        let folder = MemoryFolder::new(files.collect());
        let start = Instant::now();
        let read = parse_folder(None, &folder);
        if let Ok(parsed) = &read {
            hold(parsed, "criterion", 100_000);
        }
        assert!(start.elapsed() < SLOWEST, "{folder:?}");
        assert_eq!(in_pieces(None, Source::Folder(&folder)), Some(in_one_set(read)));
    }
}

/// Reads one input, and looks at what came of it. Says whether it was read.
fn check(format: &'static Format, file: &str, bytes: &[u8]) -> bool {
    let start = Instant::now();
    let read = parse(Some(format), bytes);
    let elapsed = start.elapsed();
    assert!(elapsed < SLOWEST, "{file} took {elapsed:?}: {:?}", String::from_utf8_lossy(bytes));
    let start = Instant::now();
    let dribble = Dribble { bytes, step: 1 + bytes.len() % 97 };
    if let Some(again) = in_pieces(Some(format), Source::File(&dribble)) {
        assert!(start.elapsed() < 2 * SLOWEST, "{file} in pieces: {:?}", String::from_utf8_lossy(bytes));
        assert_same(again, in_one_set(read.clone()), &String::from_utf8_lossy(bytes));
    }
    match read {
        Ok(parsed) => {
            hold(&parsed, file, bytes.len());
            true
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.len() < 4096 + limits::EXCERPT_BYTES, "{file}: {said}");
            assert!(!said.contains(['\u{1b}', '\0']), "{file}: {said:?}");
            false
        }
    }
}

/// A file that is handed out in small parts, so that its elements and characters are cut everywhere.
struct Dribble<'b> {
    bytes: &'b [u8],
    step: usize,
}

impl File for Dribble<'_> {
    fn bytes(&self) -> usize {
        self.bytes.len()
    }

    fn read(&self, from: usize, most: usize) -> Result<Vec<u8>, String> {
        let rest = self.bytes.get(from..).unwrap_or_default();
        Ok(rest[..rest.len().min(most).min(self.step)].to_vec())
    }
}

/// What was read: outcomes by their names, and remarks.
type OneSet = Result<(BTreeMap<String, Outcome>, Vec<String>), AdaptError>;

fn in_one_set(parsed: Result<Parsed, AdaptError>) -> OneSet {
    let mut parsed = parsed?;
    let outcomes = parsed.sets.remove(0).outcomes;
    Ok((outcomes.into_iter().map(|(name, outcome)| (name.to_string(), outcome)).collect(), parsed.remarks))
}

/// The same, looked through first and then read benchmark by benchmark, the last one first.
fn in_pieces(format: Option<&'static Format>, source: Source<'_>) -> Option<OneSet> {
    let found = match pieces(format, source) {
        Ok(found) => found?,
        Err(error) => return Some(Err(error)),
    };
    let read = found.benchmarks.iter().rev().map(|(name, piece)| {
        let outcome = piece.read(source).unwrap();
        assert_eq!(matches!(outcome, Outcome::Measured(_)), piece.is_measured);
        (name.to_string(), outcome)
    });
    Some(Ok((read.collect(), found.remarks)))
}

/// Both ways of reading find the same, or the same flaw at the same place. Of two flaws one finds the first and the other
/// what is no text.
fn assert_same(pieces: OneSet, whole: OneSet, text: &str) {
    match (pieces, whole) {
        (Err(_), Err(AdaptError::NotUtf8 { .. } | AdaptError::Empty)) => {}
        (Err(pieces), Err(whole)) => assert_eq!(pieces.to_string(), whole.to_string(), "{text:?}"),
        (pieces, whole) => assert_eq!(pieces, whole, "{text:?}"),
    }
}

fn look_through(file: &str, bytes: &[u8]) {
    let start = Instant::now();
    let _ = parse(None, bytes);
    assert!(start.elapsed() < SLOWEST, "{file}: {:?}", String::from_utf8_lossy(bytes));
}

/// What was read holds to the promises, and is not larger than the input by more than a factor.
fn hold(parsed: &Parsed, file: &str, input_bytes: usize) {
    let mut values = 0;
    let mut names = 0;
    for set in &parsed.sets {
        for (name, outcome) in &set.outcomes {
            names += name.as_str().len();
            let Outcome::Measured(measured) = outcome else { continue };
            assert!(!measured.readings.is_empty(), "{file}: {name} is measured and has no reading");
            for reading in &measured.readings {
                for life in &reading.lives {
                    values += life.values().len();
                    let is_time = reading.metric.unit.as_str() == "ns";
                    assert!(life.values().iter().all(|value| value.is_finite()), "{file}: {name}");
                    assert!(!is_time || life.values().iter().all(|value| *value >= 0.0), "{file}: {name}");
                }
            }
        }
    }
    assert!(values <= input_bytes, "{file}: {values} values of {input_bytes} bytes");
    assert!(names <= 64 * (input_bytes + 4096), "{file}: {names} bytes of names of {input_bytes} bytes");
}

/// Words that break parsers.
const WORDS: [&[u8]; 40] = [
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-1",
    b"-0",
    b"0",
    b"18446744073709551616",
    b"9007199254740993",
    b"1e-320",
    b"1,5",
    b"1,234",
    b"null",
    b"true",
    b"\"\"",
    b"[]",
    b"{}",
    b"[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":",
    b"\0",
    b"\xff\xfe",
    b"\xc3",
    b"\\u0000",
    b"\\ud800",
    b"\"",
    b"\\",
    b"\r",
    b"\n",
    b"\r\n\r\n",
    b"\x1b[31m",
    b"\x1b[",
    b"<!DOCTYPE a>",
    b"&#0;",
    b"]]>",
    "│".as_bytes(),
    "├─ ".as_bytes(),
    "±".as_bytes(),
    "µs".as_bytes(),
    b" x ",
    b"::",
    b"|",
];

fn below(random: &mut Pcg64Mcg, bound: usize) -> usize {
    usize::try_from(random.next_u64() % bound.max(1) as u64).unwrap()
}

/// One to four changes: a byte, a word, a piece cut, doubled, moved, repeated many times, or taken from elsewhere.
fn mutate(bytes: &[u8], others: &[(&'static Format, String, Vec<u8>)], random: &mut Pcg64Mcg) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    for _ in 0..=below(random, 4) {
        let at = below(random, mutated.len() + 1);
        let length = 1 + below(random, 40).min(mutated.len() - at);
        let end = (at + length).min(mutated.len());
        let word = WORDS[below(random, WORDS.len())];
        match below(random, 9) {
            0 if at < mutated.len() => mutated[at] ^= 1 << below(random, 8),
            1 => drop(mutated.splice(at..at, word.iter().copied())),
            2 => drop(mutated.splice(at..end, word.iter().copied())),
            3 => drop(mutated.drain(at..end)),
            4 => {
                let piece = mutated[at..end].to_vec();
                let to = below(random, mutated.len() + 1);
                mutated.splice(to..to, piece);
            }
            5 => {
                let piece = mutated[at..end].repeat(1 + below(random, 60));
                mutated.splice(at..at, piece);
            }
            6 => {
                let other = &others[below(random, others.len())].2;
                let from = below(random, other.len());
                let piece = &other[from..(from + 60).min(other.len())];
                mutated.splice(at..at, piece.iter().copied());
            }
            7 => number(&mut mutated, at, random),
            _ => mutated.truncate(at.max(mutated.len() / 2)),
        }
    }
    mutated
}

/// Puts another number in the place of the next one.
fn number(bytes: &mut Vec<u8>, from: usize, random: &mut Pcg64Mcg) {
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let word = WORDS[below(random, 11)];
    bytes.splice(start..start + length, word.iter().copied());
}
