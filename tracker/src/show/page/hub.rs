//! The page from which any two commits are compared.

use super::compare::{CAPTION, FOOT, GROUP_HEAD, HEAD, PICKS, Pair, SORT};
use super::filter::{self, Moves};
use super::frame::{Depth, Site, page};
use super::html::Html;
use super::links;
use crate::show::number::date;

/// The page: the pairs that are drawn, and what the script fills in. `shelves` are
/// the keys of the data.
#[must_use]
pub fn render(site: &Site, pairs: &[Pair], shelves: &[String]) -> String {
    let mut body = Html::default();
    body.put("<h1>Compare</h1><form id=\"ends\" class=\"tools\" hidden data-shelves=\"").text(&shelves.join(" "));
    body.put("\"><label>From <input name=\"a\" list=\"commits\" autocomplete=\"off\" size=\"18\"></label> ")
        .put("<label>to <input name=\"b\" list=\"commits\" autocomplete=\"off\" size=\"18\"></label> ")
        .put("<button type=\"button\" name=\"swap\">Swap</button> <button type=\"submit\">Compare</button>")
        .put("<datalist id=\"commits\"></datalist></form><p id=\"hint\">A release, the beginning of a commit's hash, or a day such as ")
        .put("2026-05-01. Where a machine did not measure that very commit, the last one before it that it did.</p>");
    body.put("<div id=\"compared\" hidden><p class=\"state\" id=\"state\" aria-live=\"polite\"></p><div id=\"measured\"></div>")
        .put("<section><h2>Every series</h2><figure><div class=\"wide\" id=\"scatter\">")
        .put(CAPTION)
        .put(GROUP_HEAD)
        .put("</tbody></table></div></section><section><h2>Series by series</h2>");
    filter::form(&mut body, &PICKS, Moves::Sized);
    filter::table(&mut body, &PICKS, SORT);
    body.put(HEAD).put("</tbody></table></div>").put(FOOT).put("</div>");
    body.put("<section><h2>Drawn already</h2>");
    pair_list(&mut body, Depth::Top, pairs);
    body.put("<noscript><p>Any two other commits need this site's script.</p></noscript></section>");
    page(site, "Compare", Depth::Top, &body)
}

/// The pairs that are drawn.
pub(super) fn pair_list(body: &mut Html, depth: Depth, pairs: &[Pair]) {
    if pairs.is_empty() {
        body.put("<p>There are no two commits to compare yet.</p>");
        return;
    }
    body.put("<ul class=\"duels pairs\">");
    for pair in pairs.iter().rev() {
        body.put("\n<li>");
        links::to(body, (depth, "compare/"), &pair.file(), &format!("{} → {}", pair.from.name, pair.to.name));
        body.put(" <small>").text(&date(pair.from.at_s)).put(" to ").text(&date(pair.to.at_s)).put("</small>");
    }
    body.put("</ul>");
}
