//! A live worker: one process of a suite that answers requests in turn, each under a deadline.
//!
//! Whatever goes wrong becomes a [`WorkerError`]. After one that leaves the two sides out of step (late, garbage, gone)
//! the process is ended at once, and its status and the tail of its standard error are in the error.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::child::{Broken, ChildError, Finished, Interactive, Program, Reason};
use super::interrupt::Stop;
use super::protocol::{self, Answer, Hello, LONGEST_REPLY_BYTES, Listed, ReplyError, Request, Slice, VERSIONS, quote};
use crate::domain::Trouble;

/// How much longer than a slice itself the tracker may find that it took, when it says so: clocks differ a little.
const CLOCK_TOLERANCE: f64 = 1.01;
const CLOCK_SLACK: Duration = Duration::from_millis(1);

/// How long a worker may take for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To start, say hello, and list.
    pub start: Duration,
    /// To answer a request about a benchmark, its set-up included.
    pub request: Duration,
    /// To exit when its standard input has ended.
    pub end: Duration,
}

impl Patience {
    /// Patience for a suite of whose benchmarks each may keep silent for so long.
    #[must_use]
    pub fn of(request: Duration) -> Patience {
        Patience { start: request, request, end: Duration::from_secs(2) }
    }
}

/// A worker that is no more, and what it was doing.
#[derive(Debug)]
pub struct Over {
    /// One line: what happened.
    pub reason: String,
    /// Whether it ended by itself in the middle of a request.
    pub crashed: bool,
    /// How it ended, with what it said last; none if even that could not be found out.
    pub finished: Option<Finished>,
}

/// Why a worker gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// It did not start.
    #[error("the worker did not start")]
    Start(#[from] ChildError),
    /// It answered with an error, or too much, and goes on.
    #[error(transparent)]
    Refused(ReplyError),
    /// It is no more.
    #[error("{}", .0.reason)]
    Over(Box<Over>),
    /// Somebody wants us to stop; the worker is no more.
    #[error("stopped by a signal")]
    Stopped,
}

impl WorkerError {
    /// Whether the worker can be asked again.
    #[must_use]
    pub fn is_survived(&self) -> bool {
        matches!(self, WorkerError::Refused(_))
    }

    /// Whether the process ended by itself instead of answering.
    #[must_use]
    pub fn is_crash(&self) -> bool {
        matches!(self, WorkerError::Over(over) if over.crashed)
    }

    /// What is recorded of the benchmark that it happened to.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        let reason = match self {
            WorkerError::Start(error) => format!("{self}: {}", chain(error)),
            _ => self.to_string(),
        };
        match self {
            WorkerError::Over(over) if let Some(finished) = &over.finished => finished.trouble_because(reason),
            _ => Trouble { reason, ended: None, stderr_tail: String::new() },
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// A process of a suite that answers requests.
#[derive(Debug)]
pub struct Worker {
    /// None once it is over.
    talk: Option<Interactive>,
    hello: Hello,
    patience: Patience,
    /// The request's line, kept to be used again.
    line: Vec<u8>,
}

impl Worker {
    /// Starts `program` with `--worker` and greets it.
    pub fn start(program: &Program, patience: Patience, stop: &Stop) -> Result<Worker, WorkerError> {
        let talk = Interactive::start(&program.clone().and("--worker"), stop)?;
        let nobody = Hello { version: 0, worker: String::new(), offers: BTreeSet::new() };
        let mut worker = Worker { talk: Some(talk), hello: nobody, patience, line: Vec::with_capacity(256) };
        let hello = Request::Hello { versions: VERSIONS };
        worker.hello = worker.ask(hello, patience.start, protocol::parse_hello)?;
        Ok(worker)
    }

    /// What it said of itself.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Whether it can be asked again.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.talk.is_some()
    }

    /// Whether it understands the optional request of that name.
    #[must_use]
    pub fn offers(&self, request: &str) -> bool {
        self.hello.offers.contains(request)
    }

    /// Its benchmarks.
    pub fn list(&mut self) -> Result<Vec<Listed>, WorkerError> {
        self.ask(Request::List, self.patience.start, protocol::parse_list)
    }

    /// Runs one slice.
    pub fn run(&mut self, benchmark: &Listed, iterations: u64) -> Result<Slice, WorkerError> {
        let request = Request::Run { benchmark: &benchmark.name, iterations };
        let begun = Instant::now();
        self.ask(request, self.patience.request, |line| {
            let slice = protocol::parse_run(line, &benchmark.metrics)?;
            let waited = begun.elapsed();
            let most = waited.mul_f64(CLOCK_TOLERANCE) + CLOCK_SLACK;
            if Duration::from_nanos(slice.elapsed_ns) <= most {
                return Ok(slice);
            }
            let why = format!("its clock says {} ns, but the answer came after {waited:?}", slice.elapsed_ns);
            Err(ReplyError::Malformed { request: "run", why, line: quote(line) })
        })
    }

    /// Compares the benchmark's answer with the expected one.
    pub fn check(&mut self, benchmark: &Listed) -> Result<Answer, WorkerError> {
        let request = Request::Check { benchmark: &benchmark.name };
        self.ask(request, self.patience.request, protocol::parse_check)
    }

    /// Frees the benchmark's set-up.
    pub fn drop_setup(&mut self, benchmark: &Listed) -> Result<(), WorkerError> {
        let request = Request::Drop { benchmark: &benchmark.name };
        self.ask(request, self.patience.request, protocol::parse_drop)
    }

    /// Has callgrind, under which it runs, count iterations and write what it counted.
    pub fn count(&mut self, benchmark: &Listed, iterations: u64) -> Result<(), WorkerError> {
        let request = Request::Count { benchmark: &benchmark.name, iterations };
        self.ask(request, self.patience.request, protocol::parse_count)
    }

    /// From now on it may take so long to answer a request about a benchmark.
    pub fn be_patient(&mut self, request: Duration) {
        self.patience.request = request;
    }

    /// The number of its process; none once it is over.
    #[must_use]
    pub fn process_id(&self) -> Option<i32> {
        self.talk.as_ref().map(Interactive::process_id)
    }

    /// Runs with the worker's profiler on.
    pub fn profile(&mut self, benchmark: &Listed, iterations: u64) -> Result<serde_json::Value, WorkerError> {
        let request = Request::Profile { benchmark: &benchmark.name, iterations };
        self.ask(request, self.patience.request, protocol::parse_profile)
    }

    /// Lets it go: its standard input ends, and it exits. Tells how it did.
    #[must_use]
    pub fn finish(mut self) -> Option<Finished> {
        self.talk.take().and_then(|talk| talk.finish(self.patience.end).ok())
    }

    /// One request and its answer.
    fn ask<T>(
        &mut self,
        request: Request<'_>,
        within: Duration,
        read: impl FnOnce(&[u8]) -> Result<T, ReplyError>,
    ) -> Result<T, WorkerError> {
        let Some(talk) = &mut self.talk else {
            let reason = format!("the worker was over before it was asked to `{}`", request.name());
            return Err(WorkerError::Over(Box::new(Over { reason, crashed: false, finished: None })));
        };
        request.write(&mut self.line);
        let deadline = Instant::now() + within;
        let line = match talk.send(&self.line, deadline).and_then(|()| talk.line(LONGEST_REPLY_BYTES, deadline)) {
            Ok(line) => line,
            Err(broken) => return Err(self.broke(request.name(), broken, within)),
        };
        let answer = read(&line).and_then(|answer| match talk.unasked() {
            [] => Ok(answer),
            more => {
                let why = "it wrote more than one line".to_owned();
                Err(ReplyError::Malformed { request: request.name(), why, line: quote(more) })
            }
        });
        answer.map_err(|error| match error {
            ReplyError::Malformed { .. } => self.give_up(&error),
            ReplyError::Refused { .. } | ReplyError::TooLong { .. } => WorkerError::Refused(error),
        })
    }

    /// Ends a worker whose answers make no sense.
    fn give_up(&mut self, error: &ReplyError) -> WorkerError {
        let finished = self.talk.take().and_then(|talk| talk.end(Duration::ZERO).ok());
        WorkerError::Over(Box::new(Over { reason: error.to_string(), crashed: false, finished }))
    }

    /// Ends a worker that does not answer, and says why it does not.
    fn broke(&mut self, request: &str, broken: Broken, within: Duration) -> WorkerError {
        let Some(talk) = self.talk.take() else { return WorkerError::Stopped };
        let (reason, crashed, finished) = match broken {
            Broken::Stopped => return WorkerError::Stopped,
            Broken::Ended => {
                // It may be on its way out: its own end tells more than one of our making.
                let finished = talk.finish(self.patience.end).ok();
                match &finished {
                    Some(finished) if finished.reason == Reason::Stopped => return WorkerError::Stopped,
                    Some(finished) if finished.reason == Reason::ByItself => {
                        (format!("{finished}, instead of answering `{request}`"), true, Some(finished.clone()))
                    }
                    _ => (format!("closed its standard output instead of answering `{request}`"), false, finished),
                }
            }
            Broken::Late => {
                let reason = format!("timed out: no answer to `{request}` within {within:?}");
                (reason, false, talk.end(Duration::ZERO).ok())
            }
            Broken::TooLong(most) => {
                let reason = format!("answered `{request}` with a line of more than {most} bytes");
                (reason, false, talk.end(Duration::ZERO).ok())
            }
            Broken::Pipes(error) => {
                let reason = format!("its pipes failed at `{request}`: {error}");
                (reason, false, talk.end(Duration::ZERO).ok())
            }
        };
        WorkerError::Over(Box::new(Over { reason, crashed, finished }))
    }
}

#[cfg(test)]
pub(super) mod tests;
