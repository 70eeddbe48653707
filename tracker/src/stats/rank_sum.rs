//! How a sum of ranks is distributed when each rank counts by chance: not at all, once, or up to `ways - 1` times, all
//! alike. With two ways this is what Wilcoxon's signed-rank test asks, with three what the places of one among three do.

use super::student::normal_tail;

/// Up to this many ranks the distribution is counted out; beyond, the normal's tail is used, which is the larger one
/// there at the levels of verdicts (a test holds this).
const COUNTED: usize = 64;

/// The probability of a sum at least as large, of the ranks from 1 to `n`.
#[must_use]
pub fn upper_tail(ways: usize, n: usize, sum: usize) -> f64 {
    if n <= COUNTED { counted_tail(ways, n, sum) } else { normal_sum_tail(ways, n, sum) }
}

/// How many ranks it takes at least to reach `level`: the smallest n with ways⁻ⁿ ≤ level.
#[must_use]
pub fn least(ways: usize, level: f64) -> usize {
    let ways = ways as f64;
    std::iter::successors(Some(1.0 / ways), |chance| Some(chance / ways)).take_while(|&chance| chance > level).count()
        + 1
}

fn counted_tail(ways: usize, n: usize, sum: usize) -> f64 {
    let most = (ways - 1) * n * (n + 1) / 2;
    if sum > most {
        return 0.0;
    }
    // The sum is symmetric about its middle, so the tail from `sum` up is the tail from `most - sum` down.
    let down_to = most - sum;
    let mut chance = vec![0.0; down_to + 1];
    chance[0] = 1.0;
    for rank in 1..=n {
        for at in (0..=down_to).rev() {
            let with = (0..ways).filter_map(|times| at.checked_sub(times * rank)).map(|before| chance[before]);
            chance[at] = with.sum::<f64>() / ways as f64;
        }
    }
    chance.iter().sum::<f64>().min(1.0)
}

fn normal_sum_tail(ways: usize, n: usize, sum: usize) -> f64 {
    let (ways, n) = (ways as f64, n as f64);
    let mean = (ways - 1.0) / 2.0 * n * (n + 1.0) / 2.0;
    // The variance of how often a rank counts, times the sum of the squares of the ranks.
    let variance = (ways * ways - 1.0) / 12.0 * n * (n + 1.0) * (2.0 * n + 1.0) / 6.0;
    normal_tail((sum as f64 - mean - 0.5) / variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_counting_ends_the_normal_tail_is_the_larger_one() {
        for (ways, longer) in [(2, 200), (3, 150)] {
            for n in [COUNTED, longer] {
                let most = (ways - 1) * n * (n + 1) / 2;
                for sum in (most / 2 + most / 8..=most).step_by(most / 80) {
                    let (exact, normal) = (counted_tail(ways, n, sum), normal_sum_tail(ways, n, sum));
                    if exact < 1e-3 {
                        assert!(normal >= exact, "{ways} ways, n {n}, sum {sum}: {normal} < {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_least_number_follows_from_the_level() {
        assert_eq!([1.0, 0.5, 0.25, 1e-3, 1e-5, 5e-7].map(|level| least(2, level)), [1, 1, 2, 10, 17, 21]);
        assert_eq!([1.0, 0.34, 0.3, 5e-4, 1e-5, 5e-7].map(|level| least(3, level)), [1, 1, 2, 7, 11, 14]);
        assert!(least(2, 0.0) > 1000);
    }
}
