//! `tachograph backtest`: what following the history would have been like.

use std::process::ExitCode;

use clap::Args;

use super::output::{self, Shape};
use super::stored::StoreArgs;
use crate::domain::{Limit, Pattern};
use crate::failure::{Classify, Outcome};
use crate::flow::backtest::{Backtest, backtest};
use crate::flow::trend::History;
use crate::record::{Store, Wanted};
use crate::repo::Repository;
use crate::show::table::{Align, Table};

/// Replay the stored history, and show how often each setting would have raised an alarm
///
/// Every series is followed point by point along the main branch, under the settings of `detect --mode` and the alert with
/// other floors. What is known of a series is what the whole of it shows in hindsight, as `changes` tells it. An alarm that
/// is about none of that is false; of a known change that was told, the delay is the number of points that the new level had
/// by then.
#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    /// Which benchmarks: a part of the name; with * or ? the whole name; with a leading = the exact name
    #[arg(value_name = "PATTERN", default_value = "", hide_default_value = true)]
    pattern: String,
    /// Only suites whose name matches
    #[arg(long, value_name = "PATTERN")]
    suite: Option<String>,
    /// Only metrics whose name matches
    #[arg(long, value_name = "PATTERN")]
    metric: Option<String>,
    /// Only machines whose title matches, or whose identity begins so
    #[arg(long, value_name = "MACHINE")]
    machine: Option<String>,
    /// Take changes for known from this size on
    #[arg(long, value_name = "PERCENT", default_value = "1 %")]
    size: Limit,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &BacktestArgs) -> Outcome<ExitCode> {
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let mut store: Store = args.store.open_to_read()?;
    let history = History::read(&mut store, Repository::discover(&here).ok().as_ref())?;
    let wanted = Wanted {
        benchmark: Pattern::new(args.pattern.as_str()),
        suite: args.suite.as_deref().map(Pattern::new),
        metric: args.metric.as_deref().map(Pattern::new),
        machine: args.machine.clone(),
    };
    let tested = backtest(&mut store, &history, &wanted, args.size.share())?;
    let answer = match args.format {
        Shape::Text => text(&tested, args.size),
        Shape::Json => {
            let mut value = serde_json::to_value(&tested).or_environment("writing the answer as JSON")?;
            value["schema"] = "tachograph/backtest/1".into();
            output::json(&value)?
        }
    };
    super::answer(&answer)?;
    Ok(ExitCode::SUCCESS)
}

fn text(tested: &Backtest, size: Limit) -> String {
    let mut table = Table::new(&[
        ("setting", Align::Left),
        ("alarms", Align::Right),
        ("a month", Align::Right),
        ("false", Align::Right),
        ("found", Align::Right),
        ("missed", Align::Right),
        ("delay", Align::Right),
    ]);
    for tried in &tested.tried {
        table.row(&[
            tried.policy.to_owned(),
            tried.alarms.to_string(),
            tried.alarms_a_month.map(|rate| format!("{rate:.1}")).unwrap_or_default(),
            tried.false_alarms.to_string(),
            tried.found.to_string(),
            tried.missed.to_string(),
            tried.delay.map(|points| points.to_string()).unwrap_or_default(),
        ]);
    }
    let Backtest { series, points, known, months, .. } = tested;
    format!(
        "{points} points of {series} series over {months:.1} months, {known} known changes of {size} or more\n{}",
        table.render(output::style())
    )
}
