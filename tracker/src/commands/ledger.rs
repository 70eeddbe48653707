//! `tachograph push`, `pull`, `rebuild` and `compact`: runs shared through the project's own git remote.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::answer;
use super::output::{self, Shape};
use super::run::{fresh_seed, now_s};
use super::stored::StoreArgs;
use crate::domain::{CommitId, parse_duration};
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::carry::{self, Records};
use crate::flow::ledger::{self, Depth, Patience, Shared};
use crate::record::{Recorded, Store, Trust};
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
/// Adds every run of the store that the remote's ledger does not have, every duel that teaches how far builds lie
/// apart, as summaries with a number for each life, and what was said of findings. The ledger
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

    /// Write what was recorded of HEAD to this file instead, every sample of it, for a job that may push to take in
    #[arg(long, value_name = "FILE", conflicts_with_all = ["samples", "patience", "remote"])]
    bundle: Option<PathBuf>,

    #[command(flatten)]
    with: WithArgs,
    #[command(flatten)]
    store: StoreArgs,
}

/// Take in what others measured and pushed
///
/// With --bundle: what another job wrote with `tachograph push --bundle`, of the one commit that is named here.
#[derive(Debug, Args)]
pub(super) struct PullArgs {
    /// Take in this file instead; several times for several jobs
    #[arg(long, value_name = "FILE", requires = "commit", conflicts_with = "remote")]
    bundle: Vec<PathBuf>,

    /// The commit that the files must be about, its whole hash; who asks knows it from elsewhere
    #[arg(long, value_name = "HASH", requires = "bundle")]
    commit: Option<String>,

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
    if let Some(place) = &args.bundle {
        return hand_on(place, &repository, &mut store, &args.with);
    }
    let depth = if args.samples { Depth::Samples } else { Depth::Sketch };
    let mut shared = shared(&repository, &args.with, depth);
    shared.patience.ledger = args.patience;
    let pushed = ledger::push(&shared, &mut store)?;
    let place = if pushed.waits { "waiting in the remote's inbox, to be folded in by the next push" } else { "pushed" };
    let mut text = format!("{} {place}", counted(pushed.runs, pushed.duels, pushed.annotations));
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
            "runs": pushed.runs, "duels": pushed.duels, "annotations": pushed.annotations, "kept": pushed.kept, "held": pushed.held, "waits": pushed.waits, "tries": pushed.tries,
        }),
    )
}

pub(super) fn pull(args: &PullArgs) -> Outcome<ExitCode> {
    let repository = here()?;
    if let Some(commit) = &args.commit {
        return take_in(&args.bundle, commit, &args.store, &args.with);
    }
    let mut store = Store::open(&args.store.address()?)?;
    let pulled = ledger::pull(&shared(&repository, &args.with, Depth::Sketch), &mut store)?;
    remark(&pulled.remarks);
    let new = counted(pulled.new_runs, pulled.new_duels, pulled.new_annotations);
    let text = format!("{new} new; the ledger holds {}", records(pulled.held));
    say(
        &args.with,
        &text,
        &serde_json::json!({
            "new_runs": pulled.new_runs, "new_duels": pulled.new_duels, "new_annotations": pulled.new_annotations,
            "held": pulled.held, "remarks": pulled.remarks,
        }),
    )
}

/// Writes what was recorded of HEAD to a file.
fn hand_on(place: &Path, repository: &Repository, store: &mut Store, with: &WithArgs) -> Outcome<ExitCode> {
    let records = carry::records_of(store, &repository.head()?.id)?;
    carry::write_records(place, &records)?;
    let (runs, duels) = (records.runs.len(), records.duels.len());
    let text = format!("{} of {} handed on", counted(runs, duels, 0), records.commit.short());
    say(with, &text, &serde_json::json!({ "runs": runs, "duels": duels, "commit": records.commit.as_str() }))
}

/// Takes in what other jobs recorded: all files or none.
fn take_in(places: &[PathBuf], commit: &str, store: &StoreArgs, with: &WithArgs) -> Outcome<ExitCode> {
    let commit = CommitId::new(commit).or_usage("taking --commit as a hash")?;
    let read = |place: &PathBuf| {
        carry::read_records(place, &commit).map_err(|error| {
            Failure::usage(anyhow::anyhow!("{} is refused: {}", place.display(), escape::line(&error.to_string())))
        })
    };
    let files = places.iter().map(read).collect::<Outcome<Vec<Records>>>()?;
    let mut store = Store::open(&store.address()?)?;
    let (mut runs, mut duels) = (0, 0);
    for file in &files {
        for run in &file.runs {
            runs += usize::from(matches!(store.record(run)?, Recorded::New(_)));
        }
        for duel in &file.duels {
            duels += usize::from(matches!(store.record_duel(duel, Trust::Trusted)?, Recorded::New(_)));
        }
    }
    let text = format!("{} of {} new", counted(runs, duels, 0), commit.short());
    say(with, &text, &serde_json::json!({ "new_runs": runs, "new_duels": duels, "commit": commit.as_str() }))
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

fn counted(runs: usize, duels: usize, annotations: usize) -> String {
    let mut told = vec![self::runs(runs)];
    for (count, one) in [(duels, "duel"), (annotations, "annotation")] {
        match count {
            0 => {}
            1 => told.push(format!("1 {one}")),
            count => told.push(format!("{count} {one}s")),
        }
    }
    let last = told.pop().unwrap_or_default();
    if told.is_empty() { last } else { format!("{} and {last}", told.join(", ")) }
}

fn records(count: usize) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
