//! What the comparison with other engines needs of ours: a model as a file, and the logits that we compute from it.
//!
//! `peer export SHAPE f32|q8 FILE` writes a reference model; `peer serve FILE THREADS` computes with one and takes times;
//! `peer round_trip` prints how far apart two cores are.

mod cores;
mod serve;

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

const USAGE: &str = "usage: peer export SHAPE f32|q8 FILE, peer serve FILE THREADS, or peer round_trip";

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["export", shape, format, file] => export(shape, format, file),
        ["serve", file, threads] => serve::serve(file, threads.parse()?),
        ["round_trip"] => Ok(writeln!(io::stdout(), "{:.0}", cores::round_trip_ns())?),
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

fn open(file: &str, threads: usize) -> Result<Engine, Box<dyn Error + Send + Sync>> {
    let file = ModelFile::open(File::open(file)?)?;
    let format = file.format();
    let settings = Settings { threads, ..Settings::default() };
    Ok(Engine::new(Arc::new(Model::load(&file, format)?), &settings))
}

/// The tokens that follow, always the likeliest.
fn greedy(engine: &mut Engine, prompt: &[u32], count: usize) -> Result<Vec<u32>, Box<dyn Error + Send + Sync>> {
    let kernels = Settings::default().kernels;
    let mut session = engine.open();
    let mut made = vec![likeliest(kernels, engine.advance(&mut session, prompt)?)];
    while made.len() < count {
        let last = made[made.len() - 1];
        made.push(likeliest(kernels, engine.advance(&mut session, &[last])?));
    }
    engine.close(session);
    Ok(made)
}
