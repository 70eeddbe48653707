//! What cargo is asked, and what it tells in its JSON messages.

use std::ffi::OsString;
use std::io::{self, BufRead, Read};
use std::path::PathBuf;

use serde::Deserialize;

use super::{CargoBench, Site};

/// A longer message is none of those that matter here: it is skipped.
const LONGEST_MESSAGE_BYTES: u64 = 4 << 20;

/// How much of the compiler's errors is kept. The first count: what follows are often their consequences.
const ERRORS_BYTES: usize = 64 << 10;

/// What cargo told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The executable of the bench target.
    pub(super) executable: Option<PathBuf>,
    /// The compiler's errors, as it shows them.
    pub(super) errors: String,
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Artifact { target: Target, executable: Option<PathBuf> },
    #[serde(rename = "compiler-message")]
    Complaint { message: Diagnostic },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

/// The command line that builds a bench target and runs nothing.
pub(super) fn arguments(site: &Site, bench: &CargoBench) -> Vec<OsString> {
    let words = ["cargo", "bench", "--no-run", "--message-format", "json", "--package", &bench.package, "--bench"];
    let mut arguments: Vec<OsString> = words.map(OsString::from).into();
    arguments.push((&bench.bench).into());
    if !bench.features.is_empty() {
        arguments.extend(["--features".into(), bench.features.join(",").into()]);
    }
    arguments.extend(["--target-dir".into(), site.target.clone().into_os_string()]);
    arguments
}

/// Reads cargo's messages. What is no message, or one that does not matter, is passed over: a procedural macro may
/// print what it likes.
pub(super) fn read(lines: &mut impl BufRead, bench: &str) -> io::Result<Told> {
    let mut told = Told::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = lines.by_ref().take(LONGEST_MESSAGE_BYTES).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(told);
        }
        if line.last() != Some(&b'\n') && length as u64 == LONGEST_MESSAGE_BYTES {
            lines.skip_until(b'\n')?;
        } else if let Ok(message) = serde_json::from_slice(&line) {
            told.hear(message, bench);
        }
    }
}

impl Told {
    fn hear(&mut self, message: Message, bench: &str) {
        match message {
            Message::Artifact { target, executable: Some(executable) }
                if target.name == bench && target.kind.iter().any(|kind| kind == "bench") =>
            {
                self.executable = Some(executable);
            }
            Message::Complaint { message: Diagnostic { level, rendered: Some(rendered) } }
                if level.starts_with("error") && self.errors.len() + rendered.len() <= ERRORS_BYTES =>
            {
                self.errors.push_str(&rendered);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Told {
        read(&mut text.as_bytes(), "suite").unwrap()
    }

    #[test]
    fn the_executable_is_that_of_the_bench_target() {
        let text = r#"{"reason":"compiler-artifact","target":{"name":"suite","kind":["lib"]},"executable":null}
{"reason":"compiler-artifact","target":{"name":"other","kind":["bench"]},"executable":"/t/other"}
a line from a procedural macro
{"reason":"compiler-artifact","target":{"name":"suite","kind":["bench"]},"executable":"/t/suite-1"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(told(text), Told { executable: Some("/t/suite-1".into()), errors: String::new() });
    }

    #[test]
    fn errors_are_kept_and_warnings_are_not() {
        let text = r#"{"reason":"compiler-message","message":{"level":"warning","rendered":"warning: w\n"}}
{"reason":"compiler-message","message":{"level":"error","rendered":"error: e\n"}}
{"reason":"compiler-message","message":{"level":"error: internal compiler error","rendered":"error: ice\n"}}"#;
        assert_eq!(told(text).errors, "error: e\nerror: ice\n");
    }

    #[test]
    fn an_endless_line_is_passed_over() {
        let message = r#"{"reason":"compiler-message","message":{"level":"error","rendered":"error: e"}}"#;
        let text = format!("{}\n{message}\n", "x".repeat(10 << 20));
        assert_eq!(told(&text).errors, "error: e");
    }
}
