//! Steps, or a level that wanders?
//!
//! A slow random walk looks like a staircase of small steps. Steps and walk are compared on the series' efficient scores
//! (its levels plus each point's pull on them), which makes any noise nearly normal: the likelihood of a walk with jumps
//! at the given places comes from Kalman's filter for a local level (Harvey 1989, *Forecasting*, chapter 2), where a
//! walk of no variance is the staircase itself.

use super::merge::Levels;
use super::noise::Noise;

/// Steps larger than this, in units of noise, are steps whatever else the level does.
const LOUD: f64 = 3.0;
/// A step whose loss the walk makes up to within this many nats is explained by the walk, by three measures of strictness.
const EXPLAINED: [f64; 3] = [3.0, 5.0, 7.0];
/// What the vote needs; with the weights in [`Vote`] learned from simulated walks and steps.
const VOTES: f64 = 1.5;
/// The length at which the walk is neither more nor less likely for it.
const USUAL_LENGTH: f64 = 200.0;
/// The walks that are tried: variance of a step of the walk, in units of the noise's own.
const WALKS: [f64; 7] = [2e-4, 4e-4, 1e-3, 2e-3, 5e-3, 1.2e-2, 3e-2];

/// The steps that stay if the level wanders; none if it does not.
pub(super) fn steps_beside_a_walk(
    units: &[f64],
    noise: &Noise,
    levels: &Levels<'_>,
    places: &[f64],
) -> Option<Vec<usize>> {
    let steps: Vec<(usize, f64)> =
        (1..levels.each.len()).map(|at| (levels.each[at].from, levels.evidence(at).size)).collect();
    let quiet: Vec<usize> = steps.iter().filter(|(_, size)| size.abs() < LOUD).map(|(at, _)| *at).collect();
    if quiet.is_empty() {
        return None;
    }
    let scores = scores(units, noise, &steps, places);
    let mut left: Vec<usize> = steps.iter().map(|(at, _)| *at).collect();
    let (mut best, mut walk) = best_walk(&scores, &left);
    let surplus = best - likelihood(&scores, &left, 0.0);
    // How many steps the walk explains, by each measure; the last decides which steps stay.
    let mut explained = [0_usize; EXPLAINED.len()];
    let mut open = [true; EXPLAINED.len()];
    while let Some(weakest) = weakest(&scores, &left, &quiet, walk) {
        let fewer: Vec<usize> = left.iter().copied().filter(|at| *at != weakest).collect();
        let (without, next) = best_walk(&scores, &fewer);
        for (measure, bar) in EXPLAINED.iter().enumerate() {
            open[measure] &= best - without <= *bar;
            explained[measure] += usize::from(open[measure]);
        }
        if !open[EXPLAINED.len() - 1] {
            break;
        }
        (left, best, walk) = (fewer, without, next);
    }
    let vote = Vote { surplus, explained, steps: steps.len(), length: units.len() };
    vote.carries().then_some(left)
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

/// The level of each point plus its pull on that level, in units in which the pull has variance one.
fn scores(units: &[f64], noise: &Noise, steps: &[(usize, f64)], places: &[f64]) -> Vec<f64> {
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

/// The quiet step that the walk misses least.
fn weakest(scores: &[f64], left: &[usize], quiet: &[usize], walk: f64) -> Option<usize> {
    let without = |step: usize| {
        let fewer: Vec<usize> = left.iter().copied().filter(|at| *at != step).collect();
        likelihood(scores, &fewer, walk)
    };
    let candidates = left.iter().copied().filter(|at| quiet.binary_search(at).is_ok());
    candidates.map(|step| (step, without(step))).max_by(|one, other| one.1.total_cmp(&other.1)).map(|(step, _)| step)
}

/// The likelihood of the likeliest walk, and that walk's variance.
fn best_walk(scores: &[f64], jumps: &[usize]) -> (f64, f64) {
    let tried = WALKS.iter().map(|walk| (likelihood(scores, jumps, *walk), *walk));
    tried.max_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or((f64::NEG_INFINITY, 0.0))
}

/// The logarithm of the likelihood of a level that walks with variance `walk` and may jump anywhere at `jumps`, the
/// noise's variance being what fits best.
fn likelihood(scores: &[f64], jumps: &[usize], walk: f64) -> f64 {
    let mut jumps = jumps.iter().copied().peekable();
    let mut level = 0.0;
    // The filter's variance and gain settle soon; from there on they are constants.
    let mut filter: Option<Filter> = None;
    let (mut squares, mut logs, mut count) = (0.0, 0.0, 0.0);
    for (at, score) in scores.iter().enumerate() {
        if jumps.next_if_eq(&at).is_some() {
            filter = None;
        }
        let Some(now) = &mut filter else {
            filter = Some(Filter::new());
            level = *score;
            continue;
        };
        if !now.settled {
            now.advance(walk);
        }
        let miss = score - level;
        squares += miss * miss * now.weight;
        logs += now.log;
        count += 1.0;
        level += now.gain * miss;
    }
    if count < 1.0 {
        return 0.0;
    }
    -0.5 * (count * (squares / count).max(1e-12).ln() + logs + count)
}

/// What Kalman's filter knows of a level, in units of the noise's variance.
struct Filter {
    variance: f64,
    gain: f64,
    weight: f64,
    log: f64,
    settled: bool,
}

impl Filter {
    /// After the first point.
    fn new() -> Filter {
        Filter { variance: 1.0, gain: 0.5, weight: 0.5, log: 0.0, settled: false }
    }

    fn advance(&mut self, walk: f64) {
        let ahead = self.variance + walk;
        let spread = ahead + 1.0;
        let gain = ahead / spread;
        self.settled = (self.variance - gain).abs() < 1e-6;
        (self.variance, self.gain, self.weight, self.log) = (gain, gain, spread.recip(), spread.ln());
    }
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
        assert!(best_walk(&walks, &[]).0 > likelihood(&walks, &[], 0.0) + 10.0);
        assert!(best_walk(&stands, &[]).0 < likelihood(&stands, &[], 0.0) + 2.0);
    }

    #[test]
    fn a_jump_that_is_known_costs_nothing() {
        let mut stream = Stream::seeded(9);
        let steps: Vec<f64> = (0..200).map(|at| stream.normal() + if at < 100 { 0.0 } else { 8.0 }).collect();
        assert!(likelihood(&steps, &[100], 0.0) > best_walk(&steps, &[]).0 + 10.0);
    }
}
