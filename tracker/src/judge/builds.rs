//! How far two builds of harmlessly different code lie apart.
//!
//! Where functions and branches land in memory is luck that a build draws once; no repetition of the measurement
//! averages it out. So it is learned from earlier duels of different builds: what they scatter beyond their own errors.
//! Some of those were of real changes, which is why the scatter is taken robustly and about zero.

use crate::stats::robust::{Variance, variance_about_zero};
use crate::stats::student::combined_df;

/// What is assumed before anything was learned: two builds differ by 1 %. Benchmarks of a few nanoseconds scatter by
/// more, long ones by less.
pub const PRIOR_SD: f64 = 0.01;
/// How much that assumption counts: as much as ten degrees of freedom.
pub const PRIOR_DF: f64 = 10.0;
/// With so many earlier duels the assumption is forgotten; before, it fades in proportion.
pub const ENOUGH: usize = 20;

/// Until then an earlier duel counts for at most so many standard deviations of the assumption.
const FARTHEST: f64 = 3.0;

/// One earlier comparison of different builds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Earlier {
    /// The logarithm of its head/base.
    pub effect: f64,
    /// The variance of that effect's own error; none where only the effect is known.
    pub error: Option<f64>,
}

/// What is known of the error that an effect has beside its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// Nothing is added: one build, or the policy takes the limit literally.
    None,
    /// Builds differ by this much, beside the error of measuring.
    Between {
        /// The variance τ².
        variance: f64,
        /// What τ² itself is uncertain by: as τ⁴ over its degrees of freedom.
        doubt: f64,
    },
    /// Whole comparisons scatter by this much, their error of measuring included.
    Total(Variance),
}

impl Spread {
    /// What is assumed where nothing was learned.
    #[must_use]
    pub fn assumed() -> Spread {
        let variance = PRIOR_SD * PRIOR_SD;
        Spread::Between { variance, doubt: variance * variance / PRIOR_DF }
    }

    /// Learns τ from earlier duels that know their own errors.
    #[must_use]
    pub fn between(earlier: &[Earlier]) -> Spread {
        let errors: Vec<f64> = earlier.iter().filter_map(|one| one.error).collect();
        let Some(seen) = scatter(&bounded(earlier)) else { return Spread::assumed() };
        let own = if errors.is_empty() { 0.0 } else { errors.iter().sum::<f64>() / errors.len() as f64 };
        // One degree of freedom of the assumption always stays: a scatter that is all measuring error would otherwise
        // prove that builds never differ.
        let weight = fading(earlier.len()).max(1.0);
        let prior = PRIOR_SD * PRIOR_SD;
        let share = weight / (weight + seen.df);
        let variance = share * prior + (1.0 - share) * (seen.value - own).max(0.0);
        let doubt = (share * prior).powi(2) / PRIOR_DF + ((1.0 - share) * seen.value).powi(2) / seen.df;
        Spread::Between { variance, doubt }
    }

    /// Learns the whole scatter from earlier comparisons of which only the effects are known, taken to be measured as
    /// today's was; `stand_in` is the scatter to expect without them, believed as far as its degrees of freedom go, at
    /// most [`PRIOR_DF`].
    #[must_use]
    pub fn total(earlier: &[Earlier], stand_in: Variance) -> Spread {
        let weight = fading(earlier.len()) / PRIOR_DF * stand_in.df.min(PRIOR_DF);
        let Some(seen) = scatter(earlier) else { return Spread::Total(stand_in) };
        let df = weight + seen.df;
        Spread::Total(Variance { value: (weight * stand_in.value + seen.df * seen.value) / df, df })
    }

    /// The variance of an effect with this error of its own, all in all.
    #[must_use]
    pub fn with(self, own: Variance) -> Variance {
        match self {
            Spread::None => own,
            Spread::Between { variance, doubt } => {
                let value = own.value + variance;
                let df = if doubt > 0.0 {
                    combined_df(&[(own.value, own.df), (variance, variance * variance / doubt)])
                } else {
                    own.df
                };
                Variance { value, df: if value > 0.0 { df } else { own.df } }
            }
            Spread::Total(whole) if own.value > whole.value => Variance { value: own.value, df: own.df.max(whole.df) },
            Spread::Total(whole) => whole,
        }
    }

    /// τ, to be shown: what is added to the error of measuring.
    #[must_use]
    pub fn tau(self, own: Variance) -> f64 {
        match self {
            Spread::None => 0.0,
            Spread::Between { variance, .. } => variance.sqrt(),
            Spread::Total(whole) => (whole.value - own.value).max(0.0).sqrt(),
        }
    }
}

/// Among a few earlier duels one real change would pass for luck, for nothing stands beside it to be robust with; so until
/// enough are known none counts for more than the assumption makes likely.
fn bounded(earlier: &[Earlier]) -> Vec<Earlier> {
    let bound = |one: &Earlier| {
        let most = FARTHEST * (PRIOR_SD * PRIOR_SD + one.error.unwrap_or(0.0)).sqrt();
        Earlier { effect: one.effect.clamp(-most, most), ..*one }
    };
    if earlier.len() < ENOUGH { earlier.iter().map(bound).collect() } else { earlier.to_vec() }
}

fn scatter(earlier: &[Earlier]) -> Option<Variance> {
    let effects: Vec<f64> = earlier.iter().map(|one| one.effect).collect();
    variance_about_zero(&effects)
}

/// What is left of [`PRIOR_DF`] after so many earlier duels.
fn fading(earlier: usize) -> f64 {
    PRIOR_DF * (1.0 - earlier as f64 / ENOUGH as f64).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;

    fn duels(seed: u64, count: usize, tau: f64, se: f64) -> Vec<Earlier> {
        let mut noise = Noise::seeded(seed);
        (0..count)
            .map(|_| {
                let changed = if noise.chance(0.1) { 0.05 } else { 0.0 };
                let effect = changed + tau * noise.normal() + se * noise.normal();
                Earlier { effect, error: Some(se * se) }
            })
            .collect()
    }

    fn tau(spread: Spread) -> f64 {
        spread.tau(Variance { value: 0.0, df: 1.0 })
    }

    #[test]
    fn the_luck_of_builds_is_told_from_the_error_of_measuring() {
        for (true_tau, se) in [(0.004, 0.001), (0.004, 0.004), (0.02, 0.001)] {
            let found = tau(Spread::between(&duels(3, 400, true_tau, se)));
            assert!((found / true_tau - 1.0).abs() < 0.25, "{found} for {true_tau} with se {se}");
        }
    }

    #[test]
    fn before_anything_is_learned_one_percent_is_assumed_and_it_fades() {
        assert!((tau(Spread::between(&[])) - PRIOR_SD).abs() < 1e-15);
        let few = tau(Spread::between(&duels(3, 5, 0.001, 0.0005)));
        let many = tau(Spread::between(&duels(3, 40, 0.001, 0.0005)));
        assert!(few > 0.007 && few < 0.010, "{few}");
        assert!(many < 0.003, "{many}");
    }

    #[test]
    fn one_real_change_among_few_earlier_duels_does_not_blind_the_gate() {
        let slower = Earlier { effect: 0.26, error: Some(1e-8) };
        assert!(tau(Spread::between(&[slower])) < 0.013);
        let quiet = Earlier { effect: 0.001, error: Some(1e-8) };
        assert!(tau(Spread::between(&[slower, slower, quiet])) < 0.017);
    }

    #[test]
    fn builds_are_never_taken_to_be_all_alike() {
        assert!(tau(Spread::between(&duels(3, 30, 0.0, 0.01))) > 0.001);
    }

    #[test]
    fn a_measurement_noisier_than_all_earlier_ones_counts_with_its_own_error() {
        let whole = Spread::Total(Variance { value: 1e-4, df: 20.0 });
        assert_eq!(whole.with(Variance { value: 4e-4, df: 9.0 }), Variance { value: 4e-4, df: 20.0 });
        assert_eq!(whole.with(Variance { value: 1e-6, df: 9.0 }), Variance { value: 1e-4, df: 20.0 });
    }

    #[test]
    fn nothing_is_added_where_nothing_is_to_be_added() {
        let own = Variance { value: 1e-6, df: 7.0 };
        assert_eq!(Spread::None.with(own), own);
        assert_eq!(Spread::Between { variance: 0.0, doubt: 0.0 }.with(own), own);
    }
}
