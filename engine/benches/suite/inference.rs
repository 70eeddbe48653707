//! What users of an engine ask about: time to the first token, tokens per second, latency, memory.

use std::cell::Cell;
use std::fmt::Display;
use std::rc::Rc;

use engine::arena::Pooling;
use engine::engine::{Engine, Session, Turn};
use engine::kernels::Kernels;
use engine::model::Format;
use engine::profile::{self, Profile, Subject};
use engine::shape::Shape;
use tachograph_harness::{Benchmark, Group, Metric, Suite};

use super::models::{Which, advance, greedy};

/// Tokens that come before those that are decoded.
const PROMPT: usize = 8;

/// Tokens after which decoding begins again behind the prompt.
const DECODED: usize = 48;

/// Tokens that a whole generation makes.
const GENERATED: usize = 50;

/// Sequences of a batch.
const BATCH: usize = 4;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    for (name, shape) in Shape::NAMED.into_iter().skip(1) {
        for format in [Format::F32, Format::Q8] {
            let which = Which::new(name, shape, format);
            let mut group = suite.group(format!("inference/{name}/{}", which.format_name()));
            for len in [8, 32] {
                first_token(&mut group, which, len);
            }
            decode(&mut group, which, 1, "decode");
            generation(&mut group, which);
            batch(&mut group, which);
        }
    }
    // Two threads share a token's work; what that gains hangs on how far apart the two cores are just now.
    for (name, shape) in [("small", Shape::SMALL), ("medium", Shape::MEDIUM)] {
        for format in [Format::F32, Format::Q8] {
            let which = Which::new(name, shape, format);
            let mut group = suite.group(format!("threads/2/{name}/{}", which.format_name()));
            decode(&mut group, which, 2, "decode");
        }
    }
}

/// Iterations with the profiler on: a profile in JSON, which a tracker keeps with its run.
fn profiled<'a, T: 'a>(benchmark: &mut Benchmark<'_, 'a, T>, which: Which, threads: u64, steps: u64, tokens: u64) {
    let subject = Subject { model: which.name.to_owned(), format: which.format_name().to_owned(), threads };
    benchmark.profile(move |run| {
        let ((), methods) = profile::record("iterations", run);
        let walks = methods.iter().filter(|method| method.path.ends_with("/walk")).map(|method| method.calls);
        // How often it was run is not told, but how many steps were taken.
        let tokens = walks.sum::<u64>() * tokens / steps;
        Profile { subject: subject.clone(), kernels: Kernels::detect().name().to_owned(), tokens, methods }.to_json()
    });
}

/// What a model and a sequence of it occupy; told by set-up, read when a slice is over.
#[derive(Clone, Default)]
struct Memory(Rc<Cell<(usize, usize)>>);

impl Memory {
    fn note(&self, engine: &Engine, sequences: usize) {
        self.0.set((engine.model().bytes(), engine.scratch_bytes() + sequences * engine.cache_bytes()));
    }

    fn report<'a, T: 'a>(&self, benchmark: &mut Benchmark<'_, 'a, T>) {
        let (model, working) = (Rc::clone(&self.0), Rc::clone(&self.0));
        benchmark
            .metric(Metric::new("model_bytes", "bytes").exact(), move |_| model.get().0 as f64)
            .metric(Metric::new("working_bytes", "bytes").exact(), move |_| working.get().1 as f64);
    }
}

/// A prompt, to the choice of the token that follows it.
fn first_token(group: &mut Group<'_, '_>, which: Which, len: usize) {
    let memory = Memory::default();
    let told = memory.clone();
    let mut benchmark = group.benchmark(format_args!("ttft/{len}"), move || {
        let mut engine = which.engine(1, Pooling::Pooled);
        let (mut session, tokens) = (engine.open(), which.prompt(len));
        greedy(advance(&mut engine, &mut session, &tokens));
        told.note(&engine, 1);
        move || {
            session.truncate(0);
            greedy(advance(&mut engine, &mut session, &tokens))
        }
    });
    benchmark.throughput(len, "tokens").latency();
    benchmark.check(move |token| which.witness().confirm(&which.prompt(len), *token));
    memory.report(&mut benchmark);
    profiled(&mut benchmark, which, 1, 1, len as u64);
}

/// What one token of a sequence was, and where it stood.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    position: usize,
    token: u32,
}

/// One token after another. What is read is given, so that a choice can be vouched for without those before it.
fn decode(group: &mut Group<'_, '_>, which: Which, threads: usize, name: impl Display) {
    let memory = Memory::default();
    let told = memory.clone();
    let mut benchmark = group.benchmark(name, move || {
        let mut engine = which.engine(threads, Pooling::Pooled);
        let (mut session, tokens) = (engine.open(), which.prompt(PROMPT + DECODED));
        advance(&mut engine, &mut session, &tokens[..PROMPT]);
        advance(&mut engine, &mut session, &tokens[PROMPT..=PROMPT]);
        told.note(&engine, 1);
        move || {
            if session.position() == tokens.len() {
                session.truncate(PROMPT);
            }
            let position = session.position();
            let token = greedy(advance(&mut engine, &mut session, &tokens[position..=position]));
            Chosen { position, token }
        }
    });
    benchmark.throughput(1, "tokens").latency().cores(threads);
    benchmark.check(move |chosen| {
        which.witness().confirm(&which.prompt(PROMPT + DECODED)[..=chosen.position], chosen.token)
    });
    memory.report(&mut benchmark);
    profiled(&mut benchmark, which, threads as u64, 1, 1);
}

/// A prompt and fifty tokens, each chosen from the logits before it.
fn generation(group: &mut Group<'_, '_>, which: Which) {
    let memory = Memory::default();
    let told = memory.clone();
    let mut benchmark = group.benchmark(format_args!("e2e/{GENERATED}"), move || {
        let mut engine = which.engine(1, Pooling::Pooled);
        let (mut session, prompt) = (engine.open(), which.prompt(PROMPT));
        advance(&mut engine, &mut session, &prompt);
        told.note(&engine, 1);
        move || {
            session.truncate(0);
            generate(&mut engine, &mut session, &prompt)
        }
    });
    benchmark.throughput(GENERATED, "tokens").latency();
    benchmark.check(move |made: &[u32; GENERATED]| {
        let mut witness = which.witness();
        witness.confirm(&which.prompt(PROMPT), made[0])?;
        made.windows(2).try_for_each(|pair| witness.confirm(&pair[..1], pair[1]))
    });
    memory.report(&mut benchmark);
    profiled(&mut benchmark, which, 1, GENERATED as u64, GENERATED as u64);
}

fn generate(engine: &mut Engine, session: &mut Session, prompt: &[u32]) -> [u32; GENERATED] {
    let mut made = [0; GENERATED];
    made[0] = greedy(advance(engine, session, prompt));
    for index in 1..GENERATED {
        made[index] = greedy(advance(engine, session, &made[index - 1..index]));
    }
    made
}

/// One token of each of four sequences, in one step.
fn batch(group: &mut Group<'_, '_>, which: Which) {
    let memory = Memory::default();
    let told = memory.clone();
    let mut benchmark = group.benchmark(format_args!("batch/{BATCH}"), move || {
        let mut engine = which.engine(1, Pooling::Pooled);
        let mut sessions: [Session; BATCH] = std::array::from_fn(|_| engine.open());
        let tokens = which.prompt(PROMPT + DECODED);
        for session in &mut sessions {
            advance(&mut engine, session, &tokens[..PROMPT]);
        }
        let vocabulary = which.shape.vocabulary();
        step(&mut engine, &mut sessions, &tokens[PROMPT..=PROMPT], vocabulary);
        told.note(&engine, BATCH);
        move || {
            let mut position = sessions[0].position();
            if position == tokens.len() {
                position = PROMPT;
                for session in &mut sessions {
                    session.truncate(PROMPT);
                }
            }
            (position, step(&mut engine, &mut sessions, &tokens[position..=position], vocabulary))
        }
    });
    benchmark.throughput(BATCH, "tokens").latency();
    benchmark.check(move |(position, chosen)| {
        let mut witness = which.witness();
        witness.confirm(&which.prompt(PROMPT + DECODED)[..=*position], chosen[0])?;
        if chosen.iter().all(|token| *token == chosen[0]) { Ok(()) } else { Err(format!("{chosen:?} are not alike")) }
    });
    memory.report(&mut benchmark);
    profiled(&mut benchmark, which, 1, 1, BATCH as u64);
}

fn step(engine: &mut Engine, sessions: &mut [Session; BATCH], tokens: &[u32], vocabulary: usize) -> [u32; BATCH] {
    let mut turns = sessions.each_mut().map(|session| Turn { session, tokens });
    let logits = engine.advance_all(&mut turns).unwrap_or_else(|error| panic!("{error}"));
    let mut rows = logits.chunks_exact(vocabulary);
    std::array::from_fn(|_| rows.next().map_or(0, greedy))
}
