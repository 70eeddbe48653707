//! A witness beside a life: two fixed pieces of work, done again and again on the processor of the worker, which tell how
//! that processor was meanwhile, whatever was measured.
//!
//! Two hardware threads share the units of one core. What runs on the other one (on a virtual machine: anybody's) makes
//! programs that keep many units busy nearly twice as slow, in bursts of milliseconds to minutes, and no clock or counter
//! of ours tells of it. So one work keeps as many units busy as it can, and the other none: a chain, in which each operation
//! waits for the one before. How much longer the one takes by the other tells how crowded the core is; and how long the
//! chain takes, of which the cycles are known, tells the frequency of its clock, whoever is there.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::stats::crowd::ALONE;
use crate::stats::robust;

/// Turns of the wide work: some 7 µs.
const TURNS: u64 = 10_000;

/// Links of the chain, some 7 µs, and the cycles that each takes on processors of today: exclusive or, product, rotation.
const LINKS: u64 = 4_000;
const CYCLES: u64 = 5;

/// The witness is asked when so much time has passed: who shares the core comes and goes within milliseconds.
const EVERY: Duration = Duration::from_millis(1);

/// The processor is at its best where one look in so many saw nearly the same, and three at least: a tick of the system's
/// clock within a look makes any figure, and no two alike.
const ENOUGH: usize = 16;
const FEWEST: usize = 3;

/// What a benchmark leaves in the caches makes the wide work some percent slower for it than for others. What makes it slower
/// by more than this is a neighbour, or the benchmark's own threads.
const OWN: f64 = 1.1;

/// Looks are alike if they differ by no more than this: the wide work of a processor that is not shared varies by thousandths,
/// and so does the chain, whose clock makes steps of 3 to 7 %.
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

/// What one look at a processor saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// How long the wide work took by the chain.
    pub crowd: f64,
    /// How long the chain took, in nanoseconds.
    pub chain_ns: f64,
}

/// What a witness saw of a life: each look with the number of slices that came before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen(pub(super) Vec<(usize, Look)>);

impl Seen {
    /// The looks.
    pub(super) fn looks(&self) -> impl Iterator<Item = Look> {
        self.0.iter().map(|(_, look)| *look)
    }

    /// Of each slice, whether it counts: whether the looks before and after it saw the processor as usual.
    #[must_use]
    pub(super) fn counting(&self, usual: &Usual) -> Vec<bool> {
        let mut counting = Vec::new();
        for pair in self.0.windows(2) {
            let [(from, before), (to, after)] = [pair[0], pair[1]];
            counting.extend(std::iter::repeat_n(usual.holds(before) && usual.holds(after), to - from));
        }
        counting
    }
}

/// A witness at work.
#[derive(Debug)]
pub(super) struct Witness {
    seen: Seen,
    last: Instant,
}

impl Witness {
    /// Begins with a first look.
    #[must_use]
    pub(super) fn begin() -> Witness {
        let first = look();
        Witness { seen: Seen(vec![(0, first)]), last: Instant::now() }
    }

    /// Looks again if it is time to; so many slices were taken.
    pub(super) fn glance(&mut self, slices: usize) {
        if self.last.elapsed() >= EVERY {
            self.seen.0.push((slices, look()));
            self.last = Instant::now();
        }
    }

    /// Looks for the last time, and says what was seen.
    #[must_use]
    pub(super) fn end(mut self, slices: usize) -> Seen {
        self.seen.0.push((slices, look()));
        self.seen
    }
}

/// How a processor is where nobody shares it and its clock goes as most often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    /// The crowd at its best.
    crowd: f64,
    /// The chain's time in the middle, in nanoseconds.
    middle_ns: f64,
    /// Its least and its greatest time; none if the clock wanders, and one look is as good as another.
    within_ns: Option<(f64, f64)>,
}

impl Usual {
    /// Of what was seen; none of nothing.
    #[must_use]
    pub(super) fn of(looks: impl IntoIterator<Item = Look>) -> Option<Usual> {
        let looks: Vec<Look> = looks.into_iter().collect();
        let crowd = best(&looks)?;
        let alone: Vec<f64> =
            looks.iter().filter(|look| is_alone(look.crowd, crowd)).map(|look| look.chain_ns).collect();
        let chains = sorted(alone);
        let alike = |from: usize| chains[from..].partition_point(|&chain_ns| chain_ns <= ALIKE * chains[from]);
        // Of equals the first: the fastest.
        let from = (0..chains.len()).rev().max_by_key(|&from| alike(from))?;
        let common = &chains[from..from + alike(from)];
        // Where no clock is that of half of the looks, it wanders.
        let is_common = 2 * common.len() >= chains.len();
        let within_ns = is_common.then(|| (common[0], common[common.len() - 1]));
        let of = if is_common { common } else { &chains };
        Some(Usual { crowd, middle_ns: of[(of.len() - 1) / 2], within_ns })
    }

    /// The same for a benchmark beside which this was seen: what it leaves in the caches is part of how it is measured.
    #[must_use]
    pub(super) fn beside(self, looks: impl IntoIterator<Item = Look>) -> Usual {
        let looks: Vec<Look> = looks.into_iter().collect();
        let own = best(&looks).filter(|own| (self.crowd / OWN..=self.crowd * OWN).contains(own));
        Usual { crowd: own.unwrap_or(self.crowd), ..self }
    }

    /// Whether the processor was so.
    #[must_use]
    pub(super) fn holds(&self, look: Look) -> bool {
        is_alone(look.crowd, self.crowd)
            && self.within_ns.is_none_or(|(least, most)| (least..=most).contains(&look.chain_ns))
    }

    /// Whether somebody shared the processor in most looks.
    #[must_use]
    pub(super) fn was_shared(&self, seen: &Seen) -> bool {
        let shared = seen.looks().filter(|look| !is_alone(look.crowd, self.crowd)).count();
        2 * shared > seen.0.len()
    }

    /// How far from this is what a witness saw, in the middle.
    #[must_use]
    pub(super) fn distance(&self, seen: &Seen) -> f64 {
        let far = |look: Look| (look.crowd / self.crowd).ln().abs() + (look.chain_ns / self.middle_ns).ln().abs();
        robust::median(&seen.looks().map(far).collect::<Vec<_>>()).unwrap_or(0.0)
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

fn is_alone(crowd: f64, best: f64) -> bool {
    (best / ALONE..=best * ALONE).contains(&crowd)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The crowd at its best: the least one near which there are enough others, else the lower quartile; none of no look.
fn best(looks: &[Look]) -> Option<f64> {
    let crowds = sorted(looks.iter().map(|look| look.crowd).collect());
    let enough = (crowds.len() / ENOUGH).max(FEWEST);
    let near =
        |from: usize| &crowds[from..from + crowds[from..].partition_point(|&crowd| crowd <= ALIKE * crowds[from])];
    let group = (0..crowds.len()).map(near).find(|near| near.len() >= enough);
    group.map(|group| group[group.len() / 2]).or_else(|| crowds.get(crowds.len() / 4).copied())
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
    Look { crowd: wide_ns / chain_ns, chain_ns }
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

    fn look(crowd: f64, chain_ns: f64) -> Look {
        Look { crowd, chain_ns }
    }

    /// Looks at one clock, each this often.
    fn crowds(all: &[(f64, usize)]) -> Vec<Look> {
        all.iter().flat_map(|&(crowd, count)| std::iter::repeat_n(look(crowd, 7_000.0), count)).collect()
    }

    fn chains(all: &[(f64, usize)]) -> Vec<Look> {
        all.iter().flat_map(|&(chain_ns, count)| std::iter::repeat_n(look(1.25, chain_ns), count)).collect()
    }

    fn usual(looks: &[Look]) -> Usual {
        Usual::of(looks.iter().copied()).expect("something was seen")
    }

    #[test]
    fn the_works_are_done_and_depend_on_their_turns() {
        assert_ne!(wide(1_000), wide(1_001));
        assert_ne!(chain(1_000), chain(1_001));
        let seen = Witness::begin().end(0);
        assert!(seen.looks().all(|look| look.crowd > 0.0 && look.chain_ns > 0.0));
    }

    #[test]
    fn it_looks_again_only_when_some_time_has_passed() {
        let mut witness = Witness::begin();
        witness.last = Instant::now() + Duration::from_mins(1);
        witness.glance(1);
        witness.last = Instant::now().checked_sub(EVERY).expect("a machine that has been up for a millisecond");
        witness.glance(2);
        assert_eq!(witness.end(3).0.iter().map(|(slices, _)| *slices).collect::<Vec<_>>(), [0, 2, 3]);
    }

    #[test]
    fn slices_count_between_looks_at_a_processor_that_was_as_usual() {
        let (alone, shared) = (look(1.25, 7_000.0), look(1.4, 7_000.0));
        let seen = Seen(vec![(0, alone), (2, alone), (5, shared), (6, alone), (6, alone), (8, alone)]);
        let expected = [true, true, false, false, false, false, true, true];
        assert_eq!(seen.counting(&usual(&crowds(&[(1.25, 9)]))), expected);
    }

    #[test]
    fn nobody_shares_a_processor_where_it_is_as_at_its_best_most_of_the_time_or_hardly_ever() {
        assert_eq!(Usual::of([]), None);
        for alone in [4, 20, 60] {
            // Those who share it make it slower by this and that, but for one who does always the same.
            let mut looks = crowds(&[(1.25, alone), (1.26, alone / 2), (1.9, 15)]);
            looks.extend((0..30).map(|at| look(1.35 + 0.03 * f64::from(at), 7_000.0)));
            let usual = usual(&looks);
            assert_eq!(
                [1.2, 1.25, 1.3, 1.4, 1.9].map(|crowd| usual.holds(look(crowd, 7_000.0))),
                [true, true, true, false, false]
            );
        }
    }

    #[test]
    fn a_tick_within_a_look_is_not_the_best_and_does_not_count() {
        let mut looks = crowds(&[(1.25, 80), (1.8, 8)]);
        looks.extend((0..12).map(|at| look(0.3 + 0.04 * f64::from(at), 7_000.0 / (0.3 + 0.04 * f64::from(at)))));
        let usual = usual(&looks);
        assert!((usual.crowd() - 1.25).abs() < 1e-12);
        assert!(!usual.holds(look(0.6, 7_000.0)));
    }

    #[test]
    fn of_few_looks_that_differ_the_lower_ones_count() {
        assert!((usual(&crowds(&[(1.25, 1), (1.4, 1), (1.6, 1), (1.9, 1)])).crowd() - 1.4).abs() < 1e-12);
        assert!(usual(&crowds(&[(1.9, 1)])).holds(look(1.9, 7_000.0)));
    }

    #[test]
    fn what_a_benchmark_leaves_in_the_caches_is_no_neighbour_and_its_threads_are() {
        let usual = usual(&crowds(&[(1.25, 90), (1.36, 10)]));
        let holds = |own: f64| usual.beside(crowds(&[(own, 10)])).holds(look(own, 7_000.0));
        assert!(holds(1.25) && holds(1.36) && holds(1.15) && !holds(1.4) && !holds(0.9));
        assert!(usual.beside([]).holds(look(1.25, 7_000.0)));
    }

    #[test]
    fn of_the_clocks_the_most_frequent_counts_and_of_equals_the_fastest() {
        let holds = |all: &[(f64, usize)]| {
            let usual = usual(&chains(all));
            all.iter().map(|&(chain_ns, _)| usual.holds(look(1.25, chain_ns))).collect::<Vec<bool>>()
        };
        assert_eq!(holds(&[(7.0, 1)]), [true]);
        assert_eq!(holds(&[(6.5, 2), (7.0, 2), (7.1, 1)]), [false, true, true]);
        assert_eq!(holds(&[(6.5, 2), (7.0, 1)]), [true, false]);
        assert_eq!(holds(&[(7.0, 2), (6.5, 2)]), [false, true]);
        // What came with a neighbour says nothing of the clock.
        let mut looks = chains(&[(6.5, 4)]);
        looks.extend(std::iter::repeat_n(look(1.9, 7.0), 8));
        assert!(usual(&looks).holds(look(1.25, 6.5)));
        let ghz = usual(&chains(&[(5_000.0, 3), (5_050.0, 4), (5_080.0, 3), (9_000.0, 5)])).clock_ghz();
        assert!(ghz.is_some_and(|ghz| (ghz - 20_000.0 / 5_050.0).abs() < 1e-9), "{ghz:?}");
    }

    #[test]
    fn where_the_clock_wanders_one_look_is_as_good_as_another_and_nothing_is_told_of_it() {
        let all = [5_000.0, 5_200.0, 5_400.0, 5_600.0, 5_800.0].map(|chain_ns| (chain_ns, 1));
        let usual = usual(&chains(&all));
        assert!(all.iter().all(|&(chain_ns, _)| usual.holds(look(1.25, chain_ns))));
        assert_eq!(usual.clock_ghz(), None);
    }

    #[test]
    fn what_is_unlike_the_usual_is_the_farther_the_more_it_is_so() {
        let usual = usual(&[look(1.25, 5_000.0)]);
        let seen = |crowd: f64, chain_ns: f64| Seen(vec![(0, look(crowd, chain_ns)); 3]);
        let all = [seen(1.25, 5_000.0), seen(1.25, 4_700.0), seen(1.6, 5_000.0), seen(1.6, 4_700.0)];
        assert!(all.each_ref().map(|seen| usual.distance(seen)).is_sorted_by(|one, other| one < other));
        assert_eq!(all.each_ref().map(|seen| usual.was_shared(seen)), [false, false, true, true]);
    }
}
