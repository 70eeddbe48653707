//! The form above a list: search, filters and thresholds. The script shows it and does what it says.

use super::html::Html;

/// A column that one can pick a value of: what it is called, and its place.
pub(super) type Pick = (&'static str, usize);

/// Whether a list has moves to be told apart by their size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moves {
    /// It has none.
    None,
    /// The script finds a move, and how many times its noise it is, among the keys.
    Sized,
}

/// The form. The values to pick from are what the list holds.
pub(super) fn form(body: &mut Html, picks: &[Pick], moves: Moves) {
    body.put("<form id=\"filter\" class=\"tools\" hidden><label>Find <input type=\"search\" name=\"q\" autocomplete=\"off\"></label> ");
    for &(name, _) in picks {
        body.put("<label>")
            .put(name)
            .put(" <select name=\"")
            .put(name)
            .put("\"><option value=\"\">all</option></select></label> ");
    }
    if moves == Moves::Sized {
        body.put("<label>at least <input type=\"number\" name=\"least\" min=\"0\" step=\"any\" inputmode=\"decimal\" size=\"5\"> %</label> ")
            .put("<label>factor at least <input type=\"number\" name=\"factor\" min=\"0\" step=\"any\" inputmode=\"decimal\" size=\"5\"></label> ")
            .put("<label>only <select name=\"only\"><option value=\"\">all</option><option>worse</option><option>better</option></select></label> ");
    }
    body.put("<output id=\"shown\"></output></form>");
}

/// The beginning of a table that the form works on. `sort` tells which columns are sorted by which key: `0 -,5 0`.
pub(super) fn table(body: &mut Html, picks: &[Pick], sort: &'static str) {
    body.put("<div class=\"wide\"><table id=\"rows\" data-sort=\"").put(sort).put("\" data-picks=\"");
    for (at, &(name, column)) in picks.iter().enumerate() {
        body.put(if at == 0 { "" } else { "," }).put(name).put(" ").count(column);
    }
    body.put("\">");
}

/// What the script sorts by: numbers, or nothing.
pub(super) fn keys(values: impl IntoIterator<Item = Option<f64>>) -> String {
    let key = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.5e}"));
    values.into_iter().map(key).collect::<Vec<_>>().join(" ")
}
