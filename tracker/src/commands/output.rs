//! Standard output: what it can show, and whether somebody still reads.

use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;
use serde::Serialize;

use crate::failure::{Classify, Outcome};
use crate::show::style::Style;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shape {
    /// For reading
    Text,
    /// For programs
    Json,
}

/// Whether somebody still reads the answer; `| head` stops when it has seen enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    There,
    Gone,
}

/// Writes a piece of a verb's answer to standard output.
pub(super) fn say(text: &str) -> Outcome<Reader> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        written => written.map(|()| Reader::There).or_environment("writing to standard output"),
    }
}

/// An answer for programs.
pub(super) fn json<T: Serialize>(answer: &T) -> Outcome<String> {
    Ok(serde_json::to_string(answer).or_environment("writing the answer as JSON")? + "\n")
}

/// How standard output is to be laid out.
pub(super) fn style() -> Style {
    let out = std::io::stdout();
    if !out.is_terminal() {
        return Style::default();
    }
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let width =
        rustix::termios::tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col)).filter(|&width| width > 0);
    Style { colour: !set("NO_COLOR") && !dumb, width }
}
