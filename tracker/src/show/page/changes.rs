//! Every change of every series, by cause, the newest first.

use super::frame::{Depth, Site, page};
use super::html::Html;
use super::links::Links;
use super::overview;
use super::row::{Row, causes};

/// No page grows without bound; older changes stand on their series' pages.
const CAUSES: usize = 400;

/// The page of changes.
#[must_use]
pub fn page_of(site: &Site, rows: &[Row], links: &Links) -> String {
    let causes = causes(rows);
    let mut body = Html::default();
    body.put("<h1>Changes</h1><p>Where the level of a series moved, the newest first; what moved at one commit the same way stands ")
        .put("together. <a href=\"changes.atom\">Subscribe</a></p>");
    if causes.is_empty() {
        body.put("<p>Nothing moved.</p>");
    }
    body.put("<ol class=\"causes\">");
    for cause in causes.iter().take(CAUSES) {
        overview::cause(&mut body, cause, links);
    }
    body.put("</ol>");
    if causes.len() > CAUSES {
        body.put("<p>").count(causes.len() - CAUSES).put(" older ones stand on the pages of their series.</p>");
    }
    page(site, "Changes", Depth::Top, &body)
}
