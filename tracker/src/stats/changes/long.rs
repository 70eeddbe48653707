//! Series of any length: long ones are read in blocks that overlap, so that time and memory grow with the length alone.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Detection, Drift, Range, Segment, Settings, Step, Values, detect_at_once};

/// A series of so many points is read at once: whether a level wanders is seen only by who sees all of it.
const AT_ONCE: usize = 3_072;
/// The points of a block of a longer one. Levels farther apart in time than this are not compared.
const BLOCK: usize = 1_536;
/// How far blocks reach into each other on either side.
const OVERLAP: usize = 192;

/// Reads the whole series, in blocks on as many threads as the machine has where it is long.
pub(super) fn detect(values: &[f64], settings: &Settings) -> Detection {
    let blocks = blocks(values.len());
    if blocks.len() == 1 {
        return detect_at_once(values, settings);
    }
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(blocks.len());
    // Each takes the next block as soon as it is free: what else runs here may be on one processor alone.
    let next = AtomicUsize::new(0);
    let read = || -> Vec<(usize, Detection)> {
        let taken = std::iter::from_fn(|| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            blocks.get(number).map(|block| (number, block))
        });
        taken.map(|(number, block)| (number, detect_at_once(&values[block.from..block.to], settings))).collect()
    };
    let mut found: Vec<(usize, Detection)> = std::thread::scope(|scope| {
        let hands: Vec<_> = (1..threads).map(|_| scope.spawn(read)).collect();
        let own = read();
        // A block that panics is a defect of this crate; its panic goes on.
        let join = |hand: std::thread::ScopedJoinHandle<'_, Vec<(usize, Detection)>>| match hand.join() {
            Ok(found) => found,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        hands.into_iter().flat_map(join).chain(own).collect()
    });
    found.sort_unstable_by_key(|(number, _)| *number);
    let found = found.into_iter().map(|(_, detection)| detection).collect();
    stitch(&blocks, found, values.len())
}

/// A block reads `from..to` and answers for `first..last`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Block {
    from: usize,
    to: usize,
    first: usize,
    last: usize,
}

fn blocks(length: usize) -> Vec<Block> {
    if length <= AT_ONCE {
        return vec![Block { from: 0, to: length, first: 0, last: length }];
    }
    // Even shares, so that the last block is no stump.
    let count = length.div_ceil(BLOCK);
    let bound = |at: usize| length * at / count;
    let block = |at: usize| {
        let (first, last) = (bound(at), bound(at + 1));
        Block { from: first.saturating_sub(OVERLAP), to: (last + OVERLAP).min(length), first, last }
    };
    (0..count).map(block).collect()
}

/// Puts the blocks' findings together: each step from the block that answers for its place, and a drift that goes on in the
/// next block as one.
fn stitch(blocks: &[Block], found: Vec<Detection>, length: usize) -> Detection {
    let mut whole = Detection::default();
    for (block, mut detection) in blocks.iter().zip(found) {
        detection.shift(block.from);
        let answers = |at: usize| (block.first..block.last).contains(&at);
        whole.steps.extend(detection.steps.iter().filter(|step| answers(step.at)));
        for drift in detection.drifts {
            match whole.drifts.last_mut() {
                Some(last) if last.goes_on_in(&drift) => *last = last.with(&drift),
                _ if drift.span.low < block.last && drift.span.high >= block.first => whole.drifts.push(drift),
                _ => {}
            }
        }
        whole.segments.extend(detection.segments.iter().filter(|s| s.from < block.last && s.to > block.first));
    }
    whole.segments = joined(&whole.steps, &whole.segments, length);
    whole
}

/// The segments between `steps`: of those that the blocks saw, each takes the longest that lies in it.
fn joined(steps: &[Step], seen: &[Segment], length: usize) -> Vec<Segment> {
    let starts = || steps.iter().map(|step| step.at);
    let spans = std::iter::once(0).chain(starts()).zip(starts().chain([length]));
    let mut rest = seen;
    let mut joined = Vec::with_capacity(steps.len() + 1);
    for (from, to) in spans {
        let shared = |segment: &Segment| segment.to.min(to).saturating_sub(segment.from.max(from));
        while rest.len() > 1 && rest[0].to <= from {
            rest = &rest[1..];
        }
        let longest = rest.iter().take_while(|segment| segment.from < to).max_by_key(|segment| shared(segment));
        joined.extend(longest.map(|segment| Segment { from, to, ..*segment }));
    }
    joined
}

impl Drift {
    fn goes_on_in(&self, next: &Drift) -> bool {
        next.span.low <= self.span.high && (next.size > 0.0) == (self.size > 0.0)
    }

    /// Both as one, from where this begins to where the next one ends.
    fn with(&self, next: &Drift) -> Drift {
        let (before, after) = (self.before, next.after);
        let relative = |before: f64, after: f64| after / before - 1.0;
        let is_relative = (relative(self.before, self.after) - self.size).abs() <= 1e-6 * self.size.abs();
        let size = if is_relative { relative(before, after) } else { after - before };
        let side = |end: fn(&Drift) -> f64| (self.size - end(self)).hypot(next.size - end(next));
        let (low, high) = (side(|drift| drift.size_within.low), side(|drift| drift.size_within.high));
        Drift {
            span: Range { low: self.span.low, high: self.span.high.max(next.span.high) },
            before,
            after,
            size,
            size_within: Range { low: size - low, high: size + high },
            noises: self.noises * size / self.size,
        }
    }
}

impl Detection {
    fn shift(&mut self, by: usize) {
        for step in &mut self.steps {
            step.at += by;
            step.within.low += by;
            step.within.high += by;
        }
        for drift in &mut self.drifts {
            drift.span.low += by;
            drift.span.high += by;
        }
        for segment in &mut self.segments {
            segment.from += by;
            segment.to += by;
        }
    }
}

/// How many of the last points a new point is judged with.
const WINDOW: usize = 300;
/// Two steps nearer than this are the same one, seen again with more points.
const SAME: usize = 5;

/// Follows a series point by point; each costs the same, however long the series.
#[derive(Debug, Clone)]
pub struct Follower {
    settings: Settings,
    window: Vec<f64>,
    /// How many points came before the window.
    gone: usize,
    told: Vec<usize>,
}

impl Follower {
    /// Follows from the first point on.
    #[must_use]
    pub fn new(settings: Settings) -> Follower {
        Follower { settings, window: Vec::new(), gone: 0, told: Vec::new() }
    }

    /// Takes a history whose steps are known or of no interest: nothing in it is reported.
    #[must_use]
    pub fn after(history: &Values, settings: Settings) -> Follower {
        let mut follower = Follower::new(settings);
        let values = history.as_slice();
        follower.gone = values.len().saturating_sub(WINDOW);
        follower.window = values[follower.gone..].to_vec();
        let known = detect_at_once(&follower.window, &follower.settings);
        follower.told = known.steps.iter().map(|step| step.at + follower.gone).collect();
        follower
    }

    /// Takes the next point, and returns the steps that it made known; a value that is not finite is left out of
    /// account and makes nothing known.
    pub fn push(&mut self, value: f64) -> Vec<Step> {
        if !value.is_finite() {
            return Vec::new();
        }
        if self.window.len() == WINDOW {
            self.window.remove(0);
            self.gone += 1;
        }
        self.window.push(value);
        let mut detection = detect_at_once(&self.window, &self.settings);
        detection.shift(self.gone);
        let horizon = self.gone.saturating_sub(SAME);
        self.told.retain(|at| *at >= horizon);
        let mut new = Vec::new();
        for step in detection.steps {
            if self.told.iter().all(|told| told.abs_diff(step.at) > SAME) {
                self.told.push(step.at);
                new.push(step);
            }
        }
        new
    }
}
