//! From verdicts to a report: what deserves a person, and one word for all.

use std::collections::BTreeMap;

use crate::domain::{
    Accepted, BenchmarkName, Bout, Call, Contest, Duel, Effect, Finding, Judged, Kind, Lone, MetricVerdict, Policy,
    Readings, Report, Verdict, Whole,
};
use crate::stats::robust::median;

use super::known::Known;
use super::pool::pooled;

/// Fewer regressions than this are told one by one.
const LEAST_IN_COMMON: usize = 5;
/// A cause is taken to be common when it shows in so many of the series.
const SHARE_IN_COMMON: f64 = 0.8;
/// An effect agrees with the common one within so many of its errors.
const ERRORS_APART: f64 = 3.0;

/// Judges the latest duel together with earlier ones of the same sides.
#[must_use]
pub fn of_pool(latest: &Duel, earlier: &[Duel], policy: &Policy, known: &Known, gated_series: usize) -> Report {
    let together = report(&pooled(earlier, latest), policy, known, gated_series);
    Report { duel: latest.id(), pooled: earlier.iter().map(Duel::id).collect(), ..together }
}

/// The report on a duel of which nothing differs that a benchmark could see: what it measured is the harness's own error,
/// and the honest word is `unchanged`. Numbers of the binary keep theirs.
#[must_use]
pub fn of_same_inputs(mut report: Report) -> Report {
    for judged in report.judged.values_mut() {
        let Judged::Verdicts(verdicts) = judged else { continue };
        for one in verdicts.iter_mut().filter(|one| one.metric.kind == Kind::Noisy) {
            one.verdict.call = Call::Unchanged;
        }
    }
    report.findings = findings(&report.judged, &report.lone);
    report.whole = whole(&report.judged, &report.lone, &[]);
    report.remarks.push(
        "nothing that these benchmarks can see differs: both sides run one program, and only documentation, \
         tests or workflows changed"
            .to_owned(),
    );
    report
}

/// The parts of a suite that several jobs measured, as one report: the first stands for all, and a benchmark that two
/// measured is the first one's. Each was judged with the whole suite's share of the error budget. None of no parts.
#[must_use]
pub fn of_shards(parts: Vec<Report>) -> Option<Report> {
    let mut parts = parts.into_iter();
    let mut whole = parts.next()?;
    for part in parts {
        whole.shards.push(part.duel);
        whole.pooled.extend(part.pooled);
        // Of a benchmark that two measured the first one's word counts, also of the metrics that only one side has.
        let is_new = |one: &Lone| !whole.judged.contains_key(&one.benchmark);
        let lone: Vec<Lone> = part.lone.into_iter().filter(is_new).collect();
        whole.lone.extend(lone);
        for (benchmark, judged) in part.judged {
            whole.judged.entry(benchmark).or_insert(judged);
        }
        let elsewhere = (part.machine != whole.machine).then(|| {
            "its parts were measured on several kinds of machine; each is compared with its base on its own".to_owned()
        });
        for remark in part.remarks.into_iter().chain(elsewhere) {
            if !whole.remarks.contains(&remark) {
                whole.remarks.push(remark);
            }
        }
    }
    whole.findings = findings(&whole.judged, &whole.lone);
    whole.whole = self::whole(&whole.judged, &whole.lone, &[]);
    Some(whole)
}

/// Judges a duel and sums it up; `gated_series` is the number of gated noisy series that base offers.
#[must_use]
pub fn report(duel: &Duel, policy: &Policy, known: &Known, gated_series: usize) -> Report {
    let judged: BTreeMap<_, _> = super::duel::judge(duel, policy, known, gated_series).into_iter().collect();
    let lone = lone(duel, policy);
    Report {
        duel: duel.id(),
        pooled: Vec::new(),
        shards: Vec::new(),
        suite: duel.suite.clone(),
        base: duel.base.clone(),
        head: duel.head.clone(),
        machine: duel.machine.clone(),
        policy: policy.clone(),
        rules: "the defaults".to_owned(),
        gated_series,
        whole: whole(&judged, &lone, &[]),
        findings: findings(&judged, &lone),
        accepted: Vec::new(),
        remarks: Vec::new(),
        lone,
        judged,
    }
}

/// The word for all. Nothing measured is never green, and neither is what could not be decided.
pub(super) fn whole(judged: &BTreeMap<BenchmarkName, Judged>, lone: &[Lone], accepted: &[Accepted]) -> Whole {
    let is_accepted = |benchmark: &BenchmarkName, metric: Option<&str>| {
        accepted.iter().any(|one| one.benchmark == *benchmark && one.metric.as_deref() == metric)
    };
    let is_red = |(benchmark, judged): (&BenchmarkName, &Judged)| match judged {
        Judged::Verdicts(verdicts) => {
            verdicts.iter().any(|one| one.is_red() && !is_accepted(benchmark, Some(&one.metric.name)))
        }
        Judged::Missing => !is_accepted(benchmark, None),
        Judged::Failed { on_head, .. } => *on_head,
        Judged::New => false,
    };
    let undecided = |judged: &Judged| match judged {
        Judged::Verdicts(verdicts) => {
            verdicts.iter().any(|one| one.terms.gate && one.verdict.call == Call::Inconclusive)
        }
        Judged::Failed { .. } => true,
        Judged::Missing | Judged::New => false,
    };
    let was_judged = |judged: &Judged| matches!(judged, Judged::Verdicts(verdicts) if !verdicts.is_empty());
    let is_lost = |one: &Lone| one.is_red() && !is_accepted(&one.benchmark, Some(&one.metric.name));
    if judged.iter().any(is_red) || lone.iter().any(is_lost) {
        Whole::Red
    } else if !judged.values().any(was_judged) {
        Whole::Nothing
    } else if judged.values().any(undecided) {
        Whole::Inconclusive
    } else {
        Whole::Green
    }
}

/// The metrics that only one side of a benchmark has. Whether a loss counts is for the policy to say, as with a change.
fn lone(duel: &Duel, policy: &Policy) -> Vec<Lone> {
    let of_bout = |(benchmark, bout): (&BenchmarkName, &Bout)| -> Vec<Lone> {
        let Bout::Dueled(contests) = bout else { return Vec::new() };
        let one = |contest: &Contest| Lone {
            benchmark: benchmark.clone(),
            metric: contest.metric.clone(),
            on_head: matches!(contest.readings, Readings::New { .. }),
            gate: policy.terms(benchmark, &contest.metric).gate,
        };
        contests.iter().filter(|contest| !contest.is_on_both()).map(one).collect()
    };
    duel.bouts.iter().flat_map(of_bout).collect()
}

/// What deserves a person: what could not be measured first, then what vanished, then regressions by size.
fn findings(judged: &BTreeMap<BenchmarkName, Judged>, lone: &[Lone]) -> Vec<Finding> {
    let (mut failed, mut missing) = (Vec::new(), Vec::new());
    let mut by_metric: BTreeMap<&str, Vec<(&BenchmarkName, &MetricVerdict)>> = BTreeMap::new();
    for (benchmark, judged) in judged {
        match judged {
            Judged::Failed { on_head, trouble } => {
                let (benchmark, trouble) = (benchmark.clone(), trouble.clone());
                failed.push(Finding::Failed { benchmark, on_head: *on_head, trouble });
            }
            Judged::Missing => missing.push(Finding::Missing { benchmark: benchmark.clone() }),
            Judged::New => {}
            Judged::Verdicts(verdicts) => {
                for one in verdicts {
                    by_metric.entry(&one.metric.name).or_default().push((benchmark, one));
                }
            }
        }
    }
    let mut lost: BTreeMap<&str, Vec<BenchmarkName>> = BTreeMap::new();
    for one in lone.iter().filter(|one| one.is_red()) {
        lost.entry(&one.metric.name).or_default().push(one.benchmark.clone());
    }
    let of_lost = |(metric, benchmarks): (&str, _)| Finding::MissingMetric { metric: metric.to_owned(), benchmarks };
    missing.extend(lost.into_iter().map(of_lost));
    let mut regressed: Vec<(f64, Finding)> =
        by_metric.iter().flat_map(|(name, series)| of_metric(name, series)).collect();
    regressed.sort_by(|a, b| b.0.total_cmp(&a.0));
    failed.into_iter().chain(missing).chain(regressed.into_iter().map(|(_, finding)| finding)).collect()
}

/// The regressions of one metric with their sizes: those with a common cause as one.
fn of_metric(metric: &str, series: &[(&BenchmarkName, &MetricVerdict)]) -> Vec<(f64, Finding)> {
    let common = common_effect(series);
    let belongs = |one: &MetricVerdict| common.is_some_and(|common| agrees(&one.verdict, common));
    let red = series.iter().filter(|(_, one)| one.is_red());
    let (together, apart): (Vec<_>, Vec<_>) = red.partition(|(_, one)| belongs(one));
    let mut found: Vec<(f64, Finding)> = apart
        .into_iter()
        .map(|(benchmark, one)| {
            let effect = one.verdict.effect;
            let (benchmark, metric) = ((*benchmark).clone(), metric.to_owned());
            (effect.log().abs(), Finding::Regressed { benchmark, metric, effect })
        })
        .collect();
    if let Some(common) = common {
        let benchmarks = together.into_iter().map(|(benchmark, _)| (*benchmark).clone()).collect();
        let finding = Finding::Common { metric: metric.to_owned(), effect: Effect::from_log(common), benchmarks };
        found.push((common.abs(), finding));
    }
    found
}

/// The factor by which nearly all series of a metric got worse together; none where they did not. It groups what is red
/// already and makes nothing red, so it spends no error.
fn common_effect(series: &[(&BenchmarkName, &MetricVerdict)]) -> Option<f64> {
    let noisy: Vec<&MetricVerdict> =
        series.iter().map(|(_, one)| *one).filter(|one| one.verdict.grounds.is_some()).collect();
    let effects: Vec<f64> = noisy.iter().filter(|one| one.is_red()).map(|one| one.verdict.effect.log()).collect();
    let common = median(&effects)?;
    let together = noisy.iter().filter(|one| one.is_red() && agrees(&one.verdict, common)).count();
    let enough = together >= LEAST_IN_COMMON && together as f64 >= SHARE_IN_COMMON * noisy.len() as f64;
    enough.then_some(common)
}

fn agrees(verdict: &Verdict, common: f64) -> bool {
    verdict
        .grounds
        .is_some_and(|grounds| (verdict.effect.log() - common).abs() <= ERRORS_APART * grounds.se.hypot(grounds.tau))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Life, Metric, PolicyEntry, Trouble};
    use crate::stats::simulate::Noise;

    fn contest(seed: u64, effect: f64) -> Bout {
        let mut noise = Noise::seeded(seed);
        let lives = (0..20).map(|_| Life::new(vec![effect + 0.002 * noise.normal()]).unwrap()).collect();
        let readings = Readings::Paired { lives, null: vec![] };
        Bout::Dueled(vec![Contest { metric: Metric::time(), base: 1.0, head: effect.exp(), readings }])
    }

    fn judged(bouts: Vec<(&str, Bout)>, policy: &Policy) -> Report {
        report(&Duel::example(bouts), policy, &Known::default(), 10)
    }

    fn crashed(on_head: bool) -> Bout {
        let trouble = Trouble { reason: "crashed".to_owned(), ended: None, stderr_tail: String::new() };
        Bout::Failed { on_head, trouble }
    }

    #[test]
    fn the_whole_is_green_only_if_something_was_judged_and_all_of_it_decided() {
        let whole = |bouts| judged(bouts, &Policy::default()).whole;
        assert_eq!(whole(vec![]), Whole::Nothing);
        assert_eq!(whole(vec![("a", Bout::New)]), Whole::Nothing);
        assert_eq!(whole(vec![("a", contest(1, 0.0)), ("b", Bout::New)]), Whole::Green);
        assert_eq!(whole(vec![("a", contest(1, 0.0)), ("b", contest(2, 0.03))]), Whole::Inconclusive);
        assert_eq!(whole(vec![("a", contest(1, 0.0)), ("b", contest(2, 0.2))]), Whole::Red);
        assert_eq!(whole(vec![("a", contest(1, 0.0)), ("b", Bout::Missing)]), Whole::Red);
        assert_eq!(whole(vec![("a", contest(1, 0.0)), ("b", crashed(true))]), Whole::Red);
        assert_eq!(whole(vec![("a", contest(1, 0.0)), ("b", crashed(false))]), Whole::Inconclusive);
    }

    #[test]
    fn a_metric_that_is_gone_is_one_finding_unless_nobody_gates_it_and_a_new_one_is_none() {
        let lone = |name: &str, readings| Contest {
            metric: Metric { name: name.to_owned(), kind: Kind::Exact, ..Metric::time() },
            base: 3.0,
            head: 0.0,
            readings,
        };
        let life = || Life::new(vec![3.0]).unwrap();
        let bout = |seed: u64| {
            let Bout::Dueled(mut contests) = contest(seed, 0.0) else { panic!("dueled") };
            contests.push(lone("allocations", Readings::Missing { base: life() }));
            contests.push(lone("later", Readings::New { head: life() }));
            Bout::Dueled(contests)
        };
        let bouts = || vec![("a", bout(1)), ("b", bout(2)), ("c", contest(3, 0.0))];
        let report = judged(bouts(), &Policy::default());
        let [Finding::MissingMetric { metric, benchmarks }] = &report.findings[..] else { panic!("{report:?}") };
        assert_eq!(
            (report.whole, metric.as_str(), benchmarks.len(), report.lone.len()),
            (Whole::Red, "allocations", 2, 4)
        );
        let entry = PolicyEntry { metric: Some("allocations".to_owned()), gate: Some(false), ..PolicyEntry::default() };
        let report = judged(bouts(), &Policy { entries: vec![entry], ..Policy::default() });
        assert_eq!((report.whole, report.findings.len(), report.lone.len()), (Whole::Green, 0, 4));
    }

    #[test]
    fn what_is_only_reported_makes_no_gate_red() {
        let entry = PolicyEntry { gate: Some(false), ..PolicyEntry::default() };
        let policy = Policy { entries: vec![entry], ..Policy::default() };
        let report = judged(vec![("a", contest(1, 0.2))], &policy);
        assert_eq!((report.whole, report.findings), (Whole::Green, vec![]));
    }

    #[test]
    fn a_slowdown_of_everything_is_one_finding_and_what_sticks_out_another() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        let mut bouts: Vec<(&str, Bout)> =
            names.iter().enumerate().map(|(at, name)| (*name, contest(at as u64, 0.15))).collect();
        bouts.push(("worse", contest(20, 0.6)));
        let findings = judged(bouts, &Policy::default()).findings;
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(matches!(&findings[0], Finding::Regressed { benchmark, .. } if benchmark.as_str() == "worse"));
        let Finding::Common { effect, benchmarks, .. } = &findings[1] else { panic!("{findings:?}") };
        assert_eq!(benchmarks.len(), 9);
        assert!((effect.log() - 0.15).abs() < 0.002);
    }

    #[test]
    fn a_few_regressions_are_told_one_by_one_with_the_worst_first_after_what_failed() {
        let findings = judged(
            vec![("a", contest(1, 0.1)), ("b", contest(2, 0.3)), ("c", crashed(true)), ("d", Bout::Missing)],
            &Policy::default(),
        )
        .findings;
        let words: Vec<&str> = findings
            .iter()
            .map(|finding| match finding {
                Finding::Regressed { benchmark, .. } => benchmark.as_str(),
                Finding::Common { .. } => "common",
                Finding::Missing { .. } => "missing",
                Finding::MissingMetric { .. } => "missing metric",
                Finding::Failed { .. } => "failed",
            })
            .collect();
        assert_eq!(words, ["failed", "missing", "b", "a"]);
    }

    #[test]
    fn where_no_input_differs_only_numbers_and_what_is_lost_can_be_red() {
        let report = of_same_inputs(judged(vec![("a", contest(1, 0.2)), ("b", contest(2, 0.0))], &Policy::default()));
        assert_eq!((report.whole, report.findings.len(), report.remarks.len()), (Whole::Green, 0, 1));
        let report = of_same_inputs(judged(vec![("a", contest(1, 0.0)), ("b", crashed(true))], &Policy::default()));
        assert_eq!((report.whole, report.findings.len()), (Whole::Red, 1));
    }

    #[test]
    fn the_parts_of_a_suite_become_one_report_in_which_nothing_is_lost_and_the_first_word_counts() {
        let policy = Policy::default();
        let parts = vec![
            judged(vec![("a", contest(1, 0.0)), ("both", contest(2, 0.0))], &policy),
            judged(vec![("b", contest(3, 0.2)), ("both", contest(4, 0.2)), ("gone", Bout::Missing)], &policy),
        ];
        let whole = of_shards(parts.clone()).unwrap();
        assert_eq!(whole.judged.len(), 4);
        assert_eq!((whole.duel.clone(), whole.shards.clone()), (parts[0].duel.clone(), vec![parts[1].duel.clone()]));
        assert_eq!((whole.whole, whole.findings.len()), (Whole::Red, 2), "{:?}", whole.findings);
        assert_eq!(of_shards(vec![]), None);
    }

    #[test]
    fn a_report_survives_json() {
        let report = judged(vec![("a", contest(1, 0.2)), ("b", crashed(true)), ("c", Bout::New)], &Policy::default());
        let text = serde_json::to_string(&report).unwrap();
        let read: Report = serde_json::from_str(&text).unwrap();
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&serde_json::to_string(&read).unwrap()), value(&text));
        assert_eq!((read.whole, read.findings.len(), read.judged.len()), (Whole::Red, 2, 3));
    }
}
