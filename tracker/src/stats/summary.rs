//! The level of a reading and how sure it is.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

use super::robust;

/// How often the interval holds the true level: the usual 95 %.
const CONFIDENCE: f64 = 0.95;

/// The standard error of a median is that of a mean times √(π/2) in large normal samples, and less in small ones, so
/// taking it always errs on the wide side (Kenney and Keeping, *Mathematics of Statistics*, part 2, §8.15).
const MEDIAN_OVER_MEAN: f64 = 1.253_314_137_315_500_3;

/// With so many lives the level is the median of their pairwise means. It scatters by a fifth less than the median, and of
/// five lives one may be wild, of seven two; of fewer lives only the median stands that.
const PAIRED_FROM: usize = 5;

/// The standard error of that is √(π/3) times the mean's in large normal samples (Hodges and Lehmann 1963, *Annals of
/// Mathematical Statistics* 34:598).
const PAIRED_OVER_MEAN: f64 = 1.023_326_707_946_488_5;

/// Of more lives than this, as many of their order statistics are paired.
const MOST_PAIRED: usize = 63;

/// A reading in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The middle of the lives' medians: robust ones, because a neighbour's burst hits single samples and single lives.
    pub level: f64,
    /// A 95 % interval of the level, where the data allow one.
    pub interval: Option<(f64, f64)>,
    /// How many lives there were.
    pub lives: usize,
    /// How many values they held together.
    pub samples: usize,
}

/// Summarises values life by life; none if there is no life or one without a value. The values must be finite.
///
/// With two lives or more the interval comes from how the lives disagree, by Student's t, since samples of one life
/// share its memory layout and are no independent evidence. With one life there is only the scatter inside it: the
/// interval is the pair of order statistics that holds the median with the wanted probability whatever the
/// distribution (David and Nagaraja, *Order Statistics*, 3rd ed., §7.1), and below six values there is none.
///
/// ```
/// # use tachograph::stats::summary::summarise;
/// let summary = summarise(&[&[10.0, 11.0, 90.0], &[12.0, 13.0, 14.0]]).unwrap();
/// assert_eq!(summary.level, 12.0);
/// assert_eq!((summary.lives, summary.samples), (2, 6));
/// ```
#[must_use]
pub fn summarise(lives: &[&[f64]]) -> Option<Summary> {
    let samples = lives.iter().map(|life| life.len()).sum();
    let mut sorted: Vec<Vec<f64>> = lives.iter().map(|life| life.to_vec()).collect();
    for life in &mut sorted {
        life.sort_unstable_by(f64::total_cmp);
    }
    let mut medians = sorted.iter().map(|life| median(life)).collect::<Option<Vec<f64>>>()?;
    medians.sort_unstable_by(f64::total_cmp);
    let level = middle(&medians)?;
    let interval = match &sorted[..] {
        [only] => order_interval(only),
        _ => student_interval(&medians, level),
    };
    let interval = interval.filter(|(low, high)| low.is_finite() && high.is_finite());
    Some(Summary { level, interval, lives: lives.len(), samples })
}

/// The median of sorted values.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { upper } else { sorted[middle - 1].midpoint(upper) })
}

/// The middle of sorted values: the median of their pairwise means, where there are enough.
fn middle(sorted: &[f64]) -> Option<f64> {
    if sorted.len() < PAIRED_FROM {
        return median(sorted);
    }
    let count = sorted.len().min(MOST_PAIRED);
    let kept: Vec<f64> = (0..count).map(|place| sorted[place * (sorted.len() - 1) / (count - 1)]).collect();
    let means = kept.iter().enumerate().flat_map(|(at, one)| kept[at..].iter().map(|other| one.midpoint(*other)));
    robust::median_in_place(&mut means.collect::<Vec<f64>>())
}

/// The level ± t · its standard error, from the scatter of the lives' medians.
fn student_interval(medians: &[f64], level: f64) -> Option<(f64, f64)> {
    let n = medians.len() as f64;
    let mean = medians.iter().map(|median| median / n).sum::<f64>();
    let variance = medians.iter().map(|median| (median - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let widening = match medians.len() {
        // The median of two values is their mean.
        2 => 1.0,
        few if few < PAIRED_FROM => MEDIAN_OVER_MEAN,
        _ => PAIRED_OVER_MEAN,
    };
    let half = student_quantile(medians.len() - 1)? * widening * (variance / n).sqrt();
    Some((level - half, level + half))
}

/// The factor of a two-sided interval. The first few are tabulated: the general formula is dear, and a run asks for the
/// same factor a thousand times.
fn student_quantile(degrees: usize) -> Option<f64> {
    const FEW: [f64; 9] = [
        12.706_204_736_174_7,
        4.302_652_729_749_46,
        3.182_446_305_283_71,
        2.776_445_105_197_79,
        2.570_581_835_636_31,
        2.446_911_851_144_97,
        2.364_624_251_592_79,
        2.306_004_135_204_17,
        2.262_157_162_798_21,
    ];
    match FEW.get(degrees.checked_sub(1)?) {
        Some(&factor) => Some(factor),
        None => Some(StudentsT::new(0.0, 1.0, degrees as f64).ok()?.inverse_cdf(f64::midpoint(1.0, CONFIDENCE))),
    }
}

/// The k-th smallest and k-th largest value, k as large as the confidence allows.
fn order_interval(sorted: &[f64]) -> Option<(f64, f64)> {
    let n = u64::try_from(sorted.len()).ok()?;
    // The median lies below the k-th smallest with the probability that fewer than k of n fair coins show heads.
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let k = usize::try_from(Binomial::new(0.5, n).ok()?.inverse_cdf(tail)).ok()?;
    let below = k.checked_sub(1)?;
    Some((sorted[below], sorted[sorted.len() - k]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * b.abs().max(1.0)
    }

    #[test]
    fn no_life_or_an_empty_one_has_no_summary() {
        assert_eq!(summarise(&[]), None);
        assert_eq!(summarise(&[&[]]), None);
        assert_eq!(summarise(&[&[1.0], &[]]), None);
    }

    #[test]
    fn one_life_takes_the_order_statistics_of_the_textbook() {
        // David and Nagaraja, table in §7.1, and any table of the sign test: n = 6 takes the extremes, n = 10 the second
        // from each end, n = 20 the sixth, n = 100 the fortieth.
        for (n, k) in [(6, 1), (8, 1), (9, 2), (10, 2), (20, 6), (25, 8), (100, 40)] {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            let interval = summarise(&[&values]).unwrap().interval;
            assert_eq!(interval, Some((f64::from(k), f64::from(n + 1 - k))), "n = {n}");
        }
        assert_eq!(summarise(&[&[1.0, 2.0, 3.0, 4.0, 5.0]]).unwrap().interval, None);
    }

    #[test]
    fn two_lives_take_students_interval_of_a_mean() {
        let (low, high) = summarise(&[&[10.0], &[12.0]]).unwrap().interval.unwrap();
        // s = √2, s/√n = 1, t(1) = 12.7062.
        assert!(close(low, 11.0 - 12.706_204_736_174_7) && close(high, 11.0 + 12.706_204_736_174_7));
    }

    #[test]
    fn the_tabulated_factors_are_those_of_the_formula() {
        for degrees in 1..=9_usize {
            let exact = StudentsT::new(0.0, 1.0, degrees as f64).unwrap().inverse_cdf(0.975);
            let tabulated = student_quantile(degrees).unwrap();
            assert!((tabulated - exact).abs() < 1e-6, "{degrees}: {tabulated} and {exact}");
        }
        assert!((student_quantile(30).unwrap() - 2.042_272_456).abs() < 1e-6);
    }

    #[test]
    fn exact_readings_have_an_interval_of_no_width() {
        let summary = summarise(&[&[640.0], &[640.0]]).unwrap();
        assert_eq!((summary.level, summary.interval), (640.0, Some((640.0, 640.0))));
    }

    #[test]
    fn a_single_wild_life_moves_the_level_little() {
        assert!(close(summarise(&[&[10.0], &[10.1], &[500.0]]).unwrap().level, 10.1));
        assert!(close(summarise(&[&[10.0], &[10.1], &[10.2], &[10.3], &[500.0]]).unwrap().level, 10.2));
        let two_of_seven = summarise(&[&[10.0], &[10.1], &[10.2], &[10.3], &[10.4], &[500.0], &[900.0]]);
        assert!(two_of_seven.unwrap().level <= 10.4);
    }

    #[test]
    fn the_level_of_many_lives_scatters_less_than_their_median_and_its_interval_holds_the_truth() {
        let mut noise = Noise::seeded(17);
        for lives in [5, 7, 12, 200] {
            let (mut own, mut medians, mut held) = (0.0, 0.0, 0);
            for _ in 0..2_000 {
                let mut values: Vec<f64> = (0..lives).map(|_| noise.normal()).collect();
                let summary = summarise(&values.iter().map(std::slice::from_ref).collect::<Vec<_>>()).unwrap();
                own += summary.level.powi(2);
                medians += robust::median_in_place(&mut values).unwrap().powi(2);
                held += usize::from(summary.interval.is_some_and(|(low, high)| low <= 0.0 && 0.0 <= high));
            }
            assert!(own < 0.8 * medians, "{lives}: {}", own / medians);
            assert!((1_870..=1_935).contains(&held), "{lives}: {held} of 2000");
        }
    }

    #[test]
    fn absurd_sizes_give_a_level_and_no_interval() {
        let summary = summarise(&[&[-1e308], &[1e308]]).unwrap();
        assert_eq!((summary.level, summary.interval), (0.0, None));
    }

    proptest! {
        #[test]
        fn the_level_lies_within_its_interval_and_within_the_data(
            lives in prop::collection::vec(prop::collection::vec(-1e12..1e12_f64, 1..30), 1..12)
        ) {
            let views: Vec<&[f64]> = lives.iter().map(Vec::as_slice).collect();
            let summary = summarise(&views).unwrap();
            let least = lives.iter().flatten().copied().fold(f64::INFINITY, f64::min);
            let most = lives.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(least <= summary.level && summary.level <= most);
            if let Some((low, high)) = summary.interval {
                prop_assert!(low <= summary.level && summary.level <= high);
            }
        }
    }
}
