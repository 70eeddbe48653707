//! The engine as one of its own peers: the same lines in, the same lines out as `peers/peer_worker.py`.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use engine::engine::{Engine, Session, Settings};
use engine::sampling::likeliest;
use serde_json::{Value, json};

/// Decoding begins again behind the prompt after so many tokens.
const PROMPT: usize = 8;
const DECODED: usize = 48;

type Failure = Box<dyn Error + Send + Sync>;

/// Answers requests until there are no more.
pub(crate) fn serve(file: &str, threads: usize) -> Result<(), Failure> {
    let mut engine = super::open(file, threads)?;
    let mut session = engine.open();
    say(&json!({ "version": "this commit", "loads": true }))?;
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let reply = if request["logits"].is_array() {
            session.truncate(0);
            json!({ "logits": engine.advance(&mut session, &tokens(&request["logits"]))? })
        } else if request["greedy"].is_array() {
            let count = usize::try_from(request["count"].as_u64().ok_or("a count is missing")?)?;
            json!({ "tokens": super::greedy(&mut engine, &tokens(&request["greedy"]), count)? })
        } else if request["follow"].is_array() {
            json!({ "tokens": follow(&mut engine, &mut session, &tokens(&request["follow"]))? })
        } else {
            let seconds = request["seconds"].as_f64().ok_or("a time is missing")?;
            let (work, tokens) = (request["work"].as_str().unwrap_or_default(), tokens(&request["tokens"]));
            let until = Instant::now() + Duration::from_secs_f64(seconds);
            let times = match work.split_once('/') {
                Some((_, count)) => prompts(&mut engine, &mut session, &tokens[..count.parse()?], until)?,
                None if work == "load" => {
                    // The threads of this one keep the caller on one core; whoever loads a first engine has them all.
                    drop(engine);
                    let times = loads(file, threads, until)?;
                    engine = super::open(file, threads)?;
                    session = engine.open();
                    times
                }
                None => decodes(&mut engine, &mut session, &tokens, until)?,
            };
            json!({ "times_ns": times })
        };
        say(&reply)?;
    }
    Ok(())
}

fn tokens(value: &Value) -> Vec<u32> {
    let numbers = value.as_array().into_iter().flatten();
    numbers.filter_map(|token| u32::try_from(token.as_u64()?).ok()).collect()
}

/// What would be chosen after each token of a text.
fn follow(engine: &mut Engine, session: &mut Session, text: &[u32]) -> Result<Vec<u32>, Failure> {
    session.truncate(0);
    text.chunks(1).map(|token| choose(engine, session, token)).collect()
}

/// Whole prompts, each with the choice of what follows it.
fn prompts(engine: &mut Engine, session: &mut Session, tokens: &[u32], until: Instant) -> Result<Vec<u128>, Failure> {
    let mut times = Vec::new();
    while times.is_empty() || Instant::now() < until {
        let begun = Instant::now();
        session.truncate(0);
        choose(engine, session, tokens)?;
        times.push(begun.elapsed().as_nanos());
    }
    Ok(times)
}

/// Single tokens behind a prompt.
fn decodes(engine: &mut Engine, session: &mut Session, tokens: &[u32], until: Instant) -> Result<Vec<u128>, Failure> {
    let mut times = Vec::new();
    while times.is_empty() || Instant::now() < until {
        session.truncate(0);
        choose(engine, session, &tokens[..PROMPT])?;
        for token in tokens[PROMPT..].chunks(1).take(DECODED) {
            let begun = Instant::now();
            choose(engine, session, token)?;
            times.push(begun.elapsed().as_nanos());
        }
    }
    Ok(times)
}

/// From the file to an engine that could compute, with a sequence begun.
fn loads(file: &str, threads: usize, until: Instant) -> Result<Vec<u128>, Failure> {
    let mut times = Vec::new();
    while times.is_empty() || Instant::now() < until {
        let begun = Instant::now();
        let mut engine = super::open(file, threads)?;
        let session = engine.open();
        times.push(begun.elapsed().as_nanos());
        engine.close(session);
    }
    Ok(times)
}

fn choose(engine: &mut Engine, session: &mut Session, tokens: &[u32]) -> Result<u32, Failure> {
    let kernels = Settings::default().kernels;
    Ok(likeliest(kernels, engine.advance(session, tokens)?))
}

fn say(reply: &Value) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{reply}")?;
    Ok(out.flush()?)
}
