//! A series as its past: a spark line, then a row a point.

use std::fmt::Write as _;

use serde::Serialize;

use super::accepted::{self, Entry};
use super::number::{change, date, moved, moved_within, quantity, spread};
use super::style::{Style, Tone};
use super::table::{Align, Table};
use super::{escape, plot, spark};
use crate::domain::{
    Acceptance, Change, CommitId, Level, Line, Metric, Move, Point, RecordId, Series, SeriesTrend, Toolchain,
};

/// What is said of points that are shown otherwise than they were measured, before their number.
const AT_ANOTHER_CLOCK: &str = "points at another clock of the processor, brought to the usual one in levels and chart";
const LEFT_OUT: &str = "points that a neighbour on the processor made, left out of levels and chart";

/// How many points the spark line goes back, where there are as many.
pub const SPARK_POINTS: usize = 60;

/// What is shown of a series.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// Its newest points, newest last; the spark line shows all of them.
    pub points: &'a [Point],
    /// How many of them are listed.
    pub rows: usize,
    /// Its levels along the line of the main branch.
    pub trend: &'a SeriesTrend,
    /// That line.
    pub line: &'a Line,
    /// What was accepted of it.
    pub accepted: &'a [Entry],
}

/// A series for reading: its levels, then its points, newest last.
#[must_use]
pub fn text(series: &Series, past: Past<'_>, style: Style) -> String {
    let values: Vec<f64> = past.points.iter().map(|point| point.level).collect();
    let bars = spark::spark(&values, style.width.map_or(SPARK_POINTS, |width| width.min(SPARK_POINTS)));
    written(series, past, style, &format!("{bars}\n"))
}

/// The same for one series alone, with a chart in place of the spark line where there is enough to draw.
#[must_use]
pub fn drawn(series: &Series, past: Past<'_>, style: Style) -> String {
    let chart = plot::text(past, style);
    if chart.is_empty() { text(series, past, style) } else { written(series, past, style, &format!("{chart}\n")) }
}

fn written(series: &Series, past: Past<'_>, style: Style, picture: &str) -> String {
    let Past { points, rows, .. } = past;
    let title = format!("{} · {} · {}", series.suite, series.benchmark, series.metric.name);
    let title = style.paint(Tone::Heading, &escape::line(&title));
    let machine = style.paint(Tone::Faint, &escape::line(&series.machine.title()));
    let mut table = Table::new(&[
        ("commit", Align::Left),
        ("date", Align::Left),
        ("value", Align::Right),
        ("spread", Align::Right),
        ("change", Align::Right),
    ]);
    let first = points.len().saturating_sub(rows);
    for (place, point) in points.iter().enumerate().skip(first) {
        let before = place.checked_sub(1).map(|before| points[before].level);
        table.row(&[
            point.commit.short(),
            &date(point.committed_at_s),
            &quantity(point.level, &series.metric.unit),
            &point.interval.and_then(|interval| spread(point.level, interval)).unwrap_or_default(),
            &before.and_then(|before| change(before, point.level)).unwrap_or_default(),
        ]);
    }
    format!("{title}  {machine}\n{picture}{}{}", levels(past, style), table.render(style))
}

/// The levels of a series, a row each, and what else is to be known of its lane.
pub(super) fn levels(past: Past<'_>, style: Style) -> String {
    let Past { trend, .. } = past;
    let unit = &trend.series.metric.unit;
    let mut table = Table::new(&[
        ("level", Align::Right),
        ("spread", Align::Right),
        ("change", Align::Right),
        ("95 % interval", Align::Right),
        ("from", Align::Left),
        ("to", Align::Left),
        ("commits", Align::Right),
    ]);
    for level in &trend.trend.levels {
        let change = trend.trend.changes.iter().find(|change| change.kind == Move::Step && change.at == level.from);
        let (size, interval) =
            change.map(|change| (moved(change, unit), moved_within(change, unit))).unwrap_or_default();
        table.row(&[
            quantity(level.value, unit),
            spread(level.value, (level.low, level.high)).unwrap_or_default(),
            size,
            interval,
            past.commit(level.from),
            past.commit(level.to - 1),
            (level.to - level.from).to_string(),
        ]);
    }
    let table = if trend.trend.levels.is_empty() { String::new() } else { table.render(style) + "\n" };
    let mut out = String::new();
    for drift in trend.trend.changes.iter().filter(|change| change.kind == Move::Drift) {
        let (from, to) = (past.commit(drift.within.0), past.commit(drift.within.1));
        // Writing to a text cannot fail.
        let _ = writeln!(out, "drift {} from {from} to {to}", moved(drift, unit));
    }
    for toolchain in trend.toolchains.iter().skip(1) {
        let _ = writeln!(out, "{} from {}", escape::line(&toolchain.name), past.commit(toolchain.at));
    }
    for (count, said) in [(trend.brought, AT_ANOTHER_CLOCK), (trend.left_out, LEFT_OUT)] {
        if count > 0 {
            let _ = writeln!(out, "{said}: {count}");
        }
    }
    for one in past.accepted {
        let _ = writeln!(out, "{} {}", one.commit.short(), escape::line(&accepted::line(&one.acceptance)));
    }
    let gap = if out.is_empty() { "" } else { "\n" };
    table + &out + gap
}

impl Past<'_> {
    /// The commit of a mark, as people are shown it.
    pub(super) fn commit(&self, mark: usize) -> String {
        self.full(mark).map(|id| id.short().to_owned()).unwrap_or_default()
    }

    fn full(&self, mark: usize) -> Option<&CommitId> {
        let place = self.trend.marks.get(mark)?.place;
        self.line.commits().get(place).map(|commit| &commit.id)
    }
}

/// A series for programs.
#[derive(Debug, Serialize)]
pub struct Log<'a> {
    series: RecordId,
    suite: &'a str,
    benchmark: &'a str,
    metric: &'a Metric,
    machine: MachineLine,
    levels: Vec<JsonLevel>,
    changes: Vec<JsonChange>,
    toolchains: &'a [Toolchain],
    /// How many points lie elsewhere for the clock at which they were measured; levels and changes are told as of the usual
    /// one, values as they were measured.
    at_another_clock: usize,
    /// How many points are left out of levels and changes, since a neighbour on the processor made them.
    left_out: usize,
    accepted: Vec<JsonAccepted<'a>>,
    points: Vec<Row<'a>>,
}

/// Something that was accepted, and the commit at which it came.
#[derive(Debug, Serialize)]
struct JsonAccepted<'a> {
    at: &'a CommitId,
    #[serde(flatten)]
    acceptance: &'a Acceptance,
}

/// A level, from its first commit to its last.
#[derive(Debug, Serialize)]
pub(super) struct JsonLevel {
    first: Option<CommitId>,
    last: Option<CommitId>,
    commits: usize,
    value: f64,
    low: f64,
    high: f64,
}

/// A change, with the commits between which it may lie.
#[derive(Debug, Serialize)]
pub(super) struct JsonChange {
    likely: Option<CommitId>,
    first: Option<CommitId>,
    last: Option<CommitId>,
    #[serde(flatten)]
    change: Change,
}

#[derive(Debug, Serialize)]
struct MachineLine {
    id: RecordId,
    title: String,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    run: &'a RecordId,
    commit: &'a CommitId,
    committed_at_s: i64,
    level: f64,
    low: Option<f64>,
    high: Option<f64>,
    lives: u32,
    samples: u64,
}

/// The levels of a series for programs.
pub(super) fn json_levels(past: Past<'_>) -> Vec<JsonLevel> {
    let level = |level: &Level| JsonLevel {
        first: past.full(level.from).cloned(),
        last: past.full(level.to - 1).cloned(),
        commits: level.to - level.from,
        value: level.value,
        low: level.low,
        high: level.high,
    };
    past.trend.trend.levels.iter().map(level).collect()
}

/// Its changes.
pub(super) fn json_changes(past: Past<'_>) -> Vec<JsonChange> {
    let change = |change: &Change| JsonChange {
        likely: past.full(change.at).cloned(),
        first: past.full(change.within.0).cloned(),
        last: past.full(change.within.1).cloned(),
        change: *change,
    };
    past.trend.trend.changes.iter().map(change).collect()
}

impl<'a> Log<'a> {
    /// The levels of a series and its newest points, newest last.
    #[must_use]
    pub fn new(series: &'a Series, past: Past<'a>) -> Log<'a> {
        let Past { points, rows, trend, .. } = past;
        let row = |point: &'a Point| Row {
            run: &point.run,
            commit: &point.commit,
            committed_at_s: point.committed_at_s,
            level: point.level,
            low: point.interval.map(|(low, _)| low),
            high: point.interval.map(|(_, high)| high),
            lives: point.lives,
            samples: point.samples,
        };
        Log {
            series: series.id(),
            suite: series.suite.as_str(),
            benchmark: series.benchmark.as_str(),
            metric: &series.metric,
            machine: MachineLine { id: series.machine.id(), title: series.machine.title() },
            levels: json_levels(past),
            changes: json_changes(past),
            toolchains: &trend.toolchains,
            at_another_clock: trend.brought,
            left_out: trend.left_out,
            accepted: past
                .accepted
                .iter()
                .map(|one| JsonAccepted { at: &one.commit, acceptance: &one.acceptance })
                .collect(),
            points: points[points.len().saturating_sub(rows)..].iter().map(row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Commit, Machine, Mark, Order, Size, SuiteName, Trend, Turn};
    use crate::show::accepted::tests::acceptance;

    fn series() -> Series {
        Series {
            suite: SuiteName::new("engine").unwrap(),
            benchmark: BenchmarkName::new("kernel/\u{1b}[2J").unwrap(),
            metric: Metric::time(),
            machine: Machine::Named("lorry".to_owned()),
        }
    }

    fn points() -> Vec<Point> {
        let point = |number: u32, level, interval| Point {
            run: RecordId::of("run", &number),
            commit: CommitId::new(format!("{number:x}").repeat(40)).unwrap(),
            committed_at_s: 1_790_000_000 + 86_400 * i64::from(number),
            level,
            interval,
            lives: number + 1,
            samples: u64::from(number) + 20,
        };
        vec![point(1, 5000.0, None), point(2, 5100.0, Some((5049.0, 5151.0))), point(3, 4998.0, Some((4998.0, 4998.0)))]
    }

    fn line() -> Line {
        let commit =
            |point: Point| Commit { id: point.commit, parents: vec![], committed_at_s: 0, subject: String::new() };
        Line::new(points().into_iter().map(commit).collect(), Order::Date)
    }

    /// Two levels: of the first point, and of the two behind it, which another compiler built.
    fn trend() -> SeriesTrend {
        let level = |from, to, value: f64| Level { from, to, value, low: value * 0.99, high: value * 1.01 };
        let change = Change {
            at: 1,
            within: (1, 2),
            kind: Move::Step,
            turn: Turn::Regression,
            size: Size::Relative { value: 0.01, low: 0.005, high: 0.015 },
            noises: 2.0,
            before: 5000.0,
            after: 5050.0,
            signs: None,
        };
        let mark = |place| Mark { place, level: 0.0, interval: None, runs: 1, newest: 0 };
        let levels = vec![level(0, 1, 5000.0), level(1, 3, 5050.0)];
        SeriesTrend {
            series: series(),
            marks: (0..3).map(mark).collect(),
            trend: Trend { points: 3, changes: vec![change], levels },
            toolchains: [(0, "1.95.0"), (1, "1.96.0")]
                .map(|(at, name)| Toolchain { at, name: name.to_owned() })
                .to_vec(),
            brought: 2,
            left_out: 1,
        }
    }

    fn accepted() -> Vec<Entry> {
        let acceptance = acceptance(Some("5 %"), "\u{1b}[2J now");
        vec![Entry { place: 1, commit: points()[1].commit.clone(), at_s: 0, acceptance }]
    }

    #[test]
    fn a_series_is_a_spark_line_its_levels_and_a_row_a_point() {
        let expected = "\
engine · kernel/\\u{1b}[2J · time  lorry
▁█▁
  level  spread  change      95 % interval  from        to          commits
   5 µs  ±1.0 %                             1111111111  1111111111        1
5.05 µs  ±1.0 %  +1.0 %  +0.50 % to +1.5 %  2222222222  3333333333        2

1.96.0 from 2222222222
points at another clock of the processor, brought to the usual one in levels and chart: 2
points that a neighbour on the processor made, left out of levels and chart: 1
2222222222 accepted, up to 5 % until 2026-12-31: \\u{1b}[2J now

commit      date           value  spread  change
2222222222  2026-09-23    5.1 µs  ±1.0 %  +2.0 %
3333333333  2026-09-24  4.998 µs    ±0 %  -2.0 %
";
        let (points, trend, line, accepted) = (points(), trend(), line(), accepted());
        let past = Past { points: &points, rows: 2, trend: &trend, line: &line, accepted: &accepted };
        assert_eq!(text(&series(), past, Style::default()), expected);
    }

    #[test]
    fn for_programs_the_numbers_are_whole() {
        let (series, points, trend, line, accepted) = (series(), points(), trend(), line(), accepted());
        let past = Past { points: &points, rows: 2, trend: &trend, line: &line, accepted: &accepted };
        let json = serde_json::to_value(Log::new(&series, past)).unwrap();
        assert_eq!((&json["levels"][1]["first"], &json["levels"][1]["commits"]), (&"2".repeat(40).into(), &2.into()));
        assert_eq!(
            (&json["changes"][0]["last"], &json["changes"][0]["move"]),
            (&"3".repeat(40).into(), &"step".into())
        );
        assert_eq!(
            (&json["accepted"][0]["at"], &json["accepted"][0]["allowed"]),
            (&"2".repeat(40).into(), &"5 %".into())
        );
        assert_eq!(json["benchmark"], "kernel/\u{1b}[2J");
        assert_eq!(json["metric"]["unit"], "ns");
        assert_eq!(json["machine"]["title"], "lorry");
        assert_eq!(json["points"].as_array().unwrap().len(), 2);
        let first = &json["points"][0];
        assert_eq!(
            (first["level"].as_f64(), first["low"].as_f64(), first["high"].as_f64()),
            (Some(5100.0), Some(5049.0), Some(5151.0))
        );
        assert_eq!((first["lives"].as_u64(), first["samples"].as_u64()), (Some(3), Some(22)));
        assert_eq!(first["committed_at_s"], 1_790_172_800);
    }
}
