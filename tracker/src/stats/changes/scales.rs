//! Does a series scatter more widely in some stretches than in others?
//!
//! A machine that shares its host has calm weeks and wild ones, and a benchmark's scatter often changes with its code. The
//! cheapest course of scales is found as that of levels is (see `search`), each scale being a multiple of the usual one. A
//! point costs its square up to a bound and little more beyond, so that single wild points make no stretch and many do.

/// How many scales there are; the middle one is the usual.
pub(super) const SCALES: usize = 7;
const USUAL: usize = SCALES / 2;
/// Each is so many times as wide as the one before.
const RATIO: f64 = std::f64::consts::SQRT_2;
/// Beyond this loss, which is that of three deviations, a point costs only what a tail like Cauchy's makes of it.
const BOUND: f64 = 4.5;

/// What a point costs whose loss is beyond the bound.
fn bounded(loss: f64) -> f64 {
    BOUND + (loss / BOUND).ln()
}

/// The price of a change of scale, in nats.
pub(super) const SWITCH_PRICE: f64 = 10.0;

/// How many times as wide as usual a scale is.
pub(super) fn width(scale: usize) -> f64 {
    RATIO.powf(scale as f64 - USUAL as f64)
}

/// Where the cheapest courses to each scale come from at a point.
struct Came {
    /// The scale of the cheapest of all courses so far.
    best: u8,
    /// Whether it is from there that they come, a bit for each scale; else they stay on theirs.
    moved: u8,
}

/// The scale of each of `residuals`, which usually are `usual` wide, and how often it changes; none if it never does.
pub(super) fn scales(residuals: &[f64], usual: f64) -> Option<(Vec<usize>, usize)> {
    let logs: [f64; SCALES] = std::array::from_fn(|scale| width(scale).ln());
    let halves: [f64; SCALES] = std::array::from_fn(|scale| 0.5 / (width(scale) * usual).powi(2));
    let mut costs = [0.0_f64; SCALES];
    let mut best = 0;
    let mut least = 0.0;
    let mut came = Vec::with_capacity(residuals.len());
    for residual in residuals {
        let square = residual * residual;
        let jump = least + SWITCH_PRICE;
        let mut losses = [0.0; SCALES];
        for (loss, half) in losses.iter_mut().zip(&halves) {
            *loss = square * half;
        }
        // The narrower a scale, the larger its loss.
        for loss in losses.iter_mut().take_while(|loss| **loss > BOUND) {
            *loss = bounded(*loss);
        }
        let mut from = Came { best, moved: 0 };
        least = f64::INFINITY;
        for (scale, here) in (0..SCALES).zip(0..) {
            from.moved |= u8::from(costs[scale] > jump) << here;
            costs[scale] = costs[scale].min(jump) + losses[scale] + logs[scale];
            if costs[scale] < least {
                (best, least) = (here, costs[scale]);
            }
        }
        came.push(from);
    }
    let mut scale = best;
    let mut switches = 0;
    let mut course = vec![usize::from(scale); residuals.len()];
    for at in (1..residuals.len()).rev() {
        if came[at].moved >> scale & 1 == 1 {
            scale = came[at].best;
            switches += 1;
        }
        course[at - 1] = usize::from(scale);
    }
    (switches > 0).then_some((course, switches))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise as Stream;

    #[test]
    fn a_wild_stretch_is_seen_and_a_wild_point_is_not() {
        let mut stream = Stream::seeded(40);
        let mut residuals: Vec<f64> = (0..300).map(|_| stream.normal()).collect();
        residuals[50] = 30.0;
        assert_eq!(scales(&residuals, 1.0), None);
        for residual in &mut residuals[150..220] {
            *residual *= 2.5;
        }
        let (course, switches) = scales(&residuals, 1.0).unwrap();
        assert_eq!(switches, 2);
        assert!((0..300).all(|at: usize| (course[at] > course[0]) == (150..220).contains(&at)
            || at.abs_diff(150).min(at.abs_diff(220)) < 20));
        assert!((width(course[180]) / width(course[0]) / 2.5).ln().abs() < 0.4);
    }

    #[test]
    fn the_wildest_stretch_is_never_taken_for_a_calm_one() {
        for (seed, times) in (50..70).flat_map(|seed| [6.0, 8.0, 10.0, 15.0, 40.0].map(|times| (seed, times))) {
            let mut stream = Stream::seeded(seed);
            let mut residuals: Vec<f64> = (0..300).map(|_| stream.normal()).collect();
            for residual in &mut residuals[150..220] {
                *residual *= times;
            }
            let (course, _) = scales(&residuals, 1.0).unwrap();
            let least = course[170..200].iter().min();
            assert!(least > course[..130].iter().max(), "{seed}, {times} times: {course:?}");
        }
    }
}
