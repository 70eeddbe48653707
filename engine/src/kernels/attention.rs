//! Attention of one head, and where its keys and values are kept.
//!
//! The keys are a packed matrix in which each position is an output, so that the scores of a query are a product with
//! it; the values are rows, so that their weighted sum is a product with them.

use std::ptr;

use super::Kernels;
use super::matmul::{Matrix, MatrixMut};
use super::memory::{Buffer, Depot};
use super::packed::PANEL;
use super::tile::{ROWS, Start, Tile};

/// Queries that are treated together: two tiles of rows, whose scores of 1,024 positions take 48 KiB.
const QUERIES: usize = 12;

/// The keys and values that one head has seen.
#[derive(Debug)]
pub struct HeadCache {
    width: usize,
    keys: Buffer<f32>,
    values: Buffer<f32>,
}

impl HeadCache {
    /// Room for the keys and values of so many positions.
    #[must_use]
    pub fn new(context: usize, width: usize) -> Self {
        Self::in_depot(context, width, &mut Depot::touched_bit_by_bit(Self::room_for(context, width)))
    }

    /// The same, as a part of a larger memory.
    #[must_use]
    pub fn in_depot(context: usize, width: usize, depot: &mut Depot) -> Self {
        let keys = depot.cut(context.next_multiple_of(PANEL) * width);
        Self { width, keys, values: depot.cut(context * width) }
    }

    /// Bytes of a depot that a cache takes up.
    #[must_use]
    pub const fn room_for(context: usize, width: usize) -> usize {
        let keys = Depot::room_for::<f32>(context.next_multiple_of(PANEL) * width);
        keys + Depot::room_for::<f32>(context * width)
    }

    /// Sets keys and values of consecutive positions.
    ///
    /// # Panics
    /// If the shapes do not fit, or there is no room for them.
    pub fn set(&mut self, first: usize, keys: Matrix<'_>, values: Matrix<'_>) {
        let (rows, width) = (keys.rows(), self.width);
        assert!(values.rows() == rows && keys.columns() == width && values.columns() == width, "heads differ");
        for (row, to) in self.values[first * width..][..rows * width].chunks_exact_mut(width).enumerate() {
            to.copy_from_slice(values.row(row));
        }
        let mut row = 0;
        while row < rows {
            let (panel, lane) = ((first + row) / PANEL, (first + row) % PANEL);
            let count = (PANEL - lane).min(rows - row);
            let panel = &mut self.keys[panel * PANEL * width..][..PANEL * width];
            for (column, to) in panel.chunks_exact_mut(PANEL).enumerate() {
                for (to, row) in to[lane..lane + count].iter_mut().zip(row..) {
                    *to = keys.at(row, column);
                }
            }
            row += count;
        }
    }

    /// Bytes of memory, were every position in use.
    #[must_use]
    pub const fn bytes_for(context: usize, width: usize) -> usize {
        (context.next_multiple_of(PANEL) + context) * width * size_of::<f32>()
    }
}

/// How many scores [`Kernels::attend`] needs room for.
#[must_use]
pub const fn score_room(context: usize) -> usize {
    QUERIES * context.next_multiple_of(PANEL)
}

impl Kernels {
    /// For each query, at consecutive positions from `first` on: the values of all positions up to its own, weighted by
    /// the softmax of their keys' agreement with it.
    ///
    /// # Panics
    /// If the shapes do not fit, or the cache or the room is too small.
    pub fn attend(self, queries: Matrix<'_>, first: usize, cache: &HeadCache, room: &mut [f32], out: MatrixMut<'_>) {
        let width = cache.width;
        let seen = first + queries.rows();
        assert!(queries.columns() == width && out.columns() == width && out.rows() == queries.rows(), "heads differ");
        assert!(seen * width <= cache.values.len() && room.len() >= score_room(seen), "{seen} positions");
        let scale = 1.0 / (width as f32).sqrt();
        let (rows, out_row) = (queries.rows(), out.row_step());
        let out = out.into_values();
        for row in (0..rows).step_by(QUERIES) {
            let count = (rows - row).min(QUERIES);
            let seen = first + row + count;
            let stride = seen.next_multiple_of(PANEL);
            for position in (0..seen).step_by(PANEL) {
                let scores = Tile {
                    a: queries.row(row).as_ptr(),
                    a_row: queries.row_step(),
                    a_step: 1,
                    a_rows: ROWS * queries.row_step(),
                    rows: count,
                    b: cache.keys[position * width..].as_ptr(),
                    b_step: PANEL,
                    copy: ptr::null_mut(),
                    depth: width,
                    out: room[position..].as_mut_ptr(),
                    out_row: stride,
                    columns: (seen - position).min(PANEL),
                    start: Start::Zero,
                };
                // SAFETY: the queries were checked when the matrix was made, the keys are whole panels, and there is
                // room for the scores of QUERIES rows.
                unsafe { self.tile(&scores) }
            }
            for (query, scores) in room.chunks_exact_mut(stride).take(count).enumerate() {
                let (visible, later) = scores[..seen].split_at_mut(first + row + query + 1);
                self.scaled_softmax_in_place(visible, scale);
                later.fill(0.0);
            }
            for column in (0..width).step_by(PANEL) {
                let weighted = Tile {
                    a: room.as_ptr(),
                    a_row: stride,
                    a_step: 1,
                    a_rows: ROWS * stride,
                    rows: count,
                    b: cache.values[column..].as_ptr(),
                    b_step: width,
                    copy: ptr::null_mut(),
                    depth: seen,
                    out: out[row * out_row + column..].as_mut_ptr(),
                    out_row,
                    columns: (width - column).min(PANEL),
                    start: Start::Zero,
                };
                // SAFETY: as above; a row of values is a multiple of 16 long, which is whole registers.
                unsafe { self.tile(&weighted) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded::Random;

    #[test]
    fn attention_is_the_weighted_sum_that_the_paper_defines() {
        let mut random = Random::new(1);
        for (width, context, first, rows) in [(16, 40, 0, 40), (32, 64, 5, 1), (32, 200, 63, 30), (80, 130, 100, 29)] {
            let mut bell = |count: usize| (0..count).map(|_| random.bell()).collect::<Vec<f32>>();
            let (keys, values) = (bell(context * width), bell(context * width));
            let queries = bell(rows * width);
            let mut cache = HeadCache::new(context, width);
            // In two pieces, as a prompt and what follows.
            for positions in [0..first, first..first + rows] {
                let piece = |of: &[f32]| of[positions.start * width..positions.end * width].to_vec();
                let (keys, values) = (piece(&keys), piece(&values));
                let matrix = |of| Matrix::new(of, positions.len(), width);
                cache.set(positions.start, matrix(&keys), matrix(&values));
            }
            for kernels in Kernels::available() {
                let mut out = vec![0.0; rows * width];
                let mut room = vec![0.0; score_room(context)];
                let (q, o) = (Matrix::new(&queries, rows, width), MatrixMut::new(&mut out, rows, width));
                kernels.attend(q, first, &cache, &mut room, o);
                for row in 0..rows {
                    let dot = |position: usize| -> f64 {
                        (0..width).map(|d| f64::from(queries[row * width + d] * keys[position * width + d])).sum()
                    };
                    let weights: Vec<f64> =
                        (0..=first + row).map(|position| (dot(position) / (width as f64).sqrt()).exp()).collect();
                    for d in 0..width {
                        let sum: f64 =
                            weights.iter().enumerate().map(|(at, w)| w * f64::from(values[at * width + d])).sum();
                        let want = sum / weights.iter().sum::<f64>();
                        let got = f64::from(out[row * width + d]);
                        assert!((got - want).abs() < 1e-5, "{} {got} {want} {row} {d}", kernels.name());
                    }
                }
            }
        }
    }
}
