//! What the counting allocator counts, against what must come out.

use std::process::Command;

use serde_json::{Value, json};

use crate::speaker::{Speaker, example};

fn worker() -> Speaker {
    Speaker::greeted(Command::new(example("counting")))
}

fn counts(allocations: u64, bytes: u64, peak: u64) -> Value {
    json!({ "allocations": allocations, "allocated_bytes": bytes, "peak_live_bytes": peak })
}

#[test]
fn every_way_to_allocate_is_counted_exactly() {
    let mut worker = worker();
    let cases = [
        ("none", counts(0, 0, 0)),
        ("grown", counts(2, 250, 250)),
        ("shrunk", counts(2, 1000, 1000)),
        ("zeroed", counts(1, 800, 800)),
        ("large", counts(3, 13_200_000, 10_000_000)),
    ];
    for (benchmark, expected) in cases {
        for iterations in [1, 10] {
            assert_eq!(worker.run(benchmark, iterations)["metrics"], expected, "{benchmark}");
        }
    }
}

#[test]
fn threads_beyond_those_with_counts_of_their_own_are_counted_too() {
    let mut worker = worker();
    // What a first thread sets up for good is not the benchmarks'.
    worker.run("threads/alone", 1);
    let mut count = |benchmark: &str, metric: &str| worker.run(benchmark, 2)["metrics"][metric].as_f64().unwrap();
    let allocations = count("threads/each-1000", "allocations") - count("threads/alone", "allocations");
    let bytes = count("threads/each-1000", "allocated_bytes") - count("threads/alone", "allocated_bytes");
    assert_eq!((allocations.round(), bytes.round()), (300.0, 300_000.0));
}

#[test]
fn what_one_thread_allocates_and_another_frees_is_live_once() {
    let mut worker = worker();
    for iterations in [1, 20] {
        let peak = worker.run("handed-over", iterations)["metrics"]["peak_live_bytes"].as_u64().unwrap();
        assert!((1_000_000..1_200_000).contains(&peak), "{peak}");
    }
}
