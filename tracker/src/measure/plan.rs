//! Sharing the time of a solo run: who gets another life, and how many slices in it.
//!
//! A benchmark's figure is the median of a life, averaged over lives; lives are the independent evidence. How many slices
//! a life has follows from how slices and lives vary and from what they cost (`stats/split.rs`). So a benchmark whose
//! slices are noisy gets long lives, one whose lives disagree gets many, and lives are added until the mean is known well
//! enough. When the time is over, benchmarks of which lives were set aside ([`witness`](super::witness)) get some more.

use std::time::Duration;

use crate::stats::robust::median;
use crate::stats::split::{best_readings, variance};
use crate::stats::student;

/// Lives before an interval is believed: with fewer, Student's factor says little.
pub const TRUSTED_LIVES: usize = 5;

/// Lives that the time is divided over where it is short: an interval of ten is little more than half as wide as one of five,
/// and how lives vary is hardly known before.
const WISHED_LIVES: usize = 10;

/// Lives that every benchmark gets, however short the time: two, so that they can disagree.
pub const LEAST_LIVES: usize = 2;

/// Lives after which more would not help: the root of 30 has given what it can.
pub const MOST_LIVES: usize = 30;

/// Lives after which no more are taken though most of them do not count.
const MOST_TAKEN: usize = 4 * MOST_LIVES;

/// Slices in the first life, before anything is known, if there is time.
const FIRST_SLICES: f64 = 100.0;

/// Slices that a life has where the time is enough for ten such lives, or where lives differ by much more than slices: a
/// burst of a neighbour hits a part of them, and the warm-up is no longer than they.
const FAIR_SLICES: f64 = 20.0;

/// Slices that a life has even when there is not time enough for five.
const LEAST_SLICES: f64 = 10.0;

/// Slices beyond which a life would be so long that few lives fit.
const MOST_SLICES: f64 = 500.0;

/// How long the slices of one life take at the most, as far as these are more than one.
const LONGEST_VISIT: Duration = Duration::from_millis(200);

/// The sidedness of the interval that `precision` speaks of: 95 %.
const TAIL: f64 = 0.025;

/// The share of the variance of a slice that the variance between lives is taken for at least: where lives do not show
/// that they differ they have so many slices that start, set-up and warm-up take a tenth to a fifth of them.
const LEAST_BETWEEN: f64 = 0.002;

/// What is known of a benchmark while it is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The time of a slice, the request around it included, in nanoseconds.
    pub slice_ns: f64,
    /// The time of a visit beside its slices, in nanoseconds.
    pub visit_ns: f64,
    /// Whether one iteration takes so long that a life has only one.
    pub is_slow: bool,
    /// The times per iteration so far, life by life; no life is empty.
    pub lives: Vec<Vec<f64>>,
    /// How many lives do not count, since they were disturbed.
    pub set_aside: usize,
}

impl Account {
    fn medians(&self) -> Vec<f64> {
        self.lives.iter().filter_map(|life| median(life)).collect()
    }

    /// The half-width of the 95 % interval of the mean of lives, as a share of it; infinite before the second life.
    #[must_use]
    pub fn doubt(&self) -> f64 {
        let medians = self.medians();
        let n = medians.len() as f64;
        if n < 2.0 {
            return f64::INFINITY;
        }
        let mean = medians.iter().sum::<f64>() / n;
        student::quantile(TAIL, n - 1.0) * (variance(&medians) / n).sqrt() / mean
    }

    /// Whether more lives are not worth their time.
    #[must_use]
    pub fn is_settled(&self, precision: f64) -> bool {
        self.lives.len() >= MOST_LIVES
            || self.taken() >= MOST_TAKEN
            || (self.lives.len() >= TRUSTED_LIVES && self.doubt() <= precision)
    }

    /// How many lives there were, those that do not count with them.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.lives.len() + self.set_aside
    }

    /// The number of slices that the next life should have, by what is known so far.
    fn wanted(&self) -> f64 {
        if self.is_slow {
            return 1.0;
        }
        let medians = self.medians();
        let Some(center) = median(&medians) else { return self.bounded(FIRST_SLICES) };
        let shares: Vec<Vec<f64>> =
            self.lives.iter().map(|life| life.iter().map(|value| value / center).collect()).collect();
        let best = best_readings(&shares, self.visit_ns / self.slice_ns, LEAST_BETWEEN);
        self.bounded(best.unwrap_or(FIRST_SLICES))
    }

    fn bounded(&self, slices: f64) -> f64 {
        let fitting = (LONGEST_VISIT.as_nanos() as f64 / self.slice_ns).max(1.0);
        slices.clamp(FAIR_SLICES, MOST_SLICES).min(fitting).floor()
    }

    /// The least number of slices that make a life.
    fn least(&self) -> f64 {
        if self.is_slow { 1.0 } else { self.bounded(FAIR_SLICES).min(LEAST_SLICES) }
    }

    fn cost_ns(&self, slices: f64) -> f64 {
        self.visit_ns + slices * self.slice_ns
    }

    /// The slices of a life that takes so long.
    fn affordable(&self, life_ns: f64) -> f64 {
        ((life_ns - self.visit_ns) / self.slice_ns).floor()
    }
}

/// Another life for a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<K> {
    /// The benchmark.
    pub benchmark: K,
    /// How many slices it shall have.
    pub slices: u32,
}

/// Who gets a life in the next round, when so much time is left and a half-width of `precision` is good enough. Those
/// that have too few lives come in any case; then the most doubtful, as many as there is time for. None when all is
/// done.
#[must_use]
pub fn next_round<'a, K: Copy>(
    accounts: impl IntoIterator<Item = (K, &'a Account)>,
    left: Duration,
    precision: f64,
) -> Vec<Turn<K>> {
    let open = accounts.into_iter().filter(|(_, account)| !account.is_settled(precision));
    let (must, may): (Vec<_>, Vec<_>) = open.partition(|(_, account)| account.taken() < LEAST_LIVES);
    let left_ns = left.as_nanos() as f64;
    if must.is_empty() { worthwhile(may, left_ns) } else { mandatory(&must, left_ns) }
}

/// Who gets a life in the next round when the time of a run is over and so much may be added: those that have lost lives and
/// have too few, as many as there is time for.
#[must_use]
pub fn replacing_round<'a, K: Copy>(
    accounts: impl IntoIterator<Item = (K, &'a Account)>,
    left: Duration,
) -> Vec<Turn<K>> {
    let has_lost = |account: &Account| account.set_aside > 0 && account.taken() < MOST_TAKEN;
    let short = accounts.into_iter().filter(|(_, account)| account.lives.len() < TRUSTED_LIVES && has_lost(account));
    worthwhile(short.collect(), left.as_nanos() as f64)
}

/// The time for each life of these if they are to have so many; none if all have.
fn share_ns<K>(accounts: &[(K, &Account)], of: usize, left_ns: f64) -> Option<f64> {
    let lives: usize = accounts.iter().map(|(_, account)| of.saturating_sub(account.lives.len())).sum();
    (lives > 0).then(|| left_ns / lives as f64)
}

/// A life for each, with so many slices that there is time for [`WISHED_LIVES`] lives of all, or else for
/// [`TRUSTED_LIVES`] short ones, if that can be.
fn mandatory<K: Copy>(must: &[(K, &Account)], left_ns: f64) -> Vec<Turn<K>> {
    let (wished_ns, trusted_ns) = (share_ns(must, WISHED_LIVES, left_ns), share_ns(must, TRUSTED_LIVES, left_ns));
    let turn = |&(benchmark, account): &(K, &Account)| {
        let affordable = |share_ns: Option<f64>| account.affordable(share_ns.unwrap_or(left_ns));
        let short = FAIR_SLICES.min(affordable(trusted_ns));
        let slices = account.wanted().min(affordable(wished_ns).max(short)).max(account.least());
        Turn { benchmark, slices: count(slices) }
    };
    must.iter().map(turn).collect()
}

/// Lives for the most doubtful, until the time is spent. Who has less than [`WISHED_LIVES`] gets no longer ones than leave
/// time for so many.
fn worthwhile<K: Copy>(mut may: Vec<(K, &Account)>, left_ns: f64) -> Vec<Turn<K>> {
    let doubt = |account: &Account| if account.lives.len() < TRUSTED_LIVES { f64::INFINITY } else { account.doubt() };
    // Equally doubtful ones in the order of their lives, so that nobody has five before all have three.
    may.sort_by(|(_, a), (_, b)| doubt(b).total_cmp(&doubt(a)).then(a.lives.len().cmp(&b.lives.len())));
    let wished_ns = share_ns(&may, WISHED_LIVES, left_ns);
    let mut left_ns = left_ns;
    let turn = |(benchmark, account): (K, &Account)| {
        let young = wished_ns.filter(|_| account.lives.len() < WISHED_LIVES);
        let most = young.map_or(f64::INFINITY, |share_ns| account.affordable(share_ns).max(FAIR_SLICES));
        let slices = account.wanted().min(most).max(account.least());
        let cost_ns = account.cost_ns(slices);
        (cost_ns <= left_ns).then(|| {
            left_ns -= cost_ns;
            Turn { benchmark, slices: count(slices) }
        })
    };
    may.into_iter().filter_map(turn).collect()
}

fn count(slices: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to numbers that fit")]
    let count = slices.clamp(1.0, MOST_SLICES) as u32;
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const AIM: f64 = 0.005;
    const MILLISECOND: f64 = 1e6;

    /// A benchmark with slices of a millisecond and visits of 4 ms.
    fn account(lives: &[&[f64]]) -> Account {
        let lives = lives.iter().map(|life| life.to_vec()).collect();
        Account { slice_ns: MILLISECOND, visit_ns: 4.0 * MILLISECOND, is_slow: false, lives, set_aside: 0 }
    }

    fn round(accounts: &[Account], left: Duration) -> Vec<(usize, u32)> {
        let turns = next_round(accounts.iter().enumerate(), left, AIM);
        turns.into_iter().map(|turn| (turn.benchmark, turn.slices)).collect()
    }

    #[test]
    fn with_time_enough_all_get_a_full_first_life() {
        assert_eq!(round(&[account(&[]), account(&[])], Duration::from_mins(1)), [(0, 100), (1, 100)]);
    }

    #[test]
    fn with_little_time_lives_are_short_but_nobody_is_left_out() {
        let many = vec![account(&[]); 100];
        // 100 benchmarks, five lives each: 14 ms a life, of which 4 ms are not slices.
        assert_eq!(round(&many, Duration::from_secs(7))[99], (99, 10));
        assert_eq!(round(&many, Duration::from_secs(6))[99], (99, 10));
        assert_eq!(round(&many, Duration::ZERO)[99], (99, 10));
        assert_eq!(round(&many, Duration::from_secs(9))[99], (99, 14));
        // There is time for ten fair ones: 30 ms a life.
        assert_eq!(round(&many, Duration::from_secs(30))[99], (99, 26));
    }

    #[test]
    fn where_processes_differ_more_than_slices_there_are_many_and_short_ones() {
        // As of an interpreter: 1 % from slice to slice and 0.8 % from process to process.
        let process = |level: f64| -> Vec<f64> { (0..20).map(|i| level + f64::from(i % 5) * 0.75 - 1.5).collect() };
        let unlike = account(&[&process(100.0), &process(101.0), &process(99.2), &process(100.9), &process(99.0)]);
        assert_eq!(round(&[unlike], Duration::from_secs(1)), [(0, 20)]);
        let alike = account(&[&process(100.0) as &[f64]; 4]);
        assert_eq!(round(&[alike], Duration::from_secs(1)), [(0, 56)]);
    }

    #[test]
    fn a_second_life_comes_even_when_the_time_is_over_and_a_third_does_not() {
        let one = account(&[&[100.0, 101.0, 102.0]]);
        let two = account(&[&[100.0, 101.0, 102.0], &[100.0, 101.0, 102.0]]);
        assert_eq!(round(&[one, two], Duration::ZERO), [(0, 10)]);
    }

    #[test]
    fn the_noisy_one_gets_the_time_and_the_steady_one_is_settled() {
        let steady = account(&[&[100.0, 100.1, 99.9] as &[f64]; 5]);
        let noisy = account(&[&[100.0], &[103.0], &[97.0], &[105.0], &[96.0]]);
        let noisier = account(&[&[100.0], &[130.0], &[97.0], &[105.0], &[96.0]]);
        assert!(steady.is_settled(AIM) && !noisy.is_settled(AIM));
        let accounts = [steady, noisy, noisier];
        let benchmarks = |left| round(&accounts, left).into_iter().map(|turn| turn.0).collect::<Vec<_>>();
        assert_eq!(benchmarks(Duration::from_secs(1)), [2, 1]);
        assert_eq!(benchmarks(Duration::from_millis(30)), [2]);
        assert!(benchmarks(Duration::from_millis(3)).is_empty());
    }

    #[test]
    fn noise_within_lives_makes_them_longer_and_noise_between_lives_shorter() {
        let within: Vec<f64> = (0..40).map(|i| 100.0 + f64::from(i % 9) - 4.0).collect();
        let alike = account(&[&within, &within, &within]);
        let higher: Vec<f64> = within.iter().map(|value| value * 1.05).collect();
        let unlike = account(&[&within, &higher, &within]);
        let costly = Account { visit_ns: 400.0 * MILLISECOND, ..alike.clone() };
        assert_eq!(round(&[alike, unlike, costly], Duration::from_mins(1)).len(), 3);
        let slices = |account: &Account| account.wanted();
        let alike = account(&[&within, &within, &within]);
        let costly = Account { visit_ns: 400.0 * MILLISECOND, ..alike.clone() };
        assert!(slices(&costly) > slices(&alike));
        let unlike = Account { visit_ns: 400.0 * MILLISECOND, ..account(&[&within, &higher, &within]) };
        assert!(slices(&unlike) < slices(&costly));
    }

    #[test]
    fn how_lives_vary_is_not_concluded_from_two_where_time_is_short() {
        // Two that happen to agree ask for a life of 56 slices; there is time for eight of 24 or of 12.
        let within: Vec<f64> = (0..40).map(|i| 100.0 + f64::from(i % 9) - 4.0).collect();
        let young = account(&[&within, &within]);
        assert!(young.wanted() > 50.0);
        assert_eq!(round(std::slice::from_ref(&young), Duration::from_millis(8 * 28)), [(0, 24)]);
        assert_eq!(round(std::slice::from_ref(&young), Duration::from_millis(8 * 16)), [(0, 20)]);
        let higher: Vec<f64> = within.iter().map(|value| value * 1.001).collect();
        let old = Account { lives: [vec![within; 6], vec![higher; 6]].concat(), ..young };
        let turns = next_round([(0, &old)], Duration::from_millis(8 * 28), 1e-6);
        assert!(turns[0].slices > 24, "{turns:?}");
    }

    #[test]
    fn lives_that_do_not_count_are_replaced_until_five_do() {
        let lost = |counting: usize, set_aside: usize| {
            let lives = vec![vec![100.0, 101.0, 102.0]; counting];
            Account { lives, set_aside, ..account(&[]) }
        };
        // Within the time they are missing like any others; nobody must have another for ever.
        assert_eq!(round(&[lost(0, 2)], Duration::ZERO), []);
        assert_eq!(round(&[lost(0, 2)], Duration::from_secs(1)).len(), 1);
        let replaced =
            |account: Account, left_ms: u64| replacing_round([(0, &account)], Duration::from_millis(left_ms)).len();
        assert_eq!([replaced(lost(4, 1), 1_000), replaced(lost(4, 1), 5), replaced(lost(4, 0), 1_000)], [1, 0, 0]);
        assert_eq!(
            [replaced(lost(5, 9), 1_000), replaced(lost(0, 120), 1_000), replaced(lost(0, 119), 1_000)],
            [0, 0, 1]
        );
        assert!(lost(2, 118).is_settled(AIM) && !lost(2, 117).is_settled(AIM));
    }

    #[test]
    fn what_is_slow_has_one_slice_a_life() {
        let slow = Account { slice_ns: 30e9, visit_ns: 1e9, is_slow: true, lives: vec![vec![30e9]], set_aside: 0 };
        assert_eq!(round(&[slow], Duration::from_secs(10)), [(0, 1)]);
    }

    #[test]
    fn long_slices_are_fewer() {
        let long = Account { slice_ns: 50.0 * MILLISECOND, ..account(&[]) };
        assert_eq!(round(&[long], Duration::from_mins(1)), [(0, 4)]);
    }

    #[test]
    fn values_that_never_move_are_settled_and_divide_by_nothing() {
        let still = account(&[&[100.0, 100.0, 100.0] as &[f64]; 5]);
        assert!(still.is_settled(AIM));
        let young = account(&[&[100.0, 100.0, 100.0] as &[f64]; 3]);
        assert_eq!(round(&[young], Duration::from_mins(1)), [(0, 100)]);
    }

    #[test]
    fn nobody_is_measured_for_ever() {
        let wild: Vec<Vec<f64>> = (0..30).map(|i| vec![if i % 2 == 0 { 1.0 } else { 9.0 }]).collect();
        let account = Account { lives: wild, ..account(&[]) };
        assert!(account.doubt() > AIM && account.is_settled(AIM));
    }
}
