//! Writing a file that llama.cpp loads.

use std::io::{self, Write};

use super::{ALIGNMENT, ARCHITECTURE, Encoding, MAGIC, VERSION};
use crate::kernels::NORM_EPSILON;
use crate::model::Format;
use crate::q8::{BLOCK, Block};
use crate::shape::{Shape, Tensor};
use crate::tokenizer::Vocabulary;
use crate::weights::Source;

/// Rows that are read and written at a time.
const ROWS: usize = 64;

/// Writes a model with its vocabulary, from the first byte to the last.
///
/// # Panics
/// If the vocabulary is not the model's, or has a token that the source cannot deliver.
pub fn write<S: Source>(source: &mut S, format: Format, vocabulary: &Vocabulary, out: &mut impl Write) -> io::Result<()>
where
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let shape = source.shape();
    assert_eq!(vocabulary.len(), shape.vocabulary(), "one text for each token");
    let mut header = head(shape, vocabulary);
    let mut offset = 0_u64;
    for tensor in shape.tensors() {
        let (extent, encoding) = (shape.extent(tensor), encoding(tensor, format));
        text(&mut header, &tensor.to_string());
        // A vector has one dimension; a matrix two, the length of its rows first.
        let vector = extent.rows == 1 && !tensor.is_matrix() && tensor != Tensor::PositionEmbedding;
        let dimensions = [extent.columns as u64, extent.rows as u64];
        let dimensions = &dimensions[..if vector { 1 } else { 2 }];
        header.extend((dimensions.len() as u32).to_le_bytes());
        header.extend(dimensions.iter().flat_map(|dimension| dimension.to_le_bytes()));
        header.extend(encoding.code().to_le_bytes());
        header.extend(offset.to_le_bytes());
        let bytes = encoding.row_bytes(extent.columns) as u64 * extent.rows as u64;
        offset += bytes.next_multiple_of(ALIGNMENT);
    }
    pad(&mut header);
    out.write_all(&header)?;
    shape.tensors().try_for_each(|tensor| write_tensor(source, tensor, encoding(tensor, format), out))
}

const fn encoding(tensor: Tensor, format: Format) -> Encoding {
    match format {
        Format::Q8 if tensor.is_matrix() => Encoding::Q8,
        _ => Encoding::F32,
    }
}

fn write_tensor<S: Source>(source: &mut S, tensor: Tensor, encoding: Encoding, out: &mut impl Write) -> io::Result<()>
where
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let extent = source.shape().extent(tensor);
    let mut written = 0;
    let mut bytes = Vec::new();
    let (mut numbers, mut blocks) = (Vec::new(), Vec::new());
    for row in (0..extent.rows).step_by(ROWS) {
        let count = (extent.rows - row).min(ROWS) * extent.columns;
        bytes.clear();
        if encoding == Encoding::Q8 {
            blocks.resize(count / BLOCK, Block::ZERO);
            source.read_blocks(tensor, row, &mut blocks).map_err(io::Error::other)?;
            bytes.extend(blocks.iter().flat_map(Block::to_bytes));
        } else {
            numbers.resize(count, 0.0_f32);
            source.read_rows(tensor, row, &mut numbers).map_err(io::Error::other)?;
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        out.write_all(&bytes)?;
        written += bytes.len();
    }
    let padding = written.next_multiple_of(ALIGNMENT as usize) - written;
    out.write_all(&[0; ALIGNMENT as usize][..padding])
}

/// Everything before the tensors' descriptions.
fn head(shape: Shape, vocabulary: &Vocabulary) -> Vec<u8> {
    let mut keys = Vec::new();
    let mut count = 0_u64;
    let mut key = |name: &str, kind: u32, value: &[u8]| {
        text(&mut keys, name);
        keys.extend(kind.to_le_bytes());
        keys.extend(value);
        count += 1;
    };
    let quoted = |value: &str| {
        let mut bytes = Vec::new();
        text(&mut bytes, value);
        bytes
    };
    key("general.architecture", 8, &quoted(ARCHITECTURE));
    key("general.name", 8, &quoted(&format!("{} parameters", shape.parameter_count())));
    for (name, value) in [
        ("context_length", shape.context()),
        ("embedding_length", shape.width()),
        ("feed_forward_length", shape.hidden()),
        ("block_count", shape.layers()),
        ("attention.head_count", shape.heads()),
    ] {
        key(&format!("{ARCHITECTURE}.{name}"), 4, &(value as u32).to_le_bytes());
    }
    key(&format!("{ARCHITECTURE}.attention.layer_norm_epsilon"), 6, &NORM_EPSILON.to_le_bytes());
    key("tokenizer.ggml.model", 8, &quoted("gpt2"));
    key("tokenizer.ggml.pre", 8, &quoted("gpt-2"));
    key("tokenizer.ggml.tokens", 9, &texts(vocabulary.tokens()));
    let kinds: Vec<u8> = vocabulary.kinds().flat_map(i32::to_le_bytes).collect();
    let kinds = [&5_u32.to_le_bytes()[..], &(vocabulary.len() as u64).to_le_bytes(), &kinds].concat();
    key("tokenizer.ggml.token_type", 9, &kinds);
    key("tokenizer.ggml.merges", 9, &texts(vocabulary.merges()));
    if let Some(end) = vocabulary.end_of_text() {
        key("tokenizer.ggml.bos_token_id", 4, &end.to_le_bytes());
        key("tokenizer.ggml.eos_token_id", 4, &end.to_le_bytes());
    }
    let mut header = MAGIC.to_vec();
    header.extend(VERSION.to_le_bytes());
    header.extend((shape.tensor_count() as u64).to_le_bytes());
    header.extend(count.to_le_bytes());
    header.extend(keys);
    header
}

fn text(out: &mut Vec<u8>, value: &str) {
    out.extend((value.len() as u64).to_le_bytes());
    out.extend(value.as_bytes());
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut count = 0_u64;
    for value in values {
        text(&mut bytes, value);
        count += 1;
    }
    [&8_u32.to_le_bytes()[..], &count.to_le_bytes(), &bytes].concat()
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT as usize), 0);
}
