//! What became of a project's speed since a baseline: for those who read one line, one screen, or all.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape;
use super::number::{change, date, quantity};
use super::page::row::Row;
use super::style::{Style, Tone};
use super::table::{Align, Table};
use crate::domain::{CommitId, Turn};

/// One end of what is reported on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What the reader called it: a release, a revision, a day.
    pub name: String,
    /// The commit.
    pub commit: CommitId,
    /// When that was committed.
    pub at_s: i64,
}

/// A series between the two ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The series at the later end.
    pub row: Row,
    /// Its level at the baseline; none where it was not measured yet.
    pub before: Option<f64>,
    /// How many of its changes lie between, from the end of its list.
    pub changes: usize,
    /// Whether it was measured at the later end, or so lately that it may be.
    pub is_there: bool,
}

/// What is said of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Worse,
    Better,
    Moved,
    Same,
    New,
    Gone,
}

/// A level that moved by less is called the same, whatever the detector saw on the way.
const SAME: f64 = 0.005;

impl Line {
    fn word(&self) -> Word {
        let Some(relative) = self.relative() else { return if self.is_there { Word::New } else { Word::Gone } };
        if !self.is_there {
            return Word::Gone;
        }
        if self.changes == 0 || relative.abs() < SAME {
            return Word::Same;
        }
        match Turn::of(relative > 0.0, self.row.metric.better) {
            Turn::Regression => Word::Worse,
            Turn::Improvement => Word::Better,
            Turn::Moved => Word::Moved,
        }
    }

    fn relative(&self) -> Option<f64> {
        self.before.map(|before| (self.row.level - before) / before.abs()).filter(|relative| relative.is_finite())
    }

    /// The commits between at which it moved, with how much.
    fn steps(&self) -> String {
        let from = self.row.changes.len() - self.changes.min(self.row.changes.len());
        let steps = self.row.changes[from..].iter().map(|step| format!("{} at {}", step.size, step.commit.short()));
        steps.collect::<Vec<_>>().join(", ")
    }
}

/// The whole report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The project.
    pub name: String,
    /// The baseline.
    pub from: End,
    /// The newest commit that was measured.
    pub to: End,
    /// Every series.
    pub lines: Vec<Line>,
    /// What failed at the newest commit: benchmark, machine, reason.
    pub failed: Vec<(String, String, String)>,
    /// The machines.
    pub machines: Vec<String>,
}

/// A group of series of one metric.
#[derive(Debug, Default)]
struct Score {
    better: usize,
    same: usize,
    worse: usize,
    moved: usize,
    logs: Vec<f64>,
}

impl Report {
    /// The report in a line.
    #[must_use]
    pub fn headline(&self) -> String {
        let count = |word: Word| self.lines.iter().filter(|line| line.word() == word).count();
        let both = self.lines.iter().filter(|line| !matches!(line.word(), Word::New | Word::Gone)).count();
        let mut line = format!(
            "{} since {}: {} of {both} series worse, {} better, {} the same",
            self.name,
            self.from.name,
            count(Word::Worse),
            count(Word::Better),
            count(Word::Same),
        );
        for (word, name) in [(Word::Moved, "moved"), (Word::New, "new"), (Word::Gone, "gone")] {
            if count(word) > 0 {
                // Writing to a text cannot fail.
                let _ = write!(line, ", {} {name}", count(word));
            }
        }
        if !self.failed.is_empty() {
            let _ = write!(line, "; {} failed", self.failed.len());
        }
        line
    }

    /// The scores by group, the first part of a benchmark's name, and metric.
    fn scores(&self) -> BTreeMap<(String, String), Score> {
        let mut scores: BTreeMap<(String, String), Score> = BTreeMap::new();
        for line in &self.lines {
            let Some(relative) = line.relative().filter(|_| line.is_there) else { continue };
            let benchmark = line.row.benchmark.as_str();
            let group = benchmark.split('/').next().unwrap_or(benchmark).to_owned();
            let score = scores.entry((group, line.row.metric.name.clone())).or_default();
            match line.word() {
                Word::Worse => score.worse += 1,
                Word::Better => score.better += 1,
                Word::Moved => score.moved += 1,
                Word::Same | Word::New | Word::Gone => score.same += 1,
            }
            score.logs.push(relative.ln_1p());
        }
        scores
    }

    /// The lines of a word, those that moved most first.
    fn of(&self, word: Word) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.lines.iter().filter(|line| line.word() == word).collect();
        let size = |line: &Line| line.relative().map_or(0.0, |relative| relative.ln_1p().abs());
        lines.sort_by(|one, other| size(other).total_cmp(&size(one)));
        lines
    }
}

/// The mean of ratios, as a change.
fn mean(logs: &[f64]) -> Option<String> {
    let finite: Vec<f64> = logs.iter().copied().filter(|log| log.is_finite()).collect();
    let ratio = (finite.iter().sum::<f64>() / finite.len() as f64).exp();
    change(1.0, ratio).filter(|_| !finite.is_empty())
}

/// The sections of a report with their tables, for whatever they are written in.
pub(in crate::show) struct Section {
    pub(in crate::show) title: &'static str,
    pub(in crate::show) head: Vec<(&'static str, Align)>,
    pub(in crate::show) rows: Vec<Vec<String>>,
}

pub(in crate::show) fn sections(report: &Report) -> Vec<Section> {
    let (left, right) = (Align::Left, Align::Right);
    let scores = report.scores().into_iter().map(|((group, metric), score)| {
        let mean = mean(&score.logs).unwrap_or_default();
        let mut cells = vec![group, metric];
        cells.extend([score.better, score.same, score.worse].map(|count| count.to_string()));
        cells.push(mean);
        cells
    });
    let mut sections = vec![Section {
        title: "By group",
        head: vec![
            ("group", left),
            ("metric", left),
            ("better", right),
            ("same", right),
            ("worse", right),
            ("mean", right),
        ],
        rows: scores.collect(),
    }];
    for (word, title) in [(Word::Worse, "Worse"), (Word::Better, "Better"), (Word::Moved, "Moved")] {
        let row = |line: &&Line| {
            let unit = &line.row.metric.unit;
            vec![
                line.row.benchmark.to_string(),
                line.row.metric.name.clone(),
                line.row.machine.clone(),
                line.before.map(|before| quantity(before, unit)).unwrap_or_default(),
                quantity(line.row.level, unit),
                line.before.and_then(|before| change(before, line.row.level)).unwrap_or_default(),
                line.steps(),
            ]
        };
        let head = [
            ("benchmark", left),
            ("metric", left),
            ("machine", left),
            ("before", right),
            ("now", right),
            ("change", right),
            ("where", left),
        ];
        sections.push(Section { title, head: head.to_vec(), rows: report.of(word).iter().map(row).collect() });
    }
    for (word, title) in [(Word::New, "New"), (Word::Gone, "Gone: not measured lately")] {
        let row = |line: &&Line| {
            let value = quantity(line.row.level, &line.row.metric.unit);
            vec![
                line.row.benchmark.to_string(),
                line.row.metric.name.clone(),
                line.row.machine.clone(),
                value,
                date(line.row.last_at_s),
            ]
        };
        let head =
            [("benchmark", left), ("metric", left), ("machine", left), ("last value", right), ("last measured", left)];
        sections.push(Section { title, head: head.to_vec(), rows: report.of(word).iter().map(row).collect() });
    }
    let failed = |(benchmark, machine, reason): &(String, String, String)| {
        vec![benchmark.clone(), machine.clone(), reason.clone()]
    };
    sections.push(Section {
        title: "Failed",
        head: vec![("benchmark", left), ("machine", left), ("why", left)],
        rows: report.failed.iter().map(failed).collect(),
    });
    sections.retain(|section| !section.rows.is_empty());
    sections
}

pub(in crate::show) fn ends(report: &Report) -> String {
    let end = |end: &End| format!("{} of {}", end.commit.short(), date(end.at_s));
    format!("from {} to {}", end(&report.from), end(&report.to))
}

pub(in crate::show) const METHOD: &str = "A series is better or worse where the detector found that its level moved, by 0.5 % or more altogether; \
                      means are geometric, over all series of the group that both ends have.";

/// The report for a terminal.
#[must_use]
pub fn text(report: &Report, style: Style) -> String {
    let mut out = format!("{}\n", style.paint(Tone::Heading, &escape::line(&report.headline())));
    let _ = writeln!(out, "{}", style.paint(Tone::Faint, &escape::line(&ends(report))));
    for section in sections(report) {
        let mut table = Table::new(&section.head);
        for row in &section.rows {
            table.row(row);
        }
        let _ = write!(out, "\n{}\n{}", style.paint(Tone::Heading, section.title), table.render(style));
    }
    let _ = write!(out, "\nMachines: {}\n{METHOD}\n", escape::line(&report.machines.join("; ")));
    out
}

/// The report as Markdown: the line, the scores, and what moved most; the rest folded.
#[must_use]
pub fn markdown(report: &Report) -> String {
    const SHOWN: usize = 10;
    let mut out = format!("## {}\n\n{}\n", code(&report.headline()), code(&ends(report)));
    for section in sections(report) {
        let (shown, rest) =
            section.rows.split_at(section.rows.len().min(if section.title == "By group" { usize::MAX } else { SHOWN }));
        let _ = write!(out, "\n### {}\n\n{}", section.title, table(&section.head, shown));
        if !rest.is_empty() {
            let rest_of = table(&section.head, rest);
            let _ = write!(out, "\n<details><summary>{} more</summary>\n\n{rest_of}\n</details>\n", rest.len());
        }
    }
    let _ = write!(out, "\nMachines: {}. {METHOD}\n", code(&report.machines.join("; ")));
    out
}

fn table(head: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut out = line(head.iter().map(|(name, _)| (*name).to_owned()).collect());
    out += &line(head.iter().map(|(_, align)| if *align == Align::Left { "---" } else { "---:" }.to_owned()).collect());
    for row in rows {
        out += &line(row.iter().map(|cell| code(cell)).collect());
    }
    out
}

/// Foreign text as a code span: nothing within is a link, a mention, an element or another cell.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let visible = escape::line(text).replace('|', "\\|");
    let longest = visible.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let gap = if visible.starts_with('`') || visible.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{visible}{gap}{fence}")
}

#[cfg(test)]
mod tests {
    use super::super::page::row::tests::{change as moved, row};
    use super::*;

    fn end(name: &str, digit: &str, at_s: i64) -> End {
        End { name: name.to_owned(), commit: CommitId::new(digit.repeat(40)).unwrap(), at_s }
    }

    fn report() -> Report {
        let line = |name: &str, before: Option<f64>, changes: usize, is_there: bool| {
            let steps = (0..changes).map(|at| moved(10 + at, Turn::Regression, 0.1)).collect();
            Line { row: Row { level: 1100.0, ..row(name, steps) }, before, changes, is_there }
        };
        Report {
            name: "lorry".to_owned(),
            from: end("v1.0", "a", 1_780_000_000),
            to: end("main", "b", 1_790_000_000),
            lines: vec![
                line("kernel/matmul", Some(1000.0), 1, true),
                line("kernel/gelu", Some(1100.0), 0, true),
                line("http/`a|b`", Some(2200.0), 2, true),
                line("http/new", None, 0, true),
                line("http/old", Some(1100.0), 0, false),
            ],
            failed: vec![("load/mapped".to_owned(), "bench-1".to_owned(), "crashed".to_owned())],
            machines: vec!["bench-1".to_owned()],
        }
    }

    #[test]
    fn the_first_line_says_all_in_one() {
        assert_eq!(
            report().headline(),
            "lorry since v1.0: 1 of 3 series worse, 1 better, 1 the same, 1 new, 1 gone; 1 failed"
        );
    }

    #[test]
    fn text_and_markdown_tell_the_same_facts() {
        let (text, markdown) = (text(&report(), Style::default()), markdown(&report()));
        let html = super::super::page::report::page_of(&report());
        for fact in [
            "lorry since v1.0",
            "aaaaaaaaaa of 2026-05-28",
            "kernel/matmul",
            "+10.0 %",
            "-50.0 %",
            "http/new",
            "http/old",
            "crashed",
            "bench-1",
        ] {
            assert!(text.contains(fact), "{fact} in {text}");
            assert!(markdown.contains(fact), "{fact} in {markdown}");
            assert!(html.contains(fact), "{fact} in {html}");
        }
        let kernel = text.lines().find(|line| line.starts_with("kernel ")).unwrap();
        // The geometric mean of 1.1 and 1.
        assert!(kernel.ends_with("+4.9 %"), "{kernel}");
        assert!(markdown.contains("| `` http/`a\\|b` `` |"), "{markdown}");
    }
}
