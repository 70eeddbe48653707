//! One of several jobs that measure a suite together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::BenchmarkName;

/// More jobs than this nobody has.
const MOST: u32 = 256;

/// Why a text is no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a shard is one of several, such as \"2/3\", of at most {MOST}, not {0:?}")]
pub struct ShardError(String);

/// The how manieth job of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: u32,
    of: u32,
}

impl Shard {
    /// Which one it is, from 1.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    #[must_use]
    pub fn of(self) -> u32 {
        self.of
    }

    /// All shards that there are with this one.
    pub fn all(self) -> impl Iterator<Item = Shard> {
        (1..=self.of).map(move |index| Shard { index, ..self })
    }

    /// The benchmarks of this shard, of all with what each costs: every job deals them out alike, and evenly.
    ///
    /// The dearest go first, each to the job that has least to do so far (Graham's rule: no job gets more than 4/3 of what
    /// the best deal would give the busiest). Costs are taken as powers of two of `least`, so that jobs which know a cost
    /// from different runs still deal alike.
    #[must_use]
    pub fn deal<'a>(self, costs: &BTreeMap<&'a BenchmarkName, f64>, least: f64) -> Vec<&'a BenchmarkName> {
        let rough = |cost: f64| if cost > least { (cost / least).log2().round().exp2() } else { 1.0 };
        let mut dear: Vec<(f64, &BenchmarkName)> = costs.iter().map(|(name, cost)| (rough(*cost), *name)).collect();
        dear.sort_by(|(a, one), (b, other)| b.total_cmp(a).then(one.cmp(other)));
        let mut loads = vec![0.0_f64; self.of as usize];
        let mut mine = Vec::new();
        for (cost, name) in dear {
            let least_busy = (0..loads.len()).min_by(|a, b| loads[*a].total_cmp(&loads[*b])).unwrap_or_default();
            loads[least_busy] += cost;
            if least_busy + 1 == self.index as usize {
                mine.push(name);
            }
        }
        mine
    }
}

impl FromStr for Shard {
    type Err = ShardError;
    fn from_str(text: &str) -> Result<Shard, ShardError> {
        let wrong = || ShardError(text.to_owned());
        let plain = |part: &str| {
            let digits = !part.is_empty() && part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u32>().ok()).flatten()
        };
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        match (plain(index), plain(of)) {
            (Some(index), Some(of)) if (1..=of).contains(&index) && of <= MOST => Ok(Shard { index, of }),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;
    fn try_from(text: String) -> Result<Shard, ShardError> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> String {
        shard.to_string()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// What one job needs to know to take its part of a suite.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Which job it is.
    pub shard: Shard,
    /// What benchmarks are known to cost, in whatever measure.
    pub costs: BTreeMap<BenchmarkName, f64>,
    /// What each costs at the least.
    pub least: f64,
}

impl Share {
    /// Its part of all benchmarks. One whose cost nobody knows is taken to cost as much as most do.
    #[must_use]
    pub fn of(&self, all: &BTreeSet<BenchmarkName>) -> BTreeSet<BenchmarkName> {
        let mut known: Vec<f64> = all.iter().filter_map(|name| self.costs.get(name).copied()).collect();
        known.sort_by(f64::total_cmp);
        let usual = known.get(known.len() / 2).copied().unwrap_or(self.least);
        let costs = all.iter().map(|name| (name, self.costs.get(name).copied().unwrap_or(usual))).collect();
        self.shard.deal(&costs, self.least).into_iter().cloned().collect()
    }

    /// Whether what cannot be divided is this job's.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.shard.index == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_several() {
        assert_eq!("2/3".parse::<Shard>().unwrap().to_string(), "2/3");
        for wrong in ["", "2", "0/3", "4/3", "1/0", "1/257", "-1/3", "+1/3", "1/3/3", " 1/3", "1/99999999999"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_benchmark_is_dealt_once_and_the_jobs_are_evenly_busy() {
        /// What Graham's rule may give the busiest, of what the best deal would.
        const GRAHAM: f64 = 4.0 / 3.0;
        /// By how much a cost may differ from the power of two that it is taken for.
        const ROUGH: f64 = std::f64::consts::SQRT_2;
        const LEAST: f64 = 1e6;
        const DEAREST: f64 = 1e10;
        let names: Vec<BenchmarkName> = (0..101).map(|at| BenchmarkName::new(format!("b/{at}")).unwrap()).collect();
        // From a microsecond to ten seconds, in no order.
        let cost = |at: usize| 1e3 * 10_f64.powi(i32::try_from(at * 37 % 8).unwrap());
        let costs: BTreeMap<&BenchmarkName, f64> =
            names.iter().enumerate().map(|(at, name)| (name, cost(at))).collect();
        for of in [1, 2, 3, 7, 120] {
            let first: Shard = format!("1/{of}").parse().unwrap();
            let deals: Vec<Vec<&BenchmarkName>> = first.all().map(|shard| shard.deal(&costs, LEAST)).collect();
            let mut dealt: Vec<&BenchmarkName> = deals.iter().flatten().copied().collect();
            dealt.sort();
            assert_eq!(dealt, costs.keys().copied().collect::<Vec<_>>(), "{of}");
            let busy: Vec<f64> =
                deals.iter().map(|deal| deal.iter().map(|name| costs[*name].max(LEAST)).sum()).collect();
            let (most, all) = (busy.iter().fold(0.0, |a: f64, b| a.max(*b)), busy.iter().sum::<f64>());
            // No deal gives the busiest less than an even share, or than the dearest.
            let best = (all / f64::from(of)).max(DEAREST);
            assert!(most <= GRAHAM * ROUGH * best, "{of}: {busy:?}");
        }
    }

    #[test]
    fn what_nobody_knows_costs_as_much_as_most_do() {
        let all: BTreeSet<BenchmarkName> = (0..9).map(|at| BenchmarkName::new(format!("b/{at}")).unwrap()).collect();
        let costs = all.iter().take(5).map(|name| (name.clone(), 64e6)).collect();
        let first: Shard = "1/3".parse().unwrap();
        let share = |shard| Share { shard, costs: BTreeMap::clone(&costs), least: 1e6 };
        assert!(first.all().all(|shard| share(shard).of(&all).len() == 3));
        assert!(share(first).is_first() && !share("2/3".parse().unwrap()).is_first());
    }

    #[test]
    fn jobs_that_know_a_cost_from_another_run_deal_alike() {
        let names: Vec<BenchmarkName> = (0..40).map(|at| BenchmarkName::new(format!("b/{at}")).unwrap()).collect();
        let costs = |luck: f64| {
            let cost = |at: usize| 4e6 * 8_f64.powi(i32::try_from(at % 4).unwrap()) * (1.0 + luck * (at as f64).sin());
            names.iter().enumerate().map(|(at, name)| (name, cost(at))).collect::<BTreeMap<_, _>>()
        };
        let shard: Shard = "2/3".parse().unwrap();
        assert_eq!(shard.deal(&costs(0.0), 1e6), shard.deal(&costs(0.2), 1e6));
    }
}
