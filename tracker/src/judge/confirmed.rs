//! Changes of the history that a duel of neighbours saw as well.
//!
//! A history says between which commits a level moved; a duel of one of them with its first parent, measured because the
//! point was suspect or because a gate asked, says whether it was that one. Such a duel moved if no change at all is beyond
//! what its lives explain: two builds that differ by luck have moved the level too. It then names the commit and the size.

use crate::domain::{Call, Confirmed, Duel, Judged, Limit, Metric, Move, Part, Policy, PolicyEntry, RecordId, Turn};

use super::known::Known;

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
    let Neighbours { id, duel, place } = *of;
    let gated = duel.notes.get(GATED_SERIES).and_then(|count| count.parse().ok()).unwrap_or(duel.bouts.len());
    for (benchmark, judged) in super::duel::judge(duel, &policy(), &Known::default(), gated.max(1)) {
        let Judged::Verdicts(verdicts) = judged else { continue };
        for one in verdicts {
            let turn = match one.verdict.call {
                Call::Regressed => Turn::Regression,
                Call::Improved => Turn::Improvement,
                Call::Unchanged | Call::Inconclusive => continue,
            };
            let is_of = |part: &&mut Part| {
                let series = &part.series;
                (part.change.kind, part.change.turn) == (Move::Step, turn)
                    && (part.suspects.0..=part.suspects.1).contains(&place)
                    && series.benchmark == benchmark
                    && is_same(&series.metric, &one.metric)
                    && series.suite == duel.suite
                    && series.machine == duel.machine
            };
            let Some(part) = parts.iter_mut().find(is_of) else { continue };
            let Effects { effect, low, high } = Effects::of(&one.verdict);
            if part.confirmed.as_ref().is_none_or(|known| known.effect.abs() < effect.abs()) {
                part.confirmed = Some(Confirmed { place, duel: id.clone(), effect, low, high });
            }
        }
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

/// A metric may be exact in the one and, where lives differ, noisy in the other.
fn is_same(one: &Metric, other: &Metric) -> bool {
    (&one.name, &one.unit) == (&other.name, &other.unit)
}

struct Effects {
    effect: f64,
    low: Option<f64>,
    high: Option<f64>,
}

impl Effects {
    fn of(verdict: &crate::domain::Verdict) -> Effects {
        let end = |end: fn(&crate::domain::Interval) -> f64| verdict.interval.as_ref().map(end);
        Effects {
            effect: verdict.effect.relative(),
            low: end(|interval| interval.low.relative()),
            high: end(|interval| interval.high.relative()),
        }
    }
}

fn policy() -> Policy {
    let any =
        PolicyEntry { limit: Limit::percent(0.0).ok(), widen: Some(false), gate: Some(true), ..PolicyEntry::default() };
    Policy { entries: vec![any], ..Policy::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Bout, Change, Contest, Life, Machine, Readings, Series};

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
}
