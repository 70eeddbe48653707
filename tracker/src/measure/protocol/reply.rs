//! What a worker answers, read strictly.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

use super::bounded::Bounded;
use super::{LONGEST_PROFILE_BYTES, VERSIONS};
use crate::domain::Metric;

/// The largest value that a metric may have: a worker that says more is broken, whatever it counts.
pub(super) const LARGEST_VALUE: f64 = 1e24;

/// The longest piece of a worker's line that an error shows, in characters.
const LONGEST_QUOTE: usize = 200;

/// A worker's greeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The version that both will speak.
    pub version: u32,
    /// What the worker calls itself.
    pub worker: String,
    /// Optional requests that it understands.
    pub offers: BTreeSet<String>,
}

/// What a worker says of one slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The time of all iterations together, by the worker's clock.
    pub elapsed_ns: u64,
    /// The declared metrics' values per iteration, in the order of their declaration.
    pub metrics: Vec<f64>,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The answer is the expected one, or none was expected.
    Right,
    /// The answer is wrong, with what the worker says of it.
    Wrong(String),
}

/// Why a line is not the reply that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The worker answered with an error; it goes on.
    #[error("the worker refused `{request}`: {message}")]
    Refused {
        /// The request's name.
        request: &'static str,
        /// What the worker says.
        message: String,
    },
    /// The reply is longer than this kind of reply may be; the worker goes on.
    #[error("the worker's reply to `{request}` has {bytes} bytes, more than the {most} that are taken")]
    TooLong {
        /// The request's name.
        request: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// The line is no such reply; what follows cannot be trusted.
    #[error("the worker's reply to `{request}` is malformed: {why}; it wrote: {line}")]
    Malformed {
        /// The request's name.
        request: &'static str,
        /// What is wrong with the line.
        why: String,
        /// The line, shortened.
        line: String,
    },
}

/// Shows a hostile line: its beginning, control characters and what is no UTF-8 escaped.
#[must_use]
pub fn quote(line: &[u8]) -> String {
    // Four bytes are the longest character, so this is enough for the quote, however long the line.
    let beginning = &line[..line.len().min(4 * LONGEST_QUOTE)];
    let text = String::from_utf8_lossy(beginning);
    let mut quoted = String::new();
    let mut characters = text.chars();
    for character in characters.by_ref().take(LONGEST_QUOTE) {
        if character == '"' || character == '\'' {
            quoted.push(character);
        } else {
            quoted.extend(character.escape_debug());
        }
    }
    if characters.next().is_some() || beginning.len() < line.len() {
        // Writing to a string cannot fail.
        let _ = write!(quoted, "… ({} bytes)", line.len());
    }
    quoted
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    reply: Cow<'a, str>,
}

#[derive(Deserialize)]
struct ErrorReply<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// Reads `line` as the reply to `request`: an error of the worker's is an error here, everything else must be a `T`.
pub(super) fn parse<'a, T: Deserialize<'a>>(request: &'static str, line: &'a [u8]) -> Result<T, ReplyError> {
    let wrong = |why: String| ReplyError::Malformed { request, why, line: quote(line) };
    let head: Head<'a> = serde_json::from_slice(line).map_err(|error| wrong(plain(&error)))?;
    if head.reply == "error" {
        let error: ErrorReply<'a> = serde_json::from_slice(line).map_err(|error| wrong(plain(&error)))?;
        return Err(ReplyError::Refused { request, message: quote(error.message.as_bytes()) });
    }
    if head.reply != request {
        return Err(wrong(format!("it is a reply to `{}`", quote(head.reply.as_bytes()))));
    }
    serde_json::from_slice(line).map_err(|error| wrong(plain(&error)))
}

/// A parser's complaint without "at line 1": there is only one. It may quote the line itself, hence is escaped too.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = match text.rfind(" at line ") {
        Some(end) if error.line() <= 1 => format!("{} (at byte {})", &text[..end], error.column()),
        _ => text,
    };
    quote(text.as_bytes())
}

#[derive(Deserialize)]
struct RawHello {
    version: u32,
    // Required by the protocol, so that both sides can say what would have worked; nothing else hangs on it.
    #[serde(rename = "versions")]
    _versions: Bounded<u32, 1000>,
    worker: String,
    #[serde(default)]
    offers: Bounded<String, 100>,
}

/// Reads the reply to `hello`.
pub fn parse_hello(line: &[u8]) -> Result<Hello, ReplyError> {
    let raw: RawHello = parse("hello", line)?;
    if !VERSIONS.contains(&raw.version) {
        let why = format!("it chose version {} of the protocol, we speak {VERSIONS:?}", raw.version);
        return Err(ReplyError::Malformed { request: "hello", why, line: quote(line) });
    }
    let worker = quote(raw.worker.as_bytes());
    Ok(Hello { version: raw.version, worker, offers: raw.offers.0.into_iter().collect() })
}

#[derive(Deserialize)]
struct RawRun<'a> {
    elapsed_ns: u64,
    #[serde(borrow, default)]
    metrics: BTreeMap<Cow<'a, str>, f64>,
}

/// Reads the reply to `run` of a benchmark that declares `metrics`.
pub fn parse_run(line: &[u8], metrics: &[Metric]) -> Result<Slice, ReplyError> {
    let raw: RawRun<'_> = parse("run", line)?;
    let wrong = |why: String| ReplyError::Malformed { request: "run", why, line: quote(line) };
    if raw.elapsed_ns == 0 {
        return Err(wrong("`elapsed_ns` is 0; work takes time, so a coarse clock must say at least 1".to_owned()));
    }
    let value = |metric: &Metric| match raw.metrics.get(metric.name.as_str()) {
        None => Err(wrong(format!("the declared metric \"{}\" is missing", quote(metric.name.as_bytes())))),
        Some(&value) if (0.0..=LARGEST_VALUE).contains(&value) => Ok(value),
        Some(&value) => {
            let name = quote(metric.name.as_bytes());
            Err(wrong(format!("the metric \"{name}\" is {value}; values lie between 0 and {LARGEST_VALUE:e}")))
        }
    };
    Ok(Slice { elapsed_ns: raw.elapsed_ns, metrics: metrics.iter().map(value).collect::<Result<_, _>>()? })
}

#[derive(Deserialize)]
struct RawCheck {
    ok: bool,
    message: Option<String>,
}

/// Reads the reply to `check`.
pub fn parse_check(line: &[u8]) -> Result<Answer, ReplyError> {
    let raw: RawCheck = parse("check", line)?;
    if raw.ok {
        return Ok(Answer::Right);
    }
    let message = raw.message.unwrap_or_else(|| "the answer is not the expected one".to_owned());
    Ok(Answer::Wrong(quote(message.as_bytes())))
}

#[derive(Deserialize)]
struct Nothing {}

/// Reads the reply to `drop`.
pub fn parse_drop(line: &[u8]) -> Result<(), ReplyError> {
    parse::<Nothing>("drop", line).map(|Nothing {}| ())
}

#[derive(Deserialize)]
struct RawProfile {
    profile: serde_json::Map<String, serde_json::Value>,
}

/// Reads the reply to `profile`.
pub fn parse_profile(line: &[u8]) -> Result<serde_json::Value, ReplyError> {
    if line.len() > LONGEST_PROFILE_BYTES {
        return Err(ReplyError::TooLong { request: "profile", bytes: line.len(), most: LONGEST_PROFILE_BYTES });
    }
    parse::<RawProfile>("profile", line).map(|raw| serde_json::Value::Object(raw.profile))
}

/// Reads the reply to `count`.
pub fn parse_count(line: &[u8]) -> Result<(), ReplyError> {
    parse::<Nothing>("count", line).map(|Nothing {}| ())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Direction, Kind, Unit};

    fn allocations() -> Vec<Metric> {
        let unit = Unit::new("count");
        vec![Metric { name: "allocations".to_owned(), unit, better: Direction::Lower, kind: Kind::Exact }]
    }

    fn why<T: std::fmt::Debug>(result: Result<T, ReplyError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn the_replies_of_the_protocol_page_are_read() {
        let page = include_str!("../../../harness/PROTOCOL.md");
        let mut replies = page.lines().filter_map(|line| line.trim().strip_prefix("← ")).map(str::as_bytes);
        let mut next = || replies.next().unwrap();
        let hello = parse_hello(next()).unwrap();
        assert_eq!((hello.version, hello.worker.as_str()), (1, "my-suite 1.0"));
        assert!(hello.offers.contains("profile"));
        let benchmarks = super::super::parse_list(next()).unwrap();
        assert_eq!((benchmarks[0].name.as_str(), benchmarks[0].metrics.clone()), ("sum/1000", allocations()));
        let slice = parse_run(next(), &benchmarks[0].metrics).unwrap();
        assert_eq!(slice, Slice { elapsed_ns: 1_034_221, metrics: vec![0.0] });
        assert_eq!(parse_check(next()).unwrap(), Answer::Right);
        assert_eq!(parse_check(next()).unwrap(), Answer::Wrong("expected 499500, got 499501".to_owned()));
        parse_drop(next()).unwrap();
        assert_eq!(parse_profile(next()).unwrap(), serde_json::json!({"scopes": []}));
        parse_count(next()).unwrap();
        let refused = parse_run(next(), &[]).unwrap_err();
        assert_eq!(refused.to_string(), "the worker refused `run`: no benchmark named \"sum/1001\"");
    }

    #[test]
    fn a_number_that_cannot_be_is_refused_with_its_line() {
        let cases = [
            (r#"{"reply":"run"}"#, "missing field `elapsed_ns`"),
            (r#"{"reply":"run","elapsed_ns":0,"metrics":{"allocations":1}}"#, "work takes time"),
            (r#"{"reply":"run","elapsed_ns":-5,"metrics":{"allocations":1}}"#, "invalid value: integer `-5`"),
            (r#"{"reply":"run","elapsed_ns":1.5,"metrics":{"allocations":1}}"#, "invalid type: floating point `1.5`"),
            (r#"{"reply":"run","elapsed_ns":NaN,"metrics":{"allocations":1}}"#, "expected value"),
            (r#"{"reply":"run","elapsed_ns":1e30,"metrics":{"allocations":1}}"#, "invalid type: floating point"),
            (r#"{"reply":"run","elapsed_ns":99999999999999999999,"metrics":{}}"#, "invalid type: floating point"),
            (r#"{"reply":"run","elapsed_ns":"5","metrics":{"allocations":1}}"#, "invalid type: string"),
            (r#"{"reply":"run","elapsed_ns":5,"elapsed_ns":6}"#, "duplicate field `elapsed_ns`"),
            (r#"{"reply":"run","elapsed_ns":5,"metrics":{}}"#, "\"allocations\" is missing"),
            (r#"{"reply":"run","elapsed_ns":5}"#, "\"allocations\" is missing"),
            (r#"{"reply":"run","elapsed_ns":5,"metrics":{"allocations":-1}}"#, "values lie between 0 and 1e24"),
            (r#"{"reply":"run","elapsed_ns":5,"metrics":{"allocations":1e25}}"#, "values lie between 0 and 1e24"),
            (r#"{"reply":"run","elapsed_ns":5,"metrics":{"allocations":1e999}}"#, "number out of range"),
            (r#"{"reply":"run","elapsed_ns":5,"metrics":{"allocations":Infinity}}"#, "expected value"),
            (r#"{"reply":"run","elapsed_ns":5,"metrics":{"allocations":null}}"#, "invalid type: null"),
            (r#"{"reply":"check","ok":true}"#, "it is a reply to `check`"),
            ("[1]", "invalid type"),
            ("", "EOF while parsing"),
            ("hello world", "expected value"),
        ];
        for (line, reason) in cases {
            let message = why(parse_run(line.as_bytes(), &allocations()));
            assert!(message.contains(reason), "{line}: {message}");
            assert!(message.ends_with(&format!("it wrote: {line}")), "{line}: {message}");
        }
    }

    #[test]
    fn an_unknown_field_and_an_undeclared_metric_are_ignored() {
        let line = br#"{"reply":"run","elapsed_ns":5,"metrics":{"other":3},"later":{"than":["us"]}}"#;
        assert_eq!(parse_run(line, &[]).unwrap(), Slice { elapsed_ns: 5, metrics: vec![] });
    }

    #[test]
    fn a_version_that_we_do_not_speak_is_refused() {
        let line = br#"{"reply":"hello","version":9,"versions":[9],"worker":"later"}"#;
        assert!(why(parse_hello(line)).contains("it chose version 9 of the protocol, we speak [1]"));
    }

    #[test]
    fn a_profile_is_an_object_of_bounded_size() {
        assert!(why(parse_profile(br#"{"reply":"profile","profile":[1]}"#)).contains("invalid type: sequence"));
        let long = format!(r#"{{"reply":"profile","profile":{{"x":"{}"}}}}"#, "y".repeat(LONGEST_PROFILE_BYTES));
        assert!(why(parse_profile(long.as_bytes())).contains("more than the 1048576"));
    }

    #[test]
    fn a_quote_is_short_and_harmless_on_a_terminal() {
        assert_eq!(quote(b"\x1b[2Jred\x00\xff\t"), "\\u{1b}[2Jred\\0\u{fffd}\\t");
        let long = quote(&vec![b'x'; 1 << 20]);
        assert_eq!(long, format!("{}… (1048576 bytes)", "x".repeat(LONGEST_QUOTE)));
    }

    #[test]
    fn deep_nesting_is_refused_instead_of_eating_the_stack() {
        let (open, close) = ("[".repeat(400_000), "]".repeat(400_000));
        let deep = format!(r#"{{"reply":"profile","profile":{{"x":{open}{close}}}}}"#);
        assert!(why(parse_profile(deep.as_bytes())).contains("recursion limit"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read_but_never_panic(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_hello(&line);
            let _ = super::super::parse_list(&line);
            let _ = parse_check(&line);
            let _ = parse_drop(&line);
            let _ = parse_profile(&line);
            let _ = parse_count(&line);
            prop_assert!(parse_run(&line, &[]).is_err());
        }

        #[test]
        fn a_run_is_read_as_it_was_written(elapsed_ns in 1..u64::MAX, value in 0.0..1e24) {
            let line = format!(r#"{{"metrics":{{"allocations":{value:?}}},"reply":"run","elapsed_ns":{elapsed_ns}}}"#);
            let slice = parse_run(line.as_bytes(), &allocations()).unwrap();
            prop_assert_eq!(slice, Slice { elapsed_ns, metrics: vec![value] });
        }

        #[test]
        fn a_truncated_run_is_never_read(cut in 0usize..62) {
            let line = br#"{"reply":"run","elapsed_ns":123456,"metrics":{"allocations":7}}"#;
            prop_assert!(parse_run(&line[..cut], &allocations()).is_err());
        }

        #[test]
        fn a_quote_has_no_control_characters(line in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let quoted = quote(&line);
            prop_assert!(!quoted.chars().any(char::is_control));
            prop_assert!(quoted.len() <= 12 * LONGEST_QUOTE + 40);
        }
    }
}
