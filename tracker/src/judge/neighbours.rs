//! What duels of a commit with its first parent measured: because the point was suspect, or because a gate asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    BenchmarkName, CONFIRMED, Call, Confirmed, Duel, Judged, Kind, Limit, Machine, Metric, MetricVerdict, Move, Part,
    Policy, PolicyEntry, RecordId, Series, SuiteName, Turn, Unit,
};
use crate::stats::crept::Step;
use crate::stats::student::{combined_df, quantile};

use super::known::Known;

/// The note of a duel that was a second look at suspects: the limit beyond which a change was confirmed, as a share.
pub const SECOND_LOOK: &str = "second_look";

/// The note of a duel that says over how many series its error was divided.
pub const GATED_SERIES: &str = "gated series";

/// The note of a duel with the error that it was allowed.
pub const FALSE_REDS: &str = "false reds";

/// A change of the size from which on one is confirmed may come out a little smaller: a second look finds what is larger than
/// this share of it and may be as large.
const FINDS: f64 = 0.5;

/// A duel of a commit with its first parent, as far as the history asks for it.
#[derive(Debug)]
pub struct Neighbours {
    /// The place of the commit.
    pub place: usize,
    /// Whether its parent stands right before it, so that duels make a chain.
    is_next: bool,
    id: RecordId,
    suite: SuiteName,
    machine: Machine,
    /// What moved if any change at all counts, of each metric with lives enough for an interval.
    verdicts: BTreeMap<BenchmarkName, Vec<MetricVerdict>>,
    /// None if it was no second look.
    look: Option<Look>,
}

/// What a second look found.
#[derive(Debug)]
struct Look {
    /// The change that counts, as a share.
    size: f64,
    /// What it confirmed then.
    confirmed: Vec<Moved>,
    /// What is beyond half of the change that counts and may be as large.
    perhaps: Vec<Moved>,
}

/// What duels of neighbours saw move.
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

/// The same as a second look's duel keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    benchmark: BenchmarkName,
    metric: Metric,
    effect: f64,
    low: Option<f64>,
    high: Option<f64>,
}

impl Kept {
    /// None if nothing moved; of what was nought there is no ratio to keep.
    fn of(benchmark: &BenchmarkName, one: &MetricVerdict) -> Option<Kept> {
        let has_moved = matches!(one.verdict.call, Call::Regressed | Call::Improved);
        let effect = Some(one.verdict.effect.relative()).filter(|effect| has_moved && effect.is_finite())?;
        let interval = one.verdict.interval;
        let (low, high) = (interval.map(|ends| ends.low.relative()), interval.map(|ends| ends.high.relative()));
        Some(Kept { benchmark: benchmark.clone(), metric: one.metric.clone(), effect, low, high })
    }
}

/// What a second look confirmed, as a note of its duel; none if it was nothing.
#[must_use]
pub fn kept<'a>(verdicts: impl IntoIterator<Item = &'a (BenchmarkName, MetricVerdict)>) -> Option<String> {
    let kept: Vec<Kept> = verdicts.into_iter().filter_map(|(benchmark, one)| Kept::of(benchmark, one)).collect();
    serde_json::to_string(&kept).ok().filter(|_| !kept.is_empty())
}

impl Moved {
    /// Whether it moved in this series, exact or noisy.
    #[must_use]
    pub fn is_of(&self, series: &Series) -> bool {
        (&self.benchmark, &self.suite, &self.machine) == (&series.benchmark, &series.suite, &series.machine)
            && is_one(&self.metric, &series.metric)
    }

    fn is_same(&self, other: &Moved) -> bool {
        self.benchmark == other.benchmark && is_one(&self.metric, &other.metric)
    }

    /// Whether a second look at the same commit looked at the same once more, with lives enough for a finding.
    fn is_replaced_by(&self, other: &Neighbours, look: &Look) -> bool {
        let is_found = || other.verdict_on(&self.benchmark, &self.metric).is_some_and(can_find);
        self.seen.place == other.place
            && (&self.suite, &self.machine) == (&other.suite, &other.machine)
            && (look.knows(self) || is_found())
    }
}

/// A metric may be exact in the one and, where lives differ, noisy in the other.
fn is_one(one: &Metric, other: &Metric) -> bool {
    (&one.name, &one.unit) == (&other.name, &other.unit)
}

/// Whether its lives were enough for a finding, so that it says something if it has none.
fn can_find(one: &MetricVerdict) -> bool {
    one.metric.kind == Kind::Exact || one.verdict.grounds.is_some_and(|grounds| grounds.level.is_some())
}

impl Neighbours {
    /// Takes from a duel of the commit at a place, whose parent may stand right before it, what is asked of it.
    #[must_use]
    pub fn of(id: RecordId, duel: &Duel, (place, is_next): (usize, bool)) -> Neighbours {
        let size = duel.notes.get(SECOND_LOOK).and_then(|share| share.parse::<f64>().ok());
        let size = size.filter(|size| Limit::percent(100.0 * size).is_ok());
        let (suite, machine) = (duel.suite.clone(), duel.machine.clone());
        let verdicts = BTreeMap::new();
        let mut neighbours = Neighbours { place, is_next, id, suite, machine, verdicts, look: None };
        for (benchmark, verdict) in judged(duel, 0.0) {
            if verdict.metric.kind == Kind::Exact || verdict.verdict.interval.is_some() {
                neighbours.verdicts.entry(benchmark).or_default().push(verdict);
            }
        }
        neighbours.look = size.map(|size| neighbours.look(duel, size));
        neighbours
    }

    /// What it found as a second look. What the note says that the duel did not measure is nothing.
    fn look(&self, duel: &Duel, size: f64) -> Look {
        let noted: Vec<Kept> =
            duel.notes.get(CONFIRMED).and_then(|note| serde_json::from_str(note).ok()).unwrap_or_default();
        let mut look = Look { size, confirmed: Vec::new(), perhaps: Vec::new() };
        for one in noted {
            let Some(MetricVerdict { metric, .. }) = self.verdict_on(&one.benchmark, &one.metric) else { continue };
            let moved = self.told(Kept { metric: metric.clone(), ..one });
            if moved.seen.effect > -1.0 && !look.knows(&moved) {
                look.confirmed.push(moved);
            }
        }
        // What is exact has no interval.
        let reaches = |end: Option<f64>| end.is_none_or(|end| end.abs() >= size);
        for (benchmark, verdict) in judged(duel, FINDS * size) {
            let moved = Kept::of(&benchmark, &verdict).filter(|one| reaches(one.low) || reaches(one.high));
            look.perhaps.extend(moved.map(|one| self.told(one)).filter(|moved| !look.knows(moved)));
        }
        look
    }

    fn told(&self, Kept { benchmark, metric, effect, low, high }: Kept) -> Moved {
        let (suite, machine) = (self.suite.clone(), self.machine.clone());
        let turn = Turn::of(effect > 0.0, metric.better);
        let seen = Confirmed { place: self.place, duel: self.id.clone(), effect, low, high };
        Moved { suite, machine, benchmark, metric, turn, seen }
    }

    /// Whether it says anything of a series.
    #[must_use]
    pub fn has_dueled(&self, series: &Series) -> bool {
        self.confirmed(series).is_some() || self.verdict(series).is_some_and(can_find)
    }

    fn confirmed(&self, series: &Series) -> Option<&Moved> {
        self.look.as_ref()?.confirmed.iter().find(|moved| moved.is_of(series))
    }

    /// What it saw move in a series at all: two builds that differ by luck have moved the level as well.
    #[must_use]
    pub fn moved(&self, series: &Series) -> Option<Moved> {
        let confirmed = self.confirmed(series).cloned();
        confirmed.or_else(|| Some(self.told(Kept::of(&series.benchmark, self.verdict(series)?)?)))
    }

    fn verdict(&self, series: &Series) -> Option<&MetricVerdict> {
        let is_here = self.suite == series.suite && self.machine == series.machine;
        is_here.then(|| self.verdict_on(&series.benchmark, &series.metric)).flatten()
    }

    fn verdict_on(&self, benchmark: &BenchmarkName, metric: &Metric) -> Option<&MetricVerdict> {
        self.verdicts.get(benchmark)?.iter().find(|one| is_one(&one.metric, metric))
    }
}

impl Look {
    fn knows(&self, moved: &Moved) -> bool {
        self.confirmed.iter().any(|known| known.is_same(moved))
    }
}

/// What second looks found, by benchmark.
#[derive(Debug, Default)]
pub struct Found(BTreeMap<BenchmarkName, Vec<Moved>>);

impl Found {
    /// Collects it; of several looks at a commit the newest, which is the last, counts. What may be as large as what counts
    /// is found from a place on, what was confirmed at any.
    #[must_use]
    pub fn of<'a>(all: impl IntoIterator<Item = &'a Neighbours>, from: usize) -> Found {
        let mut found = Found::default();
        for one in all {
            let Some(look) = &one.look else { continue };
            for benchmark in one.verdicts.keys() {
                if let Some(known) = found.0.get_mut(benchmark) {
                    known.retain(|moved| !moved.is_replaced_by(one, look));
                }
            }
            let perhaps = look.perhaps.iter().filter(|_| one.place >= from);
            for moved in look.confirmed.iter().chain(perhaps) {
                found.0.entry(moved.benchmark.clone()).or_default().push(moved.clone());
            }
        }
        found
    }

    /// What they found in a series.
    pub fn in_series(&self, series: &Series) -> impl Iterator<Item = &Moved> {
        let of_benchmark = self.0.get(&series.benchmark).into_iter().flatten();
        of_benchmark.filter(|moved| moved.is_of(series))
    }
}

/// What tells series apart: suite, machine, benchmark, and the name and the unit of the metric.
type SeriesKey = (SuiteName, RecordId, BenchmarkName, String, Unit);

fn key(suite: &SuiteName, machine: &RecordId, benchmark: &BenchmarkName, metric: &Metric) -> SeriesKey {
    (suite.clone(), machine.clone(), benchmark.clone(), metric.name.clone(), metric.unit.clone())
}

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
    /// Its standard error, and the degrees of freedom of that.
    error: f64,
    df: f64,
    /// Whether its lives were enough for a finding.
    is_enough: bool,
}

impl Measured {
    /// Collects the duels that make a chain; of several at a place the newest, which is the last, counts of those that had
    /// lives enough for a finding, and of the others if none had.
    #[must_use]
    pub fn of<'a>(all: impl IntoIterator<Item = &'a Neighbours>) -> Measured {
        let mut measured = Measured::default();
        for one in all.into_iter().filter(|one| one.is_next) {
            let machine = one.machine.id();
            let verdicts = one.verdicts.iter().flat_map(|(name, all)| all.iter().map(move |verdict| (name, verdict)));
            for (benchmark, verdict) in verdicts {
                let Some(grounds) = verdict.verdict.grounds else { continue };
                let key = key(&one.suite, &machine, benchmark, &verdict.metric);
                measured.sizes.extend(one.look.as_ref().map(|look| (key.clone(), look.size)));
                let log = verdict.verdict.effect.log();
                let effect = Effect { log, error: grounds.se, df: grounds.se_df, is_enough: can_find(verdict) };
                let known = measured.effects.entry(key).or_default().entry(one.place).or_insert(effect);
                if effect.is_enough || !known.is_enough {
                    *known = effect;
                }
            }
        }
        measured
    }

    /// The steps of a series from commit to commit, in their order, and the change that counts; none if there was no second
    /// look at it. Readings so coarse that all are equal tell no error, and no step.
    #[must_use]
    pub fn steps(&self, series: &Series) -> Option<(Vec<Step>, f64)> {
        let key = of_series(series);
        let step = |(&at, effect): (&usize, &Effect)| Step { at, size: effect.log, error: effect.error };
        let steps = self.effects.get(&key)?.iter().map(step).filter(|step| step.error > 0.0);
        Some((steps.collect(), self.sizes.get(&key)?.ln_1p()))
    }

    /// Whether the duels deny a step of the history: each of its suspects was dueled with its parent, and together they moved
    /// by less than half of it. Then the machine moved, and no commit did.
    #[must_use]
    pub fn deny(&self, part: &Part) -> bool {
        let Some(log) = part.change.size.log() else { return false };
        let Some(effects) = self.effects.get(&of_series(&part.series)) else { return false };
        let (first, last) = part.suspects;
        let is_denied = |all: Vec<&Effect>| {
            let moved = log.signum() * all.iter().map(|effect| effect.log).sum::<f64>();
            let parts: Vec<(f64, f64)> = all.iter().map(|effect| (effect.error.powi(2), effect.df)).collect();
            let error = parts.iter().map(|(variance, _)| variance).sum::<f64>().sqrt();
            moved + quantile(0.025, combined_df(&parts)) * error < log.abs() / 2.0
        };
        let all: Option<Vec<&Effect>> = (first..=last).map(|place| effects.get(&place)).collect();
        part.change.kind == Move::Step && all.is_some_and(is_denied)
    }
}

fn of_series(series: &Series) -> SeriesKey {
    key(&series.suite, &series.machine.id(), &series.benchmark, &series.metric)
}

/// What is said of a duel where only what is larger than this share counts.
fn judged(duel: &Duel, share: f64) -> Vec<(BenchmarkName, MetricVerdict)> {
    let Ok(limit) = Limit::percent(100.0 * share) else { return Vec::new() };
    let gated = duel.notes.get(GATED_SERIES).and_then(|count| count.parse().ok()).unwrap_or(duel.bouts.len());
    let false_reds = duel.notes.get(FALSE_REDS).and_then(|budget| budget.parse().ok()).unwrap_or_default();
    let policy = Policy { entries: entries_beyond(limit), false_reds, ..Policy::default() };
    let judged = super::duel::judge(duel, &policy, &Known::default(), gated.max(1));
    let verdicts = judged.into_iter().filter_map(|(benchmark, judged)| match judged {
        Judged::Verdicts(verdicts) => Some(verdicts.into_iter().map(move |verdict| (benchmark.clone(), verdict))),
        _ => None,
    });
    verdicts.flatten().collect()
}

/// What has to be seen in a duel of neighbours: the history is asked when a level moved, and two builds that differ by luck
/// have moved it as well. So only the error of measuring counts, and changes below the limit are left alone. An exact metric
/// has no error: it moved or it did not.
#[must_use]
pub fn entries_beyond(limit: Limit) -> Vec<PolicyEntry> {
    let any = PolicyEntry { limit: Some(limit), widen: Some(false), gate: Some(true), ..PolicyEntry::default() };
    let nought = Limit::percent(0.0).ok();
    let exact = PolicyEntry { kind: Some(Kind::Exact), limit: nought, ..PolicyEntry::default() };
    vec![any, exact]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{Bout, Change, Contest, Life, Readings, Size, Verdict};

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
        Neighbours::of(duel.id(), &duel, (place, true))
    }

    /// A duel whose lives lie so far apart.
    pub(in crate::judge) fn made(place: usize, effect: f64, apart: f64, with: impl Fn(&mut Duel)) -> Neighbours {
        // As many above the effect as below it, so that it is the effect that comes out.
        let life = |at: usize| Life::new(vec![effect + [apart, 0.0, -apart][at % 3]]).unwrap();
        let readings = Readings::Paired { lives: (0..15).map(life).collect(), null: vec![] };
        read(place, Contest { metric: Metric::time(), base: 100.0, head: 100.0, readings }, with)
    }

    fn cut_short(duel: &mut Duel, lives_left: usize) {
        let Some(Bout::Dueled(contests)) = duel.bouts.values_mut().next() else { panic!("dueled") };
        let Readings::Paired { lives, .. } = &mut contests[0].readings else { panic!("in pairs") };
        lives.truncate(lives_left);
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

    pub(in crate::judge) fn looks(all: &[Neighbours]) -> Found {
        Found::of(all, 0)
    }

    fn told(all: &[Neighbours]) -> Vec<Moved> {
        looks(all).in_series(&series()).cloned().collect()
    }

    #[test]
    fn of_several_looks_at_a_commit_the_newest_counts_and_a_gate_is_none() {
        assert!(told(&[duel(20, 0.03, 0.001)]).is_empty(), "a gate's duel");
        assert_eq!(told(&[second_look(20, 0.03), duel(20, 0.0, 0.001)]).len(), 1);
        let again = told(&[second_look(20, 0.03), second_look(20, 0.02)]);
        assert!(again.len() == 1 && (again[0].seen.effect - 0.02_f64.exp_m1()).abs() < 1e-9);
        assert!(told(&[second_look(20, 0.03), second_look(20, 0.0)]).is_empty());
        let cut_short = |lives_left| {
            made(20, 0.0, 0.001, |duel| {
                beyond_1_pct(duel);
                cut_short(duel, lives_left);
            })
        };
        for lives_left in [1, 5, 6] {
            let all = [second_look(20, 0.03), cut_short(lives_left)];
            assert_eq!(told(&all).len(), 1, "one of too few lives for a finding takes nothing back");
            assert!(!all[1].has_dueled(&series()), "nor does it hide one that has enough");
        }
        assert_eq!(told(&[second_look(20, 0.03), second_look(21, 0.0)]).len(), 1);
    }

    #[test]
    fn a_look_is_judged_by_the_error_that_it_was_allowed() {
        let of = |effect: f64, false_reds: &str| {
            made(20, effect, 0.001, |duel| {
                beyond_1_pct(duel);
                cut_short(duel, 9);
                duel.notes.insert(FALSE_REDS.to_owned(), false_reds.to_owned());
            })
        };
        for (false_reds, is_enough) in [("1 in 20", true), ("1 in 1000000", false)] {
            let look = of(0.03, false_reds);
            assert_eq!(look.has_dueled(&series()), is_enough, "{false_reds}");
            let seen = told(&[look, of(0.02, false_reds)]);
            assert_eq!(seen.len(), usize::from(is_enough), "{false_reds}: {seen:?}");
        }
    }

    #[test]
    fn a_look_that_confirmed_something_takes_the_place_of_an_earlier_one_though_its_lives_seem_too_few() {
        let noted = |effect: f64| {
            made(20, effect, 0.001, |duel| {
                beyond_1_pct(duel);
                cut_short(duel, 5);
                let verdict = Verdict { call: Call::Regressed, effect: effect.exp_m1().into(), ..judged(0.0) };
                let confirmed = MetricVerdict { verdict, ..verdict_of(Metric::time()) };
                duel.notes.extend(kept(&[(series().benchmark, confirmed)]).map(|kept| (CONFIRMED.to_owned(), kept)));
            })
        };
        let seen = told(&[noted(0.03), noted(0.02)]);
        assert!(seen.len() == 1 && (seen[0].seen.effect - 0.02_f64.exp_m1()).abs() < 1e-9, "{seen:?}");
        assert!(noted(0.03).has_dueled(&series()));
    }

    #[test]
    fn a_second_look_finds_what_may_be_as_large_as_what_counts() {
        assert!(told(&[second_look(20, 0.004)]).is_empty(), "half of what counts is the least");
        assert!(told(&[second_look(20, 0.008)]).is_empty(), "surely less than what counts");
        assert_eq!(told(&[second_look(20, 0.0098)]).len(), 1, "perhaps as much");
    }

    #[test]
    fn what_a_second_look_confirmed_stays_so_whatever_its_lives_say_without_their_kin() {
        let confirmed = |pct: f64| {
            let of = |call| MetricVerdict { verdict: Verdict { call, ..judged(pct) }, ..verdict_of(Metric::time()) };
            let name = |name| BenchmarkName::new(name).unwrap();
            let all = [(name("a"), of(Call::Regressed)), (name("b"), of(Call::Inconclusive))];
            kept(&all).expect("one of them")
        };
        let wide = |with: &dyn Fn(&mut Duel)| {
            made(20, 0.012, 0.05, |duel| {
                beyond_1_pct(duel);
                with(duel);
            })
        };
        assert!(told(&[wide(&|_| ())]).is_empty());
        let seen = told(&[wide(&|duel| drop(duel.notes.insert(CONFIRMED.to_owned(), confirmed(1.2))))]);
        let [moved] = &seen[..] else { panic!("{seen:?}") };
        assert!(moved.is_of(&series()) && moved.turn == Turn::Regression, "{moved:?}");
        assert!((moved.seen.effect - 0.012).abs() < 1e-9 && moved.seen.place == 20, "{moved:?}");
        let noted = |note: String| wide(&|duel| drop(duel.notes.insert(CONFIRMED.to_owned(), note.clone())));
        let one = confirmed(1.2);
        let twice = format!("[{0},{0}]", one.trim_matches(['[', ']']));
        assert_eq!(told(&[noted(twice)]).len(), 1, "told twice");
        for broken in ["nonsense".to_owned(), one.replace("\"a\"", "\"x\""), one.replace("0.012", "-1.5")] {
            assert!(told(&[noted(broken)]).is_empty());
        }
        assert!(noted(one.clone()).moved(&series()).is_some_and(|moved| moved.turn == Turn::Regression));
        // Lives that moved beyond doubt, by another size: the note counts, at any place.
        let sure = made(20, 0.03, 0.001, |duel| {
            beyond_1_pct(duel);
            duel.notes.insert(CONFIRMED.to_owned(), one.clone());
        });
        let found = |from| Found::of([&sure], from).in_series(&series()).map(|one| one.seen.effect).collect::<Vec<_>>();
        assert!(found(0).len() == 1 && (found(0)[0] - 0.012).abs() < 1e-9 && found(0) == found(21));
        assert_eq!(Found::of([&second_look(20, 0.03)], 21).in_series(&series()).count(), 0);
        assert!(kept(&[(BenchmarkName::new("a").unwrap(), verdict_of(Metric::time()))]).is_none());
    }

    fn judged(pct: f64) -> Verdict {
        let effect = (pct / 100.0).into();
        let limit = Limit::percent(1.0).unwrap();
        Verdict { call: Call::Inconclusive, effect, interval: None, limit, detectable: None, grounds: None }
    }

    fn verdict_of(metric: Metric) -> MetricVerdict {
        let terms = Policy::default().terms(&BenchmarkName::new("a").unwrap(), &metric);
        MetricVerdict { metric, base: 1.0, head: 1.0, terms, verdict: judged(0.0) }
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
        let short = |effect: f64| made(11, effect, 0.003, |duel| cut_short(duel, 6));
        let [first, last] = [10, 12].map(|place| duel(place, 0.0, 0.001));
        let looks = |all: &[&Neighbours]| Measured::of(all.iter().copied()).deny(&step);
        assert!(looks(&[&first, &duel(11, 0.0, 0.001), &last]));
        assert!(
            looks(&[&first, &duel(11, 0.0, 0.001), &short(0.04), &last]),
            "too short a look to count beside a long one"
        );
        assert!(!looks(&[&first, &short(0.04), &last]), "it counts where there is none");
        assert!(!looks(&[&first, &short(0.0165), &last]), "the error of few lives is known by half");
        let apart = [10, 11, 12].map(|place| Neighbours { is_next: false, ..duel(place, 0.0, 0.001) });
        assert!(!Measured::of(&apart).deny(&step), "duels that make no chain have no sum");
    }
}
