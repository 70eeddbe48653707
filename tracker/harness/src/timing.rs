//! The timed loops: the only code that runs inside the clock beside the work itself.
//!
//! Each is compiled anew for each work (no call through a pointer inside the loop) and never inlined, so that the loop
//! does not change with the code around it. The work passes through [`black_box`] at each turn: what it captured may have
//! changed as far as the compiler knows, so it cannot be computed once before the loop; neither can its answer be left
//! out.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Most iterations of a slice that are timed one by one; beyond, one in a few is.
const MOST_TIMED: u64 = 1 << 16;

/// Times all iterations together.
#[inline(never)]
pub(crate) fn plain<T>(work: &mut impl FnMut() -> T, iterations: u64) -> Duration {
    let begin = Instant::now();
    for _ in 0..iterations {
        black_box(&black_box(&mut *work)());
    }
    begin.elapsed()
}

/// Times all iterations together and keeps the last answer.
#[inline(never)]
pub(crate) fn keeping<T>(work: &mut impl FnMut() -> T, iterations: u64, last: &mut Option<T>) -> Duration {
    let begin = Instant::now();
    for _ in 0..iterations {
        *last = Some(black_box(&mut *work)());
        black_box(&*last);
    }
    begin.elapsed()
}

/// Times all iterations together, and single ones into `singles` as nanoseconds: each, or evenly spaced ones where there
/// are many.
#[inline(never)]
pub(crate) fn each<T>(
    work: &mut impl FnMut() -> T,
    iterations: u64,
    last: &mut Option<T>,
    singles: &mut Vec<f64>,
) -> Duration {
    let stride = iterations.div_ceil(MOST_TIMED).max(1);
    let begin = Instant::now();
    for turn in 0..iterations {
        if turn % stride == 0 {
            let single = Instant::now();
            *last = Some(black_box(&mut *work)());
            black_box(&*last);
            singles.push(single.elapsed().as_nanos() as f64);
        } else {
            *last = Some(black_box(&mut *work)());
            black_box(&*last);
        }
    }
    begin.elapsed()
}

/// Runs all iterations without a look at the clock, for who counts instead.
#[inline(never)]
pub(crate) fn untimed<T>(work: &mut impl FnMut() -> T, iterations: u64) {
    for _ in 0..iterations {
        black_box(&black_box(&mut *work)());
    }
}

/// Room for what [`each`] times, so that it does not allocate inside the clock.
pub(crate) fn room_for(iterations: u64) -> usize {
    usize::try_from(iterations.min(MOST_TIMED)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loop_runs_the_work_as_often_as_asked() {
        let mut turns = 0_u64;
        let mut work = || {
            turns += 1;
            turns
        };
        plain(&mut work, 3);
        let mut last = None;
        keeping(&mut work, 4, &mut last);
        assert_eq!(last, Some(7));
        let mut singles = Vec::new();
        each(&mut work, 5, &mut last, &mut singles);
        assert_eq!((last, singles.len()), (Some(12), 5));
        untimed(&mut work, 6);
        assert_eq!(turns, 18);
    }

    #[test]
    fn single_times_stay_within_their_room() {
        let iterations = MOST_TIMED * 3 + 1;
        let mut singles = Vec::with_capacity(room_for(iterations));
        let room = singles.capacity();
        each(&mut || (), iterations, &mut None, &mut singles);
        assert!(singles.len() > 1000 && singles.len() <= room);
        assert_eq!(singles.capacity(), room);
    }
}
