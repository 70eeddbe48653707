//! Weights in the order in which the kernels read them.

use std::ops::Range;

use super::memory::{Buffer, Depot};

/// Outputs that are computed together: four registers of sixteen.
pub const PANEL: usize = 64;

/// Inputs of a row on a cache line.
const LINE_INPUTS: usize = 16;

/// A matrix of weights in panels: `[output / 64][input][output % 64]`, the last panel filled up with zeros.
#[derive(Debug)]
pub struct PackedMatrix {
    outputs: usize,
    inputs: usize,
    values: Buffer<f32>,
}

impl PackedMatrix {
    /// Room for a matrix, all zero.
    #[must_use]
    pub fn zeroed(outputs: usize, inputs: usize) -> Self {
        Self::in_depot(outputs, inputs, &mut Depot::with_room_for(Self::room_for(outputs, inputs)))
    }

    /// The same, as a part of a larger memory.
    #[must_use]
    pub fn in_depot(outputs: usize, inputs: usize, depot: &mut Depot) -> Self {
        Self { outputs, inputs, values: depot.cut(Self::len(outputs, inputs)) }
    }

    /// Bytes of a depot that a matrix takes up.
    #[must_use]
    pub const fn room_for(outputs: usize, inputs: usize) -> usize {
        Depot::room_for::<f32>(Self::len(outputs, inputs))
    }

    const fn len(outputs: usize, inputs: usize) -> usize {
        outputs.next_multiple_of(PANEL) * inputs
    }

    /// Packs a matrix that lies row by row, a row for each output.
    ///
    /// # Panics
    /// If the values are not that many.
    #[must_use]
    pub fn of(rows: &[f32], outputs: usize, inputs: usize) -> Self {
        assert_eq!(rows.len(), outputs * inputs, "{outputs} × {inputs} weights");
        let mut packed = Self::zeroed(outputs, inputs);
        for (mut panel, rows) in packed.panels_mut().zip(rows.chunks((PANEL * inputs).max(1))) {
            panel.set(0, rows);
        }
        packed
    }

    /// The panels, to be filled.
    pub fn panels_mut(&mut self) -> impl Iterator<Item = PanelMut<'_>> {
        let (outputs, inputs) = (self.outputs, self.inputs);
        let panels = self.values.chunks_exact_mut((PANEL * inputs).max(1)).enumerate();
        panels.map(move |(at, values)| PanelMut { outputs: outputs_of(at, outputs), inputs, values })
    }

    /// Number of inputs.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Copies the weights of one output.
    pub fn read_row(&self, output: usize, row: &mut [f32]) {
        let start = output / PANEL * PANEL * self.inputs + output % PANEL;
        for (to, value) in row.iter_mut().zip(self.values[start..].iter().step_by(PANEL)) {
            *to = *value;
        }
    }

    /// The whole matrix.
    #[must_use]
    pub fn view(&self) -> PackedView<'_> {
        self.part(0..self.outputs, 0..self.inputs)
    }

    /// Some outputs and inputs of it.
    ///
    /// # Panics
    /// If the outputs do not begin at a panel, or anything is out of range.
    #[must_use]
    pub fn part(&self, outputs: Range<usize>, inputs: Range<usize>) -> PackedView<'_> {
        assert!(outputs.start.is_multiple_of(PANEL) && outputs.end <= self.outputs, "{outputs:?} of {}", self.outputs);
        assert!(inputs.end <= self.inputs, "{inputs:?} of {}", self.inputs);
        PackedView { whole: self, outputs, inputs }
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.values.len() * 4
    }
}

/// How many of so many outputs are in a panel; the last one has what is left.
pub(super) fn outputs_of(panel: usize, outputs: usize) -> usize {
    PANEL.min(outputs - panel * PANEL)
}

/// One panel of a [`PackedMatrix`] that is being filled.
#[derive(Debug)]
pub struct PanelMut<'a> {
    outputs: usize,
    inputs: usize,
    values: &'a mut [f32],
}

impl PanelMut<'_> {
    /// Number of inputs.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Sets the weights of some outputs, a row each, from the first given on.
    ///
    /// # Panics
    /// If there are more rows than outputs from there on.
    pub fn set(&mut self, first: usize, rows: &[f32]) {
        let left = self.outputs.saturating_sub(first);
        assert!(rows.len() <= left * self.inputs, "{} weights for {left} outputs", rows.len());
        // What a cache line of each row becomes stays in the first cache until it is whole.
        for (index, to) in self.values.chunks_mut(LINE_INPUTS * PANEL).enumerate() {
            for (output, row) in rows.chunks_exact(self.inputs).enumerate() {
                for (inputs, value) in to.chunks_exact_mut(PANEL).zip(&row[index * LINE_INPUTS..]) {
                    inputs[first + output] = *value;
                }
            }
        }
    }
}

/// Some outputs and inputs of a [`PackedMatrix`].
#[derive(Clone, Debug)]
pub struct PackedView<'a> {
    whole: &'a PackedMatrix,
    outputs: Range<usize>,
    inputs: Range<usize>,
}

impl<'a> PackedView<'a> {
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

    /// The weight from an input to an output.
    #[must_use]
    pub fn at(&self, output: usize, input: usize) -> f32 {
        let (output, input) = (self.outputs.start + output, self.inputs.start + input);
        self.whole.values[(output / PANEL * self.whole.inputs + input) * PANEL + output % PANEL]
    }

    /// The panels, each `[input][64]`.
    pub(super) fn panels(&self) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let whole = self.whole;
        let inputs = self.inputs.clone();
        let panels = self.outputs.start / PANEL..self.outputs.end.div_ceil(PANEL);
        panels.map(move |panel| {
            let start = panel * whole.inputs;
            &whole.values[(start + inputs.start) * PANEL..(start + inputs.end) * PANEL]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_matrix_gives_back_what_was_put_in() {
        let (outputs, inputs) = (70, 5);
        let rows: Vec<f32> = (0..350_u16).map(f32::from).collect();
        let packed = PackedMatrix::of(&rows, outputs, inputs);
        let view = packed.view();
        for (index, value) in rows.iter().enumerate() {
            assert_eq!(view.at(index / inputs, index % inputs), *value);
        }
        let part = packed.part(64..70, 2..4);
        assert_eq!((part.outputs(), part.inputs(), part.at(1, 0)), (6, 2, rows[65 * 5 + 2]));
        let mut row = [0.0; 5];
        packed.read_row(66, &mut row);
        assert_eq!(row, rows[330..335]);
    }

    #[test]
    #[should_panic(expected = "5 weights for 0 outputs")]
    fn nor_any_row_beyond_them() {
        let mut packed = PackedMatrix::zeroed(70, 5);
        packed.panels_mut().last().unwrap().set(8, &[1.0; 5]);
    }

    #[test]
    #[should_panic(expected = "35 weights for 6 outputs")]
    fn the_last_panel_takes_no_more_rows_than_it_has_outputs() {
        let mut packed = PackedMatrix::zeroed(70, 5);
        let mut last = packed.panels_mut().last().unwrap();
        last.set(0, &[1.0; 30]);
        last.set(5, &[1.0; 5]);
        last.set(0, &[1.0; 35]);
    }
}
