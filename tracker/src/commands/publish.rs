//! `tachograph publish`: the store as a site of plain files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::stored::StoreArgs;
use crate::config::board;
use crate::failure::Outcome;
use crate::flow::publish::{self, Plan, Published, boards};
use crate::record::Store;
use crate::repo::Repository;

/// Write the site: overview, series, changes, duels, runs and comparisons as plain files that open from disk and need no server
///
/// Only what changed since the last time is drawn again. The site is swapped in whole.
#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    #[command(flatten)]
    project: Project,
    #[command(flatten)]
    store: StoreArgs,
}

/// What the site is of, and where it is drawn.
#[derive(Debug, Args)]
pub(super) struct Project {
    /// The folder of the site
    #[arg(long, value_name = "DIR", default_value = ".tachograph/site")]
    pub(super) out: PathBuf,
    /// What the project is called on its pages; else as its folder
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The folder with the project's dashboards; else `dashboards` in the repository
    #[arg(long, value_name = "DIR")]
    boards: Option<PathBuf>,
}

impl Project {
    /// Draws the site of a store.
    pub(super) fn publish(&self, store: &mut Store, out: &Path) -> Outcome<Published> {
        let repository = std::env::current_dir().ok().and_then(|here| Repository::discover(&here).ok());
        let folder = repository.as_ref().and_then(|repository| repository.root().file_name());
        let name = self.name.clone().or_else(|| folder.map(|name| name.to_string_lossy().into_owned()));
        let name = name.unwrap_or_else(|| "Benchmarks".to_owned());
        let usual = || repository.as_ref().map(|repository| repository.root().join(board::FOLDER));
        let folder = self.boards.clone().or_else(usual);
        let boards = folder.map_or(Ok(Vec::new()), |folder| boards::read(&folder))?;
        publish::publish(store, &Plan { name: &name, repository: repository.as_ref(), boards: &boards }, out)
    }
}

pub(super) fn run(args: &PublishArgs) -> Outcome<ExitCode> {
    let mut store = args.store.open_to_read()?;
    let published = args.project.publish(&mut store, &args.project.out)?;
    let page = args.project.out.join("index.html");
    super::answer(&format!(
        "{} series, {} drawn anew: {}\n",
        published.series,
        published.drawn,
        crate::show::escape::line(&page.display().to_string())
    ))?;
    Ok(ExitCode::SUCCESS)
}
