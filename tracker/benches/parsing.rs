//! Parsers of result files: megabytes of the shapes that people have.

use std::fmt::Write as _;

use tachograph::adapt::{self, Format};
use tachograph_harness::Suite;

/// A format's name, what writes a file of it, and how many benchmarks are in its last set.
type File = (&'static str, fn() -> String, usize);

pub(crate) fn offer(suite: &mut Suite<'_>) {
    let mut group = suite.group("parse");
    let files: [File; 4] =
        [("tachograph", own, 500), ("hyperfine", hyperfine, 500), ("go", go, 2000), ("gab-history", data_js, 100)];
    for (name, write, benchmarks) in files {
        let size = write().len();
        group
            .benchmark(name, move || {
                let text = write();
                let format = Format::named(name).expect("a known format");
                move || {
                    let parsed = adapt::parse(format, text.as_bytes()).expect("it is well formed");
                    parsed.sets.last().map(|set| set.outcomes.len())
                }
            })
            .bytes(size)
            .expect(Some(benchmarks));
    }
}

fn own() -> String {
    let life: Vec<String> = (0..200).map(|index| format!("{}.{:03}", 5000 + index % 37, index % 1000)).collect();
    let life = life.join(",");
    let rows: Vec<String> = (0..500)
        .map(|index| {
            format!(
                r#"{{"name":"kernel/{index}","metrics":[{{"name":"time","unit":"ns","better":"lower","kind":"noisy","lives":[[{life}]]}}]}}"#
            )
        })
        .collect();
    format!(r#"{{"tachograph":1,"benchmarks":[{}]}}"#, rows.join(","))
}

fn hyperfine() -> String {
    let times: Vec<String> = (0..100).map(|index| format!("0.01{:03}", index * 7 % 1000)).collect();
    let codes = vec!["0"; 100].join(",");
    let rows: Vec<String> = (0..500)
        .map(|index| {
            format!(
                r#"{{"command":"tool --size {index}","mean":0.0105,"stddev":0.0003,"median":0.0105,"user":0.008,"system":0.002,"min":0.01,"max":0.011,"times":[{}],"exit_codes":[{codes}]}}"#,
                times.join(",")
            )
        })
        .collect();
    format!(r#"{{"results":[{}]}}"#, rows.join(","))
}

fn go() -> String {
    let mut text = "goos: linux\ngoarch: amd64\npkg: example.com/lorry\n".to_owned();
    for index in 0..2000 {
        let _ =
            writeln!(text, "BenchmarkEncode{index}-8 \t 200000 \t {}.5 ns/op \t 16 B/op \t 2 allocs/op", 5000 + index);
    }
    text + "PASS\nok  \texample.com/lorry\t3.1s\n"
}

/// Two hundred commits of a hundred benchmarks.
fn data_js() -> String {
    let entries: Vec<String> = (0..200)
        .map(|commit| {
            let benches: Vec<String> = (0..100)
                .map(|index| {
                    format!(
                        r#"{{"name":"bench_{index}","value":{},"range":"± 12","unit":"ns/iter"}}"#,
                        5000 + (commit * 31 + index * 7) % 100
                    )
                })
                .collect();
            format!(
                r#"{{"commit":{{"id":"{commit:040x}","message":"change {commit}","timestamp":"2026-01-02T03:04:05Z","url":"","author":{{"name":"a"}},"committer":{{"name":"c"}}}},"date":{},"tool":"cargo","benches":[{}]}}"#,
                1_767_323_045_000_u64 + commit * 3_600_000,
                benches.join(",")
            )
        })
        .collect();
    format!(
        r#"window.BENCHMARK_DATA = {{"lastUpdate":1767323045000,"repoUrl":"","entries":{{"Rust":[{}]}}}}"#,
        entries.join(",")
    )
}
