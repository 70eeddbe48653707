//! `tachograph import`: records the results of other tools.

use std::fmt::Write as _;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::output::{self, Shape};
use super::stored::StoreArgs;
use crate::adapt::Format;
use crate::domain::{BenchmarkName, Machine, SuiteName};
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::import::{self, Input, Ready, Request};
use crate::measure::machine;
use crate::record::{Recorded, Store};
use crate::repo::Repository;
use crate::show::escape;

/// Record the results of other tools
///
/// Reads result files of the formats that `tachograph formats` lists, or folders of them, or a folder of files that are
/// named by their commits. The same file for the same commit is recorded once, however often it is imported.
///
/// The memory that a criterion folder or a tinybench file takes follows its largest benchmark, not its size.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Files or folders; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Their format; auto finds it from the content, and refuses when two match
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    format: String,

    /// The commit that was measured; the file's own if not given
    #[arg(long, value_name = "REV")]
    commit: Option<String>,

    /// When it was measured, such as 2026-01-31T12:00:00Z; the file's own date, or the commit's, if not given
    #[arg(long, value_name = "DATE")]
    date: Option<jiff::Timestamp>,

    /// A name for the machine, or this for the one that this runs on; the file's own name, or imported, if not given
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,

    /// The suite that the results are of; the file's own name, or the format's, if not given
    #[arg(long, value_name = "NAME")]
    suite: Option<String>,

    /// Keep the results as those of this peer: shown beside ours by `tachograph peers`, never judged
    #[arg(long, value_name = "NAME", conflicts_with = "suite")]
    as_peer: Option<String>,

    /// Another name for a benchmark of theirs, whole, such as `llama 7B Q4_0/pp512 t=8=engine/prefill/512`; may be given several times
    #[arg(long, value_name = "THEIRS=OURS", value_parser = renamed)]
    rename: Vec<(String, BenchmarkName)>,

    /// How to write what was recorded
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    output: Shape,

    #[command(flatten)]
    store: StoreArgs,
}

/// A recorded run as programs read it.
#[derive(Debug, Serialize)]
struct Line<'a> {
    run: &'a str,
    is_new: bool,
    suite: &'a str,
    commit: &'a str,
    source: &'a str,
    measured: usize,
    failed: usize,
}

pub(super) fn run(args: &ImportArgs) -> Outcome<ExitCode> {
    let request = request(args)?;
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let repository = Repository::discover(&here).ok();
    let mut runs = Vec::new();
    for file in &args.files {
        let read = one(&request, repository.as_ref(), file)?;
        for remark in read.remarks {
            note(&format!("{}: {remark}", file.display()));
        }
        runs.extend(read.runs);
    }
    let mut store = Store::open(&args.store.address()?)?;
    let recorded = import::record(&mut store, &runs)?;
    output::say(&answer(args.output, &runs, &recorded)?)?;
    Ok(ExitCode::SUCCESS)
}

fn request(args: &ImportArgs) -> Outcome<Request> {
    let suite = match (&args.suite, &args.as_peer) {
        (_, Some(peer)) => Some(SuiteName::of_peer(peer).or_usage("taking --as-peer as a name")?),
        (Some(name), None) => Some(SuiteName::new(name.as_str()).or_usage("taking --suite as a name")?),
        (None, None) => None,
    };
    let machine = args.machine.as_deref().map(|name| match name {
        "this" => Machine::Fingerprint(machine::fingerprint()),
        name => Machine::Named(name.to_owned()),
    });
    Ok(Request {
        format: Format::named(&args.format).map_err(Failure::usage)?,
        commit: args.commit.clone(),
        at_s: args.date.map(jiff::Timestamp::as_second),
        machine,
        suite,
        renamed: args.rename.iter().cloned().collect(),
    })
}

fn renamed(text: &str) -> Result<(String, BenchmarkName), String> {
    // Benchmarks' names may hold an equals sign; ours hardly ever does.
    let (theirs, ours) = text.rsplit_once('=').ok_or("expected THEIRS=OURS")?;
    Ok((theirs.to_owned(), BenchmarkName::new(ours).map_err(|error| error.to_string())?))
}

fn one(request: &Request, repository: Option<&Repository>, file: &Path) -> Outcome<import::Read> {
    let reading = format!("reading {}", file.display());
    refuse_pipe(file)?;
    let input = if file == Path::new("-") { Input::stream(std::io::stdin().lock()) } else { Input::open(file) };
    let input = input.or_usage(&reading)?;
    import::read(request, repository, input).map_err(|failure| failure.context(reading))
}

/// A pipe in the file system may have nobody at its other end, and would be waited for without end. What a shell hands
/// over in place of a file (`<(…)`) is one too, but stands open already.
fn refuse_pipe(file: &Path) -> Outcome<()> {
    let is_pipe = std::fs::metadata(file).is_ok_and(|about| about.file_type().is_fifo());
    let is_open = ["/dev/", "/proc/"].iter().any(|begin| file.starts_with(begin));
    if is_pipe && !is_open && file != Path::new("-") {
        return Err(Failure::usage(anyhow::anyhow!("{} is a pipe", file.display()))
            .hint("give - as the file, and pipe the results into standard input"));
    }
    Ok(())
}

fn answer(shape: Shape, runs: &[Ready], recorded: &[Recorded]) -> Outcome<String> {
    let lines = runs.iter().zip(recorded).map(|(ready, recorded)| Line {
        run: recorded.id().as_str(),
        is_new: matches!(recorded, Recorded::New(_)),
        suite: ready.run.suite.as_str(),
        commit: ready.run.subject.commit().id.as_str(),
        source: &ready.run.source,
        measured: ready.measured(),
        failed: ready.failed(),
    });
    let lines: Vec<Line<'_>> = lines.collect();
    if shape == Shape::Json {
        return output::json(&lines);
    }
    let mut text = String::new();
    for line in &lines {
        let known = if line.is_new { "" } else { ", known already" };
        let suite = escape::line(line.suite);
        let failed = if line.failed > 0 { format!(", {} failed", line.failed) } else { String::new() };
        let (run, commit) = (&line.run[..12], &line.commit[..10]);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{run}  {suite} at {commit}: {} measured{failed}{known}", line.measured);
    }
    let new = lines.iter().filter(|line| line.is_new).count();
    let _ = writeln!(text, "{new} new, {} known already", lines.len() - new);
    Ok(text)
}

#[expect(clippy::print_stderr, reason = "what was left out is no answer, yet must be told")]
fn note(remark: &str) {
    eprintln!("note: {}", escape::line(remark));
}
