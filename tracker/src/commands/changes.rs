//! `tachograph changes`: what moved along the history.

use std::process::ExitCode;

use anyhow::anyhow;
use clap::{ArgGroup, Args, ValueEnum};

use super::output::{self, Shape};
use super::run::now_s;
use super::stored::StoreArgs;
use crate::domain::{Annotation, ChangeFinding, Limit, Line, Pattern, RecordId, State};
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::changes::{self, Filter, Sort};
use crate::flow::trend::History;
use crate::record::Store;
use crate::repo::Repository;
use crate::show::changes::{Json, Shown, text};
use crate::stats::changes::Settings;

/// Show when the benchmarks moved, along the history of the main branch
///
/// Every series of the store is read along the first parents of the main branch, and everything that moved is told, newest
/// first. Changes that fall on the same commits are one finding. Outside of a repository commits stand by date.
///
/// A finding keeps its name and what was said of it: --acknowledge, --expected and --reopen say it. That a regression is
/// fixed follows from its levels, once they have gone back.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("said").args(["acknowledge", "expected", "reopen"]))]
pub(super) struct ChangesArgs {
    /// Which benchmarks: a part of the name; with * or ? the whole name; with a leading = the exact name
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    /// Only suites whose name matches
    #[arg(long, value_name = "PATTERN")]
    suite: Option<String>,
    /// Only metrics whose name matches
    #[arg(long, value_name = "PATTERN")]
    metric: Option<String>,
    /// Only machines whose title matches
    #[arg(long, value_name = "PATTERN")]
    machine: Option<String>,
    /// Only what came after: a date such as 2026-08-01, or a revision
    #[arg(long, value_name = "DATE|REV")]
    since: Option<String>,
    /// Only changes of at least so much, such as "2 %"
    #[arg(long, value_name = "PERCENT")]
    size: Option<Limit>,
    /// Only steps for the worse; may be given with the next two
    #[arg(long)]
    regressions: bool,
    /// Only steps for the better
    #[arg(long)]
    improvements: bool,
    /// Only slow moves
    #[arg(long)]
    drifts: bool,
    /// Only findings in this state; may be given several times
    #[arg(long, value_enum, value_name = "STATE")]
    state: Vec<StateArg>,
    /// How sure to be
    #[arg(long, value_enum, default_value_t = Mode::History)]
    mode: Mode,
    /// Say that you know of a finding; the beginning of its name is enough
    #[arg(long, value_name = "FINDING")]
    acknowledge: Option<String>,
    /// Say that a finding is as it should be
    #[arg(long, value_name = "FINDING")]
    expected: Option<String>,
    /// Take back what was said of a finding
    #[arg(long, value_name = "FINDING")]
    reopen: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "said", default_value = "", hide_default_value = true)]
    note: String,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
    #[command(flatten)]
    store: StoreArgs,
}

/// How sure to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// What happened: for reading a history once
    History,
    /// What deserves a person: sure, at least as large as the noise, and at least 1 %
    Alert,
}

/// What people think of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StateArg {
    /// Nobody has looked at it yet
    Open,
    /// Somebody knows of it
    Acknowledged,
    /// It is as it should be
    Expected,
    /// A regression whose levels have returned
    Fixed,
}

impl From<StateArg> for State {
    fn from(state: StateArg) -> State {
        match state {
            StateArg::Open => State::Open,
            StateArg::Acknowledged => State::Acknowledged,
            StateArg::Expected => State::Expected,
            StateArg::Fixed => State::Fixed,
        }
    }
}

pub(super) fn run(args: &ChangesArgs) -> Outcome<ExitCode> {
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let repository = Repository::discover(&here).ok();
    let address = args.store.address()?;
    let mut store = Store::open_to_read(&address)?;
    let history = History::read(&mut store, repository.as_ref())?;
    let settings = match args.mode {
        Mode::History => Settings::history(),
        Mode::Alert => Settings::alert(),
    };
    let filter = filter(args, &history.line, repository.as_ref())?;
    let mut found = changes::changes(&mut store, &history, &settings)?;
    drop(store);
    changes::keep_names(&address, &found.new_names);
    if let Some((prefix, state)) = said(args) {
        let one = the_one(&mut found.findings, prefix)?;
        let mut store = Store::open(&address)?;
        // The last words hold, also where two are said within one second.
        let last_s = store.annotations()?.iter().filter(|said| said.finding == one.id).map(|said| said.said_at_s).max();
        let said_at_s = last_s.map_or(now_s(), |last_s| now_s().max(last_s + 1));
        let said = Annotation { finding: one.id.clone(), state, note: args.note.clone(), said_at_s };
        // Without its name the store could not tell later what was spoken of.
        store.name(&found.new_names)?;
        store.annotate(&said)?;
        if one.state != State::Fixed {
            one.state = state;
        }
        one.note.clone_from(&said.note);
        let id = one.id.clone();
        found.findings.retain(|finding| finding.id == id);
    } else {
        found.findings = filter.of(found.findings);
    }
    let shown =
        Shown { line: &history.line, findings: &found.findings, series: found.series, beside: history.beside() };
    let answer = match args.format {
        Shape::Text => text(shown, output::style()),
        Shape::Json => output::json(&Json::new(shown))?,
    };
    super::answer(&answer)?;
    Ok(ExitCode::SUCCESS)
}

fn said(args: &ChangesArgs) -> Option<(&str, State)> {
    let acknowledged = args.acknowledge.as_deref().map(|id| (id, State::Acknowledged));
    let expected = args.expected.as_deref().map(|id| (id, State::Expected));
    acknowledged.or(expected).or(args.reopen.as_deref().map(|id| (id, State::Open)))
}

/// The finding whose name begins so.
fn the_one<'a>(findings: &'a mut [ChangeFinding], prefix: &str) -> Outcome<&'a mut ChangeFinding> {
    let mut alike: Vec<&mut ChangeFinding> =
        findings.iter_mut().filter(|finding| finding.id.as_str().starts_with(prefix)).collect();
    let names: Vec<&str> = alike.iter().take(5).map(|finding| RecordId::short(&finding.id)).collect();
    match names.len() {
        1 => Ok(alike.remove(0)),
        0 => Err(Failure::usage(anyhow!("no finding's name begins with {prefix:?}"))
            .hint("`tachograph changes` lists the findings, each with its name")),
        _ => Err(Failure::usage(anyhow!("several findings' names begin with {prefix:?}: {}", names.join(", ")))),
    }
}

fn filter(args: &ChangesArgs, line: &Line, repository: Option<&Repository>) -> Outcome<Filter> {
    let pattern = |text: &Option<String>| text.as_deref().map(Pattern::new);
    let sorts =
        [(args.regressions, Sort::Regressions), (args.improvements, Sort::Improvements), (args.drifts, Sort::Drifts)];
    let since = args.since.as_deref().map(|since| place_of(since, line, repository)).transpose()?;
    Ok(Filter {
        benchmark: pattern(&args.pattern),
        suite: pattern(&args.suite),
        metric: pattern(&args.metric),
        machine: pattern(&args.machine),
        since,
        size: args.size.map(Limit::share),
        sorts: sorts.into_iter().filter_map(|(wanted, sort)| wanted.then_some(sort)).collect(),
        states: args.state.iter().map(|state| State::from(*state)).collect(),
    })
}

/// The first place after a date or a revision.
fn place_of(since: &str, line: &Line, repository: Option<&Repository>) -> Outcome<usize> {
    if let Ok(date) = since.parse::<jiff::civil::Date>() {
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).or_usage(format!("reading the date {since}"))?;
        let second = zoned.timestamp().as_second();
        // Dates lie; what is wanted is the place behind the last commit that is older.
        return Ok(line.commits().iter().rposition(|commit| commit.committed_at_s < second).map_or(0, |at| at + 1));
    }
    let known = |id: &str| line.commits().iter().position(|commit| commit.id.as_str().starts_with(id));
    let place = match repository {
        Some(repository) => line.place(&repository.commit(since)?.id),
        None => known(since),
    };
    let place = place.ok_or_else(|| {
        Failure::usage(anyhow!("{since:?} is not on the line of the main branch"))
            .hint("give a date such as 2026-08-01, or a commit of the main branch")
    })?;
    Ok(place + 1)
}
