//! What a learner keeps on the way forward, and the room that it needs on the way back.

use crate::kernels::{Buffer, Kernels, PanelRoom};
use crate::shape::Shape;
use crate::weights::Weights;

/// What one block saw: a row for each token, but for the attention weights.
pub(super) struct LayerTape {
    /// The stream before attention.
    pub(super) entered: Buffer<f32>,
    pub(super) attention_normed: Buffer<f32>,
    pub(super) qkv: Buffer<f32>,
    /// For each sequence and head, a square of weights: how much each token looks at each.
    pub(super) looks: Buffer<f32>,
    pub(super) attended: Buffer<f32>,
    /// The stream between attention and the feed-forward layer.
    pub(super) middle: Buffer<f32>,
    pub(super) forward_normed: Buffer<f32>,
    /// The wide part before its GELU.
    pub(super) up: Buffer<f32>,
    pub(super) hidden: Buffer<f32>,
}

/// One thread's part of the learning.
pub(super) struct Learner {
    pub(super) shape: Shape,
    pub(super) kernels: Kernels,
    pub(super) layers: Vec<LayerTape>,
    /// The stream after the last block.
    pub(super) left: Buffer<f32>,
    pub(super) normed: Buffer<f32>,
    /// The logits, and then their gradients.
    pub(super) logits: Buffer<f32>,
    pub(super) gradients: Weights,
    pub(super) back: Back,
    pub(super) panel: PanelRoom,
    sequences: usize,
}

/// Gradients of what is under way.
pub(super) struct Back {
    pub(super) stream: Buffer<f32>,
    pub(super) narrow: Buffer<f32>,
    pub(super) qkv: Buffer<f32>,
    pub(super) wide: Buffer<f32>,
    pub(super) looks: Buffer<f32>,
}

impl Learner {
    /// Room for so many sequences of the model's context.
    pub(super) fn new(shape: Shape, sequences: usize, kernels: Kernels) -> Self {
        let rows = sequences * shape.context();
        let narrow = || Buffer::zeroed(rows * shape.width());
        let wide = || Buffer::zeroed(rows * shape.hidden());
        let square = shape.context() * shape.context();
        let layer = |_| LayerTape {
            entered: narrow(),
            attention_normed: narrow(),
            qkv: Buffer::zeroed(rows * 3 * shape.width()),
            looks: Buffer::zeroed(sequences * shape.heads() * square),
            attended: narrow(),
            middle: narrow(),
            forward_normed: narrow(),
            up: wide(),
            hidden: wide(),
        };
        let back = Back {
            stream: narrow(),
            narrow: narrow(),
            qkv: Buffer::zeroed(rows * 3 * shape.width()),
            wide: wide(),
            looks: Buffer::zeroed(square),
        };
        Self {
            shape,
            kernels,
            layers: (0..shape.layers()).map(layer).collect(),
            left: narrow(),
            normed: narrow(),
            logits: Buffer::zeroed(rows * shape.vocabulary()),
            gradients: Weights::zeros(shape),
            back,
            panel: PanelRoom::default(),
            sequences,
        }
    }

    /// How many sequences there is room for.
    pub(super) const fn room(&self) -> usize {
        self.sequences
    }
}
