//! What the comparison with other engines needs of ours: a model as a file, and the logits that we compute from it.
//!
//! `peer export SHAPE f32|q8 FILE` writes a reference model; `peer logits FILE TOKEN…` prints a line with the logits
//! after those tokens; `peer greedy FILE COUNT TOKEN…` the tokens that follow, always the likeliest.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use engine::engine::{Engine, Settings};
use engine::gguf::{self, ModelFile};
use engine::model::{Format, Model};
use engine::sampling::likeliest;
use engine::shape::Shape;
use engine::tokenizer::Vocabulary;
use engine::weights::Seeded;

const USAGE: &str = "usage: peer export SHAPE f32|q8 FILE, peer logits FILE TOKEN…, or peer greedy FILE COUNT TOKEN…";

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["export", shape, format, file] => export(shape, format, file),
        ["logits", file, ref tokens @ ..] => {
            let mut engine = open(file)?;
            let mut session = engine.open();
            let logits = engine.advance(&mut session, &numbers(tokens)?)?;
            let words: Vec<String> = logits.iter().map(f32::to_string).collect();
            Ok(writeln!(io::stdout(), "{}", words.join(" "))?)
        }
        ["greedy", file, count, ref tokens @ ..] => {
            let mut engine = open(file)?;
            let made = greedy(&mut engine, &numbers(tokens)?, count.parse()?)?;
            let words: Vec<String> = made.iter().map(u32::to_string).collect();
            Ok(writeln!(io::stdout(), "{}", words.join(" "))?)
        }
        _ => Err(USAGE.into()),
    }
}

fn export(shape: &str, format: &str, file: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let shape = Shape::named(shape).ok_or(USAGE)?;
    let format = match format {
        "f32" => Format::F32,
        "q8" => Format::Q8,
        _ => return Err(USAGE.into()),
    };
    let mut out = BufWriter::new(File::create(file)?);
    gguf::write(&mut Seeded::new(shape, 1), format, &Vocabulary::bytes(shape.vocabulary()), &mut out)?;
    Ok(out.flush()?)
}

fn open(file: &str) -> Result<Engine, Box<dyn Error + Send + Sync>> {
    let mut file = ModelFile::open(File::open(file)?)?;
    let format = file.format();
    Ok(Engine::new(Arc::new(Model::load(&mut file, format)?), &Settings::default()))
}

fn numbers(words: &[&str]) -> Result<Vec<u32>, std::num::ParseIntError> {
    words.iter().map(|word| word.parse()).collect()
}

fn greedy(engine: &mut Engine, prompt: &[u32], count: usize) -> Result<Vec<u32>, Box<dyn Error + Send + Sync>> {
    let kernels = Settings::default().kernels;
    let mut session = engine.open();
    let mut made = vec![likeliest(kernels, engine.advance(&mut session, prompt)?)];
    while made.len() < count {
        let last = made[made.len() - 1];
        made.push(likeliest(kernels, engine.advance(&mut session, &[last])?));
    }
    Ok(made)
}
