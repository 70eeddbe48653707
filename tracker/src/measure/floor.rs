//! The noise floor: how far two measurements of the same code lie apart on this machine, now.
//!
//! A loop that only computes is measured slice by slice. The same slices are then read in two ways: as two halves one
//! after the other, the way in which results of two commits are usually compared, and as pairs of neighbours of which
//! a coin decides which is which. All that differs between the two readings is when the halves were measured.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::calibrate::{Calibration, calibrate};
use super::cores::{self, Pinned};
use super::order::Order;
use crate::stats::robust::median;

/// How long the loop is measured.
pub const LENGTH: Duration = Duration::from_secs(2);

/// Comparisons that are made in that time: each has a tenth of the slices in two halves.
const COMPARISONS: usize = 10;

/// Pairs that a comparison has at the least.
const LEAST_PAIRS: usize = 5;

/// How far two halves of the same lie apart, as the root mean square of some comparisons, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floor {
    /// When one half is measured after the other.
    pub one_after_other_pct: f64,
    /// When they alternate.
    pub alternating_pct: f64,
    /// Slices that were measured.
    pub slices: usize,
}

/// Measures the floor on the last processor that we may use, for [`LENGTH`]; none if not even a few slices fit.
#[must_use]
pub fn measure() -> Option<Floor> {
    let allowed = cores::allowed();
    let _here = allowed.last().and_then(|&last| Pinned::here(&[last]));
    let until = Instant::now() + LENGTH;
    let calibration = calibrate(|iterations| Ok::<_, ()>(slice_ns(iterations))).ok()?;
    let times_ns = slices(calibration, until);
    of(&times_ns, &mut Order::new(0))
}

fn slices(calibration: Calibration, until: Instant) -> Vec<f64> {
    let mut times_ns = Vec::new();
    while Instant::now() < until {
        times_ns.push(slice_ns(calibration.iterations) as f64);
    }
    times_ns
}

/// Runs the loop and tells the nanoseconds that it took: multiplications, each of which waits for the one before.
fn slice_ns(iterations: u64) -> u64 {
    const STEPS: u64 = 1000;
    let begun = Instant::now();
    for iteration in 0..iterations {
        let step = |value: u64, step: u64| (value ^ step).wrapping_mul(0x5851_f42d_4c95_7f2d) >> 1;
        black_box((0..STEPS).fold(black_box(iteration), step));
    }
    u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// The floor that these slices show; none if they are too few.
fn of(times_ns: &[f64], order: &mut Order) -> Option<Floor> {
    let length = times_ns.len() / COMPARISONS / 2 * 2;
    if length < 2 * LEAST_PAIRS {
        return None;
    }
    let windows = || times_ns.chunks_exact(length);
    let one_after_other = windows().filter_map(|window| {
        let (first, second) = window.split_at(length / 2);
        Some((median(second)? / median(first)?).ln())
    });
    let alternating = windows().filter_map(|window| {
        let ratios = window.chunks_exact(2).map(|pair| {
            let mut sides = [pair[0], pair[1]];
            order.shuffle(&mut sides);
            (sides[1] / sides[0]).ln()
        });
        median(&ratios.collect::<Vec<_>>())
    });
    let one_after_other_pct = root_mean_square_pct(&one_after_other.collect::<Vec<_>>());
    let alternating_pct = root_mean_square_pct(&alternating.collect::<Vec<_>>());
    Some(Floor { one_after_other_pct, alternating_pct, slices: times_ns.len() })
}

fn root_mean_square_pct(values: &[f64]) -> f64 {
    100.0 * (values.iter().map(|value| value * value).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(times_ns: &[f64]) -> Floor {
        of(times_ns, &mut Order::new(1)).unwrap()
    }

    #[test]
    fn a_machine_that_never_wavers_has_no_floor() {
        let floor = floor(&[1e6; 1000]);
        assert_eq!((floor.one_after_other_pct, floor.alternating_pct, floor.slices), (0.0, 0.0, 1000));
    }

    #[test]
    fn a_drift_disturbs_halves_one_after_the_other_and_hardly_those_that_alternate() {
        // 20 % slower from the beginning to the end: 1 % from half to half of a tenth.
        let drifting: Vec<f64> = (0..1000).map(|i| 1e6 * (1.0 + f64::from(i) * 0.0002)).collect();
        let floor = floor(&drifting);
        assert!((0.8..1.1).contains(&floor.one_after_other_pct), "{floor:?}");
        assert!(floor.alternating_pct < 0.03, "{floor:?}");
    }

    #[test]
    fn single_slices_that_were_interrupted_disturb_neither() {
        let bursts: Vec<f64> = (0..1000).map(|i| if i % 17 == 0 { 9e6 } else { 1e6 }).collect();
        let floor = floor(&bursts);
        assert_eq!((floor.one_after_other_pct, floor.alternating_pct), (0.0, 0.0));
    }

    #[test]
    fn too_few_slices_show_nothing() {
        assert_eq!(of(&[1e6; 50], &mut Order::new(1)), None);
        assert_eq!(of(&[], &mut Order::new(1)), None);
    }
}
