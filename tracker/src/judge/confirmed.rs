//! Changes of the history that a duel of neighbours saw as well.
//!
//! A history says between which commits a level moved; a duel of one of them with its first parent, measured because the
//! point was suspect or because a gate asked, says whether it was that one. Such a duel moved if no change at all is beyond
//! what its lives explain: two builds that differ by luck have moved the level too. It then names the commit and the size.
//!
//! What a second look at a suspect found is a finding at once, before the history has points enough to know of it, and
//! stays one as long as later points do not deny it.

use std::collections::BTreeSet;

use crate::domain::{Change, Confirmed, Move, Part, Series, SeriesTrend, Size};
use crate::stats::changes::Settings;

use super::neighbours::{Found, Measured, Moved, Neighbours};
use super::sides::{AGREES, Sides};
use super::{drifts, findings, rest};

/// A drift of the points that chance would make so seldom needs no duels to tell it.
const SURE: f64 = 1e-4;

/// The parts of findings that second looks found in a series, as far as its points do not deny them.
#[must_use]
pub fn parts(series: &SeriesTrend, found: &Found) -> Vec<Part> {
    found.in_series(&series.series).filter_map(|moved| part(series, moved)).collect()
}

/// What was found, as a part; none if the points of the series deny it.
fn part(series: &SeriesTrend, moved: &Moved) -> Option<Part> {
    let place = moved.seen.place;
    let at = series.marks.partition_point(|mark| mark.place < place);
    let sides = Sides::of_a_step(series, at);
    let effect = moved.seen.effect;
    let before = sides.before(effect.ln_1p(), 0.0)?;
    // What is exact has no interval.
    let (low, high) = (moved.seen.low.unwrap_or(effect), moved.seen.high.unwrap_or(effect));
    let change = Change {
        at,
        within: (at, at),
        kind: Move::Step,
        turn: moved.turn,
        size: Size::Relative { value: effect, low, high },
        before,
        after: before * (1.0 + effect),
        noises: effect.ln_1p() / sides.noise,
        signs: None,
    };
    let returned = findings::has_returned(&series.trend, &change);
    let (suspects, confirmed) = ((place, place), Some(moved.seen.clone()));
    let series = series.series.clone();
    Some(Part { series, change, suspects, likely: place, returned, confirmed, summed: None })
}

/// What was dueled along a line.
#[derive(Debug)]
pub struct Duels<'a> {
    /// The duels, in the order of measuring.
    pub all: &'a [&'a Neighbours],
    /// The series in which they found something.
    pub series: &'a [SeriesTrend],
    /// How changes are looked for in these.
    pub settings: &'a Settings,
}

/// Makes one of what points say, what second looks found, the slow moves that their sums tell, and what was measured beside
/// them: a step of the points is confirmed by a duel that moved likewise, and left out if duels deny it or tell of it in
/// other words.
#[must_use]
pub fn settled(mut parts: Vec<Part>, mut slow: Vec<Part>, duels: &Duels<'_>) -> Vec<Part> {
    let all = duels.all;
    let measured = Measured::of(all.iter().copied());
    // Of two tales of one slow move the surer counts, that of the points if it is sure enough.
    let knows = |drift: &Part, slow: &Part| {
        drifts::is_same(slow, drift) && findings::p_value(drift) <= findings::p_value(slow).max(SURE)
    };
    slow.retain(|slow| !parts.iter().any(|part| knows(part, slow)));
    parts.sort_by(|one, other| one.series.cmp(&other.series));
    let mut settled = Vec::with_capacity(parts.len());
    for of_series in parts.chunk_by(|one, other| one.series == other.series) {
        let (mut steps, mut others): (Vec<Part>, Vec<Part>) = of_series.iter().cloned().partition(is_of_points);
        confirm(&mut steps, &others, all);
        let rest = rest_of(&of_series[0].series, &others, &slow, duels);
        let is_still_told = |part: &Part| rest.as_ref().is_none_or(|rest| rest::still_tells(rest, part));
        // The points know of what a second look found.
        let is_known = |part: &Part| place(part).is_some() && steps.iter().any(|step| place(step) == place(part));
        let is_told_else = |part: &Part| match place(part) {
            Some(_) => is_known(part),
            None => !is_still_told(part) || slow.iter().any(|slow| drifts::is_same(slow, part)),
        };
        others.retain(|part| !is_told_else(part));
        let is_left_out = |step: &Part| {
            let is_told = is_made_up(step, &others) || !is_still_told(step);
            step.confirmed.is_none() && (is_told || measured.deny(step))
        };
        steps.retain(|step| !is_left_out(step));
        settled.extend(steps.into_iter().chain(others));
    }
    settled.extend(slow);
    settled
}

/// What the points of a series tell without what second looks found and their sums tell; none if there is nothing of these.
fn rest_of(series: &Series, others: &[Part], slow: &[Part], duels: &Duels<'_>) -> Option<Vec<Part>> {
    let found = others.iter().filter(|part| place(part).is_some());
    let moves: Vec<&Part> = found.chain(slow.iter().filter(|slow| slow.series == *series)).collect();
    if moves.is_empty() {
        return None;
    }
    let trend = duels.series.iter().find(|trend| trend.series == *series)?;
    Some(rest::rest(trend, &moves, duels.settings))
}

/// Confirms steps of the points of one series by duels that moved likewise: each step by one, and each duel one step, those
/// that are most alike first. What several second looks make up is not confirmed by one of them.
fn confirm(steps: &mut [Part], found: &[Part], all: &[&Neighbours]) {
    let mut pairs: Vec<(f64, usize, Confirmed)> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        if among(step, found).count() < 2 || !is_made_up(step, found) {
            let off = |seen: &Confirmed| step.change.size.log().map_or(0.0, |log| (log - seen.effect.ln_1p()).abs());
            pairs.extend(confirming(step, all).into_iter().map(|seen| (off(&seen), number, seen)));
        }
    }
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
    for (_, number, seen) in pairs {
        let is_taken = steps.iter().any(|step| place(step) == Some(seen.place));
        let step = &mut steps[number];
        if step.confirmed.is_none() && !is_taken {
            (step.suspects, step.likely) = ((seen.place, seen.place), seen.place);
            step.confirmed = Some(seen);
        }
    }
}

/// A step that the points know of; what a second look found has no signs but the duel.
fn is_of_points(part: &Part) -> bool {
    part.change.kind == Move::Step && part.change.signs.is_some()
}

fn place(part: &Part) -> Option<usize> {
    part.confirmed.as_ref().map(|confirmed| confirmed.place)
}

/// What second looks found among the suspects of a step, and that went its way.
fn among<'a>(step: &'a Part, found: &'a [Part]) -> impl Iterator<Item = &'a Part> {
    let (first, last) = step.suspects;
    let is_among = move |part: &&Part| place(part).is_some_and(|place| (first..=last).contains(&place));
    found.iter().filter(is_among).filter(|part| part.is_like(step))
}

/// Whether what second looks found among the suspects of a step makes up most of it.
fn is_made_up(step: &Part, found: &[Part]) -> bool {
    let sum: f64 = among(step, found).filter_map(|part| part.change.size.log()).sum();
    step.change.size.log().is_some_and(|log| sum.abs() >= AGREES * log.abs())
}

/// The duels that may confirm a step. Of several of one commit the newest counts.
fn confirming(step: &Part, all: &[&Neighbours]) -> Vec<Confirmed> {
    let suspects = step.suspects.0..=step.suspects.1;
    let mut seen = BTreeSet::new();
    let dueled = all.iter().rev().filter(|one| suspects.contains(&one.place) && one.has_dueled(&step.series));
    let newest = dueled.filter(|one| seen.insert(one.place));
    let confirms = |one: &Moved| one.turn == step.change.turn && explains(one, &step.change);
    newest.filter_map(|one| one.moved(&step.series)).filter(confirms).map(|one| one.seen).collect()
}

/// Whether what a duel saw goes the way of a step, and each may be half of the other or more.
fn explains(moved: &Moved, change: &Change) -> bool {
    let Size::Relative { value, low, high } = change.size else { return true };
    let seen = &moved.seen;
    let (least, most) = reach(low, high);
    let (seen_least, seen_most) = reach(seen.low.unwrap_or(seen.effect), seen.high.unwrap_or(seen.effect));
    (value > 0.0) == (seen.effect > 0.0) && seen_most >= AGREES * least && most >= AGREES * seen_least
}

/// The ends of an interval of relative changes, the nearer to nought and the farther, as logarithms without their signs.
fn reach(low: f64, high: f64) -> (f64, f64) {
    let (one, other) = (low.ln_1p().abs(), high.ln_1p().abs());
    (if low * high > 0.0 { one.min(other) } else { 0.0 }, one.max(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Level, Machine, Mark, Signs, Summed, Trend, Turn};
    use crate::judge::neighbours::tests as duels;
    use crate::stats::simulate::Noise;
    use duels::{duel, exact, looks, second_look};

    /// A step of 3 % that the points know of.
    fn step(turn: Turn, suspects: (usize, usize)) -> Part {
        let mut change = Change::example(suspects.0, suspects, turn);
        change.signs = Some(Signs { probability: 0.99, nats: 20.0, p: 1e-6 });
        if turn == Turn::Improvement {
            change.size = Size::Relative { value: -0.03, low: -0.04, high: -0.02 };
        }
        let (series, likely) = (duels::series(), suspects.0);
        Part { series, change, suspects, likely, returned: false, confirmed: None, summed: None }
    }

    fn settled(parts: Vec<Part>, all: &[Neighbours]) -> Vec<Part> {
        settled_with(parts, vec![], all)
    }

    fn settled_with(parts: Vec<Part>, slow: Vec<Part>, all: &[Neighbours]) -> Vec<Part> {
        let (all, settings) = (all.iter().collect::<Vec<_>>(), Settings::history());
        super::settled(parts, slow, &Duels { all: &all, series: &[], settings: &settings })
    }

    fn confirmed(part: Part, all: &[Neighbours]) -> Option<Confirmed> {
        settled(vec![part], all).into_iter().find_map(|part| part.confirmed)
    }

    #[test]
    fn a_duel_that_moved_likewise_names_the_commit_and_the_size() {
        let parts = settled(vec![step(Turn::Regression, (10, 14))], &[duel(11, 0.0, 0.001), duel(12, 0.03, 0.001)]);
        let [part] = &parts[..] else { panic!("{parts:?}") };
        let confirmed = part.confirmed.as_ref().expect("confirmed");
        assert_eq!((confirmed.place, part.suspects, part.likely), (12, (12, 12), 12));
        assert!((confirmed.effect - 0.03_f64.exp_m1()).abs() < 1e-9 && confirmed.low.is_some_and(|low| low > 0.028));
    }

    #[test]
    fn a_duel_that_moved_the_other_way_elsewhere_hardly_or_not_surely_confirms_nothing() {
        let is_confirmed =
            |turn, place, effect, apart| confirmed(step(turn, (10, 14)), &[duel(place, effect, apart)]).is_some();
        assert!(is_confirmed(Turn::Improvement, 10, -0.03, 0.001));
        assert!(!is_confirmed(Turn::Improvement, 10, 0.03, 0.001));
        assert!(!is_confirmed(Turn::Regression, 15, 0.03, 0.001));
        assert!(!is_confirmed(Turn::Regression, 12, 0.01, 0.05));
        assert!(is_confirmed(Turn::Regression, 12, 0.011, 0.001), "half of the 2 % that the step has at least");
        assert!(!is_confirmed(Turn::Regression, 12, 0.006, 0.001), "a piece of it");
        assert!(!is_confirmed(Turn::Regression, 12, 0.1, 0.001), "more than twice as much");
    }

    #[test]
    fn a_drift_and_another_machine_are_not_confirmed() {
        let mut drift = step(Turn::Regression, (10, 14));
        drift.change.kind = Move::Drift;
        assert_eq!(confirmed(drift, &[duel(12, 0.03, 0.001)]), None);
        let elsewhere = duels::made(12, 0.03, 0.001, |duel| duel.machine = Machine::Named("train".to_owned()));
        assert_eq!(confirmed(step(Turn::Regression, (10, 14)), &[elsewhere]), None);
    }

    #[test]
    fn what_a_second_look_found_is_told_once() {
        let all = [second_look(20, 0.03)];
        let told = |turn, suspects| {
            let parts = parts(&series(&levels(5, 1.03)), &looks(&all));
            settled([vec![step(turn, suspects)], parts].concat(), &all)
        };
        let both = told(Turn::Regression, (18, 21));
        assert!(both.len() == 1 && both[0].change.signs.is_some() && place(&both[0]) == Some(20), "{both:?}");
        assert_eq!(told(Turn::Regression, (21, 25)).len(), 2);
        assert_eq!(told(Turn::Improvement, (18, 21)).len(), 2);
    }

    #[test]
    fn a_step_that_several_second_looks_make_up_is_told_by_them() {
        let mut wide = step(Turn::Regression, (18, 23));
        wide.change.size = Size::Relative { value: 0.05, low: 0.045, high: 0.055 };
        let all: Vec<Neighbours> = [18, 19, 22].map(|place| second_look(place, 0.015)).into();
        let found = parts(&series(&levels(10, 1.03)), &looks(&all));
        assert_eq!(found.len(), 3);
        let told = settled([vec![wide.clone()], found.clone()].concat(), &all);
        assert_eq!(told, found);
        assert_eq!(settled([vec![wide.clone()], vec![found[0].clone()]].concat(), &all[..1]).len(), 2, "a third of it");
        let all = [second_look(18, 0.02), second_look(22, 0.03)];
        let found = parts(&series(&levels(10, 1.03)), &looks(&all));
        assert_eq!(settled([vec![wide], found.clone()].concat(), &all), found, "though one of them would confirm it");
    }

    #[test]
    fn a_duel_confirms_one_step_of_a_series_and_the_newest_duel_of_a_commit_counts() {
        let mut larger = step(Turn::Regression, (12, 16));
        larger.change.size = Size::Relative { value: 0.05, low: 0.03, high: 0.07 };
        let both = vec![larger.clone(), step(Turn::Regression, (10, 14))];
        let places = |all: &[Neighbours]| -> Vec<_> {
            let found = parts(&series(&levels(10, 1.03)), &looks(all));
            settled([both.clone(), found].concat(), all).iter().map(|part| part.suspects).collect()
        };
        assert_eq!(places(&[duel(13, 0.03, 0.001)]), [(12, 16), (13, 13)]);
        assert_eq!(places(&[second_look(13, 0.03)]), [(12, 16), (13, 13)]);
        assert_eq!(places(&[duel(13, 0.031, 0.001), duel(14, 0.04, 0.001)]), [(14, 14), (13, 13)]);
        assert_eq!(confirmed(larger, &[duel(13, 0.03, 0.001), duel(13, 0.0, 0.001)]), None);
    }

    #[test]
    fn a_step_that_duels_deny_is_left_out() {
        let mut step = step(Turn::Regression, (10, 12));
        step.change.size = Size::Relative { value: 0.04, low: 0.03, high: 0.05 };
        let all = [10, 11, 12].map(|place| duel(place, 0.0, 0.001));
        assert_eq!(settled(vec![step.clone()], &all), []);
        assert_eq!(settled(vec![step], &all[..2]).len(), 1);
    }

    #[test]
    fn a_step_of_the_points_that_is_none_without_what_duels_told_is_left_out() {
        // Every second commit has a point, and the points see the step of place 20 at place 30.
        let noisy =
            |place: usize| if place < 20 { 1.0 } else { 1.03 } * [1.0, 1.004, 0.997, 1.002, 0.995][place * 7 % 5];
        let one = series(&(0..40).map(|at| 100.0 * noisy(2 * at)).collect::<Vec<_>>());
        let (all, settings) = ([second_look(20, 0.03)], Settings::history());
        let told = |suspects| {
            let mut parts = parts(&one, &looks(&all));
            parts.push(step(Turn::Regression, suspects));
            let all: Vec<&Neighbours> = all.iter().collect();
            let series = std::slice::from_ref(&one);
            let told = super::settled(parts, vec![], &Duels { all: &all, series, settings: &settings });
            told.iter().map(|part| part.suspects).collect::<Vec<_>>()
        };
        assert_eq!(told((28, 34)), [(20, 20)]);
    }

    #[test]
    fn a_drift_of_the_points_is_told_if_something_of_it_is_left_without_what_duels_told() {
        let (looked, settings) = ([second_look(20, 0.03)], Settings::history());
        let all: Vec<&Neighbours> = looked.iter().collect();
        let told = |leak: f64| {
            let mut stream = Noise::seeded(82);
            let factor = |place: usize| if place < 20 { 1.0 } else { 1.03 } * (1.0 + leak * place as f64);
            let one = series(&(0..60).map(|at| factor(2 * at) * (0.003 * stream.normal()).exp()).collect::<Vec<_>>());
            let mut drift = step(Turn::Regression, (10, 110));
            (drift.change.kind, drift.change.signs) = (Move::Drift, None);
            let parts = [parts(&one, &looks(&looked)), vec![drift]].concat();
            let series = std::slice::from_ref(&one);
            let told = super::settled(parts, vec![], &Duels { all: &all, series, settings: &settings });
            told.iter().map(|part| (part.change.kind, part.suspects)).collect::<Vec<_>>()
        };
        let seen = (Move::Step, (20, 20));
        assert_eq!(told(0.0), [seen]);
        assert_eq!(told(0.0005), [seen, (Move::Drift, (10, 110))]);
    }

    #[test]
    fn a_slow_move_is_told_once_by_the_points_if_they_are_sure_of_it_else_by_the_sum_of_duels() {
        let mut drift = step(Turn::Regression, (10, 40));
        (drift.change.kind, drift.change.signs) = (Move::Drift, None);
        let slow = Part { summed: Some(Summed { duels: 28, p: 1e-5 }), suspects: (12, 40), ..drift.clone() };
        let told = |half_width: f64| {
            let mut drift = drift.clone();
            drift.change.size = Size::Relative { value: 0.03, low: 0.03 - half_width, high: 0.03 + half_width };
            let told = settled_with(vec![drift], vec![slow.clone()], &[]);
            assert_eq!(told.len(), 1);
            told[0].summed.is_some()
        };
        assert!(!told(0.01) && told(0.02));
    }

    /// The parts of what a second look beyond 1 % at the commit of place 20 saw, in a series with these levels; every second
    /// commit was measured.
    fn parts_in(effect: f64, levels: &[f64]) -> Vec<Part> {
        parts(&series(levels), &looks(&[second_look(20, effect)]))
    }

    fn series(levels: &[f64]) -> SeriesTrend {
        let mark = |(at, &level): (usize, &f64)| Mark { place: 2 * at, level, interval: None, runs: 1, newest: 0 };
        SeriesTrend {
            series: duels::series(),
            marks: levels.iter().enumerate().map(mark).collect(),
            trend: Trend::default(),
            toolchains: vec![],
            brought: 0,
            left_out: 0,
        }
    }

    /// Ten points, and so many from the commit on.
    fn levels(since: usize, factor: f64) -> Vec<f64> {
        (0..10 + since).map(|at| [100.0, 100.2][at % 2] * if at < 10 { 1.0 } else { factor }).collect()
    }

    #[test]
    fn what_a_second_look_saw_is_a_part_before_the_history_knows_of_it() {
        for since in [0, 1, 2, 30] {
            let parts = parts_in(0.03, &levels(since, 1.03));
            assert_eq!(parts.len(), 1, "{since}");
            let Part { suspects, likely, change, confirmed, .. } = &parts[0];
            assert_eq!((*suspects, *likely, change.at, change.turn), ((20, 20), 20, 10, Turn::Regression));
            assert!((change.size.value() - 0.03_f64.exp_m1()).abs() < 1e-9 && (change.before - 100.1).abs() < 1e-9);
            assert!(change.noises > 5.0 && confirmed.as_ref().is_some_and(|seen| seen.place == 20));
        }
        assert_eq!(parts_in(-0.03, &levels(2, 0.97))[0].change.turn, Turn::Improvement);
    }

    #[test]
    fn what_a_second_look_saw_has_returned_when_the_level_has() {
        let mut all = levels(20, 1.03);
        all[20..].iter_mut().for_each(|level| *level /= 1.03);
        let mut series = series(&all);
        let told = |series: &SeriesTrend| {
            let parts = parts(series, &looks(&[second_look(20, 0.03)]));
            assert_eq!(parts.len(), 1);
            parts[0].returned
        };
        let of = |from, to, value| Level { value, ..level(from, to) };
        series.trend.levels = vec![of(0, 10, 100.1), of(10, 20, 103.1), of(20, 30, 100.1)];
        assert!(told(&series));
        series.trend.levels.truncate(2);
        assert!(!told(&series));
    }

    #[test]
    fn what_points_deny_is_no_part() {
        assert!(parts_in(0.03, &levels(5, 1.0)).is_empty() && parts_in(0.03, &levels(5, 0.97)).is_empty());
        assert!(parts_in(0.03, &[0.0; 20]).is_empty());
    }

    #[test]
    fn what_points_that_scatter_cannot_deny_is_a_part() {
        // By 2 %, and the newer half lies as high as the older.
        let noisy: Vec<f64> = (0..16).map(|at| 100.0 + [0.0, 2.5, -1.5, 1.0, -2.5, 0.5][at * 5 % 6]).collect();
        assert_eq!(parts_in(0.01, &noisy).len(), 1);
        let lower: Vec<f64> =
            noisy.iter().enumerate().map(|(at, level)| level * if at < 10 { 1.0 } else { 0.95 }).collect();
        assert_eq!(parts_in(0.01, &lower).len(), 1, "they went the other way by more than they scatter");
        assert!(parts_in(0.2, &noisy).is_empty());
    }

    fn level(from: usize, to: usize) -> Level {
        Level { from, to, value: 100.0, low: 99.0, high: 101.0 }
    }

    #[test]
    fn the_same_step_that_the_history_sees_a_point_too_soon_or_too_late_denies_nothing() {
        for at in [9, 11] {
            let mut series = series(&levels(10, 1.03));
            series.trend.levels = vec![level(0, at), level(at, 20)];
            let parts = parts(&series, &looks(&[second_look(20, 0.03)]));
            assert_eq!(parts.len(), 1, "{at}");
        }
    }

    #[test]
    fn an_exact_metric_is_told_from_any_size_on() {
        let told = |base: f64, head: f64| parts(&series(&levels(1, 1.002)), &looks(&[exact(20, base, head)]));
        let parts = told(1000.0, 1002.0);
        assert!(parts.len() == 1 && (parts[0].change.size.value() - 0.002).abs() < 1e-9);
        assert!(told(1000.0, 1000.0).is_empty() && told(0.0, 5.0).is_empty());
    }

    #[test]
    fn another_change_nearby_that_the_history_knows_denies_nothing() {
        // Better by a tenth three points before, and worse by 5 % now.
        let mut all = levels(3, 0.945);
        all[7..10].iter_mut().for_each(|level| *level *= 0.9);
        let mut series = series(&all);
        let found = looks(&[second_look(20, 0.05)]);
        assert_eq!(parts(&series, &found).len(), 0);
        series.trend.levels = vec![level(0, 7), level(7, 13)];
        let parts = parts(&series, &found);
        assert!(parts.len() == 1 && (parts[0].change.before - 90.0).abs() < 0.3, "{parts:?}");
    }
}
