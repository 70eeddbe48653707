//! `tachograph duels`: which duels there are.

use std::process::ExitCode;

use clap::Args;

use super::output::{self, Shape};
use super::stored::StoreArgs;
use crate::failure::Outcome;
use crate::show;

/// List the recorded duels of gates and comparisons, newest first
#[derive(Debug, Args)]
pub(super) struct DuelsArgs {
    /// How many to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How to write the list
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &DuelsArgs) -> Outcome<ExitCode> {
    let duels = args.store.open_to_read()?.newest_duels(args.limit)?;
    let text = match args.format {
        Shape::Text => show::duels::text(&duels, output::style()),
        Shape::Json => output::json(&duels)?,
    };
    output::say(&text)?;
    Ok(ExitCode::SUCCESS)
}
