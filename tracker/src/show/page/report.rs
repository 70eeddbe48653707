//! The report as a page of its own: one file that can be sent to somebody.

use super::html::Html;
use crate::show::report::{self, METHOD, Report, Section, Weight};
use crate::show::table::Align;

/// Longer tables beyond the first screen are folded.
const FOLDED: usize = 40;

/// The whole page, with its style in it and without a script.
#[must_use]
pub fn page_of(report: &Report) -> String {
    let mut html = Html::default();
    html.put("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .put("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">")
        .put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .put("<meta name=\"color-scheme\" content=\"light dark\"><title>")
        .text(&report.headline())
        .put("</title><style>")
        .style()
        .put("</style></head>\n<body><main><h1>")
        .text(&report.headline())
        .put("</h1><p class=\"path\">")
        .text(&report::ends(report))
        .put("</p>");
    for section in report::sections(report) {
        let folded = section.weight == Weight::Rest && section.rows.len() > FOLDED;
        html.put(if folded { "\n<details><summary>" } else { "\n<section><h2>" }).text(section.title);
        if folded {
            html.put(" (").count(section.rows.len()).put(")</summary>");
        } else {
            html.put("</h2>");
        }
        table(&mut html, &section);
        html.put(if folded { "</details>" } else { "</section>" });
    }
    html.put("\n<p>").text(METHOD).put("</p></main></body></html>\n");
    html.finish()
}

fn table(html: &mut Html, section: &Section) {
    if !section.rows.is_empty() {
        html.put("<div class=\"wide\"><table><thead><tr>");
        for (name, align) in &section.head {
            html.put(if *align == Align::Right { "<th class=\"n\">" } else { "<th>" }).text(name);
        }
        html.put("</thead><tbody>");
        for row in &section.rows {
            html.put("\n<tr>");
            for (cell, (_, align)) in row.iter().zip(&section.head) {
                html.put(if *align == Align::Right { "<td class=\"n\">" } else { "<td>" }).text(cell);
            }
        }
        html.put("</tbody></table></div>");
    }
    if !section.commands.is_empty() {
        html.put("<pre>");
        for command in &section.commands {
            html.text(command).put("\n");
        }
        html.put("</pre>");
    }
}
