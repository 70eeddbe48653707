//! The first page: what changed lately, and every series in a line.

use super::compare::Pair;
use super::filter::{self, Moves, Pick};
use super::frame::{Depth, Site, page};
use super::html::Html;
use super::hub;
use super::links::{self, Links};
use super::row::{Cause, DAYS, Row, causes};
use super::tally::{SAME, tally};
use super::versus::class;
use crate::domain::{State, Turn};
use crate::show::chart::spark;
use crate::show::number::{date, percent, quantity};

/// How many series a page lists.
pub const ROWS: usize = 500;
/// How many causes the overview tells of.
const CAUSES: usize = 12;
/// How many of the last duels the overview tells of.
const DUELS: usize = 8;

/// What the overview says of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The newest commit that was measured, shortened.
    pub commit: String,
    /// What it says of itself.
    pub subject: String,
    /// When it was committed.
    pub at_s: i64,
    /// How many of its benchmarks failed.
    pub failed: u64,
    /// The last release before it.
    pub release: Option<String>,
}

/// What stands beside the series.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// The pages that there are.
    pub links: &'a Links,
    /// The comparisons that are drawn, oldest first.
    pub pairs: &'a [Pair],
}

/// The file of a page of the overview, counted from nought.
#[must_use]
pub fn file(number: usize) -> String {
    if number == 0 { "index.html".to_owned() } else { format!("series-{}.html", number + 1) }
}

/// The pages of the overview. The rows come in the order in which they are to be listed.
#[must_use]
pub fn pages(site: &Site, newest: Option<&Newest>, rows: &[Row], beside: Beside<'_>) -> Vec<(String, String)> {
    let count = rows.len().div_ceil(ROWS).max(1);
    let one = |number: usize| {
        let from = number * ROWS;
        let shown = &rows[from.min(rows.len())..(from + ROWS).min(rows.len())];
        let mut body = Html::default();
        if number == 0 {
            head(&mut body, newest, rows, beside);
        }
        body.put("<section><h2>Every series</h2>");
        let release = newest.and_then(|newest| newest.release.as_deref());
        table(&mut body, shown, release);
        turn_pages(&mut body, number, count);
        body.put("</section>");
        (file(number), page(site, "Overview", Depth::Top, &body))
    };
    (0..count).map(one).collect()
}

fn head(body: &mut Html, newest: Option<&Newest>, rows: &[Row], beside: Beside<'_>) {
    body.put("<h1>Overview</h1>");
    let Some(newest) = newest else {
        body.put("<p>Nothing was measured yet: <code>tachograph run</code> measures HEAD.</p>");
        return;
    };
    let tally = tally(newest, rows);
    body.put("<p class=\"state\">At <code>")
        .text(&newest.commit)
        .put("</code> <q>")
        .text(&newest.subject)
        .put("</q> of ")
        .text(&date(newest.at_s))
        .put(": <b class=\"worse\">")
        .count(tally.worse)
        .put(" worse</b>, <b class=\"better\">")
        .count(tally.better)
        .put(" better</b> than at ")
        .text(&tally.since)
        .put(", of ")
        .count(rows.len())
        .put(" series");
    match newest.failed {
        0 => body.put("; nothing failed.</p>"),
        failed => body.put("; <b class=\"worse\">").text(&failed.to_string()).put(" failed</b>.</p>"),
    };
    lately(body, rows, beside);
}

fn lately(body: &mut Html, rows: &[Row], beside: Beside<'_>) {
    if !beside.links.duels.is_empty() {
        body.put("<section><h2>The last duels</h2><ol class=\"duels\">");
        for duel in beside.links.duels.iter().take(DUELS) {
            body.put("\n<li>");
            links::word(body, duel.whole);
            body.put(" ");
            links::to(body, (Depth::Top, "duel/"), &links::duel_file(&duel.id), duel.head.short());
            body.put(" <small>").text(duel.suite.as_str()).put(", ").text(&date(duel.started_at_s)).put("</small>");
        }
        body.put("</ol></section>");
    }
    body.put("<section><h2>What changed lately</h2>");
    let causes = causes(rows);
    if causes.is_empty() {
        body.put("<p>Nothing moved.</p>");
    } else {
        body.put("<ol class=\"causes\">");
        for found in causes.iter().take(CAUSES) {
            cause(body, found, beside.links);
        }
        body.put("</ol><p><a href=\"changes.html\">All ").count(causes.len()).put(" changes</a></p>");
    }
    body.put("</section>");
    if !beside.pairs.is_empty() {
        body.put("<section><h2>From release to release</h2>");
        hub::pair_list(body, Depth::Top, &beside.pairs[beside.pairs.len().saturating_sub(4)..]);
        body.put("<p><a href=\"compare.html\">Any two commits</a></p></section>");
    }
}

/// A cause in two lines.
pub(super) fn cause(body: &mut Html, cause: &Cause<'_>, links: &Links) {
    let first = cause.first();
    let class = class(first.turn);
    let word = match first.turn {
        Turn::Regression => "got worse",
        Turn::Improvement => "got better",
        Turn::Moved => "moved",
    };
    body.put("<li id=\"c")
        .text(cause.id().short())
        .put("\"><span class=\"")
        .put(class)
        .put("\"><b>")
        .text(&first.size)
        .put("</b> <small>")
        .put(class)
        .put("</small></span> <span><time>")
        .text(&date(first.at_s))
        .put("</time> <code>")
        .text(first.commit.short())
        .put("</code> ")
        .text(&first.subject)
        .put("<br><small>")
        .count(cause.changes.len())
        .put(" series ")
        .put(word)
        .put(": ");
    for (at, (row, change)) in cause.changes.iter().take(4).enumerate() {
        body.put(if at == 0 { "" } else { ", " });
        links::benchmark(body, Depth::Top, Some(&row.id), row.benchmark.as_str());
        body.put(" ").text(&row.metric.name).put(" ").text(&change.size);
    }
    if cause.changes.len() > 4 {
        body.put(" and ").count(cause.changes.len() - 4).put(" more");
    }
    onward(body, cause, links);
    body.put("</small></span></li>");
}

/// From a cause to its run, its duels and the comparison with the commit before.
fn onward(body: &mut Html, cause: &Cause<'_>, links: &Links) {
    let first = cause.first();
    let (row, _) = cause.changes.iter().find(|(_, change)| change.commit == first.commit).unwrap_or(&cause.changes[0]);
    let (state, note) = links.state(cause);
    body.put("<br>");
    let accepted = cause.changes.iter().find_map(|(_, change)| change.told_accepted());
    if let Some(accepted) = &accepted {
        body.put("<b>✓</b> ").text(accepted).put(" · ");
    }
    // That nobody has looked at something good yet is no news, and what was accepted was looked at.
    if state != State::Open || first.turn == Turn::Regression && accepted.is_none() {
        body.put("<b>").put(state.as_str()).put("</b>");
        body.put(if note.is_empty() { "" } else { ": " }).text(note).put(" · ");
    }
    body.put("<a href=\"compare.html#a=").text(first.within.0.short()).put("&amp;b=").text(first.commit.short());
    body.put("\">compare</a>");
    if let Some(run) = links.run(&first.commit, &row.suite, &row.machine) {
        body.put(" · ");
        links::to(body, (Depth::Top, "run/"), &links::run_file(run), "the run");
    }
    for duel in links.duels_of(&first.commit, &row.suite).take(3) {
        body.put(" · ");
        links::to(body, (Depth::Top, "duel/"), &links::duel_file(&duel.id), "a duel: ");
        links::word(body, duel.whole);
    }
}

const PICKS: [Pick; 4] = [("group", 0), ("suite", 1), ("metric", 2), ("machine", 3)];

fn table(body: &mut Html, rows: &[Row], release: Option<&str>) {
    filter::form(body, &PICKS, Moves::None);
    filter::table(body, &PICKS, "0 -,5 0,6 1,7 2,8 3,9 4,10 5");
    body.put("<thead><tr><th scope=\"col\">benchmark<th scope=\"col\">suite<th scope=\"col\">metric<th scope=\"col\">machine")
        .put("<th scope=\"col\">trend<th scope=\"col\" class=\"n\">now")
        .put("<th scope=\"col\" class=\"n\">noise");
    for days in DAYS {
        body.put("<th scope=\"col\" class=\"n\">").text(&format!("{days} d"));
    }
    body.put("<th scope=\"col\" class=\"n\">").text(release.unwrap_or("release")).put("</thead><tbody>");
    for row in rows {
        body.put("\n<tr data-k=\"").text(&keys(row)).put("\"><th scope=\"row\">");
        links::benchmark(body, Depth::Top, Some(&row.id), row.benchmark.as_str());
        body.put("<td>").text(row.suite.as_str()).put("<td>").text(&row.metric.name).put("<td>").text(&row.machine);
        body.put("<td>").chart(&spark::draw(&row.spark));
        body.put("<td class=\"n\">").text(&quantity(row.level, &row.metric.unit)).put("<td class=\"n\">");
        if let Some(noise) = row.noise {
            body.put("±").text(&percent(noise));
        }
        for over in row.over {
            moved(body, row, over);
        }
    }
    body.put("</tbody></table></div>");
}

/// What the script sorts by: level, noise, and the four changes.
fn keys(row: &Row) -> String {
    filter::keys([Some(row.level), row.noise].into_iter().chain(row.over))
}

/// A cell with a change of the level: coloured, and with an arrowhead, where it is one.
fn moved(body: &mut Html, row: &Row, over: Option<f64>) {
    let Some(over) = over else {
        body.put("<td>");
        return;
    };
    if over.abs() < SAME {
        body.put("<td class=\"n\">=");
        return;
    }
    body.put(match Turn::of(over > 0.0, row.metric.better) {
        Turn::Regression => "<td class=\"n worse\">",
        Turn::Improvement => "<td class=\"n better\">",
        Turn::Moved => "<td class=\"n moved\">",
    });
    body.put(if over > 0.0 { "▲ +" } else { "▼ -" }).text(&percent(over.abs()));
}

fn turn_pages(body: &mut Html, number: usize, count: usize) {
    if count < 2 {
        return;
    }
    body.put("<nav class=\"pages\">Page");
    for other in 0..count {
        body.put(" ");
        if other == number {
            body.put("<b>").count(other + 1).put("</b>");
        } else {
            body.put("<a href=\"").text(&file(other)).put("\">").count(other + 1).put("</a>");
        }
    }
    body.put("</nav><ul id=\"elsewhere\" data-pages=\"").count(count).put("\"></ul>");
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::{change, row};
    use super::*;

    fn site() -> Site {
        Site { name: "a <b>".to_owned(), version: "0.1.0".to_owned() }
    }

    fn newest() -> Newest {
        Newest {
            commit: "abababab".to_owned(),
            subject: "Say <less>".to_owned(),
            at_s: 1_790_000_000,
            failed: 2,
            release: Some("v1.0".to_owned()),
        }
    }

    #[test]
    fn the_first_page_tells_the_state_the_causes_and_every_series() {
        let rows = [row("kernel/<script>", vec![change(9, Turn::Regression, 0.05)]), row("b", vec![])];
        let pages = pages(&site(), Some(&newest()), &rows, Beside { links: &Links::default(), pairs: &[] });
        assert_eq!(pages.len(), 1);
        let (file, html) = &pages[0];
        assert_eq!(file, "index.html");
        for wanted in
            ["Say &lt;less&gt;", "2 failed", "+5.0 %", "1 series got worse", "▲ +3.1 %", "▼ -20.0 %", "5.312 µs"]
        {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        assert!(!html.contains("<script>"), "{html}");
    }

    #[test]
    fn a_cause_that_was_accepted_says_why_and_is_not_open() {
        let with = |accepted: Vec<String>| {
            let moved = super::super::row::ChangeLine { accepted, ..change(9, Turn::Regression, 0.05) };
            pages(&site(), Some(&newest()), &[row("a", vec![moved])], Beside { links: &Links::default(), pairs: &[] })
                .remove(0)
                .1
        };
        let html = with(vec!["checks <it> now".to_owned()]);
        assert!(
            html.contains("<b>✓</b> accepted: checks &lt;it&gt; now · ") && !html.contains("<b>open</b>"),
            "{html}"
        );
        assert!(with(vec![]).contains("<b>open</b>"));
    }

    #[test]
    fn many_series_are_parted_into_pages_of_bounded_size() {
        let rows: Vec<Row> = (0..1201)
            .map(|at| Row {
                spark: (0..60).map(f64::from).collect(),
                ..row(&format!("group/kind/benchmark/{at}"), vec![])
            })
            .collect();
        let pages = pages(&site(), Some(&newest()), &rows, Beside { links: &Links::default(), pairs: &[] });
        assert_eq!(
            pages.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>(),
            ["index.html", "series-2.html", "series-3.html"]
        );
        let largest = pages.iter().map(|(_, html)| html.len()).max().unwrap_or_default();
        assert!(largest < 400_000, "{largest}");
        assert_eq!(pages.iter().map(|(_, html)| html.matches("<tr data-k").count()).sum::<usize>(), 1201);
    }

    #[test]
    fn a_site_without_runs_says_what_to_do() {
        assert!(
            pages(&site(), None, &[], Beside { links: &Links::default(), pairs: &[] })[0].1.contains("tachograph run")
        );
    }
}
