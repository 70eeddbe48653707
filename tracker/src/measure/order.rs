//! Random order, the same for the same seed.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Puts things in random order.
#[derive(Debug, Clone)]
pub struct Order(Pcg64Mcg);

impl Order {
    /// The order that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Order {
        Order(Pcg64Mcg::seed_from_u64(seed))
    }

    /// A number from 0 to below `bound`, which is not 0. With bounds as small as ours the modulus is even enough.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.0.next_u64() % bound).unwrap_or(0)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// These, in random order.
    pub fn shuffled<T, const N: usize>(&mut self, mut things: [T; N]) -> [T; N] {
        self.shuffle(&mut things);
        things
    }

    /// Shuffles (Fisher and Yates).
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffled(seed: u64) -> Vec<usize> {
        let mut things: Vec<usize> = (0..20).collect();
        Order::new(seed).shuffle(&mut things);
        things
    }

    #[test]
    fn a_shuffle_loses_nothing_and_follows_its_seed() {
        let mut sorted = shuffled(1);
        assert_eq!(sorted, shuffled(1));
        assert_ne!(sorted, shuffled(2));
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn every_order_of_three_is_about_as_frequent() {
        let mut order = Order::new(7);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut things = [0, 1, 2];
            order.shuffle(&mut things);
            *seen.entry(things).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|count| (850..1150).contains(count)), "{seen:?}");
    }
}
