//! Times at one clock.
//!
//! How fast a processor's clock goes depends on what its other cores do and how warm it is, and on a virtual machine on its
//! neighbours: for hours everything is a few percent faster. Where each point comes with the frequency that was seen beside
//! it, that is no step of the series. How much of the clock's step a series takes part in, all of it if it waits for nothing
//! but the core and none if it waits for memory, is learned from the steps that the clock made.

use super::robust::median;

/// Points of which something is learned lie at most so far apart: the series itself moves too, given time.
const NEAR: usize = 10;

/// Between two points of which something is learned the clock has changed by so much at least: of less, noise of half a
/// percent would make a quarter or more.
const LEARNING: f64 = 0.02;

/// Steps are the clock's doing if those of the series are by so much less once what the clock explains is taken away:
/// noise explains nothing, however it lies.
const LEFT: f64 = 0.5;

/// A clock farther from the usual one than the clocks of one processor under load are apart is left as it is: something
/// else may be wrong with it.
const FARTHEST: f64 = 0.15;

/// The usual clock is the middle one of so many, the first that are known, and so stays the same when more come.
const FIRST: usize = 20;

/// A point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timed {
    /// The time.
    pub time: f64,
    /// The frequency of the clock that was seen beside it, if one was, in any unit.
    pub clock: Option<f64>,
}

/// What is known of the clock along a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// The logarithm of the usual frequency.
    usual: f64,
    /// The share of the clock's steps that the series takes part in, from 0 to 1.
    share: f64,
}

impl Clock {
    /// Learned from the points of a series, in their order; none where no clock was seen.
    #[must_use]
    pub fn learn(points: &[Timed]) -> Option<Clock> {
        let mut first: Vec<f64> = points.iter().filter_map(|point| logarithm(point.clock?)).take(FIRST).collect();
        first.sort_unstable_by(f64::total_cmp);
        // One that was seen, where there are as many above as below.
        let usual = *first.get(first.len().checked_sub(1)? / 2)?;
        let known: Vec<Option<(f64, f64)>> = points
            .iter()
            .map(|point| Some((logarithm(point.time)?, logarithm(point.clock?)?)))
            .map(|known| known.filter(|(_, clock)| (clock - usual).abs() <= FARTHEST))
            .collect();
        let pairs = (0..known.len()).flat_map(|one| (one + 1..=one + NEAR).map(move |other| (one, other)));
        let steps: Vec<(f64, f64)> = pairs
            .filter_map(|(one, other)| {
                let (one, other) = (known[one]?, (*known.get(other)?)?);
                let (series, clock) = (one.0 - other.0, other.1 - one.1);
                (clock.abs() > LEARNING).then_some((series, clock))
            })
            .collect();
        let middle = |of: &dyn Fn(&(f64, f64)) -> f64| median(&steps.iter().map(of).collect::<Vec<f64>>());
        // A clock that never made a step has taught nothing.
        let share = middle(&|(series, clock)| series / clock).unwrap_or(0.0).clamp(0.0, 1.0);
        let left = |share: f64| middle(&|(series, clock)| (series - share * clock).abs()).unwrap_or(0.0);
        let share = if left(share) <= LEFT * left(0.0) { share } else { 0.0 };
        Some(Clock { usual, share })
    }

    /// By what a time is multiplied that was taken at this clock, so that it is one at the usual clock.
    #[must_use]
    pub fn factor(&self, clock: Option<f64>) -> f64 {
        let away = clock.and_then(logarithm).map_or(0.0, |clock| clock - self.usual);
        if away.abs() <= FARTHEST { (self.share * away).exp() } else { 1.0 }
    }
}

fn logarithm(value: f64) -> Option<f64> {
    (value > 0.0 && value.is_finite()).then(|| value.ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;

    /// A series that takes part in the clock's steps to this degree, under half a percent of noise, beside a clock so many
    /// times as fast as usual.
    fn series(share: f64, clock: impl Fn(usize) -> f64) -> Vec<Timed> {
        let mut noise = Noise::seeded(7);
        let point = |at: usize| {
            let time = 100.0 * clock(at).powf(-share) * (0.005 * noise.normal()).exp();
            Timed { time, clock: Some(3.2 * clock(at)) }
        };
        (0..60).map(point).collect()
    }

    fn brought(points: &[Timed]) -> Vec<f64> {
        let clock = Clock::learn(points).expect("a clock was seen");
        points.iter().map(|point| point.time * clock.factor(point.clock)).collect()
    }

    /// The greatest distance of a point from 100 when all are brought to one clock.
    fn farthest(points: &[Timed]) -> f64 {
        brought(points).iter().map(|time| (time - 100.0).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn what_waits_for_the_core_and_what_waits_for_memory_come_to_one_clock() {
        for share in [0.0, 0.5, 1.0] {
            // Now and then; once, to the end; once, at the newest point.
            for fast in [|at: usize| at % 11 < 3, |at| at >= 48, |at| at == 59] {
                let points = series(share, |at| if fast(at) { 1.06 } else { 1.0 });
                assert!(farthest(&points) < 2.0, "{share}: {}", farthest(&points));
            }
        }
    }

    #[test]
    fn a_change_is_seen_beside_steps_of_the_clock_unless_it_comes_with_the_only_one() {
        let slower_from = |from: usize, points: &mut [Timed]| points[from..].iter_mut().for_each(|p| p.time *= 1.03);
        let change = |points: &[Timed]| {
            let brought = brought(points);
            median(&brought[49..]).unwrap_or(0.0) / median(&brought[37..48]).unwrap_or(0.0) - 1.0
        };
        let mut points = series(1.0, |at| if at % 11 < 3 { 1.06 } else { 1.0 });
        slower_from(48, &mut points);
        assert!((change(&points) - 0.03).abs() < 0.005, "{}", change(&points));
        let mut points = series(1.0, |at| if at >= 48 { 1.06 } else { 1.0 });
        slower_from(48, &mut points);
        assert!(change(&points).abs() < 0.01, "{}", change(&points));
    }

    #[test]
    fn of_a_clock_that_makes_no_step_nothing_is_learned_and_nothing_is_changed() {
        let points = series(0.0, |at| 1.0 + 0.001 * at as f64);
        let times: Vec<f64> = points.iter().map(|point| point.time).collect();
        assert_eq!(brought(&points), times);
    }

    #[test]
    fn noise_that_lies_as_the_clock_does_by_chance_is_hardly_ever_its_doing_and_a_part_of_its_steps_is() {
        let share = |seed: u64, share: f64, count: usize| {
            let mut noise = Noise::seeded(seed);
            let point = |at: usize| {
                let clock = if at % 7 == 3 { 1.03 } else { 1.0_f64 };
                let time = 100.0 * clock.powf(-share) * (0.005 * noise.normal()).exp();
                Timed { time, clock: Some(3.2 * clock) }
            };
            Clock::learn(&(0..count).map(point).collect::<Vec<_>>()).expect("a clock was seen").share
        };
        // Of half of these a part of the clock's steps would be explained.
        let learned = (0..40).filter(|seed| share(*seed, 0.0, 20) > 0.0).count();
        assert!(learned <= 4, "{learned}");
        assert!((0..20).all(|seed| (share(seed, 0.6, 60) - 0.6).abs() < 0.2));
    }

    #[test]
    fn points_of_an_unknown_clock_stay_beside_the_first_of_a_known_one() {
        let clock = |at: usize| if at < 40 { 1.0 } else { 1.06 };
        let mut points = series(1.0, clock);
        points[..30].iter_mut().for_each(|point| point.clock = None);
        assert!(farthest(&points) < 2.0, "{}", farthest(&points));
        // As many of one as of the other: the usual clock is one of them.
        let points = [3.0, 3.2].map(|ghz| Timed { time: 300.0 / ghz, clock: Some(ghz) });
        assert!((brought(&points)[0] - 100.0).abs() < 1e-9);
    }

    #[test]
    fn without_a_clock_or_with_an_absurd_one_nothing_is_changed() {
        let points = |all: [(f64, Option<f64>); 3]| all.map(|(time, clock)| Timed { time, clock });
        assert_eq!(Clock::learn(&points([(100.0, None), (90.0, None), (80.0, None)])), None);
        assert_eq!(Clock::learn(&[]), None);
        let points = points([(110.0, Some(3.0)), (180.0, Some(1.5)), (100.0, Some(3.3))]);
        let clock = Clock::learn(&points).expect("a clock was seen");
        for absurd in [None, Some(1.5), Some(0.0), Some(-1.0), Some(f64::NAN), Some(f64::INFINITY)] {
            assert!((clock.factor(absurd) - 1.0).abs() < 1e-12, "{absurd:?}");
        }
        assert!((clock.factor(Some(3.3)) - 1.1).abs() < 1e-9);
    }

    #[test]
    fn times_that_are_no_times_teach_nothing() {
        let points = [(0.0, 3.0), (-5.0, 3.3), (f64::NAN, 3.0), (100.0, 3.3)];
        let points = points.map(|(time, clock)| Timed { time, clock: Some(clock) });
        assert!(Clock::learn(&points).expect("a clock was seen").share.abs() < 1e-12);
    }
}
