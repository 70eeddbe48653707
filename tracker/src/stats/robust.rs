//! Where values lie and how far they scatter, when some of them are not to be trusted.

/// The median; none of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    median_in_place(&mut sorted)
}

/// The median, reordering `values`; none of nothing.
pub fn median_in_place(values: &mut [f64]) -> Option<f64> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    if n % 2 == 1 {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(f64::midpoint(lower, upper))
}

/// The noise of values of which these are the steps from one to the next, without their signs: most of the steps are noise
/// alone. None of no step.
#[must_use]
pub fn noise_of_steps(steps: &[f64]) -> Option<f64> {
    Some(1.4826 * median(steps)? / std::f64::consts::SQRT_2)
}

/// A mean with the variance of that mean and the degrees of freedom of the variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub center: f64,
    /// The variance of the mean, not of a value.
    pub variance: f64,
    /// The degrees of freedom that Student's distribution takes with it.
    pub df: f64,
}

/// The mean without the lowest and the highest tenth, and its error from the winsorised variance; none of fewer than two
/// values (Tukey and `McLaughlin` 1963, *Sankhyā* A 25:331; Yuen 1974, *Biometrika* 61:165). Below ten values nothing
/// is cut off, and it is the mean with its usual error.
#[must_use]
pub fn trimmed_mean(values: &[f64]) -> Option<Mean> {
    without(&values.iter().map(|&value| [value]).collect::<Vec<_>>(), values.len() / 10)
}

/// A quarter is cut off each end where that makes the variance so many times smaller: of normal values that happens once
/// in some thousand samples of seven, and more rarely in larger ones.
const SPOILED: f64 = 50.0;
/// Where it makes the variance so many times smaller the inner values are all equal, but for rounding: such readings are
/// coarse, and the outer ones no more than a step away.
const COARSE: f64 = 1e20;
/// With fewer values too little is left to tell its error by: it stays that of all.
const FEWEST_SPOILED: usize = 7;

/// The same, but without a quarter at each end where the outer values lie so far out that something must have spoiled
/// them: an interruption that hits one of two sides for a while, say.
#[must_use]
pub fn unspoiled_mean(values: &[f64]) -> Option<Mean> {
    unspoiled_mean_of(&values.iter().map(|&value| [value]).collect::<Vec<_>>())
}

/// The same of values that hang together in groups. It is their single values that are cut off, so that what is skewed in
/// the mean of a group and not in its members does not lean.
#[must_use]
pub fn unspoiled_mean_of<const K: usize>(groups: &[[f64; K]]) -> Option<Mean> {
    let usual = without(groups, groups.len() / 10)?;
    let spoiled = |inner: &Mean| {
        let times = usual.variance / inner.variance;
        (SPOILED..COARSE).contains(&times)
    };
    let inner = without(groups, groups.len() / 4).filter(spoiled);
    Some(match inner {
        Some(inner) if groups.len() >= FEWEST_SPOILED => inner,
        Some(inner) => Mean { center: inner.center, ..usual },
        None => usual,
    })
}

/// Without the values of so many groups at each end.
fn without<const K: usize>(groups: &[[f64; K]], cut: usize) -> Option<Mean> {
    let n = groups.len();
    if n < 2 {
        return None;
    }
    let mut sorted = groups.concat();
    sorted.sort_by(f64::total_cmp);
    let inner = &sorted[cut * K..(n - cut) * K];
    let center = inner.iter().sum::<f64>() / inner.len() as f64;
    let (low, high) = (inner[0], inner[inner.len() - 1]);
    let winsorised =
        || groups.iter().map(|group| group.iter().map(|value| value.clamp(low, high)).sum::<f64>() / K as f64);
    let mean = winsorised().sum::<f64>() / n as f64;
    let squares: f64 = winsorised().map(|value| (value - mean).powi(2)).sum();
    let kept = (n - 2 * cut) as f64;
    Some(Mean { center, variance: squares / (kept * (kept - 1.0)), df: kept - 1.0 })
}

/// Where the first scale stops believing a value, in standard deviations: Huber's usual compromise.
const HUBER: f64 = 1.5;
/// From where on a value is taken for a real change and left out: what stays is 98.8 % of a normal sample.
const REJECT: f64 = 2.5;
/// How many degrees of freedom a value is worth in [`variance_about_zero`]: fewer than in a normal sample, since some of the
/// values are real changes.
const WORTH: f64 = 0.7;

/// A variance and its degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variance {
    /// The variance.
    pub value: f64,
    /// Its degrees of freedom.
    pub df: f64,
}

/// The variance about zero of values of which some, perhaps a fifth, come from elsewhere: Huber's scale first (proposal
/// 2, 1964), then the plain mean square of what lies within `REJECT` of it, both made consistent for the normal.
/// None of nothing.
#[must_use]
pub fn variance_about_zero(values: &[f64]) -> Option<Variance> {
    let magnitudes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    let df = WORTH * values.len() as f64;
    let mut scale = median(&magnitudes)? * 1.4826;
    if scale <= 0.0 {
        return Some(Variance { value: 0.0, df });
    }
    for _ in 0..30 {
        let bound = (HUBER * scale).powi(2);
        let mean = magnitudes.iter().map(|m| (m * m).min(bound)).sum::<f64>() / magnitudes.len() as f64;
        scale = (mean / HUBER_SQUARE).sqrt();
    }
    let kept: Vec<f64> = magnitudes.into_iter().filter(|m| *m <= REJECT * scale).collect();
    let value = kept.iter().map(|m| m * m).sum::<f64>() / kept.len() as f64 / REJECT_SQUARE;
    Some(Variance { value, df })
}

/// The mean of min(z², [`HUBER`]²) for a standard normal z.
const HUBER_SQUARE: f64 = 0.778_465_216_174;
/// The mean of z² for a standard normal z that lies within ±[`REJECT`].
const REJECT_SQUARE: f64 = 0.911_256_360_935;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;
    use crate::stats::student;

    #[test]
    fn the_median_of_an_even_count_is_halfway() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn a_trimmed_mean_agrees_with_scipy_and_does_not_see_one_wild_value_in_ten() {
        // scipy.stats.trim_mean(x, 0.1), and Yuen's variance by hand with numpy.
        let found = trimmed_mean(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 100.0]).unwrap();
        assert!((found.center - 5.5).abs() < 1e-12 && (found.variance - 1.1875).abs() < 1e-12);
        assert!((found.df - 7.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_skewed_in_the_mean_of_a_pair_and_not_in_its_members_does_not_lean() {
        // Three sides of one kind, with a long tail: the one over the others, each alone and both together.
        let mut noise = Noise::seeded(3);
        let lives: Vec<[f64; 3]> = (0..40_000).map(|_| [(); 3].map(|()| (0.8 * noise.normal()).exp())).collect();
        let pairs: Vec<[f64; 2]> = lives.iter().map(|[one, a, b]| [one - a, one - b]).collect();
        let means: Vec<f64> = pairs.iter().map(|[a, b]| f64::midpoint(*a, *b)).collect();
        let (paired, plain) = (unspoiled_mean_of(&pairs).unwrap(), unspoiled_mean(&means).unwrap());
        assert!(paired.center.abs() < 3.0 * paired.variance.sqrt(), "{paired:?}");
        assert!(plain.center < -5.0 * plain.variance.sqrt(), "{plain:?}");
        let twice: Vec<[f64; 2]> = means.iter().map(|mean| [*mean; 2]).collect();
        let same = unspoiled_mean_of(&twice).unwrap();
        assert!((same.center - plain.center).abs() < 1e-12 && (same.variance - plain.variance).abs() < 1e-12);
    }

    #[test]
    fn one_wild_value_of_five_moves_the_mean_no_more_and_leaves_it_as_unsure_as_it_was() {
        let found = unspoiled_mean(&[0.1, 0.0, 0.2, -0.1, 9.0]).unwrap();
        let plain = trimmed_mean(&[0.1, 0.0, 0.2, -0.1, 9.0]).unwrap();
        assert!((found.center - 0.1).abs() < 1e-12 && plain.center > 1.8);
        assert!((found.variance - plain.variance).abs() < 1e-12 && (found.df - 4.0).abs() < 1e-12);
        let tame = [0.1, 0.0, 0.2, -0.1, 0.5];
        assert_eq!(unspoiled_mean(&tame), trimmed_mean(&tame));
    }

    #[test]
    fn readings_of_a_coarse_clock_are_not_taken_for_spoiled() {
        for (effect, count) in (-50..=50).flat_map(|percent| [7, 9, 11, 13, 17].map(|count| (percent, count))) {
            let level = f64::ln_1p(f64::from(effect) / 1000.0);
            // Equal but for the last bit, as logarithms of ratios are, and two of them a step away.
            let mut coarse: Vec<f64> = (0..count).map(|at| if at % 2 == 0 { level } else { level.next_up() }).collect();
            (coarse[2], coarse[5]) = (level + 0.02, level - 0.02);
            assert_eq!(unspoiled_mean(&coarse), trimmed_mean(&coarse), "{effect} {count}");
            let equal: Vec<f64> = coarse
                .iter()
                .map(|value| if value.to_bits() == level.next_up().to_bits() { level } else { *value })
                .collect();
            assert_eq!(unspoiled_mean(&equal), trimmed_mean(&equal), "{effect} {count}");
        }
    }

    #[test]
    fn an_interval_around_five_values_misses_no_more_often_for_it() {
        let (mut noise, trials, mut missed) = (Noise::seeded(17), 40_000, 0);
        for _ in 0..trials {
            let values: Vec<f64> = (0..5).map(|_| noise.normal()).collect();
            let mean = unspoiled_mean(&values).unwrap();
            missed += usize::from(mean.center.abs() > student::quantile(0.025, mean.df) * mean.variance.sqrt());
        }
        assert!((missed as f64 / f64::from(trials) - 0.05).abs() < 0.004, "{missed}");
    }

    #[test]
    fn a_few_values_have_the_plain_mean_and_one_has_no_error() {
        let found = trimmed_mean(&[1.0, 2.0, 6.0]).unwrap();
        assert!((found.center - 3.0).abs() < 1e-12 && (found.variance - 7.0 / 3.0).abs() < 1e-12);
        assert_eq!(trimmed_mean(&[1.0]), None);
    }

    #[test]
    fn the_variance_about_zero_is_right_for_the_normal_and_shrugs_off_a_fifth_of_real_changes() {
        let mut noise = Noise::seeded(11);
        let clean: Vec<f64> = (0..20_000).map(|_| noise.normal()).collect();
        assert!((variance_about_zero(&clean).unwrap().value - 1.0).abs() < 0.03);
        let mixed: Vec<f64> = clean.iter().enumerate().map(|(i, z)| if i % 5 == 0 { z + 30.0 } else { *z }).collect();
        assert!((variance_about_zero(&mixed).unwrap().value - 1.0).abs() < 0.35);
    }

    #[test]
    fn values_that_never_move_have_no_variance() {
        assert_eq!(variance_about_zero(&[0.0, 0.0, 0.0, 5.0]).map(|v| v.value), Some(0.0));
        assert_eq!(variance_about_zero(&[]), None);
    }
}
