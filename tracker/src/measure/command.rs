//! Suites that are no workers: commands that print or write results and end.
//!
//! Such a suite is run as whole processes, several times ([`gather_whole`]); or, where it can list its benchmarks
//! ([`list`]) and run one by name, one benchmark a process, in random order ([`gather_by_name`]). Either way each
//! process is one life, and [`once`] is one process. What the results mean is the business of the parser that comes in
//! as a parameter; a command that writes none can be timed itself. Base and head of such a suite meet in [`duel`].
//!
//! Nothing that a suite says is believed without a look: a benchmark whose numbers cannot be numbers, or whose process
//! crashed, hung or flooded us, is a failed measurement of that benchmark, and the others go on.

pub mod duel;
mod gather;
mod output;

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use gather::{Gathered, Plan, gather_by_name, gather_whole};

use super::child::{self, ChildError, Environment, Finished, Limits, Program, ProgramError, Reason};
use super::interrupt::Stop;
use crate::domain::{BenchmarkName, Kind, Life, Measured, Metric, Outcome, Reading, Trouble};

/// What stands in a command for the name of the benchmark to run, and in the line of a list for the name in it.
pub const NAME: &str = "{name}";

/// The same, with what means something in a regular expression escaped.
pub const PATTERN: &str = "{pattern}";

/// The most benchmarks that are taken from one list.
pub const MOST_BENCHMARKS: usize = 100_000;

/// The most that is read of one process's results, which a parser holds in memory, whatever else the limits say.
pub const MOST_RESULT_BYTES: u64 = 64 << 20;

/// A longer line of a list names nothing.
const LONGEST_LISTED_BYTES: u64 = 8192;

/// A process slower than this measured nothing: 31 years.
const LONGEST_TIME_NS: f64 = 1e18;

/// Where and how a command suite runs.
#[derive(Debug, Clone)]
pub struct CommandSuite {
    /// The commit's folder, or one in it, which must be ours: old results in it are removed.
    pub tree: PathBuf,
    /// Where the suite was built; the command finds it in `CARGO_TARGET_DIR`.
    pub target: PathBuf,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The file or folder that it writes its results to, seen from the commit's folder; its standard output if none.
    /// What stands below `target/` is looked for where the suite was built too.
    pub output: Option<PathBuf>,
    /// Commands that write no results and are timed themselves, by benchmark; empty where results are read.
    pub timed: BTreeMap<BenchmarkName, Vec<String>>,
    /// What it sees.
    pub environment: Environment,
    /// The processors that it is bound to; any if none.
    pub cpus: Option<Vec<usize>>,
    /// What one process of it may use.
    pub limits: Limits,
}

/// The results of one process, as the parser gets them.
#[derive(Debug, Clone, Copy)]
pub enum Results<'a> {
    /// What it printed, or the file that it wrote.
    Bytes(&'a [u8]),
    /// The folder that it wrote.
    Folder(&'a Path),
}

/// Turns results into outcomes, or says in a line why they are none.
pub type Parse<'a> = dyn Fn(Results<'_>) -> Result<BTreeMap<BenchmarkName, Outcome>, String> + 'a;

/// Why a command suite could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A process could not be started or watched.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The command is none.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The list of benchmarks did not come.
    #[error("{command} did not list the benchmarks: it {finished}\n{}", finished.stderr_tail)]
    List {
        /// The command line.
        command: String,
        /// How it ended.
        finished: Finished,
    },
    /// The output would be outside of what is ours.
    #[error("the results must stand in the commit's folder, so not at {}", .0.display())]
    OutputElsewhere(PathBuf),
    /// Old results cannot be removed.
    #[error("cannot remove old results at {}", path.display())]
    OldOutput {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A signal wants us to stop.
    #[error("stopped by a signal")]
    Stopped,
}

/// How a suite tells the names of its benchmarks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// What prints them.
    pub command: Vec<String>,
    /// The line that holds one, `{name}` standing for it: `{name}` alone, or `{name}: benchmark`. Other lines are passed
    /// over.
    pub line: String,
}

/// The benchmarks of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Their names, in the order of the list, each once.
    pub names: Vec<BenchmarkName>,
    /// How many lines were no name: not UTF-8, too long, or one of too many.
    pub refused: usize,
}

/// What one process yielded.
#[derive(Debug, Clone, PartialEq)]
pub struct Once {
    /// What became of the benchmarks that it named.
    pub outcomes: BTreeMap<BenchmarkName, Outcome>,
    /// What went wrong with the process as a whole.
    pub trouble: Option<Trouble>,
    /// From its start to its end.
    pub elapsed: Duration,
}

impl CommandSuite {
    /// The command line of one process.
    fn line(&self, name: Option<&BenchmarkName>) -> Vec<String> {
        let Some(name) = name else { return self.command.clone() };
        if let Some(command) = self.timed.get(name) {
            return command.clone();
        }
        let filled = |word: &String| word.replace(PATTERN, &escaped(name.as_str())).replace(NAME, name.as_str());
        self.command.iter().map(filled).collect()
    }

    fn program(&self, command: &[String]) -> Result<Program, ProgramError> {
        let environment = self.environment.clone().with("CARGO_TARGET_DIR", &self.target);
        let program = Program::new(command, &self.tree, environment)?;
        match &self.cpus {
            Some(cpus) => program.on_cpus(cpus),
            None => Ok(program),
        }
    }
}

/// A name in which nothing means anything to a regular expression.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for sign in name.chars() {
        if r"\.+*?()|[]{}^$".contains(sign) {
            text.push('\\');
        }
        text.push(sign);
    }
    text
}

/// Runs the command that prints the names of the benchmarks.
pub fn list(suite: &CommandSuite, list: &List, stop: &Stop) -> Result<Listed, CommandError> {
    let program = suite.program(&list.command)?;
    let mut batch = child::run(&program, &suite.limits, stop, &mut |_| ())?;
    if batch.finished.reason == Reason::Stopped {
        return Err(CommandError::Stopped);
    }
    if !batch.finished.succeeded() {
        return Err(CommandError::List { command: program.to_string(), finished: batch.finished });
    }
    let mut reader = batch.stdout.reader().map_err(ChildError::Pipes)?;
    Ok(listed(&mut reader, &list.line).map_err(ChildError::Pipes)?)
}

fn listed(lines: &mut impl BufRead, shape: &str) -> std::io::Result<Listed> {
    let (before, after) = shape.split_once(NAME).unwrap_or_default();
    let mut listed = Listed::default();
    let mut seen = std::collections::BTreeSet::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if std::io::Read::take(&mut *lines, LONGEST_LISTED_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(listed);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LISTED_BYTES {
            lines.skip_until(b'\n')?;
            listed.refused += 1;
            continue;
        }
        let held = line.trim_ascii().strip_prefix(before.as_bytes());
        let held = held.and_then(|text| text.strip_suffix(after.as_bytes())).map(<[u8]>::trim_ascii);
        let Some(text) = held.filter(|text| !text.is_empty()) else { continue };
        let name = std::str::from_utf8(text).ok().and_then(|text| BenchmarkName::new(text).ok());
        match name {
            Some(name) if seen.len() < MOST_BENCHMARKS => {
                if seen.insert(name.clone()) {
                    listed.names.push(name);
                }
            }
            _ => listed.refused += 1,
        }
    }
}

/// Runs one process: of the benchmark `name`, put where `{name}` stands in the command, or of the whole suite.
pub fn once(
    suite: &CommandSuite,
    name: Option<&BenchmarkName>,
    parse: &Parse<'_>,
    stop: &Stop,
    progress: &mut dyn FnMut(&str),
) -> Result<Once, CommandError> {
    let once = process(suite, name, parse, stop, progress)?;
    Ok(match name {
        Some(name) => belongs_to(name, once),
        None => once,
    })
}

/// Runs one process and tells what it said, whatever it was started for.
fn process(
    suite: &CommandSuite,
    name: Option<&BenchmarkName>,
    parse: &Parse<'_>,
    stop: &Stop,
    progress: &mut dyn FnMut(&str),
) -> Result<Once, CommandError> {
    let program = suite.program(&suite.line(name))?;
    let places = output::places(suite)?;
    output::clear(&places)?;
    let most_bytes = suite.limits.output_bytes.min(MOST_RESULT_BYTES);
    let limits = Limits { output_bytes: most_bytes, ..suite.limits };
    let mut batch = child::run(&program, &limits, stop, progress)?;
    if batch.finished.reason == Reason::Stopped {
        return Err(CommandError::Stopped);
    }
    let timed = name.filter(|name| suite.timed.contains_key(*name));
    let is_result_printed = suite.output.is_none() && timed.is_none();
    let is_flooded = matches!(batch.finished.reason, Reason::Flooded(_));
    let parsed = match timed {
        _ if is_flooded => Err(batch.finished.to_string()),
        Some(name) => Ok(BTreeMap::from([(name.clone(), lasted(&batch.finished))])),
        None if is_result_printed => {
            let bytes = batch.stdout.read().map_err(ChildError::Pipes)?;
            parse(Results::Bytes(&bytes))
        }
        None => output::read(&places, most_bytes, parse),
    };
    // Many a test runner says what failed to standard output.
    if !is_flooded && (parsed.is_err() || !(is_result_printed || batch.finished.succeeded())) {
        batch.tell_printed(&program).map_err(ChildError::Pipes)?;
    }
    let mut once = told(parsed, &batch.finished);
    once.outcomes.values_mut().for_each(doubt);
    Ok(once)
}

/// How long a process took, as what a benchmark yielded.
fn lasted(finished: &Finished) -> Outcome {
    // Below 2^53 ns, which is 104 days, nothing is lost.
    let life = Life::new(vec![finished.elapsed.as_nanos() as f64]);
    let readings = vec![Reading { metric: Metric::time(), lives: life.into_iter().collect() }];
    Outcome::Measured(Measured { readings, cores: 1, notes: BTreeMap::new() })
}

/// Brings together what a process wrote and how it ended.
fn told(parsed: Result<BTreeMap<BenchmarkName, Outcome>, String>, finished: &Finished) -> Once {
    let elapsed = finished.elapsed;
    match parsed {
        Ok(outcomes) if finished.succeeded() => {
            let trouble = outcomes.is_empty().then(|| finished.trouble_because("it yielded no result"));
            Once { outcomes, trouble, elapsed }
        }
        Ok(mut outcomes) => {
            for outcome in outcomes.values_mut() {
                if let Outcome::Measured(measured) = outcome {
                    measured.notes.insert("process".to_owned(), format!("{finished} after this result"));
                }
            }
            Once { outcomes, trouble: Some(finished.trouble()), elapsed }
        }
        Err(why) => {
            let trouble = if finished.succeeded() {
                finished.trouble_because(format!("its results cannot be read: {why}"))
            } else {
                finished.trouble()
            };
            Once { outcomes: BTreeMap::new(), trouble: Some(trouble), elapsed }
        }
    }
}

/// What a process was started for decides whose results they are: its trouble is that benchmark's, and a single result
/// goes by the name that the list gives.
fn belongs_to(name: &BenchmarkName, once: Once) -> Once {
    let Once { mut outcomes, trouble, elapsed } = once;
    if let Some(trouble) = trouble {
        outcomes = BTreeMap::from([(name.clone(), Outcome::Failed(trouble))]);
    } else if outcomes.len() == 1 && !outcomes.contains_key(name.as_str()) {
        outcomes = outcomes.into_values().map(|outcome| (name.clone(), outcome)).collect();
    }
    Once { outcomes, trouble: None, elapsed }
}

/// Replaces what cannot have been measured by a failure.
fn doubt(outcome: &mut Outcome) {
    let Outcome::Measured(measured) = outcome else { return };
    if let Some(reason) = absurdity(measured) {
        *outcome = Outcome::Failed(Trouble { reason, ended: None, stderr_tail: String::new() });
    }
}

fn absurdity(measured: &Measured) -> Option<String> {
    if measured.readings.is_empty() || measured.readings.iter().any(|reading| reading.lives.is_empty()) {
        return Some("it came without values".to_owned());
    }
    measured.readings.iter().find_map(absurd_value)
}

/// A time is more than nothing and less than ages; a span of time, or a count, is not negative. What else a suite
/// measures may be, for all that we know.
fn absurd_value(reading: &Reading) -> Option<String> {
    let Metric { name, unit, kind, .. } = &reading.metric;
    let is_span = unit.as_str() == "ns";
    let is_absurd = |value: f64| {
        (name == "time" && value <= 0.0)
            || (is_span && value > LONGEST_TIME_NS)
            || ((is_span || *kind == Kind::Exact) && value < 0.0)
    };
    let mut values = reading.lives.iter().flat_map(Life::values).copied();
    values.find(|&value| is_absurd(value)).map(|value| format!("{name} was {value} {unit}, which cannot be"))
}

#[cfg(test)]
mod tests;
