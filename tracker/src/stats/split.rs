//! How many readings a life should have, by how much they vary and what they cost.
//!
//! With a variance *b* between lives and *w* within one, *L* lives of *n* readings give the mean of their medians a
//! variance of (*b* + *c·w/n*)/*L* (*c* = π/2, the price of a median) and cost *L*(*V* + *n·S*), where *S* is what a
//! reading costs and *V* what a life does beside its readings. The best *n* is √(*V/S · c·w/b*), whatever *L* is (Kalibera
//! and Jones 2013, "Rigorous benchmarking in reasonable time", section 6).

use std::f64::consts::FRAC_PI_2;

use super::robust::{median, variance_about_zero};

/// From a median absolute deviation to the standard deviation of a normal.
const NORMAL_MAD: f64 = 1.4826;

/// The best number of readings of a life that costs `beside` times a reading beside its readings. With few lives the
/// variance between them is hardly known, so it is taken for at least the share `least` of the variance of a reading: else
/// one life of many readings would seem enough. None where there are fewer than two lives, or nothing varies.
#[must_use]
pub fn best_readings(lives: &[Vec<f64>], beside: f64, least: f64) -> Option<f64> {
    let medians: Vec<f64> = lives.iter().filter_map(|life| median(life)).collect();
    if medians.len() < 2 {
        return None;
    }
    let own = lives.iter().filter(|life| !life.is_empty()).zip(&medians);
    let deviations: Vec<f64> =
        own.flat_map(|(life, median)| life.iter().map(move |value| (value - median).abs())).collect();
    let of_reading = (NORMAL_MAD * median(&deviations)?).powi(2);
    let readings = deviations.len() as f64 / medians.len() as f64;
    let within = of_reading * FRAC_PI_2;
    let between = (between_lives(&medians) - within / readings).max(least * of_reading);
    (between > 0.0).then(|| (beside * within / between).sqrt())
}

/// Lives from which on one that was disturbed is told from the others.
const ENOUGH_LIVES: usize = 5;

/// The variance between lives. One disturbed life in ten must not make all others short, which disturbs more of them.
fn between_lives(medians: &[f64]) -> f64 {
    if medians.len() < ENOUGH_LIVES {
        return variance(medians);
    }
    let middle = median(medians).unwrap_or(0.0);
    let deviations: Vec<f64> = medians.iter().map(|value| value - middle).collect();
    variance_about_zero(&deviations).map_or(0.0, |found| found.value)
}

/// The variance of a sample; zero where there is none.
#[must_use]
pub fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    if n < 2.0 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;

    fn lives(between: f64, within: f64) -> Vec<Vec<f64>> {
        let mut noise = Noise::seeded(5);
        (0..40)
            .map(|_| {
                let level = between * noise.normal();
                (0..30).map(|_| level + within * noise.normal()).collect()
            })
            .collect()
    }

    #[test]
    fn lives_that_disagree_are_short_and_noisy_readings_make_them_long() {
        // √(16 · π/2 · w/b)
        let best = |between, within| best_readings(&lives(between, within), 16.0, 0.01).unwrap();
        assert!((best(1.0, 1.0) - 5.0).abs() < 1.5, "{}", best(1.0, 1.0));
        assert!((best(1.0, 4.0) - 20.0).abs() < 6.0, "{}", best(1.0, 4.0));
        // Nothing between them is to be seen: the least is taken.
        assert!((best(0.0, 1.0) - 50.0).abs() < 20.0, "{}", best(0.0, 1.0));
    }

    #[test]
    fn a_disturbed_life_does_not_make_the_others_short() {
        let quiet = lives(0.0, 1.0);
        let mut disturbed = quiet.clone();
        disturbed[0] = disturbed[0].iter().map(|value| value + 100.0).collect();
        let [quiet, disturbed] = [quiet, disturbed].map(|lives| best_readings(&lives, 16.0, 0.01).unwrap());
        assert!(disturbed > 0.6 * quiet, "{disturbed} beside {quiet}");
    }

    #[test]
    fn where_nothing_is_known_nothing_is_said() {
        assert_eq!(best_readings(&[vec![1.0, 2.0]], 16.0, 0.1), None);
        assert_eq!(best_readings(&[vec![1.0, 1.0], vec![1.0, 1.0]], 16.0, 0.1), None);
    }
}
