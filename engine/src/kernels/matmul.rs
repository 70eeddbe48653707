//! The multiplication of matrices of 32-bit numbers.
//!
//! One tile serves every shape: up to six rows of the left matrix by 64 columns of the right, whose 24 sums stay in
//! registers while it walks down the depth (`tile.rs`). What it reads of the right matrix are panels of 64 columns. Weights
//! are packed so once ([`PackedMatrix`]), and one vector times weights streams through the same bytes, without a sum
//! across lanes; any other right matrix is packed a panel at a time where that pays.

use super::memory::Buffer;
use super::packed::{PANEL, PackedView};
use super::tile::{Start, Tile};
use super::{Kernels, Level, scalar};

/// A depth that is walked in one go: a panel of it, 128 KiB, leaves room in a second-level cache.
const DEPTH_BLOCK: usize = 512;

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

/// Room for one packed panel.
#[derive(Debug)]
pub struct PanelRoom(Buffer<f32>);

impl Default for PanelRoom {
    fn default() -> Self {
        Self(Buffer::zeroed(DEPTH_BLOCK * PANEL))
    }
}

impl PanelRoom {
    /// Copies `depth` rows of up to 64 columns to where each row is a panel's.
    fn pack(&mut self, b: Matrix<'_>, first_row: usize, depth: usize, first_column: usize) -> *const f32 {
        let columns = (b.columns - first_column).min(PANEL);
        let panel = &mut self.0[..depth * PANEL];
        for (k, row) in panel.chunks_exact_mut(PANEL).enumerate() {
            let from = (first_row + k) * b.row_step + first_column * b.column_step;
            if b.column_step == 1 {
                row[..columns].copy_from_slice(&b.values[from..from + columns]);
            } else {
                for (to, value) in row[..columns].iter_mut().zip(b.values[from..].iter().step_by(b.column_step)) {
                    *to = *value;
                }
            }
            row[columns..].fill(0.0);
        }
        panel.as_ptr()
    }
}

/// Whether the panels of `b` are worth copying: they are read once for every six rows, and rows far apart cost a
/// cache line and a page each.
const fn pays_to_pack(rows: usize, b: Matrix<'_>) -> bool {
    rows >= 24 && b.row_step > 2 * PANEL
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
        for first_row in (0..a.columns).step_by(DEPTH_BLOCK) {
            let depth = (a.columns - first_row).min(DEPTH_BLOCK);
            for first_column in (0..b.columns).step_by(PANEL) {
                let columns = (b.columns - first_column).min(PANEL);
                let direct = b.column_step == 1 && columns == PANEL && !pays_to_pack(a.rows, b);
                let (panel, step) = if direct {
                    (b.values[first_row * b.row_step + first_column..].as_ptr(), b.row_step)
                } else {
                    (room.pack(b, first_row, depth, first_column), PANEL)
                };
                let resume = first_row > 0 || onto == Onto::Add;
                let tile = Tile {
                    a: a.values[first_row * a.column_step..].as_ptr(),
                    a_row: a.row_step,
                    a_step: a.column_step,
                    rows: a.rows,
                    b: panel,
                    b_step: step,
                    depth,
                    out: out.values[first_column..].as_mut_ptr(),
                    out_row: out.row_step,
                    columns,
                    start: if resume { Start::Resume } else { Start::Zero },
                };
                // SAFETY: the shapes fit, each matrix was checked against its values when it was made, and a panel
                // is either packed to its full width or has it in `b`.
                unsafe { self.tile(&tile) }
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
                    rows: x.rows,
                    b: panel[first_row * PANEL..].as_ptr(),
                    b_step: PANEL,
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
