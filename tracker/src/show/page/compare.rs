//! Two commits against each other: every series with how far it moved, how far it moves without a cause, and how many times
//! that the one is of the other. Pairs that people ask for are drawn; any other pair the script puts together in the same
//! form from the site's data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::filter::{self, Moves, Pick};
use super::frame::{Depth, Site, page};
use super::html::Html;
use super::links::{self, Links};
use super::row::Row;
use super::run::signed;
use super::versus::{Versus, class};
use crate::domain::{CommitId, RecordId, Turn};
use crate::show::chart::scatter::{self, Dot};
use crate::show::number::{date, percent, quantity};

/// So many series are listed, those that stand out most first.
const ROWS: usize = 450;
/// So many groups are listed.
const GROUPS: usize = 200;
/// Two runs of a series that did not move differ by less than so many times its noise, 19 times in 20: 1.96 · √2.
const NOISES: f64 = 2.77;
/// No threshold is smaller, whatever a series' past says: numbers that always were the same may move by a hair.
const LEAST_THRESHOLD: f64 = 1e-4;

/// A reading of a series at a commit, or the last one before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snap {
    /// The place of the commit that it is of.
    pub place: usize,
    /// Its run.
    pub run: RecordId,
    /// Its level.
    pub level: f64,
    /// The level's interval.
    pub interval: Option<(f64, f64)>,
}

/// A commit that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What it is called: a release, or what makes it worth a look.
    pub name: String,
    /// The commit.
    pub commit: CommitId,
    /// What it says of itself.
    pub subject: String,
    /// When it was committed.
    pub at_s: i64,
}

/// Two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The earlier.
    pub from: End,
    /// The later.
    pub to: End,
}

impl Pair {
    /// The file of its page, in the folder `compare`.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}-{}.html", self.from.commit.short(), self.to.commit.short())
    }
}

/// A series at both ends.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// The series.
    pub row: &'a Row,
    /// Its reading at the earlier commit.
    pub from: &'a Snap,
    /// Its reading at the later one.
    pub to: &'a Snap,
}

/// The runs of a suite on a machine that the readings are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The suite.
    pub suite: String,
    /// The machine.
    pub machine: String,
    /// The commit that was measured for either end, and whether it is the very one that is compared.
    pub ends: [(CommitId, bool); 2],
    /// What differs between the two of what the runs note: name, then, now.
    pub differs: Vec<(String, String, String)>,
}

/// All that the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The commits.
    pub pair: &'a Pair,
    /// The series that are there at both.
    pub rows: &'a [Compared<'a>],
    /// How many series are there at the earlier one alone, and how many at the later one.
    pub alone: [usize; 2],
    /// Where it was measured.
    pub measured: &'a [Measured],
    /// Where to go from here.
    pub links: &'a Links,
}

/// A series with what is said of it.
struct Line<'a> {
    of: Compared<'a>,
    versus: Versus,
    threshold: Option<f64>,
}

impl Line<'_> {
    fn factor(&self) -> Option<f64> {
        self.threshold.map(|threshold| self.versus.moved.abs() / threshold)
    }

    fn is_beyond(&self) -> bool {
        self.factor().is_some_and(|factor| factor >= 1.0)
    }

    fn turn(&self) -> Turn {
        self.versus.turn(&self.of.row.metric)
    }
}

/// What two runs of a series differ by when nothing happened, to a millionth: the script reads it so, and must not round
/// another way.
#[must_use]
pub fn threshold(row: &Row) -> Option<f64> {
    row.noise.map(|noise| ((noise * NOISES).max(LEAST_THRESHOLD) * 1e6).round() / 1e6)
}

/// The whole page.
#[must_use]
pub fn render(site: &Site, of: &Page<'_>) -> String {
    let mut lines: Vec<Line<'_>> = of.rows.iter().filter_map(line).collect();
    let weight = |line: &Line<'_>| (line.is_beyond(), line.factor().unwrap_or_default());
    lines.sort_by(|one, other| {
        let (one, other) = (weight(one), weight(other));
        other.0.cmp(&one.0).then(other.1.total_cmp(&one.1))
    });
    let mut body = Html::default();
    body.put(
        "<p class=\"path\"><a href=\"../index.html\">Overview</a> / <a href=\"../compare.html\">Compare</a></p><h1>",
    );
    body.text(&of.pair.from.name).put(" → ").text(&of.pair.to.name).put("</h1>");
    state(&mut body, of, &lines);
    measured(&mut body, of);
    let dots: Vec<Dot> = lines.iter().filter_map(dot).collect();
    body.put("<section><h2>Every series</h2><figure><div class=\"wide\" id=\"scatter\">");
    body.chart(&scatter::draw("How far each series moved, over how far it moves without a cause", &dots));
    body.put(CAPTION);
    groups(&mut body, &lines);
    table(&mut body, &lines);
    page(site, &format!("{} to {}", of.pair.from.name, of.pair.to.name), Depth::Folder, &body)
}

pub(super) const CAPTION: &str = "</div><figcaption>A triangle moved by more than two runs of it differ when nothing happened, a grey dot did \
    not; the grey wedge is where nothing can be said.</figcaption></figure></section>";

fn line<'a>(of: &Compared<'a>) -> Option<Line<'a>> {
    let versus = Versus::of((of.from.level, of.from.interval), (of.to.level, of.to.interval))?;
    Some(Line { of: *of, versus, threshold: threshold(of.row) })
}

fn dot(line: &Line<'_>) -> Option<Dot> {
    let noise_pct = line.threshold? * 100.0;
    Some(Dot { noise_pct, moved_pct: line.versus.moved * 100.0, turn: line.turn() })
}

fn state(body: &mut Html, of: &Page<'_>, lines: &[Line<'_>]) {
    let count = |turn| lines.iter().filter(|line| line.is_beyond() && line.turn() == turn).count();
    body.put("<p class=\"state\" id=\"state\"><b class=\"worse\">").count(count(Turn::Regression)).put(" worse</b>, ");
    body.put("<b class=\"better\">").count(count(Turn::Improvement)).put(" better</b> by more than their noise, of ");
    body.count(lines.len()).put(" series that both have");
    for (count, word) in [(of.alone[0], " gone"), (of.alone[1], " new")] {
        if count > 0 {
            body.put("; ").count(count).put(word);
        }
    }
    body.put(".</p><dl class=\"facts\">");
    for (name, end) in [("from", &of.pair.from), ("to", &of.pair.to)] {
        body.put("<dt>").put(name).put("<dd>").text(&date(end.at_s)).put(" <code>").text(end.commit.short());
        body.put("</code> ").text(&end.subject);
    }
    body.put("</dl><p><a href=\"../compare.html#a=").text(of.pair.from.commit.short()).put("&amp;b=");
    body.text(of.pair.to.commit.short()).put("\">Compare other commits</a></p>");
}

fn measured(body: &mut Html, of: &Page<'_>) {
    body.put("<details><summary>Where it was measured</summary><div class=\"wide\"><table><thead><tr><th>suite<th>machine<th>from<th>to")
        .put("<th>what differs of what the runs note</thead><tbody>");
    for shelf in of.measured.iter().take(100) {
        body.put("\n<tr><td>").text(&shelf.suite).put("<td>").text(&shelf.machine);
        for (commit, is_itself) in &shelf.ends {
            body.put("<td>");
            let key = (commit.clone(), shelf.suite.clone(), shelf.machine.clone());
            match of.links.runs.get(&key) {
                Some(run) => links::to(body, (Depth::Folder, "run/"), &links::run_file(run), commit.short()),
                None => {
                    body.put("<code>").text(commit.short()).put("</code>");
                }
            }
            if !is_itself {
                body.put(" <small>the last before it</small>");
            }
        }
        body.put("<td>");
        for (at, (name, then, now)) in shelf.differs.iter().enumerate() {
            body.put(if at == 0 { "" } else { "; " }).text(name).put(": ").text(then).put(" → ").text(now);
        }
    }
    body.put("</tbody></table></div></details>");
}

/// The beginning of a name's path.
fn group(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

pub(super) const GROUP_HEAD: &str = "<section><h2>By group</h2><div class=\"wide\"><table id=\"groups\"><thead><tr><th>group<th>metric\
    <th class=\"n\">series<th class=\"n\">worse<th class=\"n\">better<th class=\"n\">geometric mean</thead><tbody>";

fn groups(body: &mut Html, lines: &[Line<'_>]) {
    let mut groups: BTreeMap<(&str, &str), Vec<&Line<'_>>> = BTreeMap::new();
    for line in lines {
        let row = line.of.row;
        groups.entry((group(row.benchmark.as_str()), &row.metric.name)).or_default().push(line);
    }
    body.put(GROUP_HEAD);
    for ((group, metric), lines) in groups.iter().take(GROUPS) {
        let count = |turn| lines.iter().filter(|line| line.is_beyond() && line.turn() == turn).count();
        body.put("\n<tr><td>").text(group).put("<td>").text(metric).put("<td class=\"n\">").count(lines.len());
        body.put("<td class=\"n\">").count(count(Turn::Regression)).put("<td class=\"n\">");
        body.count(count(Turn::Improvement)).put("<td class=\"n\">");
        let logs: Vec<f64> = lines.iter().map(|line| line.versus.moved.ln_1p()).filter(|log| log.is_finite()).collect();
        if !logs.is_empty() {
            body.text(&signed((logs.iter().sum::<f64>() / logs.len() as f64).exp_m1()));
        }
    }
    body.put("</tbody></table></div></section>");
}

pub(super) const PICKS: [Pick; 4] = [("group", 0), ("suite", 1), ("metric", 2), ("machine", 3)];
pub(super) const SORT: &str = "0 -,4 0,5 1,6 2,8 3,9 4";
pub(super) const HEAD: &str = "<thead><tr><th scope=\"col\">benchmark<th scope=\"col\">suite<th scope=\"col\">metric<th scope=\"col\">machine\
    <th scope=\"col\" class=\"n\">before<th scope=\"col\" class=\"n\">after<th scope=\"col\" class=\"n\">change\
    <th scope=\"col\" class=\"n\">95 % interval<th scope=\"col\" class=\"n\">noise<th scope=\"col\" class=\"n\">factor</thead><tbody>";
/// What the columns mean, and the way out as Markdown.
pub(super) const FOOT: &str = "<p><small>Noise: what two runs of the series differ by when nothing happened, 19 times in 20, from its past. \
    Factor: the change in these. Interval: from both runs' own.</small></p><details id=\"export\" hidden><summary>As Markdown\
    </summary><p><button type=\"button\">Write what is shown</button></p><textarea readonly rows=\"12\" aria-label=\"Markdown\">\
    </textarea></details></section>";

fn table(body: &mut Html, lines: &[Line<'_>]) {
    body.put("<section><h2>Series by series</h2>");
    filter::form(body, &PICKS, Moves::Sized);
    filter::table(body, &PICKS, SORT);
    body.put(HEAD);
    for line in lines.iter().take(ROWS) {
        row(body, line);
    }
    body.put("</tbody></table></div>");
    if lines.len() > ROWS {
        body.put("<p>").count(lines.len() - ROWS);
        body.put(
            " more that stand out less; <a href=\"../compare.html\">Compare</a> with the script has them all.</p>",
        );
    }
    body.put(FOOT);
}

fn row(body: &mut Html, line: &Line<'_>) {
    let Compared { row, from, to } = line.of;
    let unit = &row.metric.unit;
    let keys = [Some(from.level), Some(to.level), Some(line.versus.moved), line.threshold, line.factor()];
    body.put("\n<tr data-k=\"").text(&filter::keys(keys)).put("\"><th scope=\"row\">");
    links::benchmark(body, Depth::Folder, Some(&row.id), row.benchmark.as_str());
    body.put("<td>").text(row.suite.as_str()).put("<td>").text(&row.metric.name).put("<td>").text(&row.machine);
    body.put("<td class=\"n\">")
        .text(&quantity(from.level, unit))
        .put("<td class=\"n\">")
        .text(&quantity(to.level, unit));
    body.put("<td class=\"n ");
    if line.is_beyond() {
        body.put(class(line.turn()));
    }
    body.put("\">").text(&signed(line.versus.moved)).put("<td class=\"n\">");
    if let Some((low, high)) = line.versus.interval {
        body.text(&format!("{} to {}", signed(low), signed(high)));
    }
    body.put("<td class=\"n\">");
    if let Some(threshold) = line.threshold {
        body.put("±").text(&percent(threshold));
    }
    body.put("<td class=\"n\">").text(&line.factor().map(|factor| format!("{factor:.1}")).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::row;
    use super::*;

    fn snap(level: f64) -> Snap {
        Snap { place: 3, run: RecordId::of("run", &1), level, interval: Some((level * 0.99, level * 1.01)) }
    }

    fn pair() -> Pair {
        let end = |name: &str, digit: &str| End {
            name: name.to_owned(),
            commit: CommitId::new(digit.repeat(40)).unwrap(),
            subject: "Say <so>".to_owned(),
            at_s: 1_780_000_000,
        };
        Pair { from: end("v1", "a"), to: end("v2", "b") }
    }

    #[test]
    fn a_move_is_told_by_how_many_times_its_noise_it_is() {
        let rows = [row("kernel/a", vec![]), row("kernel/b", vec![]), row("load/c", vec![])];
        let (was, same, slower, faster) = (snap(1000.0), snap(1010.0), snap(1100.0), snap(500.0));
        let compared: Vec<Compared<'_>> = [&same, &slower, &faster]
            .into_iter()
            .zip(&rows)
            .map(|(to, row)| Compared { row, from: &was, to })
            .collect();
        let links = Links::default();
        let measured = [Measured {
            suite: "engine".to_owned(),
            machine: "lorry".to_owned(),
            ends: [(pair().from.commit, true), (pair().to.commit, false)],
            differs: vec![("rustc".to_owned(), "1.94".to_owned(), "1.95".to_owned())],
        }];
        let page = Page { pair: &pair(), rows: &compared, alone: [1, 2], measured: &measured, links: &links };
        let html = render(&Site { name: "p".to_owned(), version: "1".to_owned() }, &page);
        for wanted in [
            "1 worse</b>",
            "1 better</b>",
            "1 gone; 2 new",
            // Noise of 1.2 %, times 2.77.
            "±3.3 %<td class=\"n\">3.0",
            "+10.0 %",
            "-50.0 %",
            "rustc: 1.94 → 1.95",
            "the last before it",
            "<td>kernel<td>time<td class=\"n\">2<td class=\"n\">1<td class=\"n\">0<td class=\"n\">+5.4 %",
        ] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        assert!(html.find("load/c").unwrap() < html.find("kernel/b").unwrap(), "what stands out most is first");
    }

    #[test]
    fn five_thousand_series_fit_a_page() {
        let rows: Vec<Row> = (0..5000).map(|at| row(&format!("group/kind/benchmark/{at}"), vec![])).collect();
        let (from, to) = (snap(1000.0), snap(1100.0));
        let compared: Vec<Compared<'_>> = rows.iter().map(|row| Compared { row, from: &from, to: &to }).collect();
        let links = Links::default();
        let page = Page { pair: &pair(), rows: &compared, alone: [0, 0], measured: &[], links: &links };
        let html = render(&Site { name: "p".to_owned(), version: "1".to_owned() }, &page);
        assert!(html.len() < 400_000, "{}", html.len());
        assert!(html.contains("4550 more"));
    }
}
