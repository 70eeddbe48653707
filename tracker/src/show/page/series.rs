//! The page of one series: its chart, its changes, its levels, its last runs.

use super::frame::{Depth, Site, page};
use super::html::Html;
use super::links;
use super::row::Row;
use super::versus::class;
use crate::domain::Level;
use crate::show::accepted::{self, Entry};
use crate::show::chart::Svg;
use crate::show::number::{Measure, date, percent, quantity, spread};

/// How many of the last runs are listed.
const RUNS: usize = 40;

/// So many acceptances are listed, the newest.
const ACCEPTED: usize = 60;

/// A point as the page lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its commit's place in the history.
    pub place: usize,
    /// The commit, shortened.
    pub commit: String,
    /// When that was committed.
    pub at_s: i64,
    /// What it says of itself.
    pub subject: String,
    /// The level of the run.
    pub level: f64,
    /// The level's interval.
    pub interval: Option<(f64, f64)>,
    /// How many lives there were.
    pub lives: u32,
    /// The page of its run, if it has one.
    pub run: Option<String>,
}

/// Another series of the same benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    /// What its page is called.
    pub file: String,
    /// Its metric.
    pub metric: String,
    /// Its machine.
    pub machine: String,
}

/// All that the page shows.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// The series in a line.
    pub row: &'a Row,
    /// Its chart.
    pub chart: &'a Svg,
    /// Its points, in the order of history.
    pub readings: &'a [Reading],
    /// Its levels, in points.
    pub levels: &'a [Level],
    /// The series of the same benchmark, this one among them.
    pub siblings: &'a [Sibling],
    /// The releases: place and name.
    pub tags: &'a [(usize, String)],
    /// What was accepted, in the order of history.
    pub accepted: &'a [Entry],
}

/// The file of a series' page, in the folder `series`.
#[must_use]
pub fn file(row: &Row) -> String {
    format!("{}.html", row.id.short())
}

/// The file of its chart, in the folder `charts`.
#[must_use]
pub fn chart_file(row: &Row) -> String {
    format!("{}.svg", row.id.short())
}

/// The whole page.
#[must_use]
pub fn render(site: &Site, of: &Page<'_>) -> String {
    let row = of.row;
    let mut body = Html::default();
    body.put("<p class=\"path\"><a href=\"../index.html\">Overview</a> / ").text(row.suite.as_str()).put("</p><h1>");
    body.text(row.benchmark.as_str()).put("</h1>");
    switches(&mut body, of);
    summary(&mut body, of);
    figure(&mut body, of);
    changes(&mut body, of);
    accepted(&mut body, of);
    levels(&mut body, of);
    runs(&mut body, of);
    body.put("<section><h2>On your own machine</h2><pre>tachograph log ")
        .text(&quoted(&format!("={}", row.benchmark)))
        .put(" --metric ")
        .text(&quoted(&format!("={}", row.metric.name)))
        .put(" --suite ")
        .text(&quoted(&format!("={}", row.suite)))
        .put("</pre></section>");
    page(site, row.benchmark.as_str(), Depth::Folder, &body)
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn switches(body: &mut Html, of: &Page<'_>) {
    let (metric, machine) = (&of.row.metric.name, &of.row.machine);
    let mut switch = |name: &'static str, pick: fn(&Sibling) -> &str, others: Vec<&Sibling>| {
        body.put("<nav class=\"switch\" aria-label=\"").put(name).put("\">").put(name);
        for sibling in others {
            body.put(" <a href=\"").text(&sibling.file).put("\"");
            if sibling.file == file(of.row) {
                body.put(" aria-current=\"page\"");
            }
            body.put(">").text(pick(sibling)).put("</a>");
        }
        body.put("</nav>");
    };
    let metrics = of.siblings.iter().filter(|sibling| sibling.machine == *machine);
    switch("Metric", |sibling| &sibling.metric, metrics.collect());
    let machines = of.siblings.iter().filter(|sibling| sibling.metric == *metric);
    switch("Machine", |sibling| &sibling.machine, machines.collect());
}

fn summary(body: &mut Html, of: &Page<'_>) {
    let row = of.row;
    body.put("<p class=\"state\">Now <b>").text(&quantity(row.level, &row.metric.unit)).put("</b>");
    if let Some(noise) = row.noise {
        body.put(", noise ±").text(&percent(noise));
    }
    body.put("; ").text(match row.metric.better.as_str() {
        "unknown" => "nobody said which way is good",
        "lower" => "lower is better",
        _ => "higher is better",
    });
    body.put(". ").count(of.readings.len()).put(" runs, ").count(row.changes.len());
    body.put(if row.changes.len() == 1 { " change.</p>" } else { " changes.</p>" });
}

/// The chart, with its numbers for the script.
fn figure(body: &mut Html, of: &Page<'_>) {
    let largest = of.readings.iter().map(|reading| reading.level.abs()).fold(0.0, f64::max);
    let measure = Measure::of(largest, &of.row.metric.unit);
    body.put("<figure id=\"chart\" tabindex=\"0\" data-size=\"").text(&measure.size.to_string());
    body.put("\" data-unit=\"").text(&measure.name()).put("\" data-points=\"");
    for reading in of.readings {
        body.count(reading.place).put(" ").text(&format!("{:.5e}", reading.level));
        if let Some((low, high)) = reading.interval {
            body.text(&format!(" {low:.4e} {high:.4e}"));
        }
        body.put(";");
    }
    body.put("\" data-levels=\"");
    for level in of.levels {
        let (from, to) = (of.readings[level.from].place, of.readings[level.to - 1].place);
        body.text(&format!("{from} {to} {:.5e};", level.value));
    }
    body.put("\" data-changes=\"");
    for change in &of.row.changes {
        let class = class(change.turn);
        body.text(&format!("{} {class} {};", change.place, change.size.replace([' ', ';'], "\u{a0}")));
    }
    body.put("\" data-tags=\"");
    for (place, name) in of.tags {
        body.text(&format!("{place} {};", name.replace(';', ",")));
    }
    if !of.accepted.is_empty() {
        body.put("\" data-accepted=\"");
    }
    for one in &of.accepted[of.accepted.len().saturating_sub(ACCEPTED)..] {
        body.text(&format!("{} {};", one.place, accepted::line(&one.acceptance).replace(';', ",")));
    }
    body.put("\"><div class=\"wide\">").chart(of.chart).put("</div><figcaption><span class=\"tools\" id=\"zoom\" hidden>")
        .put("<button type=\"button\" name=\"whole\">Whole history</button> ")
        .put("<button type=\"button\" name=\"in\">Zoom in</button> <button type=\"button\" name=\"out\">Zoom out</button> ")
        .put("<label><input type=\"checkbox\" name=\"date\"> by date</label></span>")
        .put("<output id=\"readout\">Every dot is a run; the line is the level, the band the runs' intervals. ")
        .put("Arrowheads mark changes, dashed lines releases")
        .put(if of.accepted.is_empty() { "" } else { ", check marks what was accepted" })
        .put(".</output> <a href=\"../charts/")
        .text(&chart_file(of.row))
        .put("\">This chart as a file</a></figcaption></figure>");
}

fn changes(body: &mut Html, of: &Page<'_>) {
    if of.row.changes.is_empty() {
        return;
    }
    let unit = &of.row.metric.unit;
    body.put("<section><h2>Changes</h2><div class=\"wide\"><table><thead><tr><th>date<th>commit<th>what it says<th class=\"n\">size")
        .put("<th class=\"n\">95 % interval<th class=\"n\">before<th class=\"n\">after<th>began within<th></thead><tbody>");
    for change in of.row.changes.iter().rev() {
        body.put("\n<tr><td>")
            .text(&date(change.at_s))
            .put("<td><code>")
            .text(change.commit.short())
            .put("</code><td class=\"says\">");
        body.text(&change.subject);
        if let Some(accepted) = change.told_accepted() {
            body.put("<br><small>✓ ").text(&accepted).put("</small>");
        }
        body.put("<td class=\"n ").put(class(change.turn)).put("\">").text(&change.size);
        if change.drifts {
            body.put(" slowly");
        }
        body.put("<td class=\"n\">");
        if let Some((low, high)) = change.interval {
            body.text(&format!("{:+.1} to {:+.1} %", low * 100.0, high * 100.0));
        }
        body.put("<td class=\"n\">").text(&quantity(change.levels.0, unit));
        body.put("<td class=\"n\">").text(&quantity(change.levels.1, unit)).put("<td><code>");
        body.text(change.within.0.short()).put("..").text(change.within.1.short()).put("</code><td>");
        compare(body, change.within.0.short(), change.commit.short());
    }
    body.put("</tbody></table></div></section>");
}

fn accepted(body: &mut Html, of: &Page<'_>) {
    if of.accepted.is_empty() {
        return;
    }
    body.put("<section><h2>Accepted</h2><div class=\"wide\"><table><thead><tr><th>date<th>commit<th>reason<th>allowed<th>until")
        .put("<th>seen between</thead><tbody>");
    for one in of.accepted.iter().rev().take(ACCEPTED) {
        let acceptance = &one.acceptance;
        body.put("\n<tr><td>")
            .text(&date(one.at_s))
            .put("<td><code>")
            .text(one.commit.short())
            .put("</code><td class=\"says\">");
        body.text(&accepted::reason(acceptance)).put("<td>").text(&accepted::bound(acceptance));
        body.put("<td>").text(&accepted::until(acceptance)).put("<td><code>").text(acceptance.base().short());
        body.put("..").text(acceptance.commit().short()).put("</code>");
    }
    body.put("</tbody></table></div>");
    if of.accepted.len() > ACCEPTED {
        body.put("<p>")
            .count(of.accepted.len() - ACCEPTED)
            .put(" older ones stand in the history of <code>tachograph.accept.toml</code>.</p>");
    }
    body.put("</section>");
}

/// A link to two commits on every machine.
fn compare(body: &mut Html, from: &str, to: &str) {
    body.put("<a href=\"../compare.html#a=").text(from).put("&amp;b=").text(to).put("\">compare</a>");
}

fn levels(body: &mut Html, of: &Page<'_>) {
    let unit = &of.row.metric.unit;
    body.put("<section><h2>Levels</h2><div class=\"wide\"><table><thead><tr><th>from<th>to<th class=\"n\">runs<th class=\"n\">level")
        .put("<th class=\"n\">95 % interval</thead><tbody>");
    for level in of.levels.iter().rev() {
        let (first, last) = (&of.readings[level.from], &of.readings[level.to - 1]);
        body.put("\n<tr><td>").text(&date(first.at_s)).put(" <code>").text(&first.commit).put("</code><td>");
        body.text(&date(last.at_s)).put(" <code>").text(&last.commit).put("</code><td class=\"n\">");
        body.count(level.to - level.from)
            .put("<td class=\"n\">")
            .text(&quantity(level.value, unit))
            .put("<td class=\"n\">");
        body.text(&quantity(level.low, unit)).put(" to ").text(&quantity(level.high, unit));
    }
    body.put("</tbody></table></div></section>");
}

fn runs(body: &mut Html, of: &Page<'_>) {
    let unit = &of.row.metric.unit;
    body.put("<section><h2>The last runs</h2><div class=\"wide\"><table><thead><tr><th>date<th>commit<th>what it says<th class=\"n\">")
        .text(&of.row.metric.name)
        .put("<th class=\"n\">spread<th class=\"n\">lives<th></thead><tbody>");
    for (at, reading) in of.readings.iter().enumerate().rev().take(RUNS) {
        body.put("\n<tr><td>").text(&date(reading.at_s)).put("<td><code>");
        match &reading.run {
            Some(file) => links::to(body, (Depth::Folder, "run/"), file, &reading.commit),
            None => {
                body.text(&reading.commit);
            }
        }
        body.put("</code><td>");
        body.text(&reading.subject)
            .put("<td class=\"n\">")
            .text(&quantity(reading.level, unit))
            .put("<td class=\"n\">");
        body.text(&reading.interval.and_then(|interval| spread(reading.level, interval)).unwrap_or_default());
        body.put("<td class=\"n\">").text(&reading.lives.to_string()).put("<td>");
        if let Some(before) = at.checked_sub(1).map(|before| &of.readings[before]) {
            compare(body, &before.commit, &reading.commit);
        }
    }
    body.put("</tbody></table></div></section>");
}

#[cfg(test)]
mod tests {
    use super::super::row::ChangeLine;
    use super::super::row::tests::{change, row};
    use super::*;
    use crate::domain::{CommitId, Turn, Unit};
    use crate::show::accepted::tests::acceptance;
    use crate::show::chart;

    #[test]
    fn a_series_page_has_its_chart_and_the_same_in_tables() {
        let moved = ChangeLine { accepted: vec!["checks <it>".to_owned()], ..change(1, Turn::Regression, 0.05) };
        let row = row("kernel/'a' \"b\"", vec![moved]);
        let reading = |place: usize, level: f64| Reading {
            place,
            commit: format!("{place:010x}"),
            at_s: 1_780_000_000 + i64::try_from(place).unwrap(),
            subject: "Say & <do>".to_owned(),
            level,
            interval: (place > 0).then_some((level - 9.0, level + 9.0)),
            lives: 3,
            run: (place > 2).then(|| "abc.html".to_owned()),
        };
        let readings = [reading(0, 1000.0), reading(1, 1050.0), reading(3, 1051.0)];
        let level = |from, to, value| Level { from, to, value, low: value - 2.0, high: value + 2.0 };
        let unit = Unit::nanoseconds();
        let chart = chart::series::draw(&chart::series::Series {
            title: "t",
            unit: &unit,
            dots: &[],
            steps: &[],
            marks: &[],
            tags: &[],
            accepted: &[],
            references: &[],
            lanes: &[],
            times: &[],
        });
        let sibling = |file: &str, metric: &str| Sibling {
            file: file.to_owned(),
            metric: metric.to_owned(),
            machine: "lorry".to_owned(),
        };
        let html = render(
            &Site { name: "p".to_owned(), version: "1".to_owned() },
            &Page {
                row: &row,
                chart: &chart,
                readings: &readings,
                levels: &[level(0, 1, 1000.0), level(1, 3, 1050.0)],
                siblings: &[sibling(&file(&row), "time"), sibling("x.html", "bytes")],
                tags: &[(1, "v;1".to_owned())],
                accepted: &[Entry {
                    place: 1,
                    commit: CommitId::new("1".repeat(40)).unwrap(),
                    at_s: 1_780_000_000,
                    acceptance: acceptance(Some("5 %"), "checks <it>; twice"),
                }],
            },
        );
        for wanted in [
            "0 1.00000e3;1 1.05000e3 1.0410e3 1.0590e3;3 1.05100e3 1.0420e3 1.0600e3;",
            "data-levels=\"0 0 1.00000e3;1 3 1.05000e3;\"",
            "data-changes=\"1 worse +5.0\u{a0}%;\"",
            "data-tags=\"1 v,1;\"",
            "Say &amp; &lt;do&gt;",
            "<br><small>✓ accepted: checks &lt;it&gt;</small>",
            "data-accepted=\"1 accepted, up to 5 % until 2026-12-31: checks &lt;it&gt;, twice;\"",
            "<td class=\"says\">checks &lt;it&gt;; twice<td>up to 5 %<td>2026-12-31<td><code>bbbbbbbbbb..cccccccccc</code>",
            "check marks what was accepted",
            "<a href=\"../run/abc.html\">0000000003</a>",
            "<a href=\"../compare.html#a=0000000001&amp;b=0000000003\">compare</a>",
            "<a href=\"x.html\">bytes</a>",
            "tachograph log &#39;=kernel/&#39;\\&#39;&#39;a&#39;\\&#39;&#39; &quot;b&quot;&#39;",
            "+4.0 to +6.0 %",
        ] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
    }
}
