//! Copies of a product's factors, in the order in which a tile reads them.

use super::Kernels;
use super::lanes::Lanes;
use super::matmul::Matrix;
use super::memory::Buffer;
use super::packed::PANEL;
use super::tile::ROWS;

/// A depth that is walked in one go: a panel of it, 128 KiB, leaves room in a second-level cache.
pub(super) const DEPTH_BLOCK: usize = 512;

/// Most rows of the left matrix that are taken together: a quarter of a megabyte of them stays in a second-level cache from panel to panel.
pub(super) const ROW_BLOCK: usize = 21 * ROWS;

/// Panels of the right matrix that are copied before so many rows are multiplied with them that they are more than a block.
pub(super) const GROUP: usize = 8;

/// Numbers of a panel.
const PANEL_ROOM: usize = DEPTH_BLOCK * PANEL;

/// From six rows to the next six: not a multiple of 4 KiB, which would lay all of them into the same part of a cache.
pub(super) const SIX_ROWS: usize = DEPTH_BLOCK * ROWS + 16;

/// Room for copies of the factors: for one panel, until a product wants more.
#[derive(Debug)]
pub struct PanelRoom {
    left: Buffer<f32>,
    right: Buffer<f32>,
}

impl Default for PanelRoom {
    fn default() -> Self {
        Self { left: Buffer::zeroed(0), right: Buffer::zeroed(PANEL_ROOM) }
    }
}

impl PanelRoom {
    /// Sees to it that there is room for so many panels.
    pub(super) fn reserve(&mut self, panels: usize) {
        if self.right.len() < panels * PANEL_ROOM {
            self.right = Buffer::zeroed(GROUP * PANEL_ROOM);
        }
    }

    /// Copies some depths of a panel of `b`, whose columns may be fewer than a panel's.
    pub(super) fn pack_right(
        &mut self,
        kernels: Kernels,
        panel: usize,
        b: Matrix<'_>,
        (first_row, depth): (usize, usize),
        first_column: usize,
    ) {
        let to = &mut self.right[panel * PANEL_ROOM..][..depth * PANEL];
        let columns = (b.columns() - first_column).min(PANEL);
        let from = b.from(first_row, first_column);
        if b.is_transposed() {
            kernels.turn(from, b.column_step(), columns, depth, to, PANEL);
        } else {
            for (row, to) in to.chunks_exact_mut(PANEL).enumerate() {
                to[..columns].copy_from_slice(&from[row * b.row_step()..][..columns]);
            }
        }
        if columns < PANEL {
            to.chunks_exact_mut(PANEL).for_each(|row| row[columns..].fill(0.0));
        }
    }

    /// Copies some depths of some rows of a transposed matrix: six rows together, one depth after the other.
    pub(super) fn pack_left(
        &mut self,
        a: Matrix<'_>,
        (first_row, rows): (usize, usize),
        (first, depth): (usize, usize),
    ) -> *const f32 {
        if self.left.is_empty() {
            self.left = Buffer::zeroed(ROW_BLOCK / ROWS * SIX_ROWS);
        }
        for k in 0..depth {
            let (sixes, rest) = a.from(first_row, first + k)[..rows].as_chunks::<ROWS>();
            let mut places = self.left.chunks_exact_mut(SIX_ROWS).map(|six| &mut six[k * ROWS..][..ROWS]);
            for (six, to) in sixes.iter().zip(&mut places) {
                to.copy_from_slice(six);
            }
            if let (Some(to), false) = (places.next(), rest.is_empty()) {
                to[..rest.len()].copy_from_slice(rest);
            }
        }
        self.left.as_ptr()
    }

    /// The place of a panel.
    pub(super) fn right(&mut self, panel: usize) -> &mut [f32] {
        &mut self.right[panel * PANEL_ROOM..]
    }
}

/// to[column][row] = from[row][column], for rows of both that begin so far apart.
#[inline(always)]
pub(super) unsafe fn turn<L: Lanes>(
    from: &[f32],
    from_step: usize,
    rows: usize,
    columns: usize,
    to: &mut [f32],
    to_step: usize,
) {
    let whole = (rows / L::COUNT * L::COUNT, columns / L::COUNT * L::COUNT);
    for column in (0..whole.1).step_by(L::COUNT) {
        for row in (0..whole.0).step_by(L::COUNT) {
            let (from, to) = (&from[row * from_step + column..], &mut to[column * to_step + row..]);
            assert!(
                from.len() >= (L::COUNT - 1) * from_step + L::COUNT && to.len() >= (L::COUNT - 1) * to_step + L::COUNT
            );
            // SAFETY: the last row of either square ends within its slice; the caller is on a processor that has L.
            unsafe { L::turn(from.as_ptr(), from_step, to.as_mut_ptr(), to_step) }
        }
    }
    for column in 0..columns {
        let first = if column < whole.1 { whole.0 } else { 0 };
        for row in first..rows {
            to[column * to_step + row] = from[row * from_step + column];
        }
    }
}
