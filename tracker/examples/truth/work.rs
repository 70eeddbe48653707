//! Work that is a known percentage larger than it was.

#![allow(unreachable_pub, reason = "the peers make a crate of this file")]

use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

/// Steps that take about 5 µs together: each waits for the one before, some five cycles long.
const STEPS: f64 = 4_000.0;
/// Bytes that no cache of a core holds.
const STREAMED: f64 = 16e6;

/// A chain of dependent steps, about 5 µs. It goes on where the last call ended: a processor would begin a chain of its
/// own before the one before is done, and a hundredth more steps would be a little more than a hundredth more time.
pub fn compute(percent: f64) -> impl Fn() -> u64 {
    let steps = more(STEPS, percent);
    let last = Cell::new(1);
    move || {
        let chain = |value: u64, step: u64| (value ^ step).wrapping_mul(0x5851_f42d_4c95_7f2d) >> 1;
        last.set((0..black_box(steps)).fold(last.get(), chain));
        last.get()
    }
}

/// The share of a call of [`compute`] that grows with its steps. The rest, some cycles for the call itself, is the same
/// on both sides: a hundredth more steps are by that much less than a hundredth more time.
pub fn growing() -> f64 {
    let least = |work: &dyn Fn() -> u64, calls: u32| {
        let windows = (0..200).map(|_| {
            let begun = Instant::now();
            for _ in 0..calls {
                black_box(black_box(work)());
            }
            begun.elapsed().as_secs_f64() / f64::from(calls)
        });
        windows.fold(f64::INFINITY, f64::min)
    };
    1.0 - least(&compute(-100.0), 100_000) / least(&compute(0.0), 200)
}

/// A sum over 16 MB.
pub fn stream(percent: f64) -> impl Fn() -> u64 {
    let words: Vec<u64> = (0..more(STREAMED / 8.0, percent)).collect();
    move || black_box(&words).iter().fold(0, |sum: u64, &word| sum.wrapping_add(word))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
fn more(amount: f64, percent: f64) -> u64 {
    (amount * (1.0 + percent / 100.0)).round() as u64
}
