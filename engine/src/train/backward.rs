//! The way back: from the gradients of the logits to those of every weight.

use super::forward::Heads;
use super::tape::Learner;
use super::text::Lesson;
use crate::kernels::{Kernels, Matrix, MatrixMut, Onto, PanelRoom};
use crate::shape::{Extent, Part, Tensor};
use crate::weights::Weights;

impl Learner {
    /// Adds the gradients of the lesson that has just gone forward.
    pub(super) fn backward(&mut self, weights: &Weights, lesson: &Lesson) {
        let rows = lesson.tokens();
        self.head_back(weights, rows);
        for layer in (0..self.shape.layers()).rev() {
            self.feed_forward_back(weights, layer, rows);
            self.attention_back(weights, layer, lesson);
        }
        self.embed_back(lesson);
    }

    /// Begins the gradient of the stream.
    fn head_back(&mut self, weights: &Weights, rows: usize) {
        self.back.stream.fill(0.0);
        let back = &mut self.back;
        let (kernels, gradients, panel) = (self.kernels, &mut self.gradients, &mut self.panel);
        let mut way = Way { kernels, weights, gradients, panel, rows };
        way.linear(Tensor::Head, &self.normed, &self.logits, &mut back.narrow);
        way.norm((Tensor::FinalNormGain, Tensor::FinalNormBias), &self.left, &back.narrow, &mut back.stream);
    }

    fn feed_forward_back(&mut self, weights: &Weights, index: usize, rows: usize) {
        let at = |part| Tensor::Layer(index, part);
        let (tape, back) = (&self.layers[index], &mut self.back);
        let (kernels, gradients, panel) = (self.kernels, &mut self.gradients, &mut self.panel);
        let mut way = Way { kernels, weights, gradients, panel, rows };
        way.linear(at(Part::DownWeight), &tape.hidden, &back.stream, &mut back.wide);
        way.bias(at(Part::DownBias), &back.stream);
        let wide = rows * self.shape.hidden();
        kernels.gelu_backward(&tape.up[..wide], &mut back.wide[..wide]);
        way.linear(at(Part::UpWeight), &tape.forward_normed, &back.wide, &mut back.narrow);
        way.bias(at(Part::UpBias), &back.wide);
        let norm = (at(Part::ForwardNormGain), at(Part::ForwardNormBias));
        way.norm(norm, &tape.middle, &back.narrow, &mut back.stream);
    }

    fn attention_back(&mut self, weights: &Weights, index: usize, lesson: &Lesson) {
        let at = |part| Tensor::Layer(index, part);
        let rows = lesson.tokens();
        let (tape, back) = (&self.layers[index], &mut self.back);
        let (kernels, gradients, panel) = (self.kernels, &mut self.gradients, &mut self.panel);
        let mut way = Way { kernels, weights, gradients, panel, rows };
        way.linear(at(Part::ProjectionWeight), &tape.attended, &back.stream, &mut back.narrow);
        way.bias(at(Part::ProjectionBias), &back.stream);

        self.heads_back(index, lesson);

        let (tape, back) = (&self.layers[index], &mut self.back);
        let (gradients, panel) = (&mut self.gradients, &mut self.panel);
        let mut way = Way { kernels, weights, gradients, panel, rows };
        way.linear(at(Part::QkvWeight), &tape.attention_normed, &back.qkv, &mut back.narrow);
        way.bias(at(Part::QkvBias), &back.qkv);
        let norm = (at(Part::AttentionNormGain), at(Part::AttentionNormBias));
        way.norm(norm, &tape.entered, &back.narrow, &mut back.stream);
    }

    /// From what the heads found to their queries, keys and values.
    fn heads_back(&mut self, index: usize, lesson: &Lesson) {
        let (width, length, kernels) = (self.shape.width(), lesson.length(), self.kernels);
        let (tape, back, panel) = (&self.layers[index], &mut self.back, &mut self.panel);
        let heads = Heads::of(self.shape, length);
        let scale = 1.0 / (heads.width as f32).sqrt();
        let squares = tape.looks.chunks_exact(length * length);
        let each = (0..lesson.sequences()).flat_map(|s| (0..self.shape.heads()).map(move |head| (s, head)));
        for ((sequence, head), looks) in each.zip(squares) {
            let found = &back.narrow[sequence * length * width + head * heads.width..];
            let found = Matrix::strided(found, length, heads.width, width);
            let third = |third| heads.third(&tape.qkv, sequence, head, third);
            let slopes = &mut back.looks[..length * length];
            let to = MatrixMut::new(slopes, length, length);
            kernels.matmul(found, third(2).transposed(), Onto::Replace, to, panel);
            for (row, (looks, slopes)) in looks.chunks_exact(length).zip(slopes.chunks_exact_mut(length)).enumerate() {
                let (visible, later) = slopes.split_at_mut(row + 1);
                kernels.softmax_backward(&looks[..=row], visible, scale);
                later.fill(0.0);
            }
            let (looks, slopes) = (Matrix::new(looks, length, length), Matrix::new(slopes, length, length));
            let products = [(slopes, third(1)), (slopes.transposed(), third(0)), (looks.transposed(), found)];
            for (place, (a, b)) in products.into_iter().enumerate() {
                let out = &mut back.qkv[heads.start(sequence, head, place)..];
                kernels.matmul(a, b, Onto::Replace, MatrixMut::strided(out, length, heads.width, heads.row), panel);
            }
        }
    }

    fn embed_back(&mut self, lesson: &Lesson) {
        let width = self.shape.width();
        for (row, (token, _)) in lesson.pairs() {
            let gradient = &self.back.stream[row * width..][..width];
            let places = [(Tensor::TokenEmbedding, token as usize), (Tensor::PositionEmbedding, row % lesson.length())];
            for (tensor, index) in places {
                let to = &mut self.gradients.tensor_mut(tensor)[index * width..][..width];
                self.kernels.add_in_place(to, gradient);
            }
        }
    }
}

/// The ways back through what has weights, for so many rows.
struct Way<'a> {
    kernels: Kernels,
    weights: &'a Weights,
    gradients: &'a mut Weights,
    panel: &'a mut PanelRoom,
    rows: usize,
}

impl Way<'_> {
    /// Through out = x · weightsᵀ: the gradient of x is `given` · weights, and that of the weights gains `given`ᵀ · x.
    fn linear(&mut self, tensor: Tensor, x: &[f32], given: &[f32], dx: &mut [f32]) {
        let Extent { rows: outputs, columns: inputs } = self.weights.shape().extent(tensor);
        let weights = Matrix::new(self.weights.tensor(tensor), outputs, inputs);
        let given = Matrix::new(given, self.rows, outputs);
        let dx = MatrixMut::new(dx, self.rows, inputs);
        self.kernels.matmul(given, weights, Onto::Replace, dx, self.panel);
        let x = Matrix::new(x, self.rows, inputs);
        let gradients = MatrixMut::new(self.gradients.tensor_mut(tensor), outputs, inputs);
        self.kernels.matmul(given.transposed(), x, Onto::Add, gradients, self.panel);
    }

    /// The gradient of a bias gains every row of `given`.
    fn bias(&mut self, tensor: Tensor, given: &[f32]) {
        let bias = self.gradients.tensor_mut(tensor);
        for row in given.chunks_exact(bias.len()).take(self.rows) {
            self.kernels.add_in_place(bias, row);
        }
    }

    /// Through a normalisation of x, the stream: its gradient gains what comes back, and so do those of gain and bias.
    fn norm(&mut self, (gain, bias): (Tensor, Tensor), x: &[f32], given: &[f32], stream: &mut [f32]) {
        let values = self.weights.tensor(gain);
        let width = values.len();
        let (mut dgain, mut dbias) = (vec![0.0; width], vec![0.0; width]);
        let rows = x.chunks_exact(width).zip(given.chunks_exact(width)).zip(stream.chunks_exact_mut(width));
        for ((x, given), stream) in rows.take(self.rows) {
            self.kernels.layer_norm_backward(x, values, given, stream, (&mut dgain, &mut dbias));
        }
        self.kernels.add_in_place(self.gradients.tensor_mut(gain), &dgain);
        self.kernels.add_in_place(self.gradients.tensor_mut(bias), &dbias);
    }
}
