//! Text within HTML, SVG and XML: whatever it holds, it makes no element, no attribute and no link.

use std::borrow::Cow;

use super::escape;

/// Foreign text for the inside of an element or of a quoted attribute. What cannot be seen, or turns the reading
/// direction, is shown as its code.
///
/// ```
/// # use tachograph::show::markup::escaped;
/// assert_eq!(escaped("a<b a=\"1\" 'c' & d>"), "a&lt;b a=&quot;1&quot; &#39;c&#39; &amp; d&gt;");
/// ```
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    let visible = escape::line(text);
    if !visible.contains(['&', '<', '>', '"', '\'', '\u{fffe}', '\u{ffff}']) {
        return visible;
    }
    let mut safe = String::with_capacity(visible.len() + 16);
    for sign in visible.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // No characters in XML.
            '\u{fffe}' | '\u{ffff}' => safe.extend(sign.escape_unicode()),
            sign => safe.push(sign),
        }
    }
    Cow::Owned(safe)
}
