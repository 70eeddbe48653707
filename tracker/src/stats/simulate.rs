//! Seeded noise for tests: the shapes that readings take on machines that other people use too.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// How many times the usual number of trials a test should make: 1, or what `TACHOGRAPH_SOAK` says.
pub(crate) fn soak() -> usize {
    std::env::var("TACHOGRAPH_SOAK").ok().and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// A stream of random numbers that is the same for the same seed.
pub(crate) struct Noise(Pcg64Mcg);

impl Noise {
    pub(crate) fn seeded(seed: u64) -> Noise {
        Noise(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Uniform in (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Standard normal (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Student's with three degrees of freedom.
    pub(crate) fn student3(&mut self) -> f64 {
        let squares: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
        self.normal() / (squares / 3.0).sqrt()
    }
}

/// The upper end of the one-sided 95 % interval of a rate of which `hits` in `trials` were seen (Clopper and Pearson
/// 1934).
pub(crate) fn upper_bound(hits: usize, trials: usize) -> f64 {
    let (k, n) = (hits as f64, trials as f64);
    if hits >= trials { 1.0 } else { statrs::function::beta::inv_beta_reg(k + 1.0, n - k, 0.95) }
}

/// The shapes of noise between the lives of one build: those of real benchmark histories, and worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Gauss,
    Lognormal,
    Student3,
    /// Each side falls into a second mode at random.
    Bimodal,
    /// Each side stays in its mode for a few lives.
    Sticky,
    /// The machine's state is remembered from life to life and hits base and head unequally.
    Remembered,
    Spikes,
    /// Some lives are ten times as noisy as others.
    Uneven,
    /// Readings are multiples of a coarse step.
    Quantised,
    /// The machine gets slower while it is measured.
    Drift,
    /// For some lives in a row everything is disturbed, twenty times the usual noise.
    Bursts,
    /// Two modes that lie twenty times the noise apart: the life's layout decides.
    TwoLevels,
}

impl Shape {
    pub(crate) const ALL: [Shape; 12] = [
        Shape::Gauss,
        Shape::Lognormal,
        Shape::Student3,
        Shape::Bimodal,
        Shape::Sticky,
        Shape::Remembered,
        Shape::Spikes,
        Shape::Uneven,
        Shape::Quantised,
        Shape::Drift,
        Shape::Bursts,
        Shape::TwoLevels,
    ];

    /// The log-ratios of `count` lives of one build against itself, with noise of about `cv` on each side. Which of the
    /// two is measured first is drawn for each life, as a duel does.
    pub(crate) fn lives(self, noise: &mut Noise, count: usize, cv: f64) -> Vec<f64> {
        let mut sides = [Stream::new(self, noise), Stream::new(self, noise)];
        let mut disturbed = Disturbed { shape: self, shared: 0.0, burst: false };
        (0..count)
            .map(|_| {
                let [first, second] = sides.each_mut().map(|side| side.next(noise, cv));
                let difference = first - second + disturbed.next(noise, cv);
                if noise.chance(0.5) { difference } else { -difference }
            })
            .collect()
    }

    /// The same with three sides: the levels of the one in question and of two others, in lives of one build. What is
    /// disturbed hits the one that is measured first, and the next one half as much.
    pub(crate) fn threes(self, noise: &mut Noise, count: usize, cv: f64) -> Vec<[f64; 3]> {
        let mut sides = [Stream::new(self, noise), Stream::new(self, noise), Stream::new(self, noise)];
        let mut disturbed = Disturbed { shape: self, shared: 0.0, burst: false };
        (0..count)
            .map(|_| {
                let mut levels = sides.each_mut().map(|side| side.next(noise, cv));
                let more = disturbed.next(noise, cv);
                levels[0] += more;
                levels[1] += more / 2.0;
                // Which is which is drawn: one of the three first, then one of the two that are left.
                let first = if noise.chance(1.0 / 3.0) { 0 } else { 1 + usize::from(noise.chance(0.5)) };
                levels.swap(0, first);
                let second = 1 + usize::from(noise.chance(0.5));
                levels.swap(1, second);
                levels
            })
            .collect()
    }
}

/// What a machine adds to the side that is measured first.
struct Disturbed {
    shape: Shape,
    shared: f64,
    burst: bool,
}

impl Disturbed {
    fn next(&mut self, noise: &mut Noise, cv: f64) -> f64 {
        let step = noise.normal();
        match self.shape {
            Shape::Remembered => {
                self.shared = 0.7 * self.shared + step;
                3.0 * cv * self.shared
            }
            Shape::Drift => cv * (1.0 + 0.2 * step),
            Shape::Bursts => {
                self.burst = noise.chance(if self.burst { 0.7 } else { 0.08 });
                if self.burst { 20.0 * cv * noise.exponential() } else { 0.0 }
            }
            _ => 0.0,
        }
    }
}

/// One side's readings.
struct Stream {
    shape: Shape,
    gap: f64,
    weight: f64,
    high: bool,
}

impl Stream {
    fn new(shape: Shape, noise: &mut Noise) -> Stream {
        Stream { shape, gap: noise.between(3.0, 8.0), weight: noise.between(0.1, 0.5), high: false }
    }

    fn next(&mut self, noise: &mut Noise, cv: f64) -> f64 {
        let g = noise.normal();
        match self.shape {
            Shape::Gauss | Shape::Remembered | Shape::Drift | Shape::Bursts => cv * g,
            Shape::Lognormal => cv * (g + 0.8 * noise.normal().max(0.0).powi(2)),
            Shape::Student3 => cv * noise.student3(),
            Shape::Bimodal => cv * (0.7 * g + if noise.chance(self.weight) { self.gap } else { 0.0 }),
            Shape::Sticky => {
                self.high ^= noise.chance(0.3);
                cv * (0.7 * g + if self.high { self.gap } else { 0.0 })
            }
            Shape::Spikes => cv * (g + if noise.chance(0.05) { 4.0 + 8.0 * noise.exponential() } else { 0.0 }),
            Shape::Uneven => cv * g * if noise.chance(0.2) { 10.0 } else { 1.0 },
            Shape::Quantised => 2.0 * cv * (g / 2.0).round(),
            Shape::TwoLevels => cv * (0.2 * g + if noise.chance(0.5) { 4.0 } else { 0.0 }),
        }
    }
}
