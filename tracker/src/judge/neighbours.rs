//! What duels of a commit with its first parent measured: because the point was suspect, or because a gate asked.

use std::collections::BTreeMap;

use crate::domain::{
    BenchmarkName, Bout, Call, Confirmed, Duel, Judged, Kind, Limit, Machine, Metric, MetricVerdict, Move, Part,
    Policy, PolicyEntry, RecordId, Series, Size, SuiteName, Turn,
};
use crate::stats::crept::Step;

use super::known::Known;

/// The note of a duel that was a second look at suspects: the limit beyond which a change was confirmed, as a share.
pub const SECOND_LOOK: &str = "second_look";

/// The note of a duel that says over how many series its error was divided.
const GATED_SERIES: &str = "gated series";

/// A change of the size from which on one is confirmed may come out a little smaller: a second look finds what is larger than
/// this share of it and may be as large.
const FINDS: f64 = 0.5;

/// How many errors a sum of duels reaches. An interval of one of them reaches farther, for one may have looked at it often.
pub const REACH: f64 = 1.96;

/// A duel of a commit with its first parent, as far as the history asks for it.
#[derive(Debug)]
pub struct Neighbours {
    /// The place of the commit.
    pub place: usize,
    id: RecordId,
    suite: SuiteName,
    machine: Machine,
    /// What moved if any change at all counts.
    verdicts: Vec<(BenchmarkName, MetricVerdict)>,
    /// None if it was no second look.
    look: Option<Look>,
}

/// What a second look found.
#[derive(Debug)]
struct Look {
    /// The change that counts, as a share.
    size: f64,
    found: Vec<Moved>,
}

/// What a duel of neighbours saw move.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    suite: SuiteName,
    machine: Machine,
    benchmark: BenchmarkName,
    metric: Metric,
    /// What it means.
    pub turn: Turn,
    /// How much it moved, and where.
    pub seen: Confirmed,
}

impl Moved {
    /// Whether it moved in this series, exact or noisy.
    #[must_use]
    pub fn is_of(&self, series: &Series) -> bool {
        (&self.suite, &self.machine, &self.benchmark) == (&series.suite, &series.machine, &series.benchmark)
            && (&self.metric.name, &self.metric.unit) == (&series.metric.name, &series.metric.unit)
    }
}

impl Neighbours {
    /// Takes from a duel what is asked of it.
    #[must_use]
    pub fn of(id: RecordId, duel: &Duel, place: usize) -> Neighbours {
        let size = duel.notes.get(SECOND_LOOK).and_then(|share| share.parse::<f64>().ok());
        let size = size.filter(|size| Limit::percent(100.0 * size).is_ok());
        let any = verdicts(duel, 0.0);
        let (suite, machine) = (duel.suite.clone(), duel.machine.clone());
        let mut neighbours = Neighbours { place, id, suite, machine, verdicts: any, look: None };
        neighbours.look = size.map(|size| {
            // What is exact has no interval.
            let reaches = |end: Option<f64>| end.is_none_or(|end| end.abs() >= size);
            let moved = verdicts(duel, FINDS * size).into_iter().filter_map(|verdict| neighbours.moved_in(&verdict));
            Look { size, found: moved.filter(|one| reaches(one.seen.low) || reaches(one.seen.high)).collect() }
        });
        neighbours
    }

    /// Whether it says anything of a series.
    #[must_use]
    pub fn has_dueled(&self, series: &Series) -> bool {
        self.verdict(series).is_some()
    }

    /// What it saw move in a series at all: two builds that differ by luck have moved the level as well.
    #[must_use]
    pub fn moved(&self, series: &Series) -> Option<Moved> {
        self.moved_in(self.verdict(series)?)
    }

    /// A metric may be exact in the one and, where lives differ, noisy in the other.
    fn verdict(&self, series: &Series) -> Option<&(BenchmarkName, MetricVerdict)> {
        let is_of = |(benchmark, one): &&(BenchmarkName, MetricVerdict)| {
            (benchmark, &one.metric.name, &one.metric.unit)
                == (&series.benchmark, &series.metric.name, &series.metric.unit)
        };
        let is_here = (&self.suite, &self.machine) == (&series.suite, &series.machine);
        self.verdicts.iter().find(is_of).filter(|_| is_here)
    }

    fn moved_in(&self, (benchmark, one): &(BenchmarkName, MetricVerdict)) -> Option<Moved> {
        let turn = match one.verdict.call {
            Call::Regressed => Turn::Regression,
            Call::Improved => Turn::Improvement,
            Call::Unchanged | Call::Inconclusive => return None,
        };
        let interval = one.verdict.interval;
        let seen = Confirmed {
            place: self.place,
            duel: self.id.clone(),
            effect: one.verdict.effect.relative(),
            low: interval.map(|interval| interval.low.relative()),
            high: interval.map(|interval| interval.high.relative()),
        };
        let (suite, machine) = (self.suite.clone(), self.machine.clone());
        Some(Moved { suite, machine, benchmark: benchmark.clone(), metric: one.metric.clone(), turn, seen })
    }

    /// Whether it looked at the same once more.
    fn replaces(&self, known: &Moved) -> bool {
        (&self.suite, &self.machine, self.place) == (&known.suite, &known.machine, known.seen.place)
            && self.verdicts.iter().any(|(benchmark, _)| *benchmark == known.benchmark)
    }
}

/// What second looks found; of several at a commit the newest, which is the last, counts.
#[must_use]
pub fn found<'a>(all: impl IntoIterator<Item = &'a Neighbours>) -> Vec<Moved> {
    let mut found: Vec<Moved> = Vec::new();
    for one in all {
        let Some(look) = &one.look else { continue };
        found.retain(|known| !one.replaces(known));
        found.extend_from_slice(&look.found);
    }
    found
}

/// What tells series apart: its suite, its machine, its benchmark, and the name of its metric.
type SeriesKey = (SuiteName, String, BenchmarkName, String);

/// What duels measured at each place of each series, whatever they say of it.
#[derive(Debug, Default)]
pub struct Measured {
    effects: BTreeMap<SeriesKey, BTreeMap<usize, Effect>>,
    /// The changes that count, as the newest second look at each series had them.
    sizes: BTreeMap<SeriesKey, f64>,
}

/// What one duel measured.
#[derive(Debug, Clone, Copy)]
struct Effect {
    /// Its logarithm.
    log: f64,
    /// Its standard error.
    error: f64,
}

impl Measured {
    /// Collects the duels; the newest, which is the last, counts.
    #[must_use]
    pub fn of<'a>(all: impl IntoIterator<Item = &'a Neighbours>) -> Measured {
        let mut measured = Measured::default();
        for one in all {
            for (benchmark, MetricVerdict { metric, verdict, .. }) in &one.verdicts {
                let Some(grounds) = verdict.grounds else { continue };
                let log = verdict.effect.log();
                let machine = one.machine.id().as_str().to_owned();
                let key = (one.suite.clone(), machine, benchmark.clone(), metric.name.clone());
                measured.sizes.extend(one.look.as_ref().map(|look| (key.clone(), look.size)));
                measured.effects.entry(key).or_default().insert(one.place, Effect { log, error: grounds.se });
            }
        }
        measured
    }

    fn effects(&self, series: &Series) -> Option<&BTreeMap<usize, Effect>> {
        self.effects.get(&key(series))
    }

    /// The steps of a series from commit to commit, in their order, and the change that counts; none if there was no second
    /// look at it. Readings so coarse that all are equal tell no error, and no step.
    #[must_use]
    pub fn steps(&self, series: &Series) -> Option<(Vec<Step>, f64)> {
        let step = |(&at, effect): (&usize, &Effect)| Step { at, size: effect.log, error: effect.error };
        let steps = self.effects(series)?.iter().map(step).filter(|step| step.error > 0.0);
        Some((steps.collect(), self.sizes.get(&key(series))?.ln_1p()))
    }

    /// Whether the duels deny a step of the history: each of its suspects was dueled with its parent, and together they moved
    /// by less than half of it. Then the machine moved, and no commit did.
    #[must_use]
    pub fn deny(&self, part: &Part) -> bool {
        let Size::Relative { value, .. } = part.change.size else { return false };
        let Some(effects) = self.effects(&part.series) else { return false };
        let (first, last) = part.suspects;
        let is_denied = |all: Vec<&Effect>| {
            let moved = value.signum() * all.iter().map(|effect| effect.log).sum::<f64>();
            let error = all.iter().map(|effect| effect.error.powi(2)).sum::<f64>().sqrt();
            moved + REACH * error < value.ln_1p().abs() / 2.0
        };
        let all: Option<Vec<&Effect>> = (first..=last).map(|place| effects.get(&place)).collect();
        part.change.kind == Move::Step && all.is_some_and(is_denied)
    }
}

fn key(series: &Series) -> SeriesKey {
    let (machine, metric) = (series.machine.id().as_str().to_owned(), series.metric.name.clone());
    (series.suite.clone(), machine, series.benchmark.clone(), metric)
}

/// What is said of a duel where only what is larger than this share counts, of an exact metric any change at all.
fn verdicts(duel: &Duel, share: f64) -> Vec<(BenchmarkName, MetricVerdict)> {
    let gated = duel.notes.get(GATED_SERIES).and_then(|count| count.parse().ok()).unwrap_or(duel.bouts.len());
    let judged = super::duel::judge(duel, &policy(duel, share), &Known::default(), gated.max(1));
    let verdicts = judged.into_iter().filter_map(|(benchmark, judged)| match judged {
        Judged::Verdicts(verdicts) => Some(verdicts.into_iter().map(move |verdict| (benchmark.clone(), verdict))),
        _ => None,
    });
    verdicts.flatten().collect()
}

fn policy(duel: &Duel, share: f64) -> Policy {
    let limit = |share: f64| Limit::percent(100.0 * share).ok();
    let any = PolicyEntry { limit: limit(share), widen: Some(false), gate: Some(true), ..PolicyEntry::default() };
    let contests = duel.bouts.values().filter_map(|bout| if let Bout::Dueled(all) = bout { Some(all) } else { None });
    let exact = contests.flatten().filter(|contest| contest.metric.kind == Kind::Exact);
    let exact = exact.map(|contest| PolicyEntry {
        metric: Some(contest.metric.name.clone()),
        limit: limit(0.0),
        ..PolicyEntry::default()
    });
    Policy { entries: std::iter::once(any).chain(exact).collect(), ..Policy::default() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{Change, Contest, Life, Readings};

    /// A series of a benchmark that all duels here are of.
    pub(in crate::judge) fn series() -> Series {
        Series {
            suite: Duel::example(vec![]).suite,
            benchmark: BenchmarkName::new("a").unwrap(),
            metric: Metric::time(),
            machine: Machine::Named("lorry".to_owned()),
        }
    }

    fn read(place: usize, contest: Contest, with: impl Fn(&mut Duel)) -> Neighbours {
        let bouts = vec![("a", Bout::Dueled(vec![contest]))];
        let mut duel = Duel { machine: series().machine, ..Duel::example(bouts) };
        with(&mut duel);
        Neighbours::of(duel.id(), &duel, place)
    }

    /// A duel whose lives lie so far apart.
    pub(in crate::judge) fn made(place: usize, effect: f64, apart: f64, with: impl Fn(&mut Duel)) -> Neighbours {
        // As many above the effect as below it, so that it is the effect that comes out.
        let life = |at: usize| Life::new(vec![effect + [apart, 0.0, -apart][at % 3]]).unwrap();
        let readings = Readings::Paired { lives: (0..15).map(life).collect(), null: vec![] };
        read(place, Contest { metric: Metric::time(), base: 100.0, head: 100.0, readings }, with)
    }

    /// A gate's.
    pub(in crate::judge) fn duel(place: usize, effect: f64, apart: f64) -> Neighbours {
        made(place, effect, apart, |_| ())
    }

    fn beyond_1_pct(duel: &mut Duel) {
        duel.notes.insert(SECOND_LOOK.to_owned(), "0.01".to_owned());
    }

    pub(in crate::judge) fn second_look(place: usize, effect: f64) -> Neighbours {
        made(place, effect, 0.001, beyond_1_pct)
    }

    /// A second look at an exact metric.
    pub(in crate::judge) fn exact(place: usize, base: f64, head: f64) -> Neighbours {
        let life = |value: f64| Life::new(vec![value]).unwrap();
        let metric = Metric { kind: Kind::Exact, ..Metric::time() };
        let readings = Readings::Exact { base: life(base), head: life(head) };
        read(place, Contest { metric, base, head, readings }, beyond_1_pct)
    }

    pub(in crate::judge) fn looks(all: &[Neighbours]) -> Vec<Moved> {
        found(all)
    }

    #[test]
    fn of_several_looks_at_a_commit_the_newest_counts_and_a_gate_is_none() {
        assert!(looks(&[duel(20, 0.03, 0.001)]).is_empty(), "a gate's duel");
        assert_eq!(looks(&[second_look(20, 0.03), duel(20, 0.0, 0.001)]).len(), 1);
        let again = looks(&[second_look(20, 0.03), second_look(20, 0.02)]);
        assert!(again.len() == 1 && (again[0].seen.effect - 0.02_f64.exp_m1()).abs() < 1e-9);
        assert!(looks(&[second_look(20, 0.03), second_look(20, 0.0)]).is_empty());
        assert_eq!(looks(&[second_look(20, 0.03), second_look(21, 0.0)]).len(), 1);
    }

    #[test]
    fn a_second_look_finds_what_may_be_as_large_as_what_counts() {
        assert!(looks(&[second_look(20, 0.004)]).is_empty(), "half of what counts is the least");
        assert!(looks(&[second_look(20, 0.008)]).is_empty(), "surely less than what counts");
        assert_eq!(looks(&[second_look(20, 0.0098)]).len(), 1, "perhaps as much");
    }

    #[test]
    fn a_step_whose_suspects_were_all_dueled_and_did_not_move_is_the_machines() {
        let mut change = Change::example(10, (10, 12), Turn::Regression);
        change.size = Size::Relative { value: 0.04, low: 0.03, high: 0.05 };
        let (suspects, likely, returned) = ((10, 12), 10, false);
        let step = Part { series: series(), change, suspects, likely, returned, confirmed: None, summed: None };
        let denied = |effects: &[(usize, f64)]| {
            let all: Vec<Neighbours> = effects.iter().map(|&(place, effect)| duel(place, effect, 0.001)).collect();
            Measured::of(&all).deny(&step)
        };
        assert!(denied(&[(10, 0.0), (11, 0.001), (12, -0.001)]));
        assert!(!denied(&[(10, 0.0), (12, 0.0)]), "one was not dueled");
        assert!(!denied(&[(10, 0.01), (11, 0.01), (12, 0.01)]), "a staircase");
        assert!(denied(&[(10, 0.0), (11, 0.04), (12, 0.0), (11, 0.0)]), "the newest look counts");
        assert!(!denied(&[]));
    }
}
