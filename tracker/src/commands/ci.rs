//! `tachograph ci`: what was recognised of the CI host, and what will be compared.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::answer;
use super::output::{self, Shape};
use crate::domain::Commit;
use crate::failure::{Classify, Outcome};
use crate::flow::host::{self, Chosen, Event, Host, Surroundings};
use crate::repo::Repository;
use crate::show::escape;

/// The largest event that is read.
const MOST_EVENT_BYTES: u64 = 8 << 20;

/// Say what is recognised of the CI host, and what a gate will compare
#[derive(Debug, Args)]
pub(super) struct CiArgs {
    /// How to write it
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
}

/// All of it for programs.
#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    host: Option<&'a str>,
    event: Option<&'a str>,
    pull_request: Option<u64>,
    is_fork: bool,
    run_url: Option<&'a str>,
    base: Option<&'a str>,
    because: Option<&'a str>,
    head: Option<&'a str>,
}

/// The host that this runs on.
pub(super) fn here() -> Option<Host> {
    host::detect(&Surroundings { variable: &|name| std::env::var(name).ok(), file: &read })
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(MOST_EVENT_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

pub(super) fn run(args: &CiArgs) -> Outcome<ExitCode> {
    let host = here();
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let repository = Repository::discover(&here)?;
    let chosen = match &host {
        // What is reported on was measured elsewhere.
        Some(host) if host.event != Event::Report => Some(host::choose(host, &repository)?),
        _ => None,
    };
    let text = match args.format {
        Shape::Text => text(host.as_ref(), chosen.as_ref()),
        Shape::Json => json(host.as_ref(), chosen.as_ref())?,
    };
    answer(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(host: Option<&Host>, chosen: Option<&Chosen>) -> String {
    let Some(host) = host else {
        return "no CI host: a gate compares what is checked out with where it left the main branch\n".to_owned();
    };
    let mut text = format!("{}, {}", host.name, host.event.as_str());
    if let Some(number) = host.pull_request {
        text += &number.to_string();
        text = text.replace(&format!("request{number}"), &format!("request {number}"));
    }
    if host.is_fork {
        text += ", from a fork: what it measures is judged anew by the job that reports, and teaches nothing";
    }
    text.push('\n');
    if let Some(url) = &host.run_url {
        text = text + "  run   " + url + "\n";
    }
    if let Some(chosen) = chosen {
        let base = chosen.base.as_ref().map_or_else(|| "nothing: this is the first commit".to_owned(), named);
        text = text + "  base  " + &base + ", " + &chosen.because + "\n  head  " + &named(&chosen.head) + "\n";
    } else if let Some(head) = &host.head {
        text = text + "  it reports on " + head.short() + " and measures nothing\n";
    }
    text
}

fn named(commit: &Commit) -> String {
    escape::line(&format!("{} {}", commit.id.short(), commit.subject)).into_owned()
}

fn json(host: Option<&Host>, chosen: Option<&Chosen>) -> Outcome<String> {
    let head = chosen.map(|chosen| &chosen.head.id).or(host.and_then(|host| host.head.as_ref()));
    output::json(&Answer {
        schema: "tachograph/ci/1",
        host: host.map(|host| host.name),
        event: host.map(|host| host.event.as_str()),
        pull_request: host.and_then(|host| host.pull_request),
        is_fork: host.is_some_and(|host| host.is_fork),
        run_url: host.and_then(|host| host.run_url.as_deref()),
        base: chosen.and_then(|chosen| Some(chosen.base.as_ref()?.id.as_str())),
        because: chosen.map(|chosen| chosen.because.as_str()),
        head: head.map(crate::domain::CommitId::as_str),
    })
}

/// Tells the host the outcome where it wants to hear of it: the summary of the job, and what later steps can read.
pub(super) fn tell(host: &Host, markdown: &str, outputs: &[(&str, &str)]) -> Outcome<()> {
    if let Some(place) = &host.summary {
        append(place, markdown)?;
    }
    if let Some(place) = &host.outputs {
        // Names and values are ours: words and numbers without a line break.
        append(place, &outputs.iter().map(|(name, value)| [name, "=", value, "\n"].concat()).collect::<String>())?;
    }
    Ok(())
}

fn append(place: &Path, text: &str) -> Outcome<()> {
    let mut file = File::options().append(true).create(true).open(place);
    file.as_mut()
        .map_err(|error| std::io::Error::new(error.kind(), error.to_string()))
        .and_then(|file| file.write_all(text.as_bytes()))
        .or_environment(format_args!("writing {}", place.display()))
}
