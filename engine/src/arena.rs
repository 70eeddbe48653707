//! The scratch memory of a step: one pool, filled by the first step and used again by all that follow.

use crate::kernels::{Buffer, Quantised};

/// What a piece of scratch is for. Each has a buffer of its own in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The residual stream: a row for each token.
    Stream,
    /// The stream after a normalisation.
    Normed,
    /// Queries, keys and values.
    Qkv,
    /// Attention scores.
    Scores,
    /// What the heads found.
    Attended,
    /// The wide part of the feed-forward layer.
    Hidden,
}

const PURPOSES: usize = 6;

/// Whether scratch is kept from one use to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Pooling {
    /// It is: nothing is allocated once every size has been seen.
    #[default]
    Pooled,
    /// It is not: each use allocates and frees, so that the pool's effect can be measured.
    Unpooled,
}

/// The pool.
#[derive(Debug)]
pub struct Arena {
    pooling: Pooling,
    buffers: [Option<Buffer<f32>>; PURPOSES],
    quantised: Option<Quantised>,
}

impl Arena {
    /// An empty pool.
    #[must_use]
    pub fn new(pooling: Pooling) -> Self {
        Self { pooling, buffers: Default::default(), quantised: None }
    }

    /// At least `len` numbers, whatever they are.
    pub fn take(&mut self, purpose: Purpose, len: usize) -> Buffer<f32> {
        match self.buffers[purpose as usize].take() {
            Some(buffer) if buffer.len() >= len => buffer,
            _ => Buffer::zeroed(len),
        }
    }

    /// Gives them back.
    pub fn put(&mut self, purpose: Purpose, buffer: Buffer<f32>) {
        if self.pooling == Pooling::Pooled {
            self.buffers[purpose as usize] = Some(buffer);
        }
    }

    /// Room for at least `len` quantised activations.
    pub fn take_quantised(&mut self, len: usize) -> Quantised {
        match self.quantised.take() {
            Some(quantised) if quantised.room() >= len => quantised,
            _ => Quantised::with_room_for(len),
        }
    }

    /// Gives it back.
    pub fn put_quantised(&mut self, quantised: Quantised) {
        if self.pooling == Pooling::Pooled {
            self.quantised = Some(quantised);
        }
    }

    /// Bytes that the pool holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let floats: usize = self.buffers.iter().flatten().map(|buffer| buffer.len() * 4).sum();
        floats + self.quantised.as_ref().map_or(0, Quantised::room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_hands_out_the_same_memory_again_and_an_unpooled_one_keeps_none() {
        let mut arena = Arena::new(Pooling::Pooled);
        let first = arena.take(Purpose::Normed, 100);
        let address = first.as_ptr();
        arena.put(Purpose::Normed, first);
        let again = arena.take(Purpose::Normed, 50);
        assert_eq!(again.as_ptr(), address);
        arena.put(Purpose::Normed, again);
        assert!(arena.take(Purpose::Normed, 200).len() == 200 && arena.bytes() == 0);

        let mut arena = Arena::new(Pooling::Unpooled);
        let buffer = arena.take(Purpose::Normed, 100);
        arena.put(Purpose::Normed, buffer);
        let quantised = arena.take_quantised(64);
        arena.put_quantised(quantised);
        assert_eq!(arena.bytes(), 0);
    }
}
