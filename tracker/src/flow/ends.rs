//! What is compared with what, and under whose rules.

use super::project::Project;
use crate::config::{Config, FILE_NAME};
use crate::domain::{Commit, Subject};
use crate::failure::{Failure, Outcome};
use crate::repo::Snapshot;

/// Base and head.
pub(super) struct Ends {
    pub(super) base: Commit,
    /// How base was found.
    pub(super) because: String,
    pub(super) head: Subject,
    /// Head's changes upon its commit, if it is a working tree.
    pub(super) changes: Option<Snapshot>,
}

/// Resolves what was asked for; none where there is nothing to compare head with.
pub(super) fn ends(project: &Project, base: Option<&str>, head: Option<&str>) -> Outcome<Option<Ends>> {
    let repository = &project.repository;
    let (head, changes) = match head {
        Some(revision) => (Subject::Commit(repository.commit(revision)?), None),
        None => super::run::checked_out(repository)?,
    };
    let found = match base {
        Some(revision) => Some((repository.commit(revision)?, "as asked for".to_owned())),
        None => match repository.merge_base(head.commit(), head.is_dirty())? {
            Some((base, branch)) => {
                let branch = branch.trim_start_matches("refs/remotes/").trim_start_matches("refs/heads/");
                Some((base, format!("the merge base with {branch}")))
            }
            // The parent that is here may be none of those that the change is made of.
            None if repository.is_shallow() => {
                let lost = anyhow::anyhow!("this clone is shallow, and where head left the main branch is not in it");
                return Err(Failure::environment(lost)
                    .hint("git fetch --unshallow, or fetch the base and name it with --base REV"));
            }
            None if head.is_dirty() => Some((head.commit().clone(), "what the working tree stands on".to_owned())),
            None => repository.first_parent(head.commit())?.map(|base| (base, "the first parent of head".to_owned())),
        },
    };
    Ok(found.map(|(base, because)| Ends { base, because, head, changes }))
}

/// The configuration that holds, and what is to be said of it.
pub(super) struct Rules {
    pub(super) config: Config,
    /// Whose it is.
    pub(super) from: String,
    /// Whether base says nothing of what to measure.
    pub(super) base_has_none: bool,
    /// What is to become of acceptances that head adds: head's own rules do not decide that.
    pub(super) trusts_new: bool,
    pub(super) remarks: Vec<String>,
}

/// Suites, policy and limits are base's; head's changes to them are listed. Where base has none, head's hold.
pub(super) fn rules(project: &Project, ends: &Ends) -> Outcome<Rules> {
    let of_base = project.own_config(&Subject::Commit(ends.base.clone()))?;
    let of_head = project.own_config(&ends.head)?;
    let of = |side: &str, commit: &Commit| format!("{FILE_NAME} of {side} {}", commit.id.short());
    let (from_base, from_head) = (of("base", &ends.base), of("head", ends.head.commit()));
    match (of_base, of_head) {
        (Some(config), Some(of_head)) => {
            let remarks = changes(&config, &of_head);
            let trusts_new = config.trust_new_acceptances;
            Ok(Rules { trusts_new, config, from: from_base, base_has_none: false, remarks })
        }
        (Some(config), None) => {
            let remark = format!("head has no {FILE_NAME}; base's holds");
            let (trusts_new, remarks) = (config.trust_new_acceptances, vec![remark]);
            Ok(Rules { trusts_new, config, from: from_base, base_has_none: false, remarks })
        }
        (None, Some(config)) => {
            let remark = format!("base {} has no {FILE_NAME}; head's holds", ends.base.id.short());
            Ok(Rules { trusts_new: false, config, from: from_head, base_has_none: true, remarks: vec![remark] })
        }
        (None, None) => Err(Failure::usage(anyhow::anyhow!("neither base nor head has a {FILE_NAME}"))
            .hint("`tachograph init` writes one that fits what it finds here; --config FILE names another")),
    }
}

/// What head changes of the rules; it takes effect once it is base.
fn changes(base: &Config, head: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if base.policy.false_reds != head.policy.false_reds {
        let (from, to) = (base.policy.false_reds, head.policy.false_reds);
        found.push(format!("head changes false_reds from {from} to {to}"));
    }
    if base.policy.inconclusive != head.policy.inconclusive {
        found.push("head changes what becomes of an inconclusive gate".to_owned());
    }
    if base.trust_new_acceptances != head.trust_new_acceptances {
        found.push("head changes trust_new_acceptances".to_owned());
    }
    if base.policy.entries != head.policy.entries {
        found.push("head changes the [[policy]] entries".to_owned());
    }
    for (name, suite) in &base.suites {
        match head.suites.get(name) {
            None => found.push(format!("head removes suite {name}")),
            Some(other) if other != suite => found.push(format!("head changes suite {name}")),
            Some(_) => {}
        }
    }
    let new = head.suites.keys().filter(|name| !base.suites.contains_key(*name));
    found.extend(new.map(|name| format!("head adds suite {name}")));
    if base.build != head.build {
        found.push("head changes [build]".to_owned());
    }
    found.into_iter().map(|change| change + "; base's rules hold until this is base").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_the_rules_is_told() {
        let base = "[suite.a]\nworker = [\"x\"]\n[suite.b]\nworker = [\"x\"]\n";
        let head = "false_reds = \"1 in 2\"\ninconclusive = \"fail\"\ntrust_new_acceptances = true\n[build]\ntimeout = \"1m\"\n[[policy]]\nlimit = \"90 %\"\n\
                    [suite.a]\nworker = [\"y\"]\n[suite.c]\nworker = [\"x\"]\n";
        let [base, head] = [base, head].map(|text| Config::parse(text).unwrap());
        assert_eq!(changes(&base, &base), [""; 0]);
        let told = changes(&base, &head).join("\n");
        for expected in [
            "false_reds from 1 in 1000 to 1 in 2",
            "inconclusive gate",
            "trust_new_acceptances",
            "[[policy]]",
            "changes suite a",
            "removes suite b",
            "adds suite c",
            "[build]",
        ] {
            assert!(told.contains(expected), "{expected} in {told}");
        }
    }
}
