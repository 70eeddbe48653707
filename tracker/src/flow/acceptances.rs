//! The file of acceptances: which entries hold for a gate, and writing one.

use std::fs;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ends::Ends;
use super::project::Project;
use super::replace::Replacement;
use crate::domain::{
    Acceptance, BenchmarkName, Commit, CommitId, Effect, Finding, Judged, Limit, MetricVerdict, Pattern, RawAcceptance,
    Report, Subject, Until,
};
use crate::failure::{Classify, Failure, Outcome};
use crate::repo::Repository;

/// The file's name, in the repository's top folder.
pub const FILE_NAME: &str = "tachograph.accept.toml";

const HEADER: &str = "# Regressions that are accepted, each bounded, with a reason and an end. `tachograph accept` writes here; review it
# like code.
";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accept: Vec<Acceptance>,
}

/// Whose word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum New {
    /// What head adds holds at once.
    Trusted,
    /// What head adds holds once it is base.
    Wait,
    /// The same, since head comes from a fork.
    Fork,
}

/// The acceptances that hold, and what is to be said of the others.
pub(super) fn holding(
    project: &Project,
    ends: &Ends,
    new: New,
    today: Date,
) -> Outcome<(Vec<Acceptance>, Vec<String>)> {
    let of_base = read(project, &Subject::Commit(ends.base.clone()))?;
    let of_head = read(project, &ends.head)?;
    Ok(chosen(&of_base, of_head, &ends.base.id, new, today))
}

/// The acceptances that hold for a change that was measured elsewhere. Those of base are read from this clone, whose history
/// has it; those that head adds only where they would count and the clone has head.
pub fn holding_here(
    project: &Project,
    base: &Commit,
    head: &Commit,
    trusts_head: bool,
    today: Date,
) -> Outcome<(Vec<Acceptance>, Vec<String>)> {
    let of_base = read(project, &Subject::Commit(base.clone()))?;
    let has_head = trusts_head && project.repository.commit(head.id.as_str()).is_ok();
    let of_head = if has_head { read(project, &Subject::Commit(head.clone()))? } else { Vec::new() };
    let (hold, mut said) = chosen(&of_base, of_head, &base.id, New::Trusted, today);
    if trusts_head && !has_head {
        said.push(format!("acceptances that head {} adds are not known here: this clone lacks it", head.id.short()));
    }
    Ok((hold, said))
}

fn chosen(
    of_base: &[Acceptance],
    of_head: Vec<Acceptance>,
    base: &CommitId,
    new: New,
    today: Date,
) -> (Vec<Acceptance>, Vec<String>) {
    let (mut hold, mut said) = (Vec::new(), Vec::new());
    let mut consider = |entry: Acceptance, said: &mut Vec<String>| {
        if entry.holds(today, base) {
            hold.push(entry);
        } else {
            said.push(format!("the acceptance of {entry} is over; take it out of {FILE_NAME}"));
        }
    };
    for entry in of_base {
        consider(entry.clone(), &mut said);
    }
    for entry in of_head.into_iter().filter(|entry| !of_base.contains(entry)) {
        match new {
            New::Trusted => {
                said.push(format!("head adds the acceptance of {entry}"));
                consider(entry, &mut said);
            }
            New::Wait => said.push(format!(
                "head adds the acceptance of {entry}; it holds once it is base, for base does not say trust_new_acceptances"
            )),
            New::Fork => said.push(format!("head adds the acceptance of {entry}; a fork's never hold")),
        }
    }
    (hold, said)
}

fn read(project: &Project, subject: &Subject) -> Outcome<Vec<Acceptance>> {
    if subject.is_dirty() {
        return here(&project.repository);
    }
    let commit = &subject.commit().id;
    let Some(bytes) = project.repository.file(commit, FILE_NAME)? else { return Ok(Vec::new()) };
    parse(&bytes).or_usage(format!("reading {FILE_NAME} of {}", commit.short()))
}

/// The entries of the working copy.
pub(super) fn here(repository: &Repository) -> Outcome<Vec<Acceptance>> {
    let path = repository.root().join(FILE_NAME);
    match fs::read(&path) {
        Ok(bytes) => parse(&bytes).or_usage(format!("reading {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).or_usage(format!("reading {}", path.display())),
    }
}

/// The entries of a file.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Acceptance>, toml::de::Error> {
    toml::from_str(&String::from_utf8_lossy(bytes)).map(|file: File| file.accept)
}

/// The entry that accepts a finding.
pub fn entry(report: &Report, finding: &Finding, reason: &str, until: Until) -> Outcome<Acceptance> {
    let exactly = |benchmark: &BenchmarkName| Pattern::new(format!("={benchmark}"));
    let (pattern, size) = match finding {
        Finding::Regressed { benchmark, metric, .. } => {
            (exactly(benchmark), Some((metric, largest(report, std::slice::from_ref(benchmark), metric))))
        }
        Finding::Common { benchmarks, metric, .. } => {
            (Pattern::new("*"), Some((metric, largest(report, benchmarks, metric))))
        }
        Finding::MissingMetric { benchmarks, .. } if let [only] = &benchmarks[..] => (exactly(only), None),
        Finding::MissingMetric { .. } => (Pattern::new("*"), None),
        Finding::Missing { benchmark } => (exactly(benchmark), None),
        Finding::Failed { benchmark, .. } => {
            let refused = anyhow::anyhow!("{benchmark} failed, and a failure cannot be accepted");
            return Err(Failure::usage(refused).hint("mend it, or take the benchmark out and accept that it is gone"));
        }
    };
    let (metric, allowed) = match size {
        Some((metric, size)) => {
            let allowed = Limit::percent(size).or_usage(format!("accepting {metric}"))?;
            (Some(metric.clone()), Some(allowed))
        }
        None => (None, None),
    };
    let (metric, gone) = match finding {
        Finding::MissingMetric { metric, .. } => (Some(metric.clone()), true),
        _ => (metric, false),
    };
    let (commit, base) = (report.head.subject.commit().id.clone(), report.base.subject.commit().id.clone());
    let raw = RawAcceptance { pattern, metric, allowed, gone, reason: reason.to_owned(), commit, base, until };
    Acceptance::try_from(raw).or_usage("accepting the finding")
}

/// How much worse it may be, in percent: to the end of the interval, so that measuring again does not fail what was
/// accepted, and up to the next tenth.
fn largest(report: &Report, benchmarks: &[BenchmarkName], metric: &str) -> f64 {
    let of_metric = |judged: &Judged| match judged {
        Judged::Verdicts(verdicts) => verdicts.iter().find(|one| one.metric.name == metric).map(reach),
        Judged::Missing | Judged::New | Judged::Failed { .. } => None,
    };
    let reaches = benchmarks.iter().filter_map(|benchmark| of_metric(report.judged.get(benchmark)?));
    let log = reaches.fold(0.0, f64::max);
    (log.exp_m1() * 1000.0).ceil() / 10.0
}

fn reach(one: &MetricVerdict) -> f64 {
    let ends = one.verdict.interval.map(|interval| [interval.low, interval.high]);
    let all = ends.into_iter().flatten().chain([one.verdict.effect]);
    all.map(Effect::log).map(f64::abs).fold(0.0, f64::max)
}

/// The day, UTC, of a moment in seconds since 1970.
#[must_use]
pub fn day(seconds: i64) -> Date {
    let moment = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    jiff::tz::TimeZone::UTC.to_datetime(moment).date()
}

/// Adds an entry to the file in the working copy; says false if it is there already.
pub fn add(project: &Project, entry: &Acceptance) -> Outcome<bool> {
    let path = project.repository.root().join(FILE_NAME);
    let before = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => HEADER.to_owned(),
        Err(error) => return Err(error).or_environment(format!("reading {}", path.display())),
    };
    let file: File = toml::from_str(&before).or_usage(format!("reading {}", path.display()))?;
    if file.accept.contains(entry) {
        return Ok(false);
    }
    let added = toml::to_string(&File { accept: vec![entry.clone()] }).or_environment("writing the entry")?;
    let mut replacement = Replacement::begin(&path)?;
    let text = format!("{}\n\n{added}", before.trim_end());
    std::io::Write::write_all(replacement.file(), text.as_bytes())
        .or_environment(format!("writing {}", path.display()))?;
    replacement.finish()?;
    Ok(true)
}
