//! The multiplication of matrices of 32-bit numbers.
//!
//! One tile serves every shape: up to six rows of the left matrix by 64 columns of the right, whose 24 sums stay in
//! registers while it walks down the depth (`tile.rs`). What it reads of the right matrix are panels of 64 columns. Weights
//! are packed so once ([`PackedMatrix`]), and one vector times weights streams through the same bytes, without a sum
//! across lanes; any other right matrix is packed a panel at a time where that pays.

use std::ptr;

use super::factors::{DEPTH_BLOCK, GROUP, PanelRoom, ROW_BLOCK, SIX_ROWS};
use super::packed::{PANEL, PackedView};
use super::tile::{ROWS, Start, Tile};
use super::{Kernels, Level, scalar};

/// A matrix to be read: any stride between rows and between columns, so a transposed one is the same numbers.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a> Matrix<'a> {
    /// Rows one after the other.
    ///
    /// # Panics
    /// If the values are fewer than that.
    #[must_use]
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(values, rows, columns, columns)
    }

    /// Rows that begin `row_step` apart.
    ///
    /// # Panics
    /// If the last row would end past the values.
    #[must_use]
    pub fn strided(values: &'a [f32], rows: usize, columns: usize, row_step: usize) -> Self {
        assert!(fits(values.len(), rows, columns, row_step), "{rows} rows of {columns} in {}", values.len());
        Self { values, rows, columns, row_step, column_step: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row_step: self.column_step, column_step: self.row_step, ..self }
    }

    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    pub(super) const fn row_step(&self) -> usize {
        self.row_step
    }

    pub(super) const fn column_step(&self) -> usize {
        self.column_step
    }

    /// Whether it is columns that lie together.
    pub(super) const fn is_transposed(&self) -> bool {
        self.column_step != 1
    }

    /// The values from a place on.
    pub(super) fn from(&self, row: usize, column: usize) -> &'a [f32] {
        &self.values[row * self.row_step + column * self.column_step..]
    }

    /// One row.
    ///
    /// # Panics
    /// If the matrix is transposed, so that its rows do not lie together.
    #[must_use]
    pub fn row(&self, row: usize) -> &'a [f32] {
        assert!(self.column_step == 1, "the rows of a transposed matrix are apart");
        &self.values[row * self.row_step..][..self.columns]
    }

    /// The number at a place.
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.row_step + column * self.column_step]
    }
}

/// A matrix to be written, row by row.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    values: &'a mut [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
}

impl<'a> MatrixMut<'a> {
    /// Rows one after the other.
    ///
    /// # Panics
    /// If the values are fewer than that.
    #[must_use]
    pub fn new(values: &'a mut [f32], rows: usize, columns: usize) -> Self {
        Self::strided(values, rows, columns, columns)
    }

    /// Rows that begin `row_step` apart.
    ///
    /// # Panics
    /// If the last row would end past the values, or rows overlap.
    #[must_use]
    pub fn strided(values: &'a mut [f32], rows: usize, columns: usize, row_step: usize) -> Self {
        assert!(fits(values.len(), rows, columns, row_step), "{rows} rows of {columns} in {}", values.len());
        Self { values, rows, columns, row_step }
    }

    /// Number of columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    pub(super) const fn row_step(&self) -> usize {
        self.row_step
    }

    pub(super) const fn into_values(self) -> &'a mut [f32] {
        self.values
    }

    fn clear(self) {
        for row in 0..self.rows {
            self.values[row * self.row_step..][..self.columns].fill(0.0);
        }
    }

    pub(super) fn at_mut(&mut self, row: usize, column: usize) -> &mut f32 {
        &mut self.values[row * self.row_step + column]
    }
}

const fn fits(len: usize, rows: usize, columns: usize, row_step: usize) -> bool {
    rows == 0 || columns == 0 || (row_step >= columns && (rows - 1) * row_step + columns <= len)
}

/// What a product does to the place where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onto {
    /// It replaces what is there.
    Replace,
    /// It is added to what is there.
    Add,
}

/// Whether the panels of `b` are worth copying: they are read once for every six rows, and rows far apart cost a
/// cache line and a page each, or two lines for every register where they do not begin with a line.
fn pays_to_pack(rows: usize, b: Matrix<'_>) -> bool {
    let on_lines = (b.values.as_ptr().addr() | (4 * b.row_step)).is_multiple_of(64);
    rows >= 24 && (b.row_step > 2 * PANEL || (b.row_step > PANEL && !on_lines))
}

impl Kernels {
    /// out = a · b, or out += a · b.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn matmul(self, a: Matrix<'_>, b: Matrix<'_>, onto: Onto, out: MatrixMut<'_>, room: &mut PanelRoom) {
        assert!(
            a.columns == b.rows && out.rows == a.rows && out.columns == b.columns,
            "{}×{} by {}×{} does not make {}×{}",
            a.rows,
            a.columns,
            b.rows,
            b.columns,
            out.rows,
            out.columns
        );
        if self.level == Level::Scalar {
            return scalar::matmul(a, |k, column| b.at(k, column), onto, out);
        }
        if a.columns == 0 && onto == Onto::Replace {
            return out.clear();
        }
        // Where all rows are one block, a panel is used up while it is still in the caches.
        let group = if a.rows > ROW_BLOCK { GROUP } else { 1 };
        let block = a.rows.max(1).div_ceil(a.rows.max(1).div_ceil(ROW_BLOCK)).next_multiple_of(ROWS);
        let (turned, copied) = (a.is_transposed() && b.columns > PANEL, pays_to_pack(a.rows, b));
        for first in (0..a.columns).step_by(DEPTH_BLOCK) {
            let depth = (a.columns - first).min(DEPTH_BLOCK);
            let start = if first > 0 || onto == Onto::Add { Start::Resume } else { Start::Zero };
            for first_column in (0..b.columns).step_by(group * PANEL) {
                let panels = (first_column..b.columns).step_by(PANEL).take(group);
                room.reserve(panels.len());
                for top in (0..a.rows).step_by(block) {
                    let rows = (a.rows - top).min(block);
                    let (left, steps) = if turned {
                        (room.pack_left(a, (top, rows), (first, depth)), (1, ROWS, SIX_ROWS))
                    } else {
                        (a.from(top, first).as_ptr(), (a.row_step, a.column_step, ROWS * a.row_step))
                    };
                    for (panel, column) in panels.clone().enumerate() {
                        let columns = (b.columns - column).min(PANEL);
                        let whole = columns == PANEL && !b.is_transposed();
                        if top == 0 && !whole {
                            room.pack_right(self, panel, b, (first, depth), column);
                        }
                        let here = whole && (top == 0 || !copied);
                        let copy = if here && copied { room.right(panel).as_mut_ptr() } else { ptr::null_mut() };
                        let (right, right_step) = if here {
                            (b.from(first, column).as_ptr(), b.row_step)
                        } else {
                            (room.right(panel).as_ptr(), PANEL)
                        };
                        let tile = Tile {
                            a: left,
                            a_row: steps.0,
                            a_step: steps.1,
                            a_rows: steps.2,
                            rows,
                            b: right,
                            b_step: right_step,
                            copy,
                            depth,
                            out: out.values[top * out.row_step + column..].as_mut_ptr(),
                            out_row: out.row_step,
                            columns,
                            start,
                        };
                        // SAFETY: the shapes fit, each matrix was checked against its values when it was made, and a panel
                        // is either packed to its full width or has it in `b`, from where it is copied to room for a whole one.
                        unsafe { self.tile(&tile) }
                    }
                }
            }
        }
    }

    /// out = x · weightsᵀ + bias, with packed weights.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn matmul_packed(self, x: Matrix<'_>, weights: &PackedView<'_>, bias: Option<&[f32]>, out: MatrixMut<'_>) {
        assert!(
            x.columns == weights.inputs() && out.rows == x.rows && out.columns == weights.outputs(),
            "{}×{} by {} outputs of {} does not make {}×{}",
            x.rows,
            x.columns,
            weights.outputs(),
            weights.inputs(),
            out.rows,
            out.columns
        );
        assert!(bias.is_none_or(|bias| bias.len() == weights.outputs()), "one bias for each output");
        if self.level == Level::Scalar {
            return scalar::matmul_packed(x, weights, bias, out);
        }
        for (index, panel) in weights.panels().enumerate() {
            let first_column = index * PANEL;
            for first_row in (0..x.columns).step_by(DEPTH_BLOCK) {
                let start = match bias {
                    _ if first_row > 0 => Start::Resume,
                    Some(bias) => Start::Bias(bias[first_column..].as_ptr()),
                    None => Start::Zero,
                };
                let tile = Tile {
                    a: x.values[first_row * x.column_step..].as_ptr(),
                    a_row: x.row_step,
                    a_step: x.column_step,
                    a_rows: ROWS * x.row_step,
                    rows: x.rows,
                    b: panel[first_row * PANEL..].as_ptr(),
                    b_step: PANEL,
                    copy: ptr::null_mut(),
                    depth: (x.columns - first_row).min(DEPTH_BLOCK),
                    out: out.values[first_column..].as_mut_ptr(),
                    out_row: out.row_step,
                    columns: (out.columns - first_column).min(PANEL),
                    start,
                };
                // SAFETY: as above; a packed panel has its full width at each depth.
                unsafe { self.tile(&tile) }
            }
        }
    }
}
