//! A gate that is repeated goes on where the earlier one stopped: it does not draw again until it likes what it draws.

use crate::domain::{BenchmarkName, Bout, Contest, Duel, Life, Readings};

/// The latest duel with the lives of earlier ones of the same sides before its own. What became of each benchmark is the
/// latest's word.
#[must_use]
pub fn pooled(earlier: &[Duel], latest: &Duel) -> Duel {
    let mut whole = latest.clone();
    for (benchmark, bout) in &mut whole.bouts {
        let Bout::Dueled(contests) = bout else { continue };
        for contest in contests {
            let Readings::Paired { lives, null } = &mut contest.readings else { continue };
            let mut before: (Vec<Life>, Vec<Life>) = (Vec::new(), Vec::new());
            for duel in earlier {
                let Some((head, base)) = lives_of(duel, benchmark, &contest.metric.name) else { continue };
                before.0.extend_from_slice(head);
                before.1.extend_from_slice(base);
            }
            lives.splice(0..0, before.0);
            null.splice(0..0, before.1);
        }
    }
    whole
}

/// How many lives of a benchmark came before.
#[must_use]
pub fn lives_before(earlier: &[Duel], benchmark: &BenchmarkName) -> usize {
    let most = |duel: &Duel| match duel.bouts.get(benchmark) {
        Some(Bout::Dueled(contests)) => contests.iter().map(lives).max().unwrap_or(0),
        _ => 0,
    };
    earlier.iter().map(most).sum()
}

fn lives(contest: &Contest) -> usize {
    match &contest.readings {
        Readings::Paired { lives, .. } => lives.len(),
        Readings::Exact { .. } | Readings::Missing { .. } | Readings::New { .. } => 0,
    }
}

fn lives_of<'a>(duel: &'a Duel, benchmark: &BenchmarkName, metric: &str) -> Option<(&'a [Life], &'a [Life])> {
    let Bout::Dueled(contests) = duel.bouts.get(benchmark)? else { return None };
    contests.iter().filter(|contest| contest.metric.name == metric).find_map(|contest| match &contest.readings {
        Readings::Paired { lives, null } => Some((lives.as_slice(), null.as_slice())),
        Readings::Exact { .. } | Readings::Missing { .. } | Readings::New { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Metric;

    fn duel(values: &[f64]) -> Duel {
        let lives = |sign: f64| values.iter().map(|&value| Life::new(vec![sign * value]).unwrap()).collect();
        let readings = Readings::Paired { lives: lives(1.0), null: lives(-1.0) };
        Duel::example(vec![(
            "a",
            Bout::Dueled(vec![Contest { metric: Metric::time(), base: 1.0, head: 1.0, readings }]),
        )])
    }

    #[test]
    fn earlier_lives_stand_before_later_ones_and_the_latest_says_what_became_of_a_benchmark() {
        let (one, other) = (duel(&[1.0, 2.0]), duel(&[3.0]));
        let mut latest = duel(&[4.0]);
        latest.bouts.insert(BenchmarkName::new("b").unwrap(), Bout::Missing);
        let whole = pooled(&[one.clone(), other.clone()], &latest);
        let (lives, null) = lives_of(&whole, &BenchmarkName::new("a").unwrap(), "time").unwrap();
        let values = |lives: &[Life]| lives.iter().map(|life| life.values()[0]).collect::<Vec<_>>();
        assert_eq!((values(lives), values(null)), (vec![1.0, 2.0, 3.0, 4.0], vec![-1.0, -2.0, -3.0, -4.0]));
        assert_eq!(whole.bouts["b"], Bout::Missing);
        assert_eq!(lives_before(&[one, other], &BenchmarkName::new("a").unwrap()), 3);
    }
}
