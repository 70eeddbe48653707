//! What a gate measured as OpenMetrics: the level of each metric on both sides, which GitLab sets against the target's.

use std::fmt::Write as _;

use super::exchange::label_value;
use super::gate::{Gate, rows};

/// The gauges. Of a commit nothing is told, for a label with a new value each time is a new series each time.
#[must_use]
pub fn text(gate: &Gate<'_>) -> String {
    let [mut base, mut head, mut effects] = [const { String::new() }; 3];
    for report in gate.reports {
        for (benchmark, one) in rows(report) {
            let labels = [
                ("suite", report.suite.as_str()),
                ("benchmark", benchmark.as_str()),
                ("metric", &one.metric.name),
                ("unit", one.metric.unit.as_str()),
            ];
            let labels = labels.map(|(label, value)| format!("{label}=\"{}\"", label_value(value))).join(",");
            // Writing to a text cannot fail.
            let _ = writeln!(base, "tachograph_base_level{{{labels}}} {:?}", one.base);
            let _ = writeln!(head, "tachograph_head_level{{{labels}}} {:?}", one.head);
            let call = one.verdict.call.as_str();
            let log = one.verdict.effect.log();
            let _ = writeln!(effects, "tachograph_log_ratio{{{labels},verdict=\"{call}\"}} {log:?}");
        }
    }
    let mut out = String::new();
    for (name, help, lines) in [
        ("tachograph_base_level", "What is measured against, in the unit of its label.", base),
        ("tachograph_head_level", "What is judged, in the unit of its label.", head),
        ("tachograph_log_ratio", "The logarithm of head against base.", effects),
    ] {
        let _ = write!(out, "# TYPE {name} gauge\n# HELP {name} {help}\n{lines}");
    }
    out + "# EOF\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Call, Whole};
    use crate::show::gate::tests::{judged, report};

    #[test]
    fn each_metric_has_a_gauge_a_side_and_no_name_makes_another() {
        let report = report(Whole::Red, vec![("a\"} 1\n# EOF", judged(Call::Regressed, 0.3))], vec![]);
        insta::assert_snapshot!(text(&Gate { reports: &[report], ..Gate::default() }), @r#"
        # TYPE tachograph_base_level gauge
        # HELP tachograph_base_level What is measured against, in the unit of its label.
        tachograph_base_level{suite="engine",benchmark="a\"} 1\n# EOF",metric="time",unit="ns"} 5000.0
        # TYPE tachograph_head_level gauge
        # HELP tachograph_head_level What is judged, in the unit of its label.
        tachograph_head_level{suite="engine",benchmark="a\"} 1\n# EOF",metric="time",unit="ns"} 6500.0
        # TYPE tachograph_log_ratio gauge
        # HELP tachograph_log_ratio The logarithm of head against base.
        tachograph_log_ratio{suite="engine",benchmark="a\"} 1\n# EOF",metric="time",unit="ns",verdict="regressed"} 0.26236426446749106
        # EOF
        "#);
    }
}
