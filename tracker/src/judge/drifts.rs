//! Slow moves that duels of neighbours tell: each commit moved too little to be a finding, and all together did.
//!
//! Where points scatter so much that every commit is dueled with its parent, a leak may hide in them, or look like a step
//! somewhere on its way.

use crate::domain::{Change, Move, Part, SeriesTrend, Size, Turn};
use crate::stats::crept::{Crept, crept};

use super::findings;
use super::neighbours::{Measured, Moved};
use super::sides::Sides;

/// How many errors a 95 % interval reaches.
const REACH: f64 = 1.96;

/// The slow move of a series that its duels tell and its points, of which these are the parts, neither know of nor deny.
/// What second looks found at a commit is a finding of its own, and no part of it.
#[must_use]
pub fn slow(series: &SeriesTrend, known: &[Part], measured: &Measured, found: &[Moved]) -> Option<Part> {
    let (mut steps, size) = measured.steps(&series.series)?;
    let found: Vec<&Moved> = found.iter().filter(|moved| moved.is_of(&series.series)).collect();
    steps.retain(|step| found.iter().all(|moved| moved.seen.place != step.at));
    let crept = crept(&steps, size)?;
    let meanwhile = found.iter().filter(|moved| (crept.first..=crept.last).contains(&moved.seen.place));
    let part = part(series, &crept, meanwhile.map(|moved| moved.seen.effect.ln_1p()).sum())?;
    let is_same = |other: &Part| {
        let shorter = length(part.suspects).min(length(other.suspects));
        other.change.kind == Move::Drift && other.is_like(&part) && 2 * common(other, &part) > shorter
    };
    (!known.iter().any(is_same)).then_some(part)
}

/// What crept as a part; none if the points deny it together with what moved otherwise meanwhile.
fn part(series: &SeriesTrend, crept: &Crept, meanwhile: f64) -> Option<Part> {
    let (first, last) = (crept.first, crept.last);
    let at = series.marks.partition_point(|mark| mark.place < first);
    let end = series.marks.partition_point(|mark| mark.place <= last).checked_sub(1).filter(|end| *end >= at)?;
    let sides = Sides::of_a_slow_move(series, at, end);
    let before = sides.before(crept.sum + meanwhile)?;
    let [value, low, high] = [0.0, -REACH, REACH].map(|errors| (crept.sum + errors * crept.error).exp_m1());
    let change = Change {
        at,
        within: (at, end),
        kind: Move::Drift,
        turn: Turn::of(crept.sum > 0.0, series.series.metric.better),
        size: Size::Relative { value, low, high },
        before,
        after: before * (1.0 + value),
        noises: crept.sum / sides.noise,
        signs: None,
    };
    let returned = findings::has_returned(&series.trend, &change);
    let (series, suspects) = (series.series.clone(), (first, last));
    Some(Part { series, change, suspects, likely: first, returned, confirmed: None, summed: Some(crept.count) })
}

/// Whether a step of the points is a piece of this slow move: it may be as small as that, most of its suspects lie in it, and
/// most were dueled. None of these moved like the step, or it would be confirmed.
#[must_use]
pub fn holds(slow: &Part, step: &Part, measured: &Measured) -> bool {
    let all = length(step.suspects);
    let nearer = |size: Size| match size {
        Size::Relative { low, high, .. } if low * high > 0.0 => low.abs().min(high.abs()),
        Size::Relative { .. } => 0.0,
        Size::Absolute { .. } => f64::INFINITY,
    };
    slow.series == step.series
        && slow.is_like(step)
        && nearer(step.change.size) <= slow.change.size.value().abs()
        && 2 * common(slow, step) > all
        && 2 * measured.count(&step.series, step.suspects) > all
}

fn length((first, last): (usize, usize)) -> usize {
    last - first + 1
}

/// How many commits two parts have in common.
fn common(one: &Part, other: &Part) -> usize {
    let (first, last) = (one.suspects.0.max(other.suspects.0), one.suspects.1.min(other.suspects.1));
    (last + 1).saturating_sub(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Level, Mark, Trend};
    use crate::judge::neighbours::{Neighbours, found, tests as duels};

    /// Forty points that scatter by some percent, with a factor for each place.
    fn trend(factor: impl Fn(usize) -> f64) -> SeriesTrend {
        let level = |place: usize| factor(place) * (100.0 + [0.0, 2.5, -1.5, 1.0, -2.5, 0.5][place * 5 % 6]);
        let mark = |place| Mark { place, level: level(place), interval: None, runs: 1, newest: 0 };
        SeriesTrend {
            series: duels::series(),
            marks: (0..40).map(mark).collect(),
            trend: Trend::default(),
            toolchains: vec![],
            brought: 0,
            left_out: 0,
        }
    }

    fn told(series: &SeriesTrend, known: &[Part], all: &[Neighbours]) -> Option<Part> {
        slow(series, known, &Measured::of(all), &found(all))
    }

    /// Second looks at the commits from the tenth on, each of which moved by so much.
    fn leak(by: f64) -> Vec<Neighbours> {
        (10..40).map(|place| duels::second_look(place, by)).collect()
    }

    fn leaking(place: usize) -> f64 {
        (0.002 * place.saturating_sub(9) as f64).exp()
    }

    #[test]
    fn a_leak_of_which_no_duel_found_a_piece_is_told_with_its_span_and_its_size() {
        let part = told(&trend(leaking), &[], &leak(0.002)).expect("a slow move");
        let Part { change, suspects, likely, returned, confirmed, summed, .. } = part;
        assert_eq!((change.kind, change.turn, suspects, likely), (Move::Drift, Turn::Regression, (10, 39), 10));
        assert_eq!((change.within, returned, confirmed, summed), ((10, 39), false, None, Some(30)));
        let Size::Relative { value, low, high } = change.size else { panic!("{change:?}") };
        assert!((value - 0.06_f64.exp_m1()).abs() < 1e-9 && 0.05 < low && low < value && value < high && high < 0.07);
        assert!((change.before - 100.0).abs() < 1.0 && (change.after / change.before - 1.0 - value).abs() < 1e-9);
        let better = told(&trend(|place| 1.0 / leaking(place)), &[], &leak(-0.002)).expect("a slow move");
        assert_eq!(better.change.turn, Turn::Improvement);
    }

    #[test]
    fn points_that_surely_did_not_move_deny_it() {
        assert_eq!(told(&trend(|_| 1.0), &[], &leak(0.004)), None);
        assert_eq!(told(&trend(|place| 1.0 / leaking(place)), &[], &leak(0.002)), None);
    }

    #[test]
    fn what_second_looks_found_meanwhile_is_no_part_of_it_and_denies_nothing() {
        let with = |by: f64| {
            let mut all = leak(0.004);
            all[15] = duels::second_look(25, by);
            let series = trend(|place| leaking(place).powi(2) * if place < 25 { 1.0 } else { by.exp() });
            told(&series, &[], &all).map(|part| part.change.size.value().ln_1p())
        };
        for by in [-0.12, 0.12] {
            assert!(with(by).is_some_and(|size| (size - 29.0 * 0.004).abs() < 1e-9), "{by}");
        }
        let mut all = leak(0.006);
        all[15] = duels::second_look(25, 0.03);
        let flat = trend(|place| if place < 25 { 1.0 } else { 1.03 });
        assert_eq!(told(&flat, &[], &all), None, "flat but for that step");
    }

    #[test]
    fn where_no_point_counts_since_it_began_nothing_is_told() {
        let mut series = trend(leaking);
        series.marks.truncate(10);
        assert_eq!(told(&series, &[], &leak(0.002)), None);
        series.marks.clear();
        assert_eq!(told(&series, &[], &leak(0.002)), None);
    }

    #[test]
    fn a_leak_after_which_the_level_went_back_has_returned() {
        let mut series = trend(|place| if place < 36 { leaking(place) } else { 1.0 });
        let level = |from, to, value| Level { from, to, value, low: value, high: value };
        let all: Vec<Neighbours> = (10..34).map(|place| duels::second_look(place, 0.002)).collect();
        assert!(!told(&series, &[], &all).expect("a slow move").returned);
        series.trend.levels = vec![level(0, 36, 102.0), level(36, 40, 100.0)];
        assert!(told(&series, &[], &all).expect("a slow move").returned);
    }

    #[test]
    fn what_the_points_know_to_be_a_drift_is_told_once() {
        let known = told(&trend(leaking), &[], &leak(0.002)).expect("a slow move");
        assert_eq!(told(&trend(leaking), std::slice::from_ref(&known), &leak(0.002)), None);
        let mut before = known.clone();
        before.suspects = (0, 18);
        assert!(told(&trend(leaking), &[before], &leak(0.002)).is_some());
        let mut step = known;
        step.change.kind = Move::Step;
        assert!(told(&trend(leaking), &[step], &leak(0.002)).is_some());
    }

    #[test]
    fn what_second_looks_found_one_by_one_is_no_slow_move() {
        let found: Vec<Neighbours> = (10..40).map(|place| duels::second_look(place, 0.02)).collect();
        assert_eq!(told(&trend(|place| leaking(place).powi(10)), &[], &found), None);
        assert_eq!(told(&trend(leaking), &[], &[]), None);
        let gates: Vec<Neighbours> = (10..40).map(|place| duels::duel(place, 0.002, 0.001)).collect();
        assert_eq!(told(&trend(leaking), &[], &gates), None, "they say nothing of the size that counts");
    }
}
