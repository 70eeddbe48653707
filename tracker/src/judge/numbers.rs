//! The judgement over numbers that somebody has: base's, head's, and what is known from before.
//!
//! There are no lives here. Interleaved values are paired in their order, and a pair counts as a life; values taken in
//! blocks are compared as two samples. What those cannot show (the machine's drift between blocks, the luck of builds)
//! comes from earlier comparisons of the same benchmark, which hold all of it; while there are few of them, from the
//! main branch's history, whose neighbours differ by another build on another day.

use crate::domain::{Call, Direction, Effect, FalseReds, Limit, Verdict};
use crate::stats::looks::{Look, Looks, Sides};
use crate::stats::robust::{Mean, Variance, trimmed_mean, variance_about_zero};
use crate::stats::student::combined_df;

use super::builds::{ENOUGH, Earlier, PRIOR_SD, Spread};
use super::estimate::{Estimate, Signs};
use super::rule::{Case, DOUBT, decide};

/// A shorter history tells nothing.
const LEAST_HISTORY: usize = 8;
/// Two neighbouring differences of a history share a point, so they count for half.
const WORTH_OF_NEIGHBOURS: f64 = 0.5;

/// Why numbers cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NumbersError {
    /// A side has no values.
    #[error("{0} has no values")]
    Empty(&'static str),
    /// A value has no logarithm.
    #[error("value {at} of {list} is {value}; a ratio needs positive, finite numbers")]
    NotPositive {
        /// The list.
        list: &'static str,
        /// Its place, counted from 1.
        at: usize,
        /// What it is.
        value: f64,
    },
    /// An earlier effect is no number.
    #[error("value {at} of past is {value}; it must be a finite logarithm of head/base")]
    NotFinite {
        /// Its place, counted from 1.
        at: usize,
        /// What it is.
        value: f64,
    },
    /// Values that are said to be paired are not.
    #[error("interleaved values come in pairs, but base has {base} and head has {head}")]
    Unpaired {
        /// How many values base has.
        base: usize,
        /// How many values head has.
        head: usize,
    },
}

/// Numbers that can be judged: positive, finite, paired if they say so. Kept as logarithms.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    history: Vec<f64>,
    base: Vec<f64>,
    head: Vec<f64>,
    interleaved: bool,
    past: Vec<Earlier>,
}

/// The lists as they were given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lists {
    /// Earlier values of the main branch, oldest first.
    pub history: Vec<f64>,
    /// Base's values, in the order of measuring.
    pub base: Vec<f64>,
    /// Head's values, in the order of measuring.
    pub head: Vec<f64>,
    /// Whether base and head took turns.
    pub interleaved: bool,
    /// The logarithms of head/base of earlier comparisons of this benchmark.
    pub past: Vec<f64>,
}

impl Numbers {
    /// Takes lists that make sense.
    pub fn new(lists: &Lists) -> Result<Numbers, NumbersError> {
        for (list, values) in [("base", &lists.base), ("head", &lists.head)] {
            if values.is_empty() {
                return Err(NumbersError::Empty(list));
            }
        }
        let (base, head) = (lists.base.len(), lists.head.len());
        if lists.interleaved && base != head {
            return Err(NumbersError::Unpaired { base, head });
        }
        if let Some(at) = lists.past.iter().position(|value| !value.is_finite()) {
            return Err(NumbersError::NotFinite { at: at + 1, value: lists.past[at] });
        }
        Ok(Numbers {
            history: logarithms("history", &lists.history)?,
            base: logarithms("base", &lists.base)?,
            head: logarithms("head", &lists.head)?,
            interleaved: lists.interleaved,
            past: lists.past.iter().map(|&effect| Earlier { effect, error: None }).collect(),
        })
    }

    fn pairs(&self) -> Vec<f64> {
        self.base.iter().zip(&self.head).map(|(base, head)| head - base).collect()
    }

    fn estimate(&self) -> Estimate {
        if self.interleaved {
            let Mean { center, variance, df } = mean(&self.pairs());
            return Estimate { effect: center, error: Variance { value: variance, df } };
        }
        let (base, head) = (mean(&self.base), mean(&self.head));
        let value = base.variance + head.variance;
        let df = if value > 0.0 { combined_df(&[(base.variance, base.df), (head.variance, head.df)]) } else { 0.0 };
        Estimate { effect: head.center - base.center, error: Variance { value, df } }
    }

    fn spread(&self, own: Variance) -> Spread {
        let neighbours: Vec<f64> = self.history.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let history = (self.history.len() >= LEAST_HISTORY)
            .then(|| variance_about_zero(&neighbours))
            .flatten()
            .map(|seen| Variance { value: seen.value, df: seen.df * WORTH_OF_NEIGHBOURS });
        match history {
            Some(history) => Spread::total(&self.past, history),
            None if self.past.is_empty() => Spread::assumed(),
            None => {
                let df = Spread::assumed().with(own).df;
                Spread::total(&self.past, Variance { value: PRIOR_SD * PRIOR_SD + own.value, df })
            }
        }
    }
}

fn logarithms(list: &'static str, values: &[f64]) -> Result<Vec<f64>, NumbersError> {
    let log = |(at, &value): (usize, &f64)| {
        let fine = value.is_finite() && value > 0.0;
        if fine { Ok(value.ln()) } else { Err(NumbersError::NotPositive { list, at: at + 1, value }) }
    };
    values.iter().enumerate().map(log).collect()
}

/// The trimmed mean; of a single value that value, with nothing known of its error.
fn mean(values: &[f64]) -> Mean {
    trimmed_mean(values).unwrap_or(Mean { center: values.first().copied().unwrap_or(0.0), variance: 0.0, df: 0.0 })
}

/// What is wanted of the judgement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// How much worse head may be.
    pub limit: Limit,
    /// How often this may be red although nothing got slower.
    pub false_reds: FalseReds,
    /// Which way is good.
    pub better: Direction,
}

/// Says whether head is worse than base.
#[must_use]
pub fn judge(numbers: &Numbers, wanted: &Wanted) -> Verdict {
    let estimate = numbers.estimate();
    let spread = numbers.spread(estimate.error);
    let count = numbers.base.len().min(numbers.head.len());
    let looks = Looks::new(DOUBT, wanted.false_reds.probability(), Sides::Two);
    if estimate.error.df <= 0.0 && !matches!(spread, Spread::Total(_)) {
        let effect = Effect::from_log(estimate.effect);
        let call = Call::Inconclusive;
        return Verdict { call, effect, interval: None, limit: wanted.limit, detectable: None, grounds: None };
    }
    // Enough earlier comparisons show what noise can do to the whole effect; before that, the signs of the pairs must
    // bear witness too.
    let pairs = numbers.pairs();
    let ask_signs = numbers.interleaved && numbers.past.len() < ENOUGH;
    let look = looks.only(count);
    let look = if ask_signs { look } else { Look { finding: Some(wanted.false_reds.probability()), ..look } };
    decide(&Case {
        estimate,
        signs: ask_signs.then_some(Signs::Signs(&pairs)),
        pairs: count,
        spread,
        lessons: numbers.past.len(),
        bias: 0.0,
        looks,
        look,
        limit: wanted.limit,
        better: wanted.better,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted { limit: Limit::percent(1.0).unwrap(), false_reds: FalseReds::default(), better: Direction::Lower }
    }

    fn lists(ratio: f64) -> Lists {
        let base: Vec<f64> = (0..12).map(|i| 100.0 + f64::from(i % 5) * 0.2).collect();
        let head = base.iter().enumerate().map(|(i, x)| x * ratio * (1.0 + 0.0002 * (i % 3) as f64)).collect();
        Lists { base, head, interleaved: true, ..Lists::default() }
    }

    fn call(lists: &Lists) -> Call {
        judge(&Numbers::new(lists).unwrap(), &wanted()).call
    }

    #[test]
    fn a_clear_slowdown_is_regressed_and_a_clear_speedup_improved_whichever_way_is_good() {
        assert_eq!(call(&lists(1.1)), Call::Regressed);
        assert_eq!(call(&lists(0.9)), Call::Improved);
        assert_eq!(call(&lists(1.0)), Call::Unchanged);
        let throughput = Wanted { better: Direction::Higher, ..wanted() };
        assert_eq!(judge(&Numbers::new(&lists(0.9)).unwrap(), &throughput).call, Call::Regressed);
    }

    #[test]
    fn a_small_difference_that_two_builds_may_have_by_luck_is_not_red() {
        assert_eq!(call(&lists(1.02)), Call::Inconclusive);
        let past = [0.0005, -0.001, 0.0008, -0.0002, 0.0004].repeat(5);
        assert_eq!(call(&Lists { past, ..lists(1.02) }), Call::Regressed);
    }

    #[test]
    fn one_pair_says_nothing_unless_earlier_comparisons_tell_what_noise_does() {
        let one = Lists { base: vec![100.0], head: vec![110.0], interleaved: true, ..Lists::default() };
        assert_eq!(call(&one), Call::Inconclusive);
        let past = [0.005, -0.01, 0.008, -0.002, 0.004].repeat(5);
        assert_eq!(call(&Lists { past, ..one }), Call::Regressed);
    }

    #[test]
    fn an_unsteady_history_makes_a_comparison_without_a_past_careful() {
        let blocks = |history| call(&Lists { history, interleaved: false, ..lists(1.1) });
        assert_eq!(blocks((0..20).map(|i| 100.0 + f64::from(i % 3) * 0.3).collect()), Call::Regressed);
        assert_eq!(blocks((0..20).map(|i| 100.0 + f64::from(i % 3) * 8.0).collect()), Call::Inconclusive);
    }

    #[test]
    fn numbers_that_never_move_are_judged_without_a_division_by_zero() {
        let same = Lists { base: vec![5.0; 12], head: vec![5.0; 12], interleaved: true, ..Lists::default() };
        assert_eq!(call(&same), Call::Unchanged);
        let blocks = Lists { interleaved: false, past: vec![0.0; 30], ..same.clone() };
        assert_eq!(call(&blocks), Call::Unchanged);
        let moved = Lists { head: vec![5.5; 12], ..blocks };
        assert_eq!(call(&moved), Call::Regressed);
    }

    #[test]
    fn numbers_without_a_ratio_are_refused_with_their_place() {
        let refused = |lists: Lists| Numbers::new(&lists).unwrap_err().to_string();
        assert_eq!(refused(Lists::default()), "base has no values");
        let zero = Lists { head: vec![1.0, 0.0], base: vec![1.0, 2.0], ..Lists::default() };
        assert_eq!(refused(zero), "value 2 of head is 0; a ratio needs positive, finite numbers");
        let odd = Lists { head: vec![1.0], base: vec![1.0, 2.0], interleaved: true, ..Lists::default() };
        assert_eq!(refused(odd), "interleaved values come in pairs, but base has 2 and head has 1");
        let nan = Lists { head: vec![1.0], base: vec![1.0], past: vec![f64::NAN], ..Lists::default() };
        assert_eq!(refused(nan), "value 1 of past is NaN; it must be a finite logarithm of head/base");
    }
}
