//! The weights of a model as files and papers have them: each tensor row by row, in 32-bit numbers.
//!
//! Training changes them, files are written from them, and [`Source`] is how anything else reads them: row by row, so
//! that a large model is never in memory twice.

use std::convert::Infallible;
use std::ops::Range;

use crate::q8::{BLOCK, Block};
use crate::seeded;
use crate::shape::{Head, Part, Shape, Tensor};

/// Whatever can deliver the tensors of a model, some rows at a time.
pub trait Source {
    /// Why rows could not be delivered.
    type Error;

    /// The shape of the model.
    fn shape(&self) -> Shape;

    /// Fills `out` with consecutive rows of a tensor, from `first_row` on.
    fn read_rows(&mut self, tensor: Tensor, first_row: usize, out: &mut [f32]) -> Result<(), Self::Error>;

    /// The same, quantised; a source that has blocks hands out its own.
    fn read_blocks(&mut self, tensor: Tensor, first_row: usize, out: &mut [Block]) -> Result<(), Self::Error> {
        let columns = self.shape().extent(tensor).columns;
        let mut row = vec![0.0; columns];
        for (index, blocks) in out.chunks_exact_mut(columns / BLOCK).enumerate() {
            self.read_rows(tensor, first_row + index, &mut row)?;
            for (block, weights) in blocks.iter_mut().zip(row.as_chunks().0) {
                *block = Block::of(weights);
            }
        }
        Ok(())
    }
}

/// All weights of a model, one tensor after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    shape: Shape,
    starts: Vec<usize>,
    values: Vec<f32>,
}

impl Weights {
    /// Weights that are all zero; gradients and an optimiser's moments have the same form.
    #[must_use]
    pub fn zeros(shape: Shape) -> Self {
        let mut starts = vec![0];
        let mut end = 0;
        for tensor in shape.tensors() {
            end += shape.extent(tensor).len();
            starts.push(end);
        }
        Self { shape, starts, values: vec![0.0; end] }
    }

    /// Reads everything that a source has.
    pub fn read<S: Source>(source: &mut S) -> Result<Self, S::Error> {
        let mut weights = Self::zeros(source.shape());
        for tensor in weights.shape.tensors() {
            source.read_rows(tensor, 0, weights.tensor_mut(tensor))?;
        }
        Ok(weights)
    }

    /// Initial weights that follow from a seed alone.
    #[must_use]
    pub fn seeded(shape: Shape, seed: u64) -> Self {
        match Self::read(&mut Seeded::new(shape, seed)) {
            Ok(weights) => weights,
            Err(never) => match never {},
        }
    }

    /// The shape of the model.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The values of one tensor.
    #[must_use]
    pub fn tensor(&self, tensor: Tensor) -> &[f32] {
        &self.values[self.range(tensor)]
    }

    /// The values of one tensor, to be changed.
    pub fn tensor_mut(&mut self, tensor: Tensor) -> &mut [f32] {
        let range = self.range(tensor);
        &mut self.values[range]
    }

    /// The values of all tensors.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values of all tensors, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Where a tensor stands among the values. A tied head is the token embedding.
    ///
    /// # Panics
    /// If the model has no such layer.
    #[must_use]
    pub fn range(&self, tensor: Tensor) -> Range<usize> {
        let tail = 2 + self.shape.layers() * Part::ALL.len();
        let index = match tensor {
            Tensor::TokenEmbedding => 0,
            Tensor::PositionEmbedding => 1,
            Tensor::Layer(layer, part) => {
                assert!(layer < self.shape.layers(), "a model of {} layers has no layer {layer}", self.shape.layers());
                2 + layer * Part::ALL.len() + part as usize
            }
            Tensor::FinalNormGain => tail,
            Tensor::FinalNormBias => tail + 1,
            Tensor::Head => match self.shape.head() {
                Head::Own => tail + 2,
                Head::Tied => 0,
            },
        };
        self.starts[index]..self.starts[index + 1]
    }
}

/// Reading from weights in memory.
impl Source for &Weights {
    type Error = Infallible;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read_rows(&mut self, tensor: Tensor, first_row: usize, out: &mut [f32]) -> Result<(), Infallible> {
        let start = first_row * self.shape.extent(tensor).columns;
        out.copy_from_slice(&self.tensor(tensor)[start..][..out.len()]);
        Ok(())
    }
}

/// Initial weights made on the fly from a seed.
///
/// Spread as GPT-2's, save that gains and biases are not all alike: a model in which they are would hide a
/// forgotten bias from every comparison.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    shape: Shape,
    seed: u64,
}

impl Seeded {
    /// The source of the weights that belong to a shape and a seed.
    #[must_use]
    pub const fn new(shape: Shape, seed: u64) -> Self {
        Self { shape, seed }
    }
}

impl Source for Seeded {
    type Error = Infallible;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read_rows(&mut self, tensor: Tensor, first_row: usize, out: &mut [f32]) -> Result<(), Infallible> {
        const DEVIATION: f32 = 0.02;
        // Each block adds to the stream twice; the sum keeps its size if each addition is this much smaller.
        let residual = DEVIATION / ((2 * self.shape.layers()) as f32).sqrt();
        let (mean, deviation, number) = match tensor {
            Tensor::TokenEmbedding => (0.0, DEVIATION, 0),
            Tensor::PositionEmbedding => (0.0, DEVIATION, 1),
            Tensor::FinalNormGain => (1.0, DEVIATION, 2),
            Tensor::FinalNormBias => (0.0, DEVIATION, 3),
            Tensor::Head => (0.0, DEVIATION, if self.shape.head() == Head::Own { 4 } else { 0 }),
            Tensor::Layer(layer, part) => {
                let mean = matches!(part, Part::AttentionNormGain | Part::ForwardNormGain);
                let smaller = matches!(part, Part::ProjectionWeight | Part::DownWeight);
                let number = 5 + layer * Part::ALL.len() + part as usize;
                (f32::from(u8::from(mean)), if smaller { residual } else { DEVIATION }, number)
            }
        };
        let seed = seeded::Random::new(self.seed.wrapping_add((number as u64) << 32)).bits();
        seeded::fill_bell(seed, first_row * self.shape.extent(tensor).columns, deviation, out);
        if mean != 0.0 {
            for value in out {
                *value += mean;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_cover_all_values_without_overlap() {
        for (_, shape) in Shape::NAMED.into_iter().take(3) {
            let weights = Weights::zeros(shape);
            let mut end = 0;
            for tensor in shape.tensors() {
                assert_eq!(weights.range(tensor), end..end + shape.extent(tensor).len(), "{tensor}");
                end = weights.range(tensor).end;
            }
            assert_eq!(end, shape.parameter_count());
        }
    }

    #[test]
    fn a_seed_makes_the_same_weights_again_and_another_seed_others() {
        let weights = Weights::seeded(Shape::TINY, 1);
        assert_eq!(weights, Weights::seeded(Shape::TINY, 1));
        assert_ne!(weights, Weights::seeded(Shape::TINY, 2));
        assert!(weights.values().iter().all(|value| value.is_finite()));
    }

    #[test]
    fn rows_read_alone_are_those_of_the_whole() {
        let weights = Weights::seeded(Shape::TINY, 5);
        let mut rows = vec![0.0; 3 * 64];
        let Ok(()) = Seeded::new(Shape::TINY, 5).read_rows(Tensor::Head, 10, &mut rows);
        assert_eq!(rows, weights.tensor(Tensor::Head)[640..832]);
    }
}
