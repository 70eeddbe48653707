//! A second look at suspects: their commit dueled with its first parent, at once. What raised the suspicion counts neither
//! for the verdict nor for the size.

use std::time::{Duration, Instant};

use super::beside::{Against, Beside, Met, Step};
use super::enough::Aim;
use crate::domain::{BenchmarkName, CONFIRMED, Confirmation, Judged, Pattern, Policy};
use crate::failure::Outcome;
use crate::judge;
use crate::judge::neighbours::{SECOND_LOOK, entries_beyond, kept};
use crate::record::{Store, Trust};

/// What is looked at again.
pub(super) struct Second<'a> {
    /// The commit.
    pub(super) commit: Beside<'a>,
    /// The benchmarks that are suspected.
    pub(super) suspects: &'a [BenchmarkName],
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

impl Second<'_> {
    /// Duels the suspects with the parent, and records the duel.
    pub(super) fn look(&self, tell: &mut dyn FnMut(Step<'_>)) -> Outcome<Looked> {
        let begun = Instant::now();
        let Beside { site, config, address, head, .. } = &self.commit;
        let Some(parent) = site.project.repository.first_parent(head.0)? else {
            return Ok(Looked::Cannot("it has no parent here".to_owned()));
        };
        let entries = entries_beyond(config.trend.size);
        let policy = Policy { false_reds: config.policy.false_reds, entries, ..Policy::default() };
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
            Met::OneProgram => return Ok(Looked::Cannot("both are one program".to_owned())),
            Met::Stopped => return Ok(Looked::Stopped),
        };
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
        duel.notes.insert(SECOND_LOOK.to_owned(), config.trend.size.share().to_string());
        duel.notes.extend(kept(&verdicts).map(|kept| (CONFIRMED.to_owned(), kept)));
        Store::open(address)?.record_duel(&duel, Trust::Trusted)?;
        let extra_ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Ok(Looked::Again(Box::new(Confirmation { parent, duel: duel.id(), extra_ns, verdicts, failed })))
    }
}
