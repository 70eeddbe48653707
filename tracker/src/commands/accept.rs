//! `tachograph accept`: a regression that is meant, written down.

use std::process::ExitCode;

use clap::Args;

use super::answer;
use super::run::now_s;
use super::stored::StoreArgs;
use crate::domain::{RecordId, Until};
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::acceptances::{self, FILE_NAME};
use crate::flow::project::Project;
use crate::show::escape;

/// An acceptance without another end holds for so many days.
const DAYS: i64 = 90;

/// Accept a regression or a loss that is meant: write down how large it may be, why, and until when
///
/// Writes an entry to tachograph.accept.toml in the working copy, to be committed and reviewed like code. It allows as much
/// as the finding's interval holds, and no more; or that a benchmark, or a metric of it, is gone. A gate honours the entries that stand on base; those that head itself adds
/// only if base's tachograph.toml says `trust_new_acceptances = true`, and never those of a fork.
#[derive(Debug, Args)]
pub(super) struct AcceptArgs {
    /// The finding: its address as a report shows it, or as much of its beginning as no other has
    #[arg(value_name = "FINDING")]
    finding: String,

    /// Why it is accepted
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// The last day on which it holds, such as 2026-12-31; 90 days from now if not given
    #[arg(long, value_name = "DATE", conflicts_with = "until_rebased")]
    until: Option<jiff::civil::Date>,

    /// Let it hold for as long as base is the one that the finding was made against
    #[arg(long)]
    until_rebased: bool,

    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &AcceptArgs) -> Outcome<ExitCode> {
    let mut store = args.store.open_to_read()?;
    let (report, finding) = crate::flow::explain::said(&mut store, &args.finding)?;
    let finding = finding.ok_or_else(|| {
        let all: Vec<RecordId> = report.findings.iter().map(|finding| finding.address(&report.duel)).collect();
        let all: Vec<&str> = all.iter().map(RecordId::short).collect();
        let refused = anyhow::anyhow!("{} is a duel, and it is a finding that is accepted", args.finding);
        let hint =
            if all.is_empty() { "it has none".to_owned() } else { format!("its findings are {}", all.join(", ")) };
        Failure::usage(refused).hint(hint)
    })?;
    let until = match (args.until, args.until_rebased) {
        (_, true) => Until::Rebased,
        (Some(day), false) => Until::Day(day),
        (None, false) => Until::Day(acceptances::day(now_s() + DAYS * 86_400)),
    };
    let entry = acceptances::entry(&report, &finding, &args.reason, until)?;
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let project = Project::open(&here, None, None)?;
    let added = acceptances::add(&project, &entry)?;
    let what = escape::line(&entry.to_string()).into_owned();
    let text = if added {
        format!("{FILE_NAME} accepts {what}\ncommit it: a gate honours what stands on base\n")
    } else {
        format!("{FILE_NAME} accepts {what} already\n")
    };
    answer(&text)?;
    Ok(ExitCode::SUCCESS)
}
