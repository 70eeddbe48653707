//! What a verdict rests on, down to the command that repeats it.

use std::fmt::Write as _;

use serde::Serialize;

use super::escape;
use super::gate::{few, side};
use super::judgement::{percent, size};
use super::number;
use crate::domain::{
    BenchmarkName, Call, Effect, Finding, Grounds, Interval, MetricVerdict, RecordId, Report, Subject, Trouble,
};

/// A report, and those of its verdicts that are to be explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// The whole report.
    pub report: Report,
    /// What random orders followed from.
    pub seed: u64,
    /// The verdicts, in order.
    pub verdicts: Vec<Reason>,
    /// What has no numbers.
    pub unmeasured: Vec<Finding>,
    /// Verdicts that were not asked for.
    pub others: usize,
}

/// One verdict with what is not in the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// What was said.
    pub verdict: MetricVerdict,
    /// The address of the finding, if it is one.
    pub finding: Option<RecordId>,
    /// Base against base: the effect, and its interval.
    pub null: Option<(Effect, Interval)>,
    /// The command that measures it again.
    pub repeat: String,
}

/// The command that measures again what a report judged; one benchmark of it, or all.
#[must_use]
pub fn repeat(report: &Report, seed: u64, benchmark: Option<&BenchmarkName>) -> String {
    let mut command = format!("tachograph gate --base {}", report.base.subject.commit().id);
    // Writing to a text cannot fail.
    if let Subject::Commit(commit) = &report.head.subject {
        let _ = write!(command, " --head {}", commit.id);
    }
    let _ = write!(command, " --suite {}", quoted(report.suite.as_str()));
    if let Some(benchmark) = benchmark {
        let _ = write!(command, " --filter {}", quoted(&format!("={benchmark}")));
    }
    let _ = write!(command, " --seed {seed}");
    command
}

/// A word as a shell takes it, whatever is in it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '/' | '.');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// All of it for a person.
#[must_use]
pub fn text(explained: &Explained) -> String {
    let report = &explained.report;
    let mut out =
        format!("{}: suite {}, duel {}\n", report.whole.as_str(), escape::line(report.suite.as_str()), report.duel);
    let _ = writeln!(out, "  base     {}", side(&report.base.subject));
    let _ = writeln!(out, "  head     {}", side(&report.head.subject));
    let one_build = report.base.program.is_some() && report.base.program == report.head.program;
    if one_build {
        out.push_str("  builds   both sides ran the very same program, so no luck of builds comes in\n");
    }
    let _ = writeln!(out, "  machine  {}", escape::line(&report.machine.title()));
    if !report.shards.is_empty() {
        let others: Vec<&str> = report.shards.iter().map(RecordId::short).collect();
        let _ = writeln!(out, "  parts    measured by several jobs; the others are {}", others.join(", "));
    }
    if !report.pooled.is_empty() {
        let earlier: Vec<&str> = report.pooled.iter().map(RecordId::short).collect();
        let _ = writeln!(out, "  pooled   with the lives of {}", earlier.join(", "));
    }
    let _ = writeln!(
        out,
        "  budget   {} gates may be red for nothing, divided over {} gated series",
        report.policy.false_reds, report.gated_series
    );
    let _ = writeln!(out, "  policy   {}", escape::line(&report.rules));
    for finding in &explained.unmeasured {
        unmeasured(&mut out, finding, &report.duel);
    }
    for reason in &explained.verdicts {
        out.push('\n');
        // Writing to a text cannot fail.
        let _ = one(&mut out, reason, report);
    }
    if explained.others > 0 {
        let _ =
            writeln!(out, "\n{} more unchanged or not asked for; name them with --filter PATTERN", explained.others);
    }
    out
}

fn unmeasured(out: &mut String, finding: &Finding, duel: &RecordId) {
    let address = finding.address(duel);
    let said = match finding {
        Finding::Missing { benchmark } => format!("{benchmark}: missing: base has it, head has not"),
        Finding::Failed { benchmark, on_head, trouble: Trouble { reason, .. } } => {
            format!("{benchmark}: failed on {}: {reason}", if *on_head { "head" } else { "base" })
        }
        Finding::MissingMetric { metric, benchmarks } => {
            format!("{metric}: missing: base reads it off {}, head does not", few(benchmarks))
        }
        Finding::Regressed { .. } | Finding::Common { .. } => return,
    };
    let _ = writeln!(out, "\n{}\n  finding   {}", escape::line(&said), address.short());
}

/// One verdict with what it rests on.
pub(super) fn one(out: &mut String, reason: &Reason, report: &Report) -> std::fmt::Result {
    let Reason { benchmark, verdict: MetricVerdict { metric, base, head, terms, verdict }, .. } = reason;
    let name = format!("{benchmark}, {}: {}, {}", metric.name, verdict.call, percent(verdict.effect));
    writeln!(out, "{}", escape::line(&name))?;
    let value = |value: f64| number::quantity(value, &metric.unit);
    writeln!(out, "  medians   {} on base, {} on head", escape::line(&value(*base)), escape::line(&value(*head)))?;
    match &verdict.grounds {
        Some(grounds) => noisy(out, reason, grounds, verdict.interval)?,
        None if verdict.interval.is_none() && metric.kind == crate::domain::Kind::Exact => {
            writeln!(out, "  rule      numbers of the binary, compared as numbers")?;
        }
        None => writeln!(out, "  rule      too few lives for a first look: nothing can be said")?,
    }
    let from = match terms.limit_from {
        Some(entry) => format!("from [[policy]] entry {} of {}", entry + 1, report.rules),
        None => format!("the default for {} metrics", metric.kind.as_str()),
    };
    writeln!(out, "  limit     {}, {}", verdict.limit, escape::line(&from))?;
    if !terms.gate {
        writeln!(out, "  gate      no: it is only reported")?;
    }
    if let Some(finding) = &reason.finding {
        writeln!(out, "  finding   {}", finding.short())?;
    }
    writeln!(out, "  repeat    {}", escape::line(&reason.repeat))
}

fn noisy(out: &mut String, reason: &Reason, grounds: &Grounds, interval: Option<Interval>) -> std::fmt::Result {
    let MetricVerdict { terms, verdict, .. } = &reason.verdict;
    let share = |log: f64| format!("{:.3} %", Effect::from_log(log).relative() * 100.0);
    let Grounds { lives, pairs, se, se_df, tau, lessons, df, bias, level, factor, signs, places, next_look } = *grounds;
    writeln!(out, "  evidence  {pairs} pairs in {lives} lives; the next look stands at {next_look}")?;
    if let Some(Interval { low, high, level }) = interval {
        writeln!(out, "  interval  {} to {} ({:.0} %)", percent(low), percent(high), level * 100.0)?;
    }
    writeln!(out, "  error     {} from how lives disagree ({se_df:.1} degrees of freedom)", share(se))?;
    let luck = match (terms.widen, tau > 0.0, lessons) {
        (false, ..) => "none added: the policy takes the limit literally".to_owned(),
        (true, false, _) => "none: one build".to_owned(),
        (true, true, 0) => format!("{} assumed, for no earlier duel of different builds is known", share(tau)),
        (true, true, lessons) => format!("{} learned from {lessons} earlier duels of different builds", share(tau)),
    };
    writeln!(out, "  builds    {luck}")?;
    match &reason.null {
        Some((effect, Interval { low, high, .. })) => {
            let proves =
                if bias > 0.0 { format!("proves a bias of {}", share(bias)) } else { "proves no bias".to_owned() };
            writeln!(
                out,
                "  null      base against base: {} ({} to {}), {proves}",
                percent(*effect),
                percent(*low),
                percent(*high)
            )?;
        }
        None => writeln!(out, "  null      base against base: too few lives")?,
    }
    match (level, factor) {
        (Some(level), Some(factor)) => {
            let bar = factor * se.hypot(tau) + bias;
            writeln!(
                out,
                "  rule      beyond {factor:.2} errors of both kinds ({df:.1} degrees of freedom), at a level of {level:.2e}: {}",
                share(bar)
            )?;
        }
        _ => writeln!(out, "  rule      too few lives for any finding at this budget")?,
    }
    for (name, chance, test) in
        [("signs ", signs, "Wilcoxon"), ("places", places, "head among head, base and the null control")]
    {
        if let Some(chance) = chance {
            let enough = if level.is_some_and(|level| chance <= level) { "enough" } else { "not enough" };
            writeln!(out, "  {name}    {chance:.2e} by chance ({test}), {enough}")?;
        }
    }
    match verdict.detectable {
        Some(detectable) if verdict.call == Call::Unchanged => {
            writeln!(out, "  seen      a slowdown of {} would have been found 9 times in 10", size(detectable))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Duel, Judged, Limit, Metric, Policy, Terms, Verdict, Whole};

    #[test]
    fn every_number_of_a_verdict_is_named_with_the_command_that_repeats_it() {
        let duel = Duel::example(vec![]);
        let effect = |relative: f64| Effect::from(relative);
        let limit = Limit::percent(2.0).unwrap();
        let interval = |low, high| Interval { low: effect(low), high: effect(high), level: 0.95 };
        let verdict = Verdict {
            call: Call::Regressed,
            effect: effect(0.031),
            interval: Some(interval(0.028, 0.034)),
            limit,
            detectable: None,
            grounds: Some(Grounds {
                lives: 17,
                pairs: 340,
                se: 0.0015,
                se_df: 14.0,
                tau: 0.002,
                lessons: 30,
                df: 20.3,
                bias: 0.0,
                level: Some(1e-5),
                factor: Some(5.1),
                signs: Some(7.6e-6),
                places: None,
                next_look: 23,
            }),
        };
        let terms = Terms { limit, limit_from: Some(1), gate: true, widen: true };
        let verdict = MetricVerdict { metric: Metric::time(), base: 5000.0, head: 5155.0, terms, verdict };
        let benchmark = BenchmarkName::new("it's/\u{1b}[2J").unwrap();
        let report = Report {
            duel: RecordId::parse(&"0".repeat(64)).unwrap(),
            pooled: vec![],
            shards: vec![],
            suite: duel.suite,
            base: duel.base,
            head: duel.head,
            machine: duel.machine,
            policy: Policy::default(),
            rules: "tachograph.toml of base aaaaaaaaaa".to_owned(),
            gated_series: 50,
            whole: Whole::Red,
            findings: vec![],
            accepted: vec![],
            remarks: vec![],
            lone: vec![],
            judged: [(benchmark.clone(), Judged::Verdicts(vec![verdict.clone()]))].into(),
        };
        let repeat = repeat(&report, 7, Some(&benchmark));
        let null = Some((effect(0.0001), interval(-0.0005, 0.0007)));
        let verdicts = vec![Reason { benchmark, verdict, finding: None, null, repeat }];
        let explained = Explained { report, seed: 7, verdicts, unmeasured: vec![], others: 49 };
        insta::assert_snapshot!(text(&explained), @r"
        red: suite engine, duel 0000000000000000000000000000000000000000000000000000000000000000
          base     aaaaaaaaaa Commit a
          head     bbbbbbbbbb Commit b
          machine  bench-1
          budget   1 in 1000 gates may be red for nothing, divided over 50 gated series
          policy   tachograph.toml of base aaaaaaaaaa

        it's/\u{1b}[2J, time: regressed, +3.10 %
          medians   5 µs on base, 5.155 µs on head
          evidence  340 pairs in 17 lives; the next look stands at 23
          interval  +2.80 % to +3.40 % (95 %)
          error     0.150 % from how lives disagree (14.0 degrees of freedom)
          builds    0.200 % learned from 30 earlier duels of different builds
          null      base against base: +0.01 % (-0.05 % to +0.07 %), proves no bias
          rule      beyond 5.10 errors of both kinds (20.3 degrees of freedom), at a level of 1.00e-5: 1.283 %
          signs     7.60e-6 by chance (Wilcoxon), enough
          limit     2 %, from [[policy]] entry 2 of tachograph.toml of base aaaaaaaaaa
          repeat    tachograph gate --base aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --head bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb --suite engine --filter '=it'\''s/\u{1b}[2J' --seed 7

        49 more unchanged or not asked for; name them with --filter PATTERN
        ");
    }
}
