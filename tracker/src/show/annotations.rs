//! What a gate says as commands to the runner of a GitHub job, which shows them beside the change.

use std::fmt::Write as _;

use super::escape::workflow;
use super::gate::{Gate, few, what};
use super::judgement::percent;
use crate::domain::{Finding, Lack, Report, Whole};

/// GitHub shows ten errors of a step; more are not worth writing.
const MOST: usize = 10;

/// A command a finding, and one for each suite that is neither red nor green.
#[must_use]
pub fn text(gate: &Gate<'_>) -> String {
    let mut lines = Vec::new();
    for one in gate.unreported {
        let why = one.said.trim_end().lines().last().unwrap_or_default();
        let level = if one.lack == Lack::New { "notice" } else { "error" };
        lines.push((level, format!("{} {}", one.suite, one.lack.as_str()), why.to_owned()));
    }
    for report in gate.reports {
        lines.extend(report.findings.iter().map(|finding| of_finding(report, finding)));
        let suite = report.suite.as_str();
        match report.whole {
            Whole::Inconclusive => lines.push(("warning", format!("{suite}: inconclusive"), what(report))),
            Whole::Nothing => lines.push(("error", format!("{suite}: nothing to judge"), what(report))),
            Whole::Red | Whole::Green => {}
        }
    }
    let more = lines.len().saturating_sub(MOST);
    let mut out = String::new();
    for (level, title, message) in lines.into_iter().take(MOST) {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "::{level} title={}::{}", workflow(&format!("tachograph: {title}")), workflow(&message));
    }
    if more > 0 {
        let _ = writeln!(out, "::error title=tachograph::{more} more findings");
    }
    out
}

fn of_finding(report: &Report, finding: &Finding) -> (&'static str, String, String) {
    let id = finding.address(&report.duel);
    let explained = format!("; tachograph explain {}", id.short());
    match finding {
        Finding::Regressed { benchmark, metric, effect } => {
            ("error", format!("{benchmark} regressed"), format!("{metric} {}{explained}", percent(*effect)))
        }
        Finding::Common { metric, effect, benchmarks } => {
            let title = format!("{} benchmarks moved together", benchmarks.len());
            ("error", title, format!("{metric} {}{explained}", percent(*effect)))
        }
        Finding::Missing { benchmark } => {
            ("error", format!("{benchmark} is missing"), format!("base has it, head has not{explained}"))
        }
        Finding::MissingMetric { metric, benchmarks } => {
            let title = format!("{metric} is missing");
            ("error", title, format!("base reads it off {}, head does not{explained}", few(benchmarks)))
        }
        Finding::Failed { benchmark, on_head, trouble } => {
            let (level, side) = if *on_head { ("error", "head") } else { ("warning", "base") };
            (level, format!("{benchmark} failed on {side}"), trouble.reason.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Effect};
    use crate::show::gate::tests::report;

    #[test]
    fn a_finding_is_a_command_and_no_name_makes_another() {
        let benchmark = BenchmarkName::new("a::b,c=d\n::error::x").unwrap();
        let finding = |effect| Finding::Regressed {
            benchmark: benchmark.clone(),
            metric: "time".to_owned(),
            effect: Effect::from(effect),
        };
        let findings = (0..12).map(|at| finding(f64::from(at))).collect();
        let shown = text(&Gate { reports: &[report(Whole::Red, vec![], findings)], ..Gate::default() });
        assert_eq!(shown.lines().count(), 11);
        for line in shown.lines().take(10) {
            assert!(
                line.starts_with("::error title=tachograph%3A a%3A%3Ab%2Cc=d%0A%3A%3Aerror%3A%3Ax regressed::time ")
            );
            assert_eq!(line.matches("::").count(), 2, "{line}");
        }
        assert!(shown.ends_with("2 more findings\n"));
    }
}
