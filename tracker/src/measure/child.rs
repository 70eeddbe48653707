//! Children: programs that are started, bounded, and surely ended, with everything that they started.
//!
//! A [`Program`] says what to start: arguments, directory, [`Environment`], processors. There are two uses:
//!
//! - [`Interactive`]: a worker. Its standard input and output are in our hands, line by line, each with a deadline;
//!   the last 64 KiB of its standard error are kept. [`Interactive::finish`] lets it go, [`Interactive::end`] ends it,
//!   dropping it kills it.
//! - [`run`]: a build or a measured command. It runs to its end with its standard output spooled to a file, within
//!   [`Limits`].
//!
//! Both tell in the end how it came: a [`Finished`], with the exit status or signal, and with the [`Reason`] if the end
//! was ours; [`Finished::trouble`] turns that into what is recorded.
//!
//! ```no_run
//! use std::time::{Duration, Instant};
//! use tachograph::measure::child::{Environment, Interactive, Program};
//! use tachograph::measure::interrupt::Stop;
//!
//! let stop = Stop::on_signals()?;
//! let program = Program::new(["./suite", "--worker"], "/some/tree", Environment::worker())?.on_cpus(&[1])?;
//! let mut worker = Interactive::start(&program, &stop)?;
//! let soon = Instant::now() + Duration::from_secs(10);
//! worker.send(b"{\"request\":\"hello\",\"versions\":[1]}\n", soon)?;
//! let reply = worker.line(16 << 20, soon)?;
//! let finished = worker.finish(Duration::from_secs(2))?;
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! # How the end is made sure
//!
//! Each program runs below a [keeper]: the tracker's own executable, started with a hidden argument, a subreaper in a
//! session of its own. The program's pipes are handed to it through a socket and from there to the program, so what we
//! say to a worker and what it answers does not pass through the keeper. Whatever the program starts stays below the
//! keeper, even after setsid or a double fork; when the program ends, or we ask, or we are gone (the socket ends, also
//! after `kill -9`), the keeper ends all that is left. A parent-death signal would do less: it is not inherited by
//! grandchildren, and it fires when the thread that spawned ends. The price is one start of our executable a child.
//!
//! What this does not hold: a program that kills its own keeper on purpose and has left its session before. On macOS,
//! where there is no subreaper and no `/proc`, descendants that leave the process group are not found; and programs
//! are not bound to processors.

mod batch;
mod environment;
mod interactive;
pub mod keeper;
mod kept;
pub(in crate::measure) mod layout;
mod pipes;
mod sweep;
mod tail;
pub mod urgent;
mod wire;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use batch::{Batch, Limits, Spool, nameless_file, run};
pub use environment::{Environment, EnvironmentError};
pub use interactive::{Broken, Interactive};
pub use kept::keeper_is;
pub use tail::TAIL_BYTES;

use crate::domain::{Ended, Trouble};

/// The highest processor number that a program can be bound to, plus one.
const MOST_CPUS: usize = 1024;

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    arguments: Vec<OsString>,
    directory: PathBuf,
    environment: Environment,
    cpus: Option<Vec<usize>>,
    layout: Option<u64>,
}

/// Why something is no program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// There is no argument, or the first is empty.
    #[error("a command needs at least the name of a program")]
    Empty,
    /// There is no such processor, or none at all.
    #[error("{0:?} is no set of processors")]
    Cpus(Vec<usize>),
}

impl Program {
    /// A program as a vector of arguments, the first of which is looked up in the environment's `PATH` or, if it holds
    /// a slash, in `directory`, where the program is started.
    pub fn new(
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        directory: impl Into<PathBuf>,
        environment: Environment,
    ) -> Result<Program, ProgramError> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        if arguments.first().is_none_or(|first| first.is_empty()) {
            return Err(ProgramError::Empty);
        }
        Ok(Program { arguments, directory: directory.into(), environment, cpus: None, layout: None })
    }

    /// Binds it, and all that it starts, to these processors.
    pub fn on_cpus(mut self, cpus: &[usize]) -> Result<Program, ProgramError> {
        if cpus.is_empty() || cpus.iter().any(|&cpu| cpu >= MOST_CPUS) {
            return Err(ProgramError::Cpus(cpus.to_vec()));
        }
        self.cpus = Some(cpus.to_vec());
        Ok(self)
    }

    /// What it said, without the values of variables that were passed to it by name, without this machine's paths, and
    /// without what looks like a token.
    #[must_use]
    pub fn presentable(&self, said: &str) -> String {
        tail::without_secrets(said, self)
    }

    /// The same program, started by another that gets its command line behind these words.
    #[must_use]
    pub fn under(mut self, words: impl IntoIterator<Item = impl Into<OsString>>) -> Program {
        self.arguments.splice(0..0, words.into_iter().map(Into::into));
        self
    }

    /// Sets a variable that it sees.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Program {
        self.environment = self.environment.with(name, value);
        self
    }

    /// What it sees.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Adds an argument.
    #[must_use]
    pub fn and(mut self, argument: impl Into<OsString>) -> Program {
        self.arguments.push(argument.into());
        self
    }

    /// The file that is started, where the command names one and not something to be looked up in `PATH`.
    #[must_use]
    pub fn executable(&self) -> Option<PathBuf> {
        let first = Path::new(self.arguments.first()?);
        (first.components().count() > 1).then(|| self.directory.join(first))
    }

    /// Whether the command is a program's name and no arguments.
    #[must_use]
    pub fn is_one_word(&self) -> bool {
        self.arguments.len() == 1
    }

    /// Where it is started.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl fmt::Display for Program {
    /// The command line, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, argument) in self.arguments.iter().enumerate() {
            let text = argument.to_string_lossy();
            let space = if index == 0 { "" } else { " " };
            if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '\'' || c.is_control()) {
                write!(f, "{space}{text:?}")?;
            } else {
                write!(f, "{space}{text}")?;
            }
        }
        Ok(())
    }
}

/// Why a child could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The program did not start.
    #[error("{program} did not start in {}: {doing} failed", directory.display())]
    Refused {
        /// The command line.
        program: String,
        /// Where it was to start.
        directory: PathBuf,
        /// What failed.
        doing: String,
        /// Why.
        source: io::Error,
    },
    /// The directory in which it was to start is not there.
    #[error("{program} did not start: there is no directory {}", directory.display())]
    NoDirectory {
        /// The command line.
        program: String,
        /// The directory.
        directory: PathBuf,
    },
    /// The process that keeps it failed.
    #[error("the process that is to keep a child did not start or answer")]
    Keeper(#[source] io::Error),
    /// The pipes failed.
    #[error("the pipes of a child failed")]
    Pipes(#[source] io::Error),
    /// Its output could not be kept.
    #[error("the output of a child could not be kept in {}", directory.display())]
    Spool {
        /// Where the file for it stands.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ChildError {
    fn refused(program: &Program, refusal: wire::Refusal) -> ChildError {
        let directory = program.directory.clone();
        let line = program.to_string();
        let source = match refusal.errno {
            Some(errno) => io::Error::from_raw_os_error(errno),
            None => io::Error::other(refusal.message),
        };
        if source.kind() == io::ErrorKind::NotFound && !directory.is_dir() {
            return ChildError::NoDirectory { program: line, directory };
        }
        ChildError::Refused { program: line, directory, doing: refusal.doing, source }
    }
}

/// Why a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Of its own accord: see how in [`Finished::ended`].
    ByItself,
    /// We had no more use for it.
    Asked,
    /// It was still running after this time.
    Late(Duration),
    /// It wrote nothing for this time.
    Silent(Duration),
    /// It wrote more than this many bytes.
    Flooded(u64),
    /// A signal wants us to stop.
    Stopped,
    /// The process that kept it was killed, and all of it with that.
    Lost,
}

/// How a child came to its end. Its descendants have ended too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Why it ended.
    pub reason: Reason,
    /// How it ended.
    pub ended: Ended,
    /// The last 64 KiB of its standard error as text, free of secrets that were passed to it and of this machine's
    /// paths; before it stands the end of standard output where [`Batch::tell_printed`] was asked to put it.
    pub stderr_tail: String,
    /// From its start to its end.
    pub elapsed: Duration,
}

impl Finished {
    /// Whether it ended of its own accord with status 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.reason == Reason::ByItself && self.ended == Ended::Status(0)
    }

    /// What is recorded of a benchmark that has no numbers because of this end.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        self.trouble_because(self.to_string())
    }

    /// The same, with the reason in other words.
    #[must_use]
    pub fn trouble_because(&self, reason: impl Into<String>) -> Trouble {
        Trouble { reason: reason.into(), ended: Some(self.ended.clone()), stderr_tail: self.stderr_tail.clone() }
    }
}

impl fmt::Display for Finished {
    /// One line: what happened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reason, &self.ended) {
            (Reason::ByItself, Ended::Status(status)) => write!(f, "exited with status {status}"),
            (Reason::ByItself, Ended::Signal(signal)) => match signal_name(*signal) {
                Some(name) => write!(f, "crashed: ended by signal {signal} ({name})"),
                None => write!(f, "crashed: ended by signal {signal}"),
            },
            (Reason::ByItself | Reason::Asked, Ended::Killed) | (Reason::Asked, _) => write!(f, "ended by us"),
            (Reason::Late(limit), _) => write!(f, "timed out: still running after {limit:?}, and killed"),
            (Reason::Silent(limit), _) => write!(f, "timed out: silent for {limit:?}, and killed"),
            (Reason::Flooded(limit), _) => write!(f, "wrote more than {}, and was killed", Amount(limit)),
            (Reason::Stopped, _) => write!(f, "stopped by a signal to us"),
            (Reason::Lost, _) => write!(f, "lost: something killed the process that kept it"),
        }
    }
}

/// The names of the signals that end programs.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL, perhaps for want of memory",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return None,
    })
}

/// Bytes for people.
struct Amount(u64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1 << 20 => write!(f, "{} MiB", bytes >> 20),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests;
