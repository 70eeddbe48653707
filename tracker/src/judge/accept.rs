//! Taking accepted regressions out of what makes a gate red; what is larger than its acceptance stays.

use crate::domain::{Acceptance, Accepted, BenchmarkName, Call, Finding, Judged, Report};

use super::report::whole;

/// The report with the findings that these acceptances cover said as accepted.
#[must_use]
pub fn accept(mut report: Report, acceptances: &[Acceptance]) -> Report {
    let (mut accepted, mut remarks) = (Vec::new(), Vec::new());
    for (benchmark, judged) in &report.judged {
        match judged {
            Judged::Missing => accepted.extend(gone(benchmark, acceptances)),
            Judged::Verdicts(verdicts) => {
                for one in verdicts.iter().filter(|one| one.terms.gate && one.verdict.call == Call::Regressed) {
                    let (metric, effect) = (&one.metric.name, one.verdict.effect);
                    let allows =
                        |entry: &Acceptance| Some((entry.allows(benchmark, metric)?, entry.reason().to_owned()));
                    let largest = acceptances.iter().filter_map(allows).max_by(|a, b| a.0.log().total_cmp(&b.0.log()));
                    let Some((allowed, reason)) = largest else { continue };
                    if effect.log().abs() <= allowed.log() {
                        let (benchmark, metric) = (benchmark.clone(), Some(metric.clone()));
                        accepted.push(Accepted {
                            benchmark,
                            metric,
                            effect: Some(effect),
                            allowed: Some(allowed),
                            reason,
                        });
                    } else {
                        remarks.push(format!("{metric} of {benchmark} was accepted up to {allowed}, and it is more"));
                    }
                }
            }
            Judged::New | Judged::Failed { .. } => {}
        }
    }
    for one in report.lone.iter().filter(|one| one.is_red()) {
        let Some(entry) = acceptances.iter().find(|entry| entry.lets_metric_go(&one.benchmark, &one.metric.name))
        else {
            continue;
        };
        let (benchmark, metric, reason) =
            (one.benchmark.clone(), Some(one.metric.name.clone()), entry.reason().to_owned());
        accepted.push(Accepted { benchmark, metric, effect: None, allowed: None, reason });
    }
    let is_accepted = |benchmark: &BenchmarkName, metric: Option<&str>| {
        accepted.iter().any(|one| one.benchmark == *benchmark && one.metric.as_deref() == metric)
    };
    report.findings.retain_mut(|finding| match finding {
        Finding::Missing { benchmark } => !is_accepted(benchmark, None),
        Finding::Regressed { benchmark, metric, .. } => !is_accepted(benchmark, Some(metric)),
        Finding::Common { metric, benchmarks, .. } | Finding::MissingMetric { metric, benchmarks } => {
            benchmarks.retain(|benchmark| !is_accepted(benchmark, Some(metric)));
            !benchmarks.is_empty()
        }
        Finding::Failed { .. } => true,
    });
    report.whole = whole(&report.judged, &report.lone, &accepted);
    report.accepted = accepted;
    report.remarks.extend(remarks);
    report
}

fn gone(benchmark: &BenchmarkName, acceptances: &[Acceptance]) -> Option<Accepted> {
    let entry = acceptances.iter().find(|entry| entry.lets_go(benchmark))?;
    let reason = entry.reason().to_owned();
    Some(Accepted { benchmark: benchmark.clone(), metric: None, effect: None, allowed: None, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Bout, Contest, Duel, Life, Metric, Policy, Readings, Whole};
    use crate::judge::known::Known;
    use crate::judge::report::report;

    fn slower(relative: f64) -> Bout {
        let effect = relative.ln_1p();
        let lives = (0..20).map(|at| Life::new(vec![effect + f64::from(at) * 1e-9]).unwrap()).collect();
        let readings = Readings::Paired { lives, null: vec![] };
        Bout::Dueled(vec![Contest { metric: Metric::time(), base: 1.0, head: effect.exp(), readings }])
    }

    fn entry(what: &str) -> Acceptance {
        let (commit, base) = ("b".repeat(40), "a".repeat(40));
        let text =
            format!("{what}\nreason = \"because\"\nuntil = \"rebased\"\ncommit = \"{commit}\"\nbase = \"{base}\"");
        toml::from_str(&text).unwrap()
    }

    fn judged(bouts: Vec<(&str, Bout)>, entries: &[&str]) -> Report {
        let entries: Vec<Acceptance> = entries.iter().map(|text| entry(text)).collect();
        accept(report(&Duel::example(bouts), &Policy::default(), &Known::default(), 10), &entries)
    }

    #[test]
    fn what_is_accepted_is_green_and_what_is_larger_than_accepted_is_red() {
        let ten = "pattern = \"=a\"\nmetric = \"time\"\nallowed = \"10 %\"";
        let report = judged(vec![("a", slower(0.095)), ("same", slower(0.0))], &[ten]);
        assert_eq!((report.whole, report.findings.len(), report.accepted.len()), (Whole::Green, 0, 1));
        assert_eq!(report.accepted[0].reason, "because");
        let report = judged(vec![("a", slower(0.11))], &[ten]);
        assert_eq!((report.whole, report.findings.len(), report.accepted.len()), (Whole::Red, 1, 0));
        assert!(report.remarks[0].contains("accepted up to 10 %"), "{:?}", report.remarks);
        for other in [
            "pattern = \"=b\"\nmetric = \"time\"\nallowed = \"90 %\"",
            "pattern = \"=a\"\nmetric = \"bytes\"\nallowed = \"90 %\"",
            "pattern = \"=a\"",
        ] {
            assert_eq!(judged(vec![("a", slower(0.095))], &[other]).whole, Whole::Red, "{other}");
        }
    }

    #[test]
    fn a_benchmark_may_be_gone_and_that_excuses_no_slowness() {
        let report = judged(vec![("a", Bout::Missing), ("b", slower(0.0))], &["pattern = \"=a\""]);
        assert_eq!((report.whole, report.findings.len()), (Whole::Green, 0));
        let report = judged(vec![("a", Bout::Missing)], &["pattern = \"=a\"\nmetric = \"time\"\nallowed = \"90 %\""]);
        assert_eq!(report.whole, Whole::Red);
    }

    #[test]
    fn a_metric_may_be_gone_and_that_excuses_neither_its_growth_nor_the_benchmark() {
        let lost = || {
            let Bout::Dueled(mut contests) = slower(0.0) else { panic!("dueled") };
            let readings = Readings::Missing { base: Life::new(vec![1.0]).unwrap() };
            let metric = Metric { name: "bytes".to_owned(), ..Metric::time() };
            contests.push(Contest { metric, base: 1.0, head: 0.0, readings });
            Bout::Dueled(contests)
        };
        let gone = "pattern = \"=a\"\nmetric = \"bytes\"\ngone = true";
        let report = judged(vec![("a", lost())], &[gone]);
        assert_eq!((report.whole, report.findings.len(), report.accepted.len()), (Whole::Green, 0, 1));
        let report = judged(vec![("a", lost()), ("b", lost())], &[gone]);
        let [Finding::MissingMetric { benchmarks, .. }] = &report.findings[..] else { panic!("{:?}", report.findings) };
        assert_eq!((benchmarks.len(), report.whole), (1, Whole::Red));
        for other in ["pattern = \"=a\"", "pattern = \"=a\"\nmetric = \"bytes\"\nallowed = \"90 %\""] {
            assert_eq!(judged(vec![("a", lost())], &[other]).whole, Whole::Red, "{other}");
        }
        let gone = "pattern = \"=a\"\nmetric = \"time\"\ngone = true";
        assert_eq!(judged(vec![("a", slower(0.3))], &[gone]).whole, Whole::Red);
        assert_eq!(judged(vec![("a", Bout::Missing)], &[gone]).whole, Whole::Red);
    }

    #[test]
    fn a_common_cause_is_accepted_benchmark_by_benchmark() {
        let names = ["a", "b", "c", "d", "e", "f"];
        let bouts = || names.iter().map(|name| (*name, slower(0.15))).collect();
        let most = "pattern = \"?\"\nmetric = \"time\"\nallowed = \"20 %\"";
        assert_eq!(judged(bouts(), &[most]).findings, []);
        let one = judged(bouts(), &["pattern = \"=a\"\nmetric = \"time\"\nallowed = \"20 %\""]);
        let [Finding::Common { benchmarks, .. }] = &one.findings[..] else { panic!("{:?}", one.findings) };
        assert_eq!((benchmarks.len(), one.whole), (5, Whole::Red));
    }
}
