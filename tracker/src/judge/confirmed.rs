//! Changes of the history that a duel of neighbours saw as well.
//!
//! A history says between which commits a level moved; a duel of one of them with its first parent, measured because the
//! point was suspect or because a gate asked, says whether it was that one. Such a duel moved if no change at all is beyond
//! what its lives explain: two builds that differ by luck have moved the level too. It then names the commit and the size.
//!
//! What a second look at a suspect saw move is a finding at once, before the history has points enough to know of it, and
//! stays one as long as later points do not deny it.

use std::collections::BTreeMap;

use crate::domain::{
    BenchmarkName, Bout, Call, Change, Confirmed, Duel, Judged, Kind, Limit, Machine, Mark, Metric, MetricVerdict,
    Move, Part, Policy, PolicyEntry, RecordId, Series, SeriesTrend, Size, SuiteName, Turn, Verdict,
};
use crate::stats::robust;

use super::known::Known;

/// The note of a duel that was a second look at suspects: the limit beyond which a change was confirmed, as a share.
pub const SECOND_LOOK: &str = "second_look";

/// Of so many points before a commit and from it on, the middles tell whether the history agrees with a duel.
const AROUND: usize = 10;

/// The history denies what a duel saw if its level moved by less than this share of it, by so many errors at least.
const AGREES: f64 = 0.5;
const ERRORS: f64 = 2.5;

/// A change of the size from which on one is confirmed may come out a little smaller: a finding is what is larger than this
/// share of it and may be as large.
const FINDS: f64 = 0.5;

/// The note of a duel that says over how many series its error was divided.
const GATED_SERIES: &str = "gated series";

/// A duel of a commit with its first parent.
#[derive(Debug)]
pub struct Neighbours<'a> {
    /// Its identity.
    pub id: &'a RecordId,
    /// What was read.
    pub duel: &'a Duel,
    /// The place of the commit.
    pub place: usize,
}

/// Marks the parts that a duel confirms. Of several that confirm one, that with the largest effect counts.
pub fn mark(parts: &mut [Part], of: &Neighbours<'_>) {
    for moved in moved(of, Limit::percent(0.0).ok()) {
        let is_of = |part: &&mut Part| {
            (part.change.kind, part.change.turn) == (Move::Step, moved.turn)
                && (part.suspects.0..=part.suspects.1).contains(&of.place)
                // What the newest look alone saw is confirmed by that.
                && (part.confirmed.is_none() || part.change.signs.is_some())
                && moved.is_of(&part.series)
        };
        let Some(part) = parts.iter_mut().find(is_of) else { continue };
        if part.confirmed.as_ref().is_none_or(|known| known.effect.abs() < moved.seen.effect.abs()) {
            part.confirmed = Some(moved.seen);
        }
    }
}

/// What a duel of neighbours saw move.
#[derive(Debug, Clone)]
pub struct Moved {
    suite: SuiteName,
    machine: Machine,
    benchmark: BenchmarkName,
    metric: Metric,
    turn: Turn,
    seen: Confirmed,
}

/// Adds to what second looks saw move what this one saw, if it was one, in place of what earlier ones saw of the same.
pub fn add_look(looks: &mut Vec<Moved>, of: &Neighbours<'_>) {
    let duel = of.duel;
    let share = duel.notes.get(SECOND_LOOK).and_then(|share| share.parse::<f64>().ok());
    let Some(share) = share else { return };
    let Ok(limit) = Limit::percent(100.0 * FINDS * share) else { return };
    looks.retain(|known| {
        (&known.suite, &known.machine, known.seen.place) != (&duel.suite, &duel.machine, of.place)
            || !duel.bouts.contains_key(&known.benchmark)
    });
    // What is exact has no interval.
    let reaches = |end: Option<f64>| end.is_none_or(|end| end.abs() >= share);
    looks.extend(moved(of, Some(limit)).into_iter().filter(|one| reaches(one.seen.low) || reaches(one.seen.high)));
}

fn verdicts(duel: &Duel, limit: Option<Limit>) -> impl Iterator<Item = (BenchmarkName, MetricVerdict)> {
    let gated = duel.notes.get(GATED_SERIES).and_then(|count| count.parse().ok()).unwrap_or(duel.bouts.len());
    let judged = super::duel::judge(duel, &policy(duel, limit), &Known::default(), gated.max(1));
    let verdicts = judged.into_iter().filter_map(|(benchmark, judged)| match judged {
        Judged::Verdicts(verdicts) => Some(verdicts.into_iter().map(move |verdict| (benchmark.clone(), verdict))),
        _ => None,
    });
    verdicts.flatten()
}

fn moved(of: &Neighbours<'_>, limit: Option<Limit>) -> Vec<Moved> {
    let Neighbours { id, duel, place } = *of;
    let moved = |(benchmark, one): (BenchmarkName, MetricVerdict)| {
        let turn = match one.verdict.call {
            Call::Regressed => Turn::Regression,
            Call::Improved => Turn::Improvement,
            Call::Unchanged | Call::Inconclusive => return None,
        };
        let seen = confirmed(&one.verdict, id, place);
        let (suite, machine) = (duel.suite.clone(), duel.machine.clone());
        Some(Moved { suite, machine, benchmark, metric: one.metric, turn, seen })
    };
    verdicts(duel, limit).filter_map(moved).collect()
}

fn confirmed(verdict: &Verdict, duel: &RecordId, place: usize) -> Confirmed {
    let end = |end: fn(&crate::domain::Interval) -> f64| verdict.interval.as_ref().map(end);
    Confirmed {
        place,
        duel: duel.clone(),
        effect: verdict.effect.relative(),
        low: end(|interval| interval.low.relative()),
        high: end(|interval| interval.high.relative()),
    }
}

impl Moved {
    /// Whether it moved in this series. A metric may be exact in the one and, where lives differ, noisy in the other.
    fn is_of(&self, series: &Series) -> bool {
        (&self.suite, &self.machine, &self.benchmark) == (&series.suite, &series.machine, &series.benchmark)
            && (&self.metric.name, &self.metric.unit) == (&series.metric.name, &series.metric.unit)
    }
}

/// The parts of findings that second looks saw in a series, and the history, of which these are the parts, did not.
#[must_use]
pub fn unseen(series: &SeriesTrend, parts: &[Part], looks: &[Moved]) -> Vec<Part> {
    let mut unseen: Vec<Part> = Vec::new();
    for moved in looks.iter().filter(|moved| moved.is_of(&series.series)) {
        let tells_of = |part: &Part| {
            (part.change.kind, part.change.turn) == (Move::Step, moved.turn)
                && (part.suspects.0..=part.suspects.1).contains(&moved.seen.place)
        };
        if !parts.iter().chain(&unseen).any(tells_of) {
            unseen.extend(part(series, moved));
        }
    }
    unseen
}

/// What was seen to move, as a part; none if the points of the series deny it.
fn part(series: &SeriesTrend, moved: &Moved) -> Option<Part> {
    let place = moved.seen.place;
    let at = series.marks.partition_point(|mark| mark.place < place);
    let level = |marks: &[Mark]| robust::median(&marks.iter().map(|mark| mark.level).collect::<Vec<_>>());
    // Other changes that the history knows of say nothing of this one.
    let within = |mark: usize| {
        let level = series.trend.levels.iter().find(|level| (level.from..level.to).contains(&mark));
        level.map_or((0, series.marks.len()), |level| (level.from, level.to))
    };
    let from = at.saturating_sub(AROUND).max(within(at.checked_sub(1)?).0);
    let (old, new) = (&series.marks[from..at], &series.marks[at..(at + AROUND).min(within(at).1)]);
    let before = level(old)?;
    // None where the only point so far was left out, for a neighbour may have made it.
    let since = level(new);
    let effect = moved.seen.effect;
    // What is exact has no interval.
    let (low, high) = (moved.seen.low.unwrap_or(effect), moved.seen.high.unwrap_or(effect));
    let step = effect.ln_1p();
    let around = &series.marks[at.saturating_sub(AROUND)..series.marks.len().min(at + AROUND)];
    let steps: Vec<f64> = around.windows(2).map(|pair| (pair[1].level / pair[0].level).ln().abs()).collect();
    let noise = robust::noise_of_steps(&steps).unwrap_or(0.0);
    // Of medians, which scatter by a quarter more than means.
    let error = 1.25 * noise * (1.0 / old.len() as f64 + 1.0 / new.len() as f64).sqrt();
    // Of levels at or below zero there is no ratio, and nothing agrees.
    let agrees =
        since.is_none_or(|since| step.signum() * (since / before).ln() >= AGREES * step.abs() - ERRORS * error);
    let change = Change {
        at,
        within: (at, at),
        kind: Move::Step,
        turn: moved.turn,
        size: Size::Relative { value: effect, low, high },
        before,
        after: before * (1.0 + effect),
        // Of a series without noise it is endless.
        noises: step / noise,
        signs: None,
    };
    let suspects = (place, place);
    let confirmed = Some(moved.seen.clone());
    (agrees && step.is_finite()).then(|| Part {
        series: series.series.clone(),
        change,
        suspects,
        likely: place,
        returned: false,
        confirmed,
    })
}

/// What a series is of: its suite, its machine, its benchmark, and the name of its metric.
type Of = (SuiteName, String, BenchmarkName, String);

/// What duels of neighbours measured, whatever they say of it.
#[derive(Debug, Default)]
pub struct Measured {
    /// By series and place: the logarithm of the effect, and how far its 95 % interval reaches. The newest duel counts.
    effects: BTreeMap<Of, BTreeMap<usize, (f64, f64)>>,
}

impl Measured {
    /// Adds a duel that is newer than those before it.
    pub fn add(&mut self, of: &Neighbours<'_>) {
        let Neighbours { duel, place, .. } = *of;
        for (benchmark, one) in verdicts(duel, Limit::percent(0.0).ok()) {
            let Some(interval) = one.verdict.interval else { continue };
            let effect = one.verdict.effect.log();
            let reach = (interval.high.log() - effect).max(effect - interval.low.log());
            let key = (duel.suite.clone(), duel.machine.id().as_str().to_owned(), benchmark, one.metric.name);
            self.effects.entry(key).or_default().insert(place, (effect, reach));
        }
    }

    /// Whether the duels deny a step of the history: each of its suspects was dueled with its parent, and together they moved
    /// by less than half of it. Then the machine moved, and no commit did.
    #[must_use]
    pub fn deny(&self, part: &Part) -> bool {
        let Size::Relative { value, .. } = part.change.size else { return false };
        let series = &part.series;
        let (machine, metric) = (series.machine.id().as_str().to_owned(), series.metric.name.clone());
        let Some(effects) = self.effects.get(&(series.suite.clone(), machine, series.benchmark.clone(), metric)) else {
            return false;
        };
        let (first, last) = part.suspects;
        let all: Option<Vec<&(f64, f64)>> = (first..=last).map(|place| effects.get(&place)).collect();
        let is_denied = |all: Vec<&(f64, f64)>| {
            let moved = value.signum() * all.iter().map(|(effect, _)| effect).sum::<f64>();
            let reach = all.iter().map(|(_, reach)| reach.powi(2)).sum::<f64>().sqrt();
            moved + reach < value.ln_1p().abs() / 2.0
        };
        part.change.kind == Move::Step && part.confirmed.is_none() && all.is_some_and(is_denied)
    }
}

/// Narrows the suspects of what was confirmed to the commit that was dueled; when all duels were looked at.
pub fn narrow(parts: &mut [Part]) {
    for part in parts {
        if let Some(Confirmed { place, .. }) = part.confirmed {
            (part.suspects, part.likely) = ((place, place), place);
        }
    }
}

/// Beyond this limit something moved, an exact metric beyond any: two builds that differ by luck have moved the level as
/// well.
fn policy(duel: &Duel, limit: Option<Limit>) -> Policy {
    let any = PolicyEntry { limit, widen: Some(false), gate: Some(true), ..PolicyEntry::default() };
    let contests = duel.bouts.values().filter_map(|bout| if let Bout::Dueled(all) = bout { Some(all) } else { None });
    let exact = contests.flatten().filter(|contest| contest.metric.kind == Kind::Exact);
    let exact = exact.map(|contest| PolicyEntry {
        metric: Some(contest.metric.name.clone()),
        limit: Limit::percent(0.0).ok(),
        ..PolicyEntry::default()
    });
    Policy { entries: std::iter::once(any).chain(exact).collect(), ..Policy::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Contest, Level, Life, Readings, Signs, Trend};

    fn duel(effect: f64, apart: f64) -> Duel {
        // As many above the effect as below it, so that it is the effect that comes out.
        let life = |at: usize| Life::new(vec![effect + [apart, 0.0, -apart][at % 3]]).unwrap();
        let readings = Readings::Paired { lives: (0..15).map(life).collect(), null: vec![] };
        let contest = Contest { metric: Metric::time(), base: 100.0, head: 100.0, readings };
        Duel { machine: Machine::Named("lorry".to_owned()), ..Duel::example(vec![("a", Bout::Dueled(vec![contest]))]) }
    }

    fn part(turn: Turn, suspects: (usize, usize)) -> Part {
        let series = Series {
            suite: duel(0.0, 0.0).suite,
            benchmark: BenchmarkName::new("a").unwrap(),
            metric: Metric::time(),
            machine: Machine::Named("lorry".to_owned()),
        };
        let change = Change::example(suspects.0, suspects, turn);
        Part { series, change, suspects, likely: suspects.0, returned: false, confirmed: None }
    }

    fn marked(part: Part, duels: &[(usize, Duel)]) -> Part {
        let mut parts = [part];
        for (place, duel) in duels {
            mark(&mut parts, &Neighbours { id: &duel.id(), duel, place: *place });
        }
        narrow(&mut parts);
        let [part] = parts;
        part
    }

    #[test]
    fn a_duel_that_moved_likewise_names_the_commit_and_the_size() {
        let part = marked(part(Turn::Regression, (10, 14)), &[(11, duel(0.0, 0.001)), (12, duel(0.03, 0.001))]);
        let confirmed = part.confirmed.expect("confirmed");
        assert_eq!((confirmed.place, part.suspects, part.likely), (12, (12, 12), 12));
        assert!((confirmed.effect - 0.03_f64.exp_m1()).abs() < 1e-9 && confirmed.low.is_some_and(|low| low > 0.028));
    }

    #[test]
    fn a_duel_that_moved_the_other_way_elsewhere_or_not_surely_confirms_nothing() {
        let is_confirmed = |turn, place, effect, apart| {
            marked(part(turn, (10, 14)), &[(place, duel(effect, apart))]).confirmed.is_some()
        };
        assert!(is_confirmed(Turn::Improvement, 10, -0.03, 0.001));
        assert!(!is_confirmed(Turn::Improvement, 10, 0.03, 0.001));
        assert!(!is_confirmed(Turn::Regression, 15, 0.03, 0.001));
        assert!(!is_confirmed(Turn::Regression, 12, 0.01, 0.05));
    }

    #[test]
    fn a_drift_and_another_machine_are_not_confirmed() {
        let mut drift = part(Turn::Regression, (10, 14));
        drift.change.kind = Move::Drift;
        assert_eq!(marked(drift, &[(12, duel(0.03, 0.001))]).confirmed, None);
        let elsewhere = Duel { machine: Machine::Named("train".to_owned()), ..duel(0.03, 0.001) };
        assert_eq!(marked(part(Turn::Regression, (10, 14)), &[(12, elsewhere)]).confirmed, None);
    }

    /// The parts of what a second look beyond 1 % at the commit of place 20 saw, in a series with these levels; every second
    /// commit was measured.
    fn unseen_in(effect: f64, levels: &[f64], parts: &[Part]) -> Vec<Part> {
        unseen(&series(levels), parts, &looks(&[second_look(effect)]))
    }

    fn series(levels: &[f64]) -> SeriesTrend {
        let mark = |(at, &level): (usize, &f64)| Mark { place: 2 * at, level, interval: None, runs: 1, newest: 0 };
        SeriesTrend {
            series: part(Turn::Regression, (0, 0)).series,
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
            let parts = unseen_in(0.03, &levels(since, 1.03), &[]);
            assert_eq!(parts.len(), 1, "{since}");
            let Part { suspects, likely, change, confirmed, .. } = &parts[0];
            assert_eq!((*suspects, *likely, change.at, change.turn), ((20, 20), 20, 10, Turn::Regression));
            assert!((change.size.value() - 0.03_f64.exp_m1()).abs() < 1e-9 && (change.before - 100.1).abs() < 1e-9);
            assert!(change.noises > 5.0 && confirmed.as_ref().is_some_and(|seen| seen.place == 20));
        }
        assert_eq!(unseen_in(-0.03, &levels(2, 0.97), &[])[0].change.turn, Turn::Improvement);
    }

    #[test]
    fn what_points_deny_is_no_part_nor_what_is_small_or_known_already() {
        assert!(unseen_in(0.03, &levels(5, 1.0), &[]).is_empty() && unseen_in(0.03, &levels(5, 0.97), &[]).is_empty());
        assert!(
            unseen_in(0.004, &levels(5, 1.004), &[]).is_empty(),
            "half of what a second look confirms is the least"
        );
        assert!(unseen_in(0.008, &levels(5, 1.008), &[]).is_empty(), "surely less than what it confirms");
        assert_eq!(unseen_in(0.0098, &levels(5, 1.0098), &[]).len(), 1, "perhaps as much");
        let drift = Change { kind: Move::Drift, ..part(Turn::Regression, (10, 30)).change };
        let drift = Part { change: drift, ..part(Turn::Regression, (10, 30)) };
        assert_eq!(unseen_in(0.03, &levels(5, 1.03), &[drift]).len(), 1, "a drift says nothing of a step");
        assert!(unseen_in(0.03, &[0.0; 20], &[]).is_empty());
        let known = |turn, suspects| unseen_in(0.03, &levels(5, 1.03), &[part(turn, suspects)]).is_empty();
        assert!(known(Turn::Regression, (18, 21)));
        assert!(!known(Turn::Regression, (21, 25)) && !known(Turn::Improvement, (18, 21)));
    }

    #[test]
    fn a_step_whose_suspects_were_all_dueled_and_did_not_move_is_the_machines() {
        let mut step = part(Turn::Regression, (10, 12));
        step.change.size = Size::Relative { value: 0.04, low: 0.03, high: 0.05 };
        step.change.signs = Some(Signs { probability: 0.99, nats: 20.0, p: 1e-6 });
        let denied = |effects: &[(usize, f64)]| {
            let mut measured = Measured::default();
            for &(place, effect) in effects {
                let duel = duel(effect, 0.001);
                measured.add(&Neighbours { id: &duel.id(), duel: &duel, place });
            }
            measured.deny(&step)
        };
        assert!(denied(&[(10, 0.0), (11, 0.001), (12, -0.001)]));
        assert!(!denied(&[(10, 0.0), (12, 0.0)]), "one was not dueled");
        assert!(!denied(&[(10, 0.01), (11, 0.01), (12, 0.01)]), "a staircase");
        assert!(denied(&[(10, 0.0), (11, 0.04), (12, 0.0), (11, 0.0)]), "the newest look counts");
        assert!(!denied(&[]));
    }

    #[test]
    fn what_points_that_scatter_cannot_deny_is_a_part() {
        // By 2 %, and the newer half lies as high as the older.
        let noisy: Vec<f64> = (0..16).map(|at| 100.0 + [0.0, 2.5, -1.5, 1.0, -2.5, 0.5][at * 5 % 6]).collect();
        assert_eq!(unseen_in(0.01, &noisy, &[]).len(), 1);
        assert!(unseen_in(0.2, &noisy, &[]).is_empty());
    }

    fn looks(duels: &[Duel]) -> Vec<Moved> {
        let mut looks = Vec::new();
        for duel in duels {
            add_look(&mut looks, &Neighbours { id: &duel.id(), duel, place: 20 });
        }
        looks
    }

    fn second_look(effect: f64) -> Duel {
        let mut duel = duel(effect, 0.001);
        duel.notes.insert(SECOND_LOOK.to_owned(), "0.01".to_owned());
        duel
    }

    #[test]
    fn of_several_looks_at_a_commit_the_newest_counts_and_a_gate_is_none() {
        assert!(looks(&[duel(0.03, 0.001)]).is_empty(), "a gate's duel");
        assert_eq!(looks(&[second_look(0.03), duel(0.0, 0.001)]).len(), 1);
        let again = looks(&[second_look(0.03), second_look(0.02)]);
        assert!(again.len() == 1 && (again[0].seen.effect - 0.02_f64.exp_m1()).abs() < 1e-9);
        assert!(looks(&[second_look(0.03), second_look(0.0)]).is_empty());
    }

    #[test]
    fn an_exact_metric_is_told_from_any_size_on() {
        let metric = Metric { kind: Kind::Exact, ..Metric::time() };
        let exact = |base: f64, head: f64| {
            let life = |value: f64| Life::new(vec![value]).unwrap();
            let readings = Readings::Exact { base: life(base), head: life(head) };
            let contest = Contest { metric: metric.clone(), base, head, readings };
            let mut duel = Duel {
                machine: Machine::Named("lorry".to_owned()),
                ..Duel::example(vec![("a", Bout::Dueled(vec![contest]))])
            };
            duel.notes.insert(SECOND_LOOK.to_owned(), "0.01".to_owned());
            unseen(&series(&levels(1, 1.002)), &[], &looks(&[duel]))
        };
        let parts = exact(1000.0, 1002.0);
        assert!(parts.len() == 1 && (parts[0].change.size.value() - 0.002).abs() < 1e-9);
        assert!(exact(1000.0, 1000.0).is_empty() && exact(0.0, 5.0).is_empty());
    }

    #[test]
    fn another_change_nearby_that_the_history_knows_denies_nothing() {
        // Better by a tenth three points before, and worse by 5 % now.
        let mut all = levels(3, 0.945);
        all[7..10].iter_mut().for_each(|level| *level *= 0.9);
        let mut series = series(&all);
        assert_eq!(unseen(&series, &[], &looks(&[second_look(0.05)])).len(), 0);
        let level = |from: usize, to: usize| Level { from, to, value: 100.0, low: 99.0, high: 101.0 };
        series.trend.levels = vec![level(0, 7), level(7, 13)];
        let parts = unseen(&series, &[], &looks(&[second_look(0.05)]));
        assert!(parts.len() == 1 && (parts[0].change.before - 90.0).abs() < 0.3, "{parts:?}");
    }
}
