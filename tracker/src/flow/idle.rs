//! Rules that do nothing, and rules that nothing can meet: a typing error in one must not look like a green gate.

use crate::domain::{Acceptance, BenchmarkName, Judged, Kind, Metric, Policy, PolicyEntry, Report, Terms, closest};

/// What is to be said of the rules under which all suites of a project were judged.
pub(super) fn remarks(policy: &Policy, accepted: &[Acceptance], reports: &[Report]) -> Vec<String> {
    let all: Vec<Series<'_>> = reports.iter().flat_map(series).collect();
    let entries = policy.entries.iter().enumerate().filter(|(_, entry)| !all.iter().any(|one| one.is_meant(entry)));
    let mut said: Vec<String> = entries.map(|(at, entry)| idle(at, entry, &all)).collect();
    said.extend(policy.entries.iter().enumerate().filter_map(|(at, entry)| pointless(at, entry, &policy.entries)));
    let means = |entry: &Acceptance| all.iter().any(|one| entry.is_about(one.benchmark, one.is_missing));
    let gone = accepted.iter().filter(|entry| !means(entry));
    said.extend(gone.map(|entry| format!("the acceptance of {entry} is about nothing that base has; take it out")));
    if all.iter().any(Series::is_out_of_reach) {
        let why = "a limit of 0 % leaves a noisy metric undecided where nothing moves, for no measurement proves that two \
                   times are equal; give it a limit that is worth a red";
        said.push(why.to_owned());
    }
    said
}

/// Something that an entry may be about.
struct Series<'a> {
    benchmark: &'a BenchmarkName,
    /// None where the benchmark has no numbers.
    metric: Option<(&'a Metric, Option<Terms>)>,
    /// Whether head has no such benchmark.
    is_missing: bool,
}

impl Series<'_> {
    fn is_meant(&self, entry: &PolicyEntry) -> bool {
        match self.metric {
            Some((metric, _)) => entry.is_about(self.benchmark, metric),
            // Of an entry that names it, nobody knows whether it has the metric; one for all benchmarks is not about it alone.
            None => match &entry.pattern {
                Some(pattern) => pattern.matches(self.benchmark.as_str()),
                None => entry.metric.is_none(),
            },
        }
    }

    fn is_out_of_reach(&self) -> bool {
        let of = |(metric, terms): (&Metric, Option<Terms>)| {
            metric.kind == Kind::Noisy && terms.is_some_and(|terms| terms.gate && terms.limit.share() <= 0.0)
        };
        self.metric.is_some_and(of)
    }
}

fn series(report: &Report) -> Vec<Series<'_>> {
    let judged = report.judged.iter().flat_map(|(benchmark, judged)| {
        let metrics = match judged {
            Judged::Verdicts(all) => all.iter().map(|one| Some((&one.metric, Some(one.terms)))).collect(),
            Judged::Missing | Judged::New | Judged::Failed { .. } => vec![None],
        };
        let is_missing = *judged == Judged::Missing;
        metrics.into_iter().map(move |metric| Series { benchmark, metric, is_missing })
    });
    let lone = report.lone.iter().map(|one| Series {
        benchmark: &one.benchmark,
        metric: Some((&one.metric, None)),
        is_missing: false,
    });
    judged.chain(lone).collect()
}

/// What an entry does that says nothing, or that a later one of the very same series takes back.
fn pointless(at: usize, entry: &PolicyEntry, all: &[PolicyEntry]) -> Option<String> {
    let says = |entry: &PolicyEntry| [entry.limit.is_some(), entry.gate.is_some(), entry.widen.is_some()];
    let number = at + 1;
    if says(entry) == [false; 3] {
        return Some(format!("[[policy]] entry {number} says nothing: it has no `limit`, `gate` or `widen`"));
    }
    let is_same = |other: &PolicyEntry| (&other.pattern, &other.metric) == (&entry.pattern, &entry.metric);
    let takes_back = |other: &PolicyEntry| says(other).iter().zip(says(entry)).any(|(other, own)| *other && own);
    let later = all.iter().enumerate().skip(number).find(|(_, other)| is_same(other) && takes_back(other));
    later.map(|(later, _)| format!("[[policy]] entry {} takes back what entry {number} says of the same", later + 1))
}

fn idle(at: usize, entry: &PolicyEntry, all: &[Series<'_>]) -> String {
    let pattern = entry.pattern.as_ref().map(|pattern| format!("pattern {:?}", pattern.as_str()));
    let metric = entry.metric.as_ref().map(|metric| format!("metric {metric:?}"));
    let what: Vec<String> = pattern.into_iter().chain(metric).collect();
    let known: Vec<&str> = all.iter().filter_map(|one| Some(one.metric?.0.name.as_str())).collect();
    let near = entry.metric.as_deref().filter(|metric| !known.contains(metric)).and_then(|metric| {
        closest(metric, known.iter().copied()).map(|near| format!("; did you mean metric {near:?}?"))
    });
    let (number, what, near) = (at + 1, what.join(", "), near.unwrap_or_default());
    format!("[[policy]] entry {number} ({what}) is about nothing that was measured{near}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Bout, Contest, Duel, Life, Readings};
    use crate::judge::known::Known;
    use crate::judge::report::report;

    fn said(entries: &str, accepted: &str) -> Vec<String> {
        let config = format!("{entries}\n[suite.a]\nworker = [\"x\"]");
        let policy = crate::config::Config::parse(&config).unwrap().policy;
        let lives = (0..20).map(|at| Life::new(vec![f64::from(at) * 1e-9]).unwrap()).collect();
        let readings = Readings::Paired { lives, null: vec![] };
        let contest = Contest { metric: Metric::time(), base: 1.0, head: 1.0, readings };
        let duel = Duel::example(vec![("kernel/a", Bout::Dueled(vec![contest])), ("gone", Bout::Missing)]);
        let accepted: Vec<Acceptance> = accepted
            .split("---")
            .filter(|text| !text.is_empty())
            .map(|text| {
                let (commit, base) = ("b".repeat(40), "a".repeat(40));
                let rest = format!("reason = \"x\"\nuntil = \"rebased\"\ncommit = \"{commit}\"\nbase = \"{base}\"");
                toml::from_str(&format!("{text}\n{rest}")).unwrap()
            })
            .collect();
        remarks(&policy, &accepted, &[report(&duel, &policy, &Known::default(), 1)])
    }

    #[test]
    fn a_pattern_or_metric_that_names_nothing_is_said_and_one_that_names_something_is_not() {
        let good = "[[policy]]\nlimit = \"3 %\"\n[[policy]]\npattern = \"kernel/*\"\nmetric = \"time\"\ngate = true\n\
                    [[policy]]\npattern = \"=gone\"\nmetric = \"bytes\"\nwiden = false\n";
        assert_eq!(
            said(good, "pattern = \"kernel/*\"\nmetric = \"time\"\nallowed = \"5 %\"---pattern = \"=gone\""),
            [""; 0]
        );
        let wrong =
            "[[policy]]\npattern = \"kernle/*\"\nlimit = \"3 %\"\n[[policy]]\nmetric = \"tiem\"\ngate = false\n";
        let said =
            said(wrong, "pattern = \"=renamed\"\nmetric = \"time\"\nallowed = \"5 %\"---pattern = \"=kernel/a\"");
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said[0].starts_with("[[policy]] entry 1 (pattern \"kernle/*\") is about nothing"), "{said:?}");
        assert!(said[1].ends_with("did you mean metric \"time\"?"), "{said:?}");
        assert!(
            said[2].contains("time of =renamed up to 5 %") && said[3].contains("that =kernel/a is gone"),
            "{said:?}"
        );
    }

    #[test]
    fn an_entry_that_says_nothing_and_one_that_is_taken_back_are_said() {
        let entries = "[[policy]]\npattern = \"*\"\n[[policy]]\nlimit = \"3 %\"\n[[policy]]\ngate = true\n[[policy]]\nlimit = \"5 %\"\n";
        let said = said(entries, "");
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said[0].contains("entry 1 says nothing") && said[1].contains("entry 4 takes back what entry 2"),
            "{said:?}"
        );
    }

    #[test]
    fn a_limit_that_no_measurement_meets_is_said_and_one_that_nobody_gates_is_not() {
        let zero = said("[[policy]]\nlimit = \"0 %\"", "");
        assert!(zero.len() == 1 && zero[0].contains("0 %"), "{zero:?}");
        assert_eq!(said("[[policy]]\nlimit = \"0 %\"\ngate = false", ""), [""; 0]);
    }
}
