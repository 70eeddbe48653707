//! A model ready to be computed with: every matrix packed for the kernels.

mod loading;

use std::ops::Range;

use crate::arena::Arena;
use crate::kernels::{Buffer, Depot, Kernels, Matrix, MatrixMut, PackedMatrix, PackedQ8, Quantised};
use crate::profile::scope;
use crate::q8::{BLOCK, Block};
use crate::shape::{Extent, Head, Part, Shape, Tensor};
use crate::weights::Source;

/// How the matrices are stored. Biases, gains and positions are exact in either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 32-bit numbers.
    F32,
    /// Blocks of 32 bytes with a scale; activations are quantised on the fly.
    Q8,
}

/// A model.
#[derive(Debug)]
pub struct Model {
    shape: Shape,
    format: Format,
    tokens: Embedding,
    positions: Buffer<f32>,
    layers: Vec<Layer>,
    final_norm: Norm,
    head: Packed,
}

/// A transformer block.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) attention_norm: Norm,
    pub(crate) qkv: Linear,
    pub(crate) projection: Linear,
    pub(crate) forward_norm: Norm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
}

/// Gain and bias of a normalisation.
#[derive(Debug)]
pub(crate) struct Norm {
    gain: Buffer<f32>,
    bias: Buffer<f32>,
}

impl Norm {
    /// Normalises each row of `x`.
    pub(crate) fn apply(&self, kernels: Kernels, x: &[f32], out: &mut [f32]) {
        let _scope = scope("norm");
        kernels.layer_norm(x, &self.gain, &self.bias, out);
    }
}

/// A row for each token.
#[derive(Debug)]
enum Embedding {
    Exact(Buffer<f32>),
    Blocks(Vec<Block>),
    /// The head has them.
    Tied,
}

/// A matrix in the form of its format.
#[derive(Debug)]
pub(crate) enum Packed {
    Exact(PackedMatrix),
    Q8(PackedQ8),
}

/// A matrix and the bias of its outputs.
#[derive(Debug)]
pub(crate) struct Linear {
    weights: Packed,
    bias: Buffer<f32>,
}

/// Rows of activations, in the form that the model's matrices are multiplied with.
pub(crate) enum Activations<'a> {
    Exact(Matrix<'a>),
    Q8(Quantised),
}

impl<'a> Activations<'a> {
    /// Quantises them if the model is.
    pub(crate) fn prepare(x: Matrix<'a>, model: &Model, kernels: Kernels, arena: &mut Arena) -> Self {
        match model.format {
            Format::F32 => Self::Exact(x),
            Format::Q8 => {
                let _scope = scope("quantise");
                let mut quantised = arena.take_quantised(x.rows() * x.columns());
                kernels.quantise(x, &mut quantised);
                Self::Q8(quantised)
            }
        }
    }

    /// Gives their scratch back.
    pub(crate) fn release(self, arena: &mut Arena) {
        if let Self::Q8(quantised) = self {
            arena.put_quantised(quantised);
        }
    }
}

impl Packed {
    /// out = x · weightsᵀ + bias, for some outputs and inputs.
    pub(crate) fn apply(
        &self,
        kernels: Kernels,
        x: &Activations<'_>,
        (outputs, inputs): (Range<usize>, Range<usize>),
        bias: Option<&[f32]>,
        out: MatrixMut<'_>,
    ) {
        match (self, x) {
            (Self::Exact(weights), Activations::Exact(x)) => {
                kernels.matmul_packed(*x, &weights.part(outputs, inputs), bias, out);
            }
            (Self::Q8(weights), Activations::Q8(x)) => {
                kernels.matmul_q8(x, &weights.part(outputs, inputs), bias, out);
            }
            _ => unreachable!("activations are prepared for the model's format"),
        }
    }

    fn read_row(&self, output: usize, row: &mut [f32]) {
        match self {
            Self::Exact(weights) => weights.read_row(output, row),
            Self::Q8(weights) => weights.read_row(output, row),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Exact(weights) => weights.bytes(),
            Self::Q8(weights) => weights.bytes(),
        }
    }
}

impl Linear {
    /// All outputs in a range, with their biases.
    pub(crate) fn outputs(&self, kernels: Kernels, x: &Activations<'_>, outputs: Range<usize>, out: MatrixMut<'_>) {
        let bias = &self.bias[outputs.clone()];
        self.weights.apply(kernels, x, (outputs, 0..self.inputs()), Some(bias), out);
    }

    /// What a range of inputs adds to all outputs; the bias only where asked for, since it must be added once.
    pub(crate) fn inputs_of(
        &self,
        kernels: Kernels,
        x: &Activations<'_>,
        inputs: Range<usize>,
        with_bias: bool,
        out: MatrixMut<'_>,
    ) {
        let bias = with_bias.then_some(&*self.bias);
        self.weights.apply(kernels, x, (0..self.bias.len(), inputs), bias, out);
    }

    fn inputs(&self) -> usize {
        match &self.weights {
            Packed::Exact(weights) => weights.inputs(),
            Packed::Q8(weights) => weights.inputs(),
        }
    }
}

impl Model {
    /// Packs the tensors of a source, a panel of rows at a time; a large one by all cores that may be used.
    pub fn load<S>(source: &S, format: Format) -> Result<Self, S::Error>
    where
        S: Source + Clone + Send,
        S::Error: Send,
    {
        let mut model = Self::zeroed(source.shape(), format);
        loading::fill(&mut model, source)?;
        Ok(model)
    }

    /// All tensors where they will be computed with, in one piece of memory and in the order in which a token meets them.
    fn zeroed(shape: Shape, format: Format) -> Self {
        let mut room = Room { shape, format, depot: Depot::with_room_for(room_for(shape, format)) };
        let head = room.packed(Tensor::Head);
        let layers = (0..shape.layers()).map(|layer| room.layer(layer)).collect();
        Self {
            shape,
            format,
            tokens: room.embedding(),
            positions: room.exact(Tensor::PositionEmbedding),
            layers,
            final_norm: room.norm(Tensor::FinalNormGain, Tensor::FinalNormBias),
            head,
        }
    }

    /// The shape.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// How the matrices are stored.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn layer(&self, layer: usize) -> &Layer {
        &self.layers[layer]
    }

    pub(crate) const fn final_norm(&self) -> &Norm {
        &self.final_norm
    }

    pub(crate) const fn head(&self) -> &Packed {
        &self.head
    }

    /// Token and position, added: where a row of the stream begins.
    pub(crate) fn embed(&self, kernels: Kernels, token: usize, position: usize, row: &mut [f32]) {
        let width = self.shape.width();
        match &self.tokens {
            Embedding::Exact(rows) => row.copy_from_slice(&rows[token * width..][..width]),
            Embedding::Blocks(blocks) => {
                let blocks = &blocks[token * width / BLOCK..];
                for (out, block) in row.chunks_exact_mut(BLOCK).zip(blocks) {
                    out.copy_from_slice(&block.weights());
                }
            }
            Embedding::Tied => self.head.read_row(token, row),
        }
        kernels.add_in_place(row, &self.positions[position * width..][..width]);
    }

    /// Bytes that the weights take up in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let linear = |linear: &Linear| linear.weights.bytes() + linear.bias.len() * 4;
        let layer = |layer: &Layer| {
            let norms = 4 * self.shape.width() * 4;
            linear(&layer.qkv) + linear(&layer.projection) + linear(&layer.up) + linear(&layer.down) + norms
        };
        let tokens = match &self.tokens {
            Embedding::Exact(rows) => rows.len() * 4,
            Embedding::Blocks(blocks) => size_of_val(&**blocks),
            Embedding::Tied => 0,
        };
        let layers: usize = self.layers.iter().map(layer).sum();
        tokens + (self.positions.len() + 2 * self.shape.width()) * 4 + layers + self.head.bytes()
    }
}

/// Bytes of all packed tensors; a tied head counts once, as the token embedding that it is.
fn room_for(shape: Shape, format: Format) -> usize {
    let room = |tensor: Tensor| {
        let Extent { rows, columns } = shape.extent(tensor);
        match format {
            Format::Q8 if tensor.is_matrix() => PackedQ8::room_for(rows, columns),
            Format::F32 if tensor.is_matrix() => PackedMatrix::room_for(rows, columns),
            _ => Depot::room_for::<f32>(rows * columns),
        }
    };
    shape.tensors().map(room).sum()
}

struct Room {
    shape: Shape,
    format: Format,
    depot: Depot,
}

impl Room {
    fn exact(&mut self, tensor: Tensor) -> Buffer<f32> {
        self.depot.cut(self.shape.extent(tensor).len())
    }

    fn norm(&mut self, gain: Tensor, bias: Tensor) -> Norm {
        Norm { gain: self.exact(gain), bias: self.exact(bias) }
    }

    fn embedding(&mut self) -> Embedding {
        match (self.shape.head(), self.format) {
            (Head::Tied, _) => Embedding::Tied,
            (Head::Own, Format::F32) => Embedding::Exact(self.exact(Tensor::TokenEmbedding)),
            (Head::Own, Format::Q8) => {
                Embedding::Blocks(vec![Block::ZERO; self.shape.extent(Tensor::TokenEmbedding).len() / BLOCK])
            }
        }
    }

    fn packed(&mut self, tensor: Tensor) -> Packed {
        let Extent { rows, columns } = self.shape.extent(tensor);
        match self.format {
            Format::F32 => Packed::Exact(PackedMatrix::in_depot(rows, columns, &mut self.depot)),
            Format::Q8 => Packed::Q8(PackedQ8::in_depot(rows, columns, &mut self.depot)),
        }
    }

    fn linear(&mut self, layer: usize, weight: Part, bias: Part) -> Linear {
        let weights = self.packed(Tensor::Layer(layer, weight));
        Linear { weights, bias: self.exact(Tensor::Layer(layer, bias)) }
    }

    fn layer(&mut self, layer: usize) -> Layer {
        let at = |part| Tensor::Layer(layer, part);
        Layer {
            attention_norm: self.norm(at(Part::AttentionNormGain), at(Part::AttentionNormBias)),
            qkv: self.linear(layer, Part::QkvWeight, Part::QkvBias),
            projection: self.linear(layer, Part::ProjectionWeight, Part::ProjectionBias),
            forward_norm: self.norm(at(Part::ForwardNormGain), at(Part::ForwardNormBias)),
            up: self.linear(layer, Part::UpWeight, Part::UpBias),
            down: self.linear(layer, Part::DownWeight, Part::DownBias),
        }
    }
}
