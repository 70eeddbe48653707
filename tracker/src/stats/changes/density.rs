//! The density of residuals: a kernel estimate with a share of Student's distribution with three degrees of freedom mixed
//! in for the tails (after Rosenblatt 1956; a bounded loss is what keeps outliers from making levels: Fearnhead and Rigaill
//! 2019, *JASA* 114:169).

use super::prepare::deviation;

/// Cells of the tabled density.
pub(super) const STEP: f64 = 0.1;
/// How wide the kernel is against Silverman's rule of thumb, which is too wide for two modes.
const KERNEL: f64 = 0.8;
/// The narrowest kernel, in units of noise.
const NARROWEST: f64 = 0.15;
/// The share of the heavy-tailed distribution in any series, and how many points it is worth besides.
const TAIL_SHARE: f64 = 0.05;
const TAIL_POINTS: f64 = 10.0;
/// How many points of the whole density are mixed into that of a class.
const CLASS_POINTS: f64 = 15.0;

/// A density over distances from a level, tabled.
pub(super) struct Density {
    /// How many cells lie on each side of zero.
    reach: usize,
    pub(super) scale: f64,
    kernel: Vec<f64>,
    whole: Vec<f64>,
}

impl Density {
    pub(super) fn of(values: &[f64]) -> Density {
        let scale = deviation(values).max(0.2);
        let mut sorted = values.to_vec();
        let n = sorted.len();
        let (_, upper, _) = sorted.select_nth_unstable_by(3 * n / 4, f64::total_cmp);
        let upper = *upper;
        let (_, lower, _) = sorted.select_nth_unstable_by(n / 4, f64::total_cmp);
        let spread = ((upper - *lower) / 1.34).max(0.2);
        let bandwidth = (KERNEL * 0.9 * spread * (n as f64).powf(-0.2)).max(NARROWEST);
        let mut density =
            Density { reach: cells(10.0 * scale.max(1.0)), scale, kernel: kernel(bandwidth), whole: Vec::new() };
        let (counts, n) = (density.smooth(values), n as f64);
        let share = (TAIL_SHARE * n + TAIL_POINTS) / (n + TAIL_POINTS);
        let mixed = counts.iter().enumerate().map(|(at, count)| (1.0 - share) * count / n + share * density.tail(at));
        density.whole = mixed.collect();
        density
    }

    pub(super) fn width(&self) -> f64 {
        self.reach as f64 * STEP
    }

    /// Student's density with three degrees of freedom, roughly normed.
    fn tail(&self, at: usize) -> f64 {
        let z = (at as f64 - self.reach as f64) * STEP / self.scale;
        1.0 / ((1.0 + z * z / 3.0).powi(2) * 2.6 * self.scale)
    }

    /// Kernels around all values.
    fn smooth(&self, values: &[f64]) -> Vec<f64> {
        let mut bins = vec![0_u32; 2 * self.reach + 1];
        for value in values.iter().filter(|value| value.abs() < self.width()) {
            bins[self.cell(*value)] += 1;
        }
        let half = self.kernel.len() / 2;
        let mut smooth = vec![0.0; bins.len() + 2 * half];
        for (at, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
            for (place, weight) in smooth[at..].iter_mut().zip(&self.kernel) {
                *place += f64::from(*count) * weight;
            }
        }
        smooth[half..half + bins.len()].to_vec()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the caller has bounded the value")]
    fn cell(&self, value: f64) -> usize {
        (value / STEP + self.reach as f64 + 0.5) as usize
    }

    pub(super) fn costs(&self) -> Vec<f64> {
        self.whole.iter().map(|density| -density.ln()).collect()
    }

    pub(super) fn costs_of(&self, members: &[f64]) -> Vec<f64> {
        let (counts, n) = (self.smooth(members), members.len() as f64);
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
