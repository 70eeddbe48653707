//! Foreign text on a terminal: what could move the cursor, set a title, reach the clipboard or turn the reading
//! direction is shown as its code.

use std::borrow::Cow;

/// Text for one line: line breaks and tabs are shown as codes too.
///
/// ```
/// # use tachograph::show::escape::line;
/// assert_eq!(line("kernel/naïve"), "kernel/naïve");
/// assert_eq!(line("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
/// ```
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_risky)
}

/// Text of several lines: line breaks and tabs stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |sign| is_risky(sign) && !matches!(sign, '\n' | '\t'))
}

fn escape(text: &str, risky: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&risky) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for sign in text.chars() {
        match sign {
            sign if !risky(sign) => safe.push(sign),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            sign => safe.extend(sign.escape_unicode()),
        }
    }
    Cow::Owned(safe)
}

/// Control characters, and those of Unicode's format characters that turn the direction or cannot be seen.
fn is_risky(sign: char) -> bool {
    sign.is_control()
        || matches!(sign,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        let nasty = "\u{1b}]52;c;aGk=\u{7}\u{9b}31m\u{7f}\u{0}\u{202e}\u{2066}\u{200b}\u{feff}\r\n\t";
        assert!(!line(nasty).contains(is_risky));
        assert_eq!(lines(nasty).chars().filter(|&sign| is_risky(sign)).collect::<String>(), "\n\t");
    }

    #[test]
    fn letters_of_any_script_stay_as_they_are() {
        let text = "größe/Ω/数/🚚";
        assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
    }
}
