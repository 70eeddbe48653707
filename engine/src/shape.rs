//! What a model looks like: five numbers, and the tensors that follow from them.

use std::fmt;

/// How many times wider than the model its feed-forward layer is.
pub const FEED_FORWARD_FACTOR: usize = 4;

/// The largest value that any number of a shape may have; it keeps every product below far from overflow.
const LARGEST: usize = 1 << 20;

/// Where the output layer takes its weights from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// A matrix of its own.
    Own,
    /// The token embedding, used a second time.
    Tied,
}

/// The dimensions of a model. One that exists is consistent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    vocabulary: usize,
    context: usize,
    width: usize,
    layers: usize,
    heads: usize,
    head: Head,
}

/// The numbers of a [`Shape`] as somebody gave them, not yet checked.
#[derive(Clone, Copy, Debug)]
pub struct Dimensions {
    /// Number of tokens.
    pub vocabulary: usize,
    /// Longest sequence.
    pub context: usize,
    /// Length of the vector that stands for a token.
    pub width: usize,
    /// Number of transformer blocks.
    pub layers: usize,
    /// Number of attention heads in a block.
    pub heads: usize,
    /// Where the output layer takes its weights from.
    pub head: Head,
}

/// Dimensions that no model of ours can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError(String);

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ShapeError {}

impl Shape {
    /// For tests: everything that the others have, in a few kilobytes.
    pub const TINY: Self = Self::known(256, 32, 64, 2, 2, Head::Own);
    /// 470,528 parameters.
    pub const SMALL: Self = Self::known(256, 64, 128, 2, 4, Head::Own);
    /// 3,454,464 parameters.
    pub const MEDIUM: Self = Self::known(512, 128, 256, 4, 8, Head::Own);
    /// The 124M model: 124,439,808 parameters.
    pub const GPT2: Self = Self::known(50_257, 1_024, 768, 12, 12, Head::Tied);

    /// The reference shapes by name.
    pub const NAMED: [(&'static str, Self); 4] =
        [("tiny", Self::TINY), ("small", Self::SMALL), ("medium", Self::MEDIUM), ("gpt2", Self::GPT2)];

    const fn known(vocabulary: usize, context: usize, width: usize, layers: usize, heads: usize, head: Head) -> Self {
        Self { vocabulary, context, width, layers, heads, head }
    }

    /// Checks the numbers and makes a shape of them.
    pub fn new(given: Dimensions) -> Result<Self, ShapeError> {
        let Dimensions { vocabulary, context, width, layers, heads, head } = given;
        for (name, value) in
            [("vocabulary", vocabulary), ("context", context), ("width", width), ("layers", layers), ("heads", heads)]
        {
            if value == 0 || value > LARGEST {
                return Err(ShapeError(format!("{name} is {value}; it must be between 1 and {LARGEST}")));
            }
        }
        if !width.is_multiple_of(heads) || !(width / heads).is_multiple_of(16) {
            return Err(ShapeError(format!(
                "width {width} over {heads} heads: each head must have a whole multiple of 16 columns"
            )));
        }
        if !width.is_multiple_of(32) {
            return Err(ShapeError(format!("width {width} is no multiple of 32, the size of a quantised block")));
        }
        Ok(Self { vocabulary, context, width, layers, heads, head })
    }

    /// The reference shape of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)
    }

    /// Number of tokens.
    #[must_use]
    pub const fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Longest sequence.
    #[must_use]
    pub const fn context(&self) -> usize {
        self.context
    }

    /// Length of the vector that stands for a token.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Number of transformer blocks.
    #[must_use]
    pub const fn layers(&self) -> usize {
        self.layers
    }

    /// Number of attention heads in a block.
    #[must_use]
    pub const fn heads(&self) -> usize {
        self.heads
    }

    /// Columns of one attention head.
    #[must_use]
    pub const fn head_width(&self) -> usize {
        self.width / self.heads
    }

    /// Width of the feed-forward layer.
    #[must_use]
    pub const fn hidden(&self) -> usize {
        self.width * FEED_FORWARD_FACTOR
    }

    /// Where the output layer takes its weights from.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// All tensors, in the order in which files hold them.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor> + use<> {
        let own_head = matches!(self.head, Head::Own).then_some(Tensor::Head);
        [Tensor::TokenEmbedding, Tensor::PositionEmbedding]
            .into_iter()
            .chain((0..self.layers).flat_map(|layer| Part::ALL.map(|part| Tensor::Layer(layer, part))))
            .chain([Tensor::FinalNormGain, Tensor::FinalNormBias])
            .chain(own_head)
    }

    /// Rows and columns of a tensor. Matrices are stored as output × input; a vector is one row.
    #[must_use]
    pub const fn extent(&self, tensor: Tensor) -> Extent {
        let width = self.width;
        let (rows, columns) = match tensor {
            Tensor::TokenEmbedding | Tensor::Head => (self.vocabulary, width),
            Tensor::PositionEmbedding => (self.context, width),
            Tensor::FinalNormGain | Tensor::FinalNormBias => (1, width),
            Tensor::Layer(_, part) => match part {
                Part::AttentionNormGain
                | Part::AttentionNormBias
                | Part::ProjectionBias
                | Part::ForwardNormGain
                | Part::ForwardNormBias
                | Part::DownBias => (1, width),
                Part::QkvWeight => (3 * width, width),
                Part::QkvBias => (1, 3 * width),
                Part::ProjectionWeight => (width, width),
                Part::UpWeight => (self.hidden(), width),
                Part::UpBias => (1, self.hidden()),
                Part::DownWeight => (width, self.hidden()),
            },
        };
        Extent { rows, columns }
    }

    /// Number of tensors.
    #[must_use]
    pub fn tensor_count(&self) -> usize {
        self.tensors().count()
    }

    /// Number of weights in all tensors together.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.tensors().map(|tensor| self.extent(tensor).len()).sum()
    }
}

/// Rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Outputs of a matrix; 1 for a vector.
    pub rows: usize,
    /// Inputs of a matrix; the length of a vector.
    pub columns: usize,
}

impl Extent {
    /// Number of elements.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows * self.columns
    }

    /// Whether there is no element.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A tensor of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tensor {
    /// A row for each token.
    TokenEmbedding,
    /// A row for each position.
    PositionEmbedding,
    /// A tensor of one transformer block.
    Layer(usize, Part),
    /// Gain of the last normalisation.
    FinalNormGain,
    /// Bias of the last normalisation.
    FinalNormBias,
    /// The output layer, where it is not tied.
    Head,
}

/// A tensor inside a transformer block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Gain of the normalisation before attention.
    AttentionNormGain,
    /// Bias of the normalisation before attention.
    AttentionNormBias,
    /// Queries, keys and values in one matrix.
    QkvWeight,
    /// The bias of that matrix.
    QkvBias,
    /// What joins the heads again.
    ProjectionWeight,
    /// Its bias.
    ProjectionBias,
    /// Gain of the normalisation before the feed-forward layer.
    ForwardNormGain,
    /// Bias of the normalisation before the feed-forward layer.
    ForwardNormBias,
    /// The feed-forward layer's widening matrix.
    UpWeight,
    /// Its bias.
    UpBias,
    /// The feed-forward layer's narrowing matrix.
    DownWeight,
    /// Its bias.
    DownBias,
}

impl Part {
    /// All parts, in the order in which files hold them.
    pub const ALL: [Self; 12] = [
        Self::AttentionNormGain,
        Self::AttentionNormBias,
        Self::QkvWeight,
        Self::QkvBias,
        Self::ProjectionWeight,
        Self::ProjectionBias,
        Self::ForwardNormGain,
        Self::ForwardNormBias,
        Self::UpWeight,
        Self::UpBias,
        Self::DownWeight,
        Self::DownBias,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::AttentionNormGain => "attn_norm.weight",
            Self::AttentionNormBias => "attn_norm.bias",
            Self::QkvWeight => "attn_qkv.weight",
            Self::QkvBias => "attn_qkv.bias",
            Self::ProjectionWeight => "attn_output.weight",
            Self::ProjectionBias => "attn_output.bias",
            Self::ForwardNormGain => "ffn_norm.weight",
            Self::ForwardNormBias => "ffn_norm.bias",
            Self::UpWeight => "ffn_up.weight",
            Self::UpBias => "ffn_up.bias",
            Self::DownWeight => "ffn_down.weight",
            Self::DownBias => "ffn_down.bias",
        }
    }
}

impl Tensor {
    /// Whether it is a matrix that is multiplied with, and may hence be stored quantised.
    ///
    /// The position embedding is added, is small, and stays exact.
    #[must_use]
    pub const fn is_matrix(self) -> bool {
        matches!(
            self,
            Self::TokenEmbedding
                | Self::Head
                | Self::Layer(_, Part::QkvWeight | Part::ProjectionWeight | Part::UpWeight | Part::DownWeight)
        )
    }
}

/// The name by which llama.cpp knows it.
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenEmbedding => f.write_str("token_embd.weight"),
            Self::PositionEmbedding => f.write_str("position_embd.weight"),
            Self::Layer(layer, part) => write!(f, "blk.{layer}.{}", part.name()),
            Self::FinalNormGain => f.write_str("output_norm.weight"),
            Self::FinalNormBias => f.write_str("output_norm.bias"),
            Self::Head => f.write_str("output.weight"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_shapes_have_exactly_the_known_counts() {
        let counts = |shape: Shape| (shape.parameter_count(), shape.tensor_count());
        assert_eq!(counts(Shape::SMALL), (470_528, 29));
        assert_eq!(counts(Shape::MEDIUM), (3_454_464, 53));
        assert_eq!(counts(Shape::GPT2), (124_439_808, 148));
    }

    #[test]
    fn the_reference_shapes_pass_their_own_checks() {
        for (name, shape) in Shape::NAMED {
            let Shape { vocabulary, context, width, layers, heads, head } = shape;
            let checked = Shape::new(Dimensions { vocabulary, context, width, layers, heads, head });
            assert_eq!(checked, Ok(shape), "{name}");
        }
    }

    #[test]
    fn a_shape_that_cannot_be_computed_is_refused_with_its_reason() {
        let base = Dimensions { vocabulary: 8, context: 8, width: 64, layers: 1, heads: 2, head: Head::Own };
        let reason = |given: Dimensions| Shape::new(given).expect_err("refused").to_string();
        assert!(reason(Dimensions { heads: 3, ..base }).contains("over 3 heads"));
        assert!(reason(Dimensions { layers: 0, ..base }).contains("layers is 0"));
        assert!(reason(Dimensions { vocabulary: usize::MAX, ..base }).contains("vocabulary is"));
        assert!(reason(Dimensions { width: 48, heads: 1, ..base }).contains("multiple of 32"));
    }

    #[test]
    fn every_tensor_has_a_name_of_its_own() {
        let names: std::collections::HashSet<String> =
            Shape::MEDIUM.tensors().map(|tensor| tensor.to_string()).collect();
        assert_eq!(names.len(), 53);
        assert!(names.contains("blk.3.ffn_down.bias"));
    }
}
