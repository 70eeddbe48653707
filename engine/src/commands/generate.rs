//! `engine generate`

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use engine::engine::{Engine, Settings};
use engine::sampling::{Sampler, Sampling};
use engine::tokenizer::Tokenizer;

use super::Failure;
use super::named::Named;

/// Continue a text. The text goes to standard output, rates to standard error.
#[derive(Args)]
pub(super) struct Generate {
    #[command(flatten)]
    named: Named,
    /// The text to continue.
    #[arg(long)]
    prompt: String,
    /// How many tokens to add at most; fewer if the context is full.
    #[arg(long, default_value_t = 64)]
    tokens: usize,
    /// Threads to compute with.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// How freely to choose; 0 always takes the likeliest token.
    #[arg(long, default_value_t = 0.0)]
    temperature: f32,
    /// Choose among so many of the likeliest tokens; 0 for all.
    #[arg(long, default_value_t = 0)]
    top_k: usize,
    /// Choose among the likeliest tokens that together have this probability.
    #[arg(long, default_value_t = 1.0)]
    top_p: f32,
    /// The seed of the choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How long each part took.
struct Times {
    load: Duration,
    prompt: (usize, Duration),
    decode: (usize, Duration),
}

impl Generate {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let begun = Instant::now();
        let found = self.named.find()?;
        let format = self.named.format(&found);
        let vocabulary = found.vocabulary()?;
        let tokenizer = Tokenizer::new(&vocabulary);
        let settings = Settings { threads: self.threads, ..Settings::default() };
        let mut engine = Engine::new(Arc::new(found.load(format)?), &settings);
        let load = begun.elapsed();

        let prompt = tokenizer.encode(&self.prompt);
        let Self { temperature, top_k, top_p, seed, .. } = *self;
        let sampler = Sampler::new(Sampling { temperature, top_k, top_p, seed }, settings.kernels);
        let (prompt_time, decode) = self.stream(&mut engine, &tokenizer, sampler, &prompt, vocabulary.end_of_text())?;
        report(&engine, settings.kernels.name(), &Times { load, prompt: (prompt.len(), prompt_time), decode })
    }

    /// Writes token after token as they come.
    fn stream(
        &self,
        engine: &mut Engine,
        tokenizer: &Tokenizer,
        mut sampler: Sampler,
        prompt: &[u32],
        end: Option<u32>,
    ) -> Result<(Duration, (usize, Duration)), Failure> {
        let mut out = io::stdout().lock();
        let context = engine.model().shape().context();
        let mut session = engine.open();
        let begun = Instant::now();
        let mut token = sampler.choose(engine.advance(&mut session, prompt)?);
        let prompt_time = begun.elapsed();
        out.write_all(self.prompt.as_bytes())?;
        let (mut count, mut decode_time) = (0, Duration::ZERO);
        for written in 1..=self.tokens {
            if Some(token) == end {
                break;
            }
            out.write_all(tokenizer.decode(token))?;
            out.flush()?;
            if written == self.tokens || session.position() == context {
                break;
            }
            let begun = Instant::now();
            token = sampler.choose(engine.advance(&mut session, &[token])?);
            decode_time += begun.elapsed();
            count += 1;
        }
        writeln!(out)?;
        Ok((prompt_time, (count, decode_time)))
    }
}

fn report(engine: &Engine, kernels: &str, times: &Times) -> Result<(), Failure> {
    let mut err = io::stderr().lock();
    let threads = engine.threads();
    writeln!(err, "\nload    {:>10.1} ms, {kernels}, {threads} thread(s)", times.load.as_secs_f64() * 1e3)?;
    for (name, (tokens, time)) in [("prompt", times.prompt), ("decode", times.decode)] {
        if tokens > 0 {
            let seconds = time.as_secs_f64();
            writeln!(
                err,
                "{name:<8}{tokens:>10} tokens in {:.2} ms: {:.0} per second",
                seconds * 1e3,
                tokens as f64 / seconds
            )?;
        }
    }
    Ok(())
}
