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
    let (n, width) = (units.len(), grid.count);
    let (mut one, mut other) = (vec![0.0_f32; width], vec![0.0_f32; width]);
    // Where the last level begins of the cheapest course up to each level; and up to each point.
    let mut begins = vec![0_u32; width];
    let mut begun = Vec::with_capacity(n);
    let mut costs = noise.jump(units, 0, 0.0, grid, &mut one).to_vec();
    let mut least = lanes::least(&costs);
    let mut best = lanes::first(&costs, |cost| cost <= least);
    begun.push(0);
    let mut spent = 0.0;
    for (at, here) in (1..n).zip(1..) {
        spent += f64::from(least);
        let stay = noise.stay(units, at, grid, &mut one);
        let jump = if noise.is_memoryless() { stay } else { noise.jump(units, at, grid.level(best), grid, &mut other) };
        least = lanes::choose(&mut costs, &mut begins, (least, price), [stay, jump], here);
        if costs[best] > least {
            best = lanes::first(&costs, |cost| cost <= least);
        }
        begun.push(begins[best]);
    }
    let mut starts = Vec::new();
    let mut start = begun[n - 1] as usize;
    while start > 0 {
        starts.push(start);
        start = begun[start - 1] as usize;
    }
    starts.reverse();
    Course { starts, cost: spent + f64::from(least) }
}

/// However many changes are expected, at any one point none is likelier than this, but for what a switch of scale brings.
const MOST_HAZARD: f64 = 0.05;
/// What makes a series scatter otherwise often moves it, too: how many changes are expected besides where another scale
/// begins, and how far from there.
const AT_SWITCH: f64 = 0.3;
const SWITCH_REACH: usize = 8;

/// How probable it is before any point was seen that a new level begins at each, where so many are `expected` in all, besides
/// those at switches of scale.
fn hazards(n: usize, noise: &Noise, expected: f64) -> Vec<f64> {
    let mut hazards = vec![(expected / n as f64).min(MOST_HAZARD); n];
    for switch in noise.switches() {
        for hazard in &mut hazards[switch.saturating_sub(SWITCH_REACH)..(switch + SWITCH_REACH + 1).min(n)] {
            *hazard += AT_SWITCH / (2 * SWITCH_REACH + 1) as f64;
        }
    }
    hazards
}

/// How probable it is that a new level begins at each point, where so many are `expected` in all, as [`hazards`] spreads them,
/// and all levels of the grid are equally likely.
pub(super) fn probabilities(units: &[f64], grid: &Grid, noise: &Noise, expected: f64) -> Vec<f64> {
    let (n, width) = (units.len(), grid.count);
    #[expect(clippy::cast_possible_truncation, reason = "probabilities")]
    let hazards: Vec<f32> = hazards(n, noise, expected).into_iter().map(|hazard| hazard as f32).collect();
    let noise = noise.likelihoods();
    let (mut one, mut other) = (vec![0.0_f32; width], vec![0.0_f32; width]);
    // What came before is known to the recursion backwards by the likeliest level and by how likely each point was.
    let (mut olds, mut sums) = (vec![0.0; n], vec![1.0_f32; n]);
    let mut row = vec![0.0; width];
    let (mut sum, mut most) = lanes::forward(&mut row, 0.0, 1.0, [noise.jump(units, 0, 0.0, grid, &mut one); 2]);
    for at in 1..n {
        let stay = noise.stay(units, at, grid, &mut one);
        let mut jump = stay;
        if !noise.is_memoryless() {
            olds[at] = grid.level(lanes::first(&row, |cell| cell >= most));
            jump = noise.jump(units, at, olds[at], grid, &mut other);
        }
        // Likelihoods are bounded below by the heavy tail, so that the sum cannot vanish.
        (sum, most) = lanes::forward(&mut row, (1.0 - hazards[at]) / sum, hazards[at] / width as f32, [stay, jump]);
        sum = sum.max(f32::MIN_POSITIVE);
        sums[at] = sum;
    }
    row.fill(1.0);
    let (mut scale, mut more) = (1.0, 0.0);
    let mut probabilities = vec![0.0; n];
    for at in (1..n).rev() {
        let stay = noise.stay(units, at, grid, &mut one);
        let jump = if noise.is_memoryless() { stay } else { noise.jump(units, at, olds[at], grid, &mut other) };
        let share = hazards[at] / width as f32;
        let moved = share * lanes::backward(&mut row, scale, more, [stay, jump]) / sums[at];
        probabilities[at] = f64::from(moved);
        (scale, more) = ((1.0 - hazards[at]) / sums[at], moved);
    }
    probabilities
}

/// How many points a change may be off and still count as the same: what probability is summed over.
pub(super) const NEAR: usize = 5;

/// Places where changes are, with the probability (at most one) that one lies within [`NEAR`] points, from the most
/// probable down to `least`; in order of place.
pub(super) fn places(probabilities: &[f64], least: f64) -> Vec<(usize, f64)> {
    let n = probabilities.len();
    let mut left = probabilities.to_vec();
    let near = |at: usize| at.saturating_sub(NEAR)..(at + NEAR + 1).min(n);
    // All that is near counts as found, so the place is where most is near; the farther weigh a little less, so that the
    // middle of a cluster wins.
    let weights: [f64; NEAR + 1] = std::array::from_fn(|away| 1.0 - (away as f64 / (NEAR as f64 + 1.0)).powi(4));
    let weigh = |left: &[f64], at: usize| near(at).map(|other| left[other] * weights[at.abs_diff(other)]).sum::<f64>();
    // The farthest of a cluster weighs half: what weighs less than that of `least` is in none that is wanted. What weighs that
    // has one near it that brings its share.
    let enough = 0.5 * least;
    let share = enough / (2 * NEAR + 1) as f64;
    let mut weighed = vec![0.0; n];
    for some in (0..n).filter(|at| left[*at] >= share) {
        for at in near(some) {
            weighed[at] = weigh(&left, at);
        }
    }
    let mut promising: Vec<usize> = (1..n).filter(|at| weighed[*at] >= enough).collect();
    let mut found = Vec::new();
    let by_weight = |weighed: &[f64], (_, one): &(usize, &usize), (_, other): &(usize, &usize)| {
        weighed[**one].total_cmp(&weighed[**other]).then(other.cmp(one))
    };
    while let Some((rank, &at)) = promising.iter().enumerate().max_by(|one, other| by_weight(&weighed, one, other)) {
        let probability: f64 = left[near(at)].iter().sum();
        if probability < least.max(f64::MIN_POSITIVE) {
            promising.swap_remove(rank);
            continue;
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

/// How many changes are expected anywhere near `at`, that is within twice [`NEAR`] points, one at most; those that belong
/// to another place count too. Where noise has a memory, that the level moved can be sure long before it is where.
pub(super) fn anywhere_near(probabilities: &[f64], at: usize) -> f64 {
    let to = (at + 2 * NEAR + 1).min(probabilities.len());
    probabilities[at.saturating_sub(2 * NEAR)..to].iter().sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::noise::{Scatter, bounds};
    use super::*;
    use crate::stats::simulate::Noise as Stream;

    fn step(seed: u64, at: usize, n: usize, size: f64) -> Vec<f64> {
        let mut stream = Stream::seeded(seed);
        (0..n).map(|i| stream.normal() + if i < at { 0.0 } else { size }).collect()
    }

    /// Every way to cut so many points, by where levels begin.
    fn cuts(n: usize) -> impl Iterator<Item = Vec<usize>> {
        (0..1_u32 << (n - 1)).map(move |cut| (1..n).filter(|at| cut >> (at - 1) & 1 == 1).collect())
    }

    /// For each level of the grid, what `join` makes of the costs of the points `from..to` on it.
    fn on_each(
        units: &[f64],
        grid: &Grid,
        noise: &Noise,
        (from, to): (usize, usize),
        join: fn(f64) -> f64,
    ) -> Vec<f64> {
        let mut room = vec![0.0; grid.count];
        let mut sums = vec![0.0; grid.count];
        for at in from..to {
            let row = noise.jump(units, at, 0.0, grid, &mut room);
            sums.iter_mut().zip(row).for_each(|(sum, cost)| *sum += f64::from(*cost));
        }
        sums.into_iter().map(join).collect()
    }

    /// A dozen points in steps of three noises, which are worth a change here and there.
    fn dozen(seed: u64) -> (Vec<f64>, Grid) {
        let mut stream = Stream::seeded(seed);
        let units: Vec<f64> = (0..12).map(|at| stream.normal() + 3.0 * f64::from(at / 4 % 2)).collect();
        let grid = Grid::new(&units);
        (units, grid)
    }

    #[test]
    fn the_cheapest_course_is_the_best_of_all_ways_to_cut_the_series() {
        let mut changes = 0;
        for seed in 0..20 {
            let (units, grid) = dozen(seed);
            let noise = Noise::first(&grid);
            let cost = |starts: &Vec<usize>| -> f64 {
                let level =
                    |span| on_each(&units, &grid, &noise, span, |cost| cost).into_iter().fold(f64::INFINITY, f64::min);
                bounds(starts, 12).map(level).sum::<f64>() + 2.0 * starts.len() as f64
            };
            let least = cuts(12).map(|starts| cost(&starts)).fold(f64::INFINITY, f64::min);
            let course = cheapest(&units, &grid, &noise, 2.0);
            assert!((course.cost - least).abs() < 1e-4, "{seed}: {} is not {least}", course.cost);
            assert!((cost(&course.starts) - least).abs() < 1e-4, "{seed}: {:?}", course.starts);
            changes += course.starts.len();
        }
        assert!(changes > 20);
    }

    #[test]
    fn probabilities_are_what_all_ways_to_cut_the_series_say_together() {
        for seed in 20..30 {
            let (units, grid) = dozen(seed);
            let noise = Noise::first(&grid);
            let hazard = 0.4_f64 / 12.0;
            let (mut all, mut of_each) = (0.0, [0.0; 12]);
            for starts in cuts(12) {
                let share = |span| {
                    on_each(&units, &grid, &noise, span, |cost| (-cost).exp()).iter().sum::<f64>() / grid.count as f64
                };
                let changes = starts.len() as f64;
                let weight = hazard.powf(changes)
                    * (1.0 - hazard).powf(11.0 - changes)
                    * bounds(&starts, 12).map(share).product::<f64>();
                all += weight;
                for at in starts {
                    of_each[at] += weight;
                }
            }
            let said = probabilities(&units, &grid, &noise, 0.4);
            for at in 1..12 {
                assert!(
                    (said[at] - of_each[at] / all).abs() < 1e-4,
                    "{seed}, {at}: {} is not {}",
                    said[at],
                    of_each[at] / all
                );
            }
        }
    }

    #[test]
    fn each_level_of_a_course_begins_where_it_does() {
        let units: Vec<f64> = [(0.0, 30), (3.0, 30), (-2.0, 20)]
            .into_iter()
            .flat_map(|(level, points)| std::iter::repeat_n(level, points))
            .collect();
        let grid = Grid::new(&units);
        assert_eq!(cheapest(&units, &grid, &Noise::first(&grid), 8.0).starts, [30, 60]);
        assert_eq!(cheapest(&units[..1], &grid, &Noise::first(&grid), 8.0).starts, [0; 0]);
    }

    #[test]
    fn what_lies_within_ten_points_is_near() {
        let mut probabilities = vec![0.0; 60];
        probabilities[24] = 0.4;
        probabilities[36] = 0.5;
        probabilities[41] = 0.3;
        assert!((anywhere_near(&probabilities, 30) - 0.9).abs() < 1e-9);
        assert!((anywhere_near(&probabilities, 31) - 1.0).abs() < 1e-9, "one at most");
        assert!(anywhere_near(&probabilities, 1) <= 0.0 && anywhere_near(&probabilities, 59) <= 0.0);
    }

    #[test]
    fn probabilities_gather_where_the_level_moved() {
        let units = step(5, 60, 120, 3.0);
        let grid = Grid::new(&units);
        let found = places(&probabilities(&units, &grid, &Noise::first(&grid), 2.4), 0.5);
        assert_eq!(found.len(), 1);
        assert!(found[0].0.abs_diff(60) <= 2 && found[0].1 > 0.9);
    }

    #[test]
    fn a_change_is_likelier_where_the_series_begins_to_scatter_otherwise() {
        let mut stream = Stream::seeded(7);
        let units: Vec<f64> = (0..300).map(|at| stream.normal() * if at < 150 { 1.0 } else { 4.0 }).collect();
        let scatter = Scatter::new(&units, &[]);
        let grid = Grid::new(&units);
        let of = |noise: &Noise| hazards(units.len(), noise, 6.0);
        let (plain, by_scale) = (of(&scatter.plain(&grid)), of(&scatter.by_scale(&grid).unwrap()));
        assert!(plain.iter().all(|hazard| (hazard - 0.02).abs() < 1e-9));
        let likelier: Vec<usize> = (0..300).filter(|at| by_scale[*at] > plain[*at]).collect();
        assert!(likelier.contains(&150) && likelier.iter().all(|at| at.abs_diff(150) < 30), "{likelier:?}");
        assert!((by_scale.iter().sum::<f64>() - plain.iter().sum::<f64>() - AT_SWITCH).abs() < 1e-9);
    }

    #[test]
    fn a_place_that_is_not_probable_enough_hides_none_that_is() {
        let mut probabilities = vec![0.0; 60];
        (probabilities[10], probabilities[30], probabilities[40]) = (0.349, 0.18, 0.18);
        let found = places(&probabilities, 0.35);
        assert!(found.len() == 1 && found[0].0 == 35 && (found[0].1 - 0.36).abs() < 1e-9, "{found:?}");
        assert_eq!(places(&[0.0; 60], 0.0), []);
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
