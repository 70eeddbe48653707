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

/// Squares beyond this, which would have no number as a loss, count as this.
const FARTHEST: f64 = 1e200;

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
#[expect(clippy::cast_possible_truncation, reason = "there are seven scales")]
pub(super) fn scales(residuals: &[f64], usual: f64) -> Option<(Vec<usize>, usize)> {
    let logs: [f64; SCALES] = std::array::from_fn(|scale| width(scale).ln());
    let halves: [f64; SCALES] = std::array::from_fn(|scale| 0.5 / (width(scale) * usual).powi(2));
    let mut costs = [0.0_f64; SCALES];
    let mut best = 0;
    let mut least = 0.0;
    let mut came = Vec::with_capacity(residuals.len());
    for residual in residuals {
        let square = (residual * residual).min(FARTHEST);
        let jump = least + SWITCH_PRICE;
        let mut losses = [0.0; SCALES];
        for scale in 0..SCALES {
            losses[scale] = square * halves[scale];
        }
        // The narrower a scale, the larger its loss.
        for loss in &mut losses {
            if *loss <= BOUND {
                break;
            }
            *loss = bounded(*loss);
        }
        let mut from = Came { best, moved: 0 };
        least = f64::INFINITY;
        for scale in 0..SCALES {
            from.moved |= u8::from(costs[scale] > jump) << scale;
            costs[scale] = costs[scale].min(jump) + losses[scale] + logs[scale];
            if costs[scale] < least {
                (best, least) = (scale as u8, costs[scale]);
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

    /// The same with a number for each scale of each point.
    fn plain(residuals: &[f64], usual: f64) -> Option<(Vec<usize>, usize)> {
        let mut costs = [0.0_f64; SCALES];
        let cheapest = |costs: &[f64; SCALES]| (0..SCALES).min_by(|a, b| costs[*a].total_cmp(&costs[*b])).unwrap();
        let mut came = Vec::new();
        for residual in residuals {
            let best = cheapest(&costs);
            let jump = costs[best] + SWITCH_PRICE;
            came.push([0, 1, 2, 3, 4, 5, 6].map(|scale| if costs[scale] <= jump { scale } else { best }));
            for (scale, cost) in costs.iter_mut().enumerate() {
                let loss = (residual * residual).min(FARTHEST) * (0.5 / (width(scale) * usual).powi(2));
                let loss = if loss <= BOUND { loss } else { BOUND + (loss / BOUND).ln() };
                *cost = cost.min(jump) + loss + width(scale).ln();
            }
        }
        let mut course = vec![cheapest(&costs)];
        for came in came[1..].iter().rev() {
            course.push(came[course[course.len() - 1]]);
        }
        course.reverse();
        let switches = course.windows(2).filter(|pair| pair[0] != pair[1]).count();
        (switches > 0).then_some((course, switches))
    }

    #[test]
    fn the_course_of_scales_is_that_of_the_plain_recursion() {
        let mut switched = 0;
        for (seed, times) in (0..60).zip([1.0, 3.0, 0.4, 8.0, 0.0].into_iter().cycle()) {
            let mut stream = Stream::seeded(seed);
            let mut residuals: Vec<f64> =
                (0..240).map(|at| stream.normal() * if (at / 60) % 2 == 0 { 1.0 } else { times }).collect();
            if seed % 3 == 0 {
                (residuals[20], residuals[21], residuals[130]) = (1e160, -1e200, 0.0);
            }
            let found = scales(&residuals, 1.0);
            switched += u32::from(found.is_some());
            assert_eq!(found, plain(&residuals, 1.0), "seed {seed}");
        }
        assert!((30..60).contains(&switched), "{switched}");
    }

    #[test]
    fn what_comes_after_a_value_beyond_all_numbers_is_still_seen() {
        let mut stream = Stream::seeded(41);
        let mut residuals: Vec<f64> = (0..300).map(|at| stream.normal() * if at < 150 { 1.0 } else { 4.0 }).collect();
        residuals[50] = 1e300;
        let (course, _) = scales(&residuals, 1.0).unwrap();
        assert!(course[280] > course[100]);
    }

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
