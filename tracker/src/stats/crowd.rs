//! Points that were measured on a crowded processor, by how crowded it was beside others; and which of them a neighbour made.

use super::robust::{median, noise_of_steps};

/// Nobody shares a processor while the wide work of its witness takes no more than so much longer, by the chain, than at its
/// best: then it varies by a percent, and while a neighbour works it takes 1.12 to 1.6 times as long.
pub const ALONE: f64 = 1.06;

/// Points on each side with which one is compared.
const AROUND: usize = 10;

/// With fewer points around it none is told to be crowded, and beside fewer that were measured alone none is told to be
/// raised.
const FEWEST: usize = 4;

/// A point is compared with so many that were measured alone before it and as many after it.
const BESIDE: usize = 3;

/// A point is raised if it lies higher than these by more than so many times the noise of those that were measured alone,
/// and by more than this share.
const NOISES: f64 = 2.5;
const RAISED: f64 = 0.005;

/// How crowded a processor was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowd {
    /// How long the wide work took by the chain.
    pub crowd: f64,
    /// Which build of the witness saw it: who compiled it moves its figure as well.
    pub build: u64,
}

/// Which points were measured on a shared processor, where it is known how crowded it was: those beyond [`ALONE`] times the
/// lower quartile of the points around them that the same witness saw, so that most of these may be crowded too.
#[must_use]
pub fn crowded(points: &[Option<Crowd>]) -> Vec<bool> {
    let is_crowded = |(at, one): (usize, &Option<Crowd>)| {
        let Some(one) = one else { return false };
        let around = &points[at.saturating_sub(AROUND)..points.len().min(at + AROUND + 1)];
        let alike = around.iter().flatten().filter(|other| other.build == one.build && other.crowd.is_finite());
        let mut crowds: Vec<f64> = alike.map(|other| other.crowd).collect();
        crowds.sort_unstable_by(f64::total_cmp);
        crowds.len() > FEWEST && one.crowd > ALONE * crowds[crowds.len() / 4]
    };
    points.iter().enumerate().map(is_crowded).collect()
}

/// Which points a neighbour raised, of those in which he is known to have shared the processor: a neighbour makes a point
/// higher than those beside it that were measured alone, before and after. What he did not touch, or hardly, counts as any
/// other; and where he is always there, nobody knows what it would be without him.
#[must_use]
pub fn raised(values: &[f64], is_shared: &[bool]) -> Vec<bool> {
    let none = vec![false; values.len()];
    let alone: Vec<(usize, f64)> = values
        .iter()
        .enumerate()
        .filter(|(at, value)| !is_shared[*at] && **value > 0.0)
        .map(|(at, value)| (at, value.ln()))
        .collect();
    if alone.len() < FEWEST || alone.len() == values.len() {
        return none;
    }
    let steps: Vec<f64> = alone.windows(2).map(|pair| (pair[1].1 - pair[0].1).abs()).collect();
    let margin = RAISED.max(NOISES * noise_of_steps(&steps).unwrap_or(0.0));
    let level = |beside: &[(usize, f64)]| median(&beside.iter().map(|(_, value)| *value).collect::<Vec<_>>());
    let is_raised = |(at, value): (usize, &f64)| {
        if !is_shared[at] || *value <= 0.0 {
            return false;
        }
        let after = alone.partition_point(|(other, _)| *other < at);
        let before = alone[after.saturating_sub(BESIDE)..after].iter().filter(|(other, _)| at - other <= AROUND);
        let behind = alone[after..].iter().take(BESIDE).filter(|(other, _)| other - at <= AROUND);
        let sides = [before.copied().collect::<Vec<_>>(), behind.copied().collect()];
        let mut levels = sides.iter().filter_map(|side| level(side)).peekable();
        levels.peek().is_some() && levels.all(|level| value.ln() > level + margin)
    };
    values.iter().enumerate().map(is_raised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;

    fn at(crowds: &[f64], build: impl Fn(usize) -> u64) -> Vec<usize> {
        let point = |(at, &crowd): (usize, &f64)| (crowd > 0.0).then(|| Crowd { crowd, build: build(at) });
        let crowded = crowded(&crowds.iter().enumerate().map(point).collect::<Vec<_>>());
        crowded.into_iter().enumerate().filter_map(|(at, is_crowded)| is_crowded.then_some(at)).collect()
    }

    #[test]
    fn a_burst_is_told_from_the_points_around_it_also_where_it_is_the_newest() {
        let mut crowds = vec![1.9; 40];
        for at in [12, 13, 14, 15, 16, 17, 39] {
            crowds[at] = 2.6;
        }
        (crowds[20], crowds[21]) = (2.0, 0.0);
        assert_eq!(at(&crowds, |_| 1), [12, 13, 14, 15, 16, 17, 39]);
    }

    #[test]
    fn another_build_of_the_witness_is_no_crowd_and_a_neighbour_who_stays_becomes_none() {
        let crowds: Vec<f64> = (0..60).map(|at| if at < 30 { 1.9 } else { 2.6 }).collect();
        assert!(at(&crowds, |at| u64::from(at < 30)).is_empty());
        assert_eq!(at(&crowds, |_| 1), [30, 31, 32, 33, 34]);
    }

    #[test]
    fn of_few_points_or_unknown_ones_nothing_is_said() {
        assert!(crowded(&[]).is_empty());
        assert!(at(&[1.9, 1.9, 1.9, 9.0], |_| 1).is_empty());
        assert_eq!(at(&[1.9, 1.9, 1.9, 1.9, 9.0], |_| 1), [4]);
        assert!(at(&[0.0, 0.0, 0.0, 0.0, 0.0, 9.0], |_| 1).is_empty());
        assert!(crowded(&[Some(Crowd { crowd: f64::NAN, build: 1 }); 6]).iter().all(|is_crowded| !is_crowded));
    }

    /// Points under half a percent of noise, on a level that is multiplied, with those that are shared.
    fn points(count: usize, level: impl Fn(usize) -> f64, shared: &[usize]) -> (Vec<f64>, Vec<bool>) {
        let mut noise = Noise::seeded(3);
        let value = |at: usize| 100.0 * level(at) * (0.005 * noise.normal()).exp();
        ((0..count).map(value).collect(), (0..count).map(|at| shared.contains(&at)).collect())
    }

    fn raised_at(count: usize, level: impl Fn(usize) -> f64, shared: &[usize]) -> Vec<usize> {
        let (values, is_shared) = points(count, level, shared);
        let raised = raised(&values, &is_shared);
        raised.into_iter().enumerate().filter_map(|(at, is_raised)| is_raised.then_some(at)).collect()
    }

    #[test]
    fn what_a_neighbour_made_higher_is_told_from_what_he_did_not_touch() {
        let shared = [4, 5, 6, 20, 21, 39];
        let burst = |at: usize| if (4..7).contains(&at) || at == 39 { 1.3 } else { 1.0 };
        assert_eq!(raised_at(40, burst, &shared), [4, 5, 6, 39]);
        // Made higher by somebody, and nobody shared the processor.
        assert!(raised_at(40, burst, &[20, 21]).is_empty());
        assert!(raised_at(40, |_| 1.0, &(8..32).collect::<Vec<_>>()).len() < 4, "noise");
    }

    #[test]
    fn a_change_that_began_while_he_was_there_is_kept_once_it_was_seen_without_him() {
        let slower = |at: usize| if at >= 30 { 1.03 } else { 1.0 };
        assert!(raised_at(40, slower, &[26, 30, 31, 32, 35]).is_empty());
        assert_eq!(raised_at(33, slower, &[26, 30, 31, 32]), [30, 31, 32]);
    }

    #[test]
    fn where_he_is_always_there_or_nothing_is_above_zero_nobody_raised_anything() {
        let burst = |at: usize| if at > 2 { 1.5 } else { 1.0 };
        assert!(raised_at(40, burst, &(3..40).collect::<Vec<_>>()).is_empty(), "three were measured alone");
        let stays = |at: usize| if at >= 20 { 1.5 } else { 1.0 };
        assert_eq!(raised_at(60, stays, &(20..60).collect::<Vec<_>>()), (20..30).collect::<Vec<_>>());
        assert!(raised(&[], &[]).is_empty());
        assert_eq!(raised(&[0.0, -1.0, 0.0, 5.0, 0.0, 0.0], &[false, true, true, true, false, false]), [false; 6]);
    }
}
