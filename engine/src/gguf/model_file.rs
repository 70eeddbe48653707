//! A GGUF file as the source of a model.

use std::sync::Arc;

use super::header::{Header, Strings, TensorEntry, Value};
use super::storage::Storage;
use super::{ARCHITECTURE, Encoding, GgufError};
use crate::half::from_half;
use crate::kernels::{NORM_EPSILON, bytes_mut};
use crate::model::Format;
use crate::q8::{BLOCK, Block};
use crate::shape::{Dimensions, FEED_FORWARD_FACTOR, Head, Shape, Tensor};
use crate::weights::Source;

/// A file that holds a model of ours, whole. Clones read the same file.
#[derive(Debug)]
pub struct ModelFile<S> {
    header: Arc<Header>,
    shape: Shape,
    storage: Arc<S>,
}

impl<S> Clone for ModelFile<S> {
    fn clone(&self) -> Self {
        let (header, storage) = (Arc::clone(&self.header), Arc::clone(&self.storage));
        Self { header, shape: self.shape, storage }
    }
}

impl<S: Storage> ModelFile<S> {
    /// Reads the header, and checks that all tensors of a model are there in the right shape.
    pub fn open(storage: S) -> Result<Self, GgufError> {
        let header = Header::read(&storage)?;
        let shape = shape_of(&header)?;
        for tensor in shape.tensors() {
            let name = tensor.to_string();
            let extent = shape.extent(tensor);
            let Some(entry) = header.tensor(&name) else {
                return Err(GgufError::Unsupported(format!(
                    "the tensor {name:?} is missing, so this is no whole model"
                )));
            };
            if (entry.rows, entry.columns) != (extent.rows, extent.columns) {
                return Err(GgufError::Unsupported(format!(
                    "the tensor {name:?} has {} rows by {} columns; the model's other numbers ask for {} by {}",
                    entry.rows, entry.columns, extent.rows, extent.columns
                )));
            }
        }
        Ok(Self { header: Arc::new(header), shape, storage: Arc::new(storage) })
    }

    /// What stands before the tensors.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How the model is best computed: quantised, if its matrices are.
    #[must_use]
    pub fn format(&self) -> Format {
        let quantised = |tensor: Tensor| self.entry(tensor).encoding == Encoding::Q8;
        if self.shape.tensors().filter(|tensor| tensor.is_matrix()).all(quantised) { Format::Q8 } else { Format::F32 }
    }

    /// The texts of the tokens, if the file has them.
    #[must_use]
    pub fn tokens(&self) -> Option<&Strings> {
        self.texts("tokenizer.ggml.tokens")
    }

    /// The pairs of texts that are joined to longer ones, the most important first, if the file has them.
    #[must_use]
    pub fn merges(&self) -> Option<&Strings> {
        self.texts("tokenizer.ggml.merges")
    }

    fn texts(&self, key: &str) -> Option<&Strings> {
        match self.header.value(key) {
            Some(Value::Texts(texts)) => Some(texts),
            _ => None,
        }
    }

    fn entry(&self, tensor: Tensor) -> &TensorEntry {
        // A tied head is the token embedding.
        let tied = tensor == Tensor::Head && self.shape.head() == Head::Tied;
        let name = if tied { Tensor::TokenEmbedding } else { tensor }.to_string();
        let Some(entry) = self.header.tensor(&name) else {
            unreachable!("every tensor was found when the file was opened")
        };
        entry
    }

    /// Fills `out` with what is in the file from a row on.
    fn read_bytes(&self, entry: &TensorEntry, first_row: usize, out: &mut [u8]) -> Result<(), GgufError> {
        let start = first_row * entry.encoding.row_bytes(entry.columns);
        Ok(self.storage.read_at(entry.offset + start as u64, out)?)
    }
}

impl<S: Storage> Source for ModelFile<S> {
    type Error = GgufError;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read_rows(&mut self, tensor: Tensor, first_row: usize, out: &mut [f32]) -> Result<(), GgufError> {
        let entry = self.entry(tensor);
        match entry.encoding {
            Encoding::F32 => {
                self.read_bytes(entry, first_row, bytes_mut(out))?;
                for out in &mut *out {
                    *out = f32::from_bits(u32::from_le(out.to_bits()));
                }
            }
            Encoding::F16 => {
                let mut halves = vec![0; 2 * out.len()];
                self.read_bytes(entry, first_row, &mut halves)?;
                for (out, bytes) in out.iter_mut().zip(halves.as_chunks().0) {
                    *out = from_half(u16::from_le_bytes(*bytes));
                }
            }
            Encoding::Q8 => {
                let mut blocks = vec![Block::ZERO; out.len() / BLOCK];
                self.read_bytes(entry, first_row, bytes_mut(&mut blocks))?;
                for (out, block) in out.chunks_exact_mut(BLOCK).zip(blocks) {
                    out.copy_from_slice(&block.from_file().weights());
                }
            }
        }
        let sound = out.iter().fold(true, |sound, value| sound & value.is_finite());
        if sound { Ok(()) } else { Err(not_finite(entry)) }
    }

    fn read_blocks(&mut self, tensor: Tensor, first_row: usize, out: &mut [Block]) -> Result<(), GgufError> {
        let entry = self.entry(tensor);
        if entry.encoding != Encoding::Q8 {
            let mut rows = vec![0.0; out.len() * BLOCK];
            self.read_rows(tensor, first_row, &mut rows)?;
            for (block, weights) in out.iter_mut().zip(rows.as_chunks().0) {
                *block = Block::of(weights);
            }
            return Ok(());
        }
        self.read_bytes(entry, first_row, bytes_mut(out))?;
        let mut sound = true;
        for block in out {
            *block = block.from_file();
            sound &= block.scale & 0x7c00 != 0x7c00;
        }
        if sound { Ok(()) } else { Err(not_finite(entry)) }
    }
}

fn not_finite(entry: &TensorEntry) -> GgufError {
    let what = format!("the tensor {:?} has weights that are infinite or no numbers", entry.name);
    GgufError::Malformed { offset: entry.offset, what }
}

/// The shape that the metadata and the token embedding claim.
fn shape_of(header: &Header) -> Result<Shape, GgufError> {
    match header.value("general.architecture") {
        Some(Value::Text(name)) if name == ARCHITECTURE => {}
        other => {
            let what = format!("the model's architecture is {other:?}; this engine computes {ARCHITECTURE:?}");
            return Err(GgufError::Unsupported(what));
        }
    }
    let number = |key: &str| match header.value(&format!("{ARCHITECTURE}.{key}")) {
        Some(Value::Whole(value)) => Ok(usize::try_from(*value).unwrap_or(usize::MAX)),
        _ => Err(GgufError::Unsupported(format!("the key \"{ARCHITECTURE}.{key}\" is missing or no whole number"))),
    };
    let width = number("embedding_length")?;
    let embedding = header.tensor(&Tensor::TokenEmbedding.to_string());
    let given = Dimensions {
        vocabulary: embedding.map_or(0, |entry| entry.rows),
        context: number("context_length")?,
        width,
        layers: number("block_count")?,
        heads: number("attention.head_count")?,
        head: if header.tensor(&Tensor::Head.to_string()).is_some() { Head::Own } else { Head::Tied },
    };
    let shape = Shape::new(given).map_err(|error| GgufError::Unsupported(error.to_string()))?;
    if number("feed_forward_length")? != shape.hidden() {
        let what = format!("a feed-forward layer that is not {FEED_FORWARD_FACTOR} times as wide as the model");
        return Err(GgufError::Unsupported(what));
    }
    match header.value(&format!("{ARCHITECTURE}.attention.layer_norm_epsilon")) {
        Some(Value::Number(epsilon)) if (epsilon - f64::from(NORM_EPSILON)).abs() < 1e-9 => Ok(shape),
        other => Err(GgufError::Unsupported(format!("an epsilon of {other:?}; this engine normalises with 1e-5"))),
    }
}
