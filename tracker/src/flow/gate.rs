//! A gate, from what a person asked for to a report for each suite: base and head are found, laid out, built side by
//! side, dueled and judged under base's policy.

mod asked;
mod new;
mod part;
mod sides;
mod terms;

use std::collections::BTreeMap;

pub use self::asked::{Ended, Event, HeadOf, Request, Shortcut, WhosePolicy};
use self::terms::{Terms, terms};
use super::acceptances;
use super::duel::{Dueled, Job, remarks};
use super::ends::{Ends, ends};
use super::enough::{Aim, Inputs};
use super::idle;
use super::inputs;
use super::instructions;
use super::project::{Project, absent};
use super::run::{self, chosen, machine_of};
use super::side::Built;
use crate::config::{Config, Suite};
use crate::domain::{Acceptance, Commit, CommitId, Duel, Lack, Machine, RecordId, Report, Side, SuiteName, Unreported};
use crate::failure::{Failure, Outcome};
use crate::judge;
use crate::judge::known::Known;
use crate::measure::count::Counter;
use crate::measure::duel::Options;
use crate::measure::interrupt::Stop;
use crate::record::{Address, Match, Store, Trust};
use crate::repo::{Bench, Worktree};

const OTHER_BASE: &str = "name a base that can be used with --base REV, or mend what it lacks here";

/// Compares what was asked for, and records it. `now_s` tells the time of day in seconds since 1970 UTC, `tell` hears how
/// it goes.
pub fn gate(
    project: &Project,
    request: &Request,
    address: &Address,
    stop: &Stop,
    now_s: &dyn Fn() -> i64,
    tell: &mut dyn FnMut(Event<'_>),
) -> Outcome<Ended> {
    let Some(ends) = ends(project, request.base.as_deref(), request.head.as_deref())? else { return Ok(Ended::NoBase) };
    tell(Event::Remark(format!("base is {}, {}", named(&ends.base), ends.because)));
    if ends.base.id == ends.head.commit().id && !ends.head.is_dirty() {
        let what = "base and head are one commit: this shows what the gate says of a program against itself";
        tell(Event::Remark(what.to_owned()));
    }
    let Terms { config, from, base_has_none, accepted } =
        terms(project, request, &ends, acceptances::day(now_s()), tell)?;
    let wanted = run::Request { suites: request.suites.clone(), budget: request.budget, ..run::Request::default() };
    let mut suites = chosen(&config, &wanted)?;
    for remark in instructions::asked(&mut suites, &request.metrics)? {
        tell(Event::Remark(remark));
    }
    let counter = instructions::counter(&suites, stop)?;
    // Opened before anything is built: what cannot be kept need not be measured.
    drop(Store::open(address)?);
    let bench = project.bench()?;
    // Base first: it is more likely to have been built before, and takes the place where that was.
    let base_tree = bench.lay_out(&project.repository, &ends.base, None, absent(&config))?;
    let bases = BTreeMap::from([(ends.base.id.clone(), base_tree)]);
    let head_tree = bench.lay_out(&project.repository, ends.head.commit(), ends.changes.as_ref(), absent(&config))?;
    let (config, ends, rules) = (&config, &ends, from);
    let mut going = Going {
        project,
        request,
        address,
        config,
        rules,
        base_has_none,
        accepted,
        bench,
        ends,
        bases,
        counter,
        stop,
        now_s,
        tell,
    };
    going.all(&suites, &head_tree)
}

fn named(commit: &Commit) -> String {
    format!("{} ({})", commit.id.short(), commit.subject)
}

/// What became of one suite.
enum One {
    Judged(Box<Report>),
    Part(RecordId),
    Broken(String),
    New(String),
    Unusable(String),
    Stopped,
}

/// A request under way.
struct Going<'a, 't> {
    project: &'a Project,
    request: &'a Request,
    address: &'a Address,
    config: &'a Config,
    /// Where the policy comes from.
    rules: String,
    /// Whether base says nothing of what to measure.
    base_has_none: bool,
    accepted: Vec<Acceptance>,
    bench: Bench,
    ends: &'a Ends,
    /// The bases that were laid out, for they are used by several suites.
    bases: BTreeMap<CommitId, Worktree>,
    counter: Option<Counter>,
    stop: &'a Stop,
    now_s: &'a dyn Fn() -> i64,
    tell: &'a mut (dyn FnMut(Event<'_>) + 't),
}

impl Going<'_, '_> {
    /// Suite by suite; what could be judged is told beside what could not.
    fn all(&mut self, suites: &[(SuiteName, Suite)], head_tree: &Worktree) -> Outcome<Ended> {
        let (mut reports, mut duels, mut unreported) = (Vec::new(), Vec::new(), Vec::new());
        for (name, suite) in suites {
            let (lack, said) = match self.suite(name, suite, head_tree)? {
                One::Judged(report) => {
                    reports.push(*report);
                    continue;
                }
                One::Part(duel) => {
                    duels.push(duel);
                    continue;
                }
                One::Broken(why) => (Lack::Broken, why),
                One::New(said) => (Lack::New, said),
                One::Unusable(why) => (Lack::Unusable, why),
                One::Stopped => return Ok(Ended::Stopped),
            };
            unreported.push(Unreported { suite: name.clone(), lack, said });
        }
        let all_unusable = unreported.iter().all(|one| one.lack == Lack::Unusable);
        if let (true, true, Some(one)) = (reports.is_empty() && duels.is_empty(), all_unusable, unreported.first()) {
            let unusable = anyhow::anyhow!("suite {} cannot be used on base: {}", one.suite, one.said);
            return Err(Failure::environment(unusable).hint(OTHER_BASE));
        }
        for one in &unreported {
            (self.tell)(Event::Unreported(one));
        }
        if self.request.shard.is_some() {
            return Ok(Ended::Part { duels, unreported });
        }
        // Whoever asked for a part must not hear that the rest of the rules is idle.
        let all_benchmarks = suites.iter().all(|(_, suite)| suite.run_only.is_empty());
        let is_whole = all_benchmarks && self.request.suites.is_empty() && self.request.filter.is_empty();
        if is_whole && unreported.is_empty() && !reports.is_empty() {
            for remark in idle::remarks(&self.config.policy, &self.accepted, &reports) {
                (self.tell)(Event::Remark(remark));
            }
        }
        let (no_baseline, site) = (self.config.policy.no_baseline, self.config.site_url.clone());
        Ok(Ended::Judged { reports, unreported, no_baseline, site })
    }

    /// Builds one suite on both sides, duels and judges it.
    fn suite(&mut self, name: &SuiteName, suite: &Suite, head_tree: &Worktree) -> Outcome<One> {
        let base = match self.base(name, suite)? {
            Built::Ready(ready) => ready,
            Built::No(why) if self.base_has_none => return self.new_suite(name, suite, head_tree, &why),
            Built::No(why) => return Ok(One::Unusable(why)),
            Built::Stopped => return Ok(One::Stopped),
        };
        let head = match self.head(name, suite, head_tree)? {
            Ok(ready) => ready,
            Err(ended) => return Ok(ended),
        };
        let mut options = Options::new(suite.budget, suite.timeout, self.request.seed);
        options.filter.clone_from(&self.request.filter);
        options.without.clone_from(&suite.run_only);
        options.share = self.request.shard.map(|shard| self.share(name, suite, shard)).transpose()?;
        let machine = machine_of(self.config);
        let (known, earlier) = self.past(name, &machine, (&base.side, &head.side))?;
        let (base_id, head_id) = (&base.side.subject.commit().id, &self.ends.head.commit().id);
        let differing = self.project.repository.differences(base_id, head_id, self.ends.changes.as_ref())?;
        let takes = self.request.shortcut == Shortcut::Take;
        let is_same = takes && inputs::are_the_same(&base.side, &head.side, &differing);
        let inputs = if is_same { Inputs::Same } else { Inputs::Differ };
        let job = Job {
            suite: name,
            machine,
            base: &base,
            head: &head,
            options,
            policy: &self.config.policy,
            known: &known,
            earlier: &earlier,
            inputs,
            aim: Aim::Verdict,
            counter: self.counter.as_ref().filter(|_| instructions::wants(suite)),
            stop: self.stop,
            now_s: self.now_s,
        };
        match job.duel(&mut |progress| (self.tell)(Event::Dueling(name, progress))) {
            Dueled::Duel(duel, _) if self.request.shard.is_some() => {
                Store::open(self.address)?.record_duel(&duel, self.trust())?;
                Ok(One::Part(duel.id()))
            }
            Dueled::Duel(duel, gated_series) => {
                let policy = &self.config.policy;
                let report = judge::report::of_pool(&duel, &earlier, policy, &known, gated_series);
                let mut report = Report { rules: self.rules.clone(), ..report };
                report.remarks.extend(remarks(&duel));
                report.remarks.extend(inputs::said_of_own_source(suite, &differing));
                if is_same {
                    report = judge::report::of_same_inputs(report);
                }
                let report = judge::accept::accept(report, &self.accepted);
                let kept = self.keep(&duel, &report);
                // What was measured is told even if it could not be kept.
                (self.tell)(Event::Judged(&report));
                kept.map(|()| One::Judged(Box::new(report)))
            }
            Dueled::Broken { on_head: true, why } => Ok(One::Broken(why)),
            Dueled::Broken { on_head: false, why } if self.base_has_none => {
                self.new_suite(name, suite, head_tree, &why)
            }
            Dueled::Broken { on_head: false, why } => Ok(One::Unusable(why)),
            Dueled::Failed(failure) => Err(failure),
            Dueled::Stopped => Ok(One::Stopped),
        }
    }

    /// What earlier duels teach, and those of the very same sides.
    fn past(&self, suite: &SuiteName, machine: &Machine, (base, head): (&Side, &Side)) -> Outcome<(Known, Vec<Duel>)> {
        let mut store = Store::open(self.address)?;
        let sides = Match { suite, machine, base, head };
        let known = Known::from_duels(&store.lessons(sides)?);
        Ok((known, store.duels_between(sides)?))
    }

    fn keep(&self, duel: &Duel, report: &Report) -> Outcome<()> {
        let mut store = Store::open(self.address)?;
        store.record_duel(duel, self.trust())?;
        Ok(store.record_judgement(report, (self.now_s)())?)
    }

    fn trust(&self) -> Trust {
        match self.request.head_of {
            HeadOf::Ours => Trust::Trusted,
            HeadOf::Fork => Trust::Untrusted,
        }
    }
}
