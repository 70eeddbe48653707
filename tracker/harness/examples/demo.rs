//! A suite that shows what the harness offers: parameters, throughput, expected answers, own metrics, threads, a profiler
//! and the counting allocator. Try `cargo run --release --example demo -- --help`.

use std::collections::BTreeMap;
use std::hint::black_box;

use tachograph_harness::serde_json::json;
use tachograph_harness::{CountingAllocator, ExitCode, Meter, Metric, Suite};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() -> ExitCode {
    let mut suite = Suite::new("demo");
    suite
        .benchmark("sum/1000", || {
            let numbers: Vec<u64> = (0..1000).collect();
            move || numbers.iter().sum::<u64>()
        })
        .elements(1000)
        .expect(499_500);

    let mut fills = suite.group("memory/fill");
    for size in [64_usize, 4096] {
        fills
            .benchmark(size, move || {
                let mut bytes = vec![0_u8; size];
                move || bytes.fill(black_box(1))
            })
            .bytes(size);
    }

    own_metrics(&mut suite);
    suite.profile(|run| {
        run();
        json!({ "scopes": [{ "name": "everything" }] })
    });
    suite.main()
}

fn own_metrics(suite: &mut Suite<'_>) {
    suite
        .benchmark("alloc/three", || {
            || {
                let (small, large) = (black_box(vec![0_u8; 100]), black_box(vec![0_u8; 1000]));
                drop(large);
                let medium = black_box(vec![0_u8; 300]);
                small.len() + medium.len()
            }
        })
        .expect(400_usize);

    let read = Meter::total(Metric::new("words_read", "count").exact());
    suite
        .benchmark("words/count", {
            let read = read.clone();
            move || {
                let (text, read) = ("one two three two three three ".repeat(50), read.clone());
                move || {
                    let mut counts = BTreeMap::new();
                    for word in text.split_whitespace() {
                        *counts.entry(word).or_insert(0_u32) += 1;
                        read.add(1.0);
                    }
                    counts.into_values().max()
                }
            }
        })
        .metric(Metric::new("most", "count").higher().exact(), |most| most.map_or(0.0, f64::from))
        .meter(&read)
        .latency()
        .expect(Some(150));

    suite
        .benchmark("threads/two", || {
            || {
                let halves = [0..50_000_u64, 50_000..100_000];
                std::thread::scope(|scope| {
                    let sums = halves.map(|half| scope.spawn(|| half.map(black_box).sum::<u64>()));
                    sums.into_iter().map(|sum| sum.join().unwrap_or(0)).sum::<u64>()
                })
            }
        })
        .cores(2)
        .expect(4_999_950_000);
}
