//! A witness beside a life: two fixed pieces of work, done again and again on the processor of the worker, which tell how
//! that processor was meanwhile, whatever was measured.
//!
//! Two hardware threads share the units of one core. What runs on the other one (on a virtual machine: anybody's) makes
//! programs that keep many units busy nearly twice as slow, in bursts of milliseconds to seconds, and no clock or counter
//! of ours tells of it. So one work keeps as many units busy as it can, and the other none: a chain, in which each operation
//! waits for the one before. How much longer the one takes by the other tells how crowded the core is; and how long the
//! chain takes, of which the cycles are known, tells the frequency of its clock, whoever is there.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::stats::crowd::SHARED;

/// Turns of the wide work: some 7 µs.
const TURNS: u64 = 10_000;

/// Links of the chain, some 7 µs, and the cycles that each takes on processors of today: exclusive or, product, rotation.
const LINKS: u64 = 4_000;
const CYCLES: u64 = 5;

/// The witness is asked when so much time has passed: a burst that matters is longer.
const EVERY: Duration = Duration::from_millis(3);

/// The processor at its best is what one life in so many saw, or better.
const ENOUGH: usize = 16;

/// Clocks are alike if they differ by no more than this: the chain varies by thousandths, and the clock by steps of 3 to 7 %.
const ALIKE: f64 = 1.02;

/// The note of a run that says how fast the clock went, in cycles a nanosecond, while the lives that count were measured.
pub const CLOCK: &str = "clock_ghz";

/// The note of a run that says how crowded the processor was at its best: how long the wide work took by the chain.
pub const CROWD: &str = "crowd";

/// The note of a run that says which build of the witness saw that: figures of two builds are not compared.
pub const BUILD: &str = "witness_build";

/// The note of a run that names the benchmarks, as a JSON array, whose processor was shared in lives that count, since there
/// were no others.
pub const DISTURBED: &str = "disturbed";

/// What a witness saw of a processor, in the middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// How long the wide work took by the chain.
    pub crowd: f64,
    /// How long the chain took, in nanoseconds.
    pub chain_ns: f64,
    /// Whether it took as long in most looks: else the clock went now so, now so.
    pub is_steady: bool,
}

/// A witness at work.
#[derive(Debug)]
pub(super) struct Witness {
    looks: Vec<Look>,
    last: Instant,
}

/// How long the wide work took by the chain, and how long the chain.
type Look = (f64, f64);

impl Witness {
    /// Begins with a first look.
    #[must_use]
    pub(super) fn begin() -> Witness {
        let first = look();
        Witness { looks: vec![first], last: Instant::now() }
    }

    /// Looks again if it is time to.
    pub(super) fn glance(&mut self) {
        if self.last.elapsed() >= EVERY {
            self.looks.push(look());
            self.last = Instant::now();
        }
    }

    /// Looks for the last time, and says what was seen.
    #[must_use]
    pub(super) fn end(mut self) -> Seen {
        self.looks.push(look());
        let sorted = |of: fn(&Look) -> f64| {
            let mut all: Vec<f64> = self.looks.iter().map(of).collect();
            all.sort_unstable_by(f64::total_cmp);
            all
        };
        let (crowds, chains) = (sorted(|look| look.0), sorted(|look| look.1));
        // A tick of the system's clock within the chain makes it longer and the crowd smaller, so of two in the middle the
        // smaller of the one and the greater of the other.
        let quartile = chains.len() / 4;
        Seen {
            crowd: crowds[crowds.len() / 2],
            chain_ns: chains[(chains.len() - 1) / 2],
            is_steady: chains[chains.len() - 1 - quartile] <= ALIKE * chains[quartile],
        }
    }
}

/// What the witnesses of lives have seen, cut to where nobody shared the processor and its clock went as most often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    /// The crowd at its best.
    crowd: f64,
    /// The chain's time in the middle, in nanoseconds.
    middle_ns: f64,
    /// Its least and its greatest time; none if the clock wanders, and one life is as good as another.
    within_ns: Option<(f64, f64)>,
}

impl Usual {
    /// Of what the witnesses saw; none of nothing.
    #[must_use]
    pub(super) fn of(all: impl IntoIterator<Item = Seen>) -> Option<Usual> {
        let all: Vec<Seen> = all.into_iter().collect();
        let mut crowds: Vec<f64> = all.iter().map(|seen| seen.crowd).collect();
        crowds.sort_unstable_by(f64::total_cmp);
        // Not the least of many: a single one that is too low would make all others crowded.
        let crowd = *crowds.get(crowds.len() / ENOUGH)?;
        let alone: Vec<&Seen> = all.iter().filter(|seen| seen.crowd <= SHARED * crowd).collect();
        let sorted = |mut chains: Vec<f64>| {
            chains.sort_unstable_by(f64::total_cmp);
            chains
        };
        let chains = sorted(alone.iter().filter(|seen| seen.is_steady).map(|seen| seen.chain_ns).collect());
        let alike = |from: usize| chains[from..].partition_point(|&chain_ns| chain_ns <= ALIKE * chains[from]);
        // Of equals the first: the fastest.
        let common = (0..chains.len()).rev().max_by_key(|&from| alike(from));
        // Where no clock is that of half of the lives, it wanders.
        let common = common.map(|from| &chains[from..from + alike(from)]).filter(|common| 2 * common.len() >= alone.len());
        let within_ns = common.map(|common| (common[0], common[common.len() - 1]));
        let of = common.map_or_else(|| sorted(alone.iter().map(|seen| seen.chain_ns).collect()), <[f64]>::to_vec);
        Some(Usual { crowd, middle_ns: of[(of.len() - 1) / 2], within_ns })
    }

    /// Whether a life counts whose witness saw this.
    #[must_use]
    pub(super) fn holds(&self, seen: Seen) -> bool {
        let is_usual = |(least, most)| seen.is_steady && (least..=most).contains(&seen.chain_ns);
        !self.was_shared(seen) && self.within_ns.is_none_or(is_usual)
    }

    /// Whether somebody shared the processor of which a witness saw this.
    #[must_use]
    pub(super) fn was_shared(&self, seen: Seen) -> bool {
        seen.crowd > SHARED * self.crowd
    }

    /// How far from this is what a witness saw.
    #[must_use]
    pub(super) fn distance(&self, seen: Seen) -> f64 {
        (seen.crowd / self.crowd).ln().abs() + (seen.chain_ns / self.middle_ns).ln().abs()
    }

    /// How crowded the processor was at its best.
    #[must_use]
    pub(super) fn crowd(&self) -> f64 {
        self.crowd
    }

    /// How fast the clock went in the middle, in cycles a nanosecond; none if it wandered.
    #[must_use]
    pub(super) fn clock_ghz(&self) -> Option<f64> {
        self.within_ns.map(|_| (LINKS * CYCLES) as f64 / self.middle_ns)
    }
}

/// Which build this is, as far as its size tells; none where its file cannot be seen.
#[must_use]
pub(super) fn build() -> Option<u64> {
    Some(std::fs::metadata(std::env::current_exe().ok()?).ok()?.len())
}

fn look() -> Look {
    let took_ns = |work: fn(u64) -> u64, turns: u64| {
        // What was measured before has its own instructions at hand, and not these.
        black_box(work(black_box(turns / 16)));
        let begun = Instant::now();
        black_box(work(black_box(turns)));
        (begun.elapsed().as_nanos() as f64).max(1.0)
    };
    let (wide_ns, chain_ns) = (took_ns(wide, TURNS), took_ns(chain, LINKS));
    (wide_ns / chain_ns, chain_ns)
}

/// Six chains that do not wait for one another, each of another kind, so that no compiler makes wide registers of them.
#[inline(never)]
fn wide(turns: u64) -> u64 {
    let (mut sum, mut mixed, mut rest, mut turned, mut odd, mut shifted) = (1_u64, 2_u64, 3_u64, 4_u64, 5_u64, 6_u64);
    for turn in 0..turns {
        sum = sum.wrapping_add(turn);
        mixed ^= turn;
        rest = rest.wrapping_sub(turn);
        turned = turned.rotate_left(1) ^ 3;
        odd = odd.wrapping_add(7) | 1;
        shifted = shifted << 1 ^ shifted >> 62;
    }
    sum ^ mixed ^ rest ^ turned ^ odd ^ shifted
}

/// A chain that no compiler can shorten: so its time depends on the clock, and not on who compiled it.
#[inline(never)]
fn chain(links: u64) -> u64 {
    let mut value = 1_u64;
    for link in 0..links {
        value = (value ^ link).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(crowd: f64, chain_ns: f64) -> Seen {
        Seen { crowd, chain_ns, is_steady: true }
    }

    fn witness(crowds: &[f64]) -> Witness {
        let looks = crowds.iter().map(|&crowd| (crowd, 1e15)).collect();
        Witness { looks, last: Instant::now() }
    }

    #[test]
    fn the_works_are_done_and_depend_on_their_turns() {
        assert_ne!(wide(1_000), wide(1_001));
        assert_ne!(chain(1_000), chain(1_001));
        let seen = Witness::begin().end();
        assert!(seen.crowd > 0.0 && seen.chain_ns > 0.0);
    }

    #[test]
    fn the_middle_of_what_was_seen_is_told() {
        assert!(witness(&[1e15, 0.0, 0.0]).end().crowd < 1e14, "one look of four does not decide");
        assert!(witness(&[0.0]).end().crowd > 0.0, "of two crowds the greater");
        assert!(witness(&[0.0]).end().chain_ns < 1e14, "of two chains the smaller");
        assert!(witness(&[1e15; 4]).end().crowd > 1e14);
        assert!(witness(&[0.0; 4]).end().chain_ns > 1e14);
    }

    #[test]
    fn lives_count_where_nobody_shared_the_processor() {
        assert_eq!(Usual::of([]), None);
        // Most of the time somebody was there.
        let crowds = [1.9, 1.0, 1.8, 1.05, 1.9];
        let usual = Usual::of(crowds.map(|crowd| seen(crowd, 7_000.0))).expect("something was seen");
        assert_eq!(crowds.map(|crowd| usual.holds(seen(crowd, 7_000.0))), [false, true, false, true, false]);
        assert!(Usual::of([seen(1.9, 7_000.0)]).expect("something was seen").holds(seen(1.9, 7_000.0)));
    }

    #[test]
    fn one_life_of_many_that_saw_too_little_does_not_make_the_others_crowded() {
        let mut crowds = [1.0; 20];
        crowds[7] = 0.8;
        let usual = Usual::of(crowds.map(|crowd| seen(crowd, 7_000.0))).expect("something was seen");
        assert!(usual.holds(seen(1.0, 7_000.0)) && usual.holds(seen(0.8, 7_000.0)));
    }

    #[test]
    fn of_the_clocks_the_most_frequent_counts_and_of_equals_the_fastest() {
        let usual = |chains: &[f64]| {
            let usual = Usual::of(chains.iter().map(|&chain_ns| seen(1.0, chain_ns))).expect("something was seen");
            chains.iter().map(|&chain_ns| usual.holds(seen(1.0, chain_ns))).collect::<Vec<bool>>()
        };
        assert_eq!(usual(&[7.0]), [true]);
        assert_eq!(usual(&[6.5, 7.0, 7.1, 6.5, 7.05]), [false, true, true, false, true]);
        assert_eq!(usual(&[6.5, 7.0, 6.5]), [true, false, true]);
        assert_eq!(usual(&[7.0, 6.5]), [false, true]);
        // What came with a neighbour says nothing of the clock.
        let all = [seen(1.9, 7.0), seen(1.9, 7.0), seen(1.0, 6.5)];
        assert!(Usual::of(all).expect("something was seen").holds(seen(1.0, 6.5)));
        let all = [5_000.0, 5_050.0, 5_080.0, 9_000.0].map(|chain_ns| seen(1.0, chain_ns));
        let ghz = Usual::of(all).expect("something was seen").clock_ghz();
        assert!(ghz.is_some_and(|ghz| (ghz - 20_000.0 / 5_050.0).abs() < 1e-9), "{ghz:?}");
    }

    #[test]
    fn where_the_clock_wanders_one_life_is_as_good_as_another() {
        let chains = [5_000.0, 5_200.0, 5_400.0, 5_600.0, 5_800.0];
        let all = || chains.map(|chain_ns| seen(1.0, chain_ns));
        let usual = Usual::of(all()).expect("something was seen");
        assert!(all().into_iter().all(|seen| usual.holds(seen)));
        assert_eq!(usual.clock_ghz(), None);
    }

    #[test]
    fn a_life_in_which_the_clock_changed_is_unlike_those_in_which_it_did_not() {
        let changed = Seen { is_steady: false, ..seen(1.0, 5_000.0) };
        let usual = |all: &[Seen]| Usual::of(all.iter().copied()).expect("something was seen");
        let most_are_steady = usual(&[seen(1.0, 5_000.0), changed, seen(1.0, 5_010.0)]);
        assert!(most_are_steady.holds(seen(1.0, 5_005.0)) && !most_are_steady.holds(changed));
        let most_are_not = usual(&[changed, changed, seen(1.0, 5_010.0)]);
        assert!(most_are_not.holds(seen(1.0, 5_005.0)) && most_are_not.holds(changed));
        assert_eq!(most_are_not.clock_ghz(), None);
        let steady = |chains: &[f64]| {
            let looks = chains.iter().map(|&chain_ns| (1.0, chain_ns)).collect();
            Witness { looks, last: Instant::now() }.end().is_steady
        };
        // What it looks at when it ends is far from all of these.
        assert!(steady(&[1e15; 8]) && !steady(&[1e15, 1e15, 1e15, 2e15, 2e15, 2e15]));
        assert!(steady(&[1e15, 1e15, 1e15, 1e15, 1e15, 1e15, 2e15]));
    }

    #[test]
    fn what_is_unlike_the_usual_is_the_farther_the_more_it_is_so() {
        let usual = Usual::of([seen(1.0, 5_000.0)]).expect("something was seen");
        let distances = [seen(1.0, 5_000.0), seen(1.0, 4_700.0), seen(1.3, 5_000.0), seen(1.3, 4_700.0)];
        assert!(distances.map(|seen| usual.distance(seen)).is_sorted_by(|one, other| one < other));
    }

    #[test]
    fn it_looks_again_only_when_some_time_has_passed() {
        let mut witness = Witness::begin();
        witness.last = Instant::now() + Duration::from_mins(1);
        witness.glance();
        assert_eq!(witness.looks.len(), 1);
        witness.last = Instant::now().checked_sub(EVERY).expect("a machine that has been up for three milliseconds");
        witness.glance();
        assert_eq!(witness.looks.len(), 2);
    }
}
