//! What peers that are programs of their own have in common: a line in, a line out, as `peer_worker.py` has it.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// As the engine's suite has it: decoding begins again behind the prompt after so many tokens.
const PROMPT: usize = 8;
const DECODED: usize = 48;

pub type Failure = Box<dyn Error + Send + Sync>;

/// A model with a cache of keys and values.
pub trait Peer: Sized {
    /// From the file to what could compute.
    fn open(path: &str) -> Result<Self, Failure>;

    /// The next tokens begin a text.
    fn forget(&mut self);

    /// Logits behind the tokens, which follow what came before.
    fn step(&mut self, tokens: &[u32]) -> Result<Vec<f32>, Failure>;
}

/// What `compare.py` and `agree.py` ask of a model.
#[derive(Deserialize)]
#[serde(untagged)]
enum Request {
    Logits { logits: Vec<u32> },
    Greedy { greedy: Vec<u32>, count: usize },
    Follow { follow: Vec<u32> },
    Measure { work: String, tokens: Vec<u32>, seconds: f64 },
}

/// Answers requests to the model of the file that the command line names.
pub fn serve<P: Peer>(package: &str) -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("the file of a model is missing")?;
    let mut peer = P::open(&path)?;
    say(&json!({ "version": version(package), "loads": true }))?;
    answer(|request| {
        Ok(match request {
            Request::Logits { logits } => json!({ "logits": prompt(&mut peer, &logits)? }),
            Request::Greedy { greedy: tokens, count } => json!({ "tokens": greedy(&mut peer, &tokens, count)? }),
            Request::Follow { follow: text } => json!({ "tokens": follow(&mut peer, &text)? }),
            Request::Measure { work, tokens, seconds } => {
                let until = Instant::now() + Duration::from_secs_f64(seconds);
                json!({ "times_ns": measure(&mut peer, &path, &work, &tokens, until)? })
            }
        })
    })
}

/// Answers each line with a line until there are no more.
pub fn answer<R: DeserializeOwned>(mut reply: impl FnMut(R) -> Result<Value, Failure>) -> Result<(), Failure> {
    for line in io::stdin().lock().lines() {
        say(&reply(serde_json::from_str(&line?)?)?)?;
    }
    Ok(())
}

pub fn say(reply: &Value) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{reply}")?;
    Ok(out.flush()?)
}

/// The version of a package that this program was built with.
pub fn version(package: &str) -> &'static str {
    let mut lines = include_str!("../Cargo.lock").lines();
    let name = format!("name = \"{package}\"");
    lines.find(|line| *line == name);
    lines.next().unwrap_or_default().trim_start_matches("version = ").trim_matches('"')
}

fn prompt<P: Peer>(peer: &mut P, tokens: &[u32]) -> Result<Vec<f32>, Failure> {
    peer.forget();
    peer.step(tokens)
}

/// The tokens that follow, always the likeliest.
fn greedy<P: Peer>(peer: &mut P, tokens: &[u32], count: usize) -> Result<Vec<u32>, Failure> {
    let mut last = likeliest(&prompt(peer, tokens)?);
    let mut made = vec![last];
    while made.len() < count {
        last = likeliest(&peer.step(&[last])?);
        made.push(last);
    }
    Ok(made)
}

/// What would be chosen after each token of a text.
fn follow<P: Peer>(peer: &mut P, text: &[u32]) -> Result<Vec<u32>, Failure> {
    peer.forget();
    text.chunks(1).map(|token| Ok(likeliest(&peer.step(token)?))).collect()
}

/// Times of single calls, the choice of the likeliest token with them.
fn measure<P: Peer>(
    peer: &mut P,
    path: &str,
    work: &str,
    tokens: &[u32],
    until: Instant,
) -> Result<Vec<u128>, Failure> {
    let mut times = Vec::new();
    while times.is_empty() || Instant::now() < until {
        match work.split_once('/') {
            Some((_, count)) => {
                let tokens = &tokens[..count.parse()?];
                times.push(timed(|| Ok(likeliest(&prompt(peer, tokens)?)))?);
            }
            None if work == "load" => times.push(timed(|| P::open(path))?),
            None => {
                prompt(peer, &tokens[..PROMPT])?;
                for token in tokens[PROMPT..].chunks(1).take(DECODED) {
                    times.push(timed(|| Ok(likeliest(&peer.step(token)?)))?);
                }
            }
        }
    }
    Ok(times)
}

/// Nanoseconds of the work, without those of putting its result away.
fn timed<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<u128, Failure> {
    let begun = Instant::now();
    let made = work()?;
    let elapsed = begun.elapsed().as_nanos();
    drop(made);
    Ok(elapsed)
}

fn likeliest(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    best as u32
}
