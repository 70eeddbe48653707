//! Slow moves that duels of neighbours tell: each commit moved too little to be a finding, and all together did.
//!
//! Where points scatter so much that every commit is dueled with its parent, a leak may hide in them, or look like a step
//! somewhere on its way.

use crate::domain::{Change, Move, Part, SeriesTrend, Size, Summed, Turn};
use crate::stats::crept::{Crept, crept};
use crate::stats::student::{NORMAL_95, normal_tail};

use super::findings;
use super::neighbours::{Found, Measured};
use super::sides::{LAST, Sides};

/// The slow moves of a series that its duels tell and its points do not deny. What second looks found at a commit is no piece
/// of them; those that the points do not deny either, with these parts, are findings of their own.
#[must_use]
pub fn slow(series: &SeriesTrend, measured: &Measured, found: &Found, parts: &[Part]) -> Vec<Part> {
    let Some((mut steps, size)) = measured.steps(&series.series) else { return Vec::new() };
    steps.retain(|step| found.in_series(&series.series).all(|moved| moved.seen.place != step.at));
    crept(&steps, size).iter().filter_map(|crept| part(series, crept, parts)).collect()
}

/// What crept as a part; none if the points deny it.
fn part(series: &SeriesTrend, crept: &Crept, found: &[Part]) -> Option<Part> {
    let (first, last) = (crept.first, crept.last);
    let at = series.marks.partition_point(|mark| mark.place < first);
    let end = series.marks.partition_point(|mark| mark.place <= last).checked_sub(1).filter(|end| *end >= at)?;
    // What moved otherwise before the points that say how far it came.
    let said = series.marks[end.saturating_sub(LAST / 2).max(at)].place;
    let meanwhile = found.iter().filter(|part| (first..=said).contains(&part.likely));
    let meanwhile: f64 = meanwhile.filter_map(|part| part.change.size.log()).sum();
    let sides = Sides::of_a_slow_move(series, at, end);
    let before = sides.before(crept.sum, meanwhile)?;
    let [value, low, high] = [0.0, -NORMAL_95, NORMAL_95].map(|errors| (crept.sum + errors * crept.error).exp_m1());
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
    let summed = Some(Summed { duels: crept.count, p: normal_tail(crept.sureness) });
    Some(Part { series, change, suspects, likely: first, returned, confirmed: None, summed })
}

/// Whether a change of the points is a drift and this slow move.
#[must_use]
pub fn is_same(slow: &Part, drift: &Part) -> bool {
    let is_like = drift.change.kind == Move::Drift && slow.series == drift.series && slow.is_like(drift);
    is_like && findings::are_one(slow.suspects, drift.suspects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Level, Mark, Trend};
    use crate::judge::confirmed;
    use crate::judge::neighbours::{Neighbours, tests as duels};

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

    fn told(series: &SeriesTrend, all: &[Neighbours]) -> Option<Part> {
        let found = duels::looks(all);
        let told = slow(series, &Measured::of(all), &found, &confirmed::parts(series, &found));
        assert!(told.len() < 2, "{told:?}");
        told.into_iter().next()
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
        let part = told(&trend(leaking), &leak(0.002)).expect("a slow move");
        let Part { change, suspects, likely, returned, confirmed, summed, .. } = part;
        assert_eq!((change.kind, change.turn, suspects, likely), (Move::Drift, Turn::Regression, (10, 39), 10));
        assert_eq!((change.within, returned, confirmed), ((10, 39), false, None));
        assert!(summed.is_some_and(|summed| summed.duels == 30 && summed.p < 1e-9), "{summed:?}");
        let Size::Relative { value, low, high } = change.size else { panic!("{change:?}") };
        assert!((value - 0.06_f64.exp_m1()).abs() < 1e-9 && 0.05 < low && low < value && value < high && high < 0.07);
        assert!((change.before - 100.0).abs() < 1.0 && (change.after / change.before - 1.0 - value).abs() < 1e-9);
        let better = told(&trend(|place| 1.0 / leaking(place)), &leak(-0.002)).expect("a slow move");
        assert_eq!(better.change.turn, Turn::Improvement);
    }

    #[test]
    fn points_that_surely_did_not_move_deny_it() {
        assert_eq!(told(&trend(|_| 1.0), &leak(0.004)), None);
        assert_eq!(told(&trend(|place| 1.0 / leaking(place)), &leak(0.004)), None);
    }

    #[test]
    fn what_second_looks_found_meanwhile_is_no_part_of_it_and_denies_nothing() {
        let with = |by: f64, factor: &dyn Fn(usize) -> f64| {
            let mut all = leak(0.004);
            all[15] = duels::second_look(25, by);
            let series = trend(|place| factor(place) * if place < 25 { 1.0 } else { by.exp() });
            told(&series, &all).map(|part| part.change.size.value().ln_1p())
        };
        for by in [-0.12, -0.05, 0.12] {
            let size = with(by, &|place| leaking(place).powi(2));
            assert!(size.is_some_and(|size| (size - 29.0 * 0.004).abs() < 1e-9), "{by}: {size:?}");
            assert_eq!(with(by, &|_| 1.0), None, "flat but for that step");
        }
        let mut all = leak(0.004);
        all[29] = duels::second_look(39, 0.2);
        let series = trend(|place| leaking(place).powi(2) * if place < 39 { 1.0 } else { 1.2 });
        assert!(told(&series, &all).is_some(), "four of the last five points lie before it");
    }

    #[test]
    fn where_no_point_counts_since_it_began_nothing_is_told() {
        let mut series = trend(leaking);
        series.marks.truncate(10);
        assert_eq!(told(&series, &leak(0.002)), None);
        series.marks.clear();
        assert_eq!(told(&series, &leak(0.002)), None);
    }

    #[test]
    fn a_leak_after_which_the_level_went_back_has_returned() {
        let mut series = trend(|place| if place < 36 { leaking(place) } else { 1.0 });
        let level = |from, to, value| Level { from, to, value, low: value, high: value };
        let all: Vec<Neighbours> = (10..34).map(|place| duels::second_look(place, 0.002)).collect();
        assert!(!told(&series, &all).expect("a slow move").returned);
        series.trend.levels = vec![level(0, 36, 102.0), level(36, 40, 100.0)];
        assert!(told(&series, &all).expect("a slow move").returned);
    }

    #[test]
    fn a_drift_of_the_points_is_the_same_if_most_of_the_shorter_is_common() {
        let slow = told(&trend(leaking), &leak(0.002)).expect("a slow move");
        let is_same = |with: fn(&mut Part)| {
            let mut other = Part { summed: None, ..slow.clone() };
            with(&mut other);
            is_same(&slow, &other)
        };
        assert!(is_same(|_| ()) && is_same(|drift| drift.suspects = (0, 20)));
        assert!(!is_same(|drift| drift.suspects = (0, 18)));
        assert!(!is_same(|drift| drift.change.kind = Move::Step));
        assert!(!is_same(|drift| drift.change.turn = Turn::Improvement));
    }

    #[test]
    fn what_second_looks_found_one_by_one_is_no_slow_move() {
        let found: Vec<Neighbours> = (10..40).map(|place| duels::second_look(place, 0.02)).collect();
        assert_eq!(told(&trend(|place| leaking(place).powi(10)), &found), None);
        assert_eq!(told(&trend(leaking), &[]), None);
        let gates: Vec<Neighbours> = (10..40).map(|place| duels::duel(place, 0.002, 0.001)).collect();
        assert_eq!(told(&trend(leaking), &gates), None, "they say nothing of the size that counts");
    }
}
