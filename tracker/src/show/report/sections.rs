//! What the report says, as tables: first what one wants to see on one screen, then everything.

use std::collections::BTreeMap;

use super::super::number::{change, date, percent, quantity};
use super::super::page::row::{Row, causes};
use super::super::table::Align::{self, Left, Right};
use super::{Line, Report, Word, score};
use crate::domain::{Metric, Turn, Unit};

/// How many causes the first screen tells of.
const CAUSES: usize = 12;

/// Whether a section belongs to what everybody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::show) enum Weight {
    Screen,
    Rest,
}

/// A part of the report.
pub(in crate::show) struct Section {
    pub(in crate::show) title: &'static str,
    pub(in crate::show) weight: Weight,
    pub(in crate::show) head: Vec<(&'static str, Align)>,
    pub(in crate::show) rows: Vec<Vec<String>>,
    /// Lines to be typed into a shell.
    pub(in crate::show) commands: Vec<String>,
}

impl Section {
    fn new(title: &'static str, head: &[(&'static str, Align)], rows: Vec<Vec<String>>) -> Section {
        Section { title, weight: Weight::Rest, head: head.to_vec(), rows, commands: Vec::new() }
    }

    fn first(self) -> Section {
        Section { weight: Weight::Screen, ..self }
    }
}

pub(in crate::show) fn sections(report: &Report) -> Vec<Section> {
    let mut sections = vec![what_moved(report).first(), by_group(report).first()];
    for (word, title) in [(Word::Worse, "Worse"), (Word::Better, "Better"), (Word::Moved, "Moved")] {
        sections.push(every(report, word, title));
    }
    sections.push(beside_memory(report));
    sections.push(hot_paths(report));
    sections.push(beside_peers(report));
    for (word, title) in [(Word::New, "New"), (Word::Gone, "Gone: not measured lately")] {
        sections.push(ends_of_lines(report, word, title));
    }
    let failed = |(benchmark, machine, reason): &(String, String, String)| {
        vec![benchmark.clone(), machine.clone(), reason.clone()]
    };
    let head = [("benchmark", Left), ("machine", Left), ("why", Left)];
    sections.push(Section::new("Failed", &head, report.failed.iter().map(failed).collect()));
    let machines = report.machines.iter().map(|(machine, tools)| vec![machine.clone(), tools.clone()]);
    sections.push(Section::new("Measured on", &[("machine", Left), ("with", Left)], machines.collect()));
    sections.push(again(report));
    sections.retain(|section| !(section.rows.is_empty() && section.commands.is_empty()));
    sections
}

/// The causes, largest first: what somebody would tell a colleague.
fn what_moved(report: &Report) -> Section {
    let there = report.lines.iter().filter(|line| line.is_there && line.before.is_some());
    let rows: Vec<Row> = there.map(|line| Row { changes: line.between().to_vec(), ..line.row.clone() }).collect();
    let mut causes = causes(&rows);
    causes.sort_by(|one, other| {
        let weight = |cause: &super::super::page::row::Cause<'_>| {
            cause.changes.iter().filter_map(|(_, change)| change.relative).map(f64::abs).sum::<f64>()
        };
        weight(other).total_cmp(&weight(one))
    });
    let row = |cause: &super::super::page::row::Cause<'_>| {
        let first = cause.first();
        let word = match first.turn {
            Turn::Regression => "worse",
            Turn::Improvement => "better",
            Turn::Moved => "moved",
        };
        let (largest, change) = cause.changes[0];
        let count =
            if cause.changes.len() == 1 { "1 series".to_owned() } else { format!("{} series", cause.changes.len()) };
        vec![
            word.to_owned(),
            count,
            format!("{} {} {}", largest.benchmark, largest.metric.name, change.size),
            first.subject.clone(),
            first.commit.short().to_owned(),
            date(first.at_s),
        ]
    };
    let head = [
        ("", Left),
        ("how many", Right),
        ("most of all", Left),
        ("likely cause", Left),
        ("commit", Left),
        ("date", Left),
    ];
    Section::new("What moved", &head, causes.iter().take(CAUSES).map(row).collect())
}

fn by_group(report: &Report) -> Section {
    let scores = score::scores(report).into_iter().map(|((group, metric), score)| {
        let mut cells = vec![group, metric];
        cells.extend([score.better, score.same, score.worse].map(|count| count.to_string()));
        cells.push(if score.moved == 0 { String::new() } else { score.moved.to_string() });
        cells.extend([score.mean(), score.way(), score.at(&report.releases)]);
        cells
    });
    let head = [
        ("group", Left),
        ("metric", Left),
        ("better", Right),
        ("same", Right),
        ("worse", Right),
        ("moved", Right),
        ("mean", Right),
        ("on the way", Left),
        ("by release", Left),
    ];
    Section::new("By group", &head, scores.collect())
}

/// Every line that moved.
fn every(report: &Report, word: Word, title: &'static str) -> Section {
    let row = |line: &&Line| {
        let unit = &line.row.metric.unit;
        vec![
            line.row.benchmark.to_string(),
            line.row.metric.name.clone(),
            line.row.machine.clone(),
            line.before.map(|before| quantity(before, unit)).unwrap_or_default(),
            quantity(line.row.level, unit),
            moved(line),
            line.steps(),
        ]
    };
    let head = [
        ("benchmark", Left),
        ("metric", Left),
        ("machine", Left),
        ("before", Right),
        ("now", Right),
        ("change", Right),
        ("where", Left),
    ];
    Section::new(title, &head, report.of(word).iter().map(row).collect())
}

fn moved(line: &Line) -> String {
    line.before.and_then(|before| change(before, line.row.level)).unwrap_or_default()
}

/// A suite's benchmark on a machine.
type Place<'a> = (&'a str, &'a str, &'a str);
/// Its times, and what it takes of memory.
type Both<'a> = (Vec<&'a Line>, Vec<&'a Line>);

/// Of benchmarks of which something moved: time, and beside it what memory they take.
fn beside_memory(report: &Report) -> Section {
    let mut benchmarks: BTreeMap<Place<'_>, Both<'_>> = BTreeMap::new();
    for line in report.lines.iter().filter(|line| line.is_there && line.before.is_some()) {
        let row = &line.row;
        let (times, memory) =
            benchmarks.entry((row.suite.as_str(), row.benchmark.as_str(), row.machine.as_str())).or_default();
        if row.metric == Metric::time() {
            times.push(line);
        } else if is_memory(&row.metric) {
            memory.push(line);
        }
    }
    benchmarks.retain(|_, (times, memory)| {
        let moved = |line: &&Line| !matches!(line.word(), Word::Same);
        !times.is_empty() && !memory.is_empty() && times.iter().chain(memory.iter()).any(moved)
    });
    let said = |line: &&Line| if line.word() == Word::Same { "the same".to_owned() } else { moved(line) };
    let row = |((_, benchmark, machine), (times, memory)): (Place<'_>, Both<'_>)| {
        let memory: Vec<String> =
            memory.iter().map(|line| format!("{} {}", line.row.metric.name, said(line))).collect();
        vec![
            benchmark.to_owned(),
            machine.to_owned(),
            times.iter().map(said).collect::<Vec<_>>().join(", "),
            memory.join(", "),
        ]
    };
    let head = [("benchmark", Left), ("machine", Left), ("time", Right), ("memory", Left)];
    Section::new("Time and memory", &head, benchmarks.into_iter().map(row).collect())
}

fn is_memory(metric: &Metric) -> bool {
    let of_size = matches!(metric.unit.as_str(), "bytes" | "B" | "byte" | "KiB" | "MiB" | "kB" | "MB");
    of_size || ["alloc", "memory", "heap", "rss"].iter().any(|word| metric.name.to_ascii_lowercase().contains(word))
}

fn hot_paths(report: &Report) -> Section {
    let row = |hot: &super::Hot| {
        vec![
            hot.benchmark.clone(),
            hot.machine.clone(),
            hot.path.clone(),
            hot.before.map(percent).unwrap_or_default(),
            percent(hot.now),
        ]
    };
    let head =
        [("benchmark", Left), ("machine", Left), ("its own time is in", Left), ("before", Right), ("now", Right)];
    Section::new("Hot paths", &head, report.hot.iter().map(row).collect())
}

fn beside_peers(report: &Report) -> Section {
    let row = |row: &super::super::peers::Row| {
        let unit = Unit::new(row.unit.as_str());
        vec![
            row.benchmark.clone(),
            row.metric.clone(),
            row.machine.clone(),
            quantity(row.ours, &unit),
            row.peer.clone(),
            quantity(row.theirs, &unit),
            format!("{:.3}", row.ratio),
            row.interval.map(|(low, high)| format!("{low:.3} to {high:.3}")).unwrap_or_default(),
        ]
    };
    let head = [
        ("benchmark", Left),
        ("metric", Left),
        ("machine", Left),
        ("ours", Right),
        ("peer", Left),
        ("theirs", Right),
        ("ours/theirs", Right),
        ("interval", Right),
    ];
    Section::new("Beside others", &head, report.peers.iter().map(row).collect())
}

fn ends_of_lines(report: &Report, word: Word, title: &'static str) -> Section {
    let row = |line: &&Line| {
        let row = &line.row;
        let value = quantity(row.level, &row.metric.unit);
        vec![row.benchmark.to_string(), row.metric.name.clone(), row.machine.clone(), value, date(row.last_at_s)]
    };
    let head =
        [("benchmark", Left), ("metric", Left), ("machine", Left), ("last value", Right), ("last measured", Left)];
    Section::new(title, &head, report.of(word).iter().map(row).collect())
}

fn again(report: &Report) -> Section {
    let (from, to) = (report.from.commit.short(), report.to.commit.short());
    let commands = vec![
        format!("tachograph report --since {}", quoted(&report.from.name)),
        format!("tachograph compare {from} {to}"),
    ];
    Section { commands, ..Section::new("To see it again, and to measure both ends side by side here", &[], Vec::new()) }
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "._/-+@:".contains(sign);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
