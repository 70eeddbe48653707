//! Keeps the changes that the points on both sides bear out, and says how sure each is.

use super::grid::{Grid, Least};
use super::lanes;
use super::noise::{self, Noise};
use super::search::NEAR;
use crate::stats::student;

/// What a short level owes, in nats over its length: few points far out are what bursts and unknown tails look like.
const SHORT: f64 = 15.0;
/// Points nearer than this to an end of the pair cannot be told from an outlier; the search could not start there.
const EDGE: f64 = 3.0;

/// No place of a step is looked for farther than this from the best one.
const FARTHEST: usize = 200;
/// Nor behind one that is so many nats worse: that a better one follows has a chance of e to the power of minus this.
const HOPELESS: f64 = 30.0;

/// A level: points `from..to`.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The costs of all points but the first, at each level of the grid.
    rest: Vec<f32>,
    /// The cost of the first point where the level before was another.
    first: Vec<f32>,
    /// The cost of the first point where the level before was the same; none at the series' beginning.
    same: Vec<f32>,
}

/// What speaks for a change between two levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Evidence {
    /// How much better two levels explain the points than one does, in nats, what short levels owe taken off.
    pub(super) gain: f64,
    /// How often, at most, the best of all places in these points would do as well if nothing had moved.
    pub(super) p: f64,
    /// The size of the step, in units of noise.
    pub(super) size: f64,
}

fn sum(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter().zip(other).map(|(one, other)| one + other).collect()
}

/// What a change must show to stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bar {
    /// The largest p.
    pub(super) p: f64,
    /// The least size, in units of noise.
    pub(super) size: f64,
    /// The fewest points on each side.
    pub(super) points: usize,
}

/// The levels of a series, and the noise about them.
#[derive(Debug)]
pub(super) struct Levels<'a> {
    units: &'a [f64],
    grid: &'a Grid,
    noise: &'a Noise,
    /// Each of them, in order.
    pub(super) each: Vec<Level>,
}

impl<'a> Levels<'a> {
    /// Levels that begin at zero and at each of `starts`.
    pub(super) fn new(units: &'a [f64], grid: &'a Grid, noise: &'a Noise, starts: &[usize]) -> Levels<'a> {
        let mut levels = Levels { units, grid, noise, each: Vec::new() };
        let mut old = 0.0;
        for (from, to) in noise::bounds(starts, units.len()) {
            let level = levels.level(from, to, old);
            old = level.least(grid).level;
            levels.each.push(level);
        }
        levels
    }

    /// The level of the points `from..to`, that before being `old`.
    fn level(&self, from: usize, to: usize, old: f64) -> Level {
        let Levels { units, grid, noise, .. } = self;
        let mut room = vec![0.0; grid.count];
        let mut rest = vec![0.0_f32; grid.count];
        for at in from + 1..to {
            lanes::add(&mut rest, noise.stay(units, at, grid, &mut room));
        }
        let first = noise.jump(units, from, old, grid, &mut room).to_vec();
        let same = if from > 0 { noise.stay(units, from, grid, &mut room).to_vec() } else { Vec::new() };
        Level { from, to, rest, first, same }
    }

    /// Where each level but the first begins.
    pub(super) fn starts(&self) -> Vec<usize> {
        self.each[1..].iter().map(|level| level.from).collect()
    }

    /// Where each level but the first begins, and the size of the step to it.
    pub(super) fn steps(&self) -> Vec<(usize, f64)> {
        (1..self.each.len()).map(|at| (self.each[at].from, self.evidence(at).size)).collect()
    }

    /// Takes away the weakest change, again and again, until all that are left clear the bar.
    pub(super) fn prune(&mut self, bar: Bar) {
        let mut excess: Vec<f64> = (1..self.each.len()).map(|at| self.excess(at, bar)).collect();
        while let Some(worst) = (0..excess.len()).max_by(|one, other| excess[*one].total_cmp(&excess[*other])) {
            if excess[worst] <= 0.0 {
                break;
            }
            self.merge(worst);
            excess.remove(worst);
            for at in worst.saturating_sub(1)..=worst {
                if at < excess.len() {
                    excess[at] = self.excess(at + 1, bar);
                }
            }
        }
    }

    /// By how much the change before level `at` misses the bar: above zero if it does.
    fn excess(&self, at: usize, bar: Bar) -> f64 {
        let (left, right) = (&self.each[at - 1], &self.each[at]);
        let shortest = (left.to - left.from).min(right.to - right.from);
        if shortest < bar.points {
            return 2.0 - 1e-3 * shortest as f64;
        }
        let evidence = self.evidence(at);
        if evidence.size.abs() < bar.size { 1.5 } else { evidence.p - bar.p }
    }

    fn merge(&mut self, worst: usize) {
        let right = self.each.remove(worst + 1);
        let left = &mut self.each[worst];
        for (sum, (same, rest)) in left.rest.iter_mut().zip(right.same.iter().zip(&right.rest)) {
            *sum += same + rest;
        }
        left.to = right.to;
    }

    /// Puts each change where one point near it is likelier than all others together, the levels on its two sides being what
    /// they are. Beside an outlier two changes may be probable, one to it and one behind, and the middle of both is neither.
    pub(super) fn sharpen(&mut self) {
        for at in 1..self.each.len() {
            let start = self.each[at].from;
            let (first, weights) = self.places(at);
            let half = weights.iter().sum::<f64>() / 2.0;
            let sharp = weights.iter().position(|weight| *weight > half).map(|place| first + place);
            if let Some(sharp) = sharp.filter(|sharp| *sharp != start && sharp.abs_diff(start) <= NEAR) {
                let old = at.checked_sub(2).map_or(0.0, |before| self.each[before].least(self.grid).level);
                let left = self.level(self.each[at - 1].from, sharp, old);
                self.each[at] = self.level(sharp, self.each[at].to, left.least(self.grid).level);
                self.each[at - 1] = left;
            }
        }
    }

    /// The first place where the change before level `at` may be, and how likely it is there and at the places behind, as
    /// far as any may come near the likeliest.
    pub(super) fn places(&self, at: usize) -> (usize, Vec<f64>) {
        let (left, right) = (&self.each[at - 1], &self.each[at]);
        let (before, after) = (left.least(self.grid).level, right.least(self.grid).level);
        let start = right.from;
        // How much likelier a place is than the one before it.
        let gain =
            |point: usize| self.noise.cost(self.units, point, after) - self.noise.cost(self.units, point, before);
        let from = left.from.max(start.saturating_sub(FARTHEST)) + 1;
        let to = right.to.min(start + FARTHEST);
        let earlier = leads((from..start).rev().map(|at| -gain(at)));
        let later = leads((start..to - 1).map(gain));
        let best = earlier.iter().chain(&later).copied().fold(0.0, f64::max);
        let first = start - earlier.len();
        let all = earlier.into_iter().rev().chain([0.0]).chain(later);
        (first, all.map(|lead| (lead - best).exp()).collect())
    }

    /// What speaks for the change before level `at`.
    pub(super) fn evidence(&self, at: usize) -> Evidence {
        let (left, right) = (&self.each[at - 1], &self.each[at]);
        let before = left.least(self.grid);
        let mut room = vec![0.0; self.grid.count];
        let first = self.noise.jump(self.units, right.from, before.level, self.grid, &mut room);
        let after = self.grid.least(&sum(&right.rest, first));
        let joined = sum(&sum(&left.rest, &left.first), &sum(&right.rest, &right.same));
        let (n1, n2) = ((left.to - left.from) as f64, (right.to - right.from) as f64);
        let gain = self.grid.least(&joined).cost - before.cost - after.cost - SHORT / n1.min(n2);
        let gain = gain.max(0.0);
        Evidence { gain, p: best_of_all_places((2.0 * gain).sqrt(), n1 + n2), size: after.level - before.level }
    }
}

/// How much likelier each place is than where it began, as far as any may come near the likeliest again.
fn leads(gains: impl Iterator<Item = f64>) -> Vec<f64> {
    let (mut lead, mut best) = (0.0, 0.0_f64);
    let mut leads = Vec::new();
    for gain in gains {
        lead += gain;
        best = best.max(lead);
        leads.push(lead);
        if lead < best - HOPELESS {
            break;
        }
    }
    leads
}

impl Level {
    /// Where the level lies.
    pub(super) fn least(&self, grid: &Grid) -> Least {
        grid.least(&sum(&self.rest, &self.first))
    }
}

/// A bound of the probability that the largest of the standardised differences over all places that split `n` points exceeds
/// `z`, which it would if there were a place at any time between points: of 60 normal values half as many do so
/// (Siegmund 1985, *Sequential Analysis*, with Miller and Siegmund 1982, *Biometrics* 38:1011, for the tail).
fn best_of_all_places(z: f64, n: f64) -> f64 {
    if z < 1.0 {
        return 1.0;
    }
    let edge = EDGE / n;
    if edge >= 0.5 {
        return (2.0 * student::normal_tail(z)).min(1.0);
    }
    let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let places = 2.0 * ((1.0 - edge) / edge).ln();
    (density * ((z - 1.0 / z) * places + 4.0 / z)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise as Stream;

    #[test]
    fn a_step_stays_and_a_split_of_nothing_goes() {
        let mut stream = Stream::seeded(6);
        let units: Vec<f64> = (0..120).map(|at| stream.normal() + if at < 70 { 0.0 } else { 3.0 }).collect();
        let grid = Grid::new(&units);
        let noise = Noise::first(&grid);
        let mut levels = Levels::new(&units, &grid, &noise, &[30, 70, 100]);
        levels.prune(Bar { p: 0.01, size: 0.3, points: 3 });
        assert_eq!(levels.each.iter().map(|level| level.from).collect::<Vec<_>>(), [0, 70]);
        let evidence = levels.evidence(1);
        assert!(evidence.p < 1e-6 && (evidence.size - 3.0).abs() < 0.5);
    }

    #[test]
    fn a_place_is_as_likely_as_the_points_on_its_sides_say() {
        for (seed, size) in [(8, 0.5), (9, 1.5), (10, 4.0)] {
            let mut stream = Stream::seeded(seed);
            let units: Vec<f64> = (0..90).map(|at| stream.normal() + if at < 50 { 0.0 } else { size }).collect();
            let grid = Grid::new(&units);
            let noise = Noise::first(&grid);
            let levels = Levels::new(&units, &grid, &noise, &[50]);
            let (first, weights) = levels.places(1);
            let (before, after) = (levels.each[0].least(&grid).level, levels.each[1].least(&grid).level);
            let cost = |place: usize| -> f64 {
                (1..90).map(|at| noise.cost(&units, at, if at < place { before } else { after })).sum()
            };
            let least = (1..90).map(cost).fold(f64::INFINITY, f64::min);
            for place in 1..90_usize {
                let said = place.checked_sub(first).and_then(|at| weights.get(at)).copied().unwrap_or(0.0);
                assert!((said - (least - cost(place)).exp()).abs() < 1e-9, "{size}: {place}");
            }
        }
    }

    #[test]
    fn the_best_place_of_simulated_noise_is_beyond_a_bound_half_as_often_as_said() {
        const SERIES: u32 = 20_000;
        let mut stream = Stream::seeded(7);
        let mut hits = 0;
        for _ in 0..SERIES {
            let values: Vec<f64> = (0..60).map(|_| stream.normal()).collect();
            let total: f64 = values.iter().sum();
            let mut left = 0.0;
            let mut best = 0.0_f64;
            for at in 1..60 {
                left += values[at - 1];
                let (n1, n2) = (at as f64, (60 - at) as f64);
                if (3..=57).contains(&at) {
                    best = best.max((left / n1 - (total - left) / n2).abs() / (1.0 / n1 + 1.0 / n2).sqrt());
                }
            }
            hits += u32::from(best > 3.1);
        }
        let part = f64::from(hits) / f64::from(SERIES) / best_of_all_places(3.1, 60.0);
        assert!((0.45..0.65).contains(&part), "{part}");
    }
}
