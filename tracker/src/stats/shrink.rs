//! Variances that lean on their kin.
//!
//! Four values say little about their variance, but the variances of kindred series say what is usual. The kin are taken
//! as draws of s₀²·F(d, d₀): a usual variance s₀², and d₀ degrees of freedom that tell how alike they are (Smyth 2004,
//! *Statistical Applications in Genetics and Molecular Biology* 3:3). Both are fitted to the logarithms of the kin's
//! variances, by median and median deviation, so that a few odd ones do not count.

use statrs::function::gamma::digamma;

use super::robust::{Variance, median};

/// Fewer kin than this tell nothing of how alike they are.
const LEAST_KIN: usize = 5;

/// The usual variance among `kin` and how far it can be trusted; none where they are too few.
#[must_use]
pub fn usual(kin: &[Variance]) -> Option<Variance> {
    let kin: Vec<&Variance> = kin.iter().filter(|v| v.value > 0.0 && v.df > 0.0).collect();
    if kin.len() < LEAST_KIN {
        return None;
    }
    let levels: Vec<f64> = kin.iter().map(|v| v.value.ln() - digamma(v.df / 2.0) + (v.df / 2.0).ln()).collect();
    let center = median(&levels)?;
    let distances: Vec<f64> = levels.iter().map(|level| (level - center).abs()).collect();
    let scatter = (1.4826 * median(&distances)?).powi(2);
    let own = kin.iter().map(|v| trigamma(v.df / 2.0)).sum::<f64>() / kin.len() as f64;
    let df = 2.0 * inverse_trigamma((scatter - own).max(1e-3));
    Some(Variance { value: (center + digamma(df / 2.0) - (df / 2.0).ln()).exp(), df })
}

/// `own` drawn towards `usual`. The usual one never weighs more than the own one: so a series that is wilder than its
/// kin keeps at least half of its variance, and one wild value cannot pass for a finding.
#[must_use]
pub fn towards(own: Variance, usual: Option<Variance>) -> Variance {
    let Some(usual) = usual else { return own };
    let weight = usual.df.min(own.df);
    let df = own.df + weight;
    Variance { value: (own.df * own.value + weight * usual.value) / df, df }
}

/// The derivative of [`digamma`]: by recurrence up to 8, then Stirling's series (Abramowitz and Stegun 6.4.12).
fn trigamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < 8.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    sum + 1.0 / x + y / 2.0 + y / x * (1.0 / 6.0 - y * (1.0 / 30.0 - y * (1.0 / 42.0 - y / 30.0)))
}

/// The x with trigamma(x) = y, by bisection in the logarithm; trigamma falls from infinity to 0.
fn inverse_trigamma(y: f64) -> f64 {
    let (mut low, mut high) = (1e-6_f64.ln(), 1e6_f64.ln());
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if trigamma(middle.exp()) > y {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;

    fn chi_square(noise: &mut Noise, df: usize) -> f64 {
        (0..df).map(|_| noise.normal().powi(2)).sum()
    }

    #[test]
    fn trigamma_agrees_with_known_values() {
        assert!((trigamma(1.0) - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-10);
        assert!((trigamma(0.5) - std::f64::consts::PI.powi(2) / 2.0).abs() < 1e-10);
        assert!((inverse_trigamma(trigamma(3.7)) - 3.7).abs() < 1e-9);
    }

    #[test]
    fn the_usual_variance_and_its_trust_are_found_again() {
        let mut noise = Noise::seeded(5);
        let kin: Vec<Variance> = (0..4000)
            .map(|_| {
                let level = 4.0 * 10.0 / chi_square(&mut noise, 10);
                Variance { value: level * chi_square(&mut noise, 6) / 6.0, df: 6.0 }
            })
            .collect();
        let usual = usual(&kin).unwrap();
        assert!((usual.value / 4.0 - 1.0).abs() < 0.1, "{usual:?}");
        assert!((usual.df / 10.0 - 1.0).abs() < 0.3, "{usual:?}");
    }

    #[test]
    fn kin_that_differ_wildly_are_not_trusted_and_few_are_not_asked() {
        let kin: Vec<Variance> = (0..20).map(|i| Variance { value: 10f64.powi(i % 10), df: 20.0 }).collect();
        assert!(usual(&kin).unwrap().df < 1.0);
        assert_eq!(usual(&kin[..4]), None);
    }

    #[test]
    fn a_wilder_series_keeps_half_of_its_variance_at_least() {
        let own = Variance { value: 100.0, df: 4.0 };
        let shrunk = towards(own, Some(Variance { value: 1.0, df: 1000.0 }));
        assert!(shrunk.value > 50.0 && (shrunk.df - 8.0).abs() < 1e-12);
        assert_eq!(towards(own, None), own);
    }
}
