//! A slow move, told by the sum of many small steps that were each measured by themselves.
//!
//! Every step has an error of its own, and of a leak no single one says anything; their sum grows with their number, and
//! its error with the root of it.

use super::robust;

/// Of fewer steps nothing is told.
const FEWEST: usize = 8;

/// So many of the places from the first to the last must have been measured.
const MEASURED: f64 = 2.0 / 3.0;

/// The sum must be so many of its errors, and as many more as the search costs (`price`). The surest of all stretches of up to
/// 300 steps that are nothing but error is so sure in fewer than one of a hundred cases (a test counts them).
const ERRORS: f64 = 2.4;

/// One step may hold so much of the sum. If it holds more, it is a step.
const LARGEST: f64 = 1.0 / 3.0;

/// A step from one place to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The place that it leads to.
    pub at: usize,
    /// How large it is.
    pub size: f64,
    /// The standard error of that.
    pub error: f64,
}

/// Steps that together are a slow move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crept {
    /// The place that the first one leads to.
    pub first: usize,
    /// The place that the last one leads to.
    pub last: usize,
    /// How many there are.
    pub count: usize,
    /// Their sum.
    pub sum: f64,
    /// The standard error of that.
    pub error: f64,
    /// How many errors it is beyond what the search costs: read as a standard normal number.
    pub sureness: f64,
}

/// The slow moves of at least this size among steps in order of their places, the surest first and others beside it.
#[must_use]
pub fn crept(steps: &[Step], least: f64) -> Vec<Crept> {
    let (scatter, mut found, mut open) = (scatter(steps), Vec::new(), vec![steps]);
    while let Some(part) = open.pop() {
        let Some(one) = surest(part, scatter, least, steps.len()) else { continue };
        found.push(one);
        let beside = |place: usize| part.partition_point(|step| step.at < place);
        open.extend([&part[..beside(one.first)], &part[beside(one.last + 1)..]]);
    }
    found
}

fn surest(steps: &[Step], scatter: f64, least: f64, of: usize) -> Option<Crept> {
    let mut surest = None;
    for from in 0..steps.len() {
        let (mut sum, mut variance) = (0.0, 0.0);
        let (mut lowest, mut highest) = (0.0_f64, 0.0_f64);
        for (to, step) in steps.iter().enumerate().skip(from) {
            sum += step.size;
            variance += (scatter * step.error).powi(2);
            (lowest, highest) = (lowest.min(step.size), highest.max(step.size));
            let (count, places) = (to - from + 1, step.at - steps[from].at + 1);
            let largest = if sum > 0.0 { highest } else { -lowest };
            let error = variance.sqrt();
            let sureness = sum.abs() / error - price(count, of);
            if count >= FEWEST
                && count as f64 >= MEASURED * places as f64
                && sum.abs() >= least
                && largest <= LARGEST * sum.abs()
                && sureness >= surest.map_or(ERRORS, |known: Crept| known.sureness)
            {
                let first = steps[from].at;
                surest = Some(Crept { first, last: step.at, count, sum, error, sureness });
            }
        }
    }
    surest
}

/// How many errors the surest of all stretches of so many steps reaches by chance: there are more short ones than long ones
/// (Dümbgen and Spokoiny 2001, *Annals of Statistics* 29:124).
fn price(count: usize, of: usize) -> f64 {
    (2.0 * (1.0 + (of as f64 / count as f64).ln())).sqrt()
}

/// By how much more than their errors say steps that follow one another differ; no less than they say.
fn scatter(steps: &[Step]) -> f64 {
    let apart = |pair: &[Step]| (pair[1].size - pair[0].size).abs() / pair[0].error.hypot(pair[1].error);
    let apart: Vec<f64> = steps.windows(2).map(apart).collect();
    // Most differences are error alone, whatever moved.
    robust::median(&apart).map_or(1.0, |middle| (1.4826 * middle).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::{Noise, soak, upper_bound};

    /// Steps of which every seventh or so was not measured, with what is added to each. The errors that they state are
    /// estimates, with eight degrees of freedom, of what is so many times smaller than the true one.
    fn steps(noise: &mut Noise, places: usize, times: f64, size: impl Fn(usize) -> f64) -> Vec<Step> {
        let mut steps = Vec::new();
        for at in 0..places {
            let error = noise.between(0.001, 0.003);
            let size = size(at) + times * error * noise.normal();
            let squares: f64 = (0..8).map(|_| noise.normal().powi(2)).sum();
            if noise.chance(0.85) {
                steps.push(Step { at, size, error: error * (squares / 8.0).sqrt() });
            }
        }
        steps
    }

    #[test]
    fn steps_that_are_nothing_but_error_are_no_slow_move() {
        let (mut noise, trials) = (Noise::seeded(71), 500 * soak());
        for (places, times) in [(50, 1.0), (300, 1.0), (300, 2.0)] {
            let told = |_: &usize| !crept(&steps(&mut noise, places, times, |_| 0.0), 0.005).is_empty();
            let told = (0..trials).filter(told).count();
            assert!(upper_bound(told, trials) < 0.01, "{places}, {times}: {told} of {trials}");
        }
    }

    #[test]
    fn a_leak_of_which_no_step_shows_is_told_with_its_span_and_its_size() {
        let (mut noise, trials) = (Noise::seeded(72), 200);
        let mut told = 0;
        for _ in 0..trials {
            let steps = steps(&mut noise, 60, 1.0, |at| if at >= 20 { 0.003 } else { 0.0 });
            let Some(found) = crept(&steps, 0.01).first().copied() else { continue };
            let leaking = found.first.max(20)..=found.last;
            let sum = 0.003 * steps.iter().filter(|step| leaking.contains(&step.at)).count() as f64;
            told += usize::from(leaking.count() >= 25 && (found.sum - sum).abs() < 3.0 * found.error);
        }
        assert!(told >= 9 * trials / 10, "{told}");
    }

    #[test]
    fn one_step_or_two_are_no_leak() {
        let mut noise = Noise::seeded(73);
        for moved in [&[30][..], &[25, 45]] {
            let steps = steps(&mut noise, 60, 1.0, |at| if moved.contains(&at) { 0.04 } else { 0.0 });
            assert_eq!(crept(&steps, 0.01), [], "{moved:?}");
        }
    }

    #[test]
    fn what_is_too_short_too_sparse_or_too_small_is_not_told() {
        let of = |count: usize, apart: usize| -> Vec<Step> {
            (0..count).map(|at| Step { at: at * apart, size: -0.002, error: 0.0005 }).collect()
        };
        let found = crept(&of(20, 1), 0.01)[0];
        assert_eq!((found.first, found.last, found.count), (0, 19, 20));
        assert!((found.sum + 0.04).abs() < 1e-12 && (found.error - 0.0005 * 20.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(crept(&of(7, 1), 0.01), []);
        assert_eq!(crept(&of(20, 2), 0.01), []);
        assert_eq!(crept(&of(20, 1), 0.05), []);
        assert_eq!(crept(&[], 0.01), []);
    }

    #[test]
    fn two_leaks_are_two() {
        let leaks = [(0..15, 0.002), (15..35, 0.0), (35..50, -0.002)];
        let steps: Vec<Step> = leaks
            .into_iter()
            .flat_map(|(places, size)| places.map(move |at| Step { at, size, error: 0.001 }))
            .collect();
        let spans: Vec<_> = crept(&steps, 0.01).iter().map(|one| (one.first, one.last)).collect();
        assert!(spans == [(0, 14), (35, 49)] || spans == [(35, 49), (0, 14)], "{spans:?}");
    }
}
