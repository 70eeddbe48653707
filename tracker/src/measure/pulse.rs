//! The machine's state at one moment: how far its cores are from one another, and how fast memory streams to all.
//!
//! Virtual machines are moved under a run, and what uses two threads is fast in one place and slow in another. Both
//! figures are the best of several short tries: what disturbs can only slow a try down, and the state is what the
//! machine can do when nothing disturbs.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::cores::{self, Pinned};
use super::machine;
use crate::domain::{Fingerprint, Pulse};

/// Tries of the round trip, and round trips in each: at 50 to 600 ns each, some milliseconds in all.
const TRIES: usize = 20;
const TRIPS: u32 = 500;

/// When the other core does not answer because something else runs there, we give up: three scheduler's turns.
const PATIENCE: Duration = Duration::from_millis(50);

/// Threads that stream. A few fill any memory link, and each needs memory well beyond its cache.
const MOST_STREAMS: usize = 16;

/// Memory streamed through by all threads together: four times the last cache, within these bounds.
const LEAST_BYTES: u64 = 64 << 20;
const MOST_BYTES: u64 = 256 << 20;

/// Windows of streaming, and the length of each.
const WINDOWS: usize = 5;
const WINDOW: Duration = Duration::from_millis(6);

/// A piece of memory between two looks at the clock: some microseconds.
const PIECE_WORDS: usize = (256 << 10) / size_of::<u64>();

/// Takes this machine's pulse. It takes some tens of milliseconds, and up to 256 MiB for their length.
#[must_use]
pub fn take() -> Pulse {
    let allowed = cores::allowed();
    let round_trip_ns = machine::apart(&allowed).and_then(|(here, there)| round_trip_ns(here, there));
    Pulse { round_trip_ns, bandwidth_gb_s: bandwidth_gb_s(&allowed, &machine::fingerprint()) }
}

/// The flag's last value: the other thread may go.
const OVER: u32 = u32::MAX;

/// The time for a flag to go from one core to another and back.
fn round_trip_ns(here: usize, there: usize) -> Option<f64> {
    let flag = AtomicU32::new(0);
    thread::scope(|scope| {
        let echo = scope.spawn(|| {
            let pinned = Pinned::here(&[there]);
            echo(&flag);
            pinned.is_some()
        });
        let pinned = Pinned::here(&[here]);
        let best = (0..TRIES).map_while(|_| trip(&flag)).min();
        flag.store(OVER, Ordering::Release);
        let both = echo.join().unwrap_or(false) && pinned.is_some();
        best.filter(|_| both).map(|best| best.as_nanos() as f64 / f64::from(TRIPS))
    })
}

/// Answers each odd value with the next even one.
fn echo(flag: &AtomicU32) {
    let mut seen = 0;
    loop {
        let value = flag.load(Ordering::Acquire);
        if value == OVER {
            return;
        }
        if value == seen + 1 {
            seen = value + 1;
            // Not a store: that could overwrite the end.
            let _ = flag.compare_exchange(value, seen, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

/// The time of one try; none when the other side does not answer.
fn trip(flag: &AtomicU32) -> Option<Duration> {
    let mut value = flag.load(Ordering::Acquire);
    let begun = Instant::now();
    for _ in 0..TRIPS {
        flag.store(value + 1, Ordering::Release);
        value += 2;
        let mut spins = 0_u32;
        while flag.load(Ordering::Acquire) != value {
            spins += 1;
            if spins.is_multiple_of(1 << 16) && begun.elapsed() > PATIENCE {
                return None;
            }
        }
    }
    Some(begun.elapsed())
}

/// The rate at which all cores together read memory.
fn bandwidth_gb_s(allowed: &[usize], fingerprint: &Fingerprint) -> Option<f64> {
    let largest = fingerprint.caches_bytes.values().copied().max().unwrap_or(0);
    let eighth_of_all = fingerprint.memory_gib.max(1) << 27;
    let bytes = largest.saturating_mul(4).clamp(LEAST_BYTES, MOST_BYTES).min(eighth_of_all);
    let streams = usize::try_from(fingerprint.cores).unwrap_or(1).clamp(1, MOST_STREAMS);
    let words = usize::try_from(bytes).ok()? / streams / size_of::<u64>();
    let start = Barrier::new(streams);
    let rates: Vec<Vec<f64>> = thread::scope(|scope| {
        let start = &start;
        let stream = |index: usize| {
            // Spread over all, so that every link and cache takes part.
            let core = allowed.get(index * allowed.len() / streams).copied();
            scope.spawn(move || {
                let _pinned = core.and_then(|core| Pinned::here(&[core]));
                stream(words, start)
            })
        };
        let running: Vec<_> = (0..streams).map(stream).collect();
        running.into_iter().map(|stream| stream.join().unwrap_or_default()).collect()
    });
    let total = |window: usize| rates.iter().map(|rates| rates.get(window).copied().unwrap_or(0.0)).sum::<f64>();
    (0..WINDOWS).map(total).max_by(f64::total_cmp).filter(|&rate| rate > 0.0)
}

/// One thread's rates in GB/s, window by window; all threads begin each window together.
fn stream(words: usize, start: &Barrier) -> Vec<f64> {
    // Not zeros: those could all be one page of the kernel's.
    let memory = vec![1_u64; words];
    let mut pieces = memory.chunks(PIECE_WORDS).cycle();
    let window = |_| {
        start.wait();
        let begun = Instant::now();
        let mut bytes = 0;
        while begun.elapsed() < WINDOW {
            let piece = pieces.next().unwrap_or_default();
            black_box(sum(piece));
            bytes += size_of_val(piece);
        }
        // Bytes per nanosecond are GB per second.
        bytes as f64 / begun.elapsed().as_nanos() as f64
    };
    (0..WINDOWS).map(window).collect()
}

/// A sum in as many lanes as a compiler needs to make it one of wide registers.
fn sum(words: &[u64]) -> u64 {
    let mut lanes = [0_u64; 16];
    let (blocks, rest) = words.as_chunks::<16>();
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block) {
            *lane = lane.wrapping_add(*word);
        }
    }
    lanes.iter().chain(rest).fold(0, |sum, word| sum.wrapping_add(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_is_made_of_sensible_numbers() {
        let pulse = take();
        assert!(pulse.bandwidth_gb_s.is_some_and(|rate| rate > 0.001 && rate < 1e6), "{pulse:?}");
        if machine::apart(&cores::allowed()).is_none() {
            assert_eq!(pulse.round_trip_ns, None);
        }
        assert!(pulse.round_trip_ns.is_none_or(|trip| trip > 1.0 && trip < 1e9), "{pulse:?}");
    }

    #[test]
    fn taking_the_pulse_leaves_the_thread_free() {
        let before = cores::allowed();
        let _ = take();
        assert_eq!(cores::allowed(), before);
    }

    #[test]
    fn there_is_no_round_trip_to_a_processor_that_is_not_there() {
        let first = *cores::allowed().first().expect("this very thread runs on one");
        assert_eq!(round_trip_ns(first, 100_000), None);
    }

    #[test]
    fn every_word_is_read() {
        let words: Vec<u64> = (0..1000).collect();
        assert_eq!(sum(&words), 499_500);
        assert_eq!(sum(&words[..7]), 21);
        assert_eq!(sum(&[u64::MAX, 2]), 1);
    }
}
