//! Duels of a made-up past: each commit at which something moved against its parent, and some at which nothing did.

use std::collections::BTreeMap;
use std::error::Error;

use tachograph::domain::{
    BenchmarkName, Bout, Commit, Contest, Duel, Kind, Life, Machine, Metric, Policy, Readings, Side, Subject,
    SuiteName, Trouble,
};
use tachograph::judge::known::Known;
use tachograph::judge::report;
use tachograph::record::{Store, Trust};

use super::drawn::Chance;

/// What a benchmark truly does at two commits.
pub(crate) struct Truth {
    pub(crate) benchmark: BenchmarkName,
    pub(crate) metric: Metric,
    pub(crate) base: f64,
    pub(crate) head: f64,
    /// How far lives lie apart.
    pub(crate) noise: f64,
}

/// Lives and pairs in each, for every benchmark.
const LIVES: usize = 16;
const PAIRS: usize = 12;

/// Makes and records a duel of two commits.
pub(crate) fn record(
    store: &mut Store,
    (suite, machine): (SuiteName, Machine),
    (base, head): (&Commit, &Commit),
    truths: &[Truth],
    chance: &mut Chance,
) -> Result<(), Box<dyn Error>> {
    let mut bouts: BTreeMap<BenchmarkName, Bout> = BTreeMap::new();
    for truth in truths {
        let Bout::Dueled(contests) = bouts.entry(truth.benchmark.clone()).or_insert_with(|| Bout::Dueled(Vec::new()))
        else {
            continue;
        };
        contests.push(truth.contest(chance)?);
    }
    // Now and then one is new, is gone, or does not work.
    let names: Vec<BenchmarkName> = bouts.keys().cloned().collect();
    for (number, name) in names.into_iter().enumerate().skip(3) {
        match (number, chance.uniform()) {
            (5, at) if at < 0.2 => drop(bouts.insert(name, Bout::Missing)),
            (6, at) if at < 0.2 => drop(bouts.insert(name, Bout::New)),
            (7, at) if at < 0.2 => {
                let trouble = Trouble {
                    reason: "answered 3, expected 4".to_owned(),
                    ended: None,
                    stderr_tail: "thread 'main' panicked at src/lib.rs:41\nindex out of bounds\n".to_owned(),
                };
                bouts.insert(name, Bout::Failed { on_head: true, trouble });
            }
            _ => {}
        }
    }
    let side = |commit: &Commit| Side {
        subject: Subject::Commit(commit.clone()),
        program: Some(commit.id.as_str()[..16].to_owned()),
    };
    let started_at_s = head.committed_at_s + 300;
    let duel = Duel {
        suite,
        base: side(base),
        head: side(head),
        machine,
        started_at_s,
        elapsed_ns: 45_000_000_000,
        seed: head.committed_at_s.unsigned_abs(),
        notes: [("load before".to_owned(), "0.40".to_owned())].into(),
        pulse: None,
        bouts,
    };
    let policy = Policy::default();
    let series = duel.bouts.iter().flat_map(|(name, bout)| {
        let contests: &[Contest] = if let Bout::Dueled(contests) = bout { contests } else { &[] };
        contests.iter().map(move |contest| (name, &contest.metric))
    });
    let gated = policy.gated_series(series);
    let said = report::report(&duel, &policy, &Known::default(), gated);
    store.record_duel(&duel, Trust::Trusted)?;
    store.record_judgement(&said, started_at_s + 60)?;
    Ok(())
}

impl Truth {
    fn contest(&self, chance: &mut Chance) -> Result<Contest, Box<dyn Error>> {
        let (metric, base, head) = (self.metric.clone(), self.base, self.head);
        let readings = if metric.kind == Kind::Exact {
            Readings::Exact { base: Life::new(vec![base.round(); 2])?, head: Life::new(vec![head.round(); 2])? }
        } else {
            let lives = |chance: &mut Chance, effect: f64| -> Result<Vec<Life>, Box<dyn Error>> {
                let life = |chance: &mut Chance| {
                    let of_life = effect + self.noise * 0.15 * chance.normal();
                    Life::new((0..PAIRS).map(|_| of_life + self.noise * 0.5 * chance.normal()).collect())
                };
                Ok((0..LIVES).map(|_| life(chance)).collect::<Result<_, _>>()?)
            };
            Readings::Paired { lives: lives(chance, (head / base).ln())?, null: lives(chance, 0.0)? }
        };
        Ok(Contest { metric, base, head, readings })
    }
}
