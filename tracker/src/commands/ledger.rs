//! `tachograph push`, `pull`, `rebuild` and `compact`: runs shared through the project's own git remote.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::answer;
use super::output::{self, Shape};
use super::run::{fresh_seed, now_s};
use super::stored::StoreArgs;
use crate::domain::parse_duration;
use crate::failure::{Classify, Outcome};
use crate::flow::ledger::{self, Depth, Patience, Shared};
use crate::record::Store;
use crate::repo::Repository;
use crate::show::escape;

/// With whom to share.
#[derive(Debug, Args)]
struct WithArgs {
    /// The remote; origin, or the only one, if not given
    #[arg(long, value_name = "NAME")]
    remote: Option<String>,

    /// How to write what was done
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
}

/// Share what was measured here through a git remote
///
/// Adds every run of the store that the remote's ledger does not have, and every duel that teaches how far builds lie
/// apart, as summaries with a number for each life. The ledger
/// is the ref refs/tachograph/ledger: no branch is touched and nothing is forced. Runs of working trees with changes stay
/// here.
#[derive(Debug, Args)]
pub(super) struct PushArgs {
    /// Share every sample; the ledger grows by as much
    #[arg(long)]
    samples: bool,

    /// How long to try while others push too; then what was measured waits in the remote's inbox, and the next push folds it in
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "8s")]
    patience: Duration,

    #[command(flatten)]
    with: WithArgs,
    #[command(flatten)]
    store: StoreArgs,
}

/// Take in what others measured and pushed
#[derive(Debug, Args)]
pub(super) struct PullArgs {
    #[command(flatten)]
    with: WithArgs,
    #[command(flatten)]
    store: StoreArgs,
}

/// Make the store anew from the ledger and from what can be read of the old one, which is put aside
#[derive(Debug, Args)]
pub(super) struct RebuildArgs {
    #[command(flatten)]
    with: WithArgs,
    #[command(flatten)]
    store: StoreArgs,
}

/// Pack the old bundles of a remote's ledger into few files
#[derive(Debug, Args)]
pub(super) struct CompactArgs {
    /// How many bundles, the newest, stay in files of their own
    #[arg(long, value_name = "N", default_value_t = 256)]
    keep: usize,
    #[command(flatten)]
    with: WithArgs,
}

pub(super) fn push(args: &PushArgs) -> Outcome<ExitCode> {
    let repository = here()?;
    let mut store = args.store.open_to_read()?;
    let depth = if args.samples { Depth::Samples } else { Depth::Sketch };
    let mut shared = shared(&repository, &args.with, depth);
    shared.patience.ledger = args.patience;
    let pushed = ledger::push(&shared, &mut store)?;
    let place = if pushed.waits { "waiting in the remote's inbox, to be folded in by the next push" } else { "pushed" };
    let mut text = format!("{} {place}", runs_and_duels(pushed.runs, pushed.duels));
    if pushed.kept > 0 {
        let _ = write!(text, "; {} of working trees with changes stay here", runs(pushed.kept));
    }
    if !pushed.waits {
        let _ = write!(text, "; the ledger holds {}", records(pushed.held));
    }
    say(
        &args.with,
        &text,
        &serde_json::json!({
            "runs": pushed.runs, "duels": pushed.duels, "kept": pushed.kept, "held": pushed.held, "waits": pushed.waits, "tries": pushed.tries,
        }),
    )
}

pub(super) fn pull(args: &PullArgs) -> Outcome<ExitCode> {
    let repository = here()?;
    let mut store = Store::open(&args.store.address()?)?;
    let pulled = ledger::pull(&shared(&repository, &args.with, Depth::Sketch), &mut store)?;
    remark(&pulled.remarks);
    let text =
        format!("{} new; the ledger holds {}", runs_and_duels(pulled.new_runs, pulled.new_duels), records(pulled.held));
    say(
        &args.with,
        &text,
        &serde_json::json!({
            "new_runs": pulled.new_runs, "new_duels": pulled.new_duels, "held": pulled.held, "remarks": pulled.remarks,
        }),
    )
}

pub(super) fn rebuild(args: &RebuildArgs) -> Outcome<ExitCode> {
    let repository = here()?;
    let address = args.store.address()?;
    let rebuilt = ledger::rebuild(&shared(&repository, &args.with, Depth::Sketch), &address)?;
    remark(&rebuilt.pulled.remarks);
    if let Some(trouble) = &rebuilt.trouble {
        remark(&[format!("not all of the old store could be read: {trouble}")]);
    }
    let mut text =
        format!("{} from the old store, {} from the ledger", runs(rebuilt.from_old), runs(rebuilt.pulled.new_runs));
    let old = rebuilt.old.as_ref().map(|old| old.display().to_string());
    if let Some(old) = &old {
        let _ = write!(text, "; the old store is kept as {}", escape::line(old));
    }
    say(
        &args.with,
        &text,
        &serde_json::json!({
            "from_old": rebuilt.from_old, "from_ledger": rebuilt.pulled.new_runs, "old": old, "trouble": rebuilt.trouble,
            "remarks": rebuilt.pulled.remarks,
        }),
    )
}

pub(super) fn compact(args: &CompactArgs) -> Outcome<ExitCode> {
    let repository = here()?;
    let compacted = ledger::compact(&shared(&repository, &args.with, Depth::Sketch), args.keep)?;
    let (bundles, packs, loose) = (compacted.bundles, compacted.packs, compacted.loose);
    let text = format!("{bundles} bundles packed into {packs} files, {loose} left as they are");
    say(&args.with, &text, &serde_json::json!({ "bundles": bundles, "packs": packs, "loose": loose }))
}

fn here() -> Outcome<Repository> {
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    Ok(Repository::discover(&here)?)
}

fn shared<'a>(repository: &'a Repository, with: &'a WithArgs, depth: Depth) -> Shared<'a> {
    let (now_s, seed) = (now_s(), fresh_seed());
    Shared { repository, remote: with.remote.as_deref(), depth, patience: Patience::default(), now_s, seed }
}

fn say(with: &WithArgs, text: &str, json: &serde_json::Value) -> Outcome<ExitCode> {
    match with.format {
        Shape::Text => answer(&(text.to_owned() + "\n"))?,
        Shape::Json => answer(&output::json(json)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stderr, reason = "what was left out is said beside the answer")]
fn remark(remarks: &[String]) {
    for remark in remarks {
        eprintln!("{}", escape::line(remark));
    }
}

fn runs(count: usize) -> String {
    if count == 1 { "1 run".to_owned() } else { format!("{count} runs") }
}

fn runs_and_duels(runs: usize, duels: usize) -> String {
    match duels {
        0 => self::runs(runs),
        1 => format!("{} and 1 duel", self::runs(runs)),
        duels => format!("{} and {duels} duels", self::runs(runs)),
    }
}

fn records(count: usize) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
