//! From an identity that somebody typed to all that a verdict rests on.

use crate::domain::{
    BenchmarkName, Bout, Call, Duel, Effect, Finding, Interval, Judged, Pattern, Policy, Readings, RecordId, Report,
};
use crate::failure::{Failure, Outcome};
use crate::judge::estimate::{Evidence, null_control};
use crate::judge::known::Known;
use crate::judge::{pool, report};
use crate::record::{Found, Store};
use crate::show::explain::{Explained, Reason, repeat};

/// Explains a duel's verdicts, or one finding. Without patterns, those that are more than `unchanged`.
pub fn explain(store: &mut Store, prefix: &str, patterns: &[Pattern]) -> Outcome<Explained> {
    let (report, finding) = said(store, prefix)?;
    let mut earlier = Vec::new();
    for id in &report.pooled {
        earlier.extend(store.duel(id)?);
    }
    // Of a suite that several jobs measured, each benchmark stands in one of the parts.
    let mut parts = Vec::new();
    for id in std::iter::once(&report.duel).chain(&report.shards) {
        parts.extend(store.duel(id)?.map(|duel| pool::pooled(&earlier, &duel)));
    }
    let first = parts.first().ok_or_else(|| nothing(prefix))?;
    let seed = first.seed;
    let finding = finding.as_ref();
    let chosen = |benchmark: &BenchmarkName, metric: &str, call: Call| match finding {
        Some(finding) => is_about(finding, benchmark, metric),
        None if patterns.is_empty() => call != Call::Unchanged,
        None => patterns.iter().any(|pattern| pattern.matches(benchmark.as_str())),
    };

    let (mut verdicts, mut others) = (Vec::new(), 0);
    for (benchmark, judged) in &report.judged {
        let Judged::Verdicts(all) = judged else { continue };
        for one in all {
            let metric = &one.metric.name;
            if !chosen(benchmark, metric, one.verdict.call) {
                others += 1;
                continue;
            }
            let part = parts.iter().find(|part| part.bouts.contains_key(benchmark)).unwrap_or(first);
            verdicts.push(Reason {
                benchmark: benchmark.clone(),
                verdict: one.clone(),
                finding: address(&report, benchmark, metric),
                null: null(part, benchmark, metric),
                repeat: repeat(&report, part.seed, Some(benchmark)),
            });
        }
    }
    let is_unmeasured = |one: &&Finding| match (finding, one) {
        (Some(finding), one) => finding == *one,
        (None, Finding::Missing { benchmark } | Finding::Failed { benchmark, .. }) => {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(benchmark.as_str()))
        }
        (None, Finding::MissingMetric { benchmarks, .. }) => {
            patterns.is_empty() || benchmarks.iter().any(|name| patterns.iter().any(|one| one.matches(name.as_str())))
        }
        (None, _) => false,
    };
    let unmeasured = report.findings.iter().filter(is_unmeasured).cloned().collect();
    Ok(Explained { report, seed, verdicts, unmeasured, others })
}

/// The report that an identity leads to, and the finding if it is one's address.
pub fn said(store: &mut Store, prefix: &str) -> Outcome<(Report, Option<Finding>)> {
    let one = |found: Found, what: &str| match found {
        Found::None => Ok(None),
        Found::One(id) => Ok(Some(id)),
        Found::Several(ids) => {
            let ids: Vec<&str> = ids.iter().map(RecordId::short).collect();
            let several = anyhow::anyhow!("several {what} begin with {prefix}: {}", ids.join(", "));
            Err(Failure::usage(several).hint("give more of it"))
        }
    };
    if let Some(id) = one(store.find_duel(prefix)?, "duels")? {
        // A part of a suite was judged together with the others.
        let judged = store.last_judgement(&id)?;
        if let Some(report) = judged.map_or_else(|| store.last_judgement_with(&id), |report| Ok(Some(report)))? {
            return Ok((report, None));
        }
        let duel = store.duel(&id)?.ok_or_else(|| nothing(prefix))?;
        // A sketch bears the name of the whole that it was made from, which its own content does not give.
        return Ok((Report { duel: id, ..unjudged(&duel) }, None));
    }
    let Some(address) = one(store.find_finding(prefix)?, "findings")? else { return Err(nothing(prefix)) };
    let report = store.judgement_of_finding(&address)?.ok_or_else(|| nothing(prefix))?;
    let finding = report.findings.iter().find(|finding| finding.address(&report.duel) == address).cloned();
    Ok((report, finding))
}

fn nothing(prefix: &str) -> Failure {
    Failure::usage(anyhow::anyhow!("no duel and no finding begins with {prefix:?}")).hint(
        "`tachograph duels` lists the duels, and `tachograph explain DUEL` the findings of one; what a CI job found is \
             known here after `tachograph report --bundle FILE --commit HASH --keep` with the files that it handed on",
    )
}

/// A duel that came without verdicts, under the defaults and without a past.
fn unjudged(duel: &Duel) -> Report {
    let policy = Policy::default();
    let mut series = Vec::new();
    for (name, bout) in &duel.bouts {
        let Bout::Dueled(contests) = bout else { continue };
        series.extend(contests.iter().filter(|one| one.is_on_both()).map(|contest| (name, &contest.metric)));
    }
    report::report(duel, &policy, &Known::default(), policy.gated_series(series))
}

fn is_about(finding: &Finding, name: &BenchmarkName, of: &str) -> bool {
    match finding {
        Finding::Regressed { benchmark, metric, .. } => benchmark == name && metric == of,
        Finding::Common { metric, benchmarks, .. } => metric == of && benchmarks.contains(name),
        Finding::Missing { .. } | Finding::MissingMetric { .. } | Finding::Failed { .. } => false,
    }
}

/// The address that a regression of this metric has.
fn address(report: &Report, benchmark: &BenchmarkName, metric: &str) -> Option<RecordId> {
    report.findings.iter().find(|finding| is_about(finding, benchmark, metric)).map(|one| one.address(&report.duel))
}

fn null(duel: &Duel, benchmark: &BenchmarkName, metric: &str) -> Option<(Effect, Interval)> {
    let Bout::Dueled(contests) = duel.bouts.get(benchmark)? else { return None };
    let contest = contests.iter().find(|contest| contest.metric.name == metric)?;
    let Readings::Paired { lives, null } = &contest.readings else { return None };
    let (effect, reach) = null_control(&Evidence::of(lives, null).control)?;
    let at = |log: f64| Effect::from_log(log);
    Some((at(effect), Interval { low: at(effect - reach), high: at(effect + reach), level: 0.95 }))
}
