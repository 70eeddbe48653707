//! Ways to allocate, for which it is known what must be counted: growing, zeroed, large, in many threads, and freed by
//! another thread than the one that allocated.

use std::hint::black_box;
use std::thread;

use tachograph_harness::{CountingAllocator, ExitCode, Suite};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// More threads than can have counts of their own.
const THREADS: usize = 300;

fn in_threads(work: fn() -> usize) -> usize {
    (0..THREADS).map(|_| thread::spawn(work).join().unwrap_or(0)).sum()
}

fn main() -> ExitCode {
    let mut suite = Suite::new("counting");
    suite.benchmark("none", || {
        let kept = vec![1_u8; 5000];
        move || kept.len()
    });
    suite.benchmark("grown", || {
        || {
            let mut bytes: Vec<u8> = Vec::with_capacity(100);
            bytes.reserve_exact(black_box(250));
            bytes
        }
    });
    suite.benchmark("shrunk", || {
        || {
            let mut bytes: Vec<u8> = Vec::with_capacity(black_box(1000));
            bytes.push(1);
            bytes.shrink_to(10);
            bytes
        }
    });
    suite.benchmark("zeroed", || || vec![0_u64; black_box(100)]);
    suite.benchmark("large", || {
        || {
            drop(black_box(vec![1_u8; 10_000_000]));
            drop(black_box(vec![1_u8; 200_000]));
            black_box(vec![1_u8; 3_000_000]).len()
        }
    });
    suite.benchmark("threads/alone", || || in_threads(|| 0));
    suite.benchmark("threads/each-1000", || || in_threads(|| black_box(vec![1_u8; 1000]).len()));
    suite.benchmark("handed-over", || || thread::spawn(|| vec![1_u8; 1_000_000]).join().map_or(0, |bytes| bytes.len()));
    suite.main()
}
