//! Damaged and malicious GGUF files, many of them: each ends in a model that computes or in an error that says why, and
//! none asks for more memory than a file of its length could need.
//!
//! The mutations come from a fixed seed. `TACHOGRAPH_SOAK=N` does N times as many:
//! `TACHOGRAPH_SOAK=170 cargo test --release -p engine --test gguf_hostile -- --nocapture` takes a million.

use std::sync::Arc;

use engine::engine::{Engine, Settings};
use engine::gguf::{GgufError, ModelFile, write};
use engine::kernels::{Allocated, CountedSystem};
use engine::model::{Format, Model};
use engine::seeded::Random;
use engine::shape::{Dimensions, Head, Shape};
use engine::tokenizer::{Tokenizer, Vocabulary};
use engine::weights::Weights;

#[global_allocator]
static ALLOCATOR: CountedSystem = CountedSystem;

const INPUTS: u64 = 6_000;

/// What loading may ask for beside the model: a large page to begin at, and some room for rows.
const ROOM: u64 = 4 << 20;

/// Numbers that headers are not written for.
const EXTREMES: [u64; 12] =
    [0, 1, 2, 31, 0x7f, 0xffff, 1 << 31, 0xffff_ffff, 1 << 32, 1 << 62, 1 << 63, 0xffff_ffff_ffff_ffff];

/// Bytes of numbers that are none, or infinite: of 32 bits, and of 16.
const NO_NUMBERS: [[u8; 4]; 4] = [[0, 0, 0xc0, 0x7f], [0, 0, 0x80, 0x7f], [0, 0, 0x80, 0xff], [0, 0x7c, 0, 0xfc]];

fn bases() -> Vec<Vec<u8>> {
    let shape = |head, layers| {
        let given = Dimensions { vocabulary: 260, context: 8, width: 32, layers, heads: 2, head };
        Shape::new(given).expect("a shape")
    };
    let file = |(shape, format): (Shape, Format)| {
        let mut bytes = Vec::new();
        let weights = Weights::seeded(shape, 1);
        write(&mut &weights, format, &Vocabulary::bytes(260), &mut bytes).expect("writing to memory");
        bytes
    };
    let kinds =
        [(shape(Head::Tied, 1), Format::Q8), (shape(Head::Own, 1), Format::F32), (shape(Head::Own, 2), Format::Q8)];
    kinds.into_iter().map(file).collect()
}

/// Some bytes of a file, and more often of its header than of its weights.
fn place(random: &mut Random, len: usize, header: usize) -> usize {
    let end = if random.below(5) == 0 { len } else { header.min(len) };
    random.below(end.max(1))
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(with) {
        *to = *from;
    }
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>, header: usize, other: &[u8]) {
    let at = place(random, bytes.len(), header);
    let count = 1 + random.below(24);
    let end = (at + count).min(bytes.len());
    match random.below(9) {
        0 => overwrite(bytes, at, &[random.bits().to_le_bytes()[0]]),
        1 => overwrite(bytes, at, &EXTREMES[random.below(EXTREMES.len())].to_le_bytes()),
        2 => overwrite(bytes, at, &EXTREMES[random.below(EXTREMES.len())].to_le_bytes()[..4]),
        3 => {
            // About as long as the file is, which is where a careless comparison goes wrong.
            let near = (bytes.len() + random.below(64)).saturating_sub(32) as u64;
            overwrite(bytes, at, &near.to_le_bytes());
        }
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..end)),
        6 => {
            let more: Vec<u8> = (0..count).map(|_| random.bits().to_le_bytes()[0]).collect();
            drop(bytes.splice(at..at, more));
        }
        7 => {
            let from = place(random, other.len(), header);
            overwrite(bytes, at, &other[from..(from + 4 * count).min(other.len())]);
        }
        _ => {
            let at = random.below(bytes.len().max(1));
            overwrite(bytes, at, &NO_NUMBERS[random.below(NO_NUMBERS.len())]);
        }
    }
}

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
fn no_damage_to_a_file_causes_more_than_an_error_that_says_why() {
    let soak: u64 = std::env::var("TACHOGRAPH_SOAK").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let bases = bases();
    let mut random = Random::new(1);
    let (mut loaded, mut refused, mut most) = (0_u64, 0_u64, 0_u64);
    for _ in 0..INPUTS * soak {
        let (base, other) = (&bases[random.below(bases.len())], &bases[random.below(bases.len())]);
        let mut bytes = base.clone();
        // The texts of 260 tokens and the descriptions of the tensors.
        let header = 9_000;
        for _ in 0..=random.below(3) {
            mutate(&mut random, &mut bytes, header, other);
        }
        let before = Allocated::here();
        let outcome = load(&bytes);
        let asked = Allocated::here().since(before).bytes;
        most = most.max(asked);
        assert!(asked < 16 * bytes.len() as u64 + ROOM, "{asked} bytes for a file of {}", bytes.len());
        match outcome {
            Ok(model) => {
                let mut engine = Engine::new(Arc::new(model), &Settings::default());
                let mut session = engine.open();
                engine.advance(&mut session, &[0]).expect("a model that was loaded computes");
                loaded += 1;
            }
            Err(error) => {
                let told = error.to_string();
                assert!(!told.is_empty() && told.len() < 2_000, "{told}");
                refused += 1;
            }
        }
    }
    println!("{loaded} loaded, {refused} refused; the most that one asked for were {most} bytes");
    assert!(loaded > 100 * soak && refused > 1_000 * soak, "{loaded} {refused}");
}
