//! Is this new point in line with the level of its series?
//!
//! A point is *suspect* if it lies outside the range in which the next point of a steady series would lie. How often that
//! may happen by chance is chosen so that a run of many series raises a few tenths of a suspicion: one is cheap, for it
//! only makes the tracker measure again. It is *blind* if points of its series scatter so much that a change of the size
//! that counts would not raise a suspicion nine times of ten: then another look is the only one. A level has *moved* if the
//! detector, at its online setting, knows it with this point and did not before.

use crate::domain::{Size, Standing};
use crate::stats::changes::{self, Follower, Settings, Values};
use crate::stats::{robust, student};

/// So many suspicions may chance raise in a run, over all its series.
const SUSPICIONS: f64 = 0.3;

/// The least and the greatest probability by which a steady series is suspected.
const LEVELS: (f64, f64) = (0.002, 0.1);

/// With fewer points before it nothing is said of a point.
const FEWEST: usize = 3;

/// With fewer points before it, it is not known how much they scatter.
const SCATTERING: usize = 10;

/// Beyond what raises a suspicion, the errors by which a point lies farther nine times of ten: a change shows in one point if
/// it raises a suspicion so often.
const SHOWS: f64 = 1.28;

/// How a point stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The word.
    pub standing: Standing,
    /// The level that it was compared with.
    pub level: Option<f64>,
    /// How far it lies from the level.
    pub size: Option<Size>,
    /// Of a level that moved, the first point of the new one.
    pub since: Option<usize>,
}

/// The probability by which each of so many series may be suspected though it is steady.
#[must_use]
pub fn doubt(series: usize) -> f64 {
    (SUSPICIONS / series.max(1) as f64).clamp(LEVELS.0, LEVELS.1)
}

/// Judges a point by those that came before it; `size` is the change that counts, as a logarithm.
#[must_use]
pub fn judge(before: &Values, point: f64, doubt: f64, size: f64) -> Judged {
    let young = Judged { standing: Standing::Young, level: None, size: None, since: None };
    let Some(reach) = Reach::of(before, point).filter(|_| before.as_slice().len() >= FEWEST && point.is_finite())
    else {
        return young;
    };
    let moved = Follower::after(before, Settings::online()).push(point);
    let standing = if !moved.is_empty() {
        Standing::Moved
    } else if reach.is_beyond(point, doubt) {
        Standing::Suspect
    } else if before.as_slice().len() >= SCATTERING && reach.is_blind(size, doubt) {
        Standing::Blind
    } else {
        Standing::InLine
    };
    let since = moved.last().map(|step| step.at);
    Judged { standing, level: Some(reach.value(reach.level)), size: Some(reach.size(point)), since }
}

/// Where the next point of a steady series would lie.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// Whether the numbers here are logarithms.
    logs: bool,
    level: f64,
    /// The standard deviation of the next point about the level.
    error: f64,
    /// The degrees of freedom of that.
    df: f64,
}

impl Reach {
    fn of(before: &Values, point: f64) -> Option<Reach> {
        let values = before.as_slice();
        let logs = point > 0.0 && values.iter().all(|value| *value > 0.0);
        let scaled = |value: f64| if logs { value.ln() } else { value };
        let segments = changes::detect(before, &Settings::history()).segments;
        let last = segments.last()?;
        let of = |from: usize, to: usize| values[from..to].iter().map(|value| scaled(*value)).collect::<Vec<f64>>();
        let mut residuals = Vec::with_capacity(values.len());
        for segment in &segments {
            let part = of(segment.from, segment.to);
            let middle = robust::median(&part)?;
            residuals.extend(part.iter().map(|value| (value - middle).abs()));
        }
        let df = residuals.len().checked_sub(segments.len()).filter(|df| *df > 0)? as f64;
        let level = robust::median(&of(last.from, last.to))?;
        // The median distance does not see a tenth of wild points; where most points are equal it sees nothing, and the mean
        // square has to do.
        let robust = 1.4826 * robust::median(&residuals)?;
        let plain = (residuals.iter().map(|distance| distance * distance).sum::<f64>() / df).sqrt();
        let few = (df + 1.0) / df;
        let noise = if robust > 0.0 { few * robust } else { plain };
        let error = noise * (1.0 + 1.0 / (last.to - last.from) as f64).sqrt();
        Some(Reach { logs, level, error, df })
    }

    fn scaled(&self, value: f64) -> f64 {
        if self.logs { value.ln() } else { value }
    }

    fn value(&self, scaled: f64) -> f64 {
        if self.logs { scaled.exp() } else { scaled }
    }

    fn is_beyond(&self, point: f64, doubt: f64) -> bool {
        (self.scaled(point) - self.level).abs() > self.errors(doubt) * self.error
    }

    /// How many errors from the level a point is suspect.
    fn errors(&self, doubt: f64) -> f64 {
        student::quantile(doubt / 2.0, self.df)
    }

    /// Of values at or below zero there is no relative change.
    fn is_blind(&self, size: f64, doubt: f64) -> bool {
        self.logs && (self.errors(doubt) + SHOWS) * self.error > size
    }

    fn size(&self, point: f64) -> Size {
        let moved = self.scaled(point) - self.level;
        let side = student::quantile(0.025, self.df) * self.error;
        if self.logs {
            Size::Relative { value: moved.exp_m1(), low: (moved - side).exp_m1(), high: (moved + side).exp_m1() }
        } else {
            Size::Absolute { value: moved, low: moved - side, high: moved + side }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::{Noise, soak};

    fn values(values: impl IntoIterator<Item = f64>) -> Values {
        Values::new(values.into_iter().collect()).unwrap()
    }

    fn standing(before: &[f64], point: f64) -> Standing {
        judge(&values(before.iter().copied()), point, 0.01, 1.0).standing
    }

    #[test]
    fn a_point_of_a_series_that_scatters_by_more_than_the_change_that_counts_is_blind() {
        let mut noise = Noise::seeded(63);
        let mut series = |scatter: f64, count: usize| -> Vec<f64> {
            (0..count).map(|_| 100.0 * (scatter * noise.normal()).exp()).collect()
        };
        let standing = |before: &[f64]| judge(&values(before.iter().copied()), 100.0, 0.01, 0.01).standing;
        assert_eq!(standing(&series(0.02, 40)), Standing::Blind);
        assert_eq!(standing(&series(0.004, 40)), Standing::Blind, "one of ten would look in line");
        assert_eq!(standing(&series(0.0015, 40)), Standing::InLine);
        assert_eq!(standing(&series(0.02, 9)), Standing::InLine, "who knows");
        assert_eq!(standing(&[0.0; 40]), Standing::Suspect);
    }

    #[test]
    fn of_a_series_of_two_points_nothing_is_said() {
        for before in [&[][..], &[100.0], &[100.0, 101.0]] {
            assert_eq!(standing(before, 500.0), Standing::Young);
        }
        assert_eq!(standing(&[100.0, 101.0, 99.0], 500.0), Standing::Suspect);
        assert_eq!(standing(&[100.0, 101.0, 99.0], f64::NAN), Standing::Young);
    }

    #[test]
    fn where_all_points_are_equal_any_other_is_suspect() {
        assert_eq!(standing(&[17.0; 20], 17.0), Standing::InLine);
        assert_eq!(standing(&[17.0; 20], 18.0), Standing::Suspect);
        assert_eq!(standing(&[0.0; 20], -1.0), Standing::Suspect);
    }

    #[test]
    fn a_point_is_compared_with_the_level_of_today() {
        let before: Vec<f64> = (0..40).map(|at| if at < 20 { 100.0 } else { 120.0 } + f64::from(at * 7 % 5)).collect();
        assert_eq!(standing(&before, 121.0), Standing::InLine);
        assert_eq!(standing(&before, 101.0), Standing::Suspect);
        let judged = judge(&values(before), 132.0, 0.01, 1.0);
        assert!(judged.level.is_some_and(|level| (level - 122.0).abs() < 1.0));
        let Some(Size::Relative { value, low, high }) = judged.size else { panic!("{judged:?}") };
        assert!(low < value && value < high && (value - 0.082).abs() < 0.01);
    }

    #[test]
    fn one_wild_point_of_the_past_hides_nothing() {
        let mut before: Vec<f64> = (0..30).map(|at| 100.0 + f64::from(at * 7 % 5) * 0.1).collect();
        before[12] = 900.0;
        assert_eq!(standing(&before, 103.0), Standing::Suspect);
    }

    #[test]
    fn a_level_that_moved_is_known_by_its_fifth_or_sixth_point_with_its_place() {
        let mut noise = Noise::seeded(61);
        let mut before: Vec<f64> = (0..60).map(|_| 100.0 * (0.01 * noise.normal()).exp()).collect();
        let mut told = Vec::new();
        for at in 60..70 {
            let point = 105.0 * (0.01 * noise.normal()).exp();
            let judged = judge(&values(before.clone()), point, 0.01, 1.0);
            if judged.standing == Standing::Moved {
                told.push((at, judged.since));
            }
            before.push(point);
        }
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].0 <= 66 && told[0].1.is_some_and(|at| at.abs_diff(60) <= 1), "{told:?}");
    }

    #[test]
    fn a_steady_series_is_suspected_about_as_seldom_as_promised_and_three_noises_are_seen() {
        let (mut noise, trials) = (Noise::seeded(62), 300 * soak());
        for (length, doubt, most, power) in [(12, 0.1, 0.16, 0.75), (60, 0.1, 0.13, 0.85), (60, 0.01, 0.025, 0.5)] {
            let (mut suspected, mut seen) = (0, 0);
            for _ in 0..trials {
                let mut draw = |factor: f64| 100.0 * factor * (0.01 * noise.normal()).exp();
                let before = values((0..length).map(|_| draw(1.0)));
                suspected += usize::from(judge(&before, draw(1.0), doubt, 1.0).standing == Standing::Suspect);
                seen += usize::from(judge(&before, draw(1.03), doubt, 1.0).standing == Standing::Suspect);
            }
            let share = |count: usize| count as f64 / trials as f64;
            assert!(share(suspected) < most && share(seen) > power, "{length} {doubt}: {suspected} {seen} of {trials}");
        }
    }

    #[test]
    fn many_series_share_the_suspicions_of_a_run() {
        for (series, expected) in [(0, 0.1), (1, 0.1), (3, 0.1), (30, 0.01), (1_000_000, 0.002)] {
            assert!((doubt(series) - expected).abs() < 1e-12, "{series}");
        }
    }
}
