//! The places of one among three: how often, and in which lives, it came out highest.
//!
//! Base, head and base once more are measured in the same rotation, and treated alike. If head is like base, then within
//! each life the three are exchangeable: whatever the three numbers are, each is as likely as the others to be head's. So
//! every pattern of head's places (lowest, middle, highest) is equally likely, and the tail below is exact for noise of
//! any shape, as Wilcoxon's is for signs. Lives count by the rank of their range, since a life in which the three lie
//! close together says little (Friedman's test, 1937, *JASA* 32:675, with the weights of Quade 1979, *JASA* 74:680, for
//! one side of interest). Two sides can never say more than 2⁻ⁿ in n lives; one among three can say 3⁻ⁿ.

use super::rank_sum;

/// One life: the one in question first, then the two others.
pub type Three = [f64; 3];

/// The probability of places at least as high as those of the first of each three, were they chance.
///
/// Ties are resolved against the finding: an equal is not outdone, and among equal ranges the higher places get the lower
/// ranks. So the probability is never too small.
#[must_use]
pub fn upper_tail(lives: &[Three]) -> f64 {
    let mut order: Vec<(f64, usize)> = lives.iter().map(|life| (range(life), place(life))).collect();
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
            order.sort_by(|&a, &b| range(&lives[a]).total_cmp(&range(&lives[b])));
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
    fn ties_speak_against_the_finding() {
        assert!(upper_tail(&[[1.0, 1.0, 0.0]; 9]) > 0.4);
        assert!(upper_tail(&[[1.0, 1.0, 1.0]; 9]) >= 1.0 - 1e-12);
        let equal_ranges = [life(2, 1.0), life(2, 1.0), life(0, 1.0)];
        assert!(upper_tail(&equal_ranges) >= upper_tail(&[life(2, 1.0), life(2, 3.0), life(0, 2.0)]));
    }
}
