//! The runs and duels that have pages, and which ones have none and why.

use super::frame::{Depth, Site, page};
use super::html::Html;
use super::links::{self, Links};
use crate::domain::{DuelLine, RunLine};
use crate::show::number::{duration, moment};

/// So many runs are listed.
const RUNS: usize = 600;
/// So many duels are listed.
const DUELS: usize = 500;

/// Which runs and duels there are.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The runs that have pages, newest first, each with what its commit says of itself.
    pub runs: &'a [(&'a RunLine, &'a str)],
    /// How many runs the store holds.
    pub all_runs: usize,
    /// How many duels it holds.
    pub all_duels: usize,
    /// The pages that there are.
    pub links: &'a Links,
}

/// The whole page.
#[must_use]
pub fn render(site: &Site, of: &Page<'_>) -> String {
    let mut body = Html::default();
    body.put("<h1>Runs and duels</h1>");
    duels(&mut body, of);
    body.put("<section><h2>Runs</h2><p>").count(of.runs.len()).put(" of ").count(of.all_runs);
    body.put(" runs have a page");
    if of.runs.len() < of.all_runs {
        body.put(": the newest of each suite and machine, those at which something moved, and those that were dueled. The rest would ")
            .put("not fit; their readings are in the series and in <a href=\"compare.html\">Compare</a>, and whole in the store: ")
            .put("<code>tachograph show RUN</code>");
    }
    body.put(".</p><div class=\"wide\"><table><thead><tr><th>began, UTC<th>commit<th>what it says<th>suite<th>machine")
        .put("<th class=\"n\">measured<th class=\"n\">failed<th class=\"n\">took<th>run</thead><tbody>");
    for (run, subject) in of.runs.iter().take(RUNS) {
        body.put("\n<tr><td>").text(&moment(run.started_at_s)).put("<td><code>").text(run.commit.short());
        body.put("</code><td>").text(subject).put("<td>").text(run.suite.as_str()).put("<td>").text(&run.machine);
        body.put("<td class=\"n\">").text(&run.measured.to_string());
        body.put(if run.failed > 0 { "<td class=\"n worse\">" } else { "<td class=\"n\">" });
        body.text(&run.failed.to_string()).put("<td class=\"n\">").text(&duration(run.elapsed_ns)).put("<td>");
        links::to(&mut body, (Depth::Top, "run/"), &links::run_file(&run.id), run.id.short());
    }
    body.put("</tbody></table></div>");
    if of.runs.len() > RUNS {
        body.put("<p>").count(of.runs.len() - RUNS).put(" more have pages that their neighbours lead to.</p>");
    }
    body.put("</section>");
    page(site, "Runs and duels", Depth::Top, &body)
}

fn duels(body: &mut Html, of: &Page<'_>) {
    if of.links.duels.is_empty() {
        return;
    }
    body.put("<section><h2>Duels</h2><div class=\"wide\"><table><thead><tr><th>began, UTC<th>verdict<th>suite<th>base<th>head<th>machine")
        .put("<th class=\"n\">dueled<th class=\"n\">failed<th class=\"n\">took<th>duel</thead><tbody>");
    for duel in of.links.duels.iter().take(DUELS) {
        row(body, duel);
    }
    body.put("</tbody></table></div>");
    if of.links.duels.len() < of.all_duels {
        body.put("<p>").count(of.all_duels - of.links.duels.len());
        body.put(" older ones have no page: <code>tachograph duels</code> lists them.</p>");
    }
    body.put("</section>");
}

fn row(body: &mut Html, duel: &DuelLine) {
    body.put("\n<tr><td>").text(&moment(duel.started_at_s)).put("<td>");
    links::word(body, duel.whole);
    body.put("<td>").text(duel.suite.as_str()).put("<td><code>").text(duel.base.short()).put("</code><td>");
    body.put(if duel.dirty { "tree on <code>" } else { "<code>" }).text(duel.head.short()).put("</code><td>");
    body.text(&duel.machine).put("<td class=\"n\">").text(&duel.dueled.to_string());
    body.put(if duel.failed > 0 { "<td class=\"n worse\">" } else { "<td class=\"n\">" })
        .text(&duel.failed.to_string());
    body.put("<td class=\"n\">").text(&duration(duel.elapsed_ns)).put("<td>");
    links::to(body, (Depth::Top, "duel/"), &links::duel_file(&duel.id), duel.id.short());
}
