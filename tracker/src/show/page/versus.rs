//! One reading against another of the same series.

use crate::domain::{Metric, Turn};

/// A level with its interval.
pub(super) type Level = (f64, Option<(f64, f64)>);

/// How far one reading lies from another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Versus {
    /// Relative to the earlier one.
    pub(super) moved: f64,
    /// Where that lies, by the intervals of both.
    pub(super) interval: Option<(f64, f64)>,
}

impl Versus {
    /// Compares two levels; none where a ratio has no meaning.
    pub(super) fn of(before: Level, after: Level) -> Option<Versus> {
        let moved = (after.0 - before.0) / before.0.abs();
        if !moved.is_finite() {
            return None;
        }
        Some(Versus { moved, interval: interval(before, after) })
    }

    /// Whether the interval leaves out that nothing happened.
    pub(super) fn is_sure(&self) -> bool {
        self.interval.is_some_and(|(low, high)| low > 0.0 || high < 0.0)
    }

    /// What it means.
    pub(super) fn turn(&self, metric: &Metric) -> Turn {
        Turn::of(self.moved > 0.0, metric.better)
    }
}

/// The errors of both ends, as of independent readings, on the scale of ratios.
fn interval(before: Level, after: Level) -> Option<(f64, f64)> {
    let ((was, was_within), (is, is_within)) = (before, after);
    let ((was_low, was_high), (is_low, is_high)) = (was_within?, is_within?);
    if was <= 0.0 || is <= 0.0 || was_low <= 0.0 || is_low <= 0.0 {
        return None;
    }
    let ratio = (is / was).ln();
    let down = (is / is_low).ln().hypot((was_high / was).ln());
    let up = (is_high / is).ln().hypot((was / was_low).ln());
    Some(((ratio - down).exp_m1(), (ratio + up).exp_m1())).filter(|(low, high)| low.is_finite() && high.is_finite())
}

/// The class of what a move means.
pub(super) fn class(turn: Turn) -> &'static str {
    match turn {
        Turn::Regression => "worse",
        Turn::Improvement => "better",
        Turn::Moved => "moved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_ratio_is_that_of_both_its_ends() {
        let versus = Versus::of((100.0, Some((99.0, 101.0))), (110.0, Some((108.9, 111.1)))).unwrap();
        assert!((versus.moved - 0.1).abs() < 1e-12 && versus.is_sure());
        let (low, high) = versus.interval.unwrap();
        assert!((low - 0.0846).abs() < 5e-4 && (high - 0.1156).abs() < 5e-4, "{low} {high}");
        let same = Versus::of((100.0, Some((90.0, 110.0))), (101.0, Some((90.0, 110.0)))).unwrap();
        assert!(!same.is_sure());
    }

    #[test]
    fn nothing_is_divided_by_nought() {
        assert_eq!(Versus::of((0.0, None), (1.0, None)), None);
        let below = Versus::of((-2.0, Some((-3.0, -1.0))), (-1.0, Some((-2.0, 0.0)))).unwrap();
        assert!(below.moved > 0.0 && below.interval.is_none());
    }
}
