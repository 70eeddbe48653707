//! Reading other tools' results: large files with samples, and a history as long as projects have.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tachograph::adapt::{Format, MemoryFolder, Parsed, Source, parse, parse_folder, pieces};
use tachograph::domain::Outcome;
use tachograph_harness::Suite;

/// A tenth of what a run with samples leaves; the rate is the same for ten times as much.
const LARGE_BYTES: usize = 10_000_000;
/// What a sample takes in a file: a latency and a throughput, or a time and its iterations.
const PAIR_BYTES: usize = 37;
const SAMPLE_BYTES: usize = 24;
const BENCHMARK_FILES: usize = 100;
const COMMITS: usize = 1000;
const BENCHMARKS: usize = 200;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    suite
        .benchmark("adapt/tinybench/10MB", || {
            let text = tinybench();
            move || values(&parse(format("tinybench"), text.as_bytes()).expect("read"))
        })
        .bytes(LARGE_BYTES)
        .expect(4 * (LARGE_BYTES / 4 / PAIR_BYTES));

    suite
        .benchmark("adapt/tinybench-in-pieces/10MB", || {
            let file = tinybench().into_bytes();
            move || in_pieces("tinybench", Source::File(&file))
        })
        .bytes(LARGE_BYTES)
        .expect(4);

    suite
        .benchmark("adapt/criterion-in-pieces/10MB", || {
            let folder = criterion();
            move || in_pieces("criterion", Source::Folder(&folder))
        })
        .bytes(LARGE_BYTES)
        .expect(BENCHMARK_FILES);

    suite
        .benchmark("adapt/criterion/10MB", || {
            let folder = criterion();
            move || values(&parse_folder(format("criterion"), &folder).expect("read"))
        })
        .bytes(LARGE_BYTES)
        .expect(BENCHMARK_FILES * (LARGE_BYTES / BENCHMARK_FILES / SAMPLE_BYTES));

    suite
        .benchmark("adapt/gab-history/1000x200", || {
            let text = history();
            move || values(&parse(format("gab-history"), text.as_bytes()).expect("read"))
        })
        .elements(COMMITS * BENCHMARKS)
        .expect(COMMITS * BENCHMARKS);
}

fn format(name: &str) -> Option<&'static Format> {
    Format::named(name).expect("a format")
}

/// Reads all, then each benchmark again, as it is done with what is too large for memory.
fn in_pieces(name: &str, source: Source<'_>) -> usize {
    let found = pieces(format(name), source).expect("read").expect("in pieces");
    let read = found.benchmarks.values().map(|piece| piece.read(source).expect("read again"));
    read.filter(|outcome| matches!(outcome, Outcome::Measured(_))).count()
}

fn values(parsed: &Parsed) -> usize {
    let outcomes = parsed.sets.iter().flat_map(|set| set.outcomes.values());
    outcomes
        .map(|outcome| match outcome {
            Outcome::Measured(measured) => measured.readings[0].lives[0].values().len(),
            Outcome::Failed(_) => 0,
        })
        .sum()
}

/// Figures with as many digits as a clock in floating point gives, each a little different.
fn figure(at: usize) -> f64 {
    0.25 + f64::from(u32::try_from(at % 1_000_003).expect("small")) / 7_654_321.0
}

/// Four tasks with samples of latency and of throughput.
fn tinybench() -> String {
    let samples = LARGE_BYTES / 4 / PAIR_BYTES;
    let mut text = String::from("[");
    for task in 0..4 {
        let comma = if task > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}\n{{\"name\":\"task {task}\",\"result\":{{\"state\":\"completed\",\"latency\":{{\"samples\":["
        );
        list(&mut text, samples, figure);
        text.push_str("],\"p50\":0.5},\"throughput\":{\"samples\":[");
        list(&mut text, samples, |at| 1000.0 / figure(at));
        text.push_str("]}}}");
    }
    text.push(']');
    text
}

fn list(text: &mut String, length: usize, value: impl Fn(usize) -> f64) {
    for at in 0..length {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(text, "{comma}{}", value(at));
    }
}

/// A folder for each of many benchmarks, with as many samples as make up the size.
fn criterion() -> MemoryFolder {
    let mut files = BTreeMap::new();
    let samples = LARGE_BYTES / BENCHMARK_FILES / SAMPLE_BYTES;
    for benchmark in 0..BENCHMARK_FILES {
        let ids = format!("{{\"full_id\":\"group/{benchmark}\",\"throughput\":null}}");
        let mut text = String::from("{\"sampling_mode\":\"Flat\",\"iters\":[");
        list(&mut text, samples, |at| f64::from(u32::try_from(at % 9 + 1000).expect("small")));
        text.push_str("],\"times\":[");
        list(&mut text, samples, |at| 1000.0 * figure(at + benchmark));
        text.push_str("]}");
        files.insert(format!("group/{benchmark:04}/new/benchmark.json"), ids.into_bytes());
        files.insert(format!("group/{benchmark:04}/new/sample.json"), text.into_bytes());
    }
    MemoryFolder::new(files)
}

fn history() -> String {
    let mut text = String::from("window.BENCHMARK_DATA = {\"lastUpdate\":1,\"entries\":{\"Rust\":[");
    for commit in 0..COMMITS {
        let comma = if commit > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}{{\"commit\":{{\"id\":\"{commit:040x}\",\"message\":\"a change\",\"timestamp\":\"2026-01-31T12:00:00Z\",\
             \"author\":{{\"name\":\"somebody\"}}}},\"date\":1574927127603,\"tool\":\"cargo\",\"benches\":["
        );
        for benchmark in 0..BENCHMARKS {
            let comma = if benchmark > 0 { "," } else { "" };
            let value = 1000.0 * figure(commit * 7 + benchmark);
            let _ = write!(
                text,
                "{comma}{{\"name\":\"group/{benchmark}\",\"value\":{value},\"range\":\"± 20\",\"unit\":\"ns/iter\"}}"
            );
        }
        text.push_str("]}");
    }
    text.push_str("]}}");
    text
}
