//! `tachograph gate` and `tachograph compare`: base and head measured against each other.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::output;
use super::run::{fresh_seed, now_s};
use super::status::Status;
use super::stored::StoreArgs;
use super::{answer, ci};
use crate::domain::{
    Extra, Lack, Pattern, RecordId, Report, Shard, Subject, Undecided, Unreported, Whole, parse_duration,
};
use crate::failure::{Classify, Failure, Kind, Outcome};
use crate::flow::carry::{self, Carried};
use crate::flow::gate::{self, Ended, Event, HeadOf, Request, Shortcut, WhosePolicy};
use crate::flow::host::{self, Host};
use crate::flow::project::Project;
use crate::measure::duel::Progress;
use crate::measure::interrupt::Stop;
use crate::repo::Repository;
use crate::show;
use crate::show::escape;
use crate::show::gate::Gate;

/// Say whether head is slower than base, and fail if so
///
/// Builds both, measures them alternately in this very job, and judges each benchmark under the policy that base's
/// tachograph.toml states. Exits with 0 if nothing got worse beyond its limit, 1 if something did, if head does not build
/// or lost a benchmark or a metric, 4 if there was nothing to judge (or not everything was decided, and base's
/// tachograph.toml says `inconclusive = "fail"`), 3 if the environment failed or base cannot be used, and 2 if the usage is
/// wrong. What was measured and what was said of it is kept in the store.
#[derive(Debug, Args)]
pub(super) struct GateArgs {
    /// What to measure against; what the CI host says, else where head left the main branch, if not given
    #[arg(long, value_name = "REV")]
    base: Option<String>,

    /// What is judged; HEAD if not given, or the working tree if it has changes
    #[arg(long, value_name = "REV")]
    head: Option<String>,

    /// Head comes from a fork: acceptances that it adds do not hold, and later gates learn nothing from it
    #[arg(long)]
    fork: bool,

    /// Write everything that was measured to this file, for another job to judge anew with `tachograph report`
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,

    /// Measure one part of several, such as 2/3, dealt out evenly by what benchmarks are known to take; `tachograph report`
    /// judges the bundles of all parts together, and this job says nothing of it
    #[arg(long, value_name = "I/N", requires = "bundle")]
    shard: Option<Shard>,

    #[command(flatten)]
    how: HowArgs,
}

/// Measure two commits against each other
///
/// Like a gate, but without a policy of the project's, and whatever is found it exits with 0 unless something could not be
/// measured.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// What to measure against
    #[arg(value_name = "A")]
    base: String,

    /// What is compared with it
    #[arg(value_name = "B")]
    head: String,

    #[command(flatten)]
    how: HowArgs,
}

#[derive(Debug, Args)]
struct HowArgs {
    /// Measure this suite only; may be given several times
    #[arg(long, value_name = "NAME")]
    suite: Vec<String>,

    /// Measure matching benchmarks only, also those left to runs: a part of the name, a whole name with * and ?, or =NAME; may be given several times
    #[arg(long, value_name = "PATTERN")]
    filter: Vec<String>,

    /// The time to measure each suite for at the most, such as 500ms, 90s or 10m; the configuration's, or 60s, if not given
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    budget: Option<Duration>,

    /// Measure this too; `instructions` are counted by callgrind or perf, after the time was measured and beside the budget
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    metrics: Vec<Extra>,

    /// Measure and judge as ever even where base and head are one program and only documentation, tests or workflows changed
    #[arg(long)]
    measure_anyway: bool,

    /// What random orders follow from; chosen anew if not given
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    #[command(flatten)]
    store: StoreArgs,

    /// Where worktrees and builds are kept; ~/.cache/tachograph if not given
    #[arg(long, value_name = "DIR", env = "TACHOGRAPH_CACHE")]
    cache: Option<PathBuf>,

    /// A configuration to use instead of the commits' own tachograph.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// How to write the results
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,

    /// Where the whole report can be read, for the Markdown to point at
    #[arg(long, value_name = "URL")]
    link: Option<String>,
}

/// How the results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shape {
    /// For reading
    Text,
    /// For programs; tracker/REPORT.md has every field
    Json,
    /// For a comment or a job's summary, at most 60,000 bytes
    Markdown,
    /// For systems that show the results of tests
    Junit,
    /// Commands to the runner of a GitHub job, which shows them beside the change
    Github,
    /// A list of findings as GitLab shows it in a merge request
    CodeQuality,
    /// Gauges of both sides, which GitLab sets against those of the target
    Openmetrics,
}

pub(super) fn run(args: &GateArgs) -> Outcome<ExitCode> {
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let host = ci::here().filter(|host| host.event != host::Event::Report);
    let is_fork = args.fork || host.as_ref().is_some_and(|host| host.is_fork);
    let head_of = if is_fork { HeadOf::Fork } else { HeadOf::Ours };
    let (mut base, mut head) = (args.base.clone(), args.head.clone());
    if let (Some(host), None, None) = (&host, &base, &head) {
        let chosen = host::choose(host, &Repository::discover(&here)?)?;
        Status::new().remark(&format!("{}, {}: base is {}", host.name, host.event.as_str(), chosen.because));
        // On a host the commit is judged: what steps before this one left in the folder is not part of it.
        head = Some(chosen.head.id.as_str().to_owned());
        base = chosen.base.map(|base| base.id.as_str().to_owned());
    }
    let asked = Request { base, head, head_of, shard: args.shard, ..Request::default() };
    let (code, _) = duel(asked, &args.how, &mut |gate, duels, code| {
        if let Some(place) = &args.bundle {
            hand_on(place, gate.unreported, duels, args)?;
        }
        if args.shard.is_some() {
            return Ok(());
        }
        let Some(host) = &host else { return Ok(()) };
        tell(host, gate, code, (args.how.format, args.how.link.as_deref()))
    })?;
    Ok(ExitCode::from(code))
}

/// Tells the host what was judged: the job's summary, what later steps can read, and findings beside the change, unless
/// these are written anyway.
fn tell(host: &Host, gate: &Gate<'_>, code: u8, (shape, link): (Shape, Option<&str>)) -> Outcome<()> {
    let markdown = show::markdown::text(gate, link.or(host.run_url.as_deref()), MOST_SUMMARY_BYTES);
    ci::tell(host, &markdown, &[("verdict", gate.whole().as_str()), ("exit-code", &code.to_string())])?;
    if host.outputs.is_some() && shape != Shape::Github {
        Status::new().remark(show::annotations::text(gate).trim_end());
    }
    Ok(())
}

/// Writes what was measured to a file.
fn hand_on(place: &Path, unreported: &[Unreported], ids: &[RecordId], args: &GateArgs) -> Outcome<()> {
    let mut store = args.how.store.open_to_read()?;
    let mut duels = Vec::new();
    for id in ids {
        duels.extend(store.duel(id)?);
    }
    let commit = match duels.first().map(|duel| &duel.head.subject) {
        Some(Subject::Commit(commit)) => commit.id.clone(),
        Some(Subject::Dirty { .. }) => {
            return Err(Failure::usage(anyhow::anyhow!("a working tree with changes is judged where it stands"))
                .hint("commit the changes, or leave --bundle out"));
        }
        None => {
            let here = std::env::current_dir().or_environment("finding the current folder")?;
            Repository::discover(&here)?.head()?.id
        }
    };
    carry::write(place, &Carried { commit, shard: args.shard, unreported: unreported.to_vec(), duels })
}

pub(super) fn compare(args: &CompareArgs) -> Outcome<ExitCode> {
    let (base, head) = (Some(args.base.clone()), Some(args.head.clone()));
    let policy = WhosePolicy::Nobodys;
    let (code, failed) = duel(Request { base, head, policy, ..Request::default() }, &args.how, &mut |_, _, _| Ok(()))?;
    // Red for what became slower is a gate's business; what could not be measured is everybody's.
    Ok(ExitCode::from(if code == RED && !failed { 0 } else { code }))
}

const RED: u8 = 1;
const NOTHING: u8 = 4;

/// A job's summary may have a mebibyte, all steps together.
const MOST_SUMMARY_BYTES: usize = 512 << 10;

/// All of a gate's answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    exit_code: u8,
    whole: Whole,
    remarks: &'a [String],
    broken: Vec<(&'a str, &'a str)>,
    unusable: Vec<(&'a str, &'a str)>,
    new: Vec<(&'a str, &'a str)>,
    reports: &'a [Report],
}

/// What hears of the whole, the duels behind it, and how to exit.
type After<'a> = dyn FnMut(&Gate<'_>, &[RecordId], u8) -> Outcome<()> + 'a;

/// Says how to exit, and whether that is for something that could not be measured.
fn duel(asked: Request, how: &HowArgs, after: &mut After<'_>) -> Outcome<(u8, bool)> {
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let project = Project::open(&here, how.cache.clone(), how.config.clone())?;
    let request = Request {
        suites: how.suite.clone(),
        filter: how.filter.iter().map(Pattern::new).collect(),
        budget: how.budget,
        seed: how.seed.unwrap_or_else(fresh_seed),
        metrics: how.metrics.clone(),
        shortcut: if how.measure_anyway { Shortcut::Leave } else { Shortcut::Take },
        ..asked
    };
    let address = how.store.address()?;
    let stop = Stop::on_signals().or_environment("listening to signals")?;
    let mut status = Status::new();
    let mut remarks = Vec::new();
    let mut answered = Ok(());
    let ended = gate::gate(&project, &request, &address, &stop, &now_s, &mut |event| match event {
        Event::Remark(remark) => {
            status.remark(&escape::line(&remark));
            remarks.push(remark);
        }
        Event::Building(subject, suite, line) => {
            let what = format!("building suite {suite} of {}", named(subject));
            status.say(if line.is_empty() { what } else { format!("{what}: {line}") }.as_str());
        }
        Event::Dueling(suite, progress) => status.say(&format!("suite {suite}: {}", dueling(&progress))),
        Event::Unreported(one) => status.remark(&show::gate::unreported(one)),
        Event::Judged(report) => {
            status.clear();
            if how.format == Shape::Text {
                let text = show::gate::text(report, output::style());
                answered = std::mem::replace(&mut answered, Ok(())).and_then(|()| answer(&text));
            }
        }
    });
    status.clear();
    let (reports, unreported, no_baseline, site) = match ended? {
        Ended::Judged { reports, unreported, no_baseline, site } => (reports, unreported, no_baseline, site),
        Ended::Part { duels, unreported } => {
            status
                .remark("this is a part of it, and nothing is said of a part: `tachograph report` judges all of them");
            let part = Gate { unreported: &unreported, ..Gate::default() };
            after(&part, &duels, 0)?;
            return Ok((0, false));
        }
        Ended::NoBase => {
            status.remark(
                "there is nothing to compare with: head has no parent, and there is no main branch; try --base REV",
            );
            (Vec::new(), Vec::new(), Undecided::Fail, None)
        }
        Ended::Stopped => {
            status.remark("stopped by a signal; nothing was judged");
            return Ok((stop.exit_code().unwrap_or(NOTHING), true));
        }
    };
    answered?;
    let whole = Gate { remarks: &remarks, unreported: &unreported, reports: &reports, site: site.as_deref() };
    let code = exit_code(&whole, no_baseline);
    written(&whole, code, how.format, how.link.as_deref())?;
    let duels: Vec<RecordId> = reports.iter().map(|report| report.duel.clone()).collect();
    after(&whole, &duels, code)?;
    let lost = reports.iter().flat_map(|report| &report.findings).any(show::gate::is_unmeasured);
    Ok((code, unreported.iter().any(|one| one.lack != Lack::New) || lost))
}

/// Says all of it in a form that is told at the end.
fn written(gate: &Gate<'_>, exit_code: u8, shape: Shape, link: Option<&str>) -> Outcome<()> {
    match shape {
        Shape::Text => Ok(()),
        Shape::Json => {
            let Gate { remarks, unreported, reports, .. } = *gate;
            let (schema, whole) = ("tachograph/gate/1", gate.whole());
            let those = |wanted: fn(Lack) -> bool| {
                let all = unreported.iter().filter(move |one| wanted(one.lack));
                all.map(|one| (one.suite.as_str(), one.said.as_str())).collect()
            };
            let (broken, new) = (those(Lack::is_red), those(|lack| lack == Lack::New));
            let unusable = those(|lack| lack == Lack::Unusable);
            answer(&output::json(&Answer { schema, exit_code, whole, remarks, broken, unusable, new, reports })?)
        }
        Shape::Markdown => answer(&show::markdown::text(gate, link, show::markdown::MOST_BYTES)),
        Shape::Junit => answer(&show::junit::text(gate)),
        Shape::Github => answer(&show::annotations::text(gate)),
        Shape::CodeQuality => answer(&output::json(&show::code_quality::list(gate))?),
        Shape::Openmetrics => answer(&show::openmetrics::text(gate)),
    }
}

/// Says what was judged elsewhere, as a gate does, and tells it to the host if there is one to be told.
pub(super) fn conclude(
    gate: &Gate<'_>,
    no_baseline: Undecided,
    (shape, link): (Shape, Option<&str>),
    host: Option<&Host>,
) -> Outcome<ExitCode> {
    for remark in gate.remarks {
        Status::new().remark(&escape::line(remark));
    }
    if shape == Shape::Text {
        for one in gate.unreported {
            Status::new().remark(&show::gate::unreported(one));
        }
        for report in gate.reports {
            answer(&show::gate::text(report, output::style()))?;
        }
    }
    let code = exit_code(gate, no_baseline);
    written(gate, code, shape, link)?;
    host.map_or(Ok(()), |host| tell(host, gate, code, (shape, link)))?;
    Ok(ExitCode::from(code))
}

/// A base that cannot be used before red, before nothing to judge or what may not stay undecided, before fine: while the
/// environment fails, what is red may be so for that, and whoever retries on 3 must not take the verdict for a whole one.
/// What is red is in the report all the same.
fn exit_code(gate: &Gate<'_>, no_baseline: Undecided) -> u8 {
    let Gate { reports, .. } = *gate;
    let is = |whole: Whole| reports.iter().any(|report| report.whole == whole);
    if gate.lacks(Lack::Unusable) {
        Kind::Environment.exit_code()
    } else if gate.whole() == Whole::Red {
        RED
    } else if gate.is_new() && no_baseline == Undecided::Pass {
        0
    } else if reports.is_empty() || is(Whole::Nothing) || reports.iter().any(may_not_pass) {
        NOTHING
    } else {
        0
    }
}

fn may_not_pass(report: &Report) -> bool {
    report.whole == Whole::Inconclusive && report.policy.inconclusive == Undecided::Fail
}

fn dueling(progress: &Progress<'_>) -> String {
    match progress {
        Progress::Listed { benchmarks } => format!("{benchmarks} benchmarks on both sides"),
        Progress::Life { benchmarks, left } => format!("{benchmarks} benchmarks left, {} s", left.as_secs()),
        Progress::Counting => "counting instructions".to_owned(),
        Progress::Failed { benchmark, .. } => format!("{benchmark} failed"),
    }
}

fn named(subject: &Subject) -> String {
    match subject {
        Subject::Commit(commit) => commit.id.short().to_owned(),
        Subject::Dirty { .. } => "the working tree".to_owned(),
    }
}
