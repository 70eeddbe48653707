//! A second look at suspects: their commit dueled with its first parent, at once. What raised the suspicion counts neither
//! for the verdict nor for the size.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::beside::{Against, Beside, Met, Step};
use super::enough::Aim;
use crate::config::Config;
use crate::domain::{
    BenchmarkName, Confirmation, Judged, Kind, Limit, Outcome as Came, Pattern, Policy, PolicyEntry, Run,
};
use crate::failure::Outcome;
use crate::judge::{self, neighbours::SECOND_LOOK};
use crate::record::{Store, Trust};

/// What is looked at again.
pub(super) struct Second<'a> {
    /// The commit.
    pub(super) commit: Beside<'a>,
    /// The benchmarks that are suspected.
    pub(super) suspects: &'a [BenchmarkName],
    /// Metrics that are numbers of the binary.
    pub(super) exact: &'a [String],
    /// How long measuring may take.
    pub(super) budget: Duration,
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
        let Beside { site, config, address, head, .. } = &self.commit;
        let Some(parent) = site.project.repository.first_parent(head.0)? else {
            return Ok(Looked::Cannot("it has no parent here".to_owned()));
        };
        let policy = policy(config, self.exact);
        let against = Against {
            base: &parent,
            called: "its parent",
            filter: self.suspects.iter().map(|name| Pattern::new(format!("={name}"))).collect(),
            budget: self.budget,
            policy: &policy,
            aim: Aim::Verdict,
            toolchain: None,
        };
        let (mut duel, known, gated) = match self.commit.duel(&against, tell)? {
            Met::Duel(duel, known, gated) => (duel, known, gated),
            Met::Cannot(why) => return Ok(Looked::Cannot(why)),
            Met::OneProgram | Met::Stopped => return Ok(Looked::Stopped),
        };
        duel.notes.insert(SECOND_LOOK.to_owned(), config.trend.size.share().to_string());
        Store::open(address)?.record_duel(&duel, Trust::Trusted)?;
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
}
