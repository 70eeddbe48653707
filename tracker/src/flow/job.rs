//! Measuring one suite that is built and ready, of either kind, with a look at the machine before and after.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::instructions::Counting;
use super::prepare::{Commanded, Prepared, Start};
use super::results;
use super::run::{Event, Planned, Request};
use crate::config::Suite;
use crate::domain::{Attachment, BenchmarkName, Machine, Notes, Outcome as Came, Run, Trouble};
use crate::failure::{Failure, Outcome};
use crate::measure::child::Program;
use crate::measure::command::{self, CommandError, Parse, Plan, Results};
use crate::measure::count::Counter;
use crate::measure::interrupt::Stop;
use crate::measure::lives::Stopped;
use crate::measure::machine::{self, Watch};
use crate::measure::pulse;
use crate::measure::solo::{self, Options, Progress, SoloError};

/// One suite, built and ready.
pub(super) struct Job<'a> {
    pub(super) planned: &'a Planned,
    pub(super) machine: Machine,
    pub(super) request: &'a Request,
    /// What counts instructions, where they are wanted.
    pub(super) counter: Option<&'a Counter>,
    /// A folder of its own.
    pub(super) scratch: PathBuf,
    pub(super) stop: &'a Stop,
    pub(super) now_s: &'a dyn Fn() -> i64,
}

/// What came of it.
pub(super) enum Measured {
    Run(Box<Run>),
    Broken(String),
    Stopped,
}

/// Why a suite yields nothing.
enum Nothing {
    Broken(String),
    Stopped,
}

/// What any kind of suite yields.
struct Yield {
    outcomes: BTreeMap<BenchmarkName, Came>,
    attachments: Vec<Attachment>,
    notes: Notes,
}

impl Job<'_> {
    /// Measures, with a look at the machine before and after.
    pub(super) fn measure(&self, ready: Prepared, tell: &mut dyn FnMut(Event<'_>)) -> Outcome<Measured> {
        let started_at_s = (self.now_s)();
        let (before, watch) = (pulse::take(), Watch::begin());
        let conditions = machine::conditions().notes();
        let begun = Instant::now();
        let yielded = match &ready.start {
            Start::Worker(program) => self.workers(program, tell),
            Start::Command(commanded) => self.processes(commanded, tell)?,
        };
        let yielded = match yielded {
            Ok(yielded) => yielded,
            Err(Nothing::Stopped) => return Ok(Measured::Stopped),
            Err(Nothing::Broken(why)) => return Ok(Measured::Broken(why)),
        };
        let elapsed_ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut notes = conditions;
        notes.extend(watch.notes());
        notes.extend(ready.notes);
        notes.extend(yielded.notes);
        let run = Run {
            suite: self.planned.suite.clone(),
            subject: self.planned.subject.clone(),
            machine: self.machine.clone(),
            started_at_s,
            elapsed_ns,
            source: "run".to_owned(),
            notes,
            pulse: Some((before, pulse::take())),
            outcomes: yielded.outcomes,
            attachments: yielded.attachments,
        };
        Ok(Measured::Run(Box::new(run)))
    }

    /// Measures by workers.
    fn workers(&self, program: &Program, tell: &mut dyn FnMut(Event<'_>)) -> Result<Yield, Nothing> {
        let Suite { budget, timeout, .. } = self.planned.settings;
        let mut options = Options::new(budget, timeout, self.request.seed);
        options.filter.clone_from(&self.request.filter);
        let told = &mut |progress: Progress<'_>| tell(Event::Measuring(self.planned, progress));
        match solo::run(program, &options, self.stop, told) {
            Ok(solo) => {
                let (mut outcomes, mut notes) = (solo.outcomes, solo.notes);
                if let Some(counter) = self.counter {
                    tell(Event::Processes(self.planned, "counting instructions"));
                    let counting = Counting { counter, timeout, limit: options.limit, stop: self.stop };
                    let counted = counting.of_run((program, &self.scratch), &mut outcomes);
                    notes.extend(counted.map_err(|Stopped| Nothing::Stopped)?);
                }
                Ok(Yield { outcomes, attachments: solo.attachments, notes })
            }
            Err(SoloError::Stopped) => Err(Nothing::Stopped),
            Err(SoloError::Worker(error)) => {
                let Trouble { reason, stderr_tail, .. } = error.trouble();
                Err(Nothing::Broken(format!("{reason}\n{stderr_tail}")))
            }
        }
    }

    /// Measures by processes of a command.
    fn processes(&self, commanded: &Commanded, tell: &mut dyn FnMut(Event<'_>)) -> Outcome<Result<Yield, Nothing>> {
        let parse = |results: Results<'_>| results::read(commanded.format, results);
        let plan = Plan { processes: commanded.processes, budget: self.planned.settings.budget };
        let mut progress = |line: &str| tell(Event::Processes(self.planned, line));
        let listed = match &commanded.list {
            _ if !commanded.suite.timed.is_empty() => Ok(Some(commanded.suite.timed.keys().cloned().collect())),
            Some(list) => command::list(&commanded.suite, list, self.stop).map(|listed| Some(listed.names)),
            None => Ok(None),
        };
        let gathered = listed.and_then(|names: Option<Vec<BenchmarkName>>| {
            let Some(mut names) = names else {
                return command::gather_whole(&commanded.suite, plan, &parse, self.stop, &mut progress);
            };
            names.retain(|name| self.chooses(name));
            let mut order = Pcg64::seed_from_u64(self.request.seed);
            let tools: (&Parse<'_>, &mut dyn Rng) = (&parse, &mut order);
            command::gather_by_name(&commanded.suite, &names, plan, tools, self.stop, &mut progress)
        });
        let gathered = match gathered {
            Ok(gathered) if gathered.stopped => return Ok(Err(Nothing::Stopped)),
            Ok(gathered) => gathered,
            Err(CommandError::Stopped) => return Ok(Err(Nothing::Stopped)),
            Err(error @ CommandError::List { .. }) => return Ok(Err(Nothing::Broken(error.to_string()))),
            Err(error) => return Err(Failure::environment(error)),
        };
        let mut outcomes = gathered.outcomes;
        outcomes.retain(|name, _| self.chooses(name));
        for name in gathered.unmeasured {
            let reason = "the time budget was spent before its turn came".to_owned();
            outcomes.insert(name, Came::Failed(Trouble { reason, ended: None, stderr_tail: String::new() }));
        }
        if let (true, Some(Trouble { reason, stderr_tail, .. })) = (outcomes.is_empty(), gathered.troubles.first()) {
            return Ok(Err(Nothing::Broken(format!("{reason}\n{stderr_tail}"))));
        }
        let mut notes = Notes::from([
            ("seed".to_owned(), self.request.seed.to_string()),
            ("processes".to_owned(), gathered.processes.to_string()),
        ]);
        if let Some(trouble) = gathered.troubles.first() {
            let count = gathered.troubles.len();
            notes.insert("ended_badly".to_owned(), format!("{count} processes, the first: {}", trouble.reason));
        }
        Ok(Ok(Yield { outcomes, attachments: Vec::new(), notes }))
    }

    fn chooses(&self, name: &BenchmarkName) -> bool {
        let filter = &self.request.filter;
        filter.is_empty() || filter.iter().any(|pattern| pattern.matches(name.as_str()))
    }
}
