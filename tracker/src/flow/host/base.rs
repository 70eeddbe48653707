//! Which commits a host's word means in this clone.

use super::{Base, Event, Host};
use crate::domain::Commit;
use crate::failure::{Failure, Outcome};
use crate::repo::Repository;

/// Base and head, with the reason for the choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// What to measure against; none where there is nothing before head.
    pub base: Option<Commit>,
    /// What is judged.
    pub head: Commit,
    /// How base was found.
    pub because: String,
}

/// Finds what the host speaks of. Head is what is checked out.
pub fn choose(host: &Host, repository: &Repository) -> Outcome<Chosen> {
    let head = repository.head()?;
    let is_merge_of_it =
        host.event == Event::PullRequest && host.head.is_some() && head.parents.get(1) == host.head.as_ref();
    let parent = |because: &str| -> Outcome<Chosen> {
        let base = repository.first_parent(&head)?;
        if base.is_none() && !head.parents.is_empty() {
            return Err(cut_off(repository, "the first parent of head"));
        }
        Ok(Chosen { base, head: head.clone(), because: because.to_owned() })
    };
    match &host.base {
        Some(Base::Parent) => parent("the first parent of head"),
        Some(Base::LeftFrom(_)) if is_merge_of_it => parent("the target that head merges the pull request into"),
        Some(Base::LeftFrom(target)) => {
            let Ok(target) = repository.commit(target.as_str()) else {
                return Err(cut_off(repository, &format!("the target's commit {}", target.short())));
            };
            let because = format!("where head left {}", target.id.short());
            let base = repository.common_ancestor(&head, &target)?.ok_or_else(|| cut_off(repository, &because))?;
            Ok(Chosen { base: Some(base), because, head })
        }
        Some(Base::Commit(id)) => match repository.commit(id.as_str()) {
            Ok(base) => Ok(Chosen { base: Some(base), because: format!("as {} says", host.name), head }),
            Err(_) => Err(cut_off(repository, &format!("base {}", id.short()))),
        },
        Some(Base::Named(revision)) => {
            let unknown = |error| Failure::from(error).context("finding the base that TACHOGRAPH_BASE names");
            let base = repository.commit(revision).map_err(unknown)?;
            Ok(Chosen { base: Some(base), because: "as TACHOGRAPH_BASE says".to_owned(), head })
        }
        None => match repository.merge_base(&head, false)? {
            Some((base, branch)) => {
                Ok(Chosen { base: Some(base), because: format!("the merge base with {branch}"), head })
            }
            None => parent("the first parent of head"),
        },
    }
}

/// What is meant is not here. A wrong base would be worse than none.
fn cut_off(repository: &Repository, what: &str) -> Failure {
    let failure = Failure::environment(anyhow::anyhow!("{what} is not in this clone"));
    failure.hint(if repository.is_shallow() {
        "the clone is shallow: fetch all of history (actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0)"
    } else {
        "fetch it first: git fetch origin"
    })
}
