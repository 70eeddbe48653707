//! A second look at suspects: their commit dueled with its first parent, at once. What raised the suspicion counts neither
//! for the verdict nor for the size.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::duel::{Dueled, Job};
use super::enough::Inputs;
use super::project::absent;
use super::run::machine_of;
use super::side::{Built, Site};
use crate::config::Config;
use crate::domain::{
    BenchmarkName, Commit, Confirmation, Judged, Kind, Limit, Outcome as Came, Pattern, Policy, PolicyEntry, Run,
    Subject,
};
use crate::failure::Outcome;
use crate::judge;
use crate::judge::known::Known;
use crate::measure::duel::{Options, Progress};
use crate::record::{Address, Match, Store, Trust};
use crate::repo::{Bench, Worktree};

/// What is looked at again.
pub(super) struct Second<'a> {
    pub(super) site: Site<'a>,
    pub(super) config: &'a Config,
    pub(super) bench: &'a Bench,
    pub(super) address: &'a Address,
    /// The commit, and where it is laid out.
    pub(super) head: (&'a Commit, &'a Worktree),
    /// The benchmarks that are suspected.
    pub(super) suspects: &'a [BenchmarkName],
    /// Metrics that are numbers of the binary.
    pub(super) exact: &'a [String],
    /// How long measuring may take.
    pub(super) budget: Duration,
    pub(super) seed: u64,
    pub(super) now_s: &'a dyn Fn() -> i64,
}

/// How a second look ended.
pub(super) enum Looked {
    Again(Box<Confirmation>),
    /// It cannot be done; the suspicion stays.
    Cannot(String),
    Stopped,
}

/// What has to be seen in a duel of neighbours: the history is asked when a level moved, and two builds that differ by luck
/// have moved it as well. So only the error of measuring counts, and changes below the floor are left alone.
/// An exact metric has no error: it moved or it did not.
fn policy(config: &Config, exact: &[String]) -> Policy {
    let entry =
        PolicyEntry { limit: Some(config.trend.size), widen: Some(false), gate: Some(true), ..PolicyEntry::default() };
    let exact = exact.iter().map(|name| PolicyEntry {
        metric: Some(name.clone()),
        limit: Limit::percent(0.0).ok(),
        ..PolicyEntry::default()
    });
    let entries = std::iter::once(entry).chain(exact).collect();
    Policy { false_reds: config.policy.false_reds, entries, ..Policy::default() }
}

/// The exact metrics of a run, by name.
pub(super) fn exact_metrics(run: &Run) -> Vec<String> {
    let readings = run.outcomes.values().filter_map(|came| match came {
        Came::Measured(measured) => Some(&measured.readings),
        Came::Failed(_) => None,
    });
    let exact = readings.flatten().filter(|reading| reading.metric.kind == Kind::Exact);
    let names: BTreeSet<String> = exact.map(|reading| reading.metric.name.clone()).collect();
    names.into_iter().collect()
}

impl Second<'_> {
    /// Duels the suspects with the parent, and records the duel.
    pub(super) fn look(&self, tell: &mut dyn FnMut(Step<'_>)) -> Outcome<Looked> {
        let begun = Instant::now();
        let repository = &self.site.project.repository;
        let Some(parent) = repository.first_parent(self.head.0)? else {
            return Ok(Looked::Cannot("it has no parent here".to_owned()));
        };
        let head = self.built(self.head.0, self.head.1, tell)?;
        let Built::Ready(head) = head else { return Ok(unready(head, "it")) };
        let tree = match self.bench.lay_out(repository, &parent, None, absent(self.config)) {
            Ok(tree) => tree,
            Err(error) => return Ok(Looked::Cannot(format!("its parent cannot be laid out: {error}"))),
        };
        let base = self.built(&parent, &tree, tell)?;
        let Built::Ready(base) = base else { return Ok(unready(base, "its parent")) };
        let mut options = Options::new(self.budget, self.site.suite.1.timeout, self.seed);
        options.filter = self.suspects.iter().map(|name| Pattern::new(format!("={name}"))).collect();
        let (policy, machine) = (policy(self.config, self.exact), machine_of(self.config));
        let sides = Match { suite: self.site.suite.0, machine: &machine, base: &base.side, head: &head.side };
        let known = Known::from_duels(&Store::open(self.address)?.lessons(sides)?);
        let job = Job {
            inputs: Inputs::Differ,
            suite: self.site.suite.0,
            machine: machine.clone(),
            base: &base,
            head: &head,
            options,
            policy: &policy,
            known: &known,
            // New data only: an earlier duel of these sides was another look.
            earlier: &[],
            stop: self.site.stop,
            now_s: self.now_s,
        };
        let (duel, gated) = match job.duel(&mut |progress| tell(Step::Dueling(progress))) {
            Dueled::Duel(duel, gated) => (duel, gated),
            Dueled::Broken { why, .. } => return Ok(Looked::Cannot(why)),
            Dueled::Failed(failure) => return Ok(Looked::Cannot(failure.to_string())),
            Dueled::Stopped => return Ok(Looked::Stopped),
        };
        Store::open(self.address)?.record_duel(&duel, Trust::Trusted)?;
        let report = judge::report::report(&duel, &policy, &known, gated);
        let (mut verdicts, mut failed) = (Vec::new(), Vec::new());
        for (name, judged) in report.judged {
            match judged {
                Judged::Verdicts(all) => verdicts.extend(all.into_iter().map(|verdict| (name.clone(), verdict))),
                Judged::Missing => failed.push((name, "its parent has it, and it has not".to_owned())),
                Judged::New => failed.push((name, "its parent has no such benchmark".to_owned())),
                Judged::Failed { trouble, .. } => failed.push((name, trouble.reason)),
            }
        }
        let extra_ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Ok(Looked::Again(Box::new(Confirmation { parent, duel: duel.id(), extra_ns, verdicts, failed })))
    }

    fn built(&self, commit: &Commit, tree: &Worktree, tell: &mut dyn FnMut(Step<'_>)) -> Outcome<Built> {
        let subject = Subject::Commit(commit.clone());
        self.site.build(&subject, tree, &mut |line| tell(Step::Building(&subject, line)))
    }
}

/// What is said while it goes on.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Building(&'a Subject, &'a str),
    Dueling(Progress<'a>),
}

fn unready(built: Built, which: &str) -> Looked {
    match built {
        Built::No(why) => Looked::Cannot(format!("{which} cannot be dueled: {why}")),
        Built::Stopped | Built::Ready(_) => Looked::Stopped,
    }
}
