//! `tachograph peers`: our results beside those of others.

use std::process::ExitCode;

use clap::Args;

use super::output::{self, Shape};
use super::stored::StoreArgs;
use crate::domain::Pattern;
use crate::failure::{Failure, Outcome};
use crate::flow::peers::{self, Beside, Peers};
use crate::record::Wanted;
use crate::show;
use crate::show::peers::Row;

/// Set our newest results beside those of peers
///
/// A peer is what `tachograph import --as-peer NAME` recorded. Only results of the same benchmark and metric on the same
/// machine are compared. The ratio is ours over theirs; nothing is judged.
#[derive(Debug, Args)]
pub(super) struct PeersArgs {
    /// Which benchmarks: a part of the name; with * or ? the whole name; with a leading = the exact name; all if not given
    #[arg(value_name = "PATTERN", default_value = "")]
    pattern: String,
    /// Only metrics whose name matches
    #[arg(long, value_name = "PATTERN")]
    metric: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &PeersArgs) -> Outcome<ExitCode> {
    let mut store = args.store.open_to_read()?;
    let wanted = Wanted {
        benchmark: Pattern::new(args.pattern.as_str()),
        metric: args.metric.as_deref().map(Pattern::new),
        ..Wanted::all()
    };
    let Peers { beside, alone } = peers::peers(&mut store, &wanted)?;
    if beside.is_empty() {
        return Err(nothing(&alone));
    }
    let rows: Vec<Row> = beside.into_iter().map(Beside::into_row).collect();
    let piece = match args.format {
        Shape::Text => show::peers::text(&rows, output::style()),
        Shape::Json => output::json(&rows)?,
    };
    output::say(&piece)?;
    Ok(ExitCode::SUCCESS)
}

/// Says why nothing stands beside anything.
fn nothing(alone: &[(String, String, crate::domain::Metric, crate::domain::Machine)]) -> Failure {
    let Some((peer, benchmark, metric, machine)) = alone.first() else {
        return Failure::usage(anyhow::anyhow!("there is no result of a peer"))
            .hint("record one with `tachograph import --as-peer NAME --machine this FILE`");
    };
    Failure::usage(anyhow::anyhow!(
        "no result of ours goes with {peer}'s {benchmark}, {} in {}, on {}",
        metric.name,
        metric.unit,
        machine.title()
    ))
    .hint("the same benchmark, metric and machine: import with --rename THEIRS=OURS, and with --machine this")
}
