//! `tachograph report --bundle`: judges anew what another job measured, and says it.

use std::path::Path;
use std::process::ExitCode;

use super::gate::{self, Shape};
use super::run::now_s;
use super::stored::StoreArgs;
use crate::config::FILE_NAME;
use crate::domain::CommitId;
use crate::failure::{Classify, Failure, Outcome};
use crate::flow::acceptances;
use crate::flow::carry::{self, Known};
use crate::flow::project::Project;
use crate::judge::known::Known as Lessons;
use crate::record::{Match, Store, Trust};
use crate::repo::Repository;
use crate::show::escape;
use crate::show::gate::Gate;

/// Which file, and what is said of it.
pub(super) struct Carried<'a> {
    pub(super) bundle: &'a Path,
    /// The commit that the file must be about.
    pub(super) commit: &'a str,
    pub(super) format: Shape,
    pub(super) link: Option<&'a str>,
    pub(super) keep: bool,
    pub(super) store: &'a StoreArgs,
}

pub(super) fn run(args: &Carried<'_>) -> Outcome<ExitCode> {
    let commit = CommitId::new(args.commit).or_usage("taking --commit as a hash")?;
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    let repository = Repository::discover(&here)?;
    let trusted = repository.head()?;
    let project = Project::open(&here, None, None)?;
    let subject = crate::domain::Subject::Commit(trusted.clone());
    let config = project.own_config(&subject)?.ok_or_else(|| {
        Failure::usage(anyhow::anyhow!("commit {}, which is checked out, has no {FILE_NAME}", trusted.id.short()))
    })?;
    let carried = carry::read(args.bundle, &commit).map_err(|error| {
        Failure::usage(anyhow::anyhow!("{} is refused: {}", args.bundle.display(), escape::line(&error.to_string())))
    })?;
    for duel in &carried.duels {
        let base = duel.base.subject.commit();
        let is_known = !duel.base.subject.is_dirty() && repository.contains(&trusted, &base.id)?;
        if !is_known {
            return Err(Failure::usage(anyhow::anyhow!(
                "{} is refused: its base {} is no commit of the history that is checked out",
                args.bundle.display(),
                base.id.short()
            )));
        }
    }
    let rules = format!("{FILE_NAME} of {}", trusted.id.short());
    let mut store = match args.store.open_to_read() {
        Ok(store) => Some(store),
        // Without a store there is no past.
        Err(_) if !args.store.address()?.file().exists() => None,
        Err(failure) => return Err(failure),
    };
    // What comes from people who may write here may bring acceptances of its own, where the project's rules say so.
    let (trusts_head, today) = (args.keep && config.trust_new_acceptances, acceptances::day(now_s()));
    let mut remarks = Vec::new();
    let (reports, broken) = carry::judge(&carried, &config, &rules, &mut |duel| {
        let (base, head) = (duel.base.subject.commit(), duel.head.subject.commit());
        let (accepted, said) = acceptances::holding_here(&project, base, head, trusts_head, today)?;
        for one in said {
            if !remarks.contains(&one) {
                remarks.push(one);
            }
        }
        let Some(store) = &mut store else { return Ok(Known { accepted, ..Known::default() }) };
        let sides = Match { suite: &duel.suite, machine: &duel.machine, base: &duel.base, head: &duel.head };
        let earlier = store.duels_between(sides)?.into_iter().filter(|known| known.id() != duel.id()).collect();
        Ok(Known { lessons: Lessons::from_duels(&store.lessons(sides)?), earlier, accepted })
    })?;
    drop(store);
    if args.keep {
        let mut store = Store::open(&args.store.address()?)?;
        for (duel, report) in carried.duels.iter().zip(&reports) {
            store.record_duel(duel, Trust::Trusted)?;
            store.record_judgement(report, now_s())?;
        }
    }
    gate::conclude(
        &Gate {
            remarks: &remarks,
            broken: &broken,
            unusable: &[],
            reports: &reports,
            site: config.site_url.as_deref(),
        },
        args.format,
        args.link,
    )
}
