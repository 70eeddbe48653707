//! The badge for a README: how the newest commit stands to the last release, in a few words.

use super::markup::escaped;
use super::page::overview::Newest;
use super::page::row::Row;
use super::page::tally::tally;
use super::table::shorten;

/// The width of a character, about.
const LETTER: f64 = 6.6;

/// The badge as an SVG file of its own. It says by a word what it says by a colour.
#[must_use]
pub fn svg(newest: Option<&Newest>, rows: &[Row]) -> String {
    let (words, colour) = match newest {
        None => ("nothing measured".to_owned(), "#59636e"),
        Some(newest) => words(newest, rows),
    };
    let label = "performance";
    let width = |text: &str| text.chars().count() as f64 * LETTER + 12.0;
    let (left, right) = (width(label), width(&words));
    let words = escaped(&words);
    let text = |middle: f64, room: f64, text: &str| {
        format!(
            "<text x=\"{middle:.1}\" y=\"14\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\">{text}</text>",
            room - 12.0
        )
    };
    let whole = left + right;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole:.1}\" height=\"20\" role=\"img\" \
         aria-label=\"{label}: {words}\"><title>{label}: {words}</title>\
         <rect width=\"{whole:.1}\" height=\"20\" rx=\"3\" fill=\"#30363d\"/>\
         <path d=\"M{left:.1} 0h{:.1}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{:.1}z\" fill=\"{colour}\"/>\
         <g fill=\"#ffffff\" text-anchor=\"middle\" font-family=\"Verdana,DejaVu Sans,Geneva,sans-serif\" font-size=\"11\">\
         {}{}</g></svg>\n",
        right - 3.0,
        right - 3.0,
        text(left / 2.0, left, label),
        text(left + right / 2.0, right, &words),
    )
}

fn words(newest: &Newest, rows: &[Row]) -> (String, &'static str) {
    let tally = tally(newest, rows);
    let since = shorten(&tally.since, 20);
    if newest.failed > 0 {
        return (format!("{} failed", newest.failed), "#b8420b");
    }
    match (tally.worse, tally.better) {
        (0, 0) => (format!("steady since {since}"), "#0a5fb4"),
        (0, better) => (format!("{better} better since {since}"), "#00745c"),
        (worse, 0) => (format!("{worse} worse since {since}"), "#b8420b"),
        (worse, better) => (format!("{worse} worse, {better} better since {since}"), "#b8420b"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::row::tests::row;
    use super::*;

    fn newest(release: &str, failed: u64) -> Newest {
        let release = Some(release.to_owned());
        Newest { commit: "ab".to_owned(), subject: "s".to_owned(), at_s: 0, failed, release }
    }

    #[test]
    fn a_badge_says_how_it_stands_and_is_made_by_no_name() {
        let mut worse = row("a", vec![]);
        worse.over[3] = Some(0.02);
        let steady = row("b", vec![]);
        let text = svg(Some(&newest("v1<&\"", 0)), &[worse.clone(), steady.clone()]);
        assert!(text.contains(">1 worse since v1&lt;&amp;&quot;</text>"), "{text}");
        let mut reader = quick_xml::Reader::from_str(&text);
        while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        assert!(svg(Some(&newest("v1", 0)), &[steady]).contains("steady since v1"));
        assert!(svg(Some(&newest("v1", 2)), &[worse]).contains("2 failed"));
        assert!(svg(None, &[]).contains("nothing measured"));
    }
}
