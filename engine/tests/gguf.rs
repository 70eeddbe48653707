//! Models that go into files and come back, and files that were damaged on the way.

use engine::gguf::{GgufError, ModelFile, write};
use engine::model::{Format, Model};
use engine::q8::{BLOCK, Block};
use engine::seeded::Random;
use engine::shape::{Dimensions, Head, Shape, Tensor};
use engine::tokenizer::{Tokenizer, Vocabulary};
use engine::weights::{Source, Weights};

fn file(weights: &Weights, format: Format) -> Vec<u8> {
    let mut bytes = Vec::new();
    let vocabulary = Vocabulary::bytes(weights.shape().vocabulary());
    write(&mut &*weights, format, &vocabulary, &mut bytes).expect("writing to memory");
    bytes
}

fn tied() -> Shape {
    let given = Dimensions { vocabulary: 300, context: 16, width: 32, layers: 1, heads: 2, head: Head::Tied };
    Shape::new(given).expect("a shape")
}

/// Opens, and packs all there is; whatever the bytes are, this must end in a model or an error.
fn load(bytes: &[u8]) -> Result<Model, GgufError> {
    let file = ModelFile::open(bytes)?;
    if let (Some(tokens), Some(merges)) = (file.tokens(), file.merges())
        && let Ok(vocabulary) = Vocabulary::from_bytes(tokens.iter(), merges.iter())
    {
        assert!(Tokenizer::new(&vocabulary).encode("any text").len() <= 8);
    }
    let format = file.format();
    Model::load(&file, format)
}

#[test]
fn a_32_bit_model_comes_back_to_the_bit() {
    for shape in [Shape::TINY, Shape::SMALL, tied()] {
        let weights = Weights::seeded(shape, 1);
        let bytes = file(&weights, Format::F32);
        let mut file = ModelFile::open(&bytes[..]).expect("a file of ours");
        assert_eq!((file.shape(), file.format()), (shape, Format::F32));
        assert_eq!(Weights::read(&mut file).expect("rows"), weights);
    }
}

#[test]
fn a_quantised_model_comes_back_with_the_same_blocks() {
    for shape in [Shape::TINY, tied()] {
        let weights = Weights::seeded(shape, 2);
        let bytes = file(&weights, Format::Q8);
        let mut file = ModelFile::open(&bytes[..]).expect("a file of ours");
        assert_eq!((file.shape(), file.format()), (shape, Format::Q8));
        for tensor in shape.tensors() {
            let count = shape.extent(tensor).len();
            if tensor.is_matrix() {
                let mut blocks = vec![Block::ZERO; count / BLOCK];
                let mut want = blocks.clone();
                file.read_blocks(tensor, 0, &mut blocks).expect("rows");
                let Ok(()) = (&weights).read_blocks(tensor, 0, &mut want);
                assert!(blocks == want, "{tensor}");
            } else {
                let mut values = vec![0.0; count];
                file.read_rows(tensor, 0, &mut values).expect("rows");
                assert!(values == weights.tensor(tensor), "{tensor}");
            }
        }
    }
}

#[test]
fn the_vocabulary_comes_back_as_it_was() {
    let bytes = file(&Weights::seeded(tied(), 1), Format::F32);
    let file = ModelFile::open(&bytes[..]).expect("a file of ours");
    let (tokens, merges) = (file.tokens().expect("tokens"), file.merges().expect("merges"));
    let vocabulary = Vocabulary::from_bytes(tokens.iter(), merges.iter()).expect("a vocabulary");
    assert!(vocabulary.tokens().eq(Vocabulary::bytes(300).tokens()));
    assert_eq!(merges.count(), 0);
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    let bytes = file(&Weights::seeded(tied(), 1), Format::Q8);
    for end in (0..3_000).chain((3_000..bytes.len()).step_by(97)) {
        assert!(load(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn no_change_of_a_few_bytes_does_more_than_cause_an_error() {
    let bytes = file(&Weights::seeded(tied(), 1), Format::Q8);
    let header = 16_000.min(bytes.len());
    let mut random = Random::new(1);
    let mut refused = 0;
    for _ in 0..3_000 {
        let mut damaged = bytes.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(header);
            damaged[at] = [0, 1, 0x7f, 0x80, 0xff, random.bits().to_le_bytes()[0]][random.below(6)];
        }
        refused += u32::from(load(&damaged).is_err());
    }
    assert!(refused > 100, "{refused}");
}

/// Replaces the eight bytes after the only place where `before` stands.
fn with_number_after(bytes: &[u8], before: &[u8], skip: usize, number: u64) -> Vec<u8> {
    let at = bytes.windows(before.len()).position(|window| window == before).expect("the text is in the file");
    let mut bytes = bytes.to_vec();
    bytes[at + before.len() + skip..][..8].copy_from_slice(&number.to_le_bytes());
    bytes
}

#[test]
fn each_lie_of_a_header_is_named() {
    let bytes = file(&Weights::seeded(tied(), 1), Format::F32);
    let reason = |bytes: &[u8]| load(bytes).expect_err("refused").to_string();
    let mut huge = bytes.clone();
    huge[8..16].fill(0xff);
    assert!(reason(&huge).contains("tensors; no model has more"));
    let tokens = b"tokenizer.ggml.tokens";
    assert!(reason(&with_number_after(&bytes, tokens, 8, u64::MAX)).contains("bytes should follow"));
    let columns = b"token_embd.weight";
    assert!(reason(&with_number_after(&bytes, columns, 4, 1 << 29)).contains("outside the file"));
    assert!(reason(&with_number_after(&bytes, columns, 4, 31)).contains("\"token_embd.weight\" has"));
    // The offset follows dimensions, two sizes and the encoding.
    assert!(reason(&with_number_after(&bytes, b"position_embd.weight", 24, 32)).contains("overlap"));
    assert!(reason(&with_number_after(&bytes, b"position_embd.weight", 24, 33)).contains("askew"));
    assert!(reason(b"GGUX not this").contains("no GGUF file"));
    let mut unknown = bytes.clone();
    unknown[4] = 9;
    assert!(reason(&unknown).contains("version 9"));
}

#[test]
fn weights_that_are_no_numbers_are_found_when_they_are_read() {
    for (format, bad) in [(Format::F32, f32::NAN), (Format::F32, f32::INFINITY), (Format::Q8, f32::INFINITY)] {
        let mut weights = Weights::seeded(tied(), 1);
        weights.tensor_mut(Tensor::TokenEmbedding)[77] = bad;
        let error = load(&file(&weights, format)).expect_err("refused").to_string();
        assert!(error.contains("\"token_embd.weight\" has weights that are infinite"), "{error}");
    }
}

#[test]
fn a_message_does_not_repeat_a_text_that_is_as_long_as_the_file() {
    let mut bytes = b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0".to_vec();
    let mut text = |text: &[u8]| {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text);
    };
    text(b"general.architecture");
    bytes.extend(8_u32.to_le_bytes());
    bytes.extend(100_000_u64.to_le_bytes());
    bytes.extend(std::iter::repeat_n(b'x', 100_000));
    let told = load(&bytes).expect_err("refused").to_string();
    assert!(told.contains("architecture is") && told.len() < 1_000, "{} bytes", told.len());
}
