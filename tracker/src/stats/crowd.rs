//! Points that were measured on a crowded processor, by how crowded it was beside others.

/// A processor is shared while the wide work of its witness takes so much longer, by the chain, than at its best. While a
/// neighbour works it takes 1.25 to 1.6 times as long; what was measured before can leave it some percent slower.
pub const SHARED: f64 = 1.2;

/// Points on each side with which one is compared.
const AROUND: usize = 10;

/// With fewer points around it none is told to be crowded.
const FEWEST: usize = 4;

/// How crowded a processor was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowd {
    /// How long the wide work took by the chain.
    pub crowd: f64,
    /// Which build of the witness saw it: who compiled it moves its figure as well.
    pub build: u64,
}

/// Which points were measured on a shared processor, where it is known how crowded it was: those beyond [`SHARED`] times the
/// lower quartile of the points around them that the same witness saw, so that most of these may be crowded too.
#[must_use]
pub fn crowded(points: &[Option<Crowd>]) -> Vec<bool> {
    let is_crowded = |(at, one): (usize, &Option<Crowd>)| {
        let Some(one) = one else { return false };
        let around = &points[at.saturating_sub(AROUND)..points.len().min(at + AROUND + 1)];
        let alike = around.iter().flatten().filter(|other| other.build == one.build && other.crowd.is_finite());
        let mut crowds: Vec<f64> = alike.map(|other| other.crowd).collect();
        crowds.sort_unstable_by(f64::total_cmp);
        crowds.len() > FEWEST && one.crowd > SHARED * crowds[crowds.len() / 4]
    };
    points.iter().enumerate().map(is_crowded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
