//! What a duel says of one series: the effect, and how far its lives agree on it.

use crate::domain::Life;
use crate::stats::looks::Sides;
use crate::stats::places::Three;
use crate::stats::robust::{self, Mean, Variance};
use crate::stats::{shrink, student};

/// An effect with the variance of its own error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The logarithm of head/base.
    pub effect: f64,
    /// The variance of the effect, from how lives disagree.
    pub error: Variance,
}

/// What the lives of one series say.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The effect, one number a life.
    pub effects: Vec<f64>,
    /// Base against base, one number a life or fewer.
    pub control: Vec<f64>,
    /// Head, base and base once more, where each life has all three.
    pub threes: Option<Vec<Three>>,
}

impl Evidence {
    /// Of lives of head against base, and of base against itself. Where each life has the control beside it, round by
    /// round, base is the mean of both of its sides: that halves what one base's luck adds to a life.
    #[must_use]
    pub fn of(lives: &[Life], null: &[Life]) -> Evidence {
        let are_beside = lives.len() == null.len() && !lives.is_empty();
        let threes = are_beside.then(|| lives.iter().zip(null).map(|(head, null)| levels(head, null)).collect());
        match threes.flatten() {
            Some(threes) => Evidence::of_levels(threes),
            None => Evidence { effects: medians(lives), control: medians(null), threes: None },
        }
    }

    /// Of the levels of head, base and base once more, life by life.
    pub(super) fn of_levels(threes: Vec<Three>) -> Evidence {
        Evidence {
            effects: threes.iter().map(|[head, base, null]| head - f64::midpoint(*base, *null)).collect(),
            control: threes.iter().map(|[_, base, null]| null - base).collect(),
            threes: Some(threes),
        }
    }

    /// What the first so many lives say together, with their variance drawn towards the `usual` one of kindred series.
    /// None of one life.
    #[must_use]
    pub fn estimate(&self, lives: usize, usual: Option<Variance>) -> Option<Estimate> {
        let mean = self.mean(lives)?;
        Some(estimate(mean, lives, shrink::towards(of_one(mean, lives), usual)))
    }

    /// How much lives vary: the variance of one life around the others, for the kin of later duels. None of one life.
    #[must_use]
    pub fn variance_of_lives(&self) -> Option<Variance> {
        let lives = self.effects.len();
        self.mean(lives).map(|mean| of_one(mean, lives))
    }

    /// Head against each of the other two, where there are two: how fast a life is has a long tail, and the middle of head
    /// over the mean of two would lean.
    fn mean(&self, lives: usize) -> Option<Mean> {
        match &self.threes {
            Some(threes) => {
                let apart = |[head, base, null]: &Three| [head - base, head - null];
                robust::unspoiled_mean_of(&threes[..lives].iter().map(apart).collect::<Vec<_>>())
            }
            None => robust::unspoiled_mean(&self.effects[..lives]),
        }
    }

    /// How many sides a life compares.
    #[must_use]
    pub fn sides(&self) -> Sides {
        if self.threes.is_some() { Sides::Three } else { Sides::Two }
    }

    /// The chances of such lives, for the first so many.
    pub(super) fn first(&self, lives: usize) -> Signs<'_> {
        match &self.threes {
            Some(threes) => Signs::Places(&threes[..lives]),
            None => Signs::Signs(&self.effects[..lives]),
        }
    }
}

/// What is asked of lives one by one, whatever the noise is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Signs<'a> {
    /// The signs of the effects.
    Signs(&'a [f64]),
    /// The places of head among the three.
    Places(&'a [Three]),
}

/// The levels of head, base and the control in one life, from the logarithms of head and control over base, round by
/// round; none if they are not of the same rounds. Each two are compared by the median of their differences, and the
/// levels are what fits the three comparisons best; so none of the three is treated differently, and the levels are
/// exchangeable if the sides are.
#[must_use]
pub fn levels(head: &Life, null: &Life) -> Option<Three> {
    let (head, null) = (head.values(), null.values());
    let apart: Vec<f64> = head.iter().zip(null).map(|(head, null)| head - null).collect();
    if head.len() != null.len() {
        return None;
    }
    let (over_base, null_over_base, over_null) =
        (robust::median(head)?, robust::median(null)?, robust::median(&apart)?);
    Some([(over_base + over_null) / 3.0, (-over_base - null_over_base) / 3.0, (null_over_base - over_null) / 3.0])
}

/// One number a life: the median of its pairs, so that a neighbour's burst, which hits single slices, does not count.
#[must_use]
pub fn medians(lives: &[Life]) -> Vec<f64> {
    lives.iter().filter_map(|life| robust::median(life.values())).collect()
}

/// The effect over lives, with their variance drawn towards the `usual` one of kindred series. None of one life.
#[must_use]
pub fn over_lives(medians: &[f64], usual: Option<Variance>) -> Option<Estimate> {
    let mean = robust::unspoiled_mean(medians)?;
    Some(estimate(mean, medians.len(), shrink::towards(of_one(mean, medians.len()), usual)))
}

/// The variance of one life around the others.
fn of_one(mean: Mean, lives: usize) -> Variance {
    Variance { value: mean.variance * lives as f64, df: mean.df }
}

fn estimate(mean: Mean, lives: usize, of_life: Variance) -> Estimate {
    Estimate { effect: mean.center, error: Variance { value: of_life.value / lives as f64, df: of_life.df } }
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
    fn no_side_of_a_life_is_treated_differently() {
        let sides = [[1.0, 1.4, 0.7, 9.0], [1.1, 1.2, 0.9, 1.0], [0.9, 1.3, 0.6, 1.5]];
        let over = |one: usize, base: usize| -> Life {
            Life::new(sides[one].iter().zip(sides[base]).map(|(one, base)| one - base).collect()).unwrap()
        };
        let expected = levels(&over(0, 1), &over(2, 1)).unwrap();
        for [head, base, null] in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let levels = levels(&over(head, base), &over(null, base)).unwrap();
            for (level, side) in levels.into_iter().zip([head, base, null]) {
                assert!((level - expected[side]).abs() < 1e-12, "{head} {base} {null}");
            }
        }
        assert!(expected.iter().sum::<f64>().abs() < 1e-12);
    }

    #[test]
    fn the_control_joins_base_where_it_stands_beside_each_life() {
        let life = |values: &[f64]| Life::new(values.to_vec()).unwrap();
        let (head, null) = ([life(&[0.02, 0.04]), life(&[0.03])], [life(&[0.01, 0.01]), life(&[-0.01])]);
        let evidence = Evidence::of(&head, &null);
        assert_eq!(evidence.sides(), Sides::Three);
        for (effect, expected) in evidence.effects.iter().zip([0.025, 0.035]) {
            assert!((effect - expected).abs() < 1e-12, "{evidence:?}");
        }
        let apart = [Evidence::of(&head, &null[..1]), Evidence::of(&head, &[life(&[0.01]), life(&[0.0])])];
        for evidence in apart {
            assert_eq!((evidence.sides(), evidence.effects), (Sides::Two, vec![0.03, 0.03]));
        }
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
