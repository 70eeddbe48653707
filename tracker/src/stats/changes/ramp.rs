//! Steps, or a slope? A leak that grows with each commit looks like a staircase of steps in one direction, each too large
//! for a walk.
//!
//! A staircase and a level that rises evenly between two places are compared on the same scores as a walk is (see
//! `wander`), by the likelihood of normal noise of unknown variance. A noise that was learned around a staircase may have
//! taken what a slope leaves beside it for a memory, and then the scores do not hold the slope any more: so where they show
//! none, the points themselves are asked, without those that stick out. Sums over prefixes make each slope a few operations.

use super::noise::bounds;

/// The price of a place at which something changes, in nats: a slope has two, a staircase one for each step.
const PLACE: f64 = 7.5;
/// How much better a slope must explain the points than the staircase, in nats, the places' prices counted.
const CLEAR: f64 = 6.0;
/// A point that lies so many noises from the median of it and those beside it sticks out.
const FAR: f64 = 3.0;
/// A slope that is seen in the points alone takes this part of its stretch. With less, true steps of series of real noise are
/// lost, with this much hardly one.
const MOST: f64 = 0.7;
/// Places are tried in so many parts of the stretches in which a slope may begin and end.
const PARTS: usize = 16;

/// A slope: the level is as before until point `from`, and as after from point `to` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slope {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The steps that it explains, by number: `first..last`.
    pub(super) first: usize,
    pub(super) last: usize,
    /// The levels at its ends with their standard errors, as the scores measure them.
    pub(super) before: (f64, f64),
    pub(super) after: (f64, f64),
}

impl Slope {
    /// Whether it takes most of the stretch between the steps beside it: a short one may be a step that was put a point
    /// off, or one with a few points on its way.
    pub(super) fn fills(&self, starts: &[usize], length: usize) -> bool {
        let begin = self.first.checked_sub(1).map_or(0, |before| starts[before]);
        let end = starts.get(self.last).copied().unwrap_or(length);
        (self.to - self.from) as f64 >= MOST * (end - begin) as f64
    }
}

/// The slopes among the steps that begin at `starts` and go up or not, each over as many steps as it explains.
pub(super) fn slopes(values: &[f64], starts: &[usize], rises: &[bool]) -> Vec<Slope> {
    let sums = Sums::new(values);
    let mut found = Vec::new();
    let mut first = 0;
    while first < starts.len() {
        let behind = (first + 1..starts.len()).find(|at| rises[*at] != rises[first]).unwrap_or(starts.len());
        let slope = (first + 1..=behind).rev().find_map(|last| slope(&sums, starts, first, last));
        first = slope.map_or(first + 1, |slope| slope.last);
        found.extend(slope);
    }
    found
}

/// The slope in the place of the steps `first..last`, if one explains their points better.
fn slope(sums: &Sums, starts: &[usize], first: usize, last: usize) -> Option<Slope> {
    let begin = first.checked_sub(1).map_or(0, |before| starts[before]);
    let end = starts.get(last).copied().unwrap_or(sums.count());
    let steps = &starts[first..last];
    let stairs: f64 = bounds(steps, end).map(|(from, to)| sums.level(from.max(begin), to)).sum();
    let ends = parts(steps[steps.len() - 1], end);
    let tried = parts(begin, steps[0]).flat_map(|from| ends.clone().map(move |to| (from, to)));
    let best = tried.map(|(from, to)| (sums.line(begin, from, to, end), from, to));
    let (line, from, to) = best.min_by(|one, other| one.0.left.total_cmp(&other.0.left))?;
    let better = (stairs / line.left.max(1e-9)).ln();
    let gain = |points: f64| points / 2.0 * better + PLACE * (steps.len() as f64 - 2.0);
    // What a slope leaves that explains little is alike too: only what speaks for it is cut.
    let is_clear = gain((end - begin) as f64) > CLEAR
        && (better <= 0.0 || gain(line.told(sums, (begin, end), (from, to))) > CLEAR);
    let error = |(level, variance): (f64, f64)| (level, variance.sqrt());
    is_clear.then_some(Slope { from, to, first, last, before: error(line.before), after: error(line.after) })
}

/// The points, those that stick out of their neighbours, whose medians are `middles`, drawn to them.
pub(super) fn drawn_in(units: &[f64], middles: &[f64]) -> Vec<f64> {
    units.iter().zip(middles).map(|(unit, middle)| unit.clamp(middle - FAR, middle + FAR)).collect()
}

/// The bounds of [`PARTS`] parts.
fn parts(from: usize, to: usize) -> impl Iterator<Item = usize> + Clone {
    (0..=PARTS).map(move |part| from + (to - from) * part / PARTS)
}

/// A level, a slope and a level, fitted to points.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// The levels, with the variances that they have by points of variance one.
    before: (f64, f64),
    after: (f64, f64),
    /// The squares of what is left of the points, summed.
    left: f64,
}

impl Line {
    /// How many points without memory tell as much as the points `begin..end`, by how alike neighbours are in what a slope
    /// between `from` and `to` leaves of them: a noise that has a memory goes up and down by itself.
    fn told(&self, sums: &Sums, (begin, end): (usize, usize), (from, to): (usize, usize)) -> f64 {
        let rise = self.after.0 - self.before.0;
        let share = |at: usize| ((at as f64 - from as f64 + 1.0) / (to as f64 - from as f64 + 1.0)).clamp(0.0, 1.0);
        let left = |at: usize| Sums::between(&sums.values, at, at + 1) - self.before.0 - rise * share(at);
        let products: f64 = (begin + 1..end).map(|at| left(at - 1) * left(at)).sum();
        let alike = (products / self.left.max(1e-9)).clamp(0.0, 0.99);
        (end - begin) as f64 * (1.0 - alike) / (1.0 + alike)
    }
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

    fn noisy(seed: u64, level: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut stream = Stream::seeded(seed);
        (0..200).map(|at| level(at) + stream.normal()).collect()
    }

    #[test]
    fn a_slope_is_told_from_stairs() {
        let stairs = |at: usize| [0.0, 6.0, 12.0][usize::from(at >= 70) + usize::from(at >= 130)];
        for seed in 0..20 {
            assert_eq!(slopes(&noisy(seed, stairs), &[70, 130], &[true; 2]), [], "seed {seed}");
            let leak = noisy(seed, |at| 0.1 * at.clamp(50, 150) as f64);
            let found = slopes(&leak, &[75, 105, 125], &[true; 3]);
            assert_eq!(found.len(), 1, "seed {seed}");
            assert!(found[0].from.abs_diff(50) < 20 && found[0].to.abs_diff(150) < 20, "seed {seed}: {found:?}");
        }
    }

    #[test]
    fn stairs_of_very_unlike_steps_are_no_slope() {
        let starts = [50, 63, 98, 118, 156];
        let levels = [0.0, 60.0, 110.0, 116.0, 118.5, 122.0];
        for seed in 0..20 {
            let stairs = noisy(seed, |at| levels[starts.partition_point(|start| *start <= at)]);
            assert!(slopes(&stairs, &starts, &[true; 5]).iter().all(|slope| slope.first >= 2), "seed {seed}");
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
