//! What counts: callgrind, or perf where the machine has counters and no valgrind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::measure::child::{self, Environment, Limits, Program};
use crate::measure::interrupt::Stop;

/// How long a counter may take to say that it is there.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// The event that perf counts.
const EVENT: &str = "instructions:u";

/// What counts instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counter {
    /// Callgrind: a processor that valgrind plays. The same program takes the same instructions on every machine of its
    /// kind.
    Callgrind {
        /// Valgrind's version.
        version: String,
    },
    /// The processor's own counters, through perf.
    Perf,
}

/// Why nothing counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("instructions cannot be counted here: {valgrind}, and {perf}")]
pub struct NoCounter {
    valgrind: String,
    perf: String,
}

impl Counter {
    /// What there is for workers: callgrind, else perf.
    pub fn find(stop: &Stop) -> Result<Counter, NoCounter> {
        Counter::find_in(&Environment::worker(), stop)
    }

    pub(super) fn find_in(environment: &Environment, stop: &Stop) -> Result<Counter, NoCounter> {
        let valgrind = match said(&["valgrind", "--version"], environment, stop) {
            Ok((stdout, _)) => match stdout.trim().strip_prefix("valgrind-") {
                Some(version) => {
                    return Ok(Counter::Callgrind { version: version.chars().take(40).collect() });
                }
                None => "what is called `valgrind` is not valgrind".to_owned(),
            },
            Err(why) => format!("`valgrind` {why}"),
        };
        let perf = match said(&["perf", "stat", "-x", ",", "-e", EVENT, "--", "true"], environment, stop) {
            Ok((_, stderr)) if counted(&stderr).is_some() => return Ok(Counter::Perf),
            Ok(_) => "`perf` finds no counter of instructions in this processor".to_owned(),
            Err(why) => format!("`perf` {why}"),
        };
        Err(NoCounter { valgrind, perf })
    }

    /// How it is called, for people.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Counter::Callgrind { version } => format!("callgrind {version}"),
            Counter::Perf => "perf".to_owned(),
        }
    }

    /// Whether a worker can say what is counted.
    pub(super) fn takes_marks(&self) -> bool {
        matches!(self, Counter::Callgrind { .. })
    }

    /// What starts a worker so that only what it marks is counted.
    pub(super) fn marked(&self, folder: &Path) -> Vec<String> {
        let mut words = self.whole(folder);
        words.push("--instr-atstart=no".to_owned());
        words
    }

    /// What starts a worker so that all that it does is counted. One that is started by a script stays counted.
    pub(super) fn whole(&self, folder: &Path) -> Vec<String> {
        let words = match self {
            Counter::Callgrind { .. } => {
                let place = folder.join("out").to_string_lossy().replace('%', "%%");
                let place = format!("--callgrind-out-file={place}.%p");
                let words =
                    ["valgrind", "--tool=callgrind", "-q", "--trace-children=yes", "--combine-dumps=yes", &place];
                return Vec::from(words.map(str::to_owned));
            }
            Counter::Perf => ["perf", "stat", "-x", ",", "-e", EVENT, "-o"].map(str::to_owned),
        };
        let place = self.place(folder, 0).to_string_lossy().into_owned();
        words.into_iter().chain([place, "--".to_owned()]).collect()
    }

    /// Where it writes of the process of this number.
    pub(super) fn place(&self, folder: &Path, process: i32) -> PathBuf {
        match self {
            Counter::Callgrind { .. } => folder.join(format!("out.{process}")),
            Counter::Perf => folder.join("perf"),
        }
    }
}

/// What a command prints, on both ways; or why it does not, with it as the subject.
fn said(words: &[&str], environment: &Environment, stop: &Stop) -> Result<(String, String), String> {
    let limits = Limits { deadline: LONGEST_ASKED, output_bytes: 1 << 20, ..Limits::default() };
    let program = Program::new(words.iter().copied(), "/", environment.clone()).map_err(|error| error.to_string())?;
    let mut batch = child::run(&program, &limits, stop, &mut |_| ()).map_err(|_| "is not installed".to_owned())?;
    let stderr = std::mem::take(&mut batch.finished.stderr_tail);
    if !batch.finished.succeeded() {
        let last = stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().to_owned();
        return Err(format!("{}: {last}", batch.finished).trim_end_matches([':', ' ']).to_owned());
    }
    let stdout = batch.stdout.read().map_err(|error| error.to_string())?;
    Ok((String::from_utf8_lossy(&stdout).into_owned(), stderr))
}

/// What perf counted, of what it wrote with `-x ,`.
fn counted(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains(EVENT))?;
    line.split(',').next()?.trim().parse().ok()
}

/// What perf wrote to its file.
pub(super) fn by_perf(place: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(place)?;
    counted(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "perf says no number of instructions"))
}
