//! A series as its past: a spark line, then a row a point.

use serde::Serialize;

use super::number::{change, date, quantity, spread};
use super::style::{Style, Tone};
use super::table::{Align, Table};
use super::{escape, spark};
use crate::domain::{CommitId, Metric, Point, RecordId, Series};

/// How many points the spark line goes back, where there are as many.
pub const SPARK_POINTS: usize = 60;

/// A series for reading: the last `rows` of its points, newest last; the spark line shows all that are given.
#[must_use]
pub fn text(series: &Series, points: &[Point], rows: usize, style: Style) -> String {
    let title = format!("{} · {} · {}", series.suite, series.benchmark, series.metric.name);
    let title = style.paint(Tone::Heading, &escape::line(&title));
    let machine = style.paint(Tone::Faint, &escape::line(&series.machine.title()));
    let levels: Vec<f64> = points.iter().map(|point| point.level).collect();
    let bars = spark::spark(&levels, style.width.map_or(SPARK_POINTS, |width| width.min(SPARK_POINTS)));

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
    format!("{title}  {machine}\n{bars}\n{}", table.render(style))
}

/// A series for programs.
#[derive(Debug, Serialize)]
pub struct Log<'a> {
    series: RecordId,
    suite: &'a str,
    benchmark: &'a str,
    metric: &'a Metric,
    machine: MachineLine,
    points: Vec<Row<'a>>,
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

impl<'a> Log<'a> {
    /// The last `rows` points of a series, newest last.
    #[must_use]
    pub fn new(series: &'a Series, points: &'a [Point], rows: usize) -> Log<'a> {
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
            points: points[points.len().saturating_sub(rows)..].iter().map(row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BenchmarkName, Machine, SuiteName};

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

    #[test]
    fn a_series_is_a_spark_line_and_a_row_a_point() {
        let expected = "\
engine · kernel/\\u{1b}[2J · time  lorry
▁█▁
commit      date           value  spread  change
2222222222  2026-09-23    5.1 µs  ±1.0 %  +2.0 %
3333333333  2026-09-24  4.998 µs    ±0 %  -2.0 %
";
        assert_eq!(text(&series(), &points(), 2, Style::default()), expected);
    }

    #[test]
    fn for_programs_the_numbers_are_whole() {
        let json = serde_json::to_value(Log::new(&series(), &points(), 2)).unwrap();
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
