//! What is known of one unit of a duel of commands, and what is said of its benchmarks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::Once;
use super::EXACT_LIVES;
use crate::domain::{BenchmarkName, Bout, Contest, Kind, Life, Metric, Outcome, Readings, Trouble};
use crate::stats::robust::median;

/// What one process said of a benchmark: each metric's median, in the order in which they were told.
type Levels = Vec<(Metric, f64)>;

/// What one process yielded.
#[derive(Debug, Clone, Default)]
pub(super) struct Came {
    levels: BTreeMap<BenchmarkName, Levels>,
    failed: BTreeMap<BenchmarkName, Trouble>,
    /// What went wrong with the process as a whole.
    trouble: Option<Trouble>,
    elapsed: Duration,
}

impl Came {
    /// Understands a process that was started for a benchmark, or for all. A single result goes by the name that the list
    /// gives; a process that was started for a benchmark and ended badly measured nothing.
    pub(super) fn of(once: Once, unit: Option<&BenchmarkName>) -> Came {
        let mut came = Came { trouble: once.trouble, elapsed: once.elapsed, ..Came::default() };
        if unit.is_some() && came.trouble.is_some() {
            return came;
        }
        let is_single = once.outcomes.len() == 1;
        for (name, outcome) in once.outcomes {
            let name = unit.filter(|_| is_single).cloned().unwrap_or(name);
            match outcome {
                Outcome::Failed(trouble) => drop(came.failed.insert(name, trouble)),
                Outcome::Measured(measured) => {
                    let level = |reading: &crate::domain::Reading| {
                        let values: Vec<f64> = reading.lives.iter().flat_map(Life::values).copied().collect();
                        Some((reading.metric.clone(), median(&values)?))
                    };
                    came.levels.insert(name, measured.readings.iter().filter_map(level).collect());
                }
            }
        }
        came
    }

    fn has(&self, name: &BenchmarkName) -> bool {
        self.levels.contains_key(name) || self.failed.contains_key(name)
    }
}

/// One benchmark that is started by its name, or all of a suite.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    name: Option<BenchmarkName>,
    /// By side.
    lives: Vec<[Came; 2]>,
    /// Of each block of two lives, whether head began.
    blocks: Vec<bool>,
}

impl Unit {
    pub(super) fn new(name: Option<BenchmarkName>) -> Unit {
        Unit { name, lives: Vec::new(), blocks: Vec::new() }
    }

    pub(super) fn name(&self) -> Option<&BenchmarkName> {
        self.name.as_ref()
    }

    pub(super) fn lives(&self) -> usize {
        self.lives.len()
    }

    pub(super) fn begin_block(&mut self, head_begins: bool) {
        self.blocks.push(head_begins);
    }

    /// Whether head began the block that is under way.
    pub(super) fn head_began(&self) -> bool {
        self.blocks.last().copied().unwrap_or(false)
    }

    /// Takes in a life, and says what failed in it for the first time.
    pub(super) fn take(&mut self, base: Came, head: Came) -> Vec<(BenchmarkName, Trouble)> {
        let before: BTreeSet<BenchmarkName> = self.failures().map(|(name, _)| name).collect();
        self.lives.push([base, head]);
        self.failures().filter(|(name, _)| !before.contains(name)).map(|(name, (_, why))| (name, why)).collect()
    }

    /// What a life takes: the mean of those there were.
    pub(super) fn cost(&self) -> Duration {
        let all: Duration = self.lives.iter().flatten().map(|came| came.elapsed).sum();
        all / u32::try_from(self.lives.len().max(1)).unwrap_or(u32::MAX)
    }

    /// What the lives that are missing to so many take.
    pub(super) fn cost_to(&self, target: usize) -> Duration {
        self.cost() * u32::try_from(target.saturating_sub(self.lives.len())).unwrap_or(u32::MAX)
    }

    /// Whether something of it can still be learned by more lives, and it has fewer than `target`. What was never reached
    /// has no cost that anybody knows, and stays out.
    pub(super) fn wants_lives(&self, target: usize) -> bool {
        let failed: BTreeSet<BenchmarkName> = self.failures().map(|(name, _)| name).collect();
        let works = |name: &&BenchmarkName| !failed.contains(*name) && self.is_on(0, name) && self.is_on(1, name);
        !self.lives.is_empty() && self.lives.len() < target && self.names().iter().any(works)
    }

    /// Whether all that it tells are exact metrics.
    pub(super) fn is_exact(&self) -> bool {
        let mut metrics = self.lives.iter().flatten().flat_map(|came| came.levels.values().flatten()).peekable();
        metrics.peek().is_some() && metrics.all(|(metric, _)| metric.kind == Kind::Exact)
    }

    /// The side that yielded nothing at all, base before head, and why.
    pub(super) fn fruitless(&self) -> Option<(bool, Trouble)> {
        [0, 1].into_iter().find_map(|side| {
            let mut all = self.lives.iter().map(|life| &life[side]);
            let nothing = all.clone().all(|came| came.levels.is_empty() && came.failed.is_empty());
            let trouble = all.find_map(|came| came.trouble.clone())?;
            nothing.then_some((side == 1, trouble))
        })
    }

    /// All benchmarks that either side ever named.
    pub(super) fn names(&self) -> BTreeSet<&BenchmarkName> {
        let told = self.lives.iter().flatten().flat_map(|came| came.levels.keys().chain(came.failed.keys()));
        let told: BTreeSet<&BenchmarkName> = told.collect();
        if told.is_empty() { self.name.iter().collect() } else { told }
    }

    fn is_on(&self, side: usize, name: &BenchmarkName) -> bool {
        self.lives.iter().any(|life| life[side].has(name))
    }

    /// The metrics of each benchmark that base offers; of one that was not reached or failed, its time.
    pub(super) fn of_base(&self) -> Vec<(BenchmarkName, Metric)> {
        let Some(first) = self.lives.iter().map(|life| &life[0]).find(|came| !came.levels.is_empty()) else {
            return self.names().into_iter().map(|name| (name.clone(), Metric::time())).collect();
        };
        let of = |(name, levels): (&BenchmarkName, &Levels)| -> Vec<_> {
            levels.iter().map(|(metric, _)| (name.clone(), metric.clone())).collect()
        };
        first.levels.iter().flat_map(of).collect()
    }

    /// Benchmarks that failed on a side, with the first reason.
    fn failures(&self) -> impl Iterator<Item = (BenchmarkName, (bool, Trouble))> {
        let all = self.names().into_iter().filter_map(|name| Some((name.clone(), self.failure(name)?)));
        all.collect::<Vec<_>>().into_iter()
    }

    fn failure(&self, name: &BenchmarkName) -> Option<(bool, Trouble)> {
        let known = [self.is_on(0, name), self.is_on(1, name)];
        for (number, life) in (1..).zip(&self.lives) {
            for (side, came) in life.iter().enumerate() {
                if let Some(trouble) = came.failed.get(name) {
                    return Some((side == 1, in_life(number, trouble.clone())));
                }
                if came.levels.contains_key(name) {
                    continue;
                }
                // It lacks: because its process ended badly, or although it was there in another life.
                if let Some(trouble) = &came.trouble {
                    return Some((side == 1, in_life(number, trouble.clone())));
                }
                if known[side] {
                    let reason = "its process yielded no result of it, while another did".to_owned();
                    let trouble = Trouble { reason, ended: None, stderr_tail: String::new() };
                    return Some((side == 1, in_life(number, trouble)));
                }
            }
        }
        None
    }

    /// What is to be said of each of its benchmarks so far.
    pub(super) fn bouts(&self) -> Vec<(BenchmarkName, Bout)> {
        let names = self.names().into_iter().cloned();
        names.map(|name| (name.clone(), self.bout(&name))).collect()
    }

    fn bout(&self, name: &BenchmarkName) -> Bout {
        if self.lives.is_empty() {
            let reason = "the time budget was spent before its turn came".to_owned();
            return Bout::Failed {
                on_head: false,
                trouble: Trouble { reason, ended: None, stderr_tail: String::new() },
            };
        }
        if let Some((on_head, trouble)) = self.failure(name) {
            return Bout::Failed { on_head, trouble };
        }
        match (self.is_on(0, name), self.is_on(1, name)) {
            (true, false) => Bout::Missing,
            (false, true) => Bout::New,
            _ => Bout::Dueled(self.contests(name)),
        }
    }

    /// The metrics that both sides told in each life, and those that only one of them ever told.
    fn contests(&self, name: &BenchmarkName) -> Vec<Contest> {
        let Some(life) = self.lives.first() else { return Vec::new() };
        let told =
            |side: usize| life[side].levels.get(name).map_or(&[][..], Vec::as_slice).iter().map(|(metric, _)| metric);
        let both = told(0).filter_map(|metric| self.contest(name, metric));
        let missing = told(0).filter_map(|metric| {
            let (level, base) = self.lone(name, metric, [0, 1])?;
            Some(Contest { metric: metric.clone(), base: level, head: 0.0, readings: Readings::Missing { base } })
        });
        let new = told(1).filter_map(|metric| {
            let (level, head) = self.lone(name, metric, [1, 0])?;
            Some(Contest { metric: metric.clone(), base: 0.0, head: level, readings: Readings::New { head } })
        });
        both.chain(missing).chain(new).collect()
    }

    /// The levels of a metric on a side, in case the other never told it.
    fn lone(&self, name: &BenchmarkName, metric: &Metric, [side, other]: [usize; 2]) -> Option<(f64, Life)> {
        let on = |side: usize| -> Vec<f64> {
            self.lives.iter().filter_map(|life| level(&life[side], name, metric)).collect()
        };
        let levels = Some(on(side)).filter(|_| on(other).is_empty())?;
        Some((median(&levels)?, Life::new(levels).ok()?))
    }

    fn contest(&self, name: &BenchmarkName, metric: &Metric) -> Option<Contest> {
        let of = |came: &Came| level(came, name, metric);
        let side = |side: usize| self.lives.iter().map(|life| of(&life[side])).collect::<Option<Vec<f64>>>();
        let (base, head) = (side(0)?, side(1)?);
        let levels = (median(&base)?, median(&head)?);
        let contest = |metric, readings| Contest { metric, base: levels.0, head: levels.1, readings };
        let agree = |values: &[f64]| values.iter().all(|value| value.to_bits() == values[0].to_bits());
        if metric.kind == Kind::Exact && base.len() >= EXACT_LIVES && agree(&base) && agree(&head) {
            let readings = Readings::Exact { base: Life::new(base).ok()?, head: Life::new(head).ok()? };
            return Some(contest(metric.clone(), readings));
        }
        let lives = head.iter().zip(&base).filter_map(|(&head, &base)| ratio(head, base)).collect();
        let null = base.chunks_exact(2).zip(&self.blocks).filter_map(|(of_block, &head_began)| {
            let [one, other] = *of_block else { return None };
            if head_began { ratio(one, other) } else { ratio(other, one) }
        });
        let null = null.collect();
        // One that differs between two processes of one program is treated as noisy.
        let metric = Metric { kind: Kind::Noisy, ..metric.clone() };
        Some(contest(metric, Readings::Paired { lives, null }))
    }
}

fn level(came: &Came, name: &BenchmarkName, metric: &Metric) -> Option<f64> {
    came.levels.get(name)?.iter().find(|(other, _)| other == metric).map(|(_, level)| *level)
}

/// Of what went wrong in a later life it is told in which.
fn in_life(number: usize, mut trouble: Trouble) -> Trouble {
    if number > 1 {
        trouble.reason = format!("in process {number}: {}", trouble.reason);
    }
    trouble
}

/// The logarithm of a ratio as a life of its own; where both are zero nothing differs, and where one is there is none.
fn ratio(over: f64, under: f64) -> Option<Life> {
    let log = if over.total_cmp(&under).is_eq() { 0.0 } else { (over / under).ln() };
    Life::new(vec![log]).ok()
}
