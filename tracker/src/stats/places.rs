//! The places of one among three: how often, and in which lives, it came out highest.
//!
//! Base, head and base once more are measured in the same rotation, and treated alike. If head is like base, then within
//! each life the three are exchangeable: whatever the three numbers are, each is as likely as the others to be head's. So
//! every pattern of head's places (lowest, middle, highest) is equally likely, and the tail below is exact for noise of
//! any shape, as Wilcoxon's is for signs. Lives count by the rank of their range, since a life in which the three lie
//! close together says little (Friedman's test, 1937, *JASA* 32:675, with the weights of Quade 1979, *JASA* 74:680, for
//! one side of interest); and so does one in which they lie far farther apart than in most, which was disturbed, and
//! comes last. Ranges do not tell whose number is whose, so ranking by them favours nobody. Two sides can never say more than 2⁻ⁿ in n lives; one among three can say 3⁻ⁿ.

use super::rank_sum;
use super::robust::median;

/// One life: the one in question first, then the two others.
pub type Three = [f64; 3];

/// Beyond so many times the median of the ranges a life was disturbed. Of normal noise it is one life in fifty.
const DISTURBED: f64 = 2.5;

/// The probability of places at least as high as those of the first of each three, were they chance.
///
/// Ties are resolved against the finding: an equal is not outdone, and among equal ranges the higher places get the lower
/// ranks. So the probability is never too small.
#[must_use]
pub fn upper_tail(lives: &[Three]) -> f64 {
    let ranges: Vec<f64> = lives.iter().map(range).collect();
    let bound = DISTURBED * median(&ranges).unwrap_or(0.0);
    let weight = |range: f64| if range > bound { -range } else { range };
    let mut order: Vec<(f64, usize)> = lives.iter().map(|life| (weight(range(life)), place(life))).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let sum: usize = order.iter().enumerate().map(|(at, (_, place))| (at + 1) * place).sum();
    rank_sum::upper_tail(3, order.len(), sum)
}

fn range(life: &Three) -> f64 {
    let highest = life.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    highest - life.iter().copied().fold(f64::INFINITY, f64::min)
}

/// How many of the others it outdoes.
fn place([one, others @ ..]: &Three) -> usize {
    others.iter().filter(|other| one > other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One life in which the first takes this place, and whose range is so large.
    fn life(place: usize, range: f64) -> Three {
        match place {
            0 => [0.0, range, range / 2.0],
            1 => [range / 2.0, 0.0, range],
            _ => [range, 0.0, range / 2.0],
        }
    }

    /// All patterns of places, one by one: the tail as its definition has it.
    fn enumerated(lives: &[Three]) -> f64 {
        let sum = |places: &dyn Fn(usize) -> usize| -> usize {
            let mut order: Vec<usize> = (0..lives.len()).collect();
            let far = |life: usize| range(&lives[life]) > 9.0;
            let key = |life: usize| if far(life) { -range(&lives[life]) } else { range(&lives[life]) };
            order.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
            order.iter().enumerate().map(|(at, &life)| (at + 1) * places(life)).sum()
        };
        let seen = sum(&|at| place(&lives[at]));
        let powers: Vec<usize> =
            std::iter::successors(Some(1), |power| Some(power * 3)).take(lives.len() + 1).collect();
        let all = powers[lives.len()];
        let as_high = (0..all).filter(|code| sum(&|at| code / powers[at] % 3) >= seen).count();
        as_high as f64 / all as f64
    }

    #[test]
    fn the_tail_is_the_share_of_patterns_that_are_as_high() {
        for places in
            [[2, 2, 2, 2, 2, 2], [2, 2, 1, 2, 2, 2], [0, 2, 2, 1, 2, 0], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]]
        {
            let lives: Vec<Three> = (0..6).map(|at| life(places[at], 1.0 + at as f64)).collect();
            assert!((upper_tail(&lives) - enumerated(&lives)).abs() < 1e-12, "{places:?}");
        }
        assert!((upper_tail(&[]) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_life_that_was_disturbed_counts_least_and_the_tail_stays_exact() {
        let lives = |disturbed: [f64; 3]| {
            let all = (0..9).map(|at| life(2, 1.0 + f64::from(at) / 100.0));
            all.chain([disturbed]).collect::<Vec<Three>>()
        };
        let (low, high) = (lives([0.0, 20.0, 10.0]), lives([20.0, 0.0, 10.0]));
        assert!((upper_tail(&low) - enumerated(&low)).abs() < 1e-12);
        assert!((upper_tail(&high) - enumerated(&high)).abs() < 1e-12);
        // Four of all patterns are as high: the lowest rank may take any place, or the next one the middle.
        assert!((upper_tail(&low) / upper_tail(&high) - 4.0).abs() < 1e-9);
        // Of a usual range, the same place says much more against the finding.
        assert!(upper_tail(&lives([0.0, 1.2, 0.6])) > 10.0 * upper_tail(&low));
    }

    #[test]
    fn ties_speak_against_the_finding() {
        assert!(upper_tail(&[[1.0, 1.0, 0.0]; 9]) > 0.4);
        assert!(upper_tail(&[[1.0, 1.0, 1.0]; 9]) >= 1.0 - 1e-12);
        let equal_ranges = [life(2, 1.0), life(2, 1.0), life(0, 1.0)];
        assert!(upper_tail(&equal_ranges) >= upper_tail(&[life(2, 1.0), life(2, 3.0), life(0, 2.0)]));
    }
}
