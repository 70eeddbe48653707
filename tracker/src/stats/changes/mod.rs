//! When did a series move? Change points that outliers, heavy tails, two modes, memory, unequal noise, coarse steps and
//! slow drift do not fool.
//!
//! The stages, each in its file: values become units of noise (`prepare`); levels are laid on a grid (`grid`); the
//! noise about them is learned, with its density (`density`), its memory and its stretches (`noise`, `scales`); the
//! cheapest course of levels is found, and from all courses together the probability of a change at each point
//! (`search`); changes that the points on their sides do not bear out (`merge`), or that were left again (`excursions`),
//! are taken away, the noise being learned once more around what was found; and steps that are an even slope (`ramp`) or a
//! level's slow walk (`wander`) are told apart. Long series are read in blocks (`long`). Nothing is drawn at random: the
//! same values always give the same changes. METHODOLOGY.md has the why and the figures.

mod density;
mod excursions;
mod grid;
mod lanes;
mod merge;
mod noise;
mod prepare;
mod ramp;
mod scales;
mod search;
mod wander;
mod words;

mod long;

use grid::Grid;
use merge::{Bar, Levels};
use noise::{Noise, Scatter};
use prepare::{Prepared, Scale};
use ramp::Slope;

use super::student::NORMAL_95;

pub use long::Follower;
pub use words::{Detection, Drift, NotFinite, Range, Segment, Settings, Step, Values};

/// Below this number of points nothing is said.
pub const FEWEST: usize = 6;

/// The prices of a change of level in nats: in the two fits that noises are learned around, one that sees all that may be
/// a change, at so much for half the logarithm of the length, which is what its place and its size cost, and one that sees
/// only what no mode of the noise lasts long enough for; and in those by which noises are compared.
const FIRST_PRICE: f64 = 3.0;
const SURE_PRICE: f32 = 30.0;
const PRICE: f32 = 8.0;
/// What changes cost besides where noises are compared, times the square of their number: a series that seems to move all
/// the time is more likely one whose noise was not understood.
const CROWD_PRICE: f64 = 0.5;

/// What a slope costs there: as much as a change of level, and somewhat for its other end.
const SLOPE_PRICE: f64 = PRICE as f64 + 5.0;
/// So many slopes of a series are compared so at most, and fewer, but one, of a series with so many points times levels.
const MOST_TRIES: usize = 6;
const MOST_CELLS: usize = 4_000_000;

/// Finds where a series moved.
#[must_use]
pub fn detect(values: &Values, settings: &Settings) -> Detection {
    long::detect(values.as_slice(), settings)
}

/// Finds where a series moved that is short enough to be read at once.
fn detect_at_once(values: &[f64], settings: &Settings, scale: Scale) -> Detection {
    if values.len() < FEWEST {
        return one_level(values);
    }
    let Some(prepared) = Prepared::new(values, scale) else { return one_level(values) };
    let units = &prepared.units;
    let middles = prepare::rolling_median(&prepared.spread, 2);
    let grid = Grid::new(&middles);
    let first = Fit::first(&prepared, &grid);
    let relative = if prepared.logs { settings.relative.ln_1p() / prepared.unit } else { 0.0 };
    let bar = Bar { p: settings.p, size: settings.noises.max(relative), points: settings.points };
    let found = |noise| {
        let probabilities = search::probabilities(units, &grid, noise, settings.expected);
        let mut places = search::places(&probabilities, settings.probability);
        places.retain(|(at, _)| search::anywhere_near(&probabilities, *at) >= settings.sure);
        let starts: Vec<usize> = places.iter().map(|(at, _)| *at).collect();
        let mut levels = Levels::new(units, &grid, noise, &starts);
        levels.prune(bar);
        (places, levels)
    };
    let (mut places, mut levels) = found(&first.noise);
    // What the first fits took for levels may be too little or too much. So the noise is learned once more, around what was
    // found; that it is kept even where the first was cheaper finds more steps in real noise.
    let starts = levels.starts();
    let again = (!is_near(&first.begin, &starts)).then(|| Fit::around(&prepared, &grid, starts));
    if let Some(again) = &again {
        (places, levels) = found(&again.noise);
    }
    let noise = &again.as_ref().unwrap_or(&first).noise;
    if settings.excursion > 0 {
        let moved = excursions::without(units, levels.starts(), settings.excursion);
        levels = Levels::new(units, &grid, noise, &moved);
    }
    levels.sharpen();
    // What was put elsewhere since may have fewer points beside it now.
    levels.prune(bar);
    let fitted = fitted(&levels, &grid);
    let rises: Vec<bool> = levels.steps().iter().map(|(_, size)| *size > 0.0).collect();
    let tries = (MOST_CELLS / (units.len() * grid.count)).clamp(1, MOST_TRIES);
    let mut leaks = leaks(&prepared, (first.cost, tries), &middles, (&levels.starts(), &rises));
    leaks.retain(|leak| (leak.after.level - leak.before.level).abs() >= bar.size);
    let (told, drifts) = told(&prepared, noise, &levels, &fitted, &leaks);
    Report { prepared: &prepared, levels: &levels, fitted, places: &places }.write(&told, drifts)
}

/// The numbers of the steps that are told as such, and the drifts that are told for the others.
fn told(
    prepared: &Prepared,
    noise: &Noise,
    levels: &Levels<'_>,
    fitted: &[Fitted],
    leaks: &[Leak],
) -> (Vec<usize>, Vec<Drift>) {
    let steps = levels.steps();
    let explained = |step: &usize| leaks.iter().any(|leak| (leak.first..leak.last).contains(step));
    // One slope says more than that the level wanders, where it leaves nothing for a walk to explain.
    let is_leak = leaks.len() == 1 && (0..steps.len()).all(|step| explained(&step) || wander::is_loud(steps[step].1));
    if !is_leak && !steps.is_empty() {
        let places: Vec<f64> = fitted.iter().map(|fit| fit.level).collect();
        let scores = wander::scores(&prepared.spread, noise, &steps, &places);
        if let Some(kept) = wander::steps_beside_a_walk(&scores, &steps) {
            return (kept, farthest(prepared, fitted).into_iter().collect());
        }
    }
    let drifts = leaks.iter().map(|leak| drift(prepared, leak.before, leak.after));
    ((0..steps.len()).filter(|step| !explained(step)).collect(), drifts.collect())
}

/// A level that rises or falls evenly in the place of the steps `first..last`, or between steps. Its ends have the points at
/// which they are in the place of middles.
struct Leak {
    first: usize,
    last: usize,
    before: Fitted,
    after: Fitted,
}

/// The slopes beside which the series is plainer, its noise learned anew: what was learned around levels may have taken a
/// slope for its memory. They are even in the values, not in their logarithms. The series has its cost, and how many slopes
/// to compare at most.
fn leaks(prepared: &Prepared, (cost, most): (f64, usize), middles: &[f64], steps: (&[usize], &[bool])) -> Vec<Leak> {
    let points: Vec<f64> = ramp::drawn_in(&prepared.spread, middles).map(|unit| prepared.even(unit)).collect();
    let tries = std::cell::Cell::new(0);
    let is_plainer = |slope: &Slope| {
        let can_be = [slope.before, slope.after].iter().all(|(level, _)| prepared.is_even(*level));
        if !can_be || tries.replace(tries.get() + 1) >= most {
            return false;
        }
        let rest = prepared.without(|at| prepared.of_even(slope.level(at)));
        let beside = Fit::first(&rest, &Grid::new(&prepare::rolling_median(&rest.spread, 2)));
        beside.cost + SLOPE_PRICE < cost
    };
    let leak = |slope: Slope| {
        let end = |(even, error): (f64, f64), middle| {
            let level = prepared.of_even(even);
            Fitted { level, error: error * prepared.units_an_even(level), middle }
        };
        let (before, after) = (end(slope.before, slope.from), end(slope.after, slope.to - 1));
        Leak { first: slope.first, last: slope.last, before, after }
    };
    ramp::slopes(&points, steps, is_plainer).into_iter().map(leak).collect()
}

/// Nothing moved, or there is too little to tell: one level with no interval narrower than the values.
fn one_level(values: &[f64]) -> Detection {
    let Some(level) = crate::stats::robust::median(values) else { return Detection::default() };
    let low = values.iter().copied().fold(level, f64::min);
    let high = values.iter().copied().fold(level, f64::max);
    let segment = Segment { from: 0, to: values.len(), level, within: Range { low, high } };
    Detection { segments: vec![segment], ..Detection::default() }
}

/// A noise, where the levels began that it was learned around, and what the course that is cheapest under it costs.
struct Fit {
    noise: Noise,
    begin: Vec<usize>,
    cost: f64,
}

impl Fit {
    /// The better of those around a first robust course of levels, and around one that holds nothing but plain changes.
    fn first(prepared: &Prepared, grid: &Grid) -> Fit {
        let units = &prepared.spread;
        #[expect(clippy::cast_possible_truncation, reason = "a price of a few nats")]
        let price = (FIRST_PRICE * (units.len() as f64).ln() / 2.0).max(FIRST_PRICE) as f32;
        let begun = |price: f32| search::cheapest(units, grid, &Noise::first(grid), price).starts;
        let all = begun(price);
        // Where nothing is worth the lower price, nothing is worth the higher.
        let sure = if all.is_empty() { Vec::new() } else { begun(SURE_PRICE) };
        let is_same = is_near(&all, &sure);
        let fit = Fit::around(prepared, grid, all);
        if is_same { fit } else { fit.or_cheaper(Fit::around(prepared, grid, sure)) }
    }

    /// Learns the noise around levels that begin at `begin`, of each kind that has something to explain; the one that
    /// explains the series best at the price of its changes.
    fn around(prepared: &Prepared, grid: &Grid, begin: Vec<usize>) -> Fit {
        let scatter = Scatter::new(&prepared.spread, &begin);
        let fit = |noise: Noise| {
            let course = search::cheapest(&prepared.units, grid, &noise, PRICE);
            let changes = course.starts.len() as f64;
            let cost = course.cost + CROWD_PRICE * changes * changes + noise.price;
            (noise, cost)
        };
        let cheaper = |one: (Noise, f64), other: (Noise, f64)| if other.1 < one.1 { other } else { one };
        let (noise, cost) = scatter.others(grid).map(fit).fold(fit(scatter.plain(grid)), cheaper);
        Fit { noise, begin, cost }
    }

    fn or_cheaper(self, other: Fit) -> Fit {
        if other.cost < self.cost { other } else { self }
    }
}

/// Whether two courses have the same levels, which may begin a few points apart.
fn is_near(one: &[usize], other: &[usize]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.abs_diff(*other) <= search::NEAR)
}

/// The farthest that a wandering level got, from the middle of one of its stretches to the middle of another.
fn farthest(prepared: &Prepared, fitted: &[Fitted]) -> Option<Drift> {
    let pairs = (0..fitted.len()).flat_map(|one| (one + 1..fitted.len()).map(move |other| (one, other)));
    let far = |(one, other): &(usize, usize)| (fitted[*other].level - fitted[*one].level).abs();
    let (one, other) = pairs.max_by(|a, b| far(a).total_cmp(&far(b)))?;
    Some(drift(prepared, fitted[one], fitted[other]))
}

fn drift(prepared: &Prepared, one: Fitted, other: Fitted) -> Drift {
    Drift {
        span: Range { low: one.middle, high: other.middle },
        before: prepared.value(one.level),
        after: prepared.value(other.level),
        size: prepared.size(one.level, other.level),
        size_within: prepared.size_within(one, other),
        noises: other.level - one.level,
    }
}

/// A level with its error, in units of noise, and the middle of its stretch.
#[derive(Debug, Clone, Copy)]
struct Fitted {
    level: f64,
    error: f64,
    middle: usize,
}

/// The error of a level follows from how sharply costs rise around it; none is surer than its points allow.
fn fitted(levels: &Levels<'_>, grid: &Grid) -> Vec<Fitted> {
    let fit = |level: &merge::Level| {
        let least = level.least(grid);
        let sharpness = least.sharpness.max(0.05 * (level.to - level.from) as f64).max(0.25);
        Fitted {
            level: least.level,
            error: sharpness.recip().sqrt(),
            middle: usize::midpoint(level.from, level.to - 1),
        }
    };
    levels.each.iter().map(fit).collect()
}

impl Prepared {
    /// The size of a move between two levels.
    fn size(&self, before: f64, after: f64) -> f64 {
        let moved = (after - before) * self.unit;
        if self.logs { moved.exp_m1() } else { moved }
    }

    fn size_within(&self, before: Fitted, after: Fitted) -> Range<f64> {
        let side = NORMAL_95 * before.error.hypot(after.error);
        Range { low: self.size(before.level, after.level - side), high: self.size(before.level, after.level + side) }
    }
}

/// What the stages found, in the values' own unit.
struct Report<'a> {
    prepared: &'a Prepared,
    levels: &'a Levels<'a>,
    fitted: Vec<Fitted>,
    places: &'a [(usize, f64)],
}

impl Report<'_> {
    fn write(&self, told: &[usize], drifts: Vec<Drift>) -> Detection {
        let steps = told.iter().map(|step| self.step(step + 1)).collect();
        let segments = self.levels.each.iter().zip(&self.fitted).map(|(span, fitted)| {
            let value = |errors: f64| self.prepared.value(fitted.level + errors * fitted.error);
            let within = Range { low: value(-NORMAL_95), high: value(NORMAL_95) };
            Segment { from: span.from, to: span.to, level: value(0.0), within }
        });
        Detection { steps, drifts, segments: segments.collect() }
    }

    /// Where the step before level `at` may be, if both levels are as fitted.
    fn within(&self, at: usize) -> Range<usize> {
        let (from, weights) = self.levels.places(at);
        let Range { low, high } = most_of(&weights, self.levels.each[at].from - from);
        Range { low: low + from, high: high + from }
    }

    fn step(&self, at: usize) -> Step {
        let evidence = self.levels.evidence(at);
        let (before, after) = (self.fitted[at - 1], self.fitted[at]);
        let start = self.levels.each[at].from;
        let near = self.places.iter().filter(|(place, _)| place.abs_diff(start) <= search::NEAR);
        let place = near.min_by_key(|(place, _)| place.abs_diff(start));
        Step {
            at: start,
            within: self.within(at),
            before: self.prepared.value(before.level),
            after: self.prepared.value(after.level),
            size: self.prepared.size(before.level, after.level),
            size_within: self.prepared.size_within(before, after),
            noises: after.level - before.level,
            probability: place.map_or(0.0, |(_, probability)| *probability),
            gain: evidence.gain,
            p: evidence.p,
        }
    }
}

/// The narrowest range around `at`, grown towards the likelier side, that holds 95 % of all `weights`.
fn most_of(weights: &[f64], at: usize) -> Range<usize> {
    let wanted = 0.95 * weights.iter().sum::<f64>();
    let (mut low, mut high) = (at, at);
    let mut held = weights[at];
    while held < wanted {
        let left = if low > 0 { weights[low - 1] } else { -1.0 };
        let right = weights.get(high + 1).copied().unwrap_or(-1.0);
        if left < 0.0 && right < 0.0 {
            break;
        }
        if left >= right {
            low -= 1;
            held += left;
        } else {
            high += 1;
            held += right;
        }
    }
    Range { low, high }
}

#[cfg(test)]
mod tests;
