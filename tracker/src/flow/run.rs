//! A solo run, from what a person asked for to what stands in the store.
//!
//! Each commit asked for is laid out, each of its suites built there, measured and recorded, one after the other. A
//! commit that does not build or a suite that cannot be started is told and the others go on.

mod anchor;
mod second;

use std::time::Duration;

use super::follow::Followed;
use super::instructions;
use super::job::{Job, Measured};
use super::prepare::{Unprepared, folder_name, prepare};
use super::project::{Project, absent};
use crate::config::{Config, Suite};
use crate::domain::{AnchorDuel, Commit, Confirmation, Extra, Machine, Pattern, Run, Subject, SuiteName, closest};
use crate::failure::{Failure, Outcome};
use crate::measure::count::Counter;
use crate::measure::interrupt::Stop;
use crate::measure::machine;
use crate::measure::solo::Progress;
use crate::record::{Address, Recorded, Store};
use crate::repo::{Bench, Repository, Snapshot, Worktree};

/// What a person asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A revision or a range; none for what is checked out, with its changes if there are any.
    pub spec: Option<String>,
    /// The suites; all if empty.
    pub suites: Vec<String>,
    /// The benchmarks; all if empty, else those that any pattern matches.
    pub filter: Vec<Pattern>,
    /// The time that each suite gets, in place of what the configuration says.
    pub budget: Option<Duration>,
    /// What random orders follow from.
    pub seed: u64,
    /// Whether suspects are measured again.
    pub confirm: Confirm,
    /// How long that may take, in place of what the configuration says.
    pub confirm_budget: Option<Duration>,
    /// Whether the duel with the anchor is left out, though the configuration names one.
    pub no_anchor: bool,
    /// What is measured beside what the configuration says.
    pub metrics: Vec<Extra>,
}

/// Whether suspect points are measured again at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Confirm {
    /// As the configuration says.
    #[default]
    Configured,
    /// Never.
    Never,
}

/// One suite of one commit that is to be measured.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What is measured.
    pub subject: Subject,
    /// The suite.
    pub suite: SuiteName,
    /// What the configuration says of it.
    pub settings: Suite,
}

/// All suites of one commit.
struct Stage {
    subject: Subject,
    changes: Option<Snapshot>,
    config: Config,
    suites: Vec<(SuiteName, Suite)>,
    /// What is to be said of them.
    remarks: Vec<String>,
}

/// What is said while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// A suite is being built; the text is what the build said last, if anything.
    Building(&'a Planned, &'a str),
    /// A suite is being measured.
    Measuring(&'a Planned, Progress<'a>),
    /// A command suite is being run; the text says which process.
    Processes(&'a Planned, &'a str),
    /// A run is in the store, for good.
    Recorded(&'a Run, &'a Recorded),
    /// The new points were judged by the past of their series.
    Followed(&'a Run, &'a Followed),
    /// What was measured is being dueled, with its parent or with the anchor; the text says how it goes.
    Beside(&'a Planned, &'a str),
    /// Something that stays to be said.
    Remark(&'a str),
    /// Suspects were measured again.
    Confirmed(&'a Run, &'a Confirmation),
    /// Suspects could not be measured again; the text says why.
    Unconfirmed(&'a Planned, &'a str),
    /// What was measured was dueled with the anchor.
    Anchored(&'a AnchorDuel),
    /// There is no duel with the anchor; the text says why.
    Unanchored(&'a Planned, &'a str),
    /// A suite of a commit could not be measured; the others go on.
    Skipped(&'a Planned, &'a Skip),
}

/// Why a suite of a commit was not measured.
#[derive(Debug)]
pub enum Skip {
    /// The commit does not build, or its suite does not start.
    Broken(String),
    /// No benchmark is called so.
    NothingChosen,
}

/// How it all ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Runs that are in the store.
    pub recorded: usize,
    /// Benchmarks that were measured.
    pub measured: usize,
    /// Benchmarks that failed.
    pub failed: usize,
    /// Suites that did not build or start.
    pub broken: usize,
    /// Whether a signal ended it early.
    pub stopped: bool,
}

/// What would be measured, in order, without building or running anything.
pub fn plan(project: &Project, request: &Request) -> Outcome<Vec<Planned>> {
    let stages = stages(project, request)?;
    Ok(stages.iter().flat_map(|stage| stage.suites.iter().map(|suite| planned(stage, suite))).collect())
}

fn planned(stage: &Stage, (name, settings): &(SuiteName, Suite)) -> Planned {
    Planned { subject: stage.subject.clone(), suite: name.clone(), settings: settings.clone() }
}

fn stages(project: &Project, request: &Request) -> Outcome<Vec<Stage>> {
    let repository = &project.repository;
    let subjects = match &request.spec {
        Some(spec) => committed(repository.requested(spec)?.commits()),
        None => vec![checked_out(repository)?],
    };
    let stage = |(subject, changes): (Subject, Option<Snapshot>)| {
        let config = project.config_of(&subject)?;
        let mut suites = chosen(&config, request)?;
        let remarks = instructions::asked(&mut suites, &request.metrics)?;
        Ok(Stage { subject, changes, config, suites, remarks })
    };
    subjects.into_iter().map(stage).collect()
}

fn committed(commits: Vec<Commit>) -> Vec<(Subject, Option<Snapshot>)> {
    commits.into_iter().map(|commit| (Subject::Commit(commit), None)).collect()
}

pub(super) fn checked_out(repository: &Repository) -> Outcome<(Subject, Option<Snapshot>)> {
    let head = repository.head()?;
    let changes = repository.snapshot()?;
    let subject = match &changes {
        None => Subject::Commit(head),
        Some(changes) => Subject::Dirty { on: head, digest: changes.digest().to_owned() },
    };
    Ok((subject, changes))
}

/// The suites that were asked for; a name that is none of the configuration's is refused.
pub(super) fn chosen(config: &Config, request: &Request) -> Outcome<Vec<(SuiteName, Suite)>> {
    let with_budget = |(name, suite): (&SuiteName, &Suite)| {
        let budget = request.budget.unwrap_or(suite.budget);
        (name.clone(), Suite { budget, ..suite.clone() })
    };
    if request.suites.is_empty() {
        return Ok(config.suites.iter().map(with_budget).collect());
    }
    let names: Vec<&str> = config.suites.keys().map(SuiteName::as_str).collect();
    let pick = |wanted: &String| {
        let found = config.suites.get_key_value(wanted.as_str()).map(with_budget);
        found.ok_or_else(|| {
            let known = names.join(", ");
            let failure = Failure::usage(anyhow::anyhow!("no suite is called {wanted:?}; there is {known}"));
            match closest(wanted, names.iter().copied()) {
                Some(near) => failure.hint(format!("--suite {near}")),
                None => failure,
            }
        })
    };
    request.suites.iter().map(pick).collect()
}

/// Measures and records what was asked for. `now_s` tells the time of day in seconds since 1970 UTC, `tell` hears how it
/// goes.
pub fn run(
    project: &Project,
    request: &Request,
    address: &Address,
    stop: &Stop,
    now_s: &dyn Fn() -> i64,
    tell: &mut dyn FnMut(Event<'_>),
) -> Outcome<Tally> {
    let stages = stages(project, request)?;
    // Opened before anything is built: what cannot be kept need not be measured.
    drop(Store::open(address)?);
    let all: Vec<(SuiteName, Suite)> = stages.iter().flat_map(|stage| stage.suites.iter().cloned()).collect();
    let counter = instructions::counter(&all, stop)?;
    let bench = project.bench()?;
    let tally = Tally::default();
    let mut going = Going { project, request, address, bench: &bench, counter, stop, now_s, tell, tally };
    for stage in &stages {
        for remark in &stage.remarks {
            (going.tell)(Event::Remark(remark));
        }
        let commit = stage.subject.commit();
        let absent = absent(&stage.config);
        let worktree = bench.lay_out(&project.repository, commit, stage.changes.as_ref(), absent)?;
        for suite in &stage.suites {
            if going.one(stage, suite, &worktree)? == Next::Stop {
                return Ok(Tally { stopped: true, ..going.tally });
            }
        }
    }
    Ok(going.tally)
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

/// A request under way.
struct Going<'a, 't> {
    project: &'a Project,
    request: &'a Request,
    address: &'a Address,
    bench: &'a Bench,
    counter: Option<Counter>,
    stop: &'a Stop,
    now_s: &'a dyn Fn() -> i64,
    tell: &'a mut (dyn FnMut(Event<'_>) + 't),
    tally: Tally,
}

impl Going<'_, '_> {
    /// Builds, measures and records one suite of one commit.
    fn one(&mut self, stage: &Stage, suite: &(SuiteName, Suite), worktree: &Worktree) -> Outcome<Next> {
        let planned = planned(stage, suite);
        let mut progress = |line: &str| (self.tell)(Event::Building(&planned, line));
        progress("");
        let settings = &stage.config.build;
        let ready = prepare(worktree, (&suite.0, &suite.1), settings, self.stop, &mut progress);
        let ready = match ready {
            Ok(ready) => ready,
            Err(Unprepared::Stopped) => return Ok(Next::Stop),
            Err(Unprepared::Failed(failure)) => return Err(failure),
            Err(Unprepared::DoesNotBuild(error)) => {
                self.skip(&planned, &Skip::Broken(error.to_string()));
                return Ok(Next::GoOn);
            }
        };
        let job = Job {
            planned: &planned,
            machine: machine_of(&stage.config),
            request: self.request,
            counter: self.counter.as_ref().filter(|_| instructions::wants(&suite.1)),
            scratch: worktree.keep().join("counts").join(folder_name(&suite.0)),
            stop: self.stop,
            now_s: self.now_s,
        };
        match job.measure(ready, self.tell)? {
            Measured::Run(run) if run.outcomes.is_empty() => self.skip(&planned, &Skip::NothingChosen),
            Measured::Run(run) => {
                let recorded = Store::open(self.address)?.record(&run)?;
                self.tally.recorded += 1;
                self.tally.measured += run.measured();
                self.tally.failed += run.failed();
                (self.tell)(Event::Recorded(&run, &recorded));
                return match self.follow(stage, &planned, worktree, &run)? {
                    Next::GoOn => self.anchor(stage, &planned, worktree),
                    Next::Stop => Ok(Next::Stop),
                };
            }
            Measured::Broken(why) => self.skip(&planned, &Skip::Broken(why)),
            Measured::Stopped => return Ok(Next::Stop),
        }
        Ok(Next::GoOn)
    }

    fn skip(&mut self, planned: &Planned, skip: &Skip) {
        if let Skip::Broken(_) = skip {
            self.tally.broken += 1;
        }
        (self.tell)(Event::Skipped(planned, skip));
    }
}

pub(super) fn machine_of(config: &Config) -> Machine {
    match &config.machine {
        Some(name) => Machine::Named(name.clone()),
        None => Machine::Fingerprint(machine::fingerprint()),
    }
}
