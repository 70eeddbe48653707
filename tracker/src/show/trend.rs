//! The changes of one series, as text, as JSON, and as bare indices.

use std::fmt::Write as _;

use crate::domain::{Move, Size, Trend};

/// The changes as a table for a person.
#[must_use]
pub fn text(trend: &Trend) -> String {
    let mut out = String::new();
    if trend.changes.is_empty() {
        let _ = writeln!(out, "no change in {} points", trend.points);
        return out;
    }
    // Writing to a text cannot fail.
    let _ = writeln!(
        out,
        "{:>7}  {:>13}  {:<5}  {:<11}  {:>9}  {:>21}  {:>12}  {:>12}  {:>6}",
        "at", "within", "move", "turn", "size", "95 % interval", "before", "after", "noises"
    );
    for change in &trend.changes {
        let (size, interval) = sizes(change.size);
        let within = format!("{}–{}", change.within.0, change.within.1);
        let kind = match change.kind {
            Move::Step => "step",
            Move::Drift => "drift",
        };
        let _ = writeln!(
            out,
            "{:>7}  {within:>13}  {kind:<5}  {:<11}  {size:>9}  {interval:>21}  {:>12}  {:>12}  {:>6.1}",
            change.at,
            change.turn.as_str(),
            number(change.before),
            number(change.after),
            change.noises.abs(),
        );
    }
    out
}

/// To five digits: more would be noise.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e7).contains(&magnitude) {
        return format!("{value:.4e}");
    }
    let digits = if magnitude < 1.0 {
        5
    } else if magnitude < 100.0 {
        3
    } else {
        1
    };
    format!("{value:.digits$}")
}

fn sizes(size: Size) -> (String, String) {
    let percent = |value: f64| format!("{:+.2} %", value * 100.0);
    match size {
        Size::Relative { value, low, high } => (percent(value), format!("{} to {}", percent(low), percent(high))),
        Size::Absolute { value, low, high } => (number(value), format!("{} to {}", number(low), number(high))),
    }
}

/// The changes for programs.
#[must_use]
pub fn json(trend: &Trend) -> String {
    let mut value = serde_json::json!({ "schema": "tachograph/trend/1" });
    if let (Some(object), Ok(serde_json::Value::Object(fields))) = (value.as_object_mut(), serde_json::to_value(trend))
    {
        object.extend(fields);
    }
    format!("{value:#}\n")
}

/// The index of the first point of each new level, one a line. A drift has none.
#[must_use]
pub fn plain(trend: &Trend) -> String {
    let mut out = String::new();
    for change in trend.changes.iter().filter(|change| change.kind == Move::Step) {
        let _ = writeln!(out, "{}", change.at);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Change, Turn};

    fn trend() -> Trend {
        let size = Size::Relative { value: 0.0312, low: 0.025, high: 0.0375 };
        let step = Change {
            at: 42,
            within: (41, 43),
            kind: Move::Step,
            turn: Turn::Regression,
            size,
            noises: 4.26,
            before: 100.0,
            after: 103.12,
            signs: None,
        };
        let drift = Change { at: 60, within: (60, 90), kind: Move::Drift, turn: Turn::Improvement, ..step };
        Trend { points: 100, changes: vec![step, drift], levels: Vec::new() }
    }

    #[test]
    fn the_table_names_place_size_and_meaning() {
        insta::assert_snapshot!(text(&trend()), @"
             at         within  move   turn              size          95 % interval        before         after  noises
             42          41–43  step   regression     +3.12 %     +2.50 % to +3.75 %         100.0         103.1     4.3
             60          60–90  drift  improvement    +3.12 %     +2.50 % to +3.75 %         100.0         103.1     4.3
        ");
        assert_eq!(text(&Trend { points: 7, ..Trend::default() }), "no change in 7 points\n");
    }

    #[test]
    fn bare_indices_are_those_of_new_levels_alone() {
        assert_eq!(plain(&trend()), "42\n");
    }

    #[test]
    fn the_json_can_be_read_back() {
        let value: serde_json::Value = serde_json::from_str(&json(&trend())).unwrap();
        assert_eq!(value["schema"], "tachograph/trend/1");
        assert_eq!(serde_json::from_value::<Trend>(value).unwrap(), trend());
    }
}
