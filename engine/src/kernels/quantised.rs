//! Quantised weights and activations, and their product.
//!
//! A dot product of bytes needs one operand without a sign. Weights are stored as step + 128; each sum then begins at
//! −128 times the sum of the activations' steps, which is computed once for a block of activations. Panels are
//! `[block][4 inputs × 8][64 outputs][4 inputs]` with the block's 64 scales behind it, so that the product reads one
//! stream from its first byte to its last.

use std::ops::Range;

use super::lanes::Lanes;
use super::matmul::{Matrix, MatrixMut};
use super::memory::{Buffer, Depot};
use super::packed::{PANEL, outputs_of};
use super::{Kernels, Level, scalar};
use crate::half::from_half;
use crate::q8::{BLOCK, Block};

/// Bytes of a panel's weights for one block of inputs.
pub(super) const WEIGHT_BYTES: usize = BLOCK * PANEL;
/// The same with their 16-bit scales.
pub(super) const PANEL_BLOCK: usize = WEIGHT_BYTES + 2 * PANEL;

/// A matrix of Q8_0 weights in panels.
#[derive(Debug)]
pub struct PackedQ8 {
    outputs: usize,
    inputs: usize,
    bytes: Buffer<u8>,
}

impl PackedQ8 {
    /// Room for a matrix, all zero.
    ///
    /// # Panics
    /// If the inputs are no whole number of blocks.
    #[must_use]
    pub fn zeroed(outputs: usize, inputs: usize) -> Self {
        Self::in_depot(outputs, inputs, &mut Depot::with_room_for(Self::room_for(outputs, inputs)))
    }

    /// The same, as a part of a larger memory.
    ///
    /// # Panics
    /// If the inputs are no whole number of blocks.
    #[must_use]
    pub fn in_depot(outputs: usize, inputs: usize, depot: &mut Depot) -> Self {
        assert!(inputs.is_multiple_of(BLOCK), "{inputs} inputs are no whole number of blocks");
        Self { outputs, inputs, bytes: depot.cut(Self::len(outputs, inputs)) }
    }

    /// Bytes of a depot that a matrix takes up.
    #[must_use]
    pub const fn room_for(outputs: usize, inputs: usize) -> usize {
        Depot::room_for::<u8>(Self::len(outputs, inputs))
    }

    const fn len(outputs: usize, inputs: usize) -> usize {
        outputs.div_ceil(PANEL) * (inputs / BLOCK) * PANEL_BLOCK
    }

    /// Packs blocks that lie row by row, a row for each output.
    ///
    /// # Panics
    /// If the blocks are not that many.
    #[must_use]
    pub fn of(blocks: &[Block], outputs: usize, inputs: usize) -> Self {
        assert_eq!(blocks.len() * BLOCK, outputs * inputs, "{outputs} × {inputs} weights");
        let mut packed = Self::zeroed(outputs, inputs);
        for (mut panel, rows) in packed.panels_mut().zip(blocks.chunks((PANEL * inputs / BLOCK).max(1))) {
            panel.set(rows);
        }
        packed
    }

    /// The panels, to be filled.
    pub fn panels_mut(&mut self) -> impl Iterator<Item = Q8PanelMut<'_>> {
        let (outputs, blocks) = (self.outputs, self.inputs / BLOCK);
        let panels = self.bytes.chunks_exact_mut((blocks * PANEL_BLOCK).max(1)).enumerate();
        panels.map(move |(at, bytes)| Q8PanelMut { outputs: outputs_of(at, outputs), blocks, bytes })
    }

    /// Number of inputs.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Copies the weights of one output.
    pub fn read_row(&self, output: usize, row: &mut [f32]) {
        for (index, out) in row.chunks_exact_mut(BLOCK).enumerate() {
            out.copy_from_slice(&self.block(output, index).weights());
        }
    }

    /// A block of the weights of one output.
    #[must_use]
    pub fn block(&self, output: usize, index: usize) -> Block {
        let (panel, lane) = (output / PANEL, output % PANEL);
        let at = &self.bytes[(panel * (self.inputs / BLOCK) + index) * PANEL_BLOCK..][..PANEL_BLOCK];
        let mut block = Block::ZERO;
        for (group, steps) in at.chunks_exact(4 * PANEL).zip(block.steps.chunks_exact_mut(4)) {
            for (step, byte) in steps.iter_mut().zip(&group[4 * lane..]) {
                *step = (byte ^ 0x80).cast_signed();
            }
        }
        let scale = &at[WEIGHT_BYTES + 2 * lane..];
        block.scale = u16::from_le_bytes([scale[0], scale[1]]);
        block
    }

    /// Some outputs and inputs of it.
    ///
    /// # Panics
    /// If the outputs do not begin at a panel or the inputs not at a block, or anything is out of range.
    #[must_use]
    pub fn part(&self, outputs: Range<usize>, inputs: Range<usize>) -> Q8View<'_> {
        assert!(outputs.start.is_multiple_of(PANEL) && outputs.end <= self.outputs, "{outputs:?} of {}", self.outputs);
        let blocks = inputs.start.is_multiple_of(BLOCK) && inputs.end.is_multiple_of(BLOCK);
        assert!(blocks && inputs.end <= self.inputs, "{inputs:?} of {}", self.inputs);
        Q8View { whole: self, outputs, inputs }
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// One panel of a [`PackedQ8`] that is being filled.
#[derive(Debug)]
pub struct Q8PanelMut<'a> {
    outputs: usize,
    blocks: usize,
    bytes: &'a mut [u8],
}

impl Q8PanelMut<'_> {
    /// Number of inputs.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.blocks * BLOCK
    }

    /// Sets the weights of its first outputs, a row each.
    ///
    /// # Panics
    /// If there are more rows than outputs.
    pub fn set(&mut self, rows: &[Block]) {
        assert!(rows.len() <= self.outputs * self.blocks, "{} blocks for {} outputs", rows.len(), self.outputs);
        for (index, to) in self.bytes.chunks_exact_mut(PANEL_BLOCK).enumerate() {
            let (weights, scales) = to.split_at_mut(WEIGHT_BYTES);
            for (lane, row) in rows.chunks_exact(self.blocks).enumerate() {
                let block = &row[index];
                for (group, steps) in weights.chunks_exact_mut(4 * PANEL).zip(block.steps.as_chunks::<4>().0) {
                    let unsigned = steps.map(|step| step.cast_unsigned() ^ 0x80);
                    group[4 * lane..4 * lane + 4].copy_from_slice(&unsigned);
                }
                scales[2 * lane..2 * lane + 2].copy_from_slice(&block.scale.to_le_bytes());
            }
        }
    }
}

/// Some outputs and inputs of a [`PackedQ8`].
#[derive(Clone, Debug)]
pub struct Q8View<'a> {
    whole: &'a PackedQ8,
    outputs: Range<usize>,
    inputs: Range<usize>,
}

impl<'a> Q8View<'a> {
    /// Number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Number of inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    pub(super) fn block(&self, output: usize, index: usize) -> Block {
        self.whole.block(self.outputs.start + output, self.inputs.start / BLOCK + index)
    }

    fn panels(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let whole = self.whole;
        let in_row = whole.inputs / BLOCK;
        let blocks = self.inputs.start / BLOCK..self.inputs.end / BLOCK;
        let panels = self.outputs.start / PANEL..self.outputs.end.div_ceil(PANEL);
        panels.map(move |panel| {
            let start = panel * in_row;
            &whole.bytes[(start + blocks.start) * PANEL_BLOCK..(start + blocks.end) * PANEL_BLOCK]
        })
    }
}

/// Rows of activations as bytes, with a scale for each block.
#[derive(Debug)]
pub struct Quantised {
    rows: usize,
    columns: usize,
    steps: Buffer<i8>,
    scales: Buffer<f32>,
    /// −128 times the sum of a block's steps.
    corrections: Buffer<i32>,
}

impl Quantised {
    /// Room for so many activations.
    #[must_use]
    pub fn with_room_for(activations: usize) -> Self {
        let blocks = activations.div_ceil(BLOCK);
        let (steps, scales) = (Buffer::zeroed(blocks * BLOCK), Buffer::zeroed(blocks));
        Self { rows: 0, columns: 0, steps, scales, corrections: Buffer::zeroed(blocks) }
    }

    /// How many activations there is room for.
    #[must_use]
    pub fn room(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn at(&self, row: usize, index: usize) -> (&[i8], f32) {
        let block = row * (self.columns / BLOCK) + index;
        (&self.steps[block * BLOCK..][..BLOCK], self.scales[block])
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }
}

/// One panel's share of a product of quantised matrices.
#[derive(Clone, Copy)]
pub(super) struct Q8Tile {
    pub(super) steps: *const i8,
    pub(super) scales: *const f32,
    pub(super) corrections: *const i32,
    pub(super) rows: usize,
    pub(super) blocks: usize,
    pub(super) panel: *const u8,
    pub(super) out: *mut f32,
    pub(super) out_row: usize,
    pub(super) columns: usize,
    /// One number a column, or null.
    pub(super) bias: *const f32,
}

impl Kernels {
    /// Quantises rows of activations.
    ///
    /// # Panics
    /// If there is no room for them, or the columns are no whole number of blocks.
    pub fn quantise(self, x: Matrix<'_>, out: &mut Quantised) {
        let blocks = x.columns().is_multiple_of(BLOCK) && x.rows() * x.columns() <= out.room();
        assert!(blocks, "{} rows of {} in room for {}", x.rows(), x.columns(), out.room());
        (out.rows, out.columns) = (x.rows(), x.columns());
        let in_row = x.columns() / BLOCK;
        for row in 0..x.rows() {
            let places = row * in_row..(row + 1) * in_row;
            let steps = &mut out.steps[places.start * BLOCK..places.end * BLOCK];
            let (scales, corrections) = (&mut out.scales[places.clone()], &mut out.corrections[places]);
            self.quantise_row(x.row(row), steps, scales, corrections);
        }
    }

    /// out = x · weightsᵀ + bias, both quantised.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn matmul_q8(self, x: &Quantised, weights: &Q8View<'_>, bias: Option<&[f32]>, out: MatrixMut<'_>) {
        let fits = x.columns == weights.inputs() && out.rows() == x.rows && out.columns() == weights.outputs();
        assert!(fits, "{}×{} by {} outputs of {}", x.rows, x.columns, weights.outputs(), weights.inputs());
        assert!(bias.is_none_or(|bias| bias.len() == weights.outputs()), "one bias for each output");
        if self.level == Level::Scalar {
            return scalar::matmul_q8(x, weights, bias, out);
        }
        let (columns, out_row) = (out.columns(), out.row_step());
        let out = out.into_values();
        for (index, panel) in weights.panels().enumerate() {
            let first_column = index * PANEL;
            let tile = Q8Tile {
                steps: x.steps.as_ptr(),
                scales: x.scales.as_ptr(),
                corrections: x.corrections.as_ptr(),
                rows: x.rows,
                blocks: x.columns / BLOCK,
                panel: panel.as_ptr(),
                out: out[first_column..].as_mut_ptr(),
                out_row,
                columns: (columns - first_column).min(PANEL),
                bias: bias.map_or(std::ptr::null(), |bias| bias[first_column..].as_ptr()),
            };
            // SAFETY: the shapes fit, and the output was checked against its values when it was made.
            unsafe { self.q8_tile(&tile) }
        }
    }
}

/// Quantises one row: steps, scales, and what corrects for the weights' shift.
#[inline(always)]
pub(super) unsafe fn quantise_row<L: Lanes>(x: &[f32], steps: &mut [i8], scales: &mut [f32], corrections: &mut [i32]) {
    let (from, to) = (x.as_ptr(), steps.as_mut_ptr());
    for (index, (scale, correction)) in scales.iter_mut().zip(corrections).enumerate() {
        // SAFETY: there are as many scales as blocks in `x` and in `steps`.
        unsafe {
            let (from, to) = (from.add(index * BLOCK), to.add(index * BLOCK));
            let mut largest = L::splat(0.0);
            for at in (0..BLOCK).step_by(L::COUNT) {
                largest = L::max(largest, L::abs(L::load(from.add(at))));
            }
            let largest = L::largest(largest);
            *scale = L::to_half_and_back(largest / 127.0);
            let inverse = L::splat(if largest > 0.0 { 127.0 / largest } else { 0.0 });
            let mut sum = L::splat(0.0);
            for at in (0..BLOCK).step_by(L::COUNT) {
                let rounded = L::round(L::mul(L::load(from.add(at)), inverse));
                L::store_bytes(to.add(at), rounded);
                sum = L::add(sum, rounded);
            }
            *correction = L::sum_of_whole(sum).wrapping_mul(-128);
        }
    }
}

/// The scale of a 16-bit pattern, for the plain twin.
pub(super) fn scale_of(block: &Block) -> f32 {
    from_half(block.scale)
}
