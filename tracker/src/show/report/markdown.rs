//! The report as Markdown: what fits a screen, then the rest folded.

use std::fmt::Write as _;

use super::super::escape;
use super::super::table::Align;
use super::{METHOD, Report, Section, Weight, ends, sections};

/// A table of the first screen shows so many rows; the others are folded.
const SHOWN: usize = 12;

/// No host takes a comment or a release's notes that is much longer.
const LONGEST: usize = 60_000;

/// The report as Markdown, in at most 60,000 bytes: where it would be longer, tables are cut after fewer rows.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let sections = sections(report);
    let written = |most: usize| written(report, &sections, most);
    let fewer = [usize::MAX, 300, 100, 30, 10, 3].into_iter().map(written);
    let mut last = String::new();
    for text in fewer {
        last = text;
        if last.len() <= LONGEST {
            break;
        }
    }
    last
}

fn written(report: &Report, sections: &[Section], most: usize) -> String {
    let mut out = format!("## {}\n\n{}\n", code(&report.headline()), code(&ends(report)));
    for section in sections {
        let title = section.title;
        let rows = &section.rows[..section.rows.len().min(most)];
        let (shown, rest) = match section.weight {
            Weight::Screen => rows.split_at(rows.len().min(SHOWN)),
            Weight::Rest => (&[][..], rows),
        };
        // Writing to a text cannot fail.
        if !shown.is_empty() {
            let _ = write!(out, "\n### {title}\n\n{}", table(&section.head, shown));
        }
        let left_out = section.rows.len() - rows.len();
        if !rest.is_empty() || left_out > 0 || !section.commands.is_empty() {
            let summary = match section.weight {
                Weight::Screen => format!("{} more", section.rows.len() - shown.len()),
                Weight::Rest if section.rows.is_empty() => title.to_owned(),
                Weight::Rest => format!("{title} ({})", section.rows.len()),
            };
            let body = body(section, rest, left_out);
            let _ = write!(out, "\n<details><summary>{summary}</summary>\n\n{body}\n</details>\n");
        }
    }
    let _ = write!(out, "\n{METHOD}\n");
    out
}

fn body(section: &Section, rows: &[Vec<String>], left_out: usize) -> String {
    let mut out = if rows.is_empty() { String::new() } else { table(&section.head, rows) };
    if left_out > 0 {
        let _ = writeln!(out, "\n{left_out} more have no room here; the text form has them all.");
    }
    for line in &section.commands {
        let _ = writeln!(out, "    {}", escape::line(line));
    }
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
