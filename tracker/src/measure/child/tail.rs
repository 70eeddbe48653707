//! The end of what a child wrote to standard error, fit for keeping.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fmt::Write as _;

use super::Program;

/// How much of standard error is kept.
pub const TAIL_BYTES: usize = 64 << 10;

/// How much of a line is told as progress.
const LINE_BYTES: usize = 512;

/// How a secret looks that leaked into a message, by its beginning; a rest of 16 characters or more makes it one.
const TOKEN_PREFIXES: [&str; 12] =
    ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "AKIA", "npm_", "pypi-"];

/// The last bytes of a stream.
#[derive(Debug, Default)]
pub(super) struct Tail {
    kept: VecDeque<u8>,
    dropped: u64,
}

impl Tail {
    /// Takes what came next.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let fresh = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
        let over = (self.kept.len() + fresh.len()).saturating_sub(TAIL_BYTES);
        self.kept.drain(..over);
        self.kept.extend(fresh);
        self.dropped += (over + bytes.len() - fresh.len()) as u64;
    }

    /// The last line that says anything, fit for a terminal: no control characters, no escape sequences.
    pub(super) fn last_line(&self) -> String {
        let skipped = self.kept.len().saturating_sub(LINE_BYTES);
        let bytes: Vec<u8> = self.kept.iter().skip(skipped).copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let said = text.rsplit(['\n', '\r']).map(plain).find(|line| !line.trim().is_empty());
        said.unwrap_or_default().trim().to_owned()
    }

    /// The tail as text: what was left out and what was no text is said, and what nobody should read is gone.
    pub(super) fn text(&self, program: &Program) -> String {
        let bytes: Vec<u8> = self.kept.iter().copied().collect();
        let (text, broken) = decoded(&bytes);
        let mut told = without_secrets(&text, program);
        if self.dropped > 0 {
            told.insert_str(0, &format!("[{} bytes before this were left out]\n", self.dropped));
        }
        if broken > 0 {
            let _ = write!(told, "\n[{broken} places were no UTF-8 text and are shown as \u{fffd}]");
        }
        told
    }
}

/// A line without escape sequences and control characters.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' && rest.next_if_eq(&'[').is_some() {
            while rest.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
        } else if !c.is_control() {
            plain.push(c);
        }
    }
    plain
}

/// Bytes as text, with the number of places that were none.
pub(super) fn decoded(bytes: &[u8]) -> (String, usize) {
    let mut text = String::with_capacity(bytes.len());
    let mut broken = 0;
    for chunk in bytes.utf8_chunks() {
        broken += chunk.valid().matches('\0').count();
        text.push_str(&chunk.valid().replace('\0', "\u{fffd}"));
        if !chunk.invalid().is_empty() {
            broken += 1;
            text.push('\u{fffd}');
        }
    }
    (text, broken)
}

/// Replaces the values of variables that were passed by name, where things stand on this machine, and what looks like
/// a token.
pub(super) fn without_secrets(text: &str, program: &Program) -> String {
    let mut text = text.to_owned();
    for (name, value) in program.environment.passed() {
        // A value like `1` or `true` is no secret, and replacing it would garble the text.
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
            && value.len() >= 6
        {
            text = text.replace(value, &format!("<{name}>"));
        }
    }
    let home = program.environment.value("HOME");
    for (path, shown) in [(Some(program.directory.as_os_str()), "<directory>"), (home, "~")] {
        if let Some(path) = path.and_then(OsStr::to_str)
            && path.len() > 1
        {
            text = text.replace(path, shown);
        }
    }
    for prefix in TOKEN_PREFIXES {
        text = without_tokens(&text, prefix);
    }
    text
}

fn without_tokens(text: &str, prefix: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(prefix) {
        let after = &rest[at + prefix.len()..];
        let length = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(after.len());
        clean.push_str(&rest[..at]);
        clean.push_str(if length >= 16 { "<token>" } else { &rest[at..at + prefix.len() + length] });
        rest = &after[length..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::super::Environment;
    use super::*;

    fn program() -> Program {
        let environment = Environment::worker().with("HOME", "/home/ada");
        Program::new(["worker"], "/home/ada/tree", environment).unwrap()
    }

    fn text_of(bytes: &[u8]) -> String {
        let mut tail = Tail::default();
        tail.push(bytes);
        tail.text(&program())
    }

    #[test]
    fn only_the_end_is_kept_and_the_rest_is_counted() {
        let mut tail = Tail::default();
        tail.push(&vec![b'a'; TAIL_BYTES * 3]);
        tail.push(b"the end");
        assert_eq!(tail.kept.len(), TAIL_BYTES);
        let text = tail.text(&program());
        assert!(text.starts_with(&format!("[{} bytes before this were left out]\n", TAIL_BYTES * 2 + 7)));
        assert!(text.ends_with("aathe end"));
    }

    #[test]
    fn what_is_no_text_is_said() {
        assert_eq!(text_of(b"ok"), "ok");
        let text = text_of(b"a\xff\xfeb\0c");
        assert!(text.starts_with("a\u{fffd}\u{fffd}b\u{fffd}c\n[3 places"), "{text}");
    }

    #[test]
    fn progress_is_one_plain_line() {
        let mut tail = Tail::default();
        assert_eq!(tail.last_line(), "");
        tail.push(b"first\n  \x1b[1;32mCompiling\x1b[0m engine\x07\n\n");
        assert_eq!(tail.last_line(), "Compiling engine");
    }

    #[test]
    fn paths_of_this_machine_and_tokens_are_not_kept() {
        assert_eq!(text_of(b"at /home/ada/tree/src/x.rs and /home/ada/.cargo"), "at <directory>/src/x.rs and ~/.cargo");
        assert_eq!(text_of(b"push with ghp_0123456789abcdefABCD failed"), "push with <token> failed");
        assert_eq!(text_of(b"the prefix ghp_ alone"), "the prefix ghp_ alone");
    }
}
