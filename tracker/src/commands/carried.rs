//! `tachograph report --bundle`: judges anew what other jobs measured, and says it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::ci;
use super::gate::{self, Shape};
use super::run::now_s;
use super::stored::StoreArgs;
use crate::config::{Config, FILE_NAME};
use crate::domain::{Commit, CommitId, Subject};
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::acceptances;
use crate::flow::carry::{self, Carried, Trusted};
use crate::flow::gate::HeadOf;
use crate::flow::host::{self, Event, Host};
use crate::flow::project::Project;
use crate::judge::known::Known;
use crate::record::{Match, Store, Trust};
use crate::show::escape;
use crate::show::gate::Gate;

/// Which files, and what is said of them.
pub(super) struct Asked<'a> {
    pub(super) bundles: &'a [PathBuf],
    /// The commit that the files must be about.
    pub(super) commit: &'a str,
    pub(super) format: Shape,
    pub(super) link: Option<&'a str>,
    pub(super) keep: bool,
    /// Whether the CI host hears of it as of a gate.
    pub(super) tell_host: bool,
    pub(super) store: &'a StoreArgs,
}

pub(super) fn run(args: &Asked<'_>) -> Outcome<ExitCode> {
    let commit = CommitId::new(args.commit).or_usage("taking --commit as a hash")?;
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let project = Project::open(&here, None, None)?;
    let repository = &project.repository;
    let checked_out = repository.head()?;
    // In a job beside those that measured, what the host says of the change holds. An event that it does not tell whole says
    // nothing of whose change it is.
    let beside = [Event::Push, Event::PullRequest, Event::MergeQueue];
    let around = ci::here();
    let host = around.as_ref().filter(|host| beside.contains(&host.event));
    let rules = rules(&project, &checked_out, host)?;
    let is_ours = args.keep || host.is_some_and(|host| !host.is_fork);
    let files = args.bundles.iter().map(|place| read(place, &commit)).collect::<Outcome<Vec<Carried>>>()?;
    let each = files.iter().zip(args.bundles);
    for (duel, place) in each.flat_map(|(file, place)| file.duels.iter().map(move |duel| (duel, place))) {
        let base = duel.base.subject.commit();
        let is_known = !duel.base.subject.is_dirty() && repository.contains(&checked_out, &base.id)?;
        if !is_known {
            return Err(Failure::usage(anyhow::anyhow!(
                "{} is refused: its base {} is no commit of the history that is checked out",
                place.display(),
                base.id.short()
            )));
        }
    }
    let mut store = match args.store.open_to_read() {
        Ok(store) => Some(store),
        // Without a store there is no past.
        Err(_) if !args.store.address()?.file().exists() => None,
        Err(failure) => return Err(failure),
    };
    let trusted = Trusted {
        project: &project,
        rules: (&rules.config, &rules.from),
        base_has_none: rules.base_has_none,
        head_of: if is_ours { HeadOf::Ours } else { HeadOf::Fork },
        today: acceptances::day(now_s()),
    };
    let judged = carry::judge(&files, &trusted, &mut |duel| {
        let Some(store) = &mut store else { return Ok((Known::default(), Vec::new())) };
        let sides = Match { suite: &duel.suite, machine: &duel.machine, base: &duel.base, head: &duel.head };
        let earlier = store.duels_between(sides)?.into_iter().filter(|known| known.id() != duel.id());
        Ok((Known::from_duels(&store.lessons(sides)?), earlier.collect()))
    })?;
    drop(store);
    if args.keep {
        let mut store = Store::open(&args.store.address()?)?;
        for duel in files.iter().flat_map(|file| &file.duels) {
            store.record_duel(duel, Trust::Trusted)?;
        }
        for report in &judged.reports {
            store.record_judgement(report, now_s())?;
        }
    }
    let gate = Gate {
        remarks: &judged.remarks,
        unreported: &judged.unreported,
        reports: &judged.reports,
        site: rules.config.site_url.as_deref(),
    };
    let told = around.filter(|_| args.tell_host);
    gate::conclude(&gate, rules.config.policy.no_baseline, (args.format, args.link), told.as_ref())
}

fn read(place: &Path, commit: &CommitId) -> Outcome<Carried> {
    carry::read(place, commit).map_err(|error| {
        Failure::usage(anyhow::anyhow!("{} is refused: {}", place.display(), escape::line(&error.to_string())))
    })
}

struct Rules {
    config: Config,
    from: String,
    base_has_none: bool,
}

/// The rules of what is checked out, which is the main branch where one job reports on another; in a job beside those that
/// measured, where the change itself is checked out, those of its base.
fn rules(project: &Project, checked_out: &Commit, host: Option<&Host>) -> Outcome<Rules> {
    let base = match host {
        Some(host) => host::choose(host, &project.repository)?.base,
        None => None,
    };
    let of = |commit: &Commit| -> Outcome<Option<(Config, String)>> {
        let config = project.own_config(&Subject::Commit(commit.clone()))?;
        Ok(config.map(|config| (config, format!("{FILE_NAME} of {}", commit.id.short()))))
    };
    if let Some((config, from)) = base.as_ref().map(&of).transpose()?.flatten() {
        return Ok(Rules { config, from, base_has_none: false });
    }
    let (config, from) = of(checked_out)?.ok_or_else(|| {
        let short = checked_out.id.short();
        Failure::usage(anyhow::anyhow!("commit {short}, which is checked out, has no {FILE_NAME}"))
    })?;
    Ok(Rules { config, from, base_has_none: base.is_some() })
}
