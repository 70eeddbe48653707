//! The levels that a series may take, and what each value costs at each of them.
//!
//! Levels are discrete: cells of a fraction of the noise, laid only where the series has been. A value's costs at
//! neighbouring levels are then neighbours in one table, so that a row of costs is a part of it.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "cells are bounded by FARTHEST and counts by MOST, both far inside the types; costs need no more than f32"
)]

use super::lanes::{self, LANES};

/// The width of a cell, in units of noise.
const CELL: f64 = 0.2;
/// How far beyond the medians of the series levels are laid.
const MARGIN: f64 = 1.0;
/// The most cells; cells grow where a series would need more.
const MOST: usize = 1024;
/// No cell lies farther out than this, however wild a value.
const FARTHEST: f64 = 1e8;

/// Cells in a row without a gap.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    first: i32,
    offset: usize,
    length: usize,
}

/// The levels of a series.
#[derive(Debug)]
pub(super) struct Grid {
    /// The width of a cell.
    pub(super) cell: f64,
    /// The number of levels.
    pub(super) count: usize,
    rows: Vec<Row>,
}

/// The nearest cell. Rounding by way of a positive number is a conversion; `round` is a call.
#[inline]
fn cell_of(value: f64, per_unit: f64) -> i32 {
    ((value * per_unit).clamp(-FARTHEST, FARTHEST) + FARTHEST + 0.5) as i32 - FARTHEST as i32
}

impl Grid {
    /// Lays levels around `places`.
    pub(super) fn new(places: &[f64]) -> Grid {
        let mut cell = CELL;
        loop {
            let margin = (MARGIN / cell).ceil() as i32;
            let mut cells: Vec<i32> = places.iter().map(|place| cell_of(*place, cell.recip())).collect();
            cells.sort_unstable();
            cells.dedup();
            let mut rows: Vec<Row> = Vec::new();
            for at in cells {
                let (first, behind) = (at - margin, at + margin + 1);
                match rows.last_mut() {
                    Some(row) if first <= row.first + row.length as i32 => row.length = (behind - row.first) as usize,
                    last => {
                        let offset = last.map_or(0, |row| row.offset + row.length);
                        rows.push(Row { first, offset, length: (behind - first) as usize });
                    }
                }
            }
            // The last one is longer than need be, so that all together are a whole number of lanes.
            let mut count = 0;
            if let Some(last) = rows.last_mut() {
                count = (last.offset + last.length).next_multiple_of(LANES);
                last.length = count - last.offset;
            }
            if count <= MOST {
                return Grid { cell, count, rows };
            }
            cell *= 1.5;
        }
    }

    /// The level of a cell, by its number.
    pub(super) fn level(&self, at: usize) -> f64 {
        let row = self.rows[self.rows.partition_point(|row| row.offset + row.length <= at).min(self.rows.len() - 1)];
        f64::from(row.first + (at - row.offset) as i32) * self.cell
    }

    /// The least of `costs`, interpolated between cells, the number of its cell, and how sharply costs rise around it.
    pub(super) fn least(&self, costs: &[f32]) -> Least {
        let lowest = lanes::least(costs);
        let at = lanes::first(costs, |cost| cost <= lowest);
        let mut least = Least { cost: f64::from(lowest), level: self.level(at), sharpness: 0.0 };
        let inside = self.rows.iter().any(|row| at >= row.offset + 2 && at + 2 < row.offset + row.length);
        if inside {
            let side = |offset: usize| f64::from(costs[offset]);
            let (before, here, after) = (side(at - 1), side(at), side(at + 1));
            let bend = before - 2.0 * here + after;
            if bend > 1e-9 {
                let shift = (0.5 * (before - after) / bend).clamp(-0.5, 0.5);
                least.cost = here - 0.25 * (before - after) * shift;
                least.level += shift * self.cell;
            }
            least.sharpness = (side(at - 2) - 2.0 * here + side(at + 2)) / (4.0 * self.cell * self.cell);
        }
        least
    }
}

/// Where costs are least.
#[derive(Debug, Clone, Copy)]
pub(super) struct Least {
    pub(super) cost: f64,
    pub(super) level: f64,
    pub(super) sharpness: f64,
}

/// The costs of all distances up to some width, tabled, farther ones costing as much as the farthest.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// How many entries there are to a unit of distance.
    per_unit: f64,
    /// The entry of distance zero.
    middle: i32,
    /// From the largest distance down, so that rising levels read rising entries. The outermost are repeated as often as
    /// a row is long: any row is then a part of this.
    falling: Vec<f32>,
}

impl Table {
    pub(super) fn new(step: f64, width: f64, grid: &Grid, cost: impl Fn(f64) -> f64) -> Table {
        let reach = (width / step).ceil() as i32;
        let beyond = grid.rows.iter().map(|row| row.length).max().unwrap_or(0);
        let costs = (0..=2 * reach).map(|at| cost(f64::from(reach - at) * step) as f32);
        let mut falling = Vec::with_capacity(2 * (reach as usize + beyond) + 1);
        falling.resize(beyond, 0.0);
        falling.extend(costs);
        let (first, last) = (falling[beyond], falling[falling.len() - 1]);
        falling[..beyond].fill(first);
        falling.resize(falling.len() + beyond, last);
        Table { per_unit: step.recip(), middle: reach + beyond as i32, falling }
    }

    /// Likelihoods in the place of costs, the largest of all being one when `least` is the least cost.
    pub(super) fn likelihoods(&self, least: f32) -> Table {
        let falling = self.falling.iter().map(|cost| (least - cost).exp()).collect();
        Table { falling, ..*self }
    }

    pub(super) fn lowest(&self) -> f32 {
        self.falling.iter().copied().fold(f32::INFINITY, f32::min)
    }

    /// The entry of one distance.
    #[inline]
    pub(super) fn at(&self, distance: f64) -> f64 {
        let last = self.falling.len() - 1;
        let place = (f64::from(self.middle) - distance * self.per_unit).clamp(0.0, last as f64);
        let below = place as usize;
        let part = place - below as f64;
        f64::from(self.falling[below]) * (1.0 - part) + f64::from(self.falling[(below + 1).min(last)]) * part
    }

    /// The entries of `value`'s distances to all levels, which lie a step of this table apart; in `room` where they do
    /// not lie together here.
    #[inline]
    pub(super) fn row<'a>(&'a self, value: f64, grid: &Grid, room: &'a mut [f32]) -> &'a [f32] {
        let zero = self.zero(value);
        if let [row] = grid.rows[..] {
            return self.part(zero + row.first, row.length);
        }
        for row in &grid.rows {
            room[row.offset..row.offset + row.length].copy_from_slice(self.part(zero + row.first, row.length));
        }
        room
    }

    /// Where the entry of `value`'s distance to cell zero is, or would be.
    #[inline]
    fn zero(&self, value: f64) -> i32 {
        self.middle - cell_of(value, self.per_unit)
    }

    /// Entries that lie together, or as many of the outermost.
    #[inline]
    fn part(&self, begin: i32, length: usize) -> &[f32] {
        let begin = begin.clamp(0, (self.falling.len() - length) as i32) as usize;
        &self.falling[begin..begin + length]
    }
}

/// One table for each class of what came before: the point before decides which table a point is read in.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    pub(super) tables: Vec<Table>,
    /// The bounds between the classes, rising.
    pub(super) bounds: Vec<f64>,
}

impl Tables {
    #[inline]
    pub(super) fn class(&self, before: f64) -> usize {
        self.bounds.partition_point(|bound| *bound < before)
    }

    /// The entries of `value` where the point before was `before`, both as they stand, not as distances; in `room` where
    /// they do not lie together in one table.
    #[inline]
    pub(super) fn row<'a>(&'a self, value: f64, before: f64, grid: &Grid, room: &'a mut [f32]) -> &'a [f32] {
        if self.bounds.is_empty() {
            return self.tables[0].row(value, grid, room);
        }
        for row in &grid.rows {
            // Low levels make the distance of the point before large: classes fall while cells rise.
            let mut to = row.length;
            for (class, table) in self.tables.iter().enumerate() {
                let from = self.bounds.get(class).map_or(0, |bound| {
                    let cell = ((before - bound) / grid.cell).ceil().clamp(-FARTHEST, FARTHEST) as i32;
                    (cell - row.first).clamp(0, row.length as i32) as usize
                });
                if from < to {
                    let part = table.part(table.zero(value) + row.first + from as i32, to - from);
                    room[row.offset + from..row.offset + to].copy_from_slice(part);
                    to = from;
                }
            }
        }
        room
    }

    pub(super) fn likelihoods(&self, least: f32) -> Tables {
        let tables = self.tables.iter().map(|table| table.likelihoods(least)).collect();
        Tables { tables, bounds: self.bounds.clone() }
    }

    pub(super) fn lowest(&self) -> f32 {
        self.tables.iter().map(Table::lowest).fold(f32::INFINITY, f32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_costs_is_what_each_level_costs_alone() {
        let grid = Grid::new(&[0.0, 0.4, 50.0]);
        let table = |scale: f64| Table::new(grid.cell, 5.0, &grid, move |distance| scale * distance.abs());
        let tables = Tables { tables: vec![table(1.0), table(2.0)], bounds: vec![0.3] };
        let mut room = vec![0.0; grid.count];
        for (at, cost) in tables.row(0.6, 0.8, &grid, &mut room).iter().enumerate() {
            let level = grid.level(at);
            let expected = tables.tables[tables.class(0.8 - level)].at(0.6 - level);
            assert!((f64::from(*cost) - expected).abs() < 1e-4, "level {level}: {cost} is not {expected}");
        }
    }

    #[test]
    fn a_series_that_jumps_by_millions_has_few_levels() {
        let grid = Grid::new(&[0.0, 1e7, -3e7, f64::MAX]);
        assert!(grid.count < 60);
        assert!((grid.level(grid.count / 2)).is_finite());
    }

    #[test]
    fn the_least_cost_is_found_between_cells() {
        let grid = Grid::new(&[0.0, 2.0]);
        let costs: Vec<f32> = (0..grid.count).map(|at| (grid.level(at) - 0.73).powi(2) as f32).collect();
        let least = grid.least(&costs);
        assert!((least.level - 0.73).abs() < 1e-3 && least.cost.abs() < 1e-4 && (least.sharpness - 2.0).abs() < 1e-2);
    }
}
