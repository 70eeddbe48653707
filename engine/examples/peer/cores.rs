//! How far apart two cores are just now: what two threads gain hangs on it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use engine::threads::allowed_cores;
use rustix::thread::{CpuSet, sched_setaffinity};

const TRIPS: u32 = 20_000;
const ROUNDS: usize = 15;

/// Nanoseconds of a word from one core to another and back, both looking all the time: the median of some rounds.
pub(crate) fn round_trip_ns() -> f64 {
    let mut rounds: Vec<f64> =
        (0..ROUNDS).map(|_| std::thread::scope(|scope| scope.spawn(round).join()).unwrap_or(f64::NAN)).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// On threads of its own, which keep to their cores.
fn round() -> f64 {
    let word = AtomicU32::new(0);
    let cores = allowed_cores();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            stay_on(cores[cores.len() - 1]);
            for trip in 0..TRIPS {
                wait_for(&word, 2 * trip + 1);
                word.store(2 * trip + 2, Ordering::Release);
            }
        });
        stay_on(cores[0]);
        // The other has begun once it has answered.
        word.store(1, Ordering::Release);
        wait_for(&word, 2);
        let begun = Instant::now();
        for trip in 1..TRIPS {
            word.store(2 * trip + 1, Ordering::Release);
            wait_for(&word, 2 * trip + 2);
        }
        begun.elapsed().as_secs_f64() * 1e9 / f64::from(TRIPS - 1)
    })
}

/// On one core alone; where the system refuses, on any.
fn stay_on(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    let _ = sched_setaffinity(None, &set);
}

fn wait_for(word: &AtomicU32, value: u32) {
    while word.load(Ordering::Acquire) != value {
        std::hint::spin_loop();
    }
}
