//! What a person asks of a gate, what is said while it goes on, and how it ends.

use std::time::Duration;

use crate::domain::{Extra, Pattern, RecordId, Report, Shard, Subject, SuiteName, Undecided, Unreported};
use crate::measure::duel::Progress;

/// What a person asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What to measure against; none for where head left the main branch.
    pub base: Option<String>,
    /// What is judged; none for what is checked out, with its changes if there are any.
    pub head: Option<String>,
    /// The suites; all if empty.
    pub suites: Vec<String>,
    /// The benchmarks; all if empty, else those that any pattern matches.
    pub filter: Vec<Pattern>,
    /// The time that each suite gets, in place of what the configuration says.
    pub budget: Option<Duration>,
    /// What random orders follow from.
    pub seed: u64,
    /// Under which policy.
    pub policy: WhosePolicy,
    /// Whose head it is.
    pub head_of: HeadOf,
    /// Which of several jobs this is, that measure all of it together; the only one if none.
    pub shard: Option<Shard>,
    /// What to do where nothing that a benchmark can see differs.
    pub shortcut: Shortcut,
    /// What is measured beside what the configuration says.
    pub metrics: Vec<Extra>,
}

/// What to do where nothing that a benchmark can see differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shortcut {
    /// Measure briefly, and say that nothing changed.
    #[default]
    Take,
    /// Measure and judge as ever: shows what the gate says of one program against itself.
    Leave,
}

/// Whose head it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeadOf {
    /// Somebody's who may write to the project.
    #[default]
    Ours,
    /// A fork's: what it accepts for itself does not hold, and nothing is learned from it.
    Fork,
}

/// Under which policy a duel is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhosePolicy {
    /// The project's.
    #[default]
    Projects,
    /// None but the defaults.
    Nobodys,
}

/// What is said while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// Something that stays to be said.
    Remark(String),
    /// A suite is being built on a side; the text is what the build said last, if anything.
    Building(&'a Subject, &'a SuiteName, &'a str),
    /// A suite is being dueled.
    Dueling(&'a SuiteName, Progress<'a>),
    /// A suite is judged.
    Judged(&'a Report),
    /// A suite cannot be dueled.
    Unreported(&'a Unreported),
}

/// How it all ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// What was asked for was judged, as far as it could be.
    Judged {
        /// A report for each suite that could be dueled.
        reports: Vec<Report>,
        /// Suites that could not.
        unreported: Vec<Unreported>,
        /// What the rules say of suites that base does not have yet.
        no_baseline: Undecided,
        /// Where the project's site can be read.
        site: Option<String>,
    },
    /// A part of it was measured, and is to be judged together with the others.
    Part {
        /// What was measured.
        duels: Vec<RecordId>,
        /// Suites that could not be dueled.
        unreported: Vec<Unreported>,
    },
    /// There is nothing to compare head with.
    NoBase,
    /// By a signal.
    Stopped,
}
