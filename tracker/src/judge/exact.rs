//! Metrics that are numbers of the binary: compared as numbers.

use crate::domain::{Call, Direction, Effect, Life, Limit, Verdict};

/// Compares the values of an exact metric. Where those of one side differ among themselves after all, a word is said only
/// if it is the same for each of them.
#[must_use]
pub fn decide(base: &Life, head: &Life, limit: Limit, better: Direction) -> Verdict {
    let ((base_low, base_high), (head_low, head_high)) = (range(base), range(head));
    let grew = log_ratio(base_high, head_low);
    let shrank = log_ratio(base_low, head_high);
    let effect = log_ratio(f64::midpoint(base_low, base_high), f64::midpoint(head_low, head_high));
    // Equal numbers are unchanged under a limit of nothing too.
    let within = |log: f64| log.abs() <= limit.log();
    let call = if within(log_ratio(base_low, head_high)) && within(log_ratio(base_high, head_low)) {
        Call::Unchanged
    } else if grew > limit.log() || shrank < -limit.log() {
        word(better, effect)
    } else {
        Call::Inconclusive
    };
    Verdict { call, effect: Effect::from_log(effect), interval: None, limit, detectable: None, grounds: None }
}

fn range(life: &Life) -> (f64, f64) {
    life.values()
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
}

/// The logarithm of head/base; nothing to nothing is no change, and something from nothing an infinite one.
fn log_ratio(base: f64, head: f64) -> f64 {
    if base <= 0.0 && head <= 0.0 {
        0.0
    } else if base <= 0.0 {
        f64::INFINITY
    } else {
        (head.max(0.0) / base).ln()
    }
}

fn word(better: Direction, effect: f64) -> Call {
    match better {
        Direction::Unknown => Call::Inconclusive,
        Direction::Lower if effect > 0.0 => Call::Regressed,
        Direction::Higher if effect < 0.0 => Call::Regressed,
        Direction::Lower | Direction::Higher => Call::Improved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(base: &[f64], head: &[f64], limit_pct: f64) -> Call {
        let life = |values: &[f64]| Life::new(values.to_vec()).unwrap();
        decide(&life(base), &life(head), Limit::percent(limit_pct).unwrap(), Direction::Lower).call
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert_eq!(call(&[1000.0], &[1004.0], 0.5), Call::Unchanged);
        assert_eq!(call(&[1000.0], &[1006.0], 0.5), Call::Regressed);
        assert_eq!(call(&[1000.0], &[900.0], 0.5), Call::Improved);
        assert_eq!(call(&[1000.0], &[1001.0], 0.0), Call::Regressed);
        assert_eq!(call(&[1000.0], &[1000.0], 0.0), Call::Unchanged);
    }

    #[test]
    fn the_first_allocation_is_a_regression_and_the_last_one_gone_an_improvement() {
        assert_eq!(call(&[0.0], &[1.0], 0.5), Call::Regressed);
        assert_eq!(call(&[1.0], &[0.0], 0.5), Call::Improved);
        assert_eq!(call(&[0.0], &[0.0], 0.0), Call::Unchanged);
    }

    #[test]
    fn values_that_disagree_among_themselves_decide_only_what_all_of_them_say() {
        assert_eq!(call(&[1000.0, 1010.0], &[1005.0, 1012.0], 0.5), Call::Inconclusive);
        assert_eq!(call(&[1000.0, 1001.0], &[1100.0, 1101.0], 0.5), Call::Regressed);
    }
}
