//! From values to a series that the search can read: logarithms where they make sense, ties broken, noise as the unit.

use crate::stats::robust;

/// How far the rolling median that takes the level out reaches to each side: shorter than any level that matters, longer
/// than a burst.
const REACH: usize = 10;
/// The share of points that repeat their predecessor from which on the values are taken for multiples of a step.
const TIES: f64 = 0.1;
/// The share from which on they are taken for exact: then the smallest step is a real one, and only a fifth of it is blurred.
const EXACT: f64 = 0.9;
/// No value is taken to be farther from the middle than by so many powers of e, where slopes are looked for.
const STEEP: f64 = 30.0;

/// Whether values are taken as logarithms, as they are where all of a series are above zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) logs: bool,
}

impl Scale {
    pub(super) fn of(series: &[f64]) -> Scale {
        Scale { logs: series.iter().all(|value| *value > 0.0) }
    }
}

/// A series in units of its own noise.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The values, centred on their median, in units of [`Prepared::unit`]; where most are exact, as in `spread`.
    pub(super) units: Vec<f64>,
    /// The same, those that are multiples of a step being spread over it: what levels and densities are learned from. Such
    /// a value then costs what the whole step around it does.
    pub(super) spread: Vec<f64>,
    /// What one unit is, in logarithms or in the values' own unit.
    pub(super) unit: f64,
    /// Whether the values were taken as logarithms.
    pub(super) logs: bool,
    /// The values' median, on the scale of `unit`.
    pub(super) center: f64,
}

impl Prepared {
    /// None where all values are equal: nothing can have moved.
    pub(super) fn new(values: &[f64], Scale { logs }: Scale) -> Option<Prepared> {
        let mut scaled: Vec<f64> = if logs { values.iter().map(|value| value.ln()).collect() } else { values.to_vec() };
        let mut steps: Vec<f64> =
            scaled.windows(2).map(|pair| (pair[1] - pair[0]).abs()).filter(|d| *d > 0.0).collect();
        if steps.is_empty() || !steps.iter().all(|step| step.is_finite()) {
            return None;
        }
        let ties = 1.0 - steps.len() as f64 / (scaled.len() - 1) as f64;
        let (tenth, half) = (steps.len() / 10, steps.len() / 2);
        let (below, &mut usual, _) = steps.select_nth_unstable_by(half, f64::total_cmp);
        let least = if tenth < half { *below.select_nth_unstable_by(tenth, f64::total_cmp).1 } else { usual };
        let mut plain = scaled.clone();
        if ties > TIES {
            blur(&mut scaled, least * if ties > EXACT { 0.2 } else { 1.0 });
        }
        if ties > EXACT {
            plain.clone_from(&scaled);
        }
        let level = rolling_median(&scaled, REACH);
        let residuals: Vec<f64> = scaled.iter().zip(&level).map(|(value, level)| value - level).collect();
        // A twentieth more, since the rolling median follows the noise a little.
        let mut unit = 1.05 * deviation(&residuals);
        if unit <= 1e-3 * usual {
            let smallest = steps.iter().copied().fold(usual, f64::min);
            unit = (0.2 * smallest).max(1e-3 * usual);
        }
        let center = robust::median(&scaled)?;
        let in_units = |values: &[f64]| values.iter().map(|value| (value - center) / unit).collect();
        Some(Prepared { units: in_units(&plain), spread: in_units(&scaled), unit, logs, center })
    }

    /// A level in units, on a scale on which what grows evenly does, around the series' middle like units.
    pub(super) fn even(&self, level: f64) -> f64 {
        if self.logs { (level * self.unit).clamp(-STEEP, STEEP).exp_m1() / self.unit } else { level }
    }

    /// Whether a value can lie so on that scale.
    pub(super) fn is_even(&self, even: f64) -> bool {
        !self.logs || even * self.unit > (-STEEP).exp_m1()
    }

    /// Back from that scale.
    pub(super) fn of_even(&self, even: f64) -> f64 {
        if self.logs { (even * self.unit).max((-STEEP).exp_m1()).ln_1p() / self.unit } else { even }
    }

    /// How many units one of that scale is at a level.
    pub(super) fn units_an_even(&self, level: f64) -> f64 {
        if self.logs { (-level * self.unit).clamp(-STEEP, STEEP).exp() } else { 1.0 }
    }

    /// The series without what each point has too much, in units.
    pub(super) fn without(&self, much: impl Fn(usize) -> f64) -> Prepared {
        let less = |units: &[f64]| units.iter().enumerate().map(|(at, unit)| unit - much(at)).collect();
        Prepared { units: less(&self.units), spread: less(&self.spread), ..*self }
    }

    /// A level in units, back on the values' own scale.
    pub(super) fn value(&self, level: f64) -> f64 {
        let scaled = self.center + level * self.unit;
        if self.logs { scaled.exp() } else { scaled }
    }
}

/// Spreads values that are multiples of a step evenly over it, so that a density of them exists. The spread repeats with
/// the golden ratio instead of being drawn: the same series always reads the same.
fn blur(values: &mut [f64], step: f64) {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let mut phase = 0.5;
    for value in values {
        *value += step * (phase - 0.5);
        phase = (phase + GOLDEN) % 1.0;
    }
}

/// The median absolute deviation from the median, as the standard deviation of a normal sample.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let Some(middle) = robust::median(values) else { return 0.0 };
    let mut distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    1.4826 * robust::median_in_place(&mut distances).unwrap_or(0.0)
}

/// The median of each point's neighbourhood, `reach` points to each side, cut off at the ends. The values are finite.
pub(super) fn rolling_median(values: &[f64], reach: usize) -> Vec<f64> {
    let mut window: Vec<f64> = Vec::with_capacity(2 * reach + 2);
    let mut medians = Vec::with_capacity(values.len());
    // Counting is quicker than a search in so few: what a search meets cannot be foretold.
    let place = |window: &[f64], value: f64| window.iter().map(|other| usize::from(*other < value)).sum::<usize>();
    for value in values.iter().take(reach) {
        window.insert(place(&window, *value), *value);
    }
    for at in 0..values.len() {
        let next = values.get(at + reach);
        let old = at.checked_sub(reach + 1).map(|old| place(&window, values[old]));
        match (next.map(|next| (*next, place(&window, *next))), old) {
            // The old one is among those below the next, or above.
            (Some((next, to)), Some(from)) if from < to => {
                window.copy_within(from + 1..to, from);
                window[to - 1] = next;
            }
            (Some((next, to)), Some(from)) => {
                window.copy_within(to..from, to + 1);
                window[to] = next;
            }
            (Some((next, to)), None) => window.insert(to, next),
            (None, Some(from)) => drop(window.remove(from)),
            (None, None) => {}
        }
        let half = window.len() / 2;
        medians.push(if window.len() % 2 == 1 { window[half] } else { f64::midpoint(window[half - 1], window[half]) });
    }
    medians
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rolling_median_is_the_median_of_each_window() {
        let values = [5.0, 1.0, 4.0, 4.0, -0.0, 0.0, 9.0, 2.0, 0.0, 7.0];
        for reach in 0..=12 {
            let naive = (0..values.len()).map(|at: usize| {
                robust::median(&values[at.saturating_sub(reach)..(at + reach + 1).min(values.len())]).unwrap()
            });
            assert_eq!(rolling_median(&values, reach), naive.collect::<Vec<f64>>(), "reach {reach}");
        }
        assert_eq!(rolling_median(&[3.0], 10), [3.0]);
        assert!(rolling_median(&[], 10).is_empty());
    }

    #[test]
    fn equal_values_cannot_be_prepared_and_values_below_zero_keep_their_own_scale() {
        let prepared = |values: &[f64]| Prepared::new(values, Scale::of(values));
        assert!(prepared(&[2.0; 30]).is_none());
        assert!(!prepared(&[-1.0, 0.0, 2.0, 1.0]).unwrap().logs);
        assert!(prepared(&[1.0, 1.5, 2.0, 1.0]).unwrap().logs);
        assert!(prepared(&[f64::MAX, f64::MIN, f64::MAX]).is_none());
    }

    #[test]
    fn what_grows_by_equal_amounts_is_even_and_comes_back() {
        let values: Vec<f64> = (1..=40).map(|at| 10.0 + f64::from(at)).collect();
        for values in [values.clone(), values.iter().map(|value| value - 20.0).collect()] {
            let prepared = Prepared::new(&values, Scale::of(&values)).unwrap();
            let even: Vec<f64> = prepared.units.iter().map(|unit| prepared.even(*unit)).collect();
            let steps: Vec<f64> = even.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(steps.iter().all(|step| (step / steps[0] - 1.0).abs() < 1e-9), "{steps:?}");
            for (unit, even) in prepared.units.iter().zip(&even) {
                assert!(prepared.is_even(*even) && (prepared.of_even(*even) - unit).abs() < 1e-9);
                let slope = (prepared.of_even(even + 1e-4) - unit) / 1e-4;
                assert!((slope / prepared.units_an_even(*unit) - 1.0).abs() < 1e-3);
            }
            let rest = prepared.without(|at| prepared.of_even(even[at]));
            assert!(rest.units.iter().all(|unit| unit.abs() < 1e-9));
            assert_eq!(prepared.is_even(-1.0 / prepared.unit), !prepared.logs, "below nought");
        }
    }
}
