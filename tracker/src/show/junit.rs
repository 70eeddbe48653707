//! What a gate says as JUnit XML, for systems that show test results: a suite is a test suite, a metric of a benchmark a
//! test case. What could not be decided is skipped, never passed.

use std::fmt::Write as _;

use super::escape::xml;
use super::gate::{Gate, what};
use super::judgement::percent;
use crate::domain::{BenchmarkName, Call, Judged, Lack, MetricVerdict, Report, Trouble, Whole};

/// How a case ended.
enum Case {
    Passed,
    Failed(String),
    Error { message: String, text: String },
    Skipped(String),
}

/// The document.
#[must_use]
pub fn text(gate: &Gate<'_>) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tachograph\">\n");
    for one in gate.unreported {
        let message = one.lack.as_str().to_owned();
        let case = match one.lack {
            Lack::New => Case::Skipped(message),
            Lack::Broken | Lack::Unmeasured | Lack::Unusable => Case::Error { message, text: one.said.clone() },
        };
        write_suite(&mut out, one.suite.as_str(), &[("the suite".to_owned(), case)]);
    }
    for report in gate.reports {
        write_suite(&mut out, report.suite.as_str(), &cases(report));
    }
    if gate.reports.is_empty() && gate.unreported.is_empty() {
        let message = "nothing was judged".to_owned();
        write_suite(&mut out, "tachograph", &[("the gate".to_owned(), Case::Error { message, text: String::new() })]);
    }
    out + "</testsuites>\n"
}

fn cases(report: &Report) -> Vec<(String, Case)> {
    let mut cases = Vec::new();
    for (benchmark, judged) in &report.judged {
        let whole = |case| vec![(benchmark.to_string(), case)];
        let is_accepted = |metric: Option<&str>| is_accepted(report, benchmark, metric);
        cases.extend(match judged {
            Judged::Verdicts(all) => {
                let case =
                    |one: &MetricVerdict| if is_accepted(Some(&one.metric.name)) { Case::Passed } else { verdict(one) };
                all.iter().map(|one| (format!("{benchmark}: {}", one.metric.name), case(one))).collect()
            }
            Judged::Missing if is_accepted(None) => whole(Case::Passed),
            Judged::Missing => whole(Case::Failed("base has it, head has not".to_owned())),
            Judged::New => whole(Case::Skipped("new on head: there is nothing to compare it with".to_owned())),
            Judged::Failed { on_head: true, trouble: Trouble { reason, stderr_tail, .. } } => {
                whole(Case::Error { message: reason.clone(), text: stderr_tail.clone() })
            }
            Judged::Failed { on_head: false, trouble } => {
                whole(Case::Skipped(format!("failed on base: {}", trouble.reason)))
            }
        });
    }
    for one in &report.lone {
        let case = match one.is_red() {
            true if is_accepted(report, &one.benchmark, Some(&one.metric.name)) => Case::Passed,
            true => Case::Failed("base has it, head has not".to_owned()),
            false if one.on_head => Case::Skipped("new on head: there is nothing to compare it with".to_owned()),
            false => Case::Skipped("base has it, head has not; only reported".to_owned()),
        };
        cases.push((format!("{}: {}", one.benchmark, one.metric.name), case));
    }
    if report.whole == Whole::Nothing {
        cases.push(("the gate".to_owned(), Case::Error { message: what(report), text: String::new() }));
    }
    cases
}

fn is_accepted(report: &Report, benchmark: &BenchmarkName, metric: Option<&str>) -> bool {
    report.accepted.iter().any(|one| one.benchmark == *benchmark && one.metric.as_deref() == metric)
}

fn verdict(one: &MetricVerdict) -> Case {
    let verdict = &one.verdict;
    match verdict.call {
        Call::Regressed if one.is_red() => {
            Case::Failed(format!("{}, allowed {}", percent(verdict.effect), verdict.limit))
        }
        Call::Inconclusive => Case::Skipped(format!("not decided: {}", percent(verdict.effect))),
        Call::Regressed => Case::Skipped(format!("{}, only reported", percent(verdict.effect))),
        Call::Improved | Call::Unchanged => Case::Passed,
    }
}

fn write_suite(out: &mut String, name: &str, cases: &[(String, Case)]) {
    let count = |wanted: fn(&Case) -> bool| cases.iter().filter(|(_, case)| wanted(case)).count();
    // Writing to a text cannot fail.
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        xml(name),
        cases.len(),
        count(|case| matches!(case, Case::Failed(_))),
        count(|case| matches!(case, Case::Error { .. })),
        count(|case| matches!(case, Case::Skipped(_)))
    );
    for (case, ended) in cases {
        let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\"", xml(name), xml(case));
        let _ = match ended {
            Case::Passed => writeln!(out, "/>"),
            Case::Failed(message) => writeln!(out, "><failure message=\"{}\"/></testcase>", xml(message)),
            Case::Skipped(message) => writeln!(out, "><skipped message=\"{}\"/></testcase>", xml(message)),
            Case::Error { message, text } => {
                writeln!(out, "><error message=\"{}\">{}</error></testcase>", xml(message), xml(text))
            }
        };
    }
    out.push_str("  </testsuite>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Unreported;
    use crate::show::gate::tests::{judged, report};

    #[test]
    fn what_is_red_fails_what_is_lost_errs_and_what_is_not_decided_is_skipped() {
        let trouble = Trouble { reason: "crashed".to_owned(), ended: None, stderr_tail: "]]> & <x>".to_owned() };
        let judged = vec![
            ("a", judged(Call::Unchanged, 0.0)),
            ("b", judged(Call::Regressed, 0.3)),
            ("c", judged(Call::Inconclusive, 0.01)),
            ("gone", Judged::Missing),
            ("h", Judged::Failed { on_head: true, trouble }),
            ("n \"<\u{1b}", Judged::New),
        ];
        let report = report(Whole::Red, judged, vec![]);
        let suite = report.suite.clone();
        let gate = Gate { reports: &[report], ..Gate::default() };
        insta::assert_snapshot!(text(&gate), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="tachograph">
          <testsuite name="engine" tests="6" failures="2" errors="1" skipped="2">
            <testcase classname="engine" name="a: time"/>
            <testcase classname="engine" name="b: time"><failure message="+30.0 %, allowed 2 %"/></testcase>
            <testcase classname="engine" name="c: time"><skipped message="not decided: +1.00 %"/></testcase>
            <testcase classname="engine" name="gone"><failure message="base has it, head has not"/></testcase>
            <testcase classname="engine" name="h"><error message="crashed">]]&gt; &amp; &lt;x&gt;</error></testcase>
            <testcase classname="engine" name="n &quot;&lt;\u{1b}"><skipped message="new on head: there is nothing to compare it with"/></testcase>
          </testsuite>
        </testsuites>
        "#);
        let nothing = text(&Gate { reports: &[], ..gate });
        assert!(nothing.contains("errors=\"1\"") && nothing.contains("nothing was judged"), "{nothing}");
        let lacks = |lack| vec![Unreported { suite: suite.clone(), lack, said: "cannot find <T>".to_owned() }];
        let broken = text(&Gate { unreported: &lacks(Lack::Broken), ..Gate::default() });
        assert!(broken.contains("cannot find &lt;T&gt;") && broken.contains("errors=\"1\""), "{broken}");
        let unusable = text(&Gate { unreported: &lacks(Lack::Unusable), ..Gate::default() });
        assert!(unusable.contains("<error message=\"cannot be used on base\">cannot find"), "{unusable}");
        let new = text(&Gate { unreported: &lacks(Lack::New), ..Gate::default() });
        assert!(new.contains("skipped=\"1\"") && new.contains("nothing to compare it with yet"), "{new}");
    }
}
