//! What earlier duels teach about each series: how its lives usually vary, and how far builds lie apart.

use std::collections::BTreeMap;

use crate::domain::{BenchmarkName, Bout, Contest, Duel, Readings};
use crate::stats::robust::Variance;

use super::builds::Earlier;
use super::estimate::Evidence;

/// What earlier duels say of one series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// The comparisons of different builds.
    pub comparisons: Vec<Earlier>,
    /// How the lives of each duel varied.
    pub variances: Vec<Variance>,
}

/// What earlier duels say, by benchmark and metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known(BTreeMap<(BenchmarkName, String), Past>);

impl Known {
    /// Learns from earlier duels of one suite on one machine. Duels of one build teach how lives vary, never how builds
    /// differ. Which duels may teach at all (none of a fork's) is for the caller to say.
    #[must_use]
    pub fn from_duels<'a>(duels: impl IntoIterator<Item = &'a Duel>) -> Known {
        let mut known = Known::default();
        for duel in duels {
            for (benchmark, bout) in &duel.bouts {
                let Bout::Dueled(contests) = bout else { continue };
                for contest in contests {
                    known.learn(benchmark, contest, !duel.is_of_one_build());
                }
            }
        }
        known
    }

    fn learn(&mut self, benchmark: &BenchmarkName, contest: &Contest, builds_differ: bool) {
        let Readings::Paired { lives, null } = &contest.readings else { return };
        let evidence = Evidence::of(lives, null);
        let estimate = evidence.estimate(evidence.effects.len(), None);
        let (Some(variance), Some(estimate)) = (evidence.variance_of_lives(), estimate) else {
            return;
        };
        let past = self.0.entry((benchmark.clone(), contest.metric.name.clone())).or_default();
        past.variances.push(variance);
        if builds_differ {
            past.comparisons.push(Earlier { effect: estimate.effect, error: Some(estimate.error.value) });
        }
    }

    /// What is known of one series; none if it was never dueled.
    #[must_use]
    pub fn of(&self, benchmark: &BenchmarkName, metric: &str) -> Option<&Past> {
        self.0.get(&(benchmark.clone(), metric.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Life, Metric};

    fn contest(level: f64) -> Contest {
        let lives = [0.0, 0.002, -0.002].map(|jitter| Life::new(vec![level + jitter]).unwrap()).into();
        let readings = Readings::Paired { lives, null: vec![] };
        Contest { metric: Metric::time(), base: 1.0, head: 1.0, readings }
    }

    #[test]
    fn a_duel_of_one_build_teaches_how_lives_vary_and_nothing_of_builds() {
        let differing = Duel::example(vec![("a", Bout::Dueled(vec![contest(0.01)]))]);
        let mut same = differing.clone();
        same.head.program.clone_from(&same.base.program);
        let known = Known::from_duels([&differing, &same]);
        let past = known.of(&BenchmarkName::new("a").unwrap(), "time").unwrap();
        assert_eq!(past.variances.len(), 2);
        assert_eq!(past.comparisons.len(), 1);
        assert!((past.comparisons[0].effect - 0.01).abs() < 1e-12);
        assert_eq!(known.of(&BenchmarkName::new("b").unwrap(), "time"), None);
    }
}
