//! Student's and the normal distribution, where a verdict needs them: upper tails and their inverses.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// How many errors lie between the middle and either end of a normal variable's 95 % interval.
pub const NORMAL_95: f64 = 1.96;

/// The value that a standard Student variable with `df` degrees of freedom exceeds with probability `tail`.
///
/// Infinite where there is no answer that helps: no degrees of freedom, or a tail that is not above 0. From ten million
/// degrees of freedom on it is the normal's, which differs by less than 10⁻⁶ there.
#[must_use]
pub fn quantile(tail: f64, df: f64) -> f64 {
    if df.is_nan() || df <= 0.0 || tail.is_nan() || tail <= 0.0 {
        return f64::INFINITY;
    }
    if tail > 0.5 {
        return -quantile(1.0 - tail, df);
    }
    if df > 1e7 {
        return Normal::standard().inverse_cdf(1.0 - tail);
    }
    // Asked for the lower tail, because 1 − tail would lose the small tails that matter here.
    StudentsT::new(0.0, 1.0, df).map_or(f64::INFINITY, |t| -t.inverse_cdf(tail))
}

/// The probability that a standard normal variable exceeds `z`.
#[must_use]
pub fn normal_tail(z: f64) -> f64 {
    Normal::standard().sf(z)
}

/// The degrees of freedom of a sum of independent variance estimates, each with its own (Satterthwaite 1946,
/// *Biometrics Bulletin* 2:110): `parts` holds pairs of a variance and its degrees of freedom.
#[must_use]
pub fn combined_df(parts: &[(f64, f64)]) -> f64 {
    let sum: f64 = parts.iter().map(|&(variance, _)| variance).sum();
    let doubt: f64 = parts.iter().filter(|part| part.0 > 0.0).map(|&(variance, df)| variance * variance / df).sum();
    if doubt > 0.0 { sum * sum / doubt } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_published_tables_out_to_the_tails_that_verdicts_use() {
        // scipy.stats.t.isf(p, df).
        let known = [
            (0.025, 4.0, 2.776_445_105),
            (0.05, 1.0, 6.313_751_515),
            (0.001, 18.0, 3.610_484_885),
            (0.000_5, 16.3, 3.999_282_897),
            (1e-5, 10.0, 7.526_954_019),
            (1e-7, 3.3, 148.290_247_273),
            (1e-6, 40.0, 5.553_969_752),
            (0.025, 1e9, 1.959_963_985),
        ];
        for (tail, df, expected) in known {
            let found = quantile(tail, df);
            assert!((found / expected - 1.0).abs() < 1e-7, "qt({tail}, {df}) = {found}, not {expected}");
        }
    }

    #[test]
    fn without_degrees_of_freedom_or_error_nothing_is_certain() {
        assert!(quantile(0.01, 0.0).is_infinite());
        assert!(quantile(0.0, 5.0).is_infinite());
        assert!(quantile(0.01, f64::NAN).is_infinite());
        assert!(quantile(0.5, 5.0).abs() < 1e-9);
    }

    #[test]
    fn equal_parts_add_their_degrees_of_freedom_and_an_empty_part_adds_none() {
        assert!((combined_df(&[(2.0, 5.0), (2.0, 5.0)]) - 10.0).abs() < 1e-12);
        assert!((combined_df(&[(2.0, 5.0), (0.0, 1.0)]) - 5.0).abs() < 1e-12);
        assert!(combined_df(&[(0.0, 1.0)]).is_infinite());
    }
}
