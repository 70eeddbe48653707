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
/// A step whose loss the walk makes up to within this many nats is explained by the walk, by three measures of strictness.
const EXPLAINED: [f64; 3] = [3.0, 5.0, 7.0];
/// What the vote needs; with the weights in [`Vote`] learned from simulated walks and steps.
const VOTES: f64 = 1.0;
/// The length at which the walk is neither more nor less likely for it.
const USUAL_LENGTH: f64 = 200.0;
/// The walks that are tried, a standstill first: variance of a step of the walk, in units of the noise's own.
const WALKS: [f64; 8] = [0.0, 2e-4, 4e-4, 1e-3, 2e-3, 5e-3, 1.2e-2, 3e-2];
const STANDSTILL: usize = 0;
/// After so many points the filters have settled.
const SETTLED: usize = 1_024;

/// The numbers of the steps that stay if the level wanders; none if it does not.
pub(super) fn steps_beside_a_walk(scores: &[f64], steps: &[(usize, f64)]) -> Option<Vec<usize>> {
    let is_quiet = |step: &usize| steps[*step].1.abs() < LOUD;
    let quiet: Vec<usize> = (0..steps.len()).filter(is_quiet).map(|step| steps[step].0).collect();
    if quiet.is_empty() {
        return None;
    }
    let mut left = Stretches::new(scores, steps.iter().map(|(at, _)| *at).collect());
    let (mut best, mut walk) = likeliest(&left.whole());
    let surplus = best - likelihood(&left.whole(), STANDSTILL);
    // How many steps the walk explains, by each measure.
    let mut explained = [0_usize; EXPLAINED.len()];
    let mut open = [true; EXPLAINED.len()];
    while let Some(weakest) = left.weakest(&quiet, walk) {
        let (without, next) = likeliest(&left.without(weakest));
        for (measure, bar) in EXPLAINED.iter().enumerate() {
            open[measure] &= best - without <= *bar;
            explained[measure] += usize::from(open[measure]);
        }
        if !open[EXPLAINED.len() - 1] {
            break;
        }
        left.remove(weakest);
        (best, walk) = (without, next);
    }
    let vote = Vote { surplus, explained, steps: steps.len(), length: scores.len() };
    // A level that wanders makes small steps of its own: those that the walk leaves are told no more than the others.
    vote.carries().then(|| (0..steps.len()).filter(|step| !is_quiet(step)).collect())
}

/// What speaks for a walk.
struct Vote {
    /// How much better the walk explains the series when it keeps all the steps, in nats.
    surplus: f64,
    explained: [usize; EXPLAINED.len()],
    steps: usize,
    length: usize,
}

impl Vote {
    /// Each measure has half a vote for each step it explains, each step one against the walk.
    fn carries(&self) -> bool {
        let strictest = self.explained[EXPLAINED.len() - 1];
        let explained: usize = self.explained.iter().sum();
        let length = (self.length as f64 / USUAL_LENGTH).ln();
        let votes = 0.1 * self.surplus + 0.5 * explained as f64 - self.steps as f64 + length;
        strictest > 0 && votes >= VOTES
    }
}

/// The level of each point plus its pull on that level, in units in which the pull has variance one, and how many of these
/// a unit of noise is.
pub(super) fn scores(units: &[f64], noise: &Noise, steps: &[(usize, f64)], places: &[f64]) -> (Vec<f64>, f64) {
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
    (levels.iter().zip(&pulls).map(|(level, pull)| level * root + pull / root).collect(), root)
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

/// What the likelihoods of some points that no jump divides are made of.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// The squares of the misses, weighed.
    squares: Each,
    logs: Each,
    count: f64,
}

impl Sums {
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

/// The stretches between jumps. Likelihoods are sums over stretches, so that one jump fewer changes one term.
struct Stretches<'a> {
    scores: &'a [f64],
    jumps: Vec<usize>,
    each: Vec<Sums>,
    /// For each jump, the stretch there would be without it.
    merged: Vec<Sums>,
}

impl<'a> Stretches<'a> {
    fn new(scores: &'a [f64], jumps: Vec<usize>) -> Stretches<'a> {
        let each = bounds(&jumps, scores.len()).map(|(from, to)| Sums::of(&scores[from..to])).collect();
        let mut stretches = Stretches { scores, jumps, each, merged: Vec::new() };
        stretches.merged = (0..stretches.jumps.len()).map(|jump| stretches.merge(jump)).collect();
        stretches
    }

    fn merge(&self, jump: usize) -> Sums {
        let from = jump.checked_sub(1).map_or(0, |before| self.jumps[before]);
        let to = self.jumps.get(jump + 1).copied().unwrap_or(self.scores.len());
        Sums::of(&self.scores[from..to])
    }

    fn whole(&self) -> Sums {
        let mut whole = Sums::default();
        self.each.iter().for_each(|sums| whole.add(sums));
        whole
    }

    fn without(&self, jump: usize) -> Sums {
        let mut whole = self.merged[jump];
        self.each[..jump].iter().chain(&self.each[jump + 2..]).for_each(|sums| whole.add(sums));
        whole
    }

    fn remove(&mut self, jump: usize) {
        self.jumps.remove(jump);
        self.each.remove(jump + 1);
        self.each[jump] = self.merged.remove(jump);
        for near in jump.saturating_sub(1)..(jump + 1).min(self.jumps.len()) {
            self.merged[near] = self.merge(near);
        }
    }

    /// The quiet jump that the walk misses least.
    fn weakest(&self, quiet: &[usize], walk: usize) -> Option<usize> {
        let candidates = (0..self.jumps.len()).filter(|jump| quiet.binary_search(&self.jumps[*jump]).is_ok());
        let without = candidates.map(|jump| (jump, likelihood(&self.without(jump), walk)));
        without.max_by(|one, other| one.1.total_cmp(&other.1)).map(|(jump, _)| jump)
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

/// The likelihood of the likeliest walk, and which it is.
fn likeliest(sums: &Sums) -> (f64, usize) {
    let tried = (0..WALKS.len()).filter(|walk| *walk != STANDSTILL).map(|walk| (likelihood(sums, walk), walk));
    tried.max_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or((f64::NEG_INFINITY, STANDSTILL))
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
        assert!(likeliest(&Sums::of(&walks)).0 > still(&walks) + 10.0);
        assert!(likeliest(&Sums::of(&stands)).0 < still(&stands) + 2.0);
    }

    #[test]
    fn a_jump_that_is_known_costs_nothing() {
        let mut stream = Stream::seeded(9);
        let steps: Vec<f64> = (0..200).map(|at| stream.normal() + if at < 100 { 0.0 } else { 8.0 }).collect();
        let known = Stretches::new(&steps, vec![100]);
        assert!(likelihood(&known.whole(), STANDSTILL) > likeliest(&known.without(0)).0 + 10.0);
    }

    #[test]
    fn a_jump_taken_away_leaves_what_was_never_divided() {
        let mut stream = Stream::seeded(10);
        let scores: Vec<f64> = (0..3_000).map(|_| stream.normal()).collect();
        let mut left = Stretches::new(&scores, vec![20, 500, 510]);
        let foretold = left.without(1);
        left.remove(1);
        assert_eq!(left.jumps, [20, 510]);
        let fresh = Stretches::new(&scores, vec![20, 510]);
        for walk in 0..WALKS.len() {
            let wanted = likelihood(&fresh.whole(), walk);
            assert!((likelihood(&left.whole(), walk) - wanted).abs() < 1e-6);
            assert!((likelihood(&foretold, walk) - wanted).abs() < 1e-6);
            assert!((likelihood(&left.without(0), walk) - likelihood(&fresh.without(0), walk)).abs() < 1e-6);
        }
    }
}
