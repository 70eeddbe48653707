//! A whole duel under a policy: a verdict for each metric of each benchmark.

use std::collections::BTreeMap;

use crate::domain::{
    BenchmarkName, Bout, Call, Contest, Duel, Effect, Judged, Life, MetricVerdict, Policy, Readings, Terms, Verdict,
};
use crate::stats::looks::{Looks, Sides};
use crate::stats::robust::Variance;
use crate::stats::shrink;

use super::builds::Spread;
use super::estimate::{Evidence, proven_bias};
use super::exact;
use super::known::{Known, Past};
use super::rule::{Case, DOUBT, decide};

/// The looks of each series of a gate: the error budget divided over its gated noisy series, whose number is fixed
/// before anything is measured.
#[must_use]
pub fn looks(policy: &Policy, gated_series: usize, sides: Sides) -> Looks {
    Looks::new(DOUBT, policy.false_reds.probability() / gated_series.max(1) as f64, sides)
}

/// All that the verdict on one series follows from, beside its readings.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// What the policy says of it.
    pub terms: Terms,
    /// When it is looked at, as far as that does not depend on how many sides its lives compare.
    pub looks: Looks,
    /// Whether both sides are one build, so that no luck of builds comes in.
    pub one_build: bool,
    /// What earlier duels taught of it.
    pub past: Option<&'a Past>,
    /// How the lives of its siblings in this duel vary, for a series without a past of its own.
    pub siblings: &'a [Variance],
}

/// Judges one metric of one benchmark, at the last look that its lives reach.
#[must_use]
pub fn judge_contest(contest: &Contest, ground: &Ground<'_>) -> Verdict {
    match &contest.readings {
        Readings::Exact { base, head } => exact::decide(base, head, ground.terms.limit, contest.metric.better),
        Readings::Missing { .. } | Readings::New { .. } => too_few(&[], ground.terms),
        Readings::Paired { lives, null } => judge_lives(contest, lives, null, ground),
    }
}

fn judge_lives(contest: &Contest, lives: &[Life], null: &[Life], ground: &Ground<'_>) -> Verdict {
    let Ground { terms, .. } = *ground;
    let evidence = Evidence::of(lives, null);
    let looks = ground.looks.of(evidence.sides());
    let all = &evidence.effects;
    let usual = ground.past.and_then(|past| shrink::usual(&past.variances)).or_else(|| shrink::usual(ground.siblings));
    // Lives beyond the last look wait for the next one: judging them now would be a look that nobody paid for.
    let judged = looks.last_at(all.len());
    let Some((look, estimate)) = judged.and_then(|look| Some((look, evidence.estimate(look.values, usual)?))) else {
        return too_few(all, terms);
    };
    let spread = if ground.one_build || !terms.widen {
        Spread::None
    } else {
        ground.past.map_or_else(Spread::assumed, |past| Spread::between(&past.comparisons))
    };
    let is_learned = matches!(spread, Spread::Between { .. });
    decide(&Case {
        estimate,
        signs: Some(evidence.first(look.values)),
        pairs: lives[..look.values].iter().map(|life| life.values().len()).sum(),
        spread,
        lessons: ground.past.filter(|_| is_learned).map_or(0, |past| past.comparisons.len()),
        bias: proven_bias(&evidence.control),
        looks,
        look,
        limit: terms.limit,
        better: contest.metric.better,
    })
}

/// Before the first look there is an effect and nothing to say of it.
fn too_few(effects: &[f64], terms: Terms) -> Verdict {
    let effect = effects.iter().sum::<f64>() / effects.len().max(1) as f64;
    let effect = Effect::from_log(effect);
    Verdict { call: Call::Inconclusive, effect, interval: None, limit: terms.limit, detectable: None, grounds: None }
}

/// How the lives of all noisy series of a duel vary, metric by metric.
#[must_use]
pub fn variances(duel: &Duel) -> BTreeMap<String, Vec<Variance>> {
    let mut found: BTreeMap<String, Vec<Variance>> = BTreeMap::new();
    for bout in duel.bouts.values() {
        let Bout::Dueled(contests) = bout else { continue };
        for contest in contests {
            let Readings::Paired { lives, null } = &contest.readings else { continue };
            let of_metric = found.entry(contest.metric.name.clone()).or_default();
            of_metric.extend(Evidence::of(lives, null).variance_of_lives());
        }
    }
    found
}

/// Judges a whole duel; `gated_series` is the number of gated noisy series that base offers.
#[must_use]
pub fn judge(duel: &Duel, policy: &Policy, known: &Known, gated_series: usize) -> Vec<(BenchmarkName, Judged)> {
    let looks = looks(policy, gated_series, Sides::Two);
    let one_build = duel.is_of_one_build();
    let siblings = variances(duel);
    let judge_one = |benchmark: &BenchmarkName, contest: &Contest| {
        let terms = policy.terms(benchmark, &contest.metric);
        let past = known.of(benchmark, &contest.metric.name);
        let siblings = siblings.get(&contest.metric.name).map_or(&[][..], Vec::as_slice);
        let verdict = judge_contest(contest, &Ground { terms, looks, one_build, past, siblings });
        MetricVerdict { metric: contest.metric.clone(), base: contest.base, head: contest.head, terms, verdict }
    };
    let judge_bout = |benchmark: &BenchmarkName, bout: &Bout| match bout {
        Bout::Missing => Judged::Missing,
        Bout::New => Judged::New,
        Bout::Failed { on_head, trouble } => Judged::Failed { on_head: *on_head, trouble: trouble.clone() },
        Bout::Dueled(contests) => {
            let on_both = contests.iter().filter(|contest| contest.is_on_both());
            Judged::Verdicts(on_both.map(|contest| judge_one(benchmark, contest)).collect())
        }
    };
    duel.bouts.iter().map(|(benchmark, bout)| (benchmark.clone(), judge_bout(benchmark, bout))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, Metric, PolicyEntry, Trouble};
    use crate::stats::simulate::Noise;

    fn paired(seed: u64, lives: usize, effect: f64, sd: f64) -> Contest {
        let mut noise = Noise::seeded(seed);
        let lives = (0..lives)
            .map(|_| {
                let level = effect + sd * noise.normal();
                Life::new((0..9).map(|_| level + sd * noise.normal()).collect()).unwrap()
            })
            .collect();
        let readings = Readings::Paired { lives, null: vec![] };
        Contest { metric: Metric::time(), base: 5000.0, head: 5000.0 * effect.exp(), readings }
    }

    fn calls(duel: &Duel, policy: &Policy) -> Vec<Call> {
        let judged = judge(duel, policy, &Known::default(), 10);
        let verdicts = judged.into_iter().filter_map(|(_, judged)| match judged {
            Judged::Verdicts(verdicts) => Some(verdicts.into_iter().map(|one| one.verdict.call)),
            Judged::Missing | Judged::New | Judged::Failed { .. } => None,
        });
        verdicts.flatten().collect()
    }

    #[test]
    fn each_benchmark_gets_its_own_word() {
        let duel = Duel::example(vec![
            ("much slower", Bout::Dueled(vec![paired(1, 20, 0.15, 0.002)])),
            ("same", Bout::Dueled(vec![paired(2, 20, 0.0, 0.002)])),
            ("too few lives", Bout::Dueled(vec![paired(3, 3, 0.15, 0.002)])),
            ("within luck", Bout::Dueled(vec![paired(4, 20, 0.03, 0.002)])),
        ]);
        let expected = [Call::Regressed, Call::Unchanged, Call::Inconclusive, Call::Inconclusive];
        assert_eq!(calls(&duel, &Policy::default()), expected);
    }

    #[test]
    fn a_limit_taken_literally_or_one_build_leaves_out_the_luck_of_builds() {
        let mut duel = Duel::example(vec![("a", Bout::Dueled(vec![paired(4, 20, 0.03, 0.002)]))]);
        let literal = PolicyEntry { widen: Some(false), ..PolicyEntry::default() };
        let policy = Policy { entries: vec![literal], ..Policy::default() };
        assert_eq!(calls(&duel, &policy), [Call::Regressed]);
        duel.head.program.clone_from(&duel.base.program);
        assert_eq!(calls(&duel, &Policy::default()), [Call::Regressed]);
    }

    #[test]
    fn a_benchmark_that_learned_its_luck_is_found_where_an_unknown_one_is_not() {
        let duel = Duel::example(vec![("a", Bout::Dueled(vec![paired(4, 20, 0.03, 0.002)]))]);
        let earlier: Vec<Duel> =
            (10..40).map(|seed| Duel::example(vec![("a", Bout::Dueled(vec![paired(seed, 20, 0.0, 0.002)]))])).collect();
        let judged = judge(&duel, &Policy::default(), &Known::from_duels(&earlier), 10);
        let Judged::Verdicts(verdicts) = &judged[0].1 else { panic!("not dueled") };
        assert_eq!(verdicts[0].verdict.call, Call::Regressed);
        assert!(verdicts[0].is_red());
    }

    #[test]
    fn lives_beyond_the_last_look_wait_for_the_next() {
        let judged = |lives: usize| {
            let duel = Duel::example(vec![("a", Bout::Dueled(vec![paired(5, lives, 0.15, 0.002)]))]);
            let judged = judge(&duel, &Policy::default(), &Known::default(), 10);
            let Judged::Verdicts(verdicts) = &judged[0].1 else { panic!("not dueled") };
            verdicts[0].verdict
        };
        assert_eq!(judged(15), judged(17));
        assert_eq!(judged(15).grounds.unwrap().lives, 15);
        assert_eq!(judged(15).grounds.unwrap().next_look, 20);
    }

    #[test]
    fn a_biased_harness_is_not_mistaken_for_a_slowdown() {
        let mut contest = paired(6, 20, 0.05, 0.001);
        let Readings::Paired { lives: null, .. } = paired(7, 20, 0.05, 0.001).readings else { panic!("not paired") };
        let Readings::Paired { null: slot, .. } = &mut contest.readings else { panic!("not paired") };
        *slot = null;
        let mut duel = Duel::example(vec![("a", Bout::Dueled(vec![contest]))]);
        duel.head.program.clone_from(&duel.base.program);
        assert_eq!(calls(&duel, &Policy::default()), [Call::Inconclusive]);
    }

    #[test]
    fn what_was_not_dueled_is_said_as_it_is_and_exact_metrics_as_numbers() {
        let trouble = Trouble { reason: "crashed".to_owned(), ended: None, stderr_tail: String::new() };
        let metric = Metric { name: "allocations".to_owned(), kind: Kind::Exact, ..Metric::time() };
        let life = |value: f64| Life::new(vec![value, value]).unwrap();
        let exact = Readings::Exact { base: life(10.0), head: life(11.0) };
        let duel = Duel::example(vec![
            ("a", Bout::Missing),
            ("b", Bout::New),
            ("c", Bout::Failed { on_head: true, trouble: trouble.clone() }),
            ("d", Bout::Dueled(vec![Contest { metric, base: 10.0, head: 11.0, readings: exact }])),
        ]);
        let judged: Vec<Judged> =
            judge(&duel, &Policy::default(), &Known::default(), 1).into_iter().map(|(_, judged)| judged).collect();
        assert_eq!(judged[..3], [Judged::Missing, Judged::New, Judged::Failed { on_head: true, trouble }]);
        assert_eq!(calls(&duel, &Policy::default()), [Call::Regressed]);
    }
}
