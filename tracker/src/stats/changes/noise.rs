//! How a series scatters about its levels: its own density, and how a point depends on the one before.
//!
//! The density is learned from what is left around levels (see `density`). A point may depend on the one before, linearly, or,
//! where that explains more, on the mode of the point before, so that a machine which stays in one of two modes for a while is
//! known for that. Or the density is wider in some stretches than in others. Each must explain more than it costs.

use std::borrow::Cow;

use super::density::{Density, LEAST_SCALE, STEP, cells};
use super::grid::{Grid, Table, Tables};
use super::prepare::deviation;
use super::scales::{self, SCALES, SWITCH_PRICE};
use crate::stats::robust;

/// The fewest points with which two modes are tried.
const FEWEST_FOR_MODES: usize = 40;
/// Nor are they below this chi-squared: a gain of four nats, below their price. With two degrees of freedom chance exceeds it
/// once in 55 times.
const LEAST_ASSOCIATION: f64 = 8.0;
/// What modes, with two densities to fit instead of one, have to explain better, in nats.
const MODES_PRICE: f64 = 8.0;
/// What a memory has to explain better, in nats: small steps that nobody saw look like one.
const MEMORY_PRICE: f64 = 3.0;
/// The least share of the points before that a mode holds.
const LEAST_MODE: f64 = 0.1;
/// Points farther out than this, in units of noise, count as if they lay here when two modes are told apart.
const MODES_BOUND: f64 = 15.0;
/// Correlation beyond this is a level that moves, not noise.
const MOST_MEMORY: f64 = 0.85;
/// Beyond this loss a point of the first fit costs no more: three deviations.
const FIRST_BOUND: f64 = 4.5;

/// What a point costs at each level: minus the logarithm of its density.
#[derive(Debug)]
pub(super) struct Noise {
    /// The correlation of neighbours.
    pub(super) phi: f64,
    /// What it has to explain better than a plain one, in nats.
    pub(super) price: f64,
    /// The number of each point's table, where that depends on its stretch; else none.
    scales: Vec<usize>,
    stay: Tables,
    jump: Tables,
}

impl Noise {
    /// The model of the first fit: no memory, squares up to a bound.
    pub(super) fn first(grid: &Grid) -> Noise {
        let table = Table::new(grid.cell, 5.0, grid, |distance| (distance * distance / 2.0).min(FIRST_BOUND));
        let tables = || Tables { tables: vec![table.clone()], bounds: Vec::new() };
        Noise { phi: 0.0, price: 0.0, scales: Vec::new(), stay: tables(), jump: tables() }
    }

    /// Where another scale begins.
    pub(super) fn switches(&self) -> impl Iterator<Item = usize> {
        (1..self.scales.len()).filter(|at| self.scales[*at] != self.scales[at - 1])
    }

    /// The same with likelihoods in the place of costs.
    pub(super) fn likelihoods(&self) -> Noise {
        let least = self.stay.lowest().min(self.jump.lowest());
        let (stay, jump) = (self.stay.likelihoods(least), self.jump.likelihoods(least));
        Noise { stay, jump, scales: self.scales.clone(), ..*self }
    }

    /// Whether a point's cost does not depend on the one before, so that staying and jumping cost the same.
    #[inline]
    pub(super) fn is_memoryless(&self) -> bool {
        self.phi == 0.0 && self.stay.bounds.is_empty()
    }

    /// The costs of point `at` where its level is that of the point before, perhaps in `room`.
    #[inline]
    pub(super) fn stay<'a>(&'a self, units: &[f64], at: usize, grid: &Grid, room: &'a mut [f32]) -> &'a [f32] {
        let before = units[at - 1];
        let value = units[at] - self.phi * before;
        match self.scales.get(at) {
            Some(scale) => self.stay.tables[*scale].row(value, grid, room),
            None => self.stay.row(value, before, grid, room),
        }
    }

    /// The costs of point `at` where the point before was on another level, `old`, or there was none.
    #[inline]
    pub(super) fn jump<'a>(
        &'a self,
        units: &[f64],
        at: usize,
        old: f64,
        grid: &Grid,
        room: &'a mut [f32],
    ) -> &'a [f32] {
        let before = if at == 0 { 0.0 } else { units[at - 1] - old };
        self.table(&self.jump, at, before).row(units[at] - self.phi * before, grid, room)
    }

    /// The cost of point `at` where it and the one before are on `level`.
    #[inline]
    pub(super) fn cost(&self, units: &[f64], at: usize, level: f64) -> f64 {
        let before = units[at - 1] - level;
        self.table(&self.stay, at, before).at(units[at] - level - self.phi * before)
    }

    /// The table of point `at` where the point before lay `before` away from its level.
    #[inline]
    fn table<'a>(&self, tables: &'a Tables, at: usize, before: f64) -> &'a Table {
        &tables.tables[self.scales.get(at).copied().unwrap_or_else(|| tables.class(before))]
    }
}

/// What is left of a series around levels, from which its noise is learned.
pub(super) struct Scatter {
    residuals: Vec<f64>,
    /// How far the point before lay from the level; none where a level begins.
    befores: Vec<f64>,
    phi: f64,
    density: Density,
}

impl Scatter {
    /// Around levels that begin at `starts`.
    pub(super) fn new(units: &[f64], starts: &[usize]) -> Scatter {
        let residuals = residuals(units, starts);
        let density = Density::of(&residuals);
        let phi = correlation(&residuals, density.scale, starts);
        let mut befores = Vec::with_capacity(units.len());
        befores.push(f64::NAN);
        befores.extend_from_slice(&residuals[..residuals.len() - 1]);
        for start in starts {
            befores[*start] = f64::NAN;
        }
        Scatter { residuals, befores, phi, density }
    }

    /// The noise that depends on nothing but the level.
    pub(super) fn plain(&self, grid: &Grid) -> Noise {
        even(0.0, grid, &self.density)
    }

    /// Those that depend on something besides, if that says anything.
    pub(super) fn others(&self, grid: &Grid) -> impl Iterator<Item = Noise> {
        [self.by_point(grid), self.by_mode(grid), self.by_scale(grid)].into_iter().flatten()
    }

    /// Linearly on the point before.
    fn by_point(&self, grid: &Grid) -> Option<Noise> {
        let noise = || Noise { price: MEMORY_PRICE, ..even(self.phi, grid, &Density::of(&self.innovations())) };
        (self.phi > 0.0).then(noise)
    }

    /// What the points before do not foretell.
    fn innovations(&self) -> Cow<'_, [f64]> {
        if self.phi <= 0.0 {
            return Cow::Borrowed(&self.residuals);
        }
        let (phi, alone) = (self.phi, (1.0 - self.phi * self.phi).sqrt());
        let innovation = |(residual, before): (&f64, &f64)| {
            if before.is_nan() { residual * alone } else { residual - phi * before }
        };
        self.residuals.iter().zip(&self.befores).map(innovation).collect()
    }

    /// In which of two modes the point before was says all that it has to say: how far from its mode it lay says nothing
    /// of the next. So there is no correlation besides, which would spread each mode by a part of the other's distance.
    fn by_mode(&self, grid: &Grid) -> Option<Noise> {
        let pairs = || self.befores.iter().zip(&self.residuals).filter(|(before, _)| before.is_finite());
        let known: Vec<f64> = pairs().map(|(before, _)| *before).collect();
        if self.befores.len() < FEWEST_FOR_MODES || known.is_empty() {
            return None;
        }
        let bound = between_modes(&known)?;
        let (low, high): (Vec<_>, Vec<_>) = pairs().partition(|(before, _)| **before <= bound);
        let members = [low, high].map(|pairs| pairs.into_iter().map(|(_, residual)| *residual).collect::<Vec<f64>>());
        if association(&members, &thirds(self.residuals.clone())) <= LEAST_ASSOCIATION {
            return None;
        }
        let [low, high] = members.map(|members| self.density.costs_of(&members));
        Some(Noise { price: MODES_PRICE, ..tabled(0.0, grid, &self.density, &[(&low, 1.0), (&high, 1.0)], &[bound]) })
    }

    /// How widely the stretch scatters, and linearly on the point before if that says anything.
    pub(super) fn by_scale(&self, grid: &Grid) -> Option<Noise> {
        let innovations = self.innovations();
        let scale = if self.phi > 0.0 { deviation(&innovations).max(LEAST_SCALE) } else { self.density.scale };
        let (scales, switches) = scales::scales(&innovations, scale)?;
        let narrowed = innovations.iter().zip(&scales).map(|(innovation, scale)| innovation / scales::width(*scale));
        let density = Density::of(&narrowed.collect::<Vec<f64>>());
        let costs = density.costs();
        let each: [(&[f64], f64); SCALES] = std::array::from_fn(|scale| (&costs[..], scales::width(scale)));
        let memory = if self.phi > 0.0 { MEMORY_PRICE } else { 0.0 };
        let price = SWITCH_PRICE * switches as f64 + memory;
        Some(Noise { price, scales, ..tabled(self.phi, grid, &density, &each, &[]) })
    }
}

/// A noise that is the same everywhere.
fn even(phi: f64, grid: &Grid, density: &Density) -> Noise {
    tabled(phi, grid, density, &[(&density.costs(), 1.0)], &[])
}

/// A noise with a table for each of the costs, which are spread over so many times the width of `density`.
fn tabled(phi: f64, grid: &Grid, density: &Density, each: &[(&[f64], f64)], bounds: &[f64]) -> Noise {
    let tables = |step: f64| {
        let table = |(costs, width): &(&[f64], f64)| {
            let log = width.ln();
            let cost = |distance: f64| density.read(costs, distance / width) + log;
            Table::new(step, density.width() * width, grid, cost)
        };
        Tables { tables: each.iter().map(table).collect(), bounds: bounds.to_vec() }
    };
    let jump = tables(grid.cell);
    let stay = if phi > 0.0 { tables((1.0 - phi) * grid.cell) } else { jump.clone() };
    Noise { phi, price: 0.0, scales: Vec::new(), stay, jump }
}

/// How much the class of the point before says about a point: Pearson's chi-squared of the classes' `members` and the parts
/// that `bounds` make of all points.
fn association(members: &[Vec<f64>; 2], bounds: &[f64; 2]) -> f64 {
    let count = |members: &Vec<f64>| {
        let mut counts = [0.0_f64; 3];
        for member in members {
            counts[bounds.partition_point(|bound| bound < member)] += 1.0;
        }
        counts
    };
    let counts = members.each_ref().map(count);
    let total: f64 = counts.iter().flatten().sum();
    let mut squares = 0.0;
    for row in &counts {
        for (at, count) in row.iter().enumerate() {
            let expected = row.iter().sum::<f64>() * counts.iter().map(|row| row[at]).sum::<f64>() / total;
            squares += (count - expected).powi(2) / expected.max(1.0);
        }
    }
    squares
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

/// What cuts `values` into three equal parts.
fn thirds(mut values: Vec<f64>) -> [f64; 2] {
    let n = values.len();
    [1, 2].map(|part| *values.select_nth_unstable_by(part * n / 3, f64::total_cmp).1)
}

/// Where the values are best cut in two: where the squares about the two means are least (Otsu 1979, *IEEE Transactions on
/// Systems, Man, and Cybernetics* 9:62), to a cell of the densities.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is bounded on both sides")]
fn between_modes(values: &[f64]) -> Option<f64> {
    let mut counts = vec![0_u32; 2 * cells(MODES_BOUND) + 1];
    for value in values {
        counts[((value.clamp(-MODES_BOUND, MODES_BOUND) + MODES_BOUND) / STEP + 0.5) as usize] += 1;
    }
    let held = counts.iter().enumerate().map(|(cell, count)| (cell as f64, f64::from(*count)));
    let (n, sum) = (values.len() as f64, held.clone().map(|(cell, count)| cell * count).sum::<f64>());
    let (mut points, mut below) = (0.0, 0.0);
    // Between modes that lie apart many cuts are as good: the first and the last of the best.
    let mut best: Option<(f64, [f64; 2])> = None;
    for (cell, count) in held {
        points += count;
        below += cell * count;
        let share = points / n;
        if (LEAST_MODE..=1.0 - LEAST_MODE).contains(&share) {
            let between = points * (n - points) * (below / points - (sum - below) / (n - points)).powi(2);
            best = match best {
                Some((most, [first, _])) if most.total_cmp(&between).is_eq() => Some((most, [first, cell])),
                Some((most, _)) if most > between => best,
                _ => Some((between, [cell, cell])),
            };
        }
    }
    best.map(|(_, [first, last])| (f64::midpoint(first, last) + 0.5) * STEP - MODES_BOUND)
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
        let scatter = Scatter::new(&values, &[]);
        assert!(scatter.phi < 0.05);
        let noise = scatter.plain(&grid);
        let rise = |z: f64| noise.cost(&[0.0, z], 1, 0.0) - noise.cost(&[0.0, 0.0], 1, 0.0);
        assert!((rise(1.0) - 0.5).abs() < 0.1 && (rise(-2.0) - 2.0).abs() < 0.3);
        assert!(rise(30.0) < 12.0, "an outlier costs no more than this, however far out it lies");
    }

    #[test]
    fn the_density_of_few_values_is_no_wider_than_they_are() {
        let rises = (0..200).map(|seed| {
            let noise = Scatter::new(&normal(500 + seed, 60), &[]).plain(&Grid::new(&[0.0]));
            [-1.5, 1.5].map(|z| noise.cost(&[0.0, z], 1, 0.0) - noise.cost(&[0.0, 0.0], 1, 0.0)).iter().sum::<f64>()
                / 2.0
        });
        let rise = rises.sum::<f64>() / 200.0;
        assert!((1.06..1.19).contains(&rise), "{rise}, and 1.125 by the normal density");
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
        let noise = Scatter::new(&values, &[]).by_point(&Grid::new(&[0.0])).unwrap();
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
        let noise = Scatter::new(&values, &[]).by_mode(&Grid::new(&[-2.0, 2.0])).unwrap();
        assert!(noise.phi <= 0.0);
        let level = robust::median(&values).unwrap();
        assert!(noise.cost(&[2.0, 2.0], 1, level) + 1.0 < noise.cost(&[-2.0, 2.0], 1, level));
    }

    #[test]
    fn two_modes_are_cut_midway_whichever_is_the_lower() {
        let modes: Vec<f64> =
            normal(60, 200).iter().enumerate().map(|(at, z)| 0.3 * z + if at % 3 == 0 { 6.0 } else { 0.0 }).collect();
        let mirrored: Vec<f64> = modes.iter().map(|value| -value).collect();
        let (bound, other) = (between_modes(&modes).unwrap(), between_modes(&mirrored).unwrap());
        assert!((bound - 3.0).abs() < 0.5 && (bound + other).abs() < 1.5 * STEP, "{bound} {other}");
    }
}
