//! Work on every processor: one thread reads, the others do something with what it read.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::failure::Outcome;

/// Takes what was read; says whether anybody still works on it.
pub(super) type Give<'a, W> = &'a mut dyn FnMut(W) -> bool;

/// Reads and works at the same time. The results come in any order.
pub(super) fn share<W: Send, R: Send>(
    read: &mut dyn FnMut(Give<'_, W>) -> Outcome<()>,
    work: &(impl Fn(W) -> Outcome<Option<R>> + Sync),
) -> Outcome<Vec<R>> {
    let hands = std::thread::available_parallelism().map_or(1, usize::from);
    // The reader waits when so much is on its way: that bounds the memory.
    let (give, take) = sync_channel(hands * 2);
    // Shared by the hands alone: if all of them fail, the reader learns of it instead of waiting for ever.
    let take = Arc::new(Mutex::new(take));
    std::thread::scope(|scope| {
        let hand = |_| {
            let take = Arc::clone(&take);
            scope.spawn(move || all(&take, work))
        };
        let hands: Vec<_> = (0..hands).map(hand).collect();
        drop(take);
        let read = read(&mut |one| give.send(one).is_ok());
        drop(give);
        let mut results = Vec::new();
        for hand in hands {
            match hand.join() {
                Ok(done) => results.extend(done?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read.map(|()| results)
    })
}

fn all<W, R>(take: &Mutex<Receiver<W>>, work: &impl Fn(W) -> Outcome<Option<R>>) -> Outcome<Vec<R>> {
    let mut results = Vec::new();
    loop {
        let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(next) = next else { return Ok(results) };
        results.extend(work(next)?);
    }
}
