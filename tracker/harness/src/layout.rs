//! Moving the heap to where the tracker wants it.
//!
//! How fast a small loop is depends on the addresses that it works on, by a fifth at times. A tracker that compares
//! programs gives the processes of one comparison the same addresses, where it can, and other ones to those of the next:
//! luck is then the same on all sides, and differs from life to life. The heap begins behind the program, wherever that
//! ends, and the tracker cannot reach it from outside.

use std::hint::black_box;
use std::mem::ManuallyDrop;

/// The variable that says where.
const VARIABLE: &str = "TACHOGRAPH_LAYOUT";
/// The heap moves to so many of these at the most, which are two megabytes, behind a round address.
const STEP_BYTES: u64 = 16;
const MOST_STEPS: u64 = 1 << 17;
/// What addresses are round: programs of about one size end before the same one.
const ROUND_BYTES: u64 = 4 << 20;
/// No piece is larger, for large ones would not come from the heap. What an allocator writes before each is left out.
const PIECE_BYTES: u64 = 64 << 10;
const HEADER_BYTES: u64 = 8;
/// The smallest piece.
const LEAST_BYTES: u64 = 32;
/// Pieces that it takes at the most; with an allocator of another kind nothing is known of what comes next.
const MOST_PIECES: u64 = (ROUND_BYTES + STEP_BYTES * MOST_STEPS) / PIECE_BYTES + 2;

/// Moves the heap as the environment says, if it does.
pub(crate) fn settle() {
    let Some(layout) = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok()) else { return };
    let mut next = take(PIECE_BYTES);
    let mut wanted = target(next, layout);
    for _ in 0..MOST_PIECES {
        match wanted.checked_sub(next) {
            Some(0) => return,
            Some(gap) if gap >= LEAST_BYTES => next = take(gap.min(PIECE_BYTES)),
            // A piece came from somewhere else than the end.
            _ => wanted = target(next, layout),
        }
    }
}

/// Where the heap is to go on that now goes on at `next`.
fn target(next: u64, layout: u64) -> u64 {
    (next + LEAST_BYTES).next_multiple_of(ROUND_BYTES) + layout % MOST_STEPS * STEP_BYTES
}

/// Takes a piece that is never used and never freed, and says where it ends: the next one mostly begins there.
fn take(bytes: u64) -> u64 {
    let memory: Vec<u8> = Vec::with_capacity(usize::try_from(bytes - HEADER_BYTES).unwrap_or(0));
    ManuallyDrop::new(black_box(memory)).as_ptr().addr() as u64 + bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_about_one_size_have_their_heaps_at_the_same_address() {
        let begins = [0x5555_5572_1000, 0x5555_5572_9010];
        for layout in [0, 1, 77_777, u64::MAX] {
            let [one, other] = begins.map(|begin| target(begin, layout));
            assert_eq!(one, other);
            assert!(one > begins[1] && one - begins[0] < ROUND_BYTES + STEP_BYTES * MOST_STEPS);
        }
        assert_ne!(target(begins[0], 1), target(begins[0], 2));
    }
}
