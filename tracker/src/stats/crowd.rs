//! Points that were measured on a crowded processor, by how crowded it was beside others.

/// A processor is shared while the wide work of its witness takes so much longer, by the chain, than at its best. On one that
/// nobody shares it varies by half a percent; while a neighbour works it takes 1.2 to 1.6 times as long.
pub const SHARED: f64 = 1.1;

/// Points on each side with which one is compared: who compiled the witness moves its figure as well, for good.
const AROUND: usize = 10;

/// With fewer points around it none is told to be crowded.
const FEWEST: usize = 4;

/// Which points were measured on a shared processor, where it is known how crowded it was: those beyond [`SHARED`] times the
/// lower quartile of the points around them, so that most of these may be crowded too.
#[must_use]
pub fn crowded(crowds: &[Option<f64>]) -> Vec<bool> {
    let is_crowded = |(at, crowd): (usize, &Option<f64>)| {
        let around = &crowds[at.saturating_sub(AROUND)..crowds.len().min(at + AROUND + 1)];
        let mut around: Vec<f64> = around.iter().flatten().copied().filter(|crowd| crowd.is_finite()).collect();
        around.sort_unstable_by(f64::total_cmp);
        let quartile = around.get(around.len() / 4).filter(|_| around.len() > FEWEST);
        matches!((crowd, quartile), (Some(crowd), Some(quartile)) if *crowd > SHARED * quartile)
    };
    crowds.iter().enumerate().map(is_crowded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(crowds: &[Option<f64>]) -> Vec<usize> {
        let crowded = crowded(crowds).into_iter().enumerate();
        crowded.filter_map(|(at, is_crowded)| is_crowded.then_some(at)).collect()
    }

    #[test]
    fn a_burst_is_told_from_the_points_around_it_also_where_it_is_the_newest() {
        let mut crowds = vec![Some(1.9); 40];
        for at in [12, 13, 14, 15, 16, 17, 39] {
            crowds[at] = Some(2.6);
        }
        crowds[20] = Some(2.0);
        crowds[21] = None;
        assert_eq!(at(&crowds), [12, 13, 14, 15, 16, 17, 39]);
    }

    #[test]
    fn what_stays_is_another_witness_and_no_crowd() {
        let crowds: Vec<Option<f64>> = (0..60).map(|at| Some(if at < 30 { 1.9 } else { 2.6 })).collect();
        assert!(at(&crowds).iter().all(|at| (30..36).contains(at)), "{:?}", at(&crowds));
        let crowds: Vec<Option<f64>> = (0..60).map(|at| Some(if at < 30 { 2.6 } else { 1.9 })).collect();
        assert!(at(&crowds).iter().all(|at| (24..30).contains(at)), "{:?}", at(&crowds));
    }

    #[test]
    fn of_few_points_or_unknown_ones_nothing_is_said() {
        assert!(crowded(&[]).is_empty());
        assert!(at(&[Some(1.9), Some(1.9), Some(1.9), Some(9.0)]).is_empty());
        assert_eq!(at(&[Some(1.9), Some(1.9), Some(1.9), Some(1.9), Some(9.0)]), [4]);
        assert!(at(&[None, None, None, None, None, Some(9.0)]).is_empty());
        assert!(at(&[Some(f64::NAN); 6]).is_empty());
    }
}
