//! Change points: one long series, many ordinary ones, and one more point.

use std::cell::{Cell, RefCell};

use tachograph::stats::changes::{Follower, Settings, Values, detect};
use tachograph_harness::Suite;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    suite
        .benchmark("stats/changes/100000", || {
            let values = stairs(100_000, 1);
            move || detect(&values, &Settings::history()).steps.len() > 250
        })
        .elements(100_000)
        .cores(2)
        .expect(true);

    // A fiftieth of ten thousand series, on two threads as `changes` reads a store on two processors.
    suite
        .benchmark("stats/changes/200x500", || {
            let series: Vec<Values> = (0..200).map(|seed| stairs(500, seed)).collect();
            move || {
                let steps = |share: &[Values]| -> usize {
                    share.iter().map(|values| detect(values, &Settings::history()).steps.len()).sum()
                };
                let (one, other) = series.split_at(series.len() / 2);
                let found = std::thread::scope(|scope| {
                    let hand = scope.spawn(|| steps(one));
                    steps(other) + hand.join().unwrap_or_default()
                });
                found > 200
            }
        })
        .elements(200)
        .cores(2)
        .expect(true);

    suite
        .benchmark("stats/changes/append", || {
            let values = stairs(10_000, 2);
            let follower = RefCell::new(Follower::after(&values, Settings::online()));
            let next = Cell::new(0);
            move || {
                let at = next.replace((next.get() + 1) % values.as_slice().len());
                follower.borrow_mut().push(values.as_slice()[at]).len() < 4
            }
        })
        .expect(true);
}

/// A level that moves every two hundred points by some percent, and noise of one percent about it, the same each time.
fn stairs(count: usize, seed: u64) -> Values {
    // Numerical Recipes' generator: good enough for noise that nobody draws conclusions from.
    let mut state = seed.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(3_037_000_493);
    let mut normal = || {
        let mut sum = -6.0;
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += (state >> 11) as f64 / (1_u64 << 53) as f64;
        }
        sum
    };
    let mut level = 0.0;
    let value = |at: usize| {
        if at.is_multiple_of(200) {
            level = 0.03 * normal();
        }
        100.0 * f64::exp(level + 0.01 * normal())
    };
    Values::new((0..count).map(value).collect()).expect("finite values")
}
