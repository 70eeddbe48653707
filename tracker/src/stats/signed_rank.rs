//! Wilcoxon's signed-rank test (1945, *Biometrics Bulletin* 1:80): what the signs and the order of sizes say, and
//! nothing else.
//!
//! If each value is as likely to be `x` as to be `−x`, whatever the sizes are and however they hang together, then every
//! pattern of signs is equally likely. So the tail below is exact for noise of any shape: bursts, two modes, heavy tails,
//! drift. The price is that `n` values can never say more than 2⁻ⁿ.

use super::rank_sum;

/// The probability of ranks at least as positive as those of `values`, were each sign a coin's.
///
/// Ties and zeros are resolved against the finding: among equal sizes the positive ones get the lower ranks, and a zero
/// counts as negative. So the probability is never too small.
#[must_use]
pub fn upper_tail(values: &[f64]) -> f64 {
    let mut order: Vec<f64> = values.to_vec();
    order.sort_by(|a, b| a.abs().total_cmp(&b.abs()).then(b.total_cmp(a)));
    let sum: usize = order.iter().enumerate().filter(|(_, value)| **value > 0.0).map(|(at, _)| at + 1).sum();
    rank_sum::upper_tail(2, order.len(), sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_agrees_with_the_published_table() {
        // scipy.stats.wilcoxon(range(1, n + 1) with these signs, alternative="greater", method="exact").
        assert!((upper_tail(&[1.0, 2.0, 3.0, 4.0, 5.0]) - 1.0 / 32.0).abs() < 1e-15);
        assert!((upper_tail(&[-1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]) - 2.0 / 256.0).abs() < 1e-15);
        assert!((upper_tail(&[-1.0, -2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]) - 5.0 / 256.0).abs() < 1e-15);
        assert!((upper_tail(&[-1.0, -2.0]) - 1.0).abs() < 1e-15);
        assert!((upper_tail(&[]) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn ties_and_zeros_speak_against_the_finding() {
        assert!(upper_tail(&[1.0, 1.0, -1.0]) >= upper_tail(&[1.0, 2.0, -0.5]));
        assert!((upper_tail(&[1.0, 1.0, -1.0]) - upper_tail(&[1.0, 2.0, -3.0])).abs() < 1e-15);
        assert!(upper_tail(&[0.0; 20]) >= 1.0 - 1e-12);
    }
}
