//! When a duel knows enough: the gate's own judgement, asked at its fixed looks.

use std::collections::BTreeMap;

use crate::domain::{BenchmarkName, Bout, Call, Contest, Duel, Judged, MetricVerdict, Policy, Readings};
use crate::judge;
use crate::judge::estimate::{medians, over_lives};
use crate::judge::known::Known;
use crate::measure::duel::{Rule, Want};
use crate::stats::looks::{Looks, Sides};

/// When the luck of builds is so many times the error of measuring, more lives do not make the two together smaller.
const HOPELESS: f64 = 5.0;

/// A size is known well enough when its standard error is below this, in logarithms.
const PRECISION: f64 = 0.0025;

/// The lives after which a size is asked about for the first time, and after which it is left as it is.
const SIZE_LIVES: (usize, usize) = (5, 30);

/// What a duel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// To say what a policy makes of it.
    Verdict,
    /// To know the ratio, whatever anybody makes of it.
    Size,
}

/// The rule by which a duel ends: what it says last is what the report says.
pub(super) struct Enough<'a> {
    pub(super) aim: Aim,
    /// The duel so far.
    pub(super) duel: Duel,
    /// Earlier duels of the same sides, which it goes on with.
    pub(super) earlier: &'a [Duel],
    pub(super) policy: &'a Policy,
    pub(super) known: &'a Known,
    pub(super) gated_series: usize,
    /// Whether something that a benchmark can see differs; if not there is nothing to decide.
    pub(super) inputs: Inputs,
    /// How many sides a life compares.
    pub(super) sides: Sides,
}

/// Whether something that a benchmark can see differs between base and head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inputs {
    Same,
    Differ,
}

impl Enough<'_> {
    fn looks(&self) -> Looks {
        judge::duel::looks(self.policy, self.gated_series, self.sides)
    }
}

impl Rule for Enough<'_> {
    fn first_look(&self) -> usize {
        if self.aim == Aim::Size {
            return SIZE_LIVES.0;
        }
        // What was dueled before may be decided already: that is asked at once.
        if self.earlier.is_empty() { self.looks().next_after(0).map_or(1, |look| look.values) } else { 1 }
    }

    fn least_for_a_finding(&self) -> usize {
        if self.aim == Aim::Size {
            return SIZE_LIVES.0;
        }
        self.looks().first_finding().map_or(1, |look| look.values)
    }

    fn lives_to_plan(&self) -> usize {
        let least = self.least_for_a_finding();
        if self.aim == Aim::Size { least } else { self.looks().next_after(least).map_or(least, |look| look.values) }
    }

    fn wants(&mut self, bouts: &BTreeMap<BenchmarkName, Bout>) -> BTreeMap<BenchmarkName, Want> {
        if self.inputs == Inputs::Same {
            return BTreeMap::new();
        }
        if self.aim == Aim::Size {
            let next = |bout| lives_for_size(bout).map(|next| Want { next, enough: next, is_decided: false });
            return bouts.iter().filter_map(|(name, bout)| Some((name.clone(), next(bout)?))).collect();
        }
        self.duel.bouts.clone_from(bouts);
        let least = self.least_for_a_finding();
        let whole = judge::pool::pooled(self.earlier, &self.duel);
        let judged = judge::duel::judge(&whole, self.policy, self.known, self.gated_series);
        let wanted = |(benchmark, judged): (BenchmarkName, Judged)| {
            let Judged::Verdicts(verdicts) = judged else { return None };
            let of = |next: &dyn Fn(&MetricVerdict) -> Option<usize>| verdicts.iter().filter_map(next).max();
            let undecided = of(&|one| next_look(one, self.looks(), least));
            let next = undecided.or_else(|| of(&surer))?;
            let sighted = if undecided.is_none() { of(&|one| lives_to_see(one, least)) } else { None };
            let enough = sighted.unwrap_or(0).max(least);
            let before = judge::pool::lives_before(self.earlier, &benchmark);
            let still = |lives: usize| lives.saturating_sub(before);
            Some((benchmark, Want { next: still(next), enough: still(enough), is_decided: undecided.is_none() }))
        };
        judged.into_iter().filter_map(wanted).collect()
    }
}

/// The lives after which the ratios of a benchmark are worth another look; none if they are known well enough.
fn lives_for_size(bout: &Bout) -> Option<usize> {
    let Bout::Dueled(contests) = bout else { return None };
    let vague = |contest: &Contest| match &contest.readings {
        Readings::Paired { lives, .. } if lives.len() < SIZE_LIVES.1 => {
            let known = over_lives(&medians(lives), None);
            (known.is_none_or(|known| known.error.value > PRECISION * PRECISION)).then_some(lives.len() + 1)
        }
        _ => None,
    };
    contests.iter().filter_map(vague).max()
}

/// The lives at which this metric is worth another look; none if it is decided, if nothing hangs on it, or if more lives
/// would not decide it.
fn next_look(one: &MetricVerdict, looks: Looks, least: usize) -> Option<usize> {
    if one.verdict.call != Call::Inconclusive || !one.terms.gate {
        return None;
    }
    let Some(grounds) = one.verdict.grounds else { return looks.next_after(0).map(|look| look.values) };
    let is_hopeless = grounds.lives >= least && grounds.tau > HOPELESS * grounds.se;
    (!is_hopeless).then_some(grounds.next_look)
}

/// The lives at which an unchanged metric is worth another look: as long as a change of the size of its limit would not
/// have been found, and it is not the luck of builds that would hide it.
fn surer(one: &MetricVerdict) -> Option<usize> {
    let verdict = &one.verdict;
    let grounds = verdict.grounds.filter(|_| verdict.call == Call::Unchanged)?;
    let is_blind = verdict.detectable.is_none_or(|smallest| smallest.log() > verdict.limit.log());
    (one.terms.gate && is_blind && grounds.tau < grounds.se).then_some(grounds.next_look)
}

/// The lives after which a change of the size of the limit should be seen, by what `least` of them see: fewer say little
/// of their own error.
fn lives_to_see(one: &MetricVerdict, least: usize) -> Option<usize> {
    surer(one)?;
    let (lives, smallest) = (one.verdict.grounds?.lives, one.verdict.detectable?);
    if lives < least {
        return None;
    }
    let times = (smallest.log() / one.verdict.limit.log()).powi(2);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and bounded")]
    let wanted = (lives as f64 * times).ceil().min(1e9) as usize;
    Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Life, Metric, Pattern, PolicyEntry};

    fn bout(lives: usize, effect: f64, apart: f64) -> Bout {
        let life = |at: usize| Life::new(vec![effect + if at.is_multiple_of(2) { apart } else { -apart }; 9]).unwrap();
        let readings = Readings::Paired { lives: (0..lives).map(life).collect(), null: vec![] };
        Bout::Dueled(vec![Contest { metric: Metric::time(), base: 100.0, head: 100.0, readings }])
    }

    /// A rule for ten gated series and two sides.
    fn rule<'a>(aim: Aim, earlier: &'a [Duel], (known, policy): (&'a Known, &'a Policy)) -> Enough<'a> {
        let duel = Duel::example(vec![]);
        Enough { aim, duel, earlier, policy, known, gated_series: 10, inputs: Inputs::Differ, sides: Sides::Two }
    }

    /// What it wants of these.
    fn wanted<const N: usize>(rule: &mut Enough<'_>, bouts: [(&str, Bout); N]) -> Vec<(String, usize)> {
        let bouts = bouts.into_iter().map(|(name, bout)| (BenchmarkName::new(name).unwrap(), bout)).collect();
        rule.wants(&bouts).into_iter().map(|(name, want)| (name.to_string(), want.next)).collect()
    }

    #[test]
    fn the_doubtful_get_more_lives_and_the_decided_and_the_hopeless_none() {
        let (known, policy) = (Known::default(), Policy::default());
        let mut rule = rule(Aim::Verdict, &[], (&known, &policy));
        assert_eq!((rule.first_look(), rule.least_for_a_finding()), (5, 15));
        let bouts = [
            ("unchanged", bout(5, 0.0, 0.0005)),
            ("doubtful", bout(5, 0.01, 0.02)),
            ("much slower", bout(15, 0.3, 0.001)),
            ("slower within luck", bout(15, 0.03, 0.0005)),
            ("gone", Bout::Missing),
        ];
        assert_eq!(wanted(&mut rule, bouts), [("doubtful".to_owned(), 7)]);
    }

    #[test]
    fn what_is_unchanged_gets_what_others_leave_until_a_change_of_its_limit_would_be_seen() {
        let known = Known::default();
        let entry = |pattern: &str, widen| PolicyEntry {
            pattern: Some(Pattern::new(pattern)),
            widen: Some(widen),
            ..PolicyEntry::default()
        };
        let entries = vec![entry("*", false), entry("lucky", true)];
        let policy = Policy { entries, ..Policy::default() };
        let mut rule = rule(Aim::Verdict, &[], (&known, &policy));
        let bouts = [
            ("seen", bout(5, 0.0, 0.0001)),
            ("blind", bout(5, 0.0, 0.006)),
            ("lucky", bout(5, 0.0, 0.006)),
            ("doubtful", bout(5, 0.01, 0.02)),
        ];
        let all = bouts.into_iter().map(|(name, bout)| (BenchmarkName::new(name).unwrap(), bout)).collect();
        let wants = rule.wants(&all);
        let decided = |name: &str| wants.get(&BenchmarkName::new(name).unwrap()).map(|want| want.is_decided);
        assert_eq!(["seen", "blind", "lucky", "doubtful"].map(decided), [None, Some(true), None, Some(false)]);
        assert_eq!(wants["blind"].enough, 15, "what five lives see is not asked how many more it takes");
        let long = [(BenchmarkName::new("blind").unwrap(), bout(45, 0.0, 0.025))];
        let want = rule.wants(&long.into())["blind"];
        assert!(want.is_decided && want.next == 59 && (46..200).contains(&want.enough), "{want:?}");
    }

    #[test]
    fn a_repeated_duel_goes_on_with_the_lives_of_the_earlier_one() {
        let (known, policy) = (Known::default(), Policy::default());
        let bouts = |lives| {
            [("unchanged", bout(lives, 0.0, 0.0005)), ("doubtful", bout(lives, 0.01, 0.02)), ("new", Bout::New)]
        };
        let earlier = [Duel::example(bouts(7).into())];
        let mut rule = rule(Aim::Verdict, &earlier, (&known, &policy));
        assert_eq!(rule.first_look(), 1);
        let wants = wanted(&mut rule, bouts(1));
        assert_eq!(wants, [("doubtful".to_owned(), 3)], "the look after seven lives stands at ten");
        let all = bouts(1).into_iter().map(|(name, bout)| (BenchmarkName::new(name).unwrap(), bout)).collect();
        assert_eq!(rule.wants(&all)["doubtful"].enough, 15 - 7, "so many more could be a finding");
    }

    #[test]
    fn a_size_is_measured_until_it_is_known_however_large_it_is() {
        let (known, policy) = (Known::default(), Policy::default());
        let mut rule = rule(Aim::Size, &[], (&known, &policy));
        assert_eq!((rule.first_look(), rule.least_for_a_finding()), (5, 5));
        let bouts = [
            ("known", bout(5, 0.7, 0.0005)),
            ("vague", bout(5, 0.7, 0.02)),
            ("vague for ever", bout(30, 0.7, 0.5)),
            ("gone", Bout::Missing),
        ];
        assert_eq!(wanted(&mut rule, bouts), [("vague".to_owned(), 6)]);
    }
}
