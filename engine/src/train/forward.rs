//! The way forward, with everything kept that the way back needs.

use super::tape::Learner;
use super::text::Lesson;
use crate::kernels::{Kernels, Matrix, MatrixMut, Onto, PanelRoom};
use crate::shape::{Part, Shape, Tensor};
use crate::weights::Weights;

/// The vectors of one head among the queries, keys and values of a sequence: where they begin, and how far apart they
/// are.
pub(super) struct Heads {
    pub(super) width: usize,
    pub(super) row: usize,
    length: usize,
}

impl Heads {
    pub(super) const fn of(shape: Shape, length: usize) -> Self {
        Self { width: shape.head_width(), row: 3 * shape.width(), length }
    }

    /// A third of the rows: 0 for queries, 1 for keys, 2 for values.
    pub(super) fn third<'a>(&self, qkv: &'a [f32], sequence: usize, head: usize, third: usize) -> Matrix<'a> {
        Matrix::strided(&qkv[self.start(sequence, head, third)..], self.length, self.width, self.row)
    }

    pub(super) const fn start(&self, sequence: usize, head: usize, third: usize) -> usize {
        sequence * self.length * self.row + third * self.row / 3 + head * self.width
    }
}

impl Learner {
    /// Computes the logits of every token, turns them into gradients times `scale`, and returns the sum of −ln p.
    pub(super) fn forward(&mut self, weights: &Weights, lesson: &Lesson, scale: f32) -> f64 {
        let rows = lesson.tokens();
        self.embed(weights, lesson);
        for layer in 0..self.shape.layers() {
            self.attention(weights, layer, lesson);
            self.feed_forward(weights, layer, rows);
        }
        self.head(weights, rows);
        let vocabulary = self.shape.vocabulary();
        let rows = self.logits.chunks_exact_mut(vocabulary);
        let losses = rows.zip(lesson.pairs()).map(|(logits, (_, (_, target)))| {
            f64::from(self.kernels.cross_entropy_backward(logits, target as usize, scale))
        });
        losses.sum()
    }

    fn embed(&mut self, weights: &Weights, lesson: &Lesson) {
        let width = self.shape.width();
        let (tokens, positions) = (weights.tensor(Tensor::TokenEmbedding), weights.tensor(Tensor::PositionEmbedding));
        let stream = self.layers.first_mut().map_or(&mut self.left, |layer| &mut layer.entered);
        for (row, (token, _)) in lesson.pairs() {
            let position = row % lesson.length();
            let out = &mut stream[row * width..][..width];
            self.kernels.add(&tokens[token as usize * width..][..width], &positions[position * width..][..width], out);
        }
    }

    /// middle = entered + projection(attention(norm(entered)))
    fn attention(&mut self, weights: &Weights, index: usize, lesson: &Lesson) {
        let (width, rows, length) = (self.shape.width(), lesson.tokens(), lesson.length());
        let part = |part| weights.tensor(Tensor::Layer(index, part));
        let (kernels, panel) = (self.kernels, &mut self.panel);
        let tape = &mut self.layers[index];
        let (gain, bias) = (part(Part::AttentionNormGain), part(Part::AttentionNormBias));
        kernels.layer_norm(&tape.entered[..rows * width], gain, bias, &mut tape.attention_normed[..rows * width]);
        let linear = (part(Part::QkvWeight), part(Part::QkvBias));
        apply(kernels, linear, &tape.attention_normed[..rows * width], &mut tape.qkv, panel);

        let heads = Heads::of(self.shape, length);
        let scale = 1.0 / (heads.width as f32).sqrt();
        let squares = tape.looks.chunks_exact_mut(length * length);
        let each = (0..lesson.sequences()).flat_map(|s| (0..self.shape.heads()).map(move |head| (s, head)));
        for ((sequence, head), looks) in each.zip(squares) {
            let third = |third| heads.third(&tape.qkv, sequence, head, third);
            let scores = MatrixMut::new(looks, length, length);
            kernels.matmul(third(0), third(1).transposed(), Onto::Replace, scores, panel);
            for (row, looks) in looks.chunks_exact_mut(length).enumerate() {
                let (visible, later) = looks.split_at_mut(row + 1);
                kernels.scaled_softmax_in_place(visible, scale);
                later.fill(0.0);
            }
            let start = sequence * length * width + head * heads.width;
            let out = MatrixMut::strided(&mut tape.attended[start..], length, heads.width, width);
            kernels.matmul(Matrix::new(looks, length, length), third(2), Onto::Replace, out, panel);
        }

        let linear = (part(Part::ProjectionWeight), part(Part::ProjectionBias));
        apply(kernels, linear, &tape.attended[..rows * width], &mut tape.middle, panel);
        kernels.add_in_place(&mut tape.middle[..rows * width], &tape.entered[..rows * width]);
    }

    /// The next block's entered = middle + down(gelu(up(norm(middle))))
    fn feed_forward(&mut self, weights: &Weights, index: usize, rows: usize) {
        let (width, hidden) = (self.shape.width(), self.shape.hidden());
        let part = |part| weights.tensor(Tensor::Layer(index, part));
        let (kernels, panel) = (self.kernels, &mut self.panel);
        let (before, after) = self.layers.split_at_mut(index + 1);
        let tape = &mut before[index];
        let next = after.first_mut().map_or(&mut self.left, |layer| &mut layer.entered);

        let (gain, bias) = (part(Part::ForwardNormGain), part(Part::ForwardNormBias));
        kernels.layer_norm(&tape.middle[..rows * width], gain, bias, &mut tape.forward_normed[..rows * width]);
        let linear = (part(Part::UpWeight), part(Part::UpBias));
        apply(kernels, linear, &tape.forward_normed[..rows * width], &mut tape.up, panel);
        kernels.gelu(&tape.up[..rows * hidden], &mut tape.hidden[..rows * hidden]);
        let linear = (part(Part::DownWeight), part(Part::DownBias));
        apply(kernels, linear, &tape.hidden[..rows * hidden], next, panel);
        kernels.add_in_place(&mut next[..rows * width], &tape.middle[..rows * width]);
    }

    fn head(&mut self, weights: &Weights, rows: usize) {
        let (width, vocabulary) = (self.shape.width(), self.shape.vocabulary());
        let (gain, bias) = (weights.tensor(Tensor::FinalNormGain), weights.tensor(Tensor::FinalNormBias));
        self.kernels.layer_norm(&self.left[..rows * width], gain, bias, &mut self.normed[..rows * width]);
        let head = Matrix::new(weights.tensor(Tensor::Head), vocabulary, width).transposed();
        let (x, out) = (Matrix::new(&self.normed, rows, width), MatrixMut::new(&mut self.logits, rows, vocabulary));
        self.kernels.matmul(x, head, Onto::Replace, out, &mut self.panel);
    }
}

/// out = x · weightsᵀ + bias, for rows that fill `x`.
fn apply(kernels: Kernels, (weights, bias): (&[f32], &[f32]), x: &[f32], out: &mut [f32], panel: &mut PanelRoom) {
    let (outputs, inputs) = (bias.len(), weights.len() / bias.len());
    let rows = x.len() / inputs;
    for row in out.chunks_exact_mut(outputs).take(rows) {
        row.copy_from_slice(bias);
    }
    let weights = Matrix::new(weights, outputs, inputs).transposed();
    kernels.matmul(Matrix::new(x, rows, inputs), weights, Onto::Add, MatrixMut::new(out, rows, outputs), panel);
}
