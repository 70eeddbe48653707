//! Ratios to the anchor: what a run added, and the history that they make.

use serde::Serialize;
use serde_json::json;

use super::escape;
use super::log::{self, JsonChange, JsonLevel, Past, SPARK_POINTS};
use super::number::{self, change, percent, quantity, spread};
use super::spark;
use super::style::{Style, Tone};
use super::table::{Align, Table};
use crate::domain::{AnchorDuel, Anchored, CommitId, Line, Mark, Metric, Offset, RecordId, Strand, Tie};
use crate::stats::student::NORMAL_95;

/// A line about a duel with the anchor.
#[must_use]
pub fn laid(anchored: &AnchorDuel) -> String {
    let ratios = anchored.ratios();
    let benchmarks = if ratios == 1 { "1 benchmark".to_owned() } else { format!("{ratios} benchmarks") };
    let (anchor, extra) = (escape::line(&anchored.anchor), number::duration(anchored.extra_ns));
    let head = anchored.duel.head.subject.commit().id.short();
    format!("  {benchmarks} of {head} dueled with the anchor {anchor}, {extra} extra\n")
}

/// The same for programs.
#[must_use]
pub fn laid_json(anchored: &AnchorDuel) -> String {
    let duel = &anchored.duel;
    let line = json!({
        "record": "anchor", "suite": duel.suite, "commit": duel.head.subject.commit().id, "anchor": anchored.anchor,
        "anchor_commit": duel.base.subject.commit().id, "duel": duel.id(), "ratios": anchored.ratios(),
        "extra_ns": anchored.extra_ns,
    });
    line.to_string() + "\n"
}

/// A history of ratios for reading: the classes of machine with their offsets, the levels, then the newest commits.
#[must_use]
pub fn text(anchored: &Anchored, line: &Line, rows: usize, style: Style) -> String {
    let Anchored { suite, benchmark, metric, anchor, trend, .. } = anchored;
    let title = style.paint(Tone::Heading, &escape::line(&format!("{suite} · {benchmark} · {}", metric.name)));
    let against = style.paint(Tone::Faint, &escape::line(&format!("against {anchor}")));
    let values: Vec<f64> = trend.marks.iter().map(|mark| mark.level).collect();
    let newest = &values[values.len().saturating_sub(SPARK_POINTS)..];
    let bars = spark::spark(newest, style.width.map_or(SPARK_POINTS, |width| width.min(SPARK_POINTS)));
    let past = Past { points: &[], rows: 0, trend, line, accepted: &[] };
    let levels = log::levels(past, style);
    format!("{title}  {against}\n{bars}\n{}\n{levels}{}", classes(anchored, style), points(anchored, past, rows, style))
}

fn classes(anchored: &Anchored, style: Style) -> String {
    let mut table = Table::new(&[
        ("class of machine", Align::Left),
        ("anchor", Align::Left),
        ("built by", Align::Left),
        ("offset", Align::Right),
        ("spread", Align::Right),
        ("known by", Align::Left),
        ("duels", Align::Right),
    ]);
    for (strand, offset) in &anchored.strands {
        let (size, error, tie) = match offset {
            None => (String::new(), String::new(), "nothing: left out".to_owned()),
            Some(Offset { tie: Tie::First, .. }) => (String::new(), String::new(), String::new()),
            Some(Offset { tie, log, error, count }) => {
                let size = change(1.0, log.exp()).unwrap_or_default();
                (size, format!("±{}", percent(NORMAL_95 * error)), tied(*tie, *count))
            }
        };
        let title = strand.machine.title();
        let toolchain = strand.toolchain.clone().unwrap_or_default();
        table.row(&[title, strand.name.clone(), toolchain, size, error, tie, strand.ratios.len().to_string()]);
    }
    table.render(style)
}

fn tied(tie: Tie, count: usize) -> String {
    match (tie, count) {
        (Tie::First, _) => String::new(),
        (Tie::Duel, 1) => "a duel of the anchors".to_owned(),
        (Tie::Duel, count) => format!("{count} duels of the anchors"),
        (Tie::Neighbours, count) => format!("{count} commits"),
    }
}

/// The newest commits, newest last.
fn points(anchored: &Anchored, past: Past<'_>, rows: usize, style: Style) -> String {
    let mut table = Table::new(&[
        ("commit", Align::Left),
        ("ratio", Align::Right),
        ("spread", Align::Right),
        ("change", Align::Right),
        ("duels", Align::Right),
    ]);
    let marks = &anchored.trend.marks;
    for (at, mark) in marks.iter().enumerate().skip(marks.len().saturating_sub(rows)) {
        let before = at.checked_sub(1).map(|before| marks[before].level);
        table.row(&[
            past.commit(at),
            quantity(mark.level, &anchored.trend.series.metric.unit),
            mark.interval.and_then(|interval| spread(mark.level, interval)).unwrap_or_default(),
            before.and_then(|before| change(before, mark.level)).unwrap_or_default(),
            mark.runs.to_string(),
        ]);
    }
    table.render(style)
}

/// A history of ratios for programs.
#[derive(Debug, Serialize)]
pub struct Json<'a> {
    suite: &'a str,
    benchmark: &'a str,
    metric: &'a Metric,
    anchor: &'a str,
    classes: Vec<JsonClass<'a>>,
    levels: Vec<JsonLevel>,
    changes: Vec<JsonChange>,
    points: Vec<JsonPoint<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonClass<'a> {
    machine: RecordId,
    title: String,
    anchor: &'a str,
    anchor_commit: &'a CommitId,
    toolchain: Option<&'a str>,
    tied_by: Option<&'static str>,
    /// Its factor: 1.07 where its ratios are 7 % above those of the first class.
    offset: Option<f64>,
    /// The standard error of the offset, relative.
    offset_error: Option<f64>,
    ratios: Vec<JsonRatio<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonRatio<'a> {
    commit: &'a CommitId,
    ratio: f64,
    /// Its standard error, relative.
    error: f64,
    started_at_s: i64,
}

#[derive(Debug, Serialize)]
struct JsonPoint<'a> {
    commit: Option<&'a CommitId>,
    ratio: f64,
    low: Option<f64>,
    high: Option<f64>,
    duels: usize,
}

impl<'a> Json<'a> {
    /// Every class with its ratios as they were read, and the line that they make with the newest `rows` of its points.
    #[must_use]
    pub fn new(anchored: &'a Anchored, line: &'a Line, rows: usize) -> Json<'a> {
        let past = Past { points: &[], rows: 0, trend: &anchored.trend, line, accepted: &[] };
        let marks = &anchored.trend.marks;
        let point = |mark: &'a Mark| JsonPoint {
            commit: line.commits().get(mark.place).map(|commit| &commit.id),
            ratio: mark.level,
            low: mark.interval.map(|(low, _)| low),
            high: mark.interval.map(|(_, high)| high),
            duels: mark.runs,
        };
        Json {
            suite: anchored.suite.as_str(),
            benchmark: anchored.benchmark.as_str(),
            metric: &anchored.metric,
            anchor: &anchored.anchor,
            classes: anchored.strands.iter().map(|(strand, offset)| class(strand, *offset)).collect(),
            levels: log::json_levels(past),
            changes: log::json_changes(past),
            points: marks[marks.len().saturating_sub(rows)..].iter().map(point).collect(),
        }
    }
}

fn class(strand: &Strand, offset: Option<Offset>) -> JsonClass<'_> {
    let ratios = strand.ratios.iter().map(|one| JsonRatio {
        commit: &one.head,
        ratio: one.log.exp(),
        error: one.variance.sqrt(),
        started_at_s: one.started_at_s,
    });
    JsonClass {
        machine: strand.machine.id(),
        title: strand.machine.title(),
        anchor: &strand.name,
        anchor_commit: &strand.anchor,
        toolchain: strand.toolchain.as_deref(),
        tied_by: offset.map(|offset| match offset.tie {
            Tie::First => "first",
            Tie::Duel => "duel",
            Tie::Neighbours => "neighbours",
        }),
        offset: offset.map(|offset| offset.log.exp()),
        offset_error: offset.map(|offset| offset.error),
        ratios: ratios.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        BenchmarkName, Commit, Level, Machine, Order, Ratio, Series, SeriesTrend, SuiteName, Trend, Unit,
    };

    fn commit(number: usize) -> CommitId {
        CommitId::new(number.to_string().repeat(40)).unwrap()
    }

    fn line() -> Line {
        let commit = |at| Commit { id: commit(at), parents: vec![], committed_at_s: 0, subject: String::new() };
        Line::new((1..4).map(commit).collect(), Order::FirstParents)
    }

    fn anchored() -> Anchored {
        let (suite, benchmark) = (SuiteName::new("engine").unwrap(), BenchmarkName::new("decode\u{1b}").unwrap());
        let ratio = |at: usize, log| Ratio {
            head: commit(at),
            place: Some(at - 1),
            log,
            variance: 1e-6,
            started_at_s: 1_790_000_000,
        };
        let strand = |machine: &str, name: &str, ratios| Strand {
            machine: Machine::Named(machine.to_owned()),
            anchor: commit(9),
            name: name.to_owned(),
            toolchain: Some("1.95.0".to_owned()),
            ratios,
        };
        let offset = |tie, log, count| Some(Offset { tie, log, error: 0.001, count });
        let mark =
            |place, level: f64| Mark { place, level, interval: Some((level * 0.99, level * 1.01)), runs: 1, newest: 0 };
        let level = Level { from: 0, to: 3, value: 0.91, low: 0.9, high: 0.92 };
        let series = Series {
            suite: suite.clone(),
            benchmark: benchmark.clone(),
            metric: Metric { unit: Unit::new("×"), ..Metric::time() },
            machine: Machine::Named("all, against v1.0".to_owned()),
        };
        Anchored {
            suite,
            benchmark,
            metric: Metric::time(),
            anchor: "v1.0".to_owned(),
            strands: vec![
                (strand("lorry", "v1.0", vec![ratio(1, -0.1), ratio(2, -0.1)]), offset(Tie::First, 0.0, 0)),
                (strand("train", "v1.0", vec![ratio(3, 0.0)]), offset(Tie::Neighbours, 0.07, 12)),
                (strand("lorry", "v0.9", vec![ratio(1, 0.1)]), offset(Tie::Duel, 0.2, 1)),
                (strand("ship", "v1.0", vec![ratio(1, 0.1)]), None),
            ],
            trend: SeriesTrend {
                series,
                marks: vec![mark(0, 0.905), mark(1, 0.91), mark(2, 0.92)],
                trend: Trend { points: 3, changes: vec![], levels: vec![level] },
                toolchains: vec![],
                brought: 0,
                left_out: 0,
            },
        }
    }

    #[test]
    fn a_history_of_ratios_is_its_classes_its_levels_and_its_newest_commits() {
        let expected = "\
engine · decode\\u{1b} · time  against v1.0
▁▃█
class of machine  anchor  built by   offset   spread  known by               duels
lorry             v1.0    1.95.0                                                 2
train             v1.0    1.95.0     +7.3 %  ±0.20 %  12 commits                 1
lorry             v0.9    1.95.0    +22.1 %  ±0.20 %  a duel of the anchors      1
ship              v1.0    1.95.0                      nothing: left out          1

 level  spread  from        to          commits
0.91 ×  ±1.1 %  1111111111  3333333333        3

commit       ratio  spread   change  duels
2222222222  0.91 ×  ±1.0 %  +0.55 %      1
3333333333  0.92 ×  ±1.0 %   +1.1 %      1
";
        assert_eq!(text(&anchored(), &line(), 2, Style::default()), expected);
    }

    #[test]
    fn for_programs_every_ratio_is_there_as_it_was_read() {
        let (anchored, line) = (anchored(), line());
        let json = serde_json::to_value(Json::new(&anchored, &line, 1)).unwrap();
        assert_eq!(json["classes"][0]["ratios"].as_array().unwrap().len(), 2);
        assert_eq!(json["classes"][1]["tied_by"], "neighbours");
        assert_eq!((&json["classes"][3]["offset"], &json["anchor"]), (&serde_json::Value::Null, &"v1.0".into()));
        let ratio = json["classes"][0]["ratios"][0]["ratio"].as_f64().unwrap();
        assert!((ratio - (-0.1_f64).exp()).abs() < 1e-12);
        assert_eq!(json["points"].as_array().unwrap().len(), 1);
        assert_eq!((&json["points"][0]["commit"], &json["points"][0]["duels"]), (&"3".repeat(40).into(), &1.into()));
        assert_eq!(json["levels"][0]["commits"], 3);
    }
}
