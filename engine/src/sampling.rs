//! Choosing the next token from its logits.

use crate::kernels::Kernels;
use crate::seeded::Random;

/// How freely to choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits: below 1 the likely becomes likelier; 0 always takes the likeliest.
    pub temperature: f32,
    /// Choose among so many of the likeliest; 0 for all.
    pub top_k: usize,
    /// Choose among the likeliest that together have this probability; 1 for all.
    pub top_p: f32,
    /// Where the random numbers begin.
    pub seed: u64,
}

impl Sampling {
    /// Always the likeliest.
    pub const GREEDY: Self = Self { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 0 };
}

/// Chooses one token after the other.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    kernels: Kernels,
    random: Random,
    /// Tokens with their weights; used again for each choice.
    candidates: Vec<(u32, f32)>,
}

impl Sampler {
    /// A sampler at the beginning of its random numbers.
    #[must_use]
    pub fn new(sampling: Sampling, kernels: Kernels) -> Self {
        Self { sampling, kernels, random: Random::new(sampling.seed), candidates: Vec::new() }
    }

    /// Chooses a token. Of tokens that are equally likely, the first is the likeliest; logits that are no numbers are
    /// never chosen, unless all are.
    pub fn choose(&mut self, logits: &[f32]) -> u32 {
        let Sampling { temperature, top_k, top_p, .. } = self.sampling;
        if temperature <= 0.0 || top_k == 1 {
            return likeliest(self.kernels, logits);
        }
        let finite = logits.iter().enumerate().filter(|(_, logit)| !logit.is_nan());
        self.candidates.clear();
        self.candidates.extend(finite.map(|(token, logit)| (token as u32, *logit)));
        let downwards = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if 0 < top_k && top_k < self.candidates.len() {
            self.candidates.select_nth_unstable_by(top_k - 1, downwards);
            self.candidates.truncate(top_k);
        }
        self.candidates.sort_unstable_by(downwards);
        let Some(&(first, largest)) = self.candidates.first() else { return 0 };
        let mut sum = 0.0;
        for (_, weight) in &mut self.candidates {
            *weight = ((*weight - largest) / temperature).exp();
            sum += f64::from(*weight);
        }
        if top_p < 1.0 {
            let mut seen = 0.0;
            let enough = self.candidates.iter().position(|(_, weight)| {
                seen += f64::from(*weight);
                seen >= f64::from(top_p) * sum
            });
            self.candidates.truncate(enough.map_or(usize::MAX, |last| last + 1));
            sum = self.candidates.iter().map(|(_, weight)| f64::from(*weight)).sum();
        }
        let mut left = self.random.unit() * sum;
        let chosen = self.candidates.iter().find(|(_, weight)| {
            left -= f64::from(*weight);
            left < 0.0
        });
        chosen.map_or(first, |(token, _)| *token)
    }
}

/// The token with the largest logit; the first of several.
#[must_use]
pub fn likeliest(kernels: Kernels, logits: &[f32]) -> u32 {
    const CHUNK: usize = 64;
    let largest = kernels.largest(logits);
    // Counting in a whole chunk lets many numbers be looked at together.
    let chunk = logits.chunks(CHUNK).position(|chunk| chunk.iter().filter(|x| **x >= largest).count() > 0);
    let start = chunk.unwrap_or(0) * CHUNK;
    let within = logits[start..].iter().position(|x| *x >= largest).unwrap_or(0);
    (start + within) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(sampling: Sampling) -> Sampler {
        Sampler::new(sampling, Kernels::detect())
    }

    #[test]
    fn greedy_takes_the_first_of_the_largest() {
        for kernels in Kernels::available() {
            for length in [1, 3, 64, 65, 1_000] {
                for place in [0, length / 2, length - 1] {
                    let mut logits = vec![-1.0; length];
                    logits[place] = 2.0;
                    logits[length - 1] = 2.0;
                    assert_eq!(likeliest(kernels, &logits) as usize, place, "{} {length}", kernels.name());
                }
            }
            assert_eq!(likeliest(kernels, &[f32::NAN, f32::NAN]), 0);
        }
        assert_eq!(sampler(Sampling::GREEDY).choose(&[0.0, 5.0, 1.0]), 1);
    }

    #[test]
    fn tokens_come_up_as_often_as_their_probability_says() {
        let logits = [0.0_f32, 1.0, 2.0, f32::NEG_INFINITY];
        let temperature = 0.7;
        let mut sampler = sampler(Sampling { temperature, top_k: 0, top_p: 1.0, seed: 4 });
        let mut counts = [0_u32; 4];
        for _ in 0..30_000 {
            counts[sampler.choose(&logits) as usize] += 1;
        }
        let weights = logits.map(|logit| (logit / temperature).exp());
        let sum: f32 = weights.iter().sum();
        for (count, weight) in counts.iter().zip(weights) {
            let share = f64::from(*count) / 30_000.0;
            assert!((share - f64::from(weight / sum)).abs() < 0.01, "{counts:?}");
        }
    }

    #[test]
    fn top_k_and_top_p_leave_out_the_unlikely() {
        let logits = [1.0, 4.0, 3.0, 2.0];
        let all = |sampling: Sampling| {
            let mut sampler = sampler(sampling);
            let mut seen: Vec<u32> = (0..2_000).map(|_| sampler.choose(&logits)).collect();
            seen.sort_unstable();
            seen.dedup();
            seen
        };
        let free = Sampling { temperature: 2.0, top_k: 0, top_p: 1.0, seed: 1 };
        assert_eq!(all(free), [0, 1, 2, 3]);
        assert_eq!(all(Sampling { top_k: 2, ..free }), [1, 2]);
        assert_eq!(all(Sampling { top_k: 9, ..free }), [0, 1, 2, 3]);
        // At temperature 2 the shares are 0.455, 0.276, 0.167 and 0.102.
        assert_eq!(all(Sampling { top_p: 0.7, ..free }), [1, 2]);
        assert_eq!(all(Sampling { top_p: 0.0, ..free }), [1]);
    }

    #[test]
    fn a_seed_gives_the_same_choices_again() {
        let sampling = Sampling { temperature: 1.0, top_k: 0, top_p: 1.0, seed: 8 };
        let choices = |mut sampler: Sampler| (0..50).map(|_| sampler.choose(&[1.0, 1.0, 1.0])).collect::<Vec<u32>>();
        assert_eq!(choices(sampler(sampling)), choices(sampler(sampling)));
        assert_ne!(choices(sampler(sampling)), choices(sampler(Sampling { seed: 9, ..sampling })));
    }

    #[test]
    fn logits_that_are_no_numbers_are_not_chosen() {
        let sampling = Sampling { temperature: 1.0, top_k: 0, top_p: 0.9, seed: 8 };
        assert_eq!(sampler(sampling).choose(&[f32::NAN, 1.0, f32::NAN]), 1);
        assert_eq!(sampler(sampling).choose(&[f32::NAN]), 0);
    }
}
