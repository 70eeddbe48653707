//! Many series judged together: how many of the findings may be false.
//!
//! Within a commit all series are known at once, and Benjamini and Hochberg's rule holds the expected share of false
//! findings among all findings.

/// Which of the hypotheses with these p values to reject, so that at most a share `rate` of the rejections is expected to be
/// false (Benjamini and Hochberg 1995, *JRSS B* 57:289). A p value that is not a number is never rejected.
#[must_use]
pub fn within_a_commit(p_values: &[f64], rate: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|at| !p_values[*at].is_nan()).collect();
    order.sort_by(|one, other| p_values[*one].total_cmp(&p_values[*other]));
    let bar = |rank: usize| rate * (rank + 1) as f64 / p_values.len() as f64;
    let rejected =
        order.iter().enumerate().rposition(|(rank, at)| p_values[*at] <= bar(rank)).map_or(0, |last| last + 1);
    let mut verdicts = vec![false; p_values.len()];
    for at in &order[..rejected] {
        verdicts[*at] = true;
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;
    use crate::stats::student;

    #[test]
    fn the_example_of_1995_has_its_four_findings() {
        // Benjamini and Hochberg 1995, section 4.1.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let found = within_a_commit(&p, 0.05);
        assert_eq!(found.iter().filter(|one| **one).count(), 4);
        assert!(found[..4].iter().all(|one| *one));
    }

    #[test]
    fn nothing_and_no_number_are_no_finding() {
        assert!(within_a_commit(&[], 0.1).is_empty());
        assert_eq!(within_a_commit(&[f64::NAN, 1e-9], 0.1), [false, true]);
    }

    /// One p value, and whether something was there: three deviations, one time in twenty.
    fn draw(noise: &mut Noise) -> (f64, bool) {
        let real = noise.chance(0.05);
        let z = noise.normal() + if real { 3.5 } else { 0.0 };
        (student::normal_tail(z), real)
    }

    /// The share of false findings, averaged over many runs, and the share of real ones found.
    fn tried(runs: usize, mut findings: impl FnMut(&[f64]) -> Vec<bool>) -> (f64, f64) {
        let mut noise = Noise::seeded(31);
        let (mut false_share, mut power) = (0.0, 0.0);
        for _ in 0..runs {
            let drawn: Vec<(f64, bool)> = (0..400).map(|_| draw(&mut noise)).collect();
            let found = findings(&drawn.iter().map(|(p, _)| *p).collect::<Vec<_>>());
            let count = |wanted: bool| {
                drawn.iter().zip(&found).filter(|((_, real), found)| **found && *real == wanted).count() as f64
            };
            false_share += count(false) / (count(false) + count(true)).max(1.0);
            power += count(true) / drawn.iter().filter(|(_, real)| *real).count().max(1) as f64;
        }
        (false_share / runs as f64, power / runs as f64)
    }

    #[test]
    fn within_a_commit_the_share_of_false_findings_is_as_promised() {
        let (false_share, power) = tried(400, |p| within_a_commit(p, 0.1));
        assert!(false_share < 0.11 && false_share > 0.05 && power > 0.6, "{false_share} {power}");
    }
}
