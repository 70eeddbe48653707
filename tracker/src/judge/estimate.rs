//! What a duel says of one series: the effect, and how far its lives agree on it.

use crate::domain::Life;
use crate::stats::robust::{self, Variance};
use crate::stats::{shrink, student};

/// An effect with the variance of its own error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The logarithm of head/base.
    pub effect: f64,
    /// The variance of the effect, from how lives disagree.
    pub error: Variance,
}

/// One number a life: the median of its pairs, so that a neighbour's burst, which hits single slices, does not count.
#[must_use]
pub fn medians(lives: &[Life]) -> Vec<f64> {
    lives.iter().filter_map(|life| robust::median(life.values())).collect()
}

/// How much lives vary: the variance of one life around the others, for the kin of later duels. None of one life.
#[must_use]
pub fn variance_of_lives(medians: &[f64]) -> Option<Variance> {
    let mean = robust::trimmed_mean(medians)?;
    Some(Variance { value: mean.variance * medians.len() as f64, df: mean.df })
}

/// The effect over lives, with their variance drawn towards the `usual` one of kindred series. None of one life.
#[must_use]
pub fn over_lives(medians: &[f64], usual: Option<Variance>) -> Option<Estimate> {
    let effect = robust::trimmed_mean(medians)?.center;
    let of_life = shrink::towards(variance_of_lives(medians)?, usual);
    let error = Variance { value: of_life.value / medians.len() as f64, df: of_life.df };
    Some(Estimate { effect, error })
}

/// The level at which the null control must contradict "no bias" before it is believed, both sides.
const BIAS_LEVEL: f64 = 0.05;

/// What the null control says: the mean of base against base, and how far its 95 % interval reaches on either side. None
/// of one life.
#[must_use]
pub fn null_control(null_medians: &[f64]) -> Option<(f64, f64)> {
    let Estimate { effect, error } = over_lives(null_medians, None)?;
    Some((effect, student::quantile(BIAS_LEVEL / 2.0, error.df) * error.value.sqrt()))
}

/// The bias that the null control proves: how far its 95 % interval stays away from zero. Zero where it does not.
#[must_use]
pub fn proven_bias(null_medians: &[f64]) -> f64 {
    null_control(null_medians).map_or(0.0, |(effect, reach)| (effect.abs() - reach).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_that_hits_some_pairs_of_each_life_does_not_move_the_effect() {
        let life = |level: f64| Life::new(vec![level, level + 0.001, level - 0.001, 3.0, level]).unwrap();
        let lives: Vec<Life> = [0.010, 0.011, 0.009, 0.010].map(life).into();
        let estimate = over_lives(&medians(&lives), None).unwrap();
        assert!((estimate.effect - 0.010).abs() < 1e-12);
        assert!((estimate.error.value.sqrt() - 0.000_408).abs() < 1e-6);
        assert!((estimate.error.df - 3.0).abs() < 1e-12);
    }

    #[test]
    fn one_life_is_no_evidence() {
        assert_eq!(over_lives(&[0.1], None), None);
    }

    #[test]
    fn a_few_lives_borrow_certainty_from_their_kin() {
        let usual = Variance { value: 1e-6, df: 3.0 };
        let estimate = over_lives(&[0.010, 0.012, 0.008, 0.010], Some(usual)).unwrap();
        assert!((estimate.error.df - 6.0).abs() < 1e-12);
        assert!(estimate.error.value < over_lives(&[0.010, 0.012, 0.008, 0.010], None).unwrap().error.value);
    }

    #[test]
    fn only_a_null_control_that_is_sure_of_itself_proves_a_bias() {
        assert!(proven_bias(&[0.01, -0.02, 0.015, -0.004, 0.02]) <= 0.0);
        assert!(proven_bias(&[]) <= 0.0);
        let bias = proven_bias(&[0.010, 0.011, 0.009, 0.010, 0.0105]);
        assert!(bias > 0.008 && bias < 0.010, "{bias}");
    }
}
