//! A series as a chart of characters: every mark a dot, eight of them to a character (Braille), and the levels as lines.

use std::fmt::Write as _;

use super::log::Past;
use super::number::{Measure, date, short};
use super::style::{Style, Tone};
use crate::domain::SeriesTrend;
use crate::stats::robust;

const ROWS: usize = 10;
/// Where nobody says how wide the terminal is.
const USUAL: usize = 80;
const LEAST: usize = 20;
/// Fewer marks make no picture.
const FEWEST: usize = 4;

/// The bits of a character's dots: by row, then by column.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// A grid of characters.
struct Grid {
    columns: usize,
    dots: Vec<u32>,
    levels: Vec<bool>,
    low: f64,
    high: f64,
}

/// The chart, with its values on the left and its dates beneath; empty where there is too little to draw.
#[must_use]
pub fn text(past: Past<'_>, style: Style) -> String {
    let Past { trend, line, accepted, .. } = past;
    let marks = &trend.marks;
    if marks.len() < FEWEST {
        return String::new();
    }
    let (low, high) = range(trend);
    let measure = Measure::of(low.abs().max(high.abs()), &trend.series.metric.unit);
    let decimals = decimals((high - low) / measure.size);
    let label = |value: f64| match value / measure.size {
        far if far.abs() >= 1e6 => short(far),
        near => format!("{near:.decimals$}"),
    };
    let gutter = label(high).chars().count().max(label(low).chars().count());
    let width = style.width.unwrap_or(USUAL).min(160);
    let mut grid = Grid::new(width.saturating_sub(gutter + 3).max(LEAST), low, high);
    let (first, last) = (marks[0].place, marks[marks.len() - 1].place);
    let across = |place: usize| (place - first) as f64 / (last - first).max(1) as f64;
    for level in &trend.trend.levels {
        grid.level(across(marks[level.from].place), across(marks[level.to - 1].place), level.value);
    }
    for mark in marks {
        grid.dot(across(mark.place), mark.level);
    }
    let mut out = String::new();
    for row in 0..ROWS {
        let at = high - (high - low) * (row as f64 + 0.5) / ROWS as f64;
        let name = if row % 3 == 0 { label(at) } else { String::new() };
        let name = style.paint(Tone::Faint, &format!("{name:>gutter$} │"));
        // Writing to a text cannot fail.
        let _ = writeln!(out, "{name}{}", grid.row(row).trim_end());
    }
    let day = |place: usize| line.commits().get(place).map(|commit| date(commit.committed_at_s)).unwrap_or_default();
    let (from, to) = (day(first), day(last));
    let gap = grid.columns.saturating_sub(from.len() + to.len()).max(1);
    let unit = measure.name();
    let axis = format!("{unit:>gutter$} └{from}{}{to}", "─".repeat(gap));
    out += &style.paint(Tone::Faint, &super::escape::line(&axis));
    out.push('\n');
    if !accepted.is_empty() {
        let mut signs = vec![' '; grid.columns];
        for one in accepted {
            signs[Grid::place(across(one.place.clamp(first, last)), grid.columns)] = '✓';
        }
        let signs: String = signs.iter().collect();
        let _ = writeln!(out, "{:gutter$}  {} accepted", "", signs.trim_end());
    }
    out
}

/// The range of the levels and of what lies about them: a far mark is drawn at the edge.
fn range(trend: &SeriesTrend) -> (f64, f64) {
    let mut values: Vec<f64> = trend.marks.iter().map(|mark| mark.level).collect();
    values.sort_by(f64::total_cmp);
    let edge = values.len() / 50;
    let levels = || trend.trend.levels.iter().map(|level| level.value);
    let low = levels().fold(values[edge], f64::min);
    let high = levels().fold(values[values.len() - 1 - edge], f64::max);
    let middle = robust::median(&values).unwrap_or_default().abs();
    let side = ((high - low) * 0.05).max((middle * 0.01 - (high - low)) / 2.0);
    if side > 0.0 { (low - side, high + side) } else { (low - 1.0, high + 1.0) }
}

fn decimals(range: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 9")]
    let decimals = (1.0 - range.log10()).ceil().clamp(0.0, 9.0) as usize;
    decimals
}

impl Grid {
    fn new(columns: usize, low: f64, high: f64) -> Grid {
        Grid { columns, dots: vec![0; columns * ROWS], levels: vec![false; columns * ROWS], low, high }
    }

    /// A share of the way as one of so many places.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within the places")]
    fn place(share: f64, places: usize) -> usize {
        ((share.clamp(0.0, 1.0) * places as f64) as usize).min(places - 1)
    }

    fn down(&self, value: f64, places: usize) -> usize {
        Grid::place((self.high - value) / (self.high - self.low), places)
    }

    fn dot(&mut self, across: f64, value: f64) {
        let (x, y) = (Grid::place(across, self.columns * 2), self.down(value, ROWS * 4));
        self.dots[y / 4 * self.columns + x / 2] |= DOTS[y % 4][x % 2];
    }

    fn level(&mut self, from: f64, to: f64, value: f64) {
        let row = self.down(value, ROWS);
        let (from, to) = (Grid::place(from, self.columns), Grid::place(to, self.columns));
        self.levels[row * self.columns + from..=row * self.columns + to].fill(true);
    }

    fn row(&self, row: usize) -> String {
        let cells = row * self.columns..(row + 1) * self.columns;
        let sign = |(dots, level): (&u32, &bool)| match (dots, level) {
            (0, true) => '─',
            (0, false) => ' ',
            (dots, _) => char::from_u32(0x2800 + dots).unwrap_or('·'),
        };
        self.dots[cells.clone()].iter().zip(&self.levels[cells]).map(sign).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        BenchmarkName, Commit, CommitId, Level, Line, Machine, Mark, Metric, Order, Series, SuiteName, Trend,
    };
    use crate::show::accepted::Entry;
    use crate::show::accepted::tests::acceptance;

    fn drawn(values: &[f64], levels: &[(usize, usize, f64)], width: Option<usize>) -> String {
        drawn_with(values, levels, width, &[])
    }

    fn drawn_with(values: &[f64], levels: &[(usize, usize, f64)], width: Option<usize>, accepted: &[usize]) -> String {
        let commit = |at: usize| Commit {
            id: CommitId::new(format!("{at:040x}")).unwrap(),
            parents: vec![],
            committed_at_s: 1_780_000_000 + i64::try_from(at).unwrap() * 86_400,
            subject: String::new(),
        };
        let mark = |(place, &level): (usize, &f64)| Mark { place, level, interval: None, runs: 1, newest: 0 };
        let level = |&(from, to, value): &(usize, usize, f64)| Level { from, to, value, low: value, high: value };
        let series = Series {
            suite: SuiteName::new("s").unwrap(),
            benchmark: BenchmarkName::new("b").unwrap(),
            metric: Metric::time(),
            machine: Machine::Named("m".to_owned()),
        };
        let trend = Trend { levels: levels.iter().map(level).collect(), ..Trend::default() };
        let trend = SeriesTrend {
            series,
            marks: values.iter().enumerate().map(mark).collect(),
            trend,
            toolchains: vec![],
            brought: 0,
            left_out: 0,
        };
        let line = Line::new((0..values.len()).map(commit).collect(), Order::Date);
        let accepted: Vec<Entry> = accepted
            .iter()
            .map(|&place| Entry { place, commit: commit(place).id, at_s: 0, acceptance: acceptance(None, "split") })
            .collect();
        let past = Past { points: &[], rows: 0, trend: &trend, line: &line, accepted: &accepted };
        text(past, Style { colour: false, width })
    }

    #[test]
    fn levels_are_lines_marks_are_dots_and_both_axes_are_named() {
        let values: Vec<f64> = (0..40).map(|at| if at < 20 { 1000.0 } else { 2000.0 }).collect();
        let shown = drawn(&values, &[(0, 20, 1000.0), (20, 40, 2000.0)], Some(40));
        let lines: Vec<&str> = shown.lines().collect();
        let plot = |row: usize| lines[row].split_once('│').unwrap().1.chars().collect::<Vec<char>>();
        assert!(lines[0].starts_with("2.0 │") && lines[9].starts_with("1.0 │"), "{shown}");
        let is_drawn = |sign: &char| *sign == '─' || ('\u{2801}'..='\u{28ff}').contains(sign);
        assert!(plot(0)[..16].iter().all(|sign| *sign == ' ') && plot(0)[18..].iter().all(is_drawn), "{shown}");
        assert!(plot(9).len() <= 18 && plot(9)[..16].iter().all(is_drawn), "{shown}");
        assert!(lines[1..9].iter().all(|line| line.trim_end().ends_with('│')), "{shown}");
        assert!(lines[10].starts_with(" µs └2026-05-28─") && lines[10].ends_with("─2026-07-06"), "{shown}");
    }

    #[test]
    fn what_was_accepted_has_a_check_mark_beneath_its_place() {
        let values: Vec<f64> = (0..40).map(f64::from).collect();
        let shown = drawn_with(&values, &[(0, 40, 20.0)], Some(45), &[20]);
        let (axis, marks) = (shown.lines().nth(ROWS).unwrap(), shown.lines().nth(ROWS + 1).unwrap());
        let at = |line: &str, sign| line.chars().position(|one| one == sign).unwrap();
        let left = at(axis, '└') + 1;
        let share = (at(marks, '✓') - left) as f64 / (axis.chars().count() - left) as f64;
        assert!((0.49..0.54).contains(&share) && marks.ends_with("✓ accepted"), "{shown}");
    }

    #[test]
    fn whatever_the_values_are_the_chart_fits_its_terminal() {
        for values in
            [&[0.0; 5][..], &[1e300, -1e300, 0.0, 5.0], &[1.0, 1.0, 1.0, 9e9, 1.0, 1.0], &[-3.0, -2.0, -1.0, -3.0]]
        {
            let shown = drawn(values, &[(0, values.len(), values[0])], Some(50));
            assert_eq!(shown.lines().count(), ROWS + 1, "{shown}");
            assert!(shown.lines().all(|line| line.chars().count() <= 50), "{shown}");
        }
        assert_eq!(drawn(&[1.0, 2.0, 3.0], &[], None), "");
    }
}
