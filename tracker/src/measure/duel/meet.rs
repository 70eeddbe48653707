//! One benchmark in one life of a duel: the three sides set it up, warm up, and take slices in turns.

use std::time::{Duration, Instant};

use super::Pair;
use super::share::Part;
use super::trio::{Fault, Trio};
use crate::measure::calibrate::Calibration;
use crate::measure::child::urgent::Pace;
use crate::measure::order::Order;
use crate::stats::robust::median;

/// A slice begins with the caches that the other sides left. Where an iteration takes so long, in nanoseconds, that it may
/// read more than a core's own caches hold, and not so long that this beginning is a small part of it, an iteration that
/// does not count comes before each slice. How much of the memory is found where differs from life to life: what streams
/// through 16 MB then differs by 3 % instead of 9.
const TOUCHED_BEFORE_NS: std::ops::RangeInclusive<f64> = 100e3..=4e6;

/// It goes on to come in later lives if, on any side, it takes so many times as long as one that counts: what finds nothing
/// to fetch would only take time.
const FETCHES: f64 = 1.05;

/// Rounds that are thrown away at the beginning at the most, and the time that they take at the most.
const MOST_WARM_UP: u32 = 10;
const LONGEST_WARM_UP: Duration = Duration::from_millis(60);

/// An iteration that takes so many nanoseconds warms up by itself: one round after the first is enough.
const LONG_NS: f64 = 2e6;

/// A warm-up goes on while a round is at least this much faster than the fastest before: noise makes some round faster than
/// the last one again and again.
const STILL_WARMING: f64 = 0.98;

/// Rounds that a life gets however long they take: else a head that became much slower than base, or a machine that just
/// became busy, must not take everybody's time.
const LEAST_ROUNDS: u32 = 3;

/// Who runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The side that is measured against.
    Base,
    /// The side that is judged.
    Head,
    /// Base once more.
    Null,
}

impl Side {
    /// All, in the order of their places in arrays.
    pub(super) const ALL: [Side; 3] = [Side::Base, Side::Head, Side::Null];

    /// Its place in arrays.
    pub(super) fn place(self) -> usize {
        match self {
            Side::Base => 0,
            Side::Head => 1,
            Side::Null => 2,
        }
    }
}

/// What a meeting is to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task {
    /// How many iterations make a slice, on all sides.
    pub(super) calibration: Calibration,
    /// How many rounds, and how long they may take.
    pub(super) part: Part,
    /// Over how many iterations exact metrics are taken, if they are wanted.
    pub(super) exact: Option<u64>,
    /// Whether slices go before what else runs there.
    pub(super) pace: Pace,
    /// Whether it was found that slices need not begin with what does not count.
    pub(super) is_at_hand: bool,
}

/// What one side read in a meeting.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Read {
    /// The time of an iteration in nanoseconds, round by round.
    pub(super) times_ns: Vec<f64>,
    /// The metrics as this side declares them, round by round.
    pub(super) metrics: Vec<Vec<f64>>,
    /// The same over the fixed number of iterations, if that was asked for.
    pub(super) exact: Option<Vec<f64>>,
}

/// What a meeting yielded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meeting {
    /// By side.
    pub(super) read: [Read; 3],
    /// The calibration, corrected.
    pub(super) calibration: Calibration,
    /// Whether on all sides there were iterations that did not count, about as fast as those that did.
    pub(super) is_at_hand: bool,
    /// The time of the rounds that count.
    pub(super) slicing: Duration,
    /// The time of the whole meeting.
    pub(super) took: Duration,
}

/// Sets the benchmark up on all sides, warms it up, takes its rounds, and frees it.
pub(super) fn meet(trio: &mut Trio, pair: &Pair<'_>, task: Task, order: &mut Order) -> Result<Meeting, Fault> {
    let begun = Instant::now();
    let mut read = <[Read; 3]>::default();
    let is_slow = task.calibration.is_slow();
    // One order for the whole life: then each side always comes after the same two others, and finds of the caches what
    // they leave. Were it drawn for each round, a side would now and then follow upon itself, and be faster for it.
    let turns = order.shuffled(Side::ALL);
    if !is_slow {
        for side in turns {
            // Sets up, and touches everything once: a single iteration, so that what comes next has the same past in
            // each life.
            trio.run(side, pair, 1)?;
            if let Some(iterations) = task.exact {
                read[side.place()].exact = Some(trio.run(side, pair, iterations)?.metrics);
            }
        }
    }
    // Not before the first iteration: by then threads are there, if there will be any.
    if task.pace == Pace::Hurried {
        trio.hurry();
    }
    let calibration = if is_slow { task.calibration } else { warm_up(trio, pair, task.calibration, turns)? };
    let touches_before = TOUCHED_BEFORE_NS.contains(&calibration.iteration_ns) && !task.is_at_hand;
    let mut fetching = <[Vec<f64>; 3]>::default();
    let slicing = Instant::now();
    for round in 0..task.part.rounds {
        if round >= LEAST_ROUNDS && slicing.elapsed() > task.part.longest {
            break;
        }
        for side in turns {
            let touch = if touches_before { Some(trio.run(side, pair, 1)?) } else { None };
            let slice = trio.run(side, pair, calibration.iterations)?;
            let read = &mut read[side.place()];
            // Nothing takes no time at all; a clock may say so of a loop that was optimised away.
            let time_ns = slice.elapsed_ns.max(1) as f64 / calibration.iterations as f64;
            fetching[side.place()].extend(touch.map(|touch| touch.elapsed_ns as f64 / time_ns));
            read.times_ns.push(time_ns);
            read.metrics.push(slice.metrics);
        }
    }
    let slicing = slicing.elapsed();
    if task.pace == Pace::Hurried {
        trio.relax();
    }
    for side in turns {
        trio.drop_setup(side, pair)?;
    }
    if is_slow && task.exact.is_some() {
        for read in &mut read {
            read.exact = read.metrics.first().cloned();
        }
    }
    let is_at_hand = is_at_hand(&fetching);
    Ok(Meeting { read, calibration, is_at_hand, slicing, took: begun.elapsed() })
}

/// Whether nothing has to be fetched, by how much longer than those that count the iterations took that do not, side by
/// side. It must be so on each, for two of the three are base's.
fn is_at_hand(fetching: &[Vec<f64>; 3]) -> bool {
    fetching.iter().all(|times| median(times).is_some_and(|times| times < FETCHES))
}

/// Rounds that do not count, until they get no faster. Corrects the calibration by base.
fn warm_up(trio: &mut Trio, pair: &Pair<'_>, before: Calibration, turns: [Side; 3]) -> Result<Calibration, Fault> {
    let begun = Instant::now();
    let mut calibration = before;
    let mut fastest = f64::INFINITY;
    for _ in 0..MOST_WARM_UP {
        let iterations = calibration.iterations;
        // Of all sides together, since noise makes one of three faster again and again; both programs weigh the same.
        let mut now = 0.0;
        for side in turns {
            let slice = trio.run(side, pair, iterations)?;
            let weight = if side == Side::Head { 0.5 } else { 0.25 };
            now += weight * (slice.elapsed_ns.max(1) as f64 / iterations as f64).ln();
            if side == Side::Base {
                calibration = calibration.corrected(slice.elapsed_ns);
            }
        }
        let is_warm = now > fastest + STILL_WARMING.ln();
        fastest = fastest.min(now);
        if is_warm || calibration.iteration_ns >= LONG_NS || begun.elapsed() > LONGEST_WARM_UP {
            break;
        }
    }
    Ok(calibration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_fetched_only_where_no_side_fetches() {
        let (at_hand, far) = (vec![1.0, 1.3, 0.99], vec![1.2, 1.3, 0.99]);
        let sides = |head: &[f64]| [at_hand.clone(), head.to_vec(), at_hand.clone()];
        assert!(is_at_hand(&sides(&at_hand)));
        assert!(!is_at_hand(&sides(&far)), "a head that outgrew the cache, beside two that did not");
        assert!(!is_at_hand(&[far.clone(), at_hand.clone(), far]), "and a base that had");
        assert!(!is_at_hand(&sides(&[])), "where it was not looked at");
    }
}
