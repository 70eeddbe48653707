//! Random numbers that are the same on every machine.

/// A stream of random numbers (the generator named `SplitMix64`).
#[derive(Clone, Debug)]
pub struct Random(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// The stream that belongs to a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// The next number in [0, 1), with 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next whole number below `end`.
    ///
    /// The remainder prefers low numbers by less than one part in 2⁴⁰ for any `end` that is used here.
    pub const fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// The next number of a bell curve with mean 0 and deviation 1.
    pub fn bell(&mut self) -> f32 {
        bell(self.bits())
    }
}

/// The bell-shaped numbers that belong to a seed, from the one at `first` on.
///
/// Each is a function of its index alone, so that any rows of a tensor can be made without those before them.
pub fn fill_bell(seed: u64, first: usize, deviation: f32, out: &mut [f32]) {
    let start = mix(seed ^ STEP);
    for (index, value) in (first as u64..).zip(out) {
        *value = bell(mix(start.wrapping_add(index.wrapping_mul(STEP)))) * deviation;
    }
}

/// The sum of four uniform numbers is close enough to a bell for initial weights, ends at 3.46 deviations,
/// and needs no logarithm, whose last bit differs from one mathematics library to the next.
fn bell(bits: u64) -> f32 {
    let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    let deviation = 65_536.0 * 0.577_350_26; // √(4/12) of the range of one
    (sum as f32 - 131_070.0) / deviation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_from_any_start() {
        let mut whole = [0.0; 100];
        let mut tail = [0.0; 40];
        fill_bell(7, 0, 2.0, &mut whole);
        fill_bell(7, 60, 2.0, &mut tail);
        assert_eq!(whole[60..], tail);
        fill_bell(8, 60, 2.0, &mut tail);
        assert_ne!(whole[60..], tail);
    }

    #[test]
    fn the_bell_has_mean_zero_and_deviation_one() {
        let mut random = Random::new(3);
        let values: Vec<f64> = (0..100_000).map(|_| f64::from(random.bell())).collect();
        let mean = values.iter().sum::<f64>() / 1e5;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }
}
