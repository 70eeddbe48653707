//! Steps, or a slope? A leak that grows with each commit looks like a staircase of steps in one direction, each too large
//! for a walk, or like the memory of a noise that was learned around levels.
//!
//! So a slope is looked for in the points themselves, those that stick out of their neighbours drawn in: in the place of each
//! run of steps in one direction, and between steps. What explains the points better there, by the likelihood of normal noise
//! of unknown variance, is only a candidate: noise is learned anew beside it (see `super::leaks`). Sums over prefixes make
//! finding it a few operations for each pair of places.

use super::noise::bounds;

/// The price of a place at which something changes, in nats: a slope has two, a staircase one for each step.
const PLACE: f64 = 7.5;
/// How much better a slope must explain the points than the staircase, in nats, the places' prices counted. With less, series
/// of real noise lose true steps; with more, leaks beside outliers are not tried.
const CLEAR: f64 = 4.0;
/// A point that lies so many noises from the median of it and those beside it sticks out.
const FAR: f64 = 2.0;
/// A slope is no shorter, in points: a step with some points on its way is one.
const LEAST: usize = 8;
/// The price of a level before or after it, in nats.
const BEND: f64 = 3.0;
/// The variances of its levels are so many times what they were if its places were known.
const UNSURE: f64 = 2.0;
/// Of a run of more steps not every part is tried.
const EACH: usize = 12;
/// Places are tried in so many parts of the stretches in which a slope may begin and end, and then nearby.
const PARTS: usize = 16;

/// A slope: the level is as before until point `from`, and as after from point `to` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slope {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The steps that it explains, by number: `first..last`.
    pub(super) first: usize,
    pub(super) last: usize,
    /// The levels before and after it, with their standard errors; where it has no points beside it, those at its own end.
    pub(super) before: (f64, f64),
    pub(super) after: (f64, f64),
    line: Line,
}

impl Slope {
    /// Its level at a point.
    pub(super) fn level(&self, at: usize) -> f64 {
        let Slope { from, to, line, .. } = self;
        let behind = (at as f64 - *from as f64 + 1.0) / (*to as f64 - *from as f64 + 1.0);
        line.before.0 + (line.after.0 - line.before.0) * behind.clamp(0.0, 1.0)
    }
}

/// The slopes among steps that begin at `starts` and go up or not, as far as they are borne out: each in the place of as many
/// as it explains, or of none.
pub(super) fn slopes(
    values: &[f64],
    (starts, rises): (&[usize], &[bool]),
    is_borne_out: impl Fn(&Slope) -> bool,
) -> Vec<Slope> {
    let sums = Sums::new(values);
    let slope = |first: usize, last: usize| slope(&sums, starts, (first, last)).filter(&is_borne_out);
    let mut found: Vec<Slope> = Vec::new();
    let mut first = 0;
    while first < starts.len() {
        let behind = (first + 1..starts.len()).find(|at| rises[*at] != rises[first]).unwrap_or(starts.len());
        let slope = fewer(behind - first).find_map(|steps| slope(first, first + steps));
        first = slope.map_or(first + 1, |slope| slope.last);
        found.extend(slope);
    }
    let is_free = |level: &usize| !found.iter().any(|slope| (slope.first..=slope.last).contains(level));
    let between: Vec<Slope> = (0..=starts.len()).filter(is_free).filter_map(|level| slope(level, level)).collect();
    found.extend(between);
    found.sort_unstable_by_key(|slope| slope.from);
    found
}

/// Numbers of steps to try, the largest first: each, or of many the halves.
fn fewer(most: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(most), |steps| (*steps > 1).then(|| if *steps > EACH { steps / 2 } else { steps - 1 }))
}

/// The slope in the place of the steps `first..last`, if one explains their points better.
fn slope(sums: &Sums, starts: &[usize], (first, last): (usize, usize)) -> Option<Slope> {
    let begin = first.checked_sub(1).map_or(0, |before| starts[before]);
    let end = starts.get(last).copied().unwrap_or(sums.count());
    let steps = &starts[first..last];
    let stairs: f64 = bounds(steps, end).map(|(from, to)| sums.level(from.max(begin), to)).sum();
    let [earliest, latest] = [steps.first().unwrap_or(&end), steps.last().unwrap_or(&begin)];
    let Placed { from, to, line, .. } = best(sums, (begin, *earliest), (*latest, end))?;
    let better = (stairs / line.left.max(1e-9)).ln();
    let gain = (end - begin) as f64 / 2.0 * better + PLACE * (steps.len() as f64 - 2.0);
    let variance = UNSURE * line.left / (end - begin) as f64;
    let error = |(level, share): (f64, f64)| (level, (share * variance).sqrt());
    // Where there are no points beside it, its own first or last one is its end.
    let (mut before, mut after) = (error(line.before), error(line.after));
    let slope = Slope { from, to, first, last, before, after, line };
    if from == begin {
        before.0 = slope.level(from);
    }
    if to == end {
        after.0 = slope.level(to - 1);
    }
    (gain > CLEAR && to - from >= LEAST).then_some(Slope { before, after, ..slope })
}

/// The likeliest slope between two stretches in which it begins and ends, both included.
fn best(sums: &Sums, begins: (usize, usize), ends: (usize, usize)) -> Option<Placed> {
    let (begin, end) = (begins.0, ends.1);
    let ends = parts(ends.0, ends.1);
    let mut coarse = Vec::with_capacity((PARTS + 1) * (PARTS + 1));
    for from in parts(begins.0, begins.1) {
        coarse.extend(ends.iter().map(|to| (from, *to)));
    }
    let mut best = likeliest(sums, (begin, end), coarse)?;
    let mut stride = (end - begin).div_ceil(PARTS);
    while stride > 0 {
        let Placed { from, to, .. } = best;
        let (sooner, later) = (from.saturating_sub(stride), from + stride);
        let near = [(sooner, to), (later, to), (from, to.saturating_sub(stride)), (from, to + stride)];
        match likeliest(sums, (begin, end), near) {
            Some(nearer) if nearer.cost < best.cost => best = nearer,
            _ => stride /= 2,
        }
    }
    Some(best)
}

/// A slope somewhere in a stretch.
#[derive(Debug, Clone, Copy)]
struct Placed {
    from: usize,
    to: usize,
    line: Line,
    /// What it leaves of the points, the more for each level of its own before or after it.
    cost: f64,
}

/// That of these slopes beside which the points `begin..end` are likeliest. Without a price for a level of its own before or
/// after, most would have one of a few points.
fn likeliest(
    sums: &Sums,
    (begin, end): (usize, usize),
    slopes: impl IntoIterator<Item = (usize, usize)>,
) -> Option<Placed> {
    let inside = slopes.into_iter().filter(|(from, to)| begin <= *from && from < to && *to <= end);
    // Of what is compared so, half the logarithm for each point is the cost in nats.
    let bend = (2.0 * BEND / (end - begin) as f64).exp();
    let bends = [1.0, bend, bend * bend];
    let placed = inside.map(|(from, to)| {
        let line = sums.line(begin, from, to, end);
        let cost = line.left.max(1e-9) * bends[usize::from(from > begin) + usize::from(to < end)];
        Placed { from, to, line, cost }
    });
    placed.min_by(|one, other| one.cost.total_cmp(&other.cost))
}

/// The points, those that stick out of their neighbours, whose medians are `middles`, drawn to them.
pub(super) fn drawn_in<'a>(units: &'a [f64], middles: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    units.iter().zip(middles).map(|(unit, middle)| unit.max(middle - FAR).min(middle + FAR))
}

/// The bounds of [`PARTS`] parts, or of as many as there are.
fn parts(from: usize, to: usize) -> Vec<usize> {
    let mut parts: Vec<usize> = (0..=PARTS).map(|part| from + (to - from) * part / PARTS).collect();
    parts.dedup();
    parts
}

/// A level, a slope and a level, fitted to points.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    /// The levels, with the variances that they have by points of variance one.
    before: (f64, f64),
    after: (f64, f64),
    /// The squares of what is left of the points, summed.
    left: f64,
}

/// Sums over the points before each: of the values, of their squares, and of each times its place.
struct Sums {
    values: Vec<f64>,
    squares: Vec<f64>,
    moments: Vec<f64>,
}

impl Sums {
    fn new(scores: &[f64]) -> Sums {
        let sum = |term: fn(usize, f64) -> f64| {
            let mut sum = 0.0;
            let mut sums = vec![0.0];
            sums.extend(scores.iter().enumerate().map(|(at, score)| {
                sum += term(at, *score);
                sum
            }));
            sums
        };
        Sums { values: sum(|_, x| x), squares: sum(|_, x| x * x), moments: sum(|at, x| at as f64 * x) }
    }

    fn count(&self) -> usize {
        self.values.len() - 1
    }

    fn between(sums: &[f64], from: usize, to: usize) -> f64 {
        sums[to] - sums[from]
    }

    /// The squares of what the mean leaves of the points `from..to`, summed.
    fn level(&self, from: usize, to: usize) -> f64 {
        let sum = Sums::between(&self.values, from, to);
        (Sums::between(&self.squares, from, to) - sum * sum / (to - from) as f64).max(0.0)
    }

    /// The least squares of a level up to `from`, a slope up to `to`, and a level up to `end`. With the slope's share of
    /// the level after rising evenly over its points, this is a regression on two shares that are one together.
    fn line(&self, begin: usize, from: usize, to: usize, end: usize) -> Line {
        let points = (to - from) as f64;
        let squares = points * (2.0 * points + 1.0) / (6.0 * (points + 1.0));
        let before = (from - begin) as f64 + squares;
        let after = (end - to) as f64 + squares;
        let both = points / 2.0 - squares;
        let rising =
            Sums::between(&self.moments, from, to) - (from as f64 - 1.0) * Sums::between(&self.values, from, to);
        let of_after = Sums::between(&self.values, to, end) + rising / (points + 1.0);
        let of_before = Sums::between(&self.values, begin, end) - of_after;
        let det = before * after - both * both;
        let inverse = det.recip();
        let low = (after * of_before - both * of_after) * inverse;
        let high = (before * of_after - both * of_before) * inverse;
        let left = Sums::between(&self.squares, begin, end) - low * of_before - high * of_after;
        Line { before: (low, after * inverse), after: (high, before * inverse), left: left.max(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise as Stream;

    #[test]
    fn of_a_few_steps_each_number_is_tried_and_of_many_the_halves() {
        assert_eq!(fewer(3).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(fewer(100).take(5).collect::<Vec<_>>(), [100, 50, 25, 12, 11]);
        assert_eq!(fewer(1).count(), 1);
    }

    #[test]
    fn what_is_not_borne_out_gives_way_to_fewer_steps() {
        // A step, and a leak after it.
        let leak = noisy(7, |at| if at < 40 { 0.0 } else { 20.0 } + 0.2 * at.clamp(80, 160) as f64);
        let steps: (&[usize], &[bool]) = (&[40, 95, 120, 145], &[true; 4]);
        let found = slopes(&leak, steps, |slope| slope.first > 0);
        assert!(found.len() == 1 && (found[0].first, found[0].last) == (1, 4), "{found:?}");
        assert_eq!(slopes(&leak, steps, |_| false), []);
    }

    fn noisy(seed: u64, level: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut stream = Stream::seeded(seed);
        (0..200).map(|at| level(at) + stream.normal()).collect()
    }

    #[test]
    fn a_slope_is_told_from_stairs() {
        let stairs = |at: usize| [0.0, 6.0, 12.0][usize::from(at >= 70) + usize::from(at >= 130)];
        for seed in 0..20 {
            assert_eq!(slopes(&noisy(seed, stairs), (&[70, 130], &[true; 2]), |_| true), [], "seed {seed}");
            let leak = noisy(seed, |at| 0.1 * at.clamp(50, 150) as f64);
            let found = slopes(&leak, (&[75, 105, 125], &[true; 3]), |_| true);
            assert_eq!(found.len(), 1, "seed {seed}");
            assert!(found[0].from.abs_diff(50) < 20 && found[0].to.abs_diff(150) < 20, "seed {seed}: {found:?}");
        }
    }

    #[test]
    fn large_steps_before_small_ones_are_no_part_of_a_slope() {
        let starts = [50, 63, 98, 118, 156];
        let levels = [0.0, 60.0, 110.0, 116.0, 118.5, 122.0];
        for seed in 0..20 {
            let stairs = noisy(seed, |at| levels[starts.partition_point(|start| *start <= at)]);
            let found = slopes(&stairs, (&starts, &[true; 5]), |_| true);
            assert!(found.iter().all(|slope| slope.first >= 2), "seed {seed}");
        }
    }

    #[test]
    fn a_line_leaves_the_least_squares() {
        let scores = noisy(3, |at| 0.01 * at as f64);
        let line = Sums::new(&scores).line(20, 40, 90, 120);
        let left = |before: f64, after: f64| -> f64 {
            let level = |at: usize| before + (after - before) * ((at as f64 - 39.0) / 51.0).clamp(0.0, 1.0);
            (20..120).map(|at| (scores[at] - level(at)).powi(2)).sum()
        };
        let (before, after) = (line.before.0, line.after.0);
        assert!((left(before, after) - line.left).abs() < 1e-6);
        for (one, other) in [(0.01, 0.0), (-0.01, 0.0), (0.0, 0.01), (0.0, -0.01)] {
            assert!(left(before + one, after + other) > line.left);
        }
    }
}
