//! How a series scatters about its levels: its own density, and how a point depends on the one before.
//!
//! The density is a kernel estimate over the residuals of a first fit, with a share of Student's distribution with three
//! degrees of freedom mixed in for the tails (after Rosenblatt 1956; a bounded loss is what keeps outliers from making
//! levels: Fearnhead and Rigaill 2019, *JASA* 114:169). Dependence is linear, and, where that explains more, by class of
//! the point before, so that a machine which stays in one of two modes for a while is known for that.

use super::grid::{Grid, Table, Tables};
use super::prepare::deviation;
use crate::stats::robust;

/// Cells of the tabled density.
const STEP: f64 = 0.1;
/// How wide the kernel is against Silverman's rule of thumb, which is too wide for two modes.
const KERNEL: f64 = 0.8;
/// The narrowest kernel, in units of noise.
const NARROWEST: f64 = 0.15;
/// The share of the heavy-tailed distribution in any series, and how many points it is worth besides.
const TAIL_SHARE: f64 = 0.05;
const TAIL_POINTS: f64 = 10.0;
/// How many points of the whole density are mixed into that of a class.
const CLASS_POINTS: f64 = 15.0;
/// The number of classes of the point before, and the fewest points with which they are tried.
const CLASSES: usize = 3;
const FEWEST_FOR_CLASSES: usize = 100;
/// Classes are not tried below this chi-squared of four degrees of freedom, which chance exceeds once in sixty times: a gain
/// of six nats, far below their price.
const LEAST_ASSOCIATION: f64 = 12.0;
/// Correlation beyond this is a level that moves, not noise.
const MOST_MEMORY: f64 = 0.85;
/// Beyond this loss a point of the first fit costs no more: three deviations.
const FIRST_BOUND: f64 = 4.5;

/// How a point may depend on the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    Linear,
    ByClass,
}

/// What a point costs at each level: minus the logarithm of its density.
#[derive(Debug)]
pub(super) struct Noise {
    /// The correlation of neighbours.
    pub(super) phi: f64,
    stay: Tables,
    jump: Tables,
}

impl Noise {
    /// The model of the first fit: no memory, squares up to a bound.
    pub(super) fn first(grid: &Grid) -> Noise {
        let table = Table::new(grid.cell, 5.0, grid, |distance| (distance * distance / 2.0).min(FIRST_BOUND));
        let tables = || Tables { tables: vec![table.clone()], bounds: Vec::new() };
        Noise { phi: 0.0, stay: tables(), jump: tables() }
    }

    /// The same with likelihoods in the place of costs.
    pub(super) fn likelihoods(&self) -> Noise {
        let least = self.stay.lowest().min(self.jump.lowest());
        Noise { phi: self.phi, stay: self.stay.likelihoods(least), jump: self.jump.likelihoods(least) }
    }

    /// Whether a point's cost does not depend on the one before, so that staying and jumping cost the same.
    pub(super) fn is_memoryless(&self) -> bool {
        self.phi == 0.0 && self.stay.bounds.is_empty()
    }

    /// The costs of point `at` where its level is that of the point before, perhaps in `room`.
    pub(super) fn stay<'a>(&'a self, units: &[f64], at: usize, grid: &Grid, room: &'a mut [f32]) -> &'a [f32] {
        let before = units[at - 1];
        self.stay.row(units[at] - self.phi * before, before, grid, room)
    }

    /// The costs of point `at` where the point before was on another level, `old`, or there was none.
    pub(super) fn jump<'a>(
        &'a self,
        units: &[f64],
        at: usize,
        old: f64,
        grid: &Grid,
        room: &'a mut [f32],
    ) -> &'a [f32] {
        let before = if at == 0 { 0.0 } else { units[at - 1] - old };
        let class = if self.jump.bounds.is_empty() { 0 } else { self.jump.class(before) };
        self.jump.tables[class].row(units[at] - self.phi * before, grid, room)
    }

    /// The cost of point `at` where it and the one before are on `level`.
    pub(super) fn cost(&self, units: &[f64], at: usize, level: f64) -> f64 {
        let before = units[at - 1] - level;
        let class = if self.stay.bounds.is_empty() { 0 } else { self.stay.class(before) };
        self.stay.tables[class].at(units[at] - level - self.phi * before)
    }
}

/// What is left of a series around levels, from which its noise is learned.
pub(super) struct Scatter {
    phi: f64,
    /// What the points before do not foretell.
    innovations: Vec<f64>,
    /// How far the point before lay from the level; none where a level begins.
    befores: Vec<f64>,
    density: Density,
}

impl Scatter {
    /// Around levels that begin at `starts`.
    pub(super) fn new(units: &[f64], starts: &[usize]) -> Scatter {
        let residuals = residuals(units, starts);
        let mut scale = deviation(&residuals);
        let phi = correlation(&residuals, scale, starts);
        let mut befores = Vec::with_capacity(units.len());
        befores.push(f64::NAN);
        befores.extend_from_slice(&residuals[..residuals.len() - 1]);
        for start in starts {
            befores[*start] = f64::NAN;
        }
        let mut innovations = residuals;
        if phi > 0.0 {
            let alone = (1.0 - phi * phi).sqrt();
            for (innovation, before) in innovations.iter_mut().zip(&befores) {
                *innovation = if before.is_nan() { *innovation * alone } else { *innovation - phi * before };
            }
            scale = deviation(&innovations);
        }
        let density = Density::new(&innovations, scale.max(0.2));
        Scatter { phi, innovations, befores, density }
    }

    /// The noise; none where memory by class would explain no more than linear memory does.
    pub(super) fn noise(&self, grid: &Grid, memory: Memory) -> Option<Noise> {
        let (mut bounds, mut costs) = (Vec::new(), Vec::new());
        match memory {
            Memory::Linear => costs.push(self.density.costs()),
            Memory::ByClass => {
                bounds = class_bounds(&self.befores, &self.innovations)?;
                let mut members: [Vec<f64>; CLASSES] = Default::default();
                for (innovation, before) in self.innovations.iter().zip(&self.befores).filter(|(_, b)| !b.is_nan()) {
                    members[class(&bounds, *before)].push(*innovation);
                }
                costs.extend(members.iter().map(|members| self.density.costs_of(members)));
            }
        }
        let tables = |step: f64| {
            let table = |costs: &Vec<f64>| {
                Table::new(step, self.density.width(), grid, |distance| self.density.read(costs, distance))
            };
            Tables { tables: costs.iter().map(table).collect(), bounds: bounds.clone() }
        };
        let jump = tables(grid.cell);
        let stay = if self.phi > 0.0 { tables((1.0 - self.phi) * grid.cell) } else { jump.clone() };
        Some(Noise { phi: self.phi, stay, jump })
    }
}

/// The bounds of segments that begin at `starts`, the series' own ends included.
pub(super) fn bounds(starts: &[usize], length: usize) -> impl Iterator<Item = (usize, usize)> {
    let ends = starts.iter().copied().chain([length]);
    std::iter::once(0).chain(starts.iter().copied()).zip(ends)
}

fn residuals(units: &[f64], starts: &[usize]) -> Vec<f64> {
    let mut residuals = Vec::with_capacity(units.len());
    for (from, to) in bounds(starts, units.len()) {
        let level = robust::median(&units[from..to]).unwrap_or(0.0);
        residuals.extend(units[from..to].iter().map(|unit| unit - level));
    }
    residuals
}

/// The correlation of neighbours inside segments, outliers clipped; zero unless it is plainly above what chance gives.
fn correlation(residuals: &[f64], scale: f64, starts: &[usize]) -> f64 {
    let bound = 3.0 * scale.max(0.3);
    let (mut products, mut squares, mut count) = (0.0, 0.0, 0);
    for (from, to) in bounds(starts, residuals.len()).filter(|(from, to)| to - from >= 8) {
        let n = (to - from) as f64;
        let clip = |value: f64| value.clamp(-bound, bound);
        let mean = residuals[from..to].iter().map(|value| clip(*value)).sum::<f64>() / n;
        let centred = residuals[from..to].iter().map(|value| clip(*value) - mean);
        let own: f64 = centred.clone().map(|value| value * value).sum();
        let shared: f64 = centred.clone().zip(centred.skip(1)).map(|(one, next)| one * next).sum();
        // The mean that was taken out makes neighbours look opposed by one part in n.
        products += shared + own / n;
        squares += own;
        count += to - from;
    }
    if count < 20 || squares <= 0.0 {
        return 0.0;
    }
    let phi = products / squares;
    if phi < 2.0 / (count as f64).sqrt() { 0.0 } else { phi.min(MOST_MEMORY) }
}

/// The bounds of classes with equally many points before; none where there are too few points, or where a point's class
/// says too little about the next by Pearson's chi-squared.
fn class_bounds(befores: &[f64], innovations: &[f64]) -> Option<Vec<f64>> {
    if befores.len() < FEWEST_FOR_CLASSES {
        return None;
    }
    let bounds = quantiles(befores.iter().copied().filter(|before| before.is_finite()).collect());
    let outcomes = quantiles(innovations.to_vec());
    let mut counts = [[0.0_f64; CLASSES]; CLASSES];
    for (before, innovation) in befores.iter().zip(innovations).filter(|(before, _)| before.is_finite()) {
        counts[class(&bounds, *before)][class(&outcomes, *innovation)] += 1.0;
    }
    let total: f64 = counts.iter().flatten().sum();
    let mut squares = 0.0;
    for row in &counts {
        for (at, count) in row.iter().enumerate() {
            let expected = row.iter().sum::<f64>() * counts.iter().map(|row| row[at]).sum::<f64>() / total;
            squares += (count - expected).powi(2) / expected.max(1.0);
        }
    }
    (squares > LEAST_ASSOCIATION).then_some(bounds)
}

/// The class of a value, by rising bounds.
fn class(bounds: &[f64], value: f64) -> usize {
    bounds.iter().map(|bound| usize::from(*bound < value)).sum()
}

/// What cuts `values` into [`CLASSES`] equal parts.
fn quantiles(mut values: Vec<f64>) -> Vec<f64> {
    let n = values.len();
    (1..CLASSES).map(|class| *values.select_nth_unstable_by(class * n / CLASSES, f64::total_cmp).1).collect()
}

/// A density over distances from a level, tabled.
struct Density {
    /// How many cells lie on each side of zero.
    reach: usize,
    scale: f64,
    kernel: Vec<f64>,
    whole: Vec<f64>,
}

impl Density {
    fn new(values: &[f64], scale: f64) -> Density {
        let mut sorted = values.to_vec();
        let n = sorted.len();
        let (_, upper, _) = sorted.select_nth_unstable_by(3 * n / 4, f64::total_cmp);
        let upper = *upper;
        let (_, lower, _) = sorted.select_nth_unstable_by(n / 4, f64::total_cmp);
        let spread = ((upper - *lower) / 1.34).max(0.2);
        let bandwidth = (KERNEL * 0.9 * spread * (n as f64).powf(-0.2)).max(NARROWEST);
        let mut density =
            Density { reach: cells(10.0 * scale.max(1.0)), scale, kernel: kernel(bandwidth), whole: Vec::new() };
        let (counts, n) = (density.smooth(values), n as f64);
        let share = (TAIL_SHARE * n + TAIL_POINTS) / (n + TAIL_POINTS);
        let mixed = counts.iter().enumerate().map(|(at, count)| (1.0 - share) * count / n + share * density.tail(at));
        density.whole = mixed.collect();
        density
    }

    fn width(&self) -> f64 {
        self.reach as f64 * STEP
    }

    /// Student's density with three degrees of freedom, roughly normed.
    fn tail(&self, at: usize) -> f64 {
        let z = (at as f64 - self.reach as f64) * STEP / self.scale;
        1.0 / ((1.0 + z * z / 3.0).powi(2) * 2.6 * self.scale)
    }

    /// Kernels around all values.
    fn smooth(&self, values: &[f64]) -> Vec<f64> {
        let mut bins = vec![0_u32; 2 * self.reach + 1];
        for value in values.iter().filter(|value| value.abs() < self.width()) {
            bins[self.cell(*value)] += 1;
        }
        let half = self.kernel.len() / 2;
        let mut smooth = vec![0.0; bins.len() + 2 * half];
        for (at, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
            for (place, weight) in smooth[at..].iter_mut().zip(&self.kernel) {
                *place += f64::from(*count) * weight;
            }
        }
        smooth[half..half + bins.len()].to_vec()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the caller has bounded the value")]
    fn cell(&self, value: f64) -> usize {
        (value / STEP + self.reach as f64 + 0.5) as usize
    }

    fn costs(&self) -> Vec<f64> {
        self.whole.iter().map(|density| -density.ln()).collect()
    }

    fn costs_of(&self, members: &[f64]) -> Vec<f64> {
        let (counts, n) = (self.smooth(members), members.len() as f64);
        let mixed = |(count, whole): (&f64, &f64)| {
            let own = count * (1.0 - TAIL_SHARE) + (CLASS_POINTS + n * TAIL_SHARE) * whole;
            -(own / (n + CLASS_POINTS)).ln()
        };
        counts.iter().zip(&self.whole).map(mixed).collect()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the place is clamped to the table")]
    fn read(&self, costs: &[f64], distance: f64) -> f64 {
        let last = costs.len() - 1;
        let place = (distance / STEP + self.reach as f64).clamp(0.0, last as f64);
        let below = place as usize;
        let part = place - below as f64;
        costs[below] * (1.0 - part) + costs[(below + 1).min(last)] * part
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a width of at most some thousand cells")]
fn cells(width: f64) -> usize {
    (width / STEP).ceil().min(1e5) as usize
}

/// A normal kernel that sums to one over the cells, per unit of width.
fn kernel(bandwidth: f64) -> Vec<f64> {
    let half = cells(4.0 * bandwidth);
    let weights: Vec<f64> = (0..=2 * half)
        .map(|at| {
            let z = (at as f64 - half as f64) * STEP / bandwidth;
            (-z * z / 2.0).exp()
        })
        .collect();
    let sum: f64 = weights.iter().sum::<f64>() * STEP;
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise as Stream;

    fn normal(seed: u64, count: usize) -> Vec<f64> {
        let mut stream = Stream::seeded(seed);
        (0..count).map(|_| stream.normal()).collect()
    }

    #[test]
    fn normal_noise_costs_what_the_normal_density_says() {
        let values = normal(1, 20_000);
        let grid = Grid::new(&[0.0]);
        let noise = Scatter::new(&values, &[]).noise(&grid, Memory::Linear).unwrap();
        assert!(noise.phi < 0.05);
        let rise = |z: f64| noise.cost(&[0.0, z], 1, 0.0) - noise.cost(&[0.0, 0.0], 1, 0.0);
        assert!((rise(1.0) - 0.5).abs() < 0.1 && (rise(-2.0) - 2.0).abs() < 0.3);
        assert!(rise(30.0) < 12.0, "an outlier costs no more than this, however far out it lies");
    }

    #[test]
    fn correlated_noise_is_known_for_it() {
        let mut value = 0.0;
        let values: Vec<f64> = normal(2, 4_000)
            .into_iter()
            .map(|step| {
                value = 0.6 * value + step;
                value
            })
            .collect();
        let noise = Scatter::new(&values, &[]).noise(&Grid::new(&[0.0]), Memory::Linear).unwrap();
        assert!((noise.phi - 0.6).abs() < 0.05);
    }

    #[test]
    fn a_machine_that_stays_in_its_mode_is_expected_to() {
        let mut stream = Stream::seeded(3);
        let mut high = false;
        let values: Vec<f64> = (0..2_000)
            .map(|_| {
                high ^= stream.chance(0.1);
                0.2 * stream.normal() + if high { 2.0 } else { -2.0 }
            })
            .collect();
        let noise = Scatter::new(&values, &[]).noise(&Grid::new(&[-2.0, 2.0]), Memory::ByClass).unwrap();
        assert!(noise.cost(&[2.0, 2.0], 1, 0.0) + 1.0 < noise.cost(&[-2.0, 2.0], 1, 0.0));
    }
}
