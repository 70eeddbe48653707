//! Series of any length: long ones are read in blocks that overlap, so that time and memory grow with the length alone.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::noise::bounds;
use super::prepare::Scale;
use super::search::NEAR;
use super::{Detection, Drift, Range, Segment, Settings, Step, Values, detect_at_once};

/// A series of so many points is read at once: whether a level wanders is seen only by who sees all of it.
const AT_ONCE: usize = 3_072;
/// The most points that a block of a longer one answers for. Levels farther apart in time than this are not compared.
const BLOCK: usize = 1_536;
/// How far a block reaches into its neighbours.
const OVERLAP: usize = 192;

/// Reads the whole series, in blocks on as many threads as the machine has where it is long.
pub(super) fn detect(values: &[f64], settings: &Settings) -> Detection {
    let (blocks, scale) = (blocks(values.len()), Scale::of(values));
    if blocks.len() == 1 {
        return detect_at_once(values, settings, scale);
    }
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(blocks.len());
    // Each takes the next block as soon as it is free: what else runs here may be on one processor alone.
    let next = AtomicUsize::new(0);
    let read = || -> Vec<(usize, Detection)> {
        let taken = std::iter::from_fn(|| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            blocks.get(number).map(|block| (number, block))
        });
        taken.map(|(number, block)| (number, detect_at_once(&values[block.from..block.to], settings, scale))).collect()
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
    stitch(blocks, found, values.len(), scale)
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

/// Puts the blocks' findings together: each step and each level from the block that answers for the place where it begins,
/// and a drift that goes on in the next block as one.
fn stitch(mut blocks: Vec<Block>, mut found: Vec<Detection>, length: usize, scale: Scale) -> Detection {
    for (block, detection) in blocks.iter().zip(&mut found) {
        detection.shift(block.from);
    }
    part(&mut blocks, &found);
    let mut whole = Detection::default();
    let mut starts = Vec::new();
    let mut seen = Vec::new();
    for (block, detection) in blocks.iter().zip(found) {
        let answers = |at: usize| (block.first..block.last).contains(&at);
        whole.steps.extend(detection.steps.iter().filter(|step| answers(step.at)));
        let known = whole.drifts.len();
        for drift in detection.drifts {
            match whole.drifts[..known].iter_mut().find(|known| known.goes_on_in(&drift)) {
                Some(known) => *known = known.with(&drift, scale),
                None if drift.span.low < block.last && drift.span.high >= block.first => whole.drifts.push(drift),
                None => {}
            }
        }
        starts.extend(detection.segments.iter().skip(1).map(|segment| segment.from).filter(|from| answers(*from)));
        seen.extend(detection.segments.iter().filter(|s| s.from < block.last && s.to > block.first));
    }
    whole.segments = joined(&starts, &seen, length);
    whole
}

/// Moves the bounds of what the blocks answer for to the nearest place beside which neither of two neighbours sees a level
/// begin: they may place one step a few points apart, each on its own side of the bound, or each on the other's.
fn part(blocks: &mut [Block], found: &[Detection]) {
    for at in 1..blocks.len() {
        let bound = blocks[at].first;
        let starts =
            || found[at - 1..=at].iter().flat_map(|seen| seen.segments.iter().skip(1).map(|segment| segment.from));
        let is_free = |place: &usize| starts().all(|start| start.abs_diff(*place) > NEAR);
        let free = (0..OVERLAP / 2).flat_map(|away| [bound - away, bound + away]).find(is_free).unwrap_or(bound);
        (blocks[at - 1].last, blocks[at].first) = (free, free);
    }
}

/// The segments that begin at zero and at `starts`: of those that the blocks saw, each takes the longest that lies in it.
fn joined(starts: &[usize], seen: &[Segment], length: usize) -> Vec<Segment> {
    let mut rest = seen;
    let mut joined = Vec::with_capacity(starts.len() + 1);
    for (from, to) in bounds(starts, length) {
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
        let overlaps = next.span.low <= self.span.high && self.span.low <= next.span.high;
        overlaps && (next.size > 0.0) == (self.size > 0.0)
    }

    /// Both as one, from where this begins to where the next one ends, if that is later.
    fn with(&self, next: &Drift, scale: Scale) -> Drift {
        if next.span.high <= self.span.high {
            return *self;
        }
        // Errors of relative sizes add as logarithms.
        let log = |size: f64| if scale.logs { size.ln_1p() } else { size };
        let size = |log: f64| if scale.logs { log.exp_m1() } else { log };
        let (before, after) = (self.before, next.after);
        let moved = if scale.logs { (after / before).ln() } else { after - before };
        let side = |end: fn(&Drift) -> f64| [self, next].map(|one| log(one.size) - log(end(one)));
        let [low, high] = [side(|one| one.size_within.low), side(|one| one.size_within.high)];
        Drift {
            span: Range { low: self.span.low, high: next.span.high },
            before,
            after,
            size: size(moved),
            size_within: Range { low: size(moved - low[0].hypot(low[1])), high: size(moved + high[0].hypot(high[1])) },
            noises: self.noises * moved / log(self.size),
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
/// Two steps no farther apart than this are the same one, seen again with more points.
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
        let known = follower.detect();
        follower.told = known.steps.iter().map(|step| step.at + follower.gone).collect();
        follower
    }

    fn detect(&self) -> Detection {
        detect_at_once(&self.window, &self.settings, Scale::of(&self.window))
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
        let mut detection = self.detect();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A drift between two points and levels, of values above zero, with so wide an interval to each side of its logarithm.
    fn drift((low, before): (usize, f64), (high, after): (usize, f64), side: f64) -> Drift {
        let log = (after / before).ln();
        let size_within = Range { low: (log - side).exp_m1(), high: (log + side).exp_m1() };
        let size = log.exp_m1();
        Drift { span: Range { low, high }, before, after, size, size_within, noises: 100.0 * log }
    }

    fn stitched(found: Vec<Vec<Drift>>, logs: bool) -> Vec<Drift> {
        let blocks = blocks(6_000);
        // Blocks count from their own first point.
        let of_block = |(block, drifts): (&Block, Vec<Drift>)| {
            let mut found = Detection { drifts, ..Detection::default() };
            for drift in &mut found.drifts {
                (drift.span.low, drift.span.high) = (drift.span.low - block.from, drift.span.high - block.from);
            }
            found
        };
        let found = blocks.iter().zip(found).map(of_block).collect();
        stitch(blocks, found, 6_000, Scale { logs }).drifts
    }

    #[test]
    fn a_drift_that_goes_on_is_one_with_the_errors_of_both() {
        let first = drift((1_000, 100.0), (1_650, 200.0), 0.03);
        let next = drift((1_400, 150.0), (2_500, 1_000.0), 0.04);
        let [whole] = stitched(vec![vec![first], vec![next], vec![], vec![]], true)[..] else { panic!("one") };
        let expected = drift((1_000, 100.0), (2_500, 1_000.0), 0.05);
        assert_eq!(whole.span, expected.span);
        for (is, wanted) in [
            (whole.size, expected.size),
            (whole.size_within.low, expected.size_within.low),
            (whole.size_within.high, expected.size_within.high),
            (whole.noises, expected.noises),
        ] {
            assert!((is / wanted - 1.0).abs() < 1e-9, "{whole:?}");
        }
        // The next block saw less of it.
        let part = drift((1_400, 150.0), (1_450, 160.0), 0.04);
        assert_eq!(stitched(vec![vec![first], vec![part], vec![], vec![]], true), [first]);
    }

    #[test]
    fn where_values_may_be_nought_sizes_are_differences() {
        let of = |(low, before): (usize, f64), (high, after): (usize, f64)| {
            let size = after - before;
            let size_within = Range { low: size - 3.0, high: size + 4.0 };
            Drift { span: Range { low, high }, before, after, size, size_within, noises: size }
        };
        let found =
            vec![vec![of((1_000, -50.0), (1_650, 0.0))], vec![of((1_400, -20.0), (2_500, 50.0))], vec![], vec![]];
        let [whole] = stitched(found, false)[..] else { panic!("one") };
        assert!((whole.size - 100.0).abs() < 1e-9 && (whole.noises - 100.0).abs() < 1e-9, "{whole:?}");
        assert!((whole.size_within.low - (100.0 - 18.0_f64.sqrt())).abs() < 1e-9, "{whole:?}");
    }

    fn step(at: usize) -> Step {
        let (within, size_within) = (Range { low: at, high: at }, Range { low: 0.9, high: 1.1 });
        let (before, after, size) = (1.0, 2.0, 1.0);
        Step { at, within, before, after, size, size_within, noises: 9.0, probability: 1.0, gain: 50.0, p: 0.0 }
    }

    /// What a block finds that sees a level begin at each of these places, at the last of them as a told step.
    fn levels(block: &Block, starts: &[usize]) -> Detection {
        let local: Vec<usize> = starts.iter().map(|at| at - block.from).collect();
        let within = Range { low: 1.0, high: 1.0 };
        let segments = bounds(&local, block.to - block.from).map(|(from, to)| Segment { from, to, level: 1.0, within });
        let steps = local.last().map(|at| step(*at));
        Detection { segments: segments.collect(), steps: steps.into_iter().collect(), drifts: Vec::new() }
    }

    #[test]
    fn a_step_at_the_bound_of_blocks_is_told_once_wherever_each_of_them_sees_it() {
        // The first block answers for 1,500 points, and what may be a stair of a drift is a level as well.
        for (one, other) in [(1_499, 1_502), (1_502, 1_499), (1_500, 1_500), (1_494, 1_497)] {
            let blocks = blocks(6_000);
            let starts = [&[900, one][..], &[other], &[], &[]];
            let found = blocks.iter().zip(starts).map(|(block, starts)| levels(block, starts)).collect();
            let whole = stitch(blocks, found, 6_000, Scale { logs: true });
            let [step] = whole.steps[..] else { panic!("{one} and {other}: {:?}", whole.steps) };
            assert!(step.at == one || step.at == other);
            let spans: Vec<_> = whole.segments.iter().map(|segment| (segment.from, segment.to)).collect();
            assert_eq!(spans, [(0, 900), (900, step.at), (step.at, 6_000)]);
        }
    }

    #[test]
    fn a_turn_at_the_bound_of_blocks_is_two_drifts() {
        let (up, down) = (drift((700, 100.0), (1_497, 150.0), 0.01), drift((1_497, 150.0), (1_691, 140.0), 0.01));
        let (same, on) = (drift((1_310, 130.0), (1_503, 150.0), 0.01), drift((1_503, 150.0), (2_300, 100.0), 0.01));
        let all = stitched(vec![vec![up, down], vec![same, on], vec![], vec![]], true);
        let spans: Vec<_> = all.iter().map(|drift| (drift.span.low, drift.span.high)).collect();
        assert_eq!(spans, [(700, 1_503), (1_497, 2_300)]);
    }
}
