//! `engine train`

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use engine::gguf;
use engine::model::Format;
use engine::seeded::Random;
use engine::shape::Shape;
use engine::threads::allowed_cores;
use engine::tokenizer::{Tokenizer, Vocabulary};
use engine::train::text::Lesson;
use engine::train::{Recipe, Trainer};
use engine::weights::Weights;

use super::Failure;

/// Lessons between two lines of the report.
const LINES: usize = 20;

/// Sequences of the text held back on which the loss is told.
const HELD_BACK: usize = 16;

/// Teach a model a text, and write it as a GGUF file.
#[derive(Args)]
pub(super) struct Train {
    /// The text. Its last tenth is held back, to see what was learned.
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// The shape of the model: tiny, small or medium.
    #[arg(long, default_value = "small")]
    model: String,
    /// The file to write the model to.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Steps to take.
    #[arg(long, default_value_t = 600)]
    steps: usize,
    /// Sequences of a step.
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// The highest learning rate.
    #[arg(long, default_value_t = 3e-3)]
    rate: f32,
    /// Threads to compute with; as many as there are cores if not given.
    #[arg(long)]
    threads: Option<usize>,
    /// The seed of the first weights and of the order of lessons.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Train {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let shape = self.shape()?;
        let (learned, held_back) = self.tokens(shape)?;
        let threads = self.threads.unwrap_or_else(|| allowed_cores().len()).max(1);
        let sequences = self.batch.max(1);
        let recipe = Recipe { steps: self.steps, sequences, rate: self.rate, threads, ..Recipe::default() };
        let mut trainer = Trainer::new(Weights::seeded(shape, self.seed), recipe);
        let exam = Lesson::spread(&held_back, HELD_BACK.min(sequences), shape.context());
        self.teach(&mut trainer, &learned, &exam)?;
        if let Some(path) = &self.out {
            write(trainer.weights(), path).map_err(|error| format!("{}: {error}", path.display()))?;
            writeln!(io::stdout(), "written to {}", path.display())?;
        }
        Ok(())
    }

    fn shape(&self) -> Result<Shape, Failure> {
        let shape = Shape::named(&self.model).filter(|shape| *shape != Shape::GPT2);
        shape.ok_or_else(|| format!("{}: the model must be tiny, small or medium", self.model).into())
    }

    /// The text's tokens: what is learned, and what is held back.
    fn tokens(&self, shape: Shape) -> Result<(Vec<u32>, Vec<u32>), Failure> {
        let path = self.text.display();
        let text = std::fs::read(&self.text).map_err(|error| format!("{path}: {error}"))?;
        let tokens = Tokenizer::new(&Vocabulary::bytes(shape.vocabulary())).encode(&String::from_utf8_lossy(&text));
        let cut = tokens.len() - tokens.len() / 10;
        let least = 10 * (shape.context() + 2);
        if tokens.len() < least {
            return Err(format!("{path}: {} tokens; at least {least} are needed to learn from", tokens.len()).into());
        }
        Ok((tokens[..cut].to_vec(), tokens[cut..].to_vec()))
    }

    /// Takes the steps and prints the loss as it falls.
    fn teach(&self, trainer: &mut Trainer, text: &[u32], exam: &Lesson) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let mut random = Random::new(self.seed);
        let context = trainer.shape().context();
        writeln!(out, "{:>6} {:>8} {:>10} {:>12} {:>9}", "step", "loss", "held back", "tokens/s", "time")?;
        writeln!(out, "{:>6} {:>8} {:>10.3}", 0, "", trainer.loss(exam)?)?;
        let begun = Instant::now();
        let (mut sum, mut count) = (0.0, 0);
        for step in 1..=self.steps {
            sum += f64::from(trainer.step(&Lesson::drawn(text, &mut random, self.batch.max(1), context))?);
            count += 1;
            if step % self.steps.div_ceil(LINES) == 0 || step == self.steps {
                let seconds = begun.elapsed().as_secs_f64();
                let rate = (step * self.batch.max(1) * context) as f64 / seconds;
                let (loss, held_back) = (sum / f64::from(count), trainer.loss(exam)?);
                writeln!(out, "{step:>6} {loss:>8.3} {held_back:>10.3} {rate:>12.0} {seconds:>7.1} s")?;
                out.flush()?;
                (sum, count) = (0.0, 0);
            }
        }
        Ok(())
    }
}

fn write(weights: &Weights, path: &PathBuf) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let vocabulary = Vocabulary::bytes(weights.shape().vocabulary());
    gguf::write(&mut &*weights, Format::F32, &vocabulary, &mut out)?;
    out.flush()
}
