//! `tachograph report`: what became of a project's speed, for people who do not browse charts.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::output;
use super::stored::StoreArgs;
use crate::failure::Outcome;
use crate::flow::report;
use crate::repo::Repository;
use crate::show;

/// Say what got better and worse since a release, a revision or a day
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The baseline: a tag, a revision, or a day such as 2026-05-01
    #[arg(long, value_name = "REV|TAG|DATE")]
    since: String,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    #[command(flatten)]
    store: StoreArgs,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// For reading
    Text,
    /// For a release's notes or a comment
    Markdown,
    /// As one page that can be sent to somebody
    Html,
}

pub(super) fn run(args: &ReportArgs) -> Outcome<ExitCode> {
    let mut store = args.store.open_to_read()?;
    let repository = std::env::current_dir().ok().and_then(|here| Repository::discover(&here).ok());
    let folder = repository.as_ref().and_then(|repository| repository.root().file_name());
    let name = folder.map_or_else(|| "Benchmarks".to_owned(), |name| name.to_string_lossy().into_owned());
    let report = report::since(&mut store, repository.as_ref(), &name, &args.since)?;
    super::answer(&match args.format {
        Shape::Text => show::report::text(&report, output::style()),
        Shape::Markdown => show::report::markdown(&report),
        Shape::Html => show::page::report::page_of(&report),
    })?;
    Ok(ExitCode::SUCCESS)
}
