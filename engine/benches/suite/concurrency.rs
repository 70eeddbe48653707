//! Sessions that know nothing of each other, each with a thread and an engine of its own over one shared model.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use engine::arena::Pooling;
use engine::model::Format;
use engine::shape::Shape;
use tachograph_harness::Suite;

use super::models::{Which, advance, greedy};

const PROMPT: usize = 8;

/// Tokens of a session in one iteration: enough that waking its thread weighs little.
const TOKENS: usize = 40;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    let which = Which::new("medium", Shape::MEDIUM, Format::F32);
    for sessions in [1, 2, 4] {
        suite
            .benchmark(format_args!("concurrency/{sessions}"), move || {
                let mut clients: Vec<Client> = (0..sessions).map(|_| Client::start(which)).collect();
                move || serve_all(&mut clients)
            })
            .throughput(sessions * TOKENS, "tokens")
            .cores(sessions.min(2))
            .latency()
            .check(move |last| which.witness().confirm(&which.prompt(PROMPT + TOKENS), *last));
    }
}

/// Everybody's last choice, which must be one and the same.
fn serve_all(clients: &mut [Client]) -> u32 {
    for client in clients.iter() {
        client.begin();
    }
    let mut last = None;
    for client in clients.iter() {
        let token = client.finish();
        assert!(last.is_none_or(|last| last == token), "sessions with the same prompt differ");
        last = Some(token);
    }
    last.unwrap_or_default()
}

/// A thread with a session.
struct Client {
    ask: Option<Sender<()>>,
    answer: Receiver<u32>,
    thread: Option<JoinHandle<()>>,
}

impl Client {
    fn start(which: Which) -> Self {
        let (ask, asked) = channel();
        let (tell, answer) = channel();
        let model = which.model();
        let thread = std::thread::spawn(move || {
            let mut engine = engine::engine::Engine::new(
                model,
                &engine::engine::Settings { pooling: Pooling::Pooled, ..engine::engine::Settings::default() },
            );
            let (mut session, tokens) = (engine.open(), which.prompt(PROMPT + TOKENS));
            advance(&mut engine, &mut session, &tokens[..PROMPT]);
            while asked.recv().is_ok() {
                session.truncate(PROMPT);
                let mut last = 0;
                for token in tokens[PROMPT..].chunks(1) {
                    last = greedy(advance(&mut engine, &mut session, token));
                }
                if tell.send(last).is_err() {
                    return;
                }
            }
        });
        Self { ask: Some(ask), answer, thread: Some(thread) }
    }

    fn begin(&self) {
        assert!(self.ask.as_ref().is_some_and(|ask| ask.send(()).is_ok()), "a session's thread is gone");
    }

    fn finish(&self) -> u32 {
        self.answer.recv().unwrap_or_else(|_| panic!("a session's thread is gone"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so, and failed the benchmark.
            let _ = thread.join();
        }
    }
}
