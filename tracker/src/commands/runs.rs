//! `tachograph runs`: which runs there are.

use std::process::ExitCode;

use clap::Args;

use super::output::{self, Shape};
use super::stored::StoreArgs;
use crate::failure::Outcome;
use crate::show;

/// List the recorded runs, newest first
#[derive(Debug, Args)]
pub(super) struct RunsArgs {
    /// How many to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How to write the list
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &RunsArgs) -> Outcome<ExitCode> {
    let runs = args.store.open_to_read()?.newest_runs(args.limit)?;
    let text = match args.format {
        Shape::Text => show::runs::text(&runs, output::style()),
        Shape::Json => output::json(&runs)?,
    };
    output::say(&text)?;
    Ok(ExitCode::SUCCESS)
}
