//! What the points of a series say of a move that something else saw.

use crate::domain::SeriesTrend;
use crate::stats::robust;

/// Of so many points before a commit and from it on, the middles tell whether the history agrees.
const AROUND: usize = 10;

/// Of so many points at the end of a slow move.
pub const LAST: usize = 5;

/// Two say the same of a move if the one is not surely less than this share of the other; of points that is sure by so many
/// errors.
pub const AGREES: f64 = 0.5;
const ERRORS: f64 = 2.5;

/// The points on both sides of a move.
#[derive(Debug)]
pub struct Sides {
    /// How much points about it scatter, relative to their level; without any noise, nought.
    pub noise: f64,
    /// One for each way to read the points.
    readings: Vec<Reading>,
}

#[derive(Debug)]
struct Reading {
    /// The level before.
    before: f64,
    /// How far it came, as a logarithm, and the error of that; none where the only point since was left out, for a neighbour
    /// may have made it.
    moved: Option<(f64, f64)>,
}

impl Sides {
    /// Before a mark, and from it on. Other changes that the history knows of say nothing of this one; but what it knows
    /// nearby may be the very move, a point too soon or too late. So there are two readings.
    #[must_use]
    pub fn of_a_step(series: &SeriesTrend, at: usize) -> Sides {
        let end = series.marks.len();
        let (from, to) = (at.saturating_sub(AROUND), end.min(at + AROUND));
        let within = |mark: usize| {
            let level = series.trend.levels.iter().find(|level| (level.from..level.to).contains(&mark));
            level.map_or((0, end), |level| (level.from, level.to))
        };
        let known = (from.max(at.checked_sub(1).map_or(0, |before| within(before).0)), to.min(within(at).1));
        Sides::of(series, at, at, &[known, (from, to)])
    }

    /// Before the first mark of a slow move, and at its last ones.
    #[must_use]
    pub fn of_a_slow_move(series: &SeriesTrend, first: usize, last: usize) -> Sides {
        let since = (last + 1).saturating_sub(LAST).max(first);
        Sides::of(series, first, since, &[(first.saturating_sub(AROUND), last + 1)])
    }

    /// Before a mark, and from another on; each reading begins and ends somewhere.
    fn of(series: &SeriesTrend, at: usize, since: usize, all: &[(usize, usize)]) -> Sides {
        let marks = &series.marks;
        let levels = |from: usize, to: usize| marks.get(from..to).into_iter().flatten().map(|mark| mark.level);
        let middle = |from: usize, to: usize| robust::median(&levels(from, to).collect::<Vec<_>>());
        let around: Vec<f64> = levels(at.saturating_sub(AROUND), marks.len().min(since + AROUND)).collect();
        let steps: Vec<f64> = around.windows(2).map(|pair| (pair[1] / pair[0]).ln().abs()).collect();
        let noise = robust::noise_of_steps(&steps).unwrap_or(0.0);
        let reading = |&(from, to): &(usize, usize)| {
            let before = middle(from, at)?;
            // Of medians, which scatter by a quarter more than means.
            let error = || 1.25 * noise * (1.0 / (at - from) as f64 + 1.0 / (to - since) as f64).sqrt();
            Some(Reading { before, moved: middle(since, to).map(|level| ((level / before).ln(), error())) })
        };
        Sides { noise, readings: all.iter().filter_map(reading).collect() }
    }

    /// The level before a move by so much, beside which others moved it meanwhile, both as logarithms, as the nearest reading
    /// has it; none if there is nothing before, or all readings deny the move. Where a level is zero, or one is above and one
    /// below it, there is no ratio, and nothing agrees.
    #[must_use]
    pub fn before(&self, by: f64, meanwhile: f64) -> Option<f64> {
        let off = |reading: &Reading| reading.moved.map_or(0.0, |(moved, _)| (moved - meanwhile - by).abs());
        let agrees = |reading: &&Reading| {
            // Points that went the other way say that it did not move, and no more: they cannot deny what they do not see.
            let far = |moved: f64| if moved * by.signum() < 0.0 { 0.0 } else { moved * by.signum() };
            let is_near = |(moved, error): (f64, f64)| far(moved - meanwhile) >= AGREES * by.abs() - ERRORS * error;
            by.is_finite() && reading.moved.is_none_or(is_near)
        };
        let nearest = self.readings.iter().filter(agrees).min_by(|one, other| off(one).total_cmp(&off(other)));
        nearest.map(|reading| reading.before)
    }
}
