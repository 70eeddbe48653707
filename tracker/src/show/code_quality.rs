//! What a gate says as GitLab's Code Quality report: a list of findings, which a merge request shows.
//!
//! A finding is known again by its fingerprint, so nothing that was measured goes into that.

use serde::Serialize;

use super::gate::{Gate, few};
use super::judgement::percent;
use crate::domain::{Finding, Lack, RecordId, Report};

/// What is pointed at: where a benchmark stands in the code nobody knows, and the suite stands here.
const PATH: &str = "tachograph.toml";

/// One finding.
#[derive(Debug, PartialEq, Serialize)]
pub struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: RecordId,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, PartialEq, Serialize)]
struct Location {
    path: &'static str,
    lines: Lines,
}

#[derive(Debug, PartialEq, Serialize)]
struct Lines {
    begin: u32,
}

/// All findings, the gravest suites first.
#[must_use]
pub fn list(gate: &Gate<'_>) -> Vec<Issue> {
    let lacks = gate.unreported.iter().map(|one| {
        let (check, severity) = if one.lack == Lack::New { ("suite-is-new", "info") } else { ("suite", "blocker") };
        issue((check, severity), one.suite.as_str(), "", &format!("Suite {} {}", one.suite, one.lack.as_str()))
    });
    let found =
        gate.reports.iter().flat_map(|report| report.findings.iter().map(|finding| of_finding(report, finding)));
    lacks.chain(found).collect()
}

fn of_finding(report: &Report, finding: &Finding) -> Issue {
    let suite = report.suite.as_str();
    match finding {
        Finding::Regressed { benchmark, metric, effect } => issue(
            ("regressed", "major"),
            suite,
            &format!("{benchmark} {metric}"),
            &format!("{benchmark}: {metric} {}", percent(*effect)),
        ),
        Finding::Common { metric, effect, benchmarks } => {
            let description = format!("{} benchmarks moved together: {metric} {}", benchmarks.len(), percent(*effect));
            issue(("moved-together", "critical"), suite, metric, &description)
        }
        Finding::Missing { benchmark } => {
            let description = format!("{benchmark} is missing: base has it, head has not");
            issue(("missing", "critical"), suite, benchmark.as_str(), &description)
        }
        Finding::MissingMetric { metric, benchmarks } => {
            let description = format!("{metric} is missing: base reads it off {}, head does not", few(benchmarks));
            issue(("missing-metric", "critical"), suite, metric, &description)
        }
        Finding::Failed { benchmark, on_head, trouble } => {
            let (kind, side) =
                if *on_head { (("failed", "critical"), "head") } else { (("failed-on-base", "minor"), "base") };
            let description = format!("{benchmark} failed on {side}: {}", trouble.reason);
            issue(kind, suite, benchmark.as_str(), &description)
        }
    }
}

fn issue((check_name, severity): (&'static str, &'static str), suite: &str, of: &str, description: &str) -> Issue {
    let description = description.replace(char::is_control, " ");
    let fingerprint = RecordId::of("issue", &(check_name, suite, of));
    Issue {
        description,
        check_name,
        fingerprint,
        severity,
        location: Location { path: PATH, lines: Lines { begin: 1 } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Effect, SuiteName, Unreported, Whole};
    use crate::show::gate::tests::report;

    fn slower(effect: f64) -> Report {
        let benchmark = BenchmarkName::new("a\nb").unwrap();
        let finding = Finding::Regressed { benchmark, metric: "time".to_owned(), effect: Effect::from(effect) };
        report(Whole::Red, vec![], vec![finding])
    }

    #[test]
    fn a_finding_has_every_field_that_gitlab_reads() {
        let shown = list(&Gate { reports: &[slower(0.3)], ..Gate::default() });
        let shown = serde_json::to_value(shown).unwrap();
        assert_eq!(shown[0]["description"], "a b: time +30.0 %");
        assert_eq!((&shown[0]["check_name"], &shown[0]["severity"]), (&"regressed".into(), &"major".into()));
        assert_eq!((&shown[0]["location"]["path"], &shown[0]["location"]["lines"]["begin"]), (&PATH.into(), &1.into()));
        assert!(shown[0]["fingerprint"].as_str().is_some_and(|print| print.len() == 64));
    }

    #[test]
    fn the_same_finding_is_known_again_whatever_was_measured_and_another_is_another() {
        let print = |report: Report| list(&Gate { reports: &[report], ..Gate::default() }).remove(0).fingerprint;
        assert_eq!(print(slower(0.3)), print(slower(0.31)));
        let missing = Finding::Missing { benchmark: BenchmarkName::new("a\nb").unwrap() };
        assert_ne!(print(slower(0.3)), print(report(Whole::Red, vec![], vec![missing])));
        let suite = SuiteName::new("x").unwrap();
        let lacks = |lack| vec![Unreported { suite: suite.clone(), lack, said: String::new() }];
        let of = |lack| list(&Gate { unreported: &lacks(lack), ..Gate::default() }).remove(0);
        assert_eq!((of(Lack::New).severity, of(Lack::Broken).severity), ("info", "blocker"));
    }
}
