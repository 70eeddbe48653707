//! The table, printed row by row as benchmarks are done.

use super::measure::Measured;
use super::units;
use crate::metric::{Metric, quantile};
use crate::offer::{Offer, allocator_metrics};

/// Widths of the columns of numbers, for what `units` writes.
const MEDIAN: usize = 11;
const SPREAD: usize = 9;
const RATE: usize = 20;
const COUNT: usize = 12;
/// What stands before the names of a benchmark's own metrics.
const INDENT: &str = "  ";

/// The table's shape: fixed before the first row, since rows are printed as they come.
pub(super) struct Table {
    names: usize,
    rates: bool,
    counting: bool,
}

impl Table {
    /// A table for these benchmarks.
    pub(super) fn new(offers: &[Offer<'_>], counting: bool) -> Table {
        let own = |offer: &Offer<'_>| offer.own_metrics().iter().map(|metric| width(&metric.name) + INDENT.len()).max();
        let names = offers.iter().map(|offer| width(&offer.name).max(own(offer).unwrap_or(0))).max();
        Table {
            names: names.unwrap_or(0).max(width("benchmark")),
            rates: offers.iter().any(|offer| offer.throughput.is_some()),
            counting,
        }
    }

    /// The line above the rows.
    pub(super) fn head(&self) -> String {
        let counts = self.counting.then_some(["allocations", "allocated", "peak live"]).into_iter().flatten();
        self.line("benchmark", "median", "spread", "throughput", counts.map(str::to_owned))
    }

    /// The row of a benchmark that was measured, and a row for each of its own metrics.
    pub(super) fn rows(&self, offer: &Offer<'_>, measured: &Measured) -> String {
        let (median, spread) = centre(&measured.times);
        let rate = offer.throughput.as_ref().map(|work| units::rate(work.amount as f64, &work.unit, median));
        let of = |name: &str| measured.others.get(name).map(|values| centre(values));
        let count =
            |metric: Metric| of(&metric.name).map_or(String::new(), |(value, _)| units::reading(value, &metric.unit));
        let counts = self.counting.then(allocator_metrics).into_iter().flatten().map(count);
        let mut rows = self.line(
            &offer.name,
            &units::reading(median, "ns"),
            &spread_text(spread),
            &rate.unwrap_or_default(),
            counts,
        );
        for metric in offer.own_metrics() {
            let name = format!("{INDENT}{}", metric.name);
            let (value, spread) = of(&metric.name).unwrap_or((f64::NAN, None));
            let value = units::reading(value, &metric.unit);
            let row = self.line(&name, &value, &spread_text(spread), "", std::iter::empty());
            rows.push('\n');
            rows.push_str(&row);
        }
        rows
    }

    /// The row of a benchmark that has no numbers.
    pub(super) fn trouble(&self, name: &str, message: &str) -> String {
        format!("{}  {}", padded(name, self.names), units::one_line(message))
    }

    fn line(&self, name: &str, median: &str, spread: &str, rate: &str, counts: impl Iterator<Item = String>) -> String {
        let rate = if self.rates { format!("  {rate:>RATE$}") } else { String::new() };
        let line = format!("{}  {median:>MEDIAN$}  {spread:>SPREAD$}{rate}", padded(name, self.names));
        let line = counts.fold(line, |line, count| format!("{line}  {count:>COUNT$}"));
        line.trim_end().to_owned()
    }
}

/// The median, and half the distance between the quartiles as a share of it, where there is one.
fn centre(values: &[f64]) -> (f64, Option<f64>) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |rank| quantile(&sorted, rank).unwrap_or(f64::NAN);
    let median = at(0.5);
    let spread = (sorted.len() > 2 && median != 0.0).then(|| (at(0.75) - at(0.25)) / 2.0 / median.abs());
    (median, spread)
}

fn spread_text(spread: Option<f64>) -> String {
    spread.map_or(String::new(), units::percent)
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_of_few_values_has_no_spread() {
        assert_eq!(centre(&[3.0]), (3.0, None));
        assert_eq!(centre(&[3.0, 1.0, 2.0]), (2.0, Some(0.5)));
        assert_eq!(centre(&[0.0, 0.0, 0.0]), (0.0, None));
    }
}
