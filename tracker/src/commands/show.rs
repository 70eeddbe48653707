//! `tachograph show`: all about one run.

use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::output::{self, Shape};
use super::stored::StoreArgs;
use crate::domain::RecordId;
use crate::failure::{Failure, Outcome};
use crate::record::{Found, Store};
use crate::show;

/// Show all about one run: what was measured, what failed and where
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The run: its identity, or as much of its beginning as no other run has
    #[arg(value_name = "RUN")]
    run: String,
    /// How to write it; as JSON it has every sample
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &ShowArgs) -> Outcome<ExitCode> {
    let mut store = args.store.open_to_read()?;
    let id = one(&mut store, &args.run)?;
    let run = store.run(&id)?.ok_or_else(|| none(&args.run))?;
    let text = match args.format {
        Shape::Text => {
            let mut text = show::run::text(&run, output::style());
            if run.id() != id {
                text += "\nThis came from a ledger, as a number for each life; the store that measured it has every sample.\n";
            }
            text
        }
        Shape::Json => output::json(&show::line::Line::run(&id, &run))?,
    };
    output::say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn one(store: &mut Store, prefix: &str) -> Outcome<RecordId> {
    match store.find_run(prefix)? {
        Found::One(id) => Ok(id),
        Found::None => Err(none(prefix)),
        Found::Several(ids) => {
            let ids: Vec<&str> = ids.iter().map(RecordId::short).collect();
            Err(Failure::usage(anyhow!("several runs begin with {prefix}: {}", ids.join(", "))).hint("give more of it"))
        }
    }
}

fn none(prefix: &str) -> Failure {
    Failure::usage(anyhow!("no run begins with {prefix:?}")).hint("`tachograph runs` lists them")
}
