//! `tachograph publish`: the store as a site of plain files.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::stored::StoreArgs;
use crate::failure::Outcome;
use crate::flow::publish;
use crate::repo::Repository;

/// Write the site: overview, series, changes, duels, runs and comparisons as plain files that open from disk and need no server
///
/// Only what changed since the last time is drawn again. The site is swapped in whole.
#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// The folder of the site
    #[arg(long, value_name = "DIR", default_value = ".tachograph/site")]
    out: PathBuf,
    /// What the project is called on its pages; else as its folder
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &PublishArgs) -> Outcome<ExitCode> {
    let mut store = args.store.open_to_read()?;
    let repository = std::env::current_dir().ok().and_then(|here| Repository::discover(&here).ok());
    let folder = repository.as_ref().and_then(|repository| repository.root().file_name());
    let name = args.name.clone().or_else(|| folder.map(|name| name.to_string_lossy().into_owned()));
    let name = name.unwrap_or_else(|| "Benchmarks".to_owned());
    let published = publish::publish(&mut store, repository.as_ref(), &name, &args.out)?;
    let page = args.out.join("index.html");
    super::answer(&format!(
        "{} series, {} drawn anew: {}\n",
        published.series,
        published.drawn,
        crate::show::escape::line(&page.display().to_string())
    ))?;
    Ok(ExitCode::SUCCESS)
}
