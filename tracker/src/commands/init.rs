//! `tachograph init`: looks at the repository, and writes what makes it measured.

use std::process::ExitCode;

use clap::Args;

use super::answer;
use crate::failure::{Classify, Outcome};
use crate::flow::init;
use crate::repo::Repository;
use crate::show::escape;

/// Look for benchmarks, and write a tachograph.toml and workflows that measure them
///
/// Runs nothing and changes no file that is there.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The main branch; else the one that the remote says, or main
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
}

pub(super) fn run(args: &InitArgs) -> Outcome<ExitCode> {
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let repository = Repository::discover(&here)?;
    let branch = args.branch.clone().or_else(|| repository.main_branch()).unwrap_or_else(|| "main".to_owned());
    let written = init::init(repository.root(), &branch)?;
    let mut text = String::new();
    for file in &written.files {
        text = text + "wrote " + &escape::line(&file.display().to_string()) + "\n";
    }
    for remark in &written.remarks {
        text = text + "note: " + &escape::line(remark) + "\n";
    }
    let tops: std::collections::BTreeSet<_> = written.files.iter().filter_map(|file| file.iter().next()).collect();
    let tops: Vec<_> = tops.into_iter().map(|top| top.to_string_lossy()).collect();
    text = text
        + "\nnext:\n  tachograph run        # measures what is checked out, here and now\n  git add "
        + &tops.join(" ")
        + " && git commit -m \"Measure speed\" && git push\n";
    answer(&text)?;
    Ok(ExitCode::SUCCESS)
}
