//! The density of residuals: a kernel estimate with a share of Student's distribution with three degrees of freedom mixed
//! in for the tails (after Rosenblatt 1956; a bounded loss is what keeps outliers from making levels: Fearnhead and Rigaill
//! 2019, *JASA* 114:169). The kernel is as wide as lets each point be foretold best by the others (Duin 1976, *IEEE
//! Transactions on Computers* 25:1175).

use super::prepare::deviation;

/// Cells of the tabled density.
pub(super) const STEP: f64 = 0.1;
/// How wide the kernels are that are tried, against Silverman's rule of thumb: that is right for one hump and far too wide
/// for two modes, the narrower the more they lie apart.
const KERNELS: [f64; 4] = [1.6, 0.8, 0.4, 0.2];
/// How much better each narrower kernel must foretell the points, in nats: a narrow one follows the chance of few points.
const NARROWER_PRICE: f64 = 1.4;
/// The narrowest kernel, in units of noise.
const NARROWEST: f64 = 0.15;
/// The share of the heavy-tailed distribution in any series, and how many points it is worth besides.
const TAIL_SHARE: f64 = 0.05;
const TAIL_POINTS: f64 = 10.0;
/// How many points of the whole density are mixed into that of a class.
const CLASS_POINTS: f64 = 15.0;

/// How far the core of a density reaches, in deviations. Without an end a second mode six deviations off is drawn to where no
/// value is, and bursts pass for levels four times as often.
const CORE: f64 = 2.0;
/// No noise is taken to be narrower.
pub(super) const LEAST_SCALE: f64 = 0.2;

/// How far values are drawn in before each is given its kernel, which widens what they span: their density is then as wide
/// as they are (after Jones 1991, *Computational Statistics & Data Analysis* 11:3). Those beyond the core may be another
/// mode, which stays where it is but for what the core's edge is drawn in.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    /// By so much of their distance.
    share: f64,
    /// How far the core reaches.
    edge: f64,
}

const NOT_DRAWN: Drawn = Drawn { share: 0.0, edge: 0.0 };

impl Drawn {
    fn within(deviation: f64, bandwidth: f64) -> Drawn {
        Drawn { share: 1.0 - (bandwidth / deviation).hypot(1.0).recip(), edge: CORE * deviation }
    }

    fn place(self, value: f64) -> f64 {
        value - self.share * value.clamp(-self.edge, self.edge)
    }
}

/// A density over distances from a level, tabled.
pub(super) struct Density {
    /// How many cells lie on each side of zero.
    reach: usize,
    pub(super) scale: f64,
    kernel: Vec<f64>,
    drawn: Drawn,
    whole: Vec<f64>,
}

impl Density {
    pub(super) fn of(values: &[f64]) -> Density {
        let scale = deviation(values).max(LEAST_SCALE);
        let mut sorted = values.to_vec();
        let n = sorted.len();
        let (below, &mut upper, _) = sorted.select_nth_unstable_by(3 * n / 4, f64::total_cmp);
        let lower = if n / 4 < below.len() { *below.select_nth_unstable_by(n / 4, f64::total_cmp).1 } else { upper };
        let spread = ((upper - lower) / 1.34).max(LEAST_SCALE);
        let reach = cells(10.0 * scale.max(1.0));
        let density = Density { reach, scale, kernel: Vec::new(), drawn: NOT_DRAWN, whole: Vec::new() };
        density.fitted(values, spread)
    }

    /// With the kernel, of those around the usual one, that foretells the values best; they spread so widely.
    fn fitted(mut self, values: &[f64], spread: f64) -> Density {
        let n = values.len() as f64;
        let usual = 0.9 * spread * n.powf(-0.2);
        let share = (TAIL_SHARE * n + TAIL_POINTS) / (n + TAIL_POINTS);
        let bins = self.binned(values, NOT_DRAWN);
        let tail: Vec<f64> = (0..bins.len()).map(|at| share * self.tail(at)).collect();
        let mut best = f64::NEG_INFINITY;
        for (finer, width) in KERNELS.iter().enumerate() {
            let bandwidth = (width * usual).max(NARROWEST);
            let kernel = kernel(bandwidth);
            let drawn = Drawn::within(spread.min(self.scale), bandwidth);
            let counts = smoothed(&self.binned(values, drawn), &kernel);
            // A value's own kernel stands where it was drawn to, and is lower at the value itself.
            let own = |at: usize| {
                let from = (at as f64 - self.reach as f64) * STEP;
                let place = (self.cell(drawn.place(from)) + kernel.len() / 2).checked_sub(at);
                place.and_then(|place| kernel.get(place)).copied().unwrap_or(0.0)
            };
            let foretold = foretold(&bins, &counts, own, (1.0 - share) / (n - 1.0), &tail);
            let foretold = foretold - NARROWER_PRICE * finer as f64;
            if foretold <= best {
                break;
            }
            best = foretold;
            self.whole = counts.iter().zip(&tail).map(|(count, tail)| (1.0 - share) * count / n + tail).collect();
            (self.kernel, self.drawn) = (kernel, drawn);
            if width * usual <= NARROWEST {
                break;
            }
        }
        self
    }

    pub(super) fn width(&self) -> f64 {
        self.reach as f64 * STEP
    }

    /// Student's density with three degrees of freedom, roughly normed.
    fn tail(&self, at: usize) -> f64 {
        let z = (at as f64 - self.reach as f64) * STEP / self.scale;
        1.0 / ((1.0 + z * z / 3.0).powi(2) * 2.6 * self.scale)
    }

    /// How many of the values, drawn in, lie in each cell.
    fn binned(&self, values: &[f64], drawn: Drawn) -> Vec<u32> {
        let mut bins = vec![0; 2 * self.reach + 1];
        for value in values.iter().map(|value| drawn.place(*value)).filter(|value| value.abs() < self.width()) {
            bins[self.cell(value)] += 1;
        }
        bins
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the caller has bounded the value")]
    fn cell(&self, value: f64) -> usize {
        (value / STEP + self.reach as f64 + 0.5) as usize
    }

    pub(super) fn costs(&self) -> Vec<f64> {
        self.whole.iter().map(|density| -density.ln()).collect()
    }

    pub(super) fn costs_of(&self, members: &[f64]) -> Vec<f64> {
        let (counts, n) = (smoothed(&self.binned(members, self.drawn), &self.kernel), members.len() as f64);
        let mixed = |(count, whole): (&f64, &f64)| {
            let own = count * (1.0 - TAIL_SHARE) + (CLASS_POINTS + n * TAIL_SHARE) * whole;
            -(own / (n + CLASS_POINTS)).ln()
        };
        counts.iter().zip(&self.whole).map(mixed).collect()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the place is clamped to the table")]
    pub(super) fn read(&self, costs: &[f64], distance: f64) -> f64 {
        let last = costs.len() - 1;
        let place = (distance / STEP + self.reach as f64).clamp(0.0, last as f64);
        let below = place as usize;
        let part = place - below as f64;
        costs[below] * (1.0 - part) + costs[(below + 1).min(last)] * part
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a width of at most some thousand cells")]
pub(super) fn cells(width: f64) -> usize {
    (width / STEP).ceil().min(1e5) as usize
}

/// A kernel around each point.
fn smoothed(bins: &[u32], kernel: &[f64]) -> Vec<f64> {
    let half = kernel.len() / 2;
    let mut smooth = vec![0.0; bins.len() + 2 * half];
    for (at, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
        for (place, weight) in smooth[at..].iter_mut().zip(kernel) {
            *place += f64::from(*count) * weight;
        }
    }
    smooth[half..half + bins.len()].to_vec()
}

/// The logarithm of the likelihood of each point as all others foretell it: by their kernels, `counts` less its `own`, each
/// of them worth `worth`, and by the tail.
fn foretold(bins: &[u32], counts: &[f64], own: impl Fn(usize) -> f64, worth: f64, tail: &[f64]) -> f64 {
    let held = bins.iter().zip(counts.iter().zip(tail)).enumerate().filter(|(_, (bin, _))| **bin > 0);
    let others = |at: usize, count: f64| (count - own(at)).max(0.0);
    held.map(|(at, (bin, (count, tail)))| f64::from(*bin) * (others(at, *count) * worth + tail).ln()).sum()
}

/// A normal kernel that sums to one over the cells, per unit of width.
fn kernel(bandwidth: f64) -> Vec<f64> {
    let half = cells(4.0 * bandwidth);
    let weights: Vec<f64> = (0..=2 * half)
        .map(|at| {
            let z = (at as f64 - half as f64) * STEP / bandwidth;
            (-z * z / 2.0).exp()
        })
        .collect();
    let sum: f64 = weights.iter().sum::<f64>() * STEP;
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise as Stream;

    fn normal(stream: &mut Stream, count: usize) -> impl Iterator<Item = f64> {
        (0..count).map(|_| stream.normal())
    }

    /// The density without its tail, cell by cell, with the distance that each stands for.
    fn core(density: &Density, points: usize) -> Vec<(f64, f64)> {
        let n = points as f64;
        let share = (TAIL_SHARE * n + TAIL_POINTS) / (n + TAIL_POINTS);
        let place = |at: usize| (at as f64 - density.reach as f64) * STEP;
        let core = |at: usize| (density.whole[at] - share * density.tail(at)) * STEP / (1.0 - share);
        (0..density.whole.len()).map(|at| (place(at), core(at))).collect()
    }

    #[test]
    fn a_second_mode_stays_where_its_values_are() {
        for seed in 0..20 {
            let mut stream = Stream::seeded(seed);
            let second: Vec<f64> = normal(&mut stream, 60).map(|value| 8.0 + value).collect();
            let values: Vec<f64> = normal(&mut stream, 140).chain(second.iter().copied()).collect();
            let density = core(&Density::of(&values), 200);
            let far = || density.iter().filter(|(place, _)| *place > 4.0);
            let center =
                far().map(|(place, core)| place * core).sum::<f64>() / far().map(|(_, core)| core).sum::<f64>();
            let mean = second.iter().sum::<f64>() / 60.0;
            assert!((center - mean).abs() < 0.5, "seed {seed}: {center} is not {mean}");
        }
    }

    #[test]
    fn kernels_make_a_density_no_wider_than_the_values() {
        // How far the quartiles lie apart, on average over series of 60 points.
        let (mut is, mut should) = (0.0, 0.0);
        for seed in 30..60 {
            let mut stream = Stream::seeded(seed);
            let mut values: Vec<f64> = normal(&mut stream, 60).collect();
            let density = core(&Density::of(&values), 60);
            let quartile = |part: f64| {
                let mut sum = 0.0;
                let below = density.iter().take_while(|(_, core)| {
                    sum += core;
                    sum < part
                });
                below.last().unwrap().0
            };
            values.sort_unstable_by(f64::total_cmp);
            is += quartile(0.75) - quartile(0.25);
            should += values[45] - values[15];
        }
        assert!((is / should - 1.0).abs() < 0.08, "{is} is not {should}");
    }

    #[test]
    fn each_point_is_foretold_by_the_others_alone() {
        let (bins, kernel) = ([1, 0, 2, 0, 1], [0.1, 0.5, 0.3]);
        let counts = smoothed(&bins, &kernel);
        let tail = [0.01; 5];
        let others = |at: usize| -> f64 {
            // Of the two points in the middle one foretells the other.
            let of =
                |other: usize| (at + 1).checked_sub(other).and_then(|place| kernel.get(place)).copied().unwrap_or(0.0);
            (0..5).map(|other| f64::from(bins[other] - u32::from(other == at)) * of(other)).sum()
        };
        let naive: f64 = [0, 2, 2, 4].map(|at| (0.25 * others(at) + 0.01).ln()).iter().sum();
        let said = foretold(&bins, &counts, |_| kernel[1], 0.25, &tail);
        assert!((said - naive).abs() < 1e-9, "{said} is not {naive}");
    }

    #[test]
    fn values_all_equal_or_all_far_out_have_a_density() {
        for values in [vec![0.0; 30], vec![-1e9; 30], (0..30).map(|at| 1e12 * f64::from(at % 2)).collect()] {
            assert!(Density::of(&values).costs().iter().all(|cost| cost.is_finite()), "{values:?}");
        }
    }
}
