//! How the new points of a run stand to their levels, and what a second look said.

use std::fmt::Write as _;

use serde_json::json;

use super::escape;
use super::judgement::percent;
use super::number::{self, quantity};
use crate::domain::{Call, Confirmation, MetricVerdict, NewPoint, Run, Size, Standing};

/// A line for all points that are in line, and one for each that is not. Nothing while every series is young.
#[must_use]
pub fn text(points: &[NewPoint]) -> String {
    let old = points.iter().filter(|point| point.standing != Standing::Young).count();
    if old == 0 {
        return String::new();
    }
    let count = |standing: Standing| points.iter().filter(|point| point.standing == standing).count();
    let blind = count(Standing::Blind);
    let in_line = count(Standing::InLine) + blind;
    let mut out = format!("{in_line} of {old} points in line with the level of their series\n");
    if blind > 0 {
        let why = "of these scatter so much that a change of [trend] size may not show in a point";
        // Writing to a text cannot fail.
        let _ = writeln!(out, "  blind: {blind} {why}");
    }
    for point in points.iter().filter(|point| is_told(point)) {
        out += &told(point);
    }
    out
}

fn is_told(point: &NewPoint) -> bool {
    matches!(point.standing, Standing::Suspect | Standing::Moved | Standing::Disturbed)
}

fn told(point: &NewPoint) -> String {
    let name = format!("{} · {}", point.series.benchmark, point.series.metric.name);
    let unit = &point.series.metric.unit;
    let size = match point.size {
        Some(Size::Relative { value, .. }) => number::change(1.0, 1.0 + value).unwrap_or_default(),
        Some(Size::Absolute { value, .. }) => number::difference(value, unit),
        None => String::new(),
    };
    let level = point.level.map(|level| quantity(level, unit)).unwrap_or_default();
    let since = point.since.as_ref().map(|commit| format!(", since {}", commit.short())).unwrap_or_default();
    let why = match point.standing {
        Standing::Disturbed => ", but a neighbour shared its processor: its history leaves this point out",
        _ => "",
    };
    format!("  {}: {}: {size} from its level of {level}{since}{why}\n", point.standing.as_str(), escape::line(&name))
}

/// The points for programs; nothing if every series is young.
#[must_use]
pub fn json(run: &Run, points: &[NewPoint]) -> Option<String> {
    let old: Vec<_> = points.iter().filter(|point| point.standing != Standing::Young).collect();
    let first = old.first()?;
    let rows: Vec<_> = old
        .iter()
        .map(|point| {
            json!({
                "benchmark": point.series.benchmark, "metric": point.series.metric.name, "standing": point.standing,
                "value": point.value, "level": point.level, "size": point.size, "since": point.since,
            })
        })
        .collect();
    let line = json!({
        "record": "points", "suite": first.series.suite, "commit": run.subject.commit().id, "points": rows,
    });
    Some(line.to_string() + "\n")
}

/// What a second look said, a line for each metric.
#[must_use]
pub fn confirmed(confirmation: &Confirmation) -> String {
    let parent = &confirmation.parent;
    let extra = number::duration(confirmation.extra_ns);
    let mut out = format!("  measured again in turns with its parent {}, {extra} extra\n", parent.id.short());
    for (benchmark, one) in &confirmation.verdicts {
        let name = format!("{benchmark} · {}", one.metric.name);
        let (name, effect) = (escape::line(&name), percent(one.verdict.effect));
        // Writing to a text cannot fail.
        let _ = writeln!(out, "  {}: {name}: {effect}{}", word(one), within(one));
    }
    for (benchmark, why) in &confirmation.failed {
        let _ = writeln!(out, "  still suspect: {}", escape::line(&format!("{benchmark}: {why}")));
    }
    out
}

fn word(one: &MetricVerdict) -> &'static str {
    match one.verdict.call {
        Call::Regressed | Call::Improved => "confirmed",
        Call::Unchanged => "not confirmed",
        Call::Inconclusive => "still suspect",
    }
}

fn within(one: &MetricVerdict) -> String {
    one.verdict.interval.map_or_else(String::new, |interval| {
        format!(", between {} and {}", percent(interval.low), percent(interval.high))
    })
}

/// What a second look said, for programs.
#[must_use]
pub fn confirmed_json(run: &Run, confirmation: &Confirmation) -> String {
    let verdicts: Vec<_> = confirmation
        .verdicts
        .iter()
        .map(|(benchmark, one)| {
            json!({
                "benchmark": benchmark, "metric": one.metric.name, "word": word(one), "base": one.base, "head": one.head,
                "verdict": one.verdict,
            })
        })
        .collect();
    let line = json!({
        "record": "confirmation", "suite": run.suite, "commit": run.subject.commit().id,
        "parent": confirmation.parent.id, "duel": confirmation.duel, "extra_ns": confirmation.extra_ns,
        "verdicts": verdicts, "failed": confirmation.failed,
    });
    line.to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, CommitId, Machine, Metric, Series, SuiteName};

    fn point(name: &str, standing: Standing) -> NewPoint {
        NewPoint {
            series: Series {
                suite: SuiteName::new("engine").unwrap(),
                benchmark: BenchmarkName::new(name).unwrap(),
                metric: Metric::time(),
                machine: Machine::Named("lorry".to_owned()),
            },
            standing,
            value: 5155.0,
            level: Some(5000.0),
            size: Some(Size::Relative { value: 0.031, low: 0.02, high: 0.04 }),
            since: (standing == Standing::Moved).then(|| CommitId::new("ab".repeat(20)).unwrap()),
        }
    }

    #[test]
    fn points_in_line_are_counted_and_the_others_told() {
        let points = [
            point("a", Standing::InLine),
            point("b\u{1b}", Standing::Suspect),
            point("c", Standing::Moved),
            point("d", Standing::Young),
            point("e", Standing::Disturbed),
            point("f", Standing::Blind),
        ];
        let expected = "\
2 of 5 points in line with the level of their series
  blind: 1 of these scatter so much that a change of [trend] size may not show in a point
  suspect: b\\u{1b} · time: +3.1 % from its level of 5 µs
  moved: c · time: +3.1 % from its level of 5 µs, since ababababab
  disturbed: e · time: +3.1 % from its level of 5 µs, but a neighbour shared its processor: its history leaves this point out
";
        assert_eq!(text(&points), expected);
        assert_eq!(text(&points[3..4]), "");
    }
}
