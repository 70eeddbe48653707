//! `tachograph run`: measures commits and records what was seen.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::answer;
use super::output::{self, Shape};
use super::status::Status;
use super::stored::StoreArgs;
use crate::config::{Runs, Source};
use crate::domain::{BenchmarkName, Extra, Pattern, Subject, parse_duration};
use crate::failure::{Classify, Outcome};
use crate::flow::project::Project;
use crate::flow::run::{self, Confirm, Event, Planned, Request, Skip, Tally};
use crate::measure::interrupt::Stop;
use crate::measure::solo::Progress;
use crate::show;
use crate::show::escape;
use crate::show::number;

/// Measure commits and record every sample
///
/// Lays each commit out in a folder of its own, builds its suites there, measures them and stores what was seen. Without
/// REV it measures what is checked out: HEAD, or the working tree with its changes, which is recorded as such and is never
/// a baseline.
///
/// Each new point is judged by the past of its series. Points that are out of line are measured again at once, in turns with
/// the commit's first parent. Where `[trend] anchor` names a revision, the commit is dueled with that as well.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// A commit, or a range as git means it: A..B is what B has and A has not, oldest first
    #[arg(value_name = "REV|A..B", allow_hyphen_values = false)]
    spec: Option<String>,

    /// Measure this suite only; may be given several times
    #[arg(long, value_name = "NAME")]
    suite: Vec<String>,

    /// Measure matching benchmarks only: a part of the name, a whole name with * and ?, or =NAME; may be given several times
    #[arg(long, value_name = "PATTERN")]
    filter: Vec<String>,

    /// The time to measure each suite for, such as 500ms, 90s or 10m; the configuration's, or 60s, if not given. Up to as
    /// much is added where a neighbour was on the same core for hardly a slice of some lives to count
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    budget: Option<Duration>,

    /// Measure this too; `instructions` are counted by callgrind or perf, after the time was measured and beside the budget
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    metrics: Vec<Extra>,

    /// Do not measure points again that are out of line with their series
    #[arg(long)]
    no_confirm: bool,

    /// How long that may take, for each suite, building left out; the configuration's, or 30s, if not given
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "no_confirm")]
    confirm_budget: Option<Duration>,

    /// Do not duel with the anchor that the configuration names
    #[arg(long)]
    no_anchor: bool,

    /// Say what would be built and measured, and for how long, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// What random orders follow from; chosen anew if not given, and recorded
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    #[command(flatten)]
    store: StoreArgs,

    /// Where worktrees and builds are kept; ~/.cache/tachograph if not given
    #[arg(long, value_name = "DIR", env = "TACHOGRAPH_CACHE")]
    cache: Option<PathBuf>,

    /// A configuration to use instead of each commit's own tachograph.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// How to write the results
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,
}

pub(super) fn run(args: &RunArgs) -> Outcome<ExitCode> {
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let project = Project::open(&here, args.cache.clone(), args.config.clone())?;
    let request = Request {
        spec: args.spec.clone(),
        suites: args.suite.clone(),
        filter: args.filter.iter().map(Pattern::new).collect(),
        budget: args.budget,
        seed: args.seed.unwrap_or_else(fresh_seed),
        confirm: if args.no_confirm { Confirm::Never } else { Confirm::Configured },
        confirm_budget: args.confirm_budget,
        no_anchor: args.no_anchor,
        metrics: args.metrics.clone(),
    };
    if args.dry_run {
        return dry_run(&run::plan(&project, &request)?, args.format);
    }
    let address = args.store.address()?;
    let stop = Stop::on_signals().or_environment("listening to signals")?;
    let mut status = Status::new();
    let mut answered = Ok(());
    let tally = run::run(&project, &request, &address, &stop, &now_s, &mut |event| {
        if let Some(text) = told(&event, &mut status, args) {
            answered = std::mem::replace(&mut answered, Ok(())).and_then(|()| answer(&text));
        }
    });
    status.clear();
    let tally = tally?;
    answered?;
    if args.format == Shape::Text && tally.recorded > 0 {
        answer(&format!("\n{}, kept in {}\n", summed(tally), escape::line(&shown_path(address.file(), &here))))?;
    }
    Ok(exit_code(tally, &stop, &mut status, args))
}

fn exit_code(tally: Tally, stop: &Stop, status: &mut Status, args: &RunArgs) -> ExitCode {
    if let Some(code) = stop.exit_code().filter(|_| tally.stopped) {
        status.remark("stopped by a signal; the runs that were finished are recorded");
        return ExitCode::from(code);
    }
    if tally.broken > 0 || tally.failed > 0 {
        return ExitCode::from(1);
    }
    if tally.recorded == 0 {
        let patterns = args.filter.join(", ");
        status.remark(&format!("nothing was measured: no benchmark matches {}", escape::line(&patterns)));
        return ExitCode::from(4);
    }
    ExitCode::SUCCESS
}

/// What goes to standard output for an event; what else there is to say goes to standard error.
fn told(event: &Event<'_>, status: &mut Status, args: &RunArgs) -> Option<String> {
    match event {
        Event::Building(planned, line) => {
            let what = format!("{}: building suite {}", subject(&planned.subject), planned.suite);
            status.say(if line.is_empty() { what } else { format!("{what}: {line}") }.as_str());
            None
        }
        Event::Measuring(planned, progress) => {
            if let Some(line) = measuring(progress) {
                status.say(&format!("{}: suite {}: {line}", subject(&planned.subject), planned.suite));
            }
            None
        }
        Event::Skipped(planned, skip) => {
            let what = format!("{}, suite {}", subject(&planned.subject), planned.suite);
            let why = match skip {
                Skip::Broken(why) => escape::lines(why).into_owned(),
                Skip::NothingChosen => "no benchmark matches".to_owned(),
            };
            status.remark(&format!("{}: {}", escape::line(&what), why.trim_end()));
            None
        }
        Event::Remark(remark) => {
            status.remark(&escape::line(remark));
            None
        }
        Event::Processes(planned, line) | Event::Beside(planned, line) => {
            status.say(&format!("{}: suite {}: {line}", subject(&planned.subject), planned.suite));
            None
        }
        Event::Unconfirmed(planned, why) => undone(planned, "suspects were not measured again", why, status),
        Event::Unanchored(planned, why) => undone(planned, "there is no ratio to the anchor", why, status),
        Event::Anchored(anchored) => {
            status.clear();
            Some(match args.format {
                Shape::Text => show::anchored::laid(anchored),
                Shape::Json => show::anchored::laid_json(anchored),
            })
        }
        Event::Followed(run, followed) => {
            status.clear();
            match args.format {
                Shape::Text => Some(show::standing::text(&followed.points)),
                Shape::Json => show::standing::json(run, &followed.points),
            }
        }
        Event::Confirmed(run, confirmation) => {
            status.clear();
            Some(match args.format {
                Shape::Text => show::standing::confirmed(confirmation),
                Shape::Json => show::standing::confirmed_json(run, confirmation),
            })
        }
        Event::Recorded(run, recorded) => {
            status.clear();
            Some(match args.format {
                Shape::Text => show::run::brief(run, output::style()),
                Shape::Json => output::json(&show::brief::Brief::new(run, recorded.id())).unwrap_or_default(),
            })
        }
    }
}

fn undone(planned: &Planned, what: &str, why: &str, status: &mut Status) -> Option<String> {
    let place = format!("{}, suite {}", subject(&planned.subject), planned.suite);
    status.remark(&format!("{}: {what}: {}", escape::line(&place), escape::lines(why).trim_end()));
    None
}

fn measuring(progress: &Progress<'_>) -> Option<String> {
    match progress {
        Progress::Listed { benchmarks, .. } => Some(format!("{benchmarks} benchmarks")),
        Progress::Rehearsed { benchmark, iteration_ns } => {
            let one = number::quantity(*iteration_ns, &crate::domain::Unit::nanoseconds());
            Some(format!("{benchmark} takes about {one}"))
        }
        Progress::Round { benchmarks, left } => Some(format!("{benchmarks} benchmarks left, {} s", left.as_secs())),
        Progress::Measured { .. } => None,
        Progress::Failed { benchmark, .. } => Some(format!("{benchmark} failed")),
    }
}

fn dry_run(planned: &[Planned], shape: Shape) -> Outcome<ExitCode> {
    if shape == Shape::Json {
        let rows = planned.iter().map(|planned| {
            let commit = planned.subject.commit().id.as_str();
            serde_json::json!({
                "commit": commit, "dirty": planned.subject.is_dirty(), "suite": planned.suite.as_str(),
                "budget_ms": u64::try_from(planned.settings.budget.as_millis()).unwrap_or(u64::MAX),
                "what": what(&planned.settings.source),
            })
        });
        let rows: Vec<String> = rows.map(|row| row.to_string()).collect();
        answer(&(rows.join("\n") + "\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    let mut total = Duration::ZERO;
    for planned in planned {
        let line = format!(
            "{}: suite {}: {}, measured for {}\n",
            subject(&planned.subject),
            planned.suite,
            what(&planned.settings.source),
            duration(planned.settings.budget)
        );
        text += &escape::lines(&line);
        total += planned.settings.budget;
    }
    let sum = format!("{} to measure, about {} besides building\n", runs(planned.len()), duration(total));
    answer(&(text + &sum))?;
    Ok(ExitCode::SUCCESS)
}

fn what(source: &Source) -> String {
    let after = |build: &[Vec<String>]| match build {
        [] => String::new(),
        build => format!("after {}, ", build.iter().map(|command| command.join(" ")).collect::<Vec<_>>().join(", ")),
    };
    match source {
        Source::Cargo { package, bench, .. } => format!("bench target {bench} of package {package}"),
        Source::Worker { build, worker } => format!("{}worker {}", after(build), worker.join(" ")),
        Source::Command(source) => {
            let built = source
                .cargo
                .as_ref()
                .map(|cargo| format!("bench target {} of package {}, ", cargo.bench, cargo.package));
            let runs = match &source.runs {
                Runs::Harness(harness) => format!("command {}", harness.command.join(" ")),
                Runs::Timed(commands) => {
                    let names: Vec<&str> = commands.keys().map(BenchmarkName::as_str).collect();
                    format!("commands timed: {}", names.join(", "))
                }
            };
            format!("{}{}{runs}", built.unwrap_or_default(), after(&source.build))
        }
    }
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Commit(commit) => commit.id.short().to_owned(),
        Subject::Dirty { on, .. } => format!("working tree on {}", on.id.short()),
    }
}

fn summed(tally: Tally) -> String {
    let failed = if tally.failed == 0 { String::new() } else { format!(", {} failed", tally.failed) };
    format!("{} of {} measured{failed}", runs(tally.recorded), benchmarks(tally.measured))
}

fn runs(count: usize) -> String {
    if count == 1 { "1 run".to_owned() } else { format!("{count} runs") }
}

fn benchmarks(count: usize) -> String {
    if count == 1 { "1 benchmark".to_owned() } else { format!("{count} benchmarks") }
}

fn duration(time: Duration) -> String {
    number::duration(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

fn shown_path(path: &std::path::Path, here: &std::path::Path) -> String {
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

pub(super) fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

pub(super) fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs().wrapping_mul(1_000_000_007) ^ u64::from(since.subsec_nanos()) ^ u64::from(std::process::id())
}
