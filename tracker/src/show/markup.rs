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
    escape::entities(escape::line(text))
}
