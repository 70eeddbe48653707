//! Preparing a suite that is no worker.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{BUILT_BYTES, CARGO, Commanded, Prepared, Start, Unprepared, build_by_hand, filled, hashed};
use crate::adapt::Format;
use crate::config::{Build, CargoTarget, CommandSource, Runs};
use crate::domain::{Notes, SuiteName};
use crate::failure::{Classify, Failure, Outcome};
use crate::measure::build::{self, CargoBench, Site};
use crate::measure::child::{Environment, Limits};
use crate::measure::command::{CommandSuite, List};
use crate::measure::interrupt::Stop;
use crate::repo::Worktree;

/// Stands in a command for the program that was built.
const PROGRAM: &str = "{program}";

/// What it takes to prepare a command suite.
pub(super) struct Crafts<'a> {
    pub(super) worktree: &'a Worktree,
    pub(super) settings: &'a Build,
    pub(super) kept: &'a Path,
    pub(super) stop: &'a Stop,
}

impl Crafts<'_> {
    /// Where to build, with what.
    pub(super) fn site(&self, tree: &Path, target: &Path) -> Outcome<Site> {
        let environment = Environment::build(&self.settings.pass_env).or_usage("reading [build] pass_env")?;
        let set = self.settings.env.iter();
        let environment = set.fold(environment, |environment, (name, value)| environment.with(name, value));
        let environment = match &self.settings.toolchain {
            Some(toolchain) => environment.with("RUSTUP_TOOLCHAIN", toolchain),
            None => environment,
        };
        let limits = Limits { deadline: self.settings.timeout, ..Limits::default() };
        Ok(Site { tree: tree.to_owned(), target: target.to_owned(), environment, limits })
    }

    /// Builds a command suite.
    pub(super) fn command(
        &self,
        source: &CommandSource,
        timeout: Duration,
        name: &SuiteName,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Prepared, Unprepared> {
        let tree = self.folder(source)?;
        let Built { target, program, notes } = self.build(source, &tree, progress)?;
        let fill = |command: &[String]| -> Vec<String> {
            let program = program.as_deref().unwrap_or(PROGRAM);
            filled(command, self.kept).iter().map(|word| word.replace(PROGRAM, program)).collect()
        };
        let mut suite = CommandSuite {
            tree: tree.clone(),
            target,
            command: Vec::new(),
            output: None,
            timed: BTreeMap::new(),
            environment: Environment::command(),
            cpus: None,
            limits: Limits { deadline: timeout, ..Limits::default() },
        };
        let (mut list, mut format) = (None, None);
        match &source.runs {
            Runs::Timed(commands) => {
                suite.timed = commands.iter().map(|(name, command)| (name.clone(), fill(command))).collect();
            }
            Runs::Harness(harness) => {
                format = Format::named(&harness.format).or_usage(format!("reading the format of suite {name}"))?;
                suite.command = fill(&harness.command);
                suite.output.clone_from(&harness.output);
                let line = harness.line.clone();
                list = harness.list.as_ref().map(|list| List { command: fill(list), line });
            }
        }
        let program = program.filter(|program| program.contains('/')).map(|program| tree.join(program));
        let start = Start::Command(Box::new(Commanded { suite, list, format, processes: source.processes, program }));
        Ok(Prepared { start, notes })
    }

    /// Builds a bench target of cargo, and returns the program with what was learned of it.
    pub(super) fn cargo(
        &self,
        bench: &CargoBench,
        progress: &mut dyn FnMut(&str),
    ) -> Result<(PathBuf, Notes), Unprepared> {
        let words = [&[bench.package.clone(), bench.bench.clone()], &bench.features[..]].concat();
        let part = hashed(&words.join(" "));
        let site = self.site(self.worktree.path(), &self.worktree.seeded(CARGO, &part))?;
        let mut notes = build::rust_notes(&site, self.stop)?;
        let _settled = self.worktree.settle(&site.target).map_err(Failure::from)?;
        let built = build::cargo_bench(&site, bench, self.stop, progress)?;
        self.worktree.has_built(&site.target, &part).map_err(Failure::from)?;
        notes.insert(BUILT_BYTES.to_owned(), built.size_bytes.to_string());
        Ok((built.executable, notes))
    }

    /// Builds it: the bench target, or what the project says.
    fn build(&self, source: &CommandSource, tree: &Path, progress: &mut dyn FnMut(&str)) -> Result<Built, Unprepared> {
        if let Some(CargoTarget { package, bench, features }) = &source.cargo {
            let (package, bench, features) = (package.clone(), bench.clone(), features.clone());
            let (executable, notes) = self.cargo(&CargoBench { package, bench, features }, progress)?;
            let program = Some(executable.to_string_lossy().into_owned());
            return Ok(Built { target: tree.join("target"), program, notes });
        }
        let target = build_by_hand(self, tree, &source.build, &all_words(source), progress)?;
        let program = source.program.as_ref().map(|program| filled(std::slice::from_ref(program), self.kept).concat());
        Ok(Built { target, program, notes: Notes::new() })
    }

    /// The folder in which all of it runs. The commit may hold a link in its place, which must not lead out.
    fn folder(&self, source: &CommandSource) -> Result<PathBuf, Unprepared> {
        let tree = self.worktree.path();
        let Some(folder) = &source.folder else { return Ok(tree.to_owned()) };
        let inner = tree.join(folder);
        let is_inner = match (tree.canonicalize(), inner.canonicalize()) {
            (Ok(tree), Ok(inner)) => inner.starts_with(tree) && inner.is_dir(),
            _ => false,
        };
        if is_inner {
            return Ok(inner);
        }
        let problem =
            anyhow::anyhow!("the commit has no folder {} of its own, where the suite is to run", folder.display());
        Err(Unprepared::Failed(Failure::usage(problem)))
    }
}

/// What a build left.
struct Built {
    target: PathBuf,
    /// What stands for `{program}`.
    program: Option<String>,
    notes: Notes,
}

/// All words of what a command suite runs.
fn all_words(source: &CommandSource) -> Vec<String> {
    let of_runs: Vec<&String> = match &source.runs {
        Runs::Harness(harness) => harness.command.iter().chain(harness.list.iter().flatten()).collect(),
        Runs::Timed(commands) => commands.values().flatten().collect(),
    };
    of_runs.into_iter().chain(&source.program).cloned().collect()
}
