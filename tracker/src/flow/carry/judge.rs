//! Judging anew what other jobs measured, under the rules of the trusted side. The parts that several jobs measured
//! become one report with one error budget; a part that is missing is said.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::Carried;
use crate::config::Config;
use crate::domain::{Acceptance, BenchmarkName, Bout, Duel, Kind, Lack, Metric, Report, Shard, SuiteName, Unreported};
use crate::failure::{Failure, Outcome};
use crate::flow::acceptances;
use crate::flow::duel::{self, ALL_SHARDS, PROGRAM};
use crate::flow::gate::HeadOf;
use crate::flow::inputs;
use crate::flow::project::Project;
use crate::judge;
use crate::judge::known::Known;

/// What is said where the job that measured found no base.
const OLD_GROUND: &str = "the change left the main branch before this suite was there: bring it up to date";

/// What the trusted side knows of a duel's sides: what earlier duels teach, and those of the very same sides.
pub type Past<'a> = dyn FnMut(&Duel) -> Outcome<(Known, Vec<Duel>)> + 'a;

/// The trusted side.
pub struct Trusted<'a> {
    /// The project, as it is checked out.
    pub project: &'a Project,
    /// The rules, and whose they are in words.
    pub rules: (&'a Config, &'a str),
    /// Whether base has no rules, so that suites may well be new.
    pub base_has_none: bool,
    /// Whose head it is.
    pub head_of: HeadOf,
    /// The day.
    pub today: Date,
}

/// What is said of all that was carried.
#[derive(Debug, Default)]
pub struct Judged {
    /// A report for each suite that was measured.
    pub reports: Vec<Report>,
    /// The others, and what is missing of those.
    pub unreported: Vec<Unreported>,
    /// What else is to be said.
    pub remarks: Vec<String>,
}

/// Judges anew what was carried.
pub fn judge(files: &[Carried], trusted: &Trusted<'_>, past: &mut Past<'_>) -> Outcome<Judged> {
    let config = trusted.rules.0;
    let mut judged = Judged::default();
    let mut parts: BTreeMap<&SuiteName, Vec<&Duel>> = BTreeMap::new();
    // The first part stands for the whole, and findings have their addresses from it: in whatever order the files come.
    let mut in_order: Vec<&Carried> = files.iter().collect();
    in_order.sort_by_key(|file| file.shard);
    for duel in in_order.iter().flat_map(|file| &file.duels) {
        known(config, &duel.suite)?;
        parts.entry(&duel.suite).or_default().push(duel);
    }
    for (suite, duels) in &parts {
        agree(suite, duels, files)?;
        judged.reports.extend(trusted.suite(duels, past, &mut judged.remarks)?);
        judged.unreported.extend(lost(suite, duels));
    }
    for one in files.iter().flat_map(|file| &file.unreported) {
        known(config, &one.suite)?;
        // The trusted side has the suite, so what was changed stands on older ground; whoever says so may also want to be
        // judged by nobody.
        let is_old = one.lack == Lack::New && !trusted.base_has_none;
        let told = if is_old {
            Unreported { lack: Lack::Unmeasured, said: OLD_GROUND.to_owned(), ..one.clone() }
        } else {
            one.clone()
        };
        if !judged.unreported.iter().any(|known| (&known.suite, known.lack) == (&told.suite, told.lack)) {
            judged.unreported.push(told);
        }
    }
    let absent = absent(files)?;
    for suite in config.suites.keys() {
        let lack = |said: String| Unreported { suite: suite.clone(), lack: Lack::Unmeasured, said };
        let is_told = parts.contains_key(suite) || judged.unreported.iter().any(|one| one.suite == *suite);
        if !absent.is_empty() {
            let names: Vec<String> = absent.iter().map(Shard::to_string).collect();
            judged.unreported.push(lack(format!("nothing was handed on by shard {}", names.join(", "))));
        } else if !is_told {
            judged.unreported.push(lack("the job that measured says nothing of it".to_owned()));
        }
    }
    Ok(judged)
}

fn known(config: &Config, suite: &SuiteName) -> Outcome<()> {
    if config.suites.contains_key(suite) {
        return Ok(());
    }
    Err(Failure::usage(anyhow::anyhow!("the file tells of a suite {suite} that the project does not have")))
}

/// The shards of which no file is here.
fn absent(files: &[Carried]) -> Outcome<Vec<Shard>> {
    let shards: BTreeSet<Shard> = files.iter().filter_map(|file| file.shard).collect();
    let Some(first) = shards.first().copied() else { return Ok(Vec::new()) };
    if shards.iter().any(|shard| shard.of() != first.of()) {
        let told: Vec<String> = shards.iter().map(Shard::to_string).collect();
        return Err(Failure::usage(anyhow::anyhow!("the files are of different divisions: {}", told.join(", "))));
    }
    Ok(first.all().filter(|shard| !shards.contains(shard)).collect())
}

/// Parts of one suite are of one base, and each of a shard of its own.
fn agree(suite: &SuiteName, duels: &[&Duel], files: &[Carried]) -> Outcome<()> {
    let mut seen: BTreeSet<Option<Shard>> = BTreeSet::new();
    let telling = files.iter().filter(|file| file.duels.iter().any(|duel| duel.suite == *suite));
    if telling.map(|file| file.shard).any(|shard| !seen.insert(shard)) || (seen.len() > 1 && seen.contains(&None)) {
        return Err(Failure::usage(anyhow::anyhow!("two files tell of suite {suite}, and not as shards of one gate")));
    }
    if duels.windows(2).any(|pair| pair[0].base.subject != pair[1].base.subject) {
        return Err(Failure::usage(anyhow::anyhow!(
            "the shards of suite {suite} were measured against different bases"
        )));
    }
    Ok(())
}

/// A benchmark that no shard measured, told by the number that each says there are.
fn lost(suite: &SuiteName, duels: &[&Duel]) -> Option<Unreported> {
    let told: BTreeSet<&String> = duels.iter().filter_map(|duel| duel.notes.get(ALL_SHARDS)).collect();
    let measured: BTreeSet<&BenchmarkName> = duels.iter().flat_map(|duel| duel.bouts.keys()).collect();
    let count = measured.iter().filter(|name| name.as_str() != PROGRAM).count().to_string();
    if told.iter().all(|told| **told == count) {
        return None;
    }
    let told: Vec<&str> = told.into_iter().map(String::as_str).collect();
    let said = format!("{} benchmarks are offered, and the shards measured {count}: measure again", told.join(" or "));
    Some(Unreported { suite: suite.clone(), lack: Lack::Unmeasured, said })
}

impl Trusted<'_> {
    /// One suite, in one or several parts, as one report.
    fn suite(&self, duels: &[&Duel], past: &mut Past<'_>, remarks: &mut Vec<String>) -> Outcome<Option<Report>> {
        let (config, rules) = self.rules;
        let all: BTreeMap<(&BenchmarkName, String), Metric> = duels.iter().flat_map(|duel| series(duel)).collect();
        let gated_series = config.policy.gated_series(all.iter().map(|((name, _), metric)| (*name, metric)));
        let mut parts = Vec::new();
        for duel in duels {
            let (known, earlier) = past(duel)?;
            let mut report = judge::report::of_pool(duel, &earlier, &config.policy, &known, gated_series);
            report.remarks.extend(duel::remarks(duel));
            parts.push(self.as_inputs_say(Report { rules: rules.to_owned(), ..report }, duel)?);
        }
        let (Some(report), Some(duel)) = (judge::report::of_shards(parts), duels.first()) else { return Ok(None) };
        let (accepted, said) = self.accepted(duel)?;
        remarks.extend(said.into_iter().filter(|one| !remarks.contains(one)).collect::<Vec<_>>());
        Ok(Some(judge::accept::accept(report, &accepted)))
    }

    /// What the change itself says of the numbers, where it is known here: whether anything differs that a benchmark can
    /// see, and whether the benchmark is what changed.
    fn as_inputs_say(&self, mut report: Report, duel: &Duel) -> Outcome<Report> {
        let (base, head) = (&duel.base.subject.commit().id, &duel.head.subject.commit().id);
        if self.project.repository.commit(head.as_str()).is_err() {
            return Ok(report);
        }
        let differing = self.project.repository.differences(base, head, None)?;
        if let Some(suite) = self.rules.0.suites.get(&duel.suite) {
            report.remarks.extend(inputs::said_of_own_source(suite, &differing));
        }
        let is_same = inputs::are_the_same(&duel.base, &duel.head, &differing);
        Ok(if is_same { judge::report::of_same_inputs(report) } else { report })
    }

    /// What is accepted: base's entries, and those that head adds where they hold.
    fn accepted(&self, duel: &Duel) -> Outcome<(Vec<Acceptance>, Vec<String>)> {
        let (base, head) = (duel.base.subject.commit(), duel.head.subject.commit());
        let trusts_head = self.head_of == HeadOf::Ours && self.rules.0.trust_new_acceptances;
        acceptances::holding_here(self.project, base, head, trusts_head, self.today)
    }
}

/// The series over which the error budget is divided: those that base has. An exact metric counts too, for one that
/// differs from life to life is judged as a noisy one.
fn series(duel: &Duel) -> impl Iterator<Item = ((&BenchmarkName, String), Metric)> {
    duel.bouts.iter().flat_map(|(name, bout)| {
        let contests = match bout {
            Bout::Dueled(contests) => &contests[..],
            _ => &[],
        };
        // What one side lacks is not judged by its size, and instructions are never judged as a noisy metric.
        let judged = contests.iter().filter(|one| one.is_on_both() && one.metric.name != Metric::instructions().name);
        judged.map(move |contest| {
            let metric = Metric { kind: Kind::Noisy, ..contest.metric.clone() };
            ((name, metric.name.clone()), metric)
        })
    })
}
