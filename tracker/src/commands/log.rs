//! `tachograph log`: the past of a metric.

use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::output::{self, Reader, Shape};
use super::stored::StoreArgs;
use crate::domain::{Pattern, closest};
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::trend::History;
use crate::flow::{accepted, anchored};
use crate::record::{Store, Wanted};
use crate::repo::Repository;
use crate::show;
use crate::show::log::{self, Log, Past, SPARK_POINTS};
use crate::stats::changes::Settings;

/// Show how a benchmark's metrics went along the history
///
/// First the levels of each series along the main branch, with the changes between them, then its newest points. With
/// --anchor it shows the ratios to the anchor that `[trend] anchor` names, of all classes of machine as one line.
#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Which benchmarks: a part of the name; with * or ? the whole name; with a leading = the exact name
    #[arg(value_name = "PATTERN")]
    pattern: String,
    /// Only metrics whose name matches
    #[arg(long, value_name = "PATTERN")]
    metric: Option<String>,
    /// Only machines whose title matches, or whose identity begins so
    #[arg(long, value_name = "MACHINE")]
    machine: Option<String>,
    /// Only suites whose name matches
    #[arg(long, value_name = "PATTERN")]
    suite: Option<String>,
    /// Show the ratios to the anchor, all machines as one
    #[arg(long, conflicts_with = "machine")]
    anchor: bool,
    /// How many points of each series to list, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &LogArgs) -> Outcome<ExitCode> {
    let mut store = args.store.open_to_read()?;
    if args.anchor {
        return against_the_anchor(&mut store, args);
    }
    let wanted = Wanted {
        benchmark: Pattern::new(args.pattern.as_str()),
        suite: args.suite.as_deref().map(Pattern::new),
        metric: args.metric.as_deref().map(Pattern::new),
        machine: args.machine.clone(),
    };
    let found = store.series(&wanted)?;
    if found.is_empty() {
        return Err(nothing(&mut store, args)?);
    }
    let style = output::style();
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let repository = Repository::discover(&here).ok();
    let history = History::read(&mut store, repository.as_ref())?;
    let accepted = accepted::of_line(repository.as_ref(), &history.line)?;
    for (place, stored) in found.iter().enumerate() {
        let points = store.points(stored, args.limit.max(SPARK_POINTS))?;
        let series = &stored.series;
        let trend = history.trend(&mut store, stored, &Settings::history())?;
        let accepted = accepted::entries(&trend, &accepted, &history.line);
        let past = Past { points: &points, rows: args.limit, trend: &trend, line: &history.line, accepted: &accepted };
        let piece = match args.format {
            Shape::Text if found.len() == 1 => log::drawn(series, past, style),
            Shape::Text if place == 0 => log::text(series, past, style),
            Shape::Text => format!("\n{}", log::text(series, past, style)),
            Shape::Json => output::json(&Log::new(series, past))?,
        };
        if output::say(&piece)? == Reader::Gone {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The ratios to the anchor.
fn against_the_anchor(store: &mut Store, args: &LogArgs) -> Outcome<ExitCode> {
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let history = History::read(store, Repository::discover(&here).ok().as_ref())?;
    let all = anchored::all(store, &history, &Settings::history())?;
    let is = |pattern: &Option<String>, name: &str| {
        pattern.as_ref().is_none_or(|pattern| Pattern::new(pattern.as_str()).matches(name))
    };
    let benchmark = Pattern::new(args.pattern.as_str());
    let found: Vec<_> = all
        .iter()
        .filter(|one| benchmark.matches(one.benchmark.as_str()))
        .filter(|one| is(&args.suite, one.suite.as_str()) && is(&args.metric, &one.metric.name))
        .collect();
    if found.is_empty() {
        let failure = Failure::usage(anyhow!("nothing that {:?} matches was dueled with an anchor", args.pattern));
        return Err(failure.hint("`[trend] anchor = \"v1.0\"` in tachograph.toml makes `tachograph run` do it"));
    }
    for (place, one) in found.into_iter().enumerate() {
        let gap = if place == 0 { "" } else { "\n" };
        let piece = match args.format {
            Shape::Text => format!("{gap}{}", show::anchored::text(one, &history.line, args.limit, output::style())),
            Shape::Json => output::json(&show::anchored::Json::new(one, &history.line, args.limit))?,
        };
        if output::say(&piece)? == Reader::Gone {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says that nothing matches, and what would.
fn nothing(store: &mut Store, args: &LogArgs) -> Outcome<Failure> {
    let all = store.series(&Wanted::all())?;
    let failure = Failure::usage(anyhow!("no series matches {:?}", args.pattern));
    let near = closest(&args.pattern, all.iter().map(|stored| stored.series.benchmark.as_str()));
    Ok(match near {
        _ if all.is_empty() => failure.hint("nothing was measured yet: `tachograph run` measures HEAD"),
        Some(near) => failure.hint(format!("did you mean {near:?}?")),
        None => failure.hint("`tachograph log '*'` shows every series"),
    })
}
