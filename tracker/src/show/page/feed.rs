//! The newest changes as an Atom feed (RFC 4287), for readers that poll. An entry keeps its identity from one publishing to
//! the next.

use std::fmt::Write as _;

use super::frame::Site;
use super::row::{Cause, Row, causes};
use crate::show::markup::escaped;

/// How many entries a feed holds.
const ENTRIES: usize = 50;

/// The feed.
#[must_use]
pub fn atom(site: &Site, rows: &[Row]) -> String {
    let causes = causes(rows);
    let newest = causes.first().map_or(0, |cause| cause.first().at_s);
    let name = escaped(&site.name);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\
         <title>Changes of {name}</title><id>urn:tachograph:changes</id><updated>{}</updated>\
         <author><name>Tachograph</name></author><link rel=\"alternate\" href=\"changes.html\"/>",
        moment(newest)
    );
    for cause in causes.iter().take(ENTRIES) {
        entry(&mut out, cause);
    }
    out.push_str("\n</feed>\n");
    out
}

fn entry(out: &mut String, cause: &Cause<'_>) {
    let first = cause.first();
    let id = cause.id();
    let title = format!("{} {}: {}", first.size, first.turn.as_str(), first.subject);
    let mut summary = String::new();
    for (row, change) in cause.changes.iter().take(20) {
        let _ = writeln!(summary, "{} · {} · {}: {}", row.benchmark, row.metric.name, row.machine, change.size);
    }
    // Writing to a text cannot fail.
    let _ = write!(
        out,
        "\n<entry><title>{}</title><id>urn:tachograph:cause:{id}</id><updated>{}</updated>\
         <link rel=\"alternate\" href=\"changes.html#c{}\"/><summary>{}</summary></entry>",
        escaped(&title),
        moment(first.at_s),
        id.short(),
        summary.lines().map(escaped).collect::<Vec<_>>().join("\n"),
    );
}

fn moment(at_s: i64) -> String {
    jiff::Timestamp::from_second(at_s).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::{change, row};
    use super::*;
    use crate::domain::Turn;

    #[test]
    fn an_entry_keeps_its_identity_when_newer_changes_come() {
        let site = Site { name: "a & b".to_owned(), version: "1".to_owned() };
        let first = row("a/<b>", vec![change(9, Turn::Regression, 0.05)]);
        let before = atom(&site, std::slice::from_ref(&first));
        let id = before.split("urn:tachograph:cause:").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
        let after = atom(&site, &[first, row("c", vec![change(30, Turn::Improvement, -0.1)])]);
        assert!(after.contains(id) && after.matches("<entry>").count() == 2);
        let mut reader = quick_xml::Reader::from_str(&after);
        while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        assert!(after.contains("a/&lt;b&gt; · time · lorry: +5.0 %"), "{after}");
    }
}
