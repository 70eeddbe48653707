//! Ours and others' side by side.

use std::fmt::Write as _;

use super::escape;
use super::number;
use super::style::Style;
use super::table::{Align, Table};

/// One line of the table.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Row {
    /// The benchmark.
    pub benchmark: String,
    /// The metric's name.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// The machine, in a line.
    pub machine: String,
    /// The commit of our newest point.
    pub commit: String,
    /// Our level.
    pub ours: f64,
    /// The peer's name.
    pub peer: String,
    /// Its level.
    pub theirs: f64,
    /// Ours over theirs.
    pub ratio: f64,
    /// The 95 % interval of the ratio, where there is one.
    pub interval: Option<(f64, f64)>,
}

/// The table for a person.
#[must_use]
pub fn text(rows: &[Row], style: Style) -> String {
    let mut out = String::new();
    let mut machines: Vec<&str> = rows.iter().map(|row| row.machine.as_str()).collect();
    machines.sort_unstable();
    machines.dedup();
    for machine in machines {
        let mut table = Table::new(&[
            ("benchmark", Align::Left),
            ("metric", Align::Left),
            ("ours", Align::Right),
            ("peer", Align::Left),
            ("theirs", Align::Right),
            ("ours/theirs", Align::Right),
            ("interval", Align::Right),
        ]);
        for row in rows.iter().filter(|row| row.machine == machine) {
            let value = |value: f64| number::quantity(value, &crate::domain::Unit::new(row.unit.as_str()));
            let interval = row.interval.map(|(low, high)| format!("{low:.3} to {high:.3}"));
            table.row(&[
                row.benchmark.clone(),
                row.metric.clone(),
                value(row.ours),
                row.peer.clone(),
                value(row.theirs),
                format!("{:.3}", row.ratio),
                interval.unwrap_or_default(),
            ]);
        }
        // Writing to a text cannot fail.
        let _ = writeln!(out, "on {}", escape::line(machine));
        out.push_str(&table.render(style));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_a_table_and_the_ratio_stands_beside_both() {
        let row = |benchmark: &str, machine: &str, interval| Row {
            benchmark: benchmark.to_owned(),
            metric: "time".to_owned(),
            unit: "ns".to_owned(),
            machine: machine.to_owned(),
            commit: "a".repeat(40),
            ours: 1500.0,
            peer: "llama.cpp".to_owned(),
            theirs: 1000.0,
            ratio: 1.5,
            interval,
        };
        let rows = [row("a", "one", Some((1.4, 1.6))), row("b", "one", None), row("a", "two\u{1b}[2J", None)];
        let shown = text(&rows, Style::default());
        insta::assert_snapshot!(shown, @r"
        on one
        benchmark  metric    ours  peer       theirs  ours/theirs        interval
        a          time    1.5 µs  llama.cpp    1 µs        1.500  1.400 to 1.600
        b          time    1.5 µs  llama.cpp    1 µs        1.500
        on two\u{1b}[2J
        benchmark  metric    ours  peer       theirs  ours/theirs
        a          time    1.5 µs  llama.cpp    1 µs        1.500
        ");
        assert!(!shown.contains('\u{1b}'));
    }
}
