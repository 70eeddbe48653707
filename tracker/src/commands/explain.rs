//! `tachograph explain`: what a verdict rests on.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::output::{self, Shape};
use super::stored::StoreArgs;
use crate::domain::Pattern;
use crate::failure::Outcome;
use crate::flow;
use crate::show::explain::{self, Explained};

/// Say what a verdict rests on: commits, lives, errors, rule, limit, and the command that repeats it
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A duel, or a finding of one: its identity, or as much of its beginning as no other has
    #[arg(value_name = "ID")]
    id: String,

    /// Explain matching benchmarks: a part of the name, a whole name with * and ?, or =NAME; all that are more than
    /// unchanged if not given; may be given several times
    #[arg(long, value_name = "PATTERN")]
    filter: Vec<String>,

    /// How to write it
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,

    #[command(flatten)]
    store: StoreArgs,
}

/// All of the answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    #[serde(flatten)]
    explained: &'a Explained,
}

pub(super) fn run(args: &ExplainArgs) -> Outcome<ExitCode> {
    let mut store = args.store.open_to_read()?;
    let patterns: Vec<Pattern> = args.filter.iter().map(Pattern::new).collect();
    let explained = flow::explain::explain(&mut store, &args.id, &patterns)?;
    let text = match args.format {
        Shape::Text => explain::text(&explained),
        Shape::Json => output::json(&Answer { schema: "tachograph/explain/1", explained: &explained })?,
    };
    output::say(&text)?;
    Ok(ExitCode::SUCCESS)
}
