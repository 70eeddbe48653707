//! From a suite in the configuration to something that can be started: built in a commit's folder.

mod command;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use self::command::Crafts;
use crate::adapt::Format;
use crate::config::{Build, Commands, Source, Suite};
use crate::domain::{Notes, SuiteName, hex};
use crate::failure::{Classify, Failure};
use crate::measure::build::{self, BuildError, CargoBench};
use crate::measure::child::{Environment, Program};
use crate::measure::command::{CommandSuite, List};
use crate::measure::interrupt::Stop;
use crate::repo::Worktree;

/// Where cargo builds, among what a place keeps. No suite's folder is called so.
const CARGO: &str = "cargo.target";

/// Stands in a command for the folder that is kept between builds.
const TARGET: &str = "{target}";

/// The note that holds the size of what was built.
pub(super) const BUILT_BYTES: &str = "executable_bytes";

/// A suite that can be started.
#[derive(Debug)]
pub struct Prepared {
    /// What starts it.
    pub start: Start,
    /// What was learned on the way: the compiler, the executable's size.
    pub notes: Notes,
}

/// How a suite is started.
#[derive(Debug)]
pub enum Start {
    /// As a worker; `--worker` is still to be appended.
    Worker(Program),
    /// As a command whose results are read.
    Command(Box<Commanded>),
}

/// A command suite, ready to run.
#[derive(Debug)]
pub struct Commanded {
    /// What runs it.
    pub suite: CommandSuite,
    /// What lists its benchmarks, where it can run one by name.
    pub list: Option<List>,
    /// The format of its results; none where the content is to tell.
    pub format: Option<&'static Format>,
    /// How many processes of it are run at the most.
    pub processes: u32,
    /// The program that was built for it, where one was.
    pub program: Option<PathBuf>,
}

/// Why a suite cannot be started.
#[derive(Debug)]
pub enum Unprepared {
    /// The commit does not build: its own fault.
    DoesNotBuild(BuildError),
    /// Somebody wants us to stop.
    Stopped,
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for Unprepared {
    fn from(failure: Failure) -> Unprepared {
        Unprepared::Failed(failure)
    }
}

impl From<BuildError> for Unprepared {
    fn from(error: BuildError) -> Unprepared {
        match error {
            BuildError::Stopped => Unprepared::Stopped,
            BuildError::Failed { .. } | BuildError::NoExecutable { .. } => Unprepared::DoesNotBuild(error),
            _ => Unprepared::Failed(Failure::environment(error)),
        }
    }
}

/// Builds a suite in a commit's folder.
pub fn prepare(
    worktree: &Worktree,
    (name, suite): (&SuiteName, &Suite),
    settings: &Build,
    stop: &Stop,
    progress: &mut dyn FnMut(&str),
) -> Result<Prepared, Unprepared> {
    let kept = worktree.keep().join(folder_name(name));
    let crafts = Crafts { worktree, settings, kept: &kept, stop };
    match &suite.source {
        Source::Cargo { package, bench, features } => {
            let (package, bench, features) = (package.clone(), bench.clone(), features.clone());
            let (executable, notes) = crafts.cargo(&CargoBench { package, bench, features }, progress)?;
            let program = Program::new([executable], worktree.path(), Environment::worker());
            Ok(Prepared { start: Start::Worker(program.or_usage(format!("starting suite {name}"))?), notes })
        }
        Source::Worker { build, worker } => {
            build_by_hand(&crafts, worktree.path(), build, worker, progress)?;
            let program = Program::new(filled(worker, &kept), worktree.path(), Environment::worker());
            let program = program.or_usage(format!("starting suite {name}"))?;
            Ok(Prepared { start: Start::Worker(program), notes: Notes::new() })
        }
        Source::Command(source) => crafts.command(source, suite.timeout, name, progress),
    }
}

/// Runs a project's own build commands and returns where they build. Where `{target}` stands in a command, that is a
/// folder kept between builds, which cargo is told too; else all is built in the commit's folder, and anew for each run.
fn build_by_hand(
    crafts: &Crafts<'_>,
    tree: &Path,
    commands: &Commands,
    start: &[String],
    progress: &mut dyn FnMut(&str),
) -> Result<PathBuf, Unprepared> {
    let keeps = commands.iter().flatten().chain(start).any(|part| part.contains(TARGET));
    let target = if keeps { crafts.kept.to_owned() } else { tree.join("target") };
    let _settled = keeps.then(|| crafts.worktree.settle(&target)).transpose().map_err(Failure::from)?;
    let site = crafts.site(tree, &target)?;
    let commands: Commands = commands.iter().map(|command| filled(command, crafts.kept)).collect();
    build::commands(&site, &commands, crafts.stop, progress)?;
    Ok(site.target)
}

fn filled(command: &[String], kept: &Path) -> Vec<String> {
    command.iter().map(|part| part.replace(TARGET, &kept.to_string_lossy())).collect()
}

/// A name for a folder: readable where the suite's name is harmless, its hash where it is not.
pub(super) fn folder_name(suite: &SuiteName) -> String {
    let harmless = |text: &str| {
        text.len() <= 64
            && text.chars().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-' || sign == '_')
    };
    match suite.as_str() {
        name if harmless(name) => name.to_owned(),
        name => format!("x.{}", hashed(name)),
    }
}

/// A harmless name for anything.
fn hashed(text: &str) -> String {
    hex(&Sha256::digest(text))[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suites_folder_never_leads_elsewhere() {
        let folder = |name: &str| folder_name(&SuiteName::new(name).unwrap());
        assert_eq!(folder("engine-2"), "engine-2");
        for hostile in ["../../etc", "/", ".", "..", "a/b", "CON", "ünïcode", &"x".repeat(300)] {
            let name = folder(hostile);
            assert!(name.len() == 18 && name.starts_with("x.") && !name.contains('/'), "{hostile}: {name}");
        }
    }

    #[test]
    fn the_kept_folder_is_filled_in_wherever_it_stands() {
        let command = ["{target}/release/bench".to_owned(), "--data={target}".to_owned()];
        assert_eq!(filled(&command, Path::new("/kept")), ["/kept/release/bench", "--data=/kept"]);
    }
}
