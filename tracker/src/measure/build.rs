//! Building a suite in a commit's folder.
//!
//! A build is the repository's own code at work: build scripts, procedural macros, a `.cargo/config.toml` that names
//! its own linker, whatever a build command does. So it runs as a child like any other, with a deadline, bounded
//! output, and a scrubbed environment that holds, beside what all children get, where the toolchains stand and the
//! variables that the project names ([`super::child::Environment::build`]).

mod cargo;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::child::{self, ChildError, Environment, Finished, Limits, Program, ProgramError, Reason};
use super::interrupt::Stop;
use crate::domain::Notes;

/// Where and how to build.
#[derive(Debug, Clone)]
pub struct Site {
    /// The commit's folder.
    pub tree: PathBuf,
    /// Where cargo puts what it builds, kept as a cache; a build command finds it in `CARGO_TARGET_DIR`.
    pub target: PathBuf,
    /// What the build sees.
    pub environment: Environment,
    /// What each command of it may use.
    pub limits: Limits,
}

/// A bench target of a cargo package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CargoBench {
    /// The package.
    pub package: String,
    /// The bench target.
    pub bench: String,
    /// Features to switch on.
    pub features: Vec<String>,
}

/// What a build left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The program that was built.
    pub executable: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// How long the build took.
    pub elapsed: Duration,
}

/// Why there is nothing to measure.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The commit does not build.
    #[error("{command} {finished}\n{said}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        finished: Finished,
        /// The compiler's errors, or else the end of what it said.
        said: String,
    },
    /// It built, but not what was asked for.
    #[error("{command} succeeded, but built no bench target {bench:?} of package {package:?}")]
    NoExecutable {
        /// The command line.
        command: String,
        /// The bench target.
        bench: String,
        /// The package.
        package: String,
    },
    /// A signal wants us to stop.
    #[error("the build was stopped by a signal")]
    Stopped,
    /// It could not be started or watched.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// A command in the configuration is none.
    #[error(transparent)]
    Command(#[from] ProgramError),
    /// What it left cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Builds a bench target, without running it, and finds the executable.
pub fn cargo_bench(
    site: &Site,
    bench: &CargoBench,
    stop: &Stop,
    progress: &mut dyn FnMut(&str),
) -> Result<Built, BuildError> {
    let program = Program::new(cargo::arguments(site, bench), &site.tree, environment(site))?;
    let mut batch = child::run(&program, &site.limits, stop, progress)?;
    let unreadable = |source| BuildError::Unreadable { path: std::env::temp_dir(), source };
    let told = cargo::read(&mut batch.stdout.reader().map_err(unreadable)?, &bench.bench).map_err(unreadable)?;
    let command = program.to_string();
    check(&command, &batch.finished, program.presentable(&told.errors))?;
    let Some(executable) = told.executable else {
        let (bench, package) = (bench.bench.clone(), bench.package.clone());
        return Err(BuildError::NoExecutable { command, bench, package });
    };
    let size_bytes = size(&executable)?;
    Ok(Built { executable, size_bytes, elapsed: batch.finished.elapsed })
}

/// Runs build commands, one after the other, in the commit's folder. Each is a program and its arguments; for a shell,
/// the project writes `["sh", "-c", "…"]`. Returns how long they took together.
pub fn commands(
    site: &Site,
    commands: &[Vec<String>],
    stop: &Stop,
    progress: &mut dyn FnMut(&str),
) -> Result<Duration, BuildError> {
    let mut elapsed = Duration::ZERO;
    for arguments in commands {
        let environment = environment(site).with("CARGO_TARGET_DIR", &site.target);
        let program = Program::new(arguments, &site.tree, environment)?;
        let batch = child::run(&program, &site.limits, stop, progress)?;
        check(&program.to_string(), &batch.finished, String::new())?;
        elapsed += batch.finished.elapsed;
    }
    Ok(elapsed)
}

/// The size of something that a build left.
pub fn size(path: &Path) -> Result<u64, BuildError> {
    let unreadable = |source| BuildError::Unreadable { path: path.to_owned(), source };
    fs::metadata(path).map(|data| data.len()).map_err(unreadable)
}

/// What the Rust compiler says of itself in the commit's folder, for the notes of a run. Empty where there is none.
pub fn rust_notes(site: &Site, stop: &Stop) -> Result<Notes, BuildError> {
    let program = Program::new(["rustc", "-vV"], &site.tree, environment(site))?;
    let mut batch = match child::run(&program, &site.limits, stop, &mut |_| ()) {
        Err(ChildError::Refused { .. }) => return Ok(Notes::new()),
        batch => batch?,
    };
    if batch.finished.reason == Reason::Stopped {
        return Err(BuildError::Stopped);
    }
    let unreadable = |source| BuildError::Unreadable { path: std::env::temp_dir(), source };
    let text = batch.stdout.read().map_err(unreadable)?;
    Ok(if batch.finished.succeeded() { notes_of(&String::from_utf8_lossy(&text)) } else { Notes::new() })
}

fn notes_of(text: &str) -> Notes {
    let wanted =
        [("release", "rustc"), ("commit-hash", "rustc commit"), ("host", "rustc host"), ("LLVM version", "llvm")];
    let fields = text.lines().take(20).filter_map(|line| line.split_once(": "));
    let known = fields.filter_map(|(key, value)| {
        let (_, name) = wanted.iter().find(|(wanted, _)| *wanted == key)?;
        Some(((*name).to_owned(), value.chars().take(100).collect()))
    });
    known.collect()
}

fn environment(site: &Site) -> Environment {
    // A terminal's colours have no place in a record, and a bar of progress none in a pipe.
    site.environment.clone().with("CARGO_TERM_COLOR", "never").with("CARGO_TERM_PROGRESS_WHEN", "never")
}

fn check(command: &str, finished: &Finished, errors: String) -> Result<(), BuildError> {
    if finished.reason == Reason::Stopped {
        return Err(BuildError::Stopped);
    }
    if finished.succeeded() {
        return Ok(());
    }
    let said = if errors.is_empty() { finished.stderr_tail.clone() } else { errors };
    Err(BuildError::Failed { command: command.to_owned(), finished: finished.clone(), said })
}

#[cfg(test)]
mod tests;
