//! `tachograph peers`: our results beside those of others.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;

use super::output::{self, Shape};
use super::stored::StoreArgs;
use crate::domain::{Machine, Metric, Pattern};
use crate::failure::{Failure, Outcome};
use crate::flow::peers::{self, Beside, Peers};
use crate::record::Wanted;
use crate::show;
use crate::show::peers::Row;

/// How many of the peers' benchmarks are named where none matches.
const MOST_NAMED: usize = 5;

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
        return Err(match alone.first() {
            Some(first) => stands_alone(first),
            None => none_matches(args, &peers::peers(&mut store, &Wanted::all())?),
        });
    }
    let rows: Vec<Row> = beside.into_iter().map(Beside::into_row).collect();
    let piece = match args.format {
        Shape::Text => show::peers::text(&rows, output::style()),
        Shape::Json => output::json(&rows)?,
    };
    output::say(&piece)?;
    Ok(ExitCode::SUCCESS)
}

/// Says what there is of peers, where nothing of them matches.
fn none_matches(args: &PeersArgs, all: &Peers) -> Failure {
    let paired = all.beside.iter().map(|pair| (pair.series.benchmark.as_str(), pair.series.metric.name.as_str()));
    let alone = all.alone.iter().map(|(_, benchmark, metric, _)| (benchmark.as_str(), metric.name.as_str()));
    let there: BTreeSet<String> = paired.chain(alone).map(|(name, metric)| format!("{name} ({metric})")).collect();
    if there.is_empty() {
        return Failure::usage(anyhow::anyhow!("there is no result of a peer"))
            .hint("record one with `tachograph import --as-peer NAME --machine this FILE`");
    }
    let metric = args.metric.as_ref().map(|metric| format!(" with the metric {metric:?}")).unwrap_or_default();
    let some: Vec<&str> = there.iter().take(MOST_NAMED).map(String::as_str).collect();
    let more = if there.len() > some.len() { ", …" } else { "" };
    Failure::usage(anyhow::anyhow!("no result of a peer matches {:?}{metric}", args.pattern))
        .hint(format!("peers have {}{more}", some.join(", ")))
}

/// Says why nothing stands beside what a peer has.
fn stands_alone((peer, benchmark, metric, machine): &(String, String, Metric, Machine)) -> Failure {
    Failure::usage(anyhow::anyhow!(
        "no result of ours goes with {peer}'s {benchmark}, {} in {}, on {}",
        metric.name,
        metric.unit,
        machine.title()
    ))
    .hint("the same benchmark, metric and machine: import with --rename THEIRS=OURS, and with --machine this")
}
