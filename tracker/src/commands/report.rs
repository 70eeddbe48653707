//! `tachograph report`: what became of a project's speed, or of one change that another job measured, for people.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::carried::{self, Asked};
use super::stored::StoreArgs;
use super::{gate, output};
use crate::failure::{Failure, Outcome};
use crate::flow::report;
use crate::repo::Repository;
use crate::show;

/// Say what got better and worse since a release, or judge anew what another job measured
///
/// With --since: what became of every benchmark since a tag, a revision or a day. With --bundle: reads a file that
/// `tachograph gate --bundle` wrote and believes nothing in it but the numbers; the commit is the one that is given here,
/// the suites, policy and limits are those of the tachograph.toml that is checked out here (on a CI host beside the jobs
/// that measured: that of the change's base), the acceptances those that stand on base, and base must be a commit of this
/// history. That exits as a gate does. Of a gate that several jobs measured with --shard, each with a file: one report, with
/// one error budget.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The baseline: a tag, a revision, or a day such as 2026-05-01
    #[arg(long, value_name = "REV|TAG|DATE", required_unless_present = "bundle", conflicts_with = "bundle")]
    since: Option<String>,

    /// The file that another job wrote; several times for the shards of one gate
    #[arg(long, value_name = "FILE", requires = "commit")]
    bundle: Vec<PathBuf>,

    /// The commit that the file must be about, its whole hash; who asks knows it from elsewhere
    #[arg(long, value_name = "HASH", requires = "bundle")]
    commit: Option<String>,

    /// How to write it
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,

    /// Where the whole report on the file can be read, for the Markdown to point at
    #[arg(long, value_name = "URL", requires = "bundle")]
    link: Option<String>,

    /// Keep what the file holds, and let later gates learn from it; only for what comes from people who may write here
    #[arg(long, requires = "bundle")]
    keep: bool,

    /// Tell the CI host of it as a gate does: the summary of the job, the outputs `verdict` and `exit-code`, and findings
    /// beside the change
    #[arg(long, requires = "bundle")]
    tell_host: bool,

    #[command(flatten)]
    store: StoreArgs,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For reading
    Text,
    /// For a release's notes or a comment
    Markdown,
    /// With --since: as one page that can be sent to somebody
    Html,
    /// With --bundle: for programs; tracker/REPORT.md has every field
    Json,
    /// With --bundle: for systems that show the results of tests
    Junit,
    /// With --bundle: commands to the runner of a GitHub job, which shows them beside the change
    Github,
    /// With --bundle: a list of findings as GitLab shows it in a merge request
    CodeQuality,
    /// With --bundle: gauges of both sides, which GitLab sets against those of the target
    Openmetrics,
}

pub(super) fn run(args: &ReportArgs) -> Outcome<ExitCode> {
    match (&args.since, &args.bundle[..], &args.commit) {
        (Some(since), ..) => since_then(args, since),
        (None, bundles @ [_, ..], Some(commit)) => {
            let format = match args.format {
                Form::Text => gate::Shape::Text,
                Form::Markdown => gate::Shape::Markdown,
                Form::Json => gate::Shape::Json,
                Form::Junit => gate::Shape::Junit,
                Form::Github => gate::Shape::Github,
                Form::CodeQuality => gate::Shape::CodeQuality,
                Form::Openmetrics => gate::Shape::Openmetrics,
                Form::Html => return Err(no_form("html", "--bundle", "markdown")),
            };
            let (link, keep, tell_host, store) = (args.link.as_deref(), args.keep, args.tell_host, &args.store);
            carried::run(&Asked { bundles, commit, format, link, keep, tell_host, store })
        }
        _ => Err(Failure::usage(anyhow::anyhow!("a report needs --since, or --bundle and --commit"))),
    }
}

fn since_then(args: &ReportArgs, since: &str) -> Outcome<ExitCode> {
    let write: fn(&show::report::Report) -> String = match args.format {
        Form::Text => |report| show::report::text(report, output::style()),
        Form::Markdown => show::report::markdown,
        Form::Html => show::page::report::page_of,
        Form::Json => return Err(no_form("json", "--since", "markdown")),
        Form::Junit => return Err(no_form("junit", "--since", "markdown")),
        Form::Github => return Err(no_form("github", "--since", "markdown")),
        Form::CodeQuality => return Err(no_form("code-quality", "--since", "markdown")),
        Form::Openmetrics => return Err(no_form("openmetrics", "--since", "markdown")),
    };
    let mut store = args.store.open_to_read()?;
    let repository = std::env::current_dir().ok().and_then(|here| Repository::discover(&here).ok());
    let folder = repository.as_ref().and_then(|repository| repository.root().file_name());
    let name = folder.map_or_else(|| "Benchmarks".to_owned(), |name| name.to_string_lossy().into_owned());
    let report = report::since(&mut store, repository.as_ref(), &name, since)?;
    super::answer(&write(&report))?;
    Ok(ExitCode::SUCCESS)
}

fn no_form(form: &str, of: &str, instead: &str) -> Failure {
    Failure::usage(anyhow::anyhow!("a report {of} has no form {form:?}")).hint(format!("try --format {instead}"))
}
