//! Serving a tracker: one reply a request, in order, until the input ends.

mod lines;
mod reply;
mod request;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use serde_json::Value;

use crate::callgrind;
use crate::suite::Suite;
use lines::Line;
use request::Request;

/// The versions of the protocol that are spoken here.
const VERSIONS: [u64; 1] = [1];
/// The longest reply, in bytes, and the longest profile.
const LONGEST_REPLY: usize = 16 << 20;
const LONGEST_PROFILE: usize = 1 << 20;

/// Serves until the input ends or nobody reads the replies.
pub(crate) fn serve(mut suite: Suite<'_>, input: impl BufRead, output: impl Write) -> ExitCode {
    let talked = talk(&mut suite, input, output);
    // Freed one by one, so that a set-up that panics when it is freed does not turn a good end into a bad one.
    for offer in &mut suite.offers {
        let _ = offer.free();
    }
    match talked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "worker {:?}: {error}", suite.name);
            ExitCode::FAILURE
        }
    }
}

fn talk(suite: &mut Suite<'_>, mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut greeted = false;
    while let Some(line) = lines::next(&mut input)? {
        let (reply, line) = match line {
            Line::Whole(line) => (request::parse(&line).and_then(|request| answer(suite, &mut greeted, request)), line),
            Line::TooLong(line) => (Err(format!("a request is at most {} bytes long", lines::LONGEST_REQUEST)), line),
            Line::NotText(line) => (Err("a request must be UTF-8".to_owned()), line),
        };
        output.write_all(&written(reply, &line))?;
        output.flush()?;
    }
    Ok(())
}

/// A reply as bytes: one line, not too long.
fn written(reply: Result<Value, String>, line: &str) -> Vec<u8> {
    let reply = reply.unwrap_or_else(|message| reply::error(&message, line));
    let longest = if reply["reply"] == "profile" { LONGEST_PROFILE } else { LONGEST_REPLY };
    let mut text = reply.to_string();
    if text.len() > longest {
        let message = format!("the reply has {} bytes, and at most {longest} are allowed", text.len());
        text = reply::error(&message, line).to_string();
    }
    text.push('\n');
    text.into_bytes()
}

fn answer(suite: &mut Suite<'_>, greeted: &mut bool, request: Request) -> Result<Value, String> {
    if !*greeted && !matches!(request, Request::Hello { .. }) {
        return Err("hello must come first".to_owned());
    }
    match request {
        Request::Hello { versions } => {
            let version = agree(&versions)?;
            *greeted = true;
            Ok(reply::hello(suite, version, &VERSIONS))
        }
        Request::List => Ok(reply::list(suite)),
        Request::Run { benchmark, iterations } => {
            let at = find(suite, &benchmark)?;
            suite.offers[at].run(iterations, suite.counting).map(|slice| reply::run(&slice))
        }
        Request::Check { benchmark } => {
            let at = find(suite, &benchmark)?;
            suite.offers[at].check().map(|check| reply::check(&check))
        }
        Request::Drop { benchmark } => {
            let at = find(suite, &benchmark)?;
            suite.offers[at].free().map(|()| reply::dropped())
        }
        Request::Profile { benchmark, iterations } => {
            let at = find(suite, &benchmark)?;
            suite.offers[at].profile(iterations, suite.profile.as_mut()).map(|seen| reply::profile(&seen))
        }
        Request::Count { .. } if !callgrind::is_here() => {
            Err("only callgrind can count, and it is not here".to_owned())
        }
        Request::Count { benchmark, iterations } => {
            let at = find(suite, &benchmark)?;
            suite.offers[at].count(iterations).map(|()| reply::counted())
        }
    }
}

/// The highest version that both speak.
fn agree(theirs: &[u64]) -> Result<u64, String> {
    VERSIONS.into_iter().filter(|version| theirs.contains(version)).max().ok_or_else(|| {
        format!("this worker speaks version {VERSIONS:?} of the protocol, and the tracker offers {theirs:?} only")
    })
}

fn find(suite: &Suite<'_>, name: &str) -> Result<usize, String> {
    suite.names().position(|offered| offered == name).ok_or_else(|| format!("no benchmark named {name:?}"))
}
