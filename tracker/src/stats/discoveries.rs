//! Many series judged together: how many of the findings may be false.
//!
//! Within a commit all series are known at once, and Benjamini and Hochberg's rule holds the expected share of false
//! findings among all findings. Across commits they come one after the other for ever, and no later one may change an
//! earlier verdict: there the rule LORD++ does the same (Javanmard and Montanari 2018, *Annals of Statistics* 46:526;
//! Ramdas, Yang, Wainwright and Jordan 2017, *Advances in Neural Information Processing Systems* 30). It spends its level slowly, and earns some back with each
//! finding.

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

/// Tests that come one after the other, for ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    rate: f64,
    tests: u32,
    /// The numbers of the tests, from 1, that were rejected.
    findings: Vec<u32>,
}

/// The share of the level that tests before the first finding may spend.
const BEFORE_THE_FIRST: f64 = 0.5;

impl Ledger {
    /// A ledger that expects at most a share `rate` of its findings to be false.
    #[must_use]
    pub fn new(rate: f64) -> Ledger {
        Ledger { rate, tests: 0, findings: Vec::new() }
    }

    /// The level of the next test.
    #[must_use]
    pub fn level(&self) -> f64 {
        let now = self.tests + 1;
        let first = self.rate * BEFORE_THE_FIRST;
        let earned = |(at, finding): (usize, &u32)| {
            let amount = if at == 0 { self.rate - first } else { self.rate };
            amount * share(now - finding)
        };
        first * share(now) + self.findings.iter().enumerate().map(earned).sum::<f64>()
    }

    /// Takes the next p value and says whether it is a finding.
    pub fn test(&mut self, p: f64) -> bool {
        let found = p <= self.level();
        self.tests += 1;
        if found {
            self.findings.push(self.tests);
        }
        found
    }
}

/// How much of its level a test spends at a distance of `after` tests: a sequence that sums to one and falls slowly enough
/// to have power for ever (Javanmard and Montanari 2018, equation 31).
fn share(after: u32) -> f64 {
    let n = f64::from(after.max(1));
    0.077_208_38 * n.max(2.0).ln() / (n * n.ln().sqrt().exp())
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
        assert!(!Ledger::new(0.1).test(f64::NAN));
    }

    #[test]
    fn the_shares_sum_to_no_more_than_one() {
        let sum: f64 = (1..1_000_000).map(share).sum();
        assert!(sum > 0.5 && sum <= 1.0, "{sum}");
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

    #[test]
    fn across_commits_the_share_of_false_findings_is_as_promised() {
        let (false_share, power) = tried(400, |p| {
            let mut ledger = Ledger::new(0.1);
            p.iter().map(|p| ledger.test(*p)).collect()
        });
        assert!(false_share < 0.11 && power > 0.2, "{false_share} {power}");
    }

    #[test]
    fn where_nothing_moves_a_ledger_is_silent_in_nine_runs_of_ten() {
        let mut noise = Noise::seeded(32);
        let loud = (0..500)
            .filter(|_| {
                let mut ledger = Ledger::new(0.1);
                (0..500).any(|_| ledger.test(noise.uniform()))
            })
            .count();
        assert!(loud < 50, "{loud} of 500");
    }
}
