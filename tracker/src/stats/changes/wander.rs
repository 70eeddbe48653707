//! Steps, or a level that wanders?
//!
//! A slow random walk looks like a staircase of small steps. Steps and walk are compared on the series' efficient scores
//! (its levels plus each point's pull on them), which makes any noise nearly normal: the likelihood of a walk with jumps
//! at the given places comes from Kalman's filter for a local level (Harvey 1989, *Forecasting*, chapter 2), where a
//! walk of no variance is the staircase itself.

use std::sync::LazyLock;

use super::noise::{Noise, bounds};

/// Steps larger than this, in units of noise, are steps whatever else the level does.
const LOUD: f64 = 3.0;
/// The logarithm of the odds that a level wanders has a constant and a weight for each part of [`Odds`]. They were fitted to
/// simulated series in which steps were found: staircases in ten kinds of noise and in that of real series, and walks of 50
/// to 2,000 points, alone or beside one or two loud steps. Of walks alone one in five hundred is told as several changes, and
/// true steps are given up for that: who is sent after a walk looks for commits that do not exist. A walk makes many small
/// steps that it needs none of: to count for it, a quiet step must be worth less than four nats.
const ODDS: f64 = -0.9;
const OF_SURPLUS: f64 = 0.17;
const OF_WORTH: f64 = -0.44;
const OF_QUIET: f64 = 1.7;
const OF_LOUD: f64 = -1.7;
const OF_LENGTH: f64 = 1.8;
/// The length at which the walk is neither more nor less likely for it.
const USUAL_LENGTH: f64 = 200.0;
/// The walks that are tried, a standstill first: variance of a step of the walk, in units of the noise's own.
const WALKS: [f64; 8] = [0.0, 2e-4, 4e-4, 1e-3, 2e-3, 5e-3, 1.2e-2, 3e-2];
const STANDSTILL: usize = 0;
/// After so many points the filters have settled.
const SETTLED: usize = 1_024;

/// Whether a step is one whatever else the level does.
pub(super) fn is_loud(size: f64) -> bool {
    size.abs() >= LOUD
}

/// The numbers of the steps that stay if the level wanders; none if it does not.
pub(super) fn steps_beside_a_walk(scores: &[f64], steps: &[(usize, f64)]) -> Option<Vec<usize>> {
    let loud: Vec<usize> = (0..steps.len()).filter(|step| is_loud(steps[*step].1)).collect();
    let quiet = steps.len() - loud.len();
    if quiet == 0 {
        return None;
    }
    let all = Sums::between(scores, steps.iter().map(|(at, _)| *at));
    let few = Sums::between(scores, loud.iter().map(|step| steps[*step].0));
    let walk = likeliest(&all);
    let (surplus, worth) = (walk - likelihood(&all, STANDSTILL), walk - likeliest(&few));
    let odds = Odds { surplus, worth, quiet, loud: loud.len(), length: scores.len() };
    // A level that wanders makes small steps of its own: all are told as one walk.
    (odds.log() >= 0.0).then_some(loud)
}

/// What speaks for a walk.
struct Odds {
    /// How much better the walk explains the series than levels that stand still, both with all the steps, in nats.
    surplus: f64,
    /// How much worse the walk explains it without the quiet steps.
    worth: f64,
    quiet: usize,
    loud: usize,
    length: usize,
}

impl Odds {
    fn log(&self) -> f64 {
        let length = (self.length as f64 / USUAL_LENGTH).ln();
        let likelihoods = OF_SURPLUS * self.surplus + OF_WORTH * self.worth;
        ODDS + likelihoods + OF_QUIET * self.quiet as f64 + OF_LOUD * self.loud as f64 + OF_LENGTH * length
    }
}

/// The level of each point plus its pull on that level, in units in which the pull has variance one.
pub(super) fn scores(units: &[f64], noise: &Noise, steps: &[(usize, f64)], places: &[f64]) -> Vec<f64> {
    const SIDE: f64 = 0.25;
    let mut level = 0;
    let mut pulls = vec![0.0; units.len()];
    let mut levels = vec![places[0]; units.len()];
    for at in 1..units.len() {
        let begins = steps.get(level).is_some_and(|(start, _)| *start == at);
        level += usize::from(begins);
        levels[at] = places[level];
        if !begins {
            let place = places[level];
            pulls[at] = (noise.cost(units, at, place - SIDE) - noise.cost(units, at, place + SIDE)) / (2.0 * SIDE);
        }
    }
    let information = pulls.iter().map(|pull| pull * pull).sum::<f64>() / (units.len() - 1).max(1) as f64;
    let root = information.max(1e-6).sqrt();
    levels.iter().zip(&pulls).map(|(level, pull)| level * root + pull / root).collect()
}

/// One number for each of [`WALKS`].
type Each = [f64; WALKS.len()];

/// What Kalman's filters know after each number of points, in units of the noise's variance. No value changes it.
struct Filters {
    gain: Vec<Each>,
    /// The weight of a miss, squared.
    weight: Vec<Each>,
    /// The logarithms of all variances so far, summed.
    logs: Vec<Each>,
}

static FILTERS: LazyLock<Filters> = LazyLock::new(|| {
    let (mut variance, mut sum) = ([1.0; WALKS.len()], [0.0; WALKS.len()]);
    let mut filters = Filters { gain: Vec::new(), weight: Vec::new(), logs: Vec::new() };
    for _ in 0..SETTLED {
        let ahead: Each = std::array::from_fn(|walk| variance[walk] + WALKS[walk]);
        variance = ahead.map(|ahead| ahead / (ahead + 1.0));
        sum = std::array::from_fn(|walk| sum[walk] + (ahead[walk] + 1.0).ln());
        filters.gain.push(variance);
        filters.weight.push(ahead.map(|ahead| (ahead + 1.0).recip()));
        filters.logs.push(sum);
    }
    filters
});

/// What the likelihoods of some points are made of: sums over the stretches between jumps.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// The squares of the misses, weighed.
    squares: Each,
    logs: Each,
    count: f64,
}

impl Sums {
    /// Of the stretches that begin at zero and at each of the jumps.
    fn between(scores: &[f64], jumps: impl Iterator<Item = usize>) -> Sums {
        let jumps: Vec<usize> = jumps.collect();
        let mut whole = Sums::default();
        bounds(&jumps, scores.len()).for_each(|(from, to)| whole.add(&Sums::of(&scores[from..to])));
        whole
    }

    /// The first point gives the level; each later one is foretold and corrects it.
    fn of(scores: &[f64]) -> Sums {
        let filters = &*FILTERS;
        let Some((first, rest)) = scores.split_first() else { return Sums::default() };
        let mut squares = Each::default();
        let mut level = [*first; WALKS.len()];
        for (at, score) in rest.iter().enumerate() {
            let at = at.min(SETTLED - 1);
            let (gain, weight) = (&filters.gain[at], &filters.weight[at]);
            for walk in 0..WALKS.len() {
                let miss = score - level[walk];
                squares[walk] += miss * miss * weight[walk];
                level[walk] += gain[walk] * miss;
            }
        }
        let mut logs = Each::default();
        if let Some(last) = rest.len().checked_sub(1) {
            let (seen, more) = (last.min(SETTLED - 1), last.saturating_sub(SETTLED - 1));
            let end = &filters.logs[seen];
            let before = &filters.logs[SETTLED - 2];
            logs =
                std::array::from_fn(|walk| end[walk] + more as f64 * (filters.logs[SETTLED - 1][walk] - before[walk]));
        }
        Sums { squares, logs, count: rest.len() as f64 }
    }

    fn add(&mut self, other: &Sums) {
        for walk in 0..WALKS.len() {
            self.squares[walk] += other.squares[walk];
            self.logs[walk] += other.logs[walk];
        }
        self.count += other.count;
    }
}

/// The logarithm of the likelihood of a level that walks, the noise's variance being what fits best.
fn likelihood(sums: &Sums, walk: usize) -> f64 {
    if sums.count < 1.0 {
        return 0.0;
    }
    let variance = (sums.squares[walk] / sums.count).max(1e-12);
    -0.5 * (sums.count * variance.ln() + sums.logs[walk] + sums.count)
}

/// The likelihood of the likeliest walk.
fn likeliest(sums: &Sums) -> f64 {
    let tried = (0..WALKS.len()).filter(|walk| *walk != STANDSTILL).map(|walk| likelihood(sums, walk));
    tried.fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise as Stream;

    #[test]
    fn a_walk_is_likelier_than_a_standstill_where_the_level_walks_and_only_there() {
        let mut stream = Stream::seeded(8);
        let mut level = 0.0;
        let walks: Vec<f64> = (0..600)
            .map(|_| {
                level += 0.1 * stream.normal();
                level + stream.normal()
            })
            .collect();
        let stands: Vec<f64> = (0..600).map(|_| stream.normal()).collect();
        let still = |scores: &[f64]| likelihood(&Sums::of(scores), STANDSTILL);
        assert!(likeliest(&Sums::of(&walks)) > still(&walks) + 10.0);
        assert!(likeliest(&Sums::of(&stands)) < still(&stands) + 2.0);
    }

    #[test]
    fn a_jump_that_is_known_costs_nothing() {
        let mut stream = Stream::seeded(9);
        let steps: Vec<f64> = (0..200).map(|at| stream.normal() + if at < 100 { 0.0 } else { 8.0 }).collect();
        let likelihoods = |jump: Option<usize>| Sums::between(&steps, jump.into_iter());
        assert!(likelihood(&likelihoods(Some(100)), STANDSTILL) > likeliest(&likelihoods(None)) + 10.0);
    }
}
