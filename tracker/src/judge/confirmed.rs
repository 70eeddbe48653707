//! Changes of the history that a duel of neighbours saw as well.
//!
//! A history says between which commits a level moved; a duel of one of them with its first parent, measured because the
//! point was suspect or because a gate asked, says whether it was that one. Such a duel moved if no change at all is beyond
//! what its lives explain: two builds that differ by luck have moved the level too. It then names the commit and the size.
//!
//! What a second look at a suspect saw move is a finding at once, before the history has points enough to know of it, and
//! stays one as long as later points do not deny it.

use crate::domain::{
    BenchmarkName, Call, Change, Confirmed, Duel, Judged, Limit, Machine, Metric, MetricVerdict, Move, Part, Policy,
    PolicyEntry, RecordId, Series, SeriesTrend, Size, SuiteName, Turn, Verdict,
};
use crate::stats::robust;

use super::known::Known;

/// The note of a duel that was a second look at suspects: the limit beyond which a change was confirmed, as a share.
pub const SECOND_LOOK: &str = "second_look";

/// Of so many points before a commit and from it on, the middles tell whether the history agrees with a duel.
const AROUND: usize = 10;

/// The history denies what a duel saw if its level moved by less than this share of it.
const AGREES: f64 = 0.5;

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

/// What a second look saw move; nothing if the duel was not one.
#[must_use]
pub fn second_look(of: &Neighbours<'_>) -> Vec<Moved> {
    let share = of.duel.notes.get(SECOND_LOOK).and_then(|share| share.parse::<f64>().ok());
    share.and_then(|share| Limit::percent(100.0 * share).ok()).map_or_else(Vec::new, |limit| moved(of, Some(limit)))
}

fn moved(of: &Neighbours<'_>, limit: Option<Limit>) -> Vec<Moved> {
    let Neighbours { id, duel, place } = *of;
    let gated = duel.notes.get(GATED_SERIES).and_then(|count| count.parse().ok()).unwrap_or(duel.bouts.len());
    let judged = super::duel::judge(duel, &policy(limit), &Known::default(), gated.max(1));
    let verdicts = judged.into_iter().filter_map(|(benchmark, judged)| match judged {
        Judged::Verdicts(verdicts) => Some(verdicts.into_iter().map(move |verdict| (benchmark.clone(), verdict))),
        _ => None,
    });
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
    verdicts.flatten().filter_map(moved).collect()
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
            part.change.turn == moved.turn && (part.suspects.0..=part.suspects.1).contains(&moved.seen.place)
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
    let level =
        |marks: &[crate::domain::Mark]| robust::median(&marks.iter().map(|mark| mark.level).collect::<Vec<_>>());
    let before = level(&series.marks[at.saturating_sub(AROUND)..at])?;
    // None where the only point so far was left out, for a neighbour may have made it.
    let since = level(&series.marks[at..series.marks.len().min(at + AROUND)]);
    let (low, high) = (moved.seen.low?, moved.seen.high?);
    let step = moved.seen.effect.ln_1p();
    // Of levels at or below zero there is no such share.
    let agrees = since.is_none_or(|since| (since / before).ln() / step >= AGREES);
    let around = &series.marks[at.saturating_sub(AROUND)..series.marks.len().min(at + AROUND)];
    let steps: Vec<f64> = around.windows(2).map(|pair| (pair[1].level / pair[0].level).ln().abs()).collect();
    let change = Change {
        at,
        within: (at, at),
        kind: Move::Step,
        turn: moved.turn,
        size: Size::Relative { value: moved.seen.effect, low, high },
        before,
        after: before * (1.0 + moved.seen.effect),
        // Of a series without noise it is endless.
        noises: step / robust::noise_of_steps(&steps)?,
        signs: None,
    };
    let suspects = (place, place);
    let confirmed = Some(moved.seen.clone());
    agrees.then(|| Part { series: series.series.clone(), change, suspects, likely: place, returned: false, confirmed })
}

/// Narrows the suspects of what was confirmed to the commit that was dueled; when all duels were looked at.
pub fn narrow(parts: &mut [Part]) {
    for part in parts {
        if let Some(Confirmed { place, .. }) = part.confirmed {
            (part.suspects, part.likely) = ((place, place), place);
        }
    }
}

/// The one of a second look: two builds that differ by luck have moved the level as well.
fn policy(limit: Option<Limit>) -> Policy {
    let any = PolicyEntry { limit, widen: Some(false), gate: Some(true), ..PolicyEntry::default() };
    Policy { entries: vec![any], ..Policy::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Bout, Contest, Life, Mark, Readings, Trend};

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
        let mark = |(at, &level): (usize, &f64)| Mark { place: 2 * at, level, interval: None, runs: 1, newest: 0 };
        let series = SeriesTrend {
            series: part(Turn::Regression, (0, 0)).series,
            marks: levels.iter().enumerate().map(mark).collect(),
            trend: Trend::default(),
            toolchains: vec![],
            brought: 0,
            left_out: 0,
        };
        let mut duel = duel(effect, 0.001);
        duel.notes.insert(SECOND_LOOK.to_owned(), "0.01".to_owned());
        unseen(&series, parts, &second_look(&Neighbours { id: &duel.id(), duel: &duel, place: 20 }))
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
        assert!(unseen_in(0.005, &levels(5, 1.005), &[]).is_empty(), "a second look confirms no less than 1 %");
        assert!(unseen_in(0.03, &[0.0; 20], &[]).is_empty());
        let known = |turn, suspects| unseen_in(0.03, &levels(5, 1.03), &[part(turn, suspects)]).is_empty();
        assert!(known(Turn::Regression, (18, 21)));
        assert!(!known(Turn::Regression, (21, 25)) && !known(Turn::Improvement, (18, 21)));
        let duel = duel(0.03, 0.001);
        assert!(second_look(&Neighbours { id: &duel.id(), duel: &duel, place: 20 }).is_empty(), "a gate's duel");
    }
}
