//! What all pages have around them.

use super::html::Html;

/// What every page of a site knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The project's name.
    pub name: String,
    /// The version of the program that drew it.
    pub version: String,
}

/// Where a page stands in the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// At the top.
    Top,
    /// In a folder.
    Folder,
}

impl Depth {
    /// The way to the top.
    pub(super) fn up(self) -> &'static str {
        match self {
            Depth::Top => "",
            Depth::Folder => "../",
        }
    }
}

/// A whole page. The policy lets it load nothing but the site's own style and script, and send nothing anywhere.
pub(super) fn page(site: &Site, title: &str, depth: Depth, body: &Html) -> String {
    let up = depth.up();
    let mut html = Html::default();
    html.put("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .put("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'self'; ")
        .put("script-src 'self'; base-uri 'none'; form-action 'none'\">")
        .put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .put("<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\"><title>")
        .text(title)
        .put(" · ")
        .text(&site.name)
        .put("</title><link rel=\"stylesheet\" href=\"")
        .put(up)
        .put("site.css\"><link rel=\"alternate\" type=\"application/atom+xml\" title=\"Changes\" href=\"")
        .put(up)
        .put("changes.atom\"><script defer src=\"")
        .put(up)
        .put("history.js\"></script><script defer src=\"")
        .put(up)
        .put("site.js\"></script></head>\n<body><header><a class=\"skip\" href=\"#main\">Skip to the content</a><nav><b>")
        .text(&site.name)
        .put("</b> <a href=\"")
        .put(up)
        .put("index.html\">Overview</a> <a href=\"")
        .put(up)
        .put("changes.html\">Changes</a> <a href=\"")
        .put(up)
        .put("runs.html\">Runs and duels</a> <a href=\"")
        .put(up)
        .put("compare.html\">Compare</a> <a href=\"")
        .put(up)
        .put("boards.html\">Dashboards</a></nav></header>\n<main id=\"main\">")
        .piece(body)
        .put("</main>\n<footer>Drawn by Tachograph ")
        .text(&site.version)
        .put(" from its store of runs. No page of this site asks anything of any server.</footer></body></html>\n");
    html.finish()
}
