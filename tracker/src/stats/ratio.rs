//! The ratio of two levels, each with an interval of its own.

/// A number and a 95 % interval of it, where there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// From where to where.
    pub interval: Option<(f64, f64)>,
}

/// One over the other, with an interval of the same level made of both: on the scale of logarithms the distances of the
/// ends from the estimates are added in quadrature, each on its own side (the method of variance estimates recovery:
/// Zou and Donner 2008, *Statistics in Medicine* 27, 1693 to 1702). None where an end is not positive, for it has no
/// logarithm.
///
/// ```
/// # use tachograph::stats::ratio::{Estimate, ratio};
/// let estimate = |value, interval| Estimate { value, interval };
/// let two = ratio(estimate(20.0, Some((18.0, 22.0))), estimate(10.0, Some((10.0, 10.0))));
/// assert_eq!(two.value, 2.0);
/// assert!(two.interval.is_some_and(|(low, high)| (low - 1.8).abs() < 1e-12 && (high - 2.2).abs() < 1e-12));
/// ```
#[must_use]
pub fn ratio(over: Estimate, under: Estimate) -> Estimate {
    let value = over.value / under.value;
    let interval = over.interval.zip(under.interval).and_then(|((a, b), (c, d))| {
        let log = value.ln();
        let down = (over.value / a).ln().hypot((d / under.value).ln());
        let up = (b / over.value).ln().hypot((under.value / c).ln());
        let ends = ((log - down).exp(), (log + up).exp());
        (a > 0.0 && c > 0.0 && ends.0.is_finite() && ends.1.is_finite()).then_some(ends)
    });
    Estimate { value, interval }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;
    use crate::stats::summary::summarise;

    #[test]
    fn an_interval_needs_both_and_positive_ends() {
        let with = |interval| Estimate { value: 2.0, interval };
        assert_eq!(ratio(with(None), with(Some((1.0, 3.0)))).interval, None);
        assert_eq!(ratio(with(Some((-1.0, 3.0))), with(Some((1.0, 3.0)))).interval, None);
        let (low, high) = ratio(with(Some((1.0, 4.0))), with(Some((1.0, 4.0)))).interval.unwrap();
        assert!((low * high - 1.0).abs() < 1e-12 && low < 0.5, "symmetric about one on the scale of logarithms");
    }

    #[test]
    fn the_interval_holds_the_true_ratio_as_often_as_it_says() {
        let mut noise = Noise::seeded(11);
        let mut held = 0;
        let trials = 1000;
        for _ in 0..trials {
            let mut level = |truth: f64| {
                let lives: Vec<Vec<f64>> = (0..8).map(|_| vec![truth * (0.05 * noise.normal()).exp()]).collect();
                let lives: Vec<&[f64]> = lives.iter().map(Vec::as_slice).collect();
                let summary = summarise(&lives).unwrap();
                Estimate { value: summary.level, interval: summary.interval }
            };
            let (low, high) = ratio(level(130.0), level(100.0)).interval.unwrap();
            held += usize::from(low <= 1.3 && 1.3 <= high);
        }
        assert!(held * 100 >= trials * 94, "{held} of {trials}");
    }
}
