//! A commit dueled with another one for the trend's sake: its parent, or the anchor.

use super::duel::{Dueled, Job};
use super::enough::{Aim, Inputs};
use super::project::absent;
use super::run::machine_of;
use super::side::{Built, Site};
use crate::config::{Build, Config};
use crate::domain::{Commit, Duel, Pattern, Policy, Subject};
use crate::failure::Outcome;
use crate::judge::known::Known;
use crate::measure::count::Counter;
use crate::measure::duel::{Options, Progress};
use crate::record::{Address, Match, Store};
use crate::repo::{Bench, Worktree};

/// The note that names the Rust compiler, of a run and of a side.
const RUSTC: &str = "rustc";

/// A commit that is laid out, and what it takes to duel it.
pub(super) struct Beside<'a> {
    pub(super) site: Site<'a>,
    pub(super) config: &'a Config,
    pub(super) bench: &'a Bench,
    pub(super) address: &'a Address,
    /// The commit, and where it is laid out.
    pub(super) head: (&'a Commit, &'a Worktree),
    pub(super) seed: u64,
    /// What counts instructions, where they are wanted.
    pub(super) counter: Option<&'a Counter>,
    pub(super) now_s: &'a dyn Fn() -> i64,
}

/// What it is dueled with, and how.
pub(super) struct Against<'a> {
    pub(super) base: &'a Commit,
    /// What base is called where it cannot be used.
    pub(super) called: &'a str,
    /// Which benchmarks; all if empty.
    pub(super) filter: Vec<Pattern>,
    /// How long measuring may take.
    pub(super) budget: std::time::Duration,
    pub(super) policy: &'a Policy,
    pub(super) aim: Aim,
    /// The toolchain that is to build base, if it can be had.
    pub(super) toolchain: Option<String>,
}

/// How it ended.
pub(super) enum Met {
    /// With a duel, which is not recorded yet; what earlier ones teach, and over how many series the error is divided.
    Duel(Box<Duel>, Known, usize),
    /// Both are one program: there is nothing to compare.
    OneProgram,
    /// It cannot be done.
    Cannot(String),
    Stopped,
}

/// What is said while it goes on.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Building(&'a Subject, &'a str),
    Dueling(Progress<'a>),
}

impl Beside<'_> {
    /// Builds both and duels them.
    pub(super) fn duel(&self, against: &Against<'_>, tell: &mut dyn FnMut(Step<'_>)) -> Outcome<Met> {
        let Against { base, called, policy, aim, .. } = *against;
        let repository = &self.site.project.repository;
        let head = build(&self.site, self.head.0, self.head.1, tell)?;
        let Built::Ready(head) = head else { return Ok(unready(head, "it")) };
        let tree = match self.bench.lay_out(repository, base, None, absent(self.config)) {
            Ok(tree) => tree,
            Err(error) => return Ok(Met::Cannot(format!("{called} cannot be laid out: {error}"))),
        };
        let base = self.base(against, &tree, tell)?;
        let Built::Ready(base) = base else { return Ok(unready(base, called)) };
        if aim == Aim::Size && base.side.program.is_some() && base.side.program == head.side.program {
            return Ok(Met::OneProgram);
        }
        let mut options = Options::new(against.budget, self.site.suite.1.timeout, self.seed);
        options.filter.clone_from(&against.filter);
        let machine = machine_of(self.config);
        let sides = Match { suite: self.site.suite.0, machine: &machine, base: &base.side, head: &head.side };
        let known = Known::from_duels(&Store::open(self.address)?.lessons(sides)?);
        let job = Job {
            inputs: Inputs::Differ,
            counter: self.counter,
            aim,
            suite: self.site.suite.0,
            machine: machine.clone(),
            base: &base,
            head: &head,
            options,
            policy,
            known: &known,
            // New data only: an earlier duel of these sides was another look.
            earlier: &[],
            stop: self.site.stop,
            now_s: self.now_s,
        };
        Ok(match job.duel(&mut |progress| tell(Step::Dueling(progress))) {
            Dueled::Duel(duel, gated) => Met::Duel(duel, known, gated),
            Dueled::Broken { why, .. } => Met::Cannot(why),
            Dueled::Failed(failure) => Met::Cannot(failure.to_string()),
            Dueled::Stopped => Met::Stopped,
        })
    }

    /// Builds base; anew with the toolchain that is wanted, where what built it is another.
    fn base(&self, against: &Against<'_>, tree: &Worktree, tell: &mut dyn FnMut(Step<'_>)) -> Outcome<Built> {
        let built = build(&self.site, against.base, tree, tell)?;
        let wanted = match (&built, &against.toolchain) {
            (Built::Ready(ready), Some(wanted)) if ready.notes.get(RUSTC).is_some_and(|rustc| rustc != wanted) => {
                wanted
            }
            _ => return Ok(built),
        };
        let settings = Build { toolchain: Some(wanted.clone()), ..self.site.settings.clone() };
        Ok(match build(&Site { settings: &settings, ..self.site }, against.base, tree, tell)? {
            // It is not to be had here: the ratio is to another build, and the reader is told by its note.
            Built::No(_) => built,
            again => again,
        })
    }
}

fn build(site: &Site<'_>, commit: &Commit, tree: &Worktree, tell: &mut dyn FnMut(Step<'_>)) -> Outcome<Built> {
    let subject = Subject::Commit(commit.clone());
    site.build(&subject, tree, &mut |line| tell(Step::Building(&subject, line)))
}

fn unready(built: Built, which: &str) -> Met {
    match built {
        Built::No(why) => Met::Cannot(format!("{which} cannot be dueled: {why}")),
        Built::Stopped | Built::Ready(_) => Met::Stopped,
    }
}
