//! The pages of dashboards: chosen series side by side, each chart with its table.

use super::frame::{Depth, Site, page};
use super::html::Html;
use crate::domain::{RecordId, Unit};
use crate::show::chart::Svg;
use crate::show::number::{change, quantity};

/// A dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// What its files' names begin with: plain signs.
    pub stem: String,
    /// What it is called.
    pub title: String,
    /// What it is for; empty if nobody says.
    pub about: String,
    /// Its charts.
    pub panels: Vec<Panel>,
}

/// A chart with its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it is called.
    pub title: String,
    /// Where it was measured, and what was left out.
    pub notes: Vec<String>,
    /// The picture.
    pub chart: Svg,
    /// A row for each line.
    pub rows: Vec<Line>,
}

/// A line of the chart, in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its series.
    pub id: RecordId,
    /// What it is called in the chart.
    pub name: String,
    /// The values' unit.
    pub unit: Unit,
    /// Its first level.
    pub first: f64,
    /// Its level now.
    pub now: f64,
    /// How many times the best of the chart's lines it is now; none where nobody said which way is good.
    pub of_best: Option<f64>,
    /// What others reach: name, level.
    pub peers: Vec<(String, f64)>,
}

impl Board {
    /// The file of its page.
    #[must_use]
    pub fn file(&self) -> String {
        format!("board-{}.html", self.stem)
    }

    /// The file of one of its charts, counted from nought, in the folder `charts`: it stays the same while its place does.
    #[must_use]
    pub fn chart_file(&self, number: usize) -> String {
        format!("{}-{}.svg", self.stem, number + 1)
    }
}

/// The page of a dashboard.
#[must_use]
pub fn page_of(site: &Site, board: &Board) -> String {
    let mut body = Html::default();
    body.put("<p class=\"path\"><a href=\"boards.html\">Dashboards</a></p><h1>").text(&board.title).put("</h1>");
    if !board.about.is_empty() {
        body.put("<p>").text(&board.about).put("</p>");
    }
    for (number, panel) in board.panels.iter().enumerate() {
        body.put("\n<section><h2>").text(&panel.title).put("</h2>");
        for note in &panel.notes {
            body.put("<p class=\"path\">").text(note).put("</p>");
        }
        body.put("<figure><div class=\"wide\">").chart(&panel.chart).put("</div><figcaption><a href=\"charts/");
        body.text(&board.chart_file(number)).put("\">This chart as a file</a></figcaption></figure>");
        table(&mut body, panel);
        body.put("</section>");
    }
    page(site, &board.title, Depth::Top, &body)
}

fn table(body: &mut Html, panel: &Panel) {
    if panel.rows.is_empty() {
        return;
    }
    let ranked = panel.rows.iter().any(|row| row.of_best.is_some());
    let beside = panel.rows.iter().any(|row| !row.peers.is_empty());
    body.put("<div class=\"wide\"><table><thead><tr><th>benchmark<th class=\"n\">first<th class=\"n\">now<th class=\"n\">change");
    body.put(if ranked { "<th class=\"n\">of the best" } else { "" }).put(if beside { "<th>others" } else { "" });
    body.put("</thead><tbody>");
    for row in &panel.rows {
        body.put("\n<tr><th scope=\"row\"><a href=\"series/").text(row.id.short()).put(".html\">").text(&row.name);
        body.put("</a><td class=\"n\">").text(&quantity(row.first, &row.unit));
        body.put("<td class=\"n\">").text(&quantity(row.now, &row.unit));
        body.put("<td class=\"n\">").text(&change(row.first, row.now).unwrap_or_default());
        if ranked {
            let times = row.of_best.map(|times| format!("×{times:.2}"));
            body.put("<td class=\"n\">").text(&times.unwrap_or_default());
        }
        if beside {
            let peers = row.peers.iter().map(|(name, level)| format!("{name} {}", quantity(*level, &row.unit)));
            body.put("<td>").text(&peers.collect::<Vec<_>>().join(", "));
        }
    }
    body.put("</tbody></table></div>");
}

/// The list of dashboards.
#[must_use]
pub fn list(site: &Site, boards: &[Board]) -> String {
    let mut body = Html::default();
    body.put("<h1>Dashboards</h1>");
    if boards.is_empty() {
        body.put("<p>A file <code>dashboards/NAME.toml</code> in the repository makes one: chosen series side by side.</p>")
            .put("<pre>title = &quot;Kernels&quot;\n\n[[chart]]\ntitle = &quot;Matrix products&quot;\nseries = &quot;kernel/matmul/*&quot;\n")
            .put("scale = &quot;log&quot;</pre>");
    }
    body.put("<ul>");
    for board in boards {
        body.put("\n<li><a href=\"").text(&board.file()).put("\">").text(&board.title).put("</a> ");
        body.text(&board.about);
    }
    body.put("</ul>");
    page(site, "Dashboards", Depth::Top, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::chart::lines::{self, Scale};

    #[test]
    fn a_board_has_its_charts_with_tables_and_their_addresses() {
        let unit = Unit::nanoseconds();
        let chart = lines::draw(&lines::Lines {
            title: "t",
            unit: &unit,
            scale: Scale::Linear,
            curves: &[],
            references: &[],
            times: &[],
        });
        let row = Line {
            id: RecordId::of("series", &1),
            name: "kernel/<a>".to_owned(),
            unit: unit.clone(),
            first: 2000.0,
            now: 3000.0,
            of_best: Some(1.5),
            peers: vec![("llama.cpp".to_owned(), 4000.0)],
        };
        let panel = Panel { title: "Products".to_owned(), notes: vec!["on lorry".to_owned()], chart, rows: vec![row] };
        let board = Board {
            stem: "kernels".to_owned(),
            title: "Kernels".to_owned(),
            about: "All".to_owned(),
            panels: vec![panel],
        };
        let site = Site { name: "p".to_owned(), version: "1".to_owned() };
        let html = page_of(&site, &board);
        for wanted in ["charts/kernels-1.svg", "kernel/&lt;a&gt;", "+50.0 %", "×1.50", "llama.cpp 4 µs", "on lorry"] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        assert!(list(&site, &[board]).contains("href=\"board-kernels.html\">Kernels</a> All"));
        assert!(list(&site, &[]).contains("dashboards/NAME.toml"));
    }
}
