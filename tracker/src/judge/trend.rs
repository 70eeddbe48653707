//! When did a series move? The detector's findings in the words of the house.

use crate::domain::{Change, Direction, Level, Move, Signs, Size, Trend, Turn};
use crate::stats::changes::{self, Drift, Range, Settings, Step, Values};

/// The trend of a series of which less or more is better.
#[must_use]
pub fn trend(values: &Values, settings: &Settings, better: Direction) -> Trend {
    let found = changes::detect(values, settings);
    let relative = values.as_slice().iter().all(|value| *value > 0.0);
    let mut changes: Vec<Change> = found.steps.iter().map(|one| step(one, relative, better)).collect();
    changes.extend(found.drifts.iter().map(|one| drift(one, relative, better)));
    changes.sort_by_key(|change| change.at);
    let level = |segment: &changes::Segment| {
        let Range { low, high } = segment.within;
        Level { from: segment.from, to: segment.to, value: segment.level, low, high }
    };
    Trend { points: values.as_slice().len(), changes, levels: found.segments.iter().map(level).collect() }
}

fn size(relative: bool, value: f64, within: Range<f64>) -> Size {
    let Range { low, high } = within;
    if relative { Size::Relative { value, low, high } } else { Size::Absolute { value, low, high } }
}

fn step(step: &Step, relative: bool, better: Direction) -> Change {
    Change {
        at: step.at,
        within: (step.within.low, step.within.high),
        kind: Move::Step,
        turn: Turn::of(step.noises > 0.0, better),
        size: size(relative, step.size, step.size_within),
        noises: step.noises,
        before: step.before,
        after: step.after,
        signs: Some(Signs { probability: step.probability, nats: step.gain, p: step.p }),
    }
}

fn drift(drift: &Drift, relative: bool, better: Direction) -> Change {
    Change {
        at: drift.span.low,
        within: (drift.span.low, drift.span.high),
        kind: Move::Drift,
        turn: Turn::of(drift.noises > 0.0, better),
        size: size(relative, drift.size, drift.size_within),
        noises: drift.noises,
        before: drift.before,
        after: drift.after,
        signs: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_rise_is_worse_or_better_as_the_direction_says() {
        let values: Vec<f64> = (0..60).map(|at| if at < 30 { 100.0 } else { 120.0 } + f64::from(at * 7 % 5)).collect();
        let values = Values::new(values).unwrap();
        for (better, turn) in [(Direction::Lower, Turn::Regression), (Direction::Higher, Turn::Improvement)] {
            let trend = trend(&values, &Settings::history(), better);
            assert_eq!(trend.changes.iter().map(|change| (change.at, change.turn)).collect::<Vec<_>>(), [(30, turn)]);
            assert_eq!(trend.levels.len(), 2);
            let Size::Relative { value, low, high } = trend.changes[0].size else {
                panic!("all values are above zero")
            };
            assert!(low < value && value < high && (value - 0.196).abs() < 0.01);
        }
    }
}
