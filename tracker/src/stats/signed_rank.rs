//! Wilcoxon's signed-rank test (1945, *Biometrics Bulletin* 1:80): what the signs and the order of sizes say, and
//! nothing else.
//!
//! If each value is as likely to be `x` as to be `−x`, whatever the sizes are and however they hang together, then every
//! pattern of signs is equally likely. So the tail below is exact for noise of any shape: bursts, two modes, heavy tails,
//! drift. The price is that `n` values can never say more than 2⁻ⁿ.

use super::student::normal_tail;

/// Up to this many values the distribution is counted out; beyond, the normal's tail is used, which is the larger one
/// there at the levels of verdicts (a test holds this).
const COUNTED: usize = 64;

/// The probability of ranks at least as positive as those of `values`, were each sign a coin's.
///
/// Ties and zeros are resolved against the finding: among equal sizes the positive ones get the lower ranks, and a zero
/// counts as negative. So the probability is never too small.
#[must_use]
pub fn upper_tail(values: &[f64]) -> f64 {
    let mut order: Vec<f64> = values.to_vec();
    order.sort_by(|a, b| a.abs().total_cmp(&b.abs()).then(b.total_cmp(a)));
    let sum: usize = order.iter().enumerate().filter(|(_, value)| **value > 0.0).map(|(at, _)| at + 1).sum();
    tail_of_sum(order.len(), sum)
}

fn tail_of_sum(n: usize, sum: usize) -> f64 {
    if n <= COUNTED { counted_tail(n, sum) } else { normal_sum_tail(n, sum) }
}

fn counted_tail(n: usize, sum: usize) -> f64 {
    let most = n * (n + 1) / 2;
    if sum > most {
        return 0.0;
    }
    // The sum is symmetric about its middle, so the tail from `sum` up is the tail from `most - sum` down.
    let down_to = most - sum;
    let mut chance = vec![0.0; down_to + 1];
    chance[0] = 1.0;
    for rank in 1..=n {
        for at in (0..=down_to).rev() {
            let with = if at >= rank { chance[at - rank] } else { 0.0 };
            chance[at] = f64::midpoint(chance[at], with);
        }
    }
    chance.iter().sum::<f64>().min(1.0)
}

fn normal_sum_tail(n: usize, sum: usize) -> f64 {
    let n = n as f64;
    let mean = n * (n + 1.0) / 4.0;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0;
    normal_tail((sum as f64 - mean - 0.5) / variance.sqrt())
}

/// How many values it takes at least to reach `level`: the smallest n with 2⁻ⁿ ≤ level.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1,074, the exponent's range")]
pub fn least_values(level: f64) -> usize {
    if level >= 1.0 { 1 } else { (-level.max(f64::MIN_POSITIVE).log2()).ceil().max(1.0) as usize }
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

    #[test]
    fn where_counting_ends_the_normal_tail_is_the_larger_one() {
        for n in [COUNTED, 200] {
            let most = n * (n + 1) / 2;
            for sum in (most / 2 + most / 4..=most).step_by(most / 80) {
                let (exact, normal) = (counted_tail(n, sum), normal_sum_tail(n, sum));
                if exact < 1e-3 {
                    assert!(normal >= exact, "n {n}, sum {sum}: {normal} < {exact}");
                }
            }
        }
    }

    #[test]
    fn the_least_number_of_values_follows_from_the_level() {
        assert_eq!([1.0, 0.5, 0.25, 1e-3, 1e-5, 5e-7].map(least_values), [1, 1, 2, 10, 17, 21]);
        assert!(least_values(0.0) > 1000);
    }
}
