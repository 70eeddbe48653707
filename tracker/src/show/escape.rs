//! Foreign text on a terminal and in a job's log: what could move the cursor, set a title, reach the clipboard, turn the
//! reading direction or be taken for a command to the job's runner is shown as its code.

use std::borrow::Cow;

use super::table::shorten;

/// A name that is longer than this is shown without its middle.
const LONGEST_IN_MARKDOWN: usize = 200;

/// Text for one line: line breaks and tabs are shown as codes too.
///
/// ```
/// # use tachograph::show::escape::line;
/// assert_eq!(line("kernel/naïve"), "kernel/naïve");
/// assert_eq!(line("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
/// ```
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    without_commands(escape(text, is_risky))
}

/// Text of several lines: line breaks and tabs stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    without_commands(escape(text, |sign| is_risky(sign) && !matches!(sign, '\n' | '\t')))
}

/// A runner that reads a job's output takes `::word::` at the beginning of a line, and `##[word]` anywhere, for a command.
fn without_commands(text: Cow<'_, str>) -> Cow<'_, str> {
    let begins = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##[") && !text.split('\n').any(begins) {
        return text;
    }
    let safe = |line: &str| if begins(line) { line.replacen("::", "\\u{3a}:", 1) } else { line.to_owned() };
    let lines: Vec<String> = text.replace("##[", "#\\u{23}[").split('\n').map(safe).collect();
    Cow::Owned(lines.join("\n"))
}

/// Text within a command to the runner of a job, `::error title=HERE::AND HERE`.
#[must_use]
pub fn workflow(text: &str) -> String {
    let visible = escape(text, |sign| is_risky(sign) && sign != '\n');
    let mut safe = String::with_capacity(visible.len());
    for sign in visible.chars() {
        match sign {
            '%' => safe.push_str("%25"),
            '\n' => safe.push_str("%0A"),
            ':' => safe.push_str("%3A"),
            ',' => safe.push_str("%2C"),
            sign => safe.push(sign),
        }
    }
    safe
}

/// Text within XML, in an element or an attribute.
#[must_use]
pub fn xml(text: &str) -> String {
    entities(escape(text, |sign| is_risky(sign) && sign != '\n')).into_owned()
}

/// The signs that mean something in markup as their entities, and those that XML does not know as their code.
pub(super) fn entities(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'', '\u{fffe}', '\u{ffff}']) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for sign in text.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => safe.extend(sign.escape_unicode()),
            sign => safe.push(sign),
        }
    }
    Cow::Owned(safe)
}

/// Text within Markdown, in a table too: a span of code, in which nothing is a mention, a link, an image or HTML. What
/// would open a comment of HTML is broken up, for comments are found again by one.
#[must_use]
pub fn markdown(text: &str) -> String {
    // Whether a backslash before a backslash before a bar still hides the bar is answered differently by renderers.
    let visible = shorten(&line(text), LONGEST_IN_MARKDOWN).replace("<!--", "<\\u{21}--");
    let visible = visible.replace("\\|", "\\\\u{7c}").replace('|', "\\|");
    let longest = visible.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space beside a backtick, or around nothing but spaces, is taken off again by the renderer.
    let gap = if visible.starts_with('`') || visible.ends_with('`') { " " } else { "" };
    if visible.trim().is_empty() { "` `".to_owned() } else { format!("{fence}{gap}{visible}{gap}{fence}") }
}

/// Text of several lines within Markdown, as a block of code.
#[must_use]
pub fn markdown_block(text: &str) -> String {
    let visible = lines(text).replace("<!--", "<\\u{21}--");
    let longest = visible.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", visible.trim_end())
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
    fn nothing_that_steers_the_runner_of_a_job_gets_through() {
        for nasty in ["::error::x", "  ::set-output name=a::b", "a ##[error]b", "\t::x::"] {
            let shown = line(nasty);
            assert!(!shown.trim_start().starts_with("::") && !shown.contains("##["), "{shown}");
        }
        assert_eq!(lines("std::vec\n ::error::x"), "std::vec\n \\u{3a}:error::x");
        assert_eq!(workflow("100 %: a,b\nc\r"), "100 %25%3A a%2Cb%0Ac\\r");
    }

    #[test]
    fn nothing_makes_markup() {
        assert_eq!(xml("<a b=\"c\">&'\u{1b}\u{ffff}"), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;\\u{1b}\\u{ffff}");
        assert_eq!(markdown("@all [x](y) <b> ![z](w)"), "`@all [x](y) <b> ![z](w)`");
        assert_eq!(markdown("a|b"), "`a\\|b`");
        assert_eq!(markdown("a\\|b"), "`a\\\\u{7c}b`");
        assert_eq!(markdown("`x` ``y"), "``` `x` ``y ```");
        assert_eq!(markdown("a\n# b"), "`a\\n# b`");
        assert_eq!(markdown("<!-- tachograph -->"), "`<\\u{21}-- tachograph -->`");
        assert_eq!(markdown(" "), "` `");
        assert_eq!(markdown_block("```\n@all"), "````text\n```\n@all\n````\n");
        assert!(markdown(&"x".repeat(10_000)).chars().count() < 210);
    }

    #[test]
    fn letters_of_any_script_stay_as_they_are() {
        let text = "größe/Ω/数/🚚";
        assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
    }
}
