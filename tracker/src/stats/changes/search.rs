//! Where the level moves: the most probable course over the grid of levels, and, from all courses together, how probable
//! a change is at each point.
//!
//! The first is the recursion of Viterbi (1967) over levels with one price for any change of level, which is optimal
//! partitioning (Jackson et al. 2005) over discrete levels: linear in the points, for any loss. The second is the
//! forward-backward recursion (Baum et al. 1970) over the same chain.

use super::grid::Grid;
use super::lanes;
use super::noise::Noise;

/// A course of levels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    /// The first points of new levels.
    pub(super) starts: Vec<usize>,
    /// What the points cost on their levels, and the changes at their price.
    pub(super) cost: f64,
}

/// The cheapest course where each change of level costs `price`.
pub(super) fn cheapest(units: &[f64], grid: &Grid, noise: &Noise, price: f32) -> Course {
    let n = units.len();
    let (mut costs, mut begun) = (vec![0.0_f32; grid.count], vec![0_u32; grid.count]);
    let (mut stay, mut jump) = (vec![0.0_f32; grid.count], vec![0.0_f32; grid.count]);
    // For each point, where the last level of the cheapest course up to the point before it began.
    let mut before = vec![0_u32; n];
    let mut spent = 0.0;
    noise.jump(units, 0, 0.0, grid, &mut costs);
    let mut best = lowest(&costs);
    for (at, last) in before.iter_mut().enumerate().skip(1) {
        let least = costs[best];
        spent += f64::from(least);
        *last = begun[best];
        let now = u32::try_from(at).unwrap_or(u32::MAX);
        noise.stay(units, at, grid, &mut stay);
        if noise.is_memoryless() {
            for ((cost, since), stay) in costs.iter_mut().zip(&mut begun).zip(&stay) {
                let kept = *cost - least;
                *since = chosen(kept > price, now, *since);
                *cost = if kept > price { price } else { kept } + stay;
            }
        } else {
            noise.jump(units, at, grid.level(best), grid, &mut jump);
            for (((cost, since), stay), jump) in costs.iter_mut().zip(&mut begun).zip(&stay).zip(&jump) {
                let (kept, moved) = (*cost - least + stay, price + jump);
                *since = chosen(kept > moved, now, *since);
                *cost = if kept > moved { moved } else { kept };
            }
        }
        best = lowest(&costs);
    }
    let mut starts = Vec::new();
    let mut start = begun[best] as usize;
    while start > 0 {
        starts.push(start);
        start = before[start] as usize;
    }
    starts.reverse();
    Course { starts, cost: spent + f64::from(costs[best]) }
}

/// `one` if `yes`, else `other`, without a branch, so that a row of choices is made at once.
fn chosen(yes: bool, one: u32, other: u32) -> u32 {
    let mask = u32::from(yes).wrapping_neg();
    (one & mask) | (other & !mask)
}

fn lowest(costs: &[f32]) -> usize {
    let least = lanes::least(costs);
    costs.iter().position(|cost| *cost <= least).unwrap_or(0)
}

/// How probable it is that a new level begins at each point, where one begins at any point with probability `hazard` and
/// all levels of the grid are equally likely.
pub(super) fn probabilities(units: &[f64], grid: &Grid, noise: &Noise, hazard: f32) -> Vec<f64> {
    let (n, width) = (units.len(), grid.count);
    let noise = noise.likelihoods();
    let share = hazard / width as f32;
    let stays = 1.0 - hazard;
    let mut forward = vec![0.0_f32; n * width];
    let (mut stay, mut jump) = (vec![0.0_f32; width], vec![0.0_f32; width]);
    let (mut olds, mut scales) = (vec![0.0; n], vec![1.0_f32; n]);
    noise.jump(units, 0, 0.0, grid, &mut forward[..width]);
    rescale(&mut forward[..width]);
    for at in 1..n {
        let (done, rest) = forward.split_at_mut(at * width);
        let (last, now) = (&done[(at - 1) * width..], &mut rest[..width]);
        olds[at] = grid.level(highest(last));
        noise.stay(units, at, grid, &mut stay);
        noise.jump(units, at, olds[at], grid, &mut jump);
        for (((now, last), stay), jump) in now.iter_mut().zip(last).zip(&stay).zip(&jump) {
            *now = stays * last * stay + share * jump;
        }
        scales[at] = rescale(now);
    }
    let mut backward = vec![1.0_f32; width];
    let mut probabilities = vec![0.0; n];
    for at in (1..n).rev() {
        noise.stay(units, at, grid, &mut stay);
        noise.jump(units, at, olds[at], grid, &mut jump);
        for (jump, later) in jump.iter_mut().zip(&backward) {
            *jump *= later;
        }
        let moved = share * lanes::sum(&jump);
        probabilities[at] = f64::from(moved / scales[at]);
        let scale = scales[at].recip();
        for (later, stay) in backward.iter_mut().zip(&stay) {
            *later = (stays * stay * *later + moved) * scale;
        }
    }
    probabilities
}

fn highest(values: &[f32]) -> usize {
    let most = lanes::most(values);
    values.iter().position(|value| *value >= most).unwrap_or(0)
}

/// Makes `values` sum to one and returns what they summed to. Likelihoods are bounded below by the heavy tail, so that
/// the sum cannot vanish.
fn rescale(values: &mut [f32]) -> f32 {
    let sum = lanes::sum(values).max(f32::MIN_POSITIVE);
    let scale = sum.recip();
    for value in values {
        *value *= scale;
    }
    sum
}

/// How many points a change may be off and still count as the same: what probability is summed over.
pub(super) const NEAR: usize = 5;

/// Places where changes are, with the probability (at most one) that one lies within [`NEAR`] points, from the most
/// probable down to `least`; in order of place.
pub(super) fn places(probabilities: &[f64], least: f64) -> Vec<(usize, f64)> {
    let n = probabilities.len();
    let mut left = probabilities.to_vec();
    let near = |at: usize| at.saturating_sub(NEAR)..(at + NEAR + 1).min(n);
    // Near places weigh more, so that the middle of a cluster wins (Epanechnikov's kernel).
    let weight = |distance: usize| 1.0 - (distance as f64 / (NEAR as f64 + 1.0)).powi(2);
    let weigh = |left: &[f64], at: usize| near(at).map(|other| left[other] * weight(at.abs_diff(other))).sum::<f64>();
    let mut weighed: Vec<f64> = (0..n).map(|at| weigh(&left, at)).collect();
    let mut found = Vec::new();
    while let Some(at) = (1..n).max_by(|one, other| weighed[*one].total_cmp(&weighed[*other]).then(other.cmp(one))) {
        let probability: f64 = left[near(at)].iter().sum();
        if probability < least {
            break;
        }
        // Where one point holds most of the probability, it is the place; else the middle of the cluster is.
        let sharp = near(at).find(|other| left[*other] > 0.5 * probability).unwrap_or(at);
        found.push((sharp.max(1), probability.min(1.0)));
        left[near(at)].fill(0.0);
        let from = at.saturating_sub(2 * NEAR);
        for (other, weight) in weighed.iter_mut().enumerate().take(at + 2 * NEAR + 1).skip(from) {
            *weight = weigh(&left, other);
        }
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise as Stream;

    fn step(seed: u64, at: usize, n: usize, size: f64) -> Vec<f64> {
        let mut stream = Stream::seeded(seed);
        (0..n).map(|i| stream.normal() + if i < at { 0.0 } else { size }).collect()
    }

    /// Optimal partitioning by its definition: every course of every level, one after the other.
    fn naive(units: &[f64], grid: &Grid, noise: &Noise, price: f64) -> f64 {
        let mut row = vec![0.0; grid.count];
        noise.jump(units, 0, 0.0, grid, &mut row);
        let mut costs: Vec<f64> = row.iter().map(|cost| f64::from(*cost)).collect();
        for at in 1..units.len() {
            noise.stay(units, at, grid, &mut row);
            let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
            costs = costs.iter().zip(&row).map(|(cost, own)| cost.min(least + price) + f64::from(*own)).collect();
        }
        costs.into_iter().fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_cheapest_course_costs_what_trying_them_all_finds() {
        let units = step(4, 40, 90, 2.5);
        let grid = Grid::new(&units);
        let noise = Noise::first(&grid);
        let course = cheapest(&units, &grid, &noise, 8.0);
        assert!((course.cost - naive(&units, &grid, &noise, 8.0)).abs() < 1e-2);
        assert_eq!(course.starts.len(), 1);
        assert!(course.starts[0].abs_diff(40) <= 2);
    }

    #[test]
    fn probabilities_gather_where_the_level_moved() {
        let units = step(5, 60, 120, 3.0);
        let grid = Grid::new(&units);
        let found = places(&probabilities(&units, &grid, &Noise::first(&grid), 0.02), 0.5);
        assert_eq!(found.len(), 1);
        assert!(found[0].0.abs_diff(60) <= 2 && found[0].1 > 0.9);
    }

    #[test]
    fn places_are_told_apart_and_the_middle_of_a_cluster_wins() {
        let mut probabilities = vec![0.0; 60];
        probabilities[19..=21].copy_from_slice(&[0.3, 0.3, 0.3]);
        probabilities[50] = 0.8;
        let found = places(&probabilities, 0.5);
        assert_eq!(found.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [20, 50]);
        assert!((found[0].1 - 0.9).abs() < 1e-9);
    }
}
