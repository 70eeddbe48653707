//! What a policy would have said, had it followed a series point by point.

use crate::domain::{Change, Move};
use crate::stats::changes::{Follower, Settings};

/// Points that a place may lie outside of its interval and still be the same change.
const NEAR: usize = 3;

/// One alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// The point with which it was raised.
    pub at: usize,
    /// The first point of the level that it is about.
    pub place: usize,
    /// The known change that it is about; none for a false alarm.
    pub change: Option<usize>,
}

/// A series, replayed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replayed {
    /// The alarms, in order.
    pub alarms: Vec<Alarm>,
    /// For each known change, how many points of the new level there were when it was told; none if it was missed.
    pub delays: Vec<Option<usize>>,
}

/// Follows a series from its first point to its last. `known` is what is known of it in hindsight: steps.
#[must_use]
pub fn replay(values: &[f64], known: &[Change], settings: Settings) -> Replayed {
    let mut follower = Follower::new(settings);
    let mut replayed = Replayed { alarms: Vec::new(), delays: vec![None; known.len()] };
    for (at, value) in values.iter().enumerate() {
        for step in follower.push(*value) {
            let change = about(known, step.at);
            if let Some(delay) = change.and_then(|change| replayed.delays.get_mut(change)) {
                let points = (at + 1).saturating_sub(step.at);
                *delay = Some(delay.map_or(points, |before: usize| before.min(points)));
            }
            replayed.alarms.push(Alarm { at, place: step.at, change });
        }
    }
    replayed
}

/// The nearest of the known steps that this place may belong to.
fn about(known: &[Change], place: usize) -> Option<usize> {
    let near = |change: &Change| {
        let (low, high) = change.within;
        change.kind == Move::Step && (low.saturating_sub(NEAR)..=high + NEAR).contains(&place)
    };
    let all = known.iter().enumerate().filter(|(_, change)| near(change));
    all.min_by_key(|(_, change)| change.at.abs_diff(place)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Direction;
    use crate::judge::trend::trend;
    use crate::stats::changes::Values;
    use crate::stats::simulate::Noise;

    #[test]
    fn an_alarm_for_a_known_step_has_its_delay_and_one_for_nothing_is_false() {
        let mut noise = Noise::seeded(71);
        let values: Vec<f64> =
            (0..120).map(|at| (if at < 70 { 100.0 } else { 106.0 }) * (0.01 * noise.normal()).exp()).collect();
        let known = trend(&Values::new(values.clone()).unwrap(), &Settings::history(), Direction::Lower).changes;
        assert_eq!(known.iter().map(|change| change.at).collect::<Vec<_>>(), [70]);
        let replayed = replay(&values, &known, Settings::online());
        assert!(matches!(replayed.alarms[..], [Alarm { change: Some(0), .. }]), "{replayed:?}");
        assert!(replayed.delays[0].is_some_and(|delay| (3..=6).contains(&delay)), "{replayed:?}");
        let unknown = replay(&values, &[], Settings::online());
        assert_eq!((unknown.alarms.len(), unknown.alarms[0].change, unknown.delays.len()), (1, None, 0));
    }

    #[test]
    fn a_step_that_was_never_told_is_missed() {
        let values = [100.0; 40];
        let known = Change {
            at: 20,
            within: (19, 21),
            kind: Move::Step,
            turn: crate::domain::Turn::Regression,
            size: crate::domain::Size::Relative { value: 0.1, low: 0.1, high: 0.1 },
            noises: 1.0,
            before: 1.0,
            after: 1.1,
            signs: None,
        };
        assert_eq!(replay(&values, &[known], Settings::online()).delays, [None]);
    }
}
