//! Sharing the time of a duel: who is worth going on with, and how many rounds a life has.
//!
//! Lives are the independent evidence, and a verdict takes a least number of them; so what is left is divided over the
//! lives that are still to come, and each life has as many rounds as its part pays for, within bounds. It has fewer where
//! more lives in the same time would say more: that follows from how its rounds and its lives vary and what they cost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Rounds that a life has even when time is short: a median of fewer is at the mercy of one neighbour's burst.
const LEAST_ROUNDS: f64 = 5.0;

/// Rounds below which more lives are not worth it: where many rounds are disturbed the median of a few is no median.
const FEW_ROUNDS: f64 = 9.0;

/// Long rounds: a burst is a small part of one, so that either number is this.
const LONG_ROUND_NS: f64 = 6e6;
const LONG_ROUNDS: f64 = 3.0;

/// Rounds beyond which a life tells hardly more: what is left then is how lives differ.
const MOST_ROUNDS: f64 = 120.0;

/// How long the rounds of one life take at the most, as far as these are more than one.
const LONGEST: Duration = Duration::from_millis(200);

/// Rounds below which more lives are not worth it, when a round takes so long.
pub(super) fn few_rounds(round_ns: f64) -> f64 {
    if round_ns < LONG_ROUND_NS { FEW_ROUNDS } else { LONG_ROUNDS }
}

/// What a benchmark needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Need {
    /// The benchmark.
    pub(super) index: usize,
    /// Lives that are still to come, at least one.
    pub(super) lives: usize,
    /// The time of a round, in nanoseconds.
    pub(super) round_ns: f64,
    /// The time of a life beside its rounds, in nanoseconds.
    pub(super) beside_ns: f64,
    /// The rounds of a life that are worth their time; no bound while nothing is known.
    pub(super) worthy: f64,
}

impl Need {
    fn most(&self) -> f64 {
        (LONGEST.as_nanos() as f64 / self.round_ns).floor().clamp(1.0, MOST_ROUNDS)
    }

    fn least(&self) -> f64 {
        LEAST_ROUNDS.min(few_rounds(self.round_ns)).min(self.most())
    }

    /// What all its lives take at the least.
    pub(super) fn least_cost(&self) -> Duration {
        Duration::from_secs_f64(self.lives as f64 * (self.beside_ns + self.least() * self.round_ns) / 1e9)
    }

    /// What a life of so many rounds takes.
    pub(super) fn cost(&self, rounds: u32) -> Duration {
        Duration::from_secs_f64((self.beside_ns + f64::from(rounds) * self.round_ns) / 1e9)
    }
}

/// What a benchmark gets in a life.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Part {
    /// So many rounds,
    pub(super) rounds: u32,
    /// and no more of them when they have taken so long.
    pub(super) longest: Duration,
}

/// The part of each in its next life, when so much time is left for all lives that they need.
pub(super) fn parts(needs: &[Need], left: Duration) -> BTreeMap<usize, Part> {
    let lives: usize = needs.iter().map(|need| need.lives).sum();
    let share_ns = left.as_nanos() as f64 / lives.max(1) as f64;
    let part = |need: &Need| {
        let paid_ns = (share_ns - need.beside_ns).max(need.least() * need.round_ns);
        let paid = (paid_ns / need.round_ns).floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to numbers that fit")]
        let rounds = paid.min(need.worthy.max(few_rounds(need.round_ns))).clamp(need.least(), need.most()) as u32;
        // What a round takes is a guess before the first life, and may be far off on a busy machine.
        (need.index, Part { rounds, longest: Duration::from_secs_f64(paid_ns / 1e9).min(LONGEST) })
    };
    needs.iter().map(part).collect()
}

/// Who is served first. A few that time does not decide must not take it from the many that it would make surer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    /// It is not decided.
    Open,
    /// It is unchanged, and too little is known to have seen a change.
    Blind,
    /// Either, if it has the lives for a finding, and more would take more than its share of time.
    Still,
}

/// A benchmark had more than its share where it took so many times what each would get of an equally divided budget.
pub(super) const FAIR_SHARES: u32 = 2;

/// Those of the first claim of which any can have all the lives that it needs in the time that is left, the cheapest
/// first: a look that is not reached tells nothing. If there is time for none at all, the cheapest that is `open`, while
/// there is any: what lives cost is only known of the last few, a busy machine may just have made those slow, and what is
/// left would be of no use to anybody.
pub(super) fn payable(claims: &[(Claim, Need)], open: &[Need], left: Duration) -> BTreeSet<usize> {
    let mut order: Vec<Claim> = claims.iter().map(|&(claim, _)| claim).collect();
    order.sort_unstable();
    order.dedup();
    let of = |claim: Claim| claims.iter().filter(move |one| one.0 == claim).map(|one| one.1);
    let first = order.into_iter().map(|claim| affordable(of(claim).collect(), left)).find(|these| !these.is_empty());
    let cheapest = open.iter().filter(|_| !left.is_zero()).min_by_key(|need| need.least_cost()).map(|need| need.index);
    first.unwrap_or_else(|| cheapest.into_iter().collect())
}

/// As many as there is time for, the cheapest first.
fn affordable(mut needs: Vec<Need>, left: Duration) -> BTreeSet<usize> {
    needs.sort_by_key(Need::least_cost);
    let mut still = left;
    let fits = |need: &Need| match still.checked_sub(need.least_cost()) {
        Some(rest) => {
            still = rest;
            true
        }
        None => false,
    };
    needs.into_iter().take_while(fits).map(|need| need.index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of 3 ms, and 10 ms beside them.
    fn need(index: usize, lives: usize) -> Need {
        Need { index, lives, round_ns: 3e6, beside_ns: 10e6, worthy: f64::INFINITY }
    }

    #[test]
    fn the_time_that_is_left_is_divided_over_the_lives_to_come() {
        let all = [need(0, 10), need(1, 10)];
        assert_eq!(parts(&all, Duration::from_secs(2))[&1], Part { rounds: 30, longest: Duration::from_millis(90) });
        assert_eq!(parts(&all, Duration::from_mins(5))[&0], Part { rounds: 66, longest: LONGEST });
        assert_eq!(parts(&all, Duration::ZERO)[&0], Part { rounds: 5, longest: Duration::from_millis(15) });
    }

    #[test]
    fn no_life_is_longer_than_is_worth_it() {
        let worthy = |worthy| parts(&[Need { worthy, ..need(0, 10) }], Duration::from_secs(2))[&0].rounds;
        assert_eq!([12.7, 2.0, 500.0].map(worthy), [12, 9, 63]);
    }

    #[test]
    fn rounds_of_a_second_are_single() {
        let slow = Need { round_ns: 1e9, ..need(0, 10) };
        assert_eq!(parts(&[slow], Duration::from_hours(1))[&0].rounds, 1);
    }

    #[test]
    fn who_cannot_reach_the_next_look_does_not_begin_unless_nobody_can() {
        let open = [need(0, 100), need(1, 10), need(2, 10)];
        let all = |left| payable(&open.map(|need| (Claim::Open, need)), &open, left);
        assert_eq!(all(Duration::from_secs(10)).len(), 3);
        assert_eq!(all(Duration::from_secs(1)), BTreeSet::from([1, 2]));
        assert_eq!(all(Duration::from_millis(100)), BTreeSet::from([1]));
        assert!(all(Duration::ZERO).is_empty());
        assert!(payable(&[(Claim::Blind, need(0, 10))], &[], Duration::from_millis(100)).is_empty());
    }

    #[test]
    fn who_had_its_share_comes_after_those_that_are_blind_and_then_the_cheapest() {
        let claims = [(Claim::Still, need(0, 3)), (Claim::Still, need(1, 1)), (Claim::Blind, need(2, 10))];
        let these = |left| payable(&claims, &[claims[0].1], Duration::from_millis(left));
        assert_eq!(these(10_000), BTreeSet::from([2]));
        assert_eq!(these(50), BTreeSet::from([1]), "no time for the blind one");
        assert_eq!(these(1), BTreeSet::from([0]), "the one without a verdict");
    }
}
