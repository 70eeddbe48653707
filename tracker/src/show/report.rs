//! What became of a project's speed since a baseline: for those who read one line, one screen, or all.
//!
//! The report is made of sections, each a table; text, Markdown and HTML write the same sections, so they tell the same facts.

mod markdown;
mod score;
mod sections;

use std::fmt::Write as _;

pub use markdown::markdown;

pub(in crate::show) use self::sections::{Section, Weight, sections};
use super::escape;
use super::number::date;
use super::page::row::Row;
use super::peers;
use super::style::{Style, Tone};
use super::table::Table;
use crate::domain::{CommitId, Turn};

/// One end of what is reported on, or a release between.
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
    /// Its levels on the way, at places evenly apart from the baseline to the later end.
    pub way: Vec<Option<f64>>,
    /// Its levels at the releases between.
    pub releases: Vec<Option<f64>>,
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
        let steps = self.between().iter().map(|step| format!("{} at {}", step.size, step.commit.short()));
        steps.collect::<Vec<_>>().join(", ")
    }

    /// The changes between the ends.
    fn between(&self) -> &[super::page::row::ChangeLine] {
        &self.row.changes[self.row.changes.len() - self.changes.min(self.row.changes.len())..]
    }
}

/// Where a benchmark's time goes, by its own profiler.
#[derive(Debug, Clone, PartialEq)]
pub struct Hot {
    /// The benchmark.
    pub benchmark: String,
    /// The machine.
    pub machine: String,
    /// The part of the program.
    pub path: String,
    /// Its own share of the time at the baseline, where there was a profile.
    pub before: Option<f64>,
    /// Its own share now.
    pub now: f64,
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
    /// How many commits lie between the two, the later one among them.
    pub commits: usize,
    /// The releases between.
    pub releases: Vec<End>,
    /// Every series of ours.
    pub lines: Vec<Line>,
    /// What failed at the newest commit: benchmark, machine, reason.
    pub failed: Vec<(String, String, String)>,
    /// Where the time goes.
    pub hot: Vec<Hot>,
    /// Others' results beside ours.
    pub peers: Vec<peers::Row>,
    /// The machines, each with what it compiled with.
    pub machines: Vec<(String, String)>,
}

impl Report {
    /// The report in a line.
    #[must_use]
    pub fn headline(&self) -> String {
        let count = |word: Word| self.lines.iter().filter(|line| line.word() == word).count();
        let both = self.lines.iter().filter(|line| !matches!(line.word(), Word::New | Word::Gone)).count();
        let mut line = format!("{} since {}: ", self.name, self.from.name);
        if let Some(time) = score::mean_of_times(&self.lines) {
            // Writing to a text cannot fail.
            let _ = write!(line, "time {time} on the whole; ");
        }
        let _ = write!(
            line,
            "{} of {both} series worse, {} better, {} the same",
            count(Word::Worse),
            count(Word::Better),
            count(Word::Same),
        );
        for (word, name) in [(Word::Moved, "moved"), (Word::New, "new"), (Word::Gone, "gone")] {
            if count(word) > 0 {
                let _ = write!(line, ", {} {name}", count(word));
            }
        }
        if !self.failed.is_empty() {
            let _ = write!(line, "; {} failed", self.failed.len());
        }
        line
    }

    /// The lines of a word, those that moved most first.
    fn of(&self, word: Word) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.lines.iter().filter(|line| line.word() == word).collect();
        let size = |line: &Line| line.relative().map_or(0.0, |relative| relative.ln_1p().abs());
        lines.sort_by(|one, other| size(other).total_cmp(&size(one)));
        lines
    }
}

pub(in crate::show) fn ends(report: &Report) -> String {
    let end = |end: &End| format!("{} of {}", end.commit.short(), date(end.at_s));
    let commits = if report.commits == 1 { "1 commit".to_owned() } else { format!("{} commits", report.commits) };
    let mut line = format!("From {} to {}: {commits}", end(&report.from), end(&report.to));
    if !report.releases.is_empty() {
        let names: Vec<&str> = report.releases.iter().map(|release| release.name.as_str()).collect();
        // Writing to a text cannot fail.
        let _ = write!(line, ", with {} between", names.join(", "));
    }
    line + "."
}

pub(in crate::show) const METHOD: &str = "A series is better or worse where the detector found that its level moved, by 0.5 % or more altogether; \
                      means are geometric, over all series of the group that both ends have.";

/// The report for a terminal: what fits a screen first.
#[must_use]
pub fn text(report: &Report, style: Style) -> String {
    let mut out = format!("{}\n", style.paint(Tone::Heading, &escape::line(&report.headline())));
    let _ = writeln!(out, "{}", style.paint(Tone::Faint, &escape::line(&ends(report))));
    for section in sections(report) {
        let _ = writeln!(out, "\n{}", style.paint(Tone::Heading, section.title));
        if !section.rows.is_empty() {
            let mut table = Table::new(&section.head);
            for row in &section.rows {
                table.row(row);
            }
            out += &table.render(style);
        }
        for line in &section.commands {
            let _ = writeln!(out, "  {}", escape::line(line));
        }
    }
    let _ = write!(out, "\n{METHOD}\n");
    out
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
            let (way, releases) = (vec![before, before, Some(1100.0)], vec![before]);
            Line { row: Row { level: 1100.0, ..row(name, steps) }, before, changes, is_there, way, releases }
        };
        Report {
            name: "lorry".to_owned(),
            from: end("v1.0", "a", 1_780_000_000),
            to: end("main", "b", 1_790_000_000),
            commits: 40,
            releases: vec![end("v1.1", "c", 1_785_000_000)],
            lines: vec![
                line("kernel/matmul", Some(1000.0), 1, true),
                line("kernel/gelu", Some(1100.0), 0, true),
                line("http/`a|b`", Some(2200.0), 2, true),
                line("http/new", None, 0, true),
                line("http/old", Some(1100.0), 0, false),
            ],
            failed: vec![("load/mapped".to_owned(), "bench-1".to_owned(), "crashed".to_owned())],
            hot: vec![Hot {
                benchmark: "decode/greedy".to_owned(),
                machine: "bench-1".to_owned(),
                path: "decode/attention".to_owned(),
                before: Some(0.25),
                now: 0.5,
            }],
            peers: vec![peers::Row {
                benchmark: "decode/greedy".to_owned(),
                metric: "time".to_owned(),
                unit: "ns".to_owned(),
                machine: "bench-1".to_owned(),
                commit: "b".repeat(40),
                ours: 1500.0,
                peer: "llama.cpp".to_owned(),
                theirs: 3000.0,
                ratio: 0.5,
                interval: Some((0.49, 0.51)),
            }],
            machines: vec![("bench-1".to_owned(), "rustc 1.95.0".to_owned())],
        }
    }

    #[test]
    fn the_first_line_says_all_in_one() {
        assert_eq!(
            report().headline(),
            "lorry since v1.0: time -18.1 % on the whole; 1 of 3 series worse, 1 better, 1 the same, 1 new, 1 gone; 1 failed"
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
            "40 commits, with v1.1 between",
            "+10.0 % at 0000000000",
            "decode/attention",
            "25.0 %",
            "llama.cpp",
            "0.490 to 0.510",
            "rustc 1.95.0",
            "tachograph report --since v1.0",
        ] {
            assert!(text.contains(fact), "{fact} in {text}");
            assert!(markdown.contains(fact), "{fact} in {markdown}");
            assert!(html.contains(fact), "{fact} in {html}");
        }
        let kernel = text.lines().find(|line| line.starts_with("kernel ")).unwrap();
        // The geometric mean of 1.1 and 1; at the release between, nothing had moved.
        assert!(kernel.contains("+4.9 %") && kernel.ends_with("v1.1 ±0 %"), "{kernel}");
        assert!(markdown.contains("| `` http/`a\\|b` `` |"), "{markdown}");
    }

    #[test]
    fn a_long_report_is_cut_in_markdown_and_says_so() {
        let mut long = report();
        long.lines = (0..5000)
            .map(|at| Line { row: row(&format!("kernel/with/a/long/name/{at}"), vec![]), ..long.lines[3].clone() })
            .collect();
        let markdown = markdown(&long);
        assert!((20_000..=60_000).contains(&markdown.len()), "{}", markdown.len());
        assert!(markdown.contains("<summary>New (5000)</summary>") && markdown.contains("more have no room here"));
        assert_eq!(text(&long, Style::default()).matches("kernel/with/a/long/name/").count(), 5000);
    }
}
