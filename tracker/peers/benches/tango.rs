//! The work under tango: base and head are two builds of this, loaded into one process.

use tango_bench::{IntoBenchmarks, benchmark_fn, tango_benchmarks, tango_main};

fn percent() -> f64 {
    option_env!("PEER_PERCENT").and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

fn works() -> impl IntoBenchmarks {
    [
        benchmark_fn("compute", |bencher| {
            let work = peers::compute(percent());
            bencher.iter(move || work())
        }),
        benchmark_fn("stream", |bencher| {
            let work = peers::stream(percent());
            bencher.iter(move || work())
        }),
    ]
}

tango_benchmarks!(works());
tango_main!();
