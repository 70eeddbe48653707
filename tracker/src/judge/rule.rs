//! The rule: evidence and limit in, one word out.
//!
//! `regressed` takes three things at once, and `improved` the same the other way:
//!
//! 1. the effect, less the bias that the null control proves, is beyond the limit;
//! 2. it is beyond t·√(se² + τ²) at the level of this look;
//! 3. the lives one by one are that unlikely too: the places of head among head, base and the null control, or, where
//!    that does not stand beside each life, the signs of head against base (Wilcoxon). This one assumes nothing of the
//!    noise but that the sides are exchangeable within a life, which their random order sees to; so where nothing
//!    changed it bounds the false reds by itself, and sets the least number of lives.
//!
//! `unchanged` means that the interval of the difference between these two builds lies within the limits.

use crate::domain::{Call, Direction, Effect, Grounds, Interval, Limit, Verdict};
use crate::stats::looks::{Look, Looks};
use crate::stats::places::{self, Three};
use crate::stats::robust::Variance;
use crate::stats::signed_rank;
use crate::stats::student::quantile;

use super::builds::Spread;
use super::estimate::{Estimate, Signs};

/// The error that all intervals of one series may make together: they are 95 % intervals, however often one looks.
pub const DOUBT: f64 = 0.05;
/// An effect counts as detectable when it would be found nine times in ten.
const MISSED: f64 = 0.1;

/// All that a verdict on one noisy series follows from.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The effect and its own error.
    pub estimate: Estimate,
    /// The lives that the estimate was made of, one by one; none where the spread was learned from whole comparisons,
    /// so that it stands for all that noise can do.
    pub signs: Option<Signs<'a>>,
    /// Pairs in these lives.
    pub pairs: usize,
    /// The error beside its own.
    pub spread: Spread,
    /// Earlier comparisons that taught it.
    pub lessons: usize,
    /// The bias that the null control proves.
    pub bias: f64,
    /// The looks of this series.
    pub looks: Looks,
    /// The look that is taken.
    pub look: Look,
    /// The allowed change.
    pub limit: Limit,
    /// Which way is good.
    pub better: Direction,
}

/// Says the word.
#[must_use]
pub fn decide(case: &Case<'_>) -> Verdict {
    let Case { estimate, look, bias, limit, .. } = *case;
    let own = estimate.error;
    let all = case.spread.with(own);
    let factor = look.finding.map(|level| quantile(level, all.df));
    let moved = estimate.effect.abs() - bias;
    let far = moved > limit.log() && factor.is_some_and(|factor| moved > factor * all.value.sqrt());
    let asked = case.signs.filter(|_| far);
    let chance = asked.map(|signs| one_sided(signs, estimate.effect));
    let found = far && chance.is_none_or(|tail| look.finding.is_some_and(|level| tail <= level));
    let interval = interval(case, all);
    let within = interval.low.log() > -limit.log() && interval.high.log() < limit.log();
    let call = if found {
        word(case.better, estimate.effect)
    } else if within {
        Call::Unchanged
    } else {
        Call::Inconclusive
    };
    let grounds = Grounds {
        lives: look.values,
        pairs: case.pairs,
        se: own.value.sqrt(),
        se_df: own.df,
        tau: case.spread.tau(own),
        lessons: case.lessons,
        df: all.df,
        bias,
        level: look.finding,
        factor,
        signs: chance.filter(|_| matches!(asked, Some(Signs::Signs(_)))),
        places: chance.filter(|_| matches!(asked, Some(Signs::Places(_)))),
        next_look: case.looks.next_after(look.values).map_or(look.values, |next| next.values),
    };
    Verdict {
        call,
        effect: Effect::from_log(estimate.effect),
        interval: Some(interval),
        limit,
        detectable: detectable(case, all).map(Effect::from_log),
        grounds: Some(grounds),
    }
}

fn one_sided(signs: Signs<'_>, effect: f64) -> f64 {
    match signs {
        Signs::Signs(values) => {
            let along: Vec<f64> = values.iter().map(|value| value * effect.signum()).collect();
            signed_rank::upper_tail(&along)
        }
        Signs::Places(lives) => {
            let along: Vec<Three> = lives.iter().map(|life| life.map(|level| level * effect.signum())).collect();
            places::upper_tail(&along)
        }
    }
}

fn word(better: Direction, effect: f64) -> Call {
    match better {
        Direction::Unknown => Call::Inconclusive,
        Direction::Lower if effect > 0.0 => Call::Regressed,
        Direction::Higher if effect < 0.0 => Call::Regressed,
        Direction::Lower | Direction::Higher => Call::Improved,
    }
}

/// Where the difference between these two builds lies. Where only the scatter of whole comparisons is known, it is the
/// error that the comparison's own values do not show.
fn interval(case: &Case<'_>, all: Variance) -> Interval {
    let error = if matches!(case.spread, Spread::Total(_)) { all } else { case.estimate.error };
    let reach = quantile(case.look.doubt / 2.0, error.df) * error.value.sqrt() + case.bias;
    Interval {
        low: Effect::from_log(case.estimate.effect - reach),
        high: Effect::from_log(case.estimate.effect + reach),
        level: 1.0 - DOUBT,
    }
}

/// The smallest effect that is beyond the bar in nine of ten draws, at this look's level or, before there is one, at the
/// first.
fn detectable(case: &Case<'_>, all: Variance) -> Option<f64> {
    let level = case.look.finding.or_else(|| case.looks.first_finding().and_then(|look| look.finding))?;
    let reach = (quantile(level, all.df) + quantile(MISSED, all.df)) * all.value.sqrt() + case.bias;
    reach.is_finite().then_some(reach)
}
