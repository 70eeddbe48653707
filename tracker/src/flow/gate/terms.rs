//! Under what a gate judges: base's rules, and what was accepted.

use std::path::PathBuf;

use jiff::civil::Date;

use super::super::acceptances::{self, New};
use super::super::ends::{Ends, Rules, rules};
use super::{Event, HeadOf, Request, WhosePolicy};
use crate::config::Config;
use crate::domain::{Acceptance, Policy};
use crate::failure::Outcome;
use crate::flow::project::Project;

/// Under what it is judged.
pub(super) struct Terms {
    pub(super) config: Config,
    /// Where the policy comes from.
    pub(super) from: String,
    /// Whether base says nothing of what to measure.
    pub(super) base_has_none: bool,
    pub(super) accepted: Vec<Acceptance>,
}

/// Reads them, and says what is to be said of them.
pub(super) fn terms(
    project: &Project,
    request: &Request,
    ends: &Ends,
    today: Date,
    tell: &mut dyn FnMut(Event<'_>),
) -> Outcome<Terms> {
    let Rules { mut config, mut from, base_has_none, trusts_new, mut remarks } = rules(project, ends)?;
    let mut accepted = Vec::new();
    if request.policy == WhosePolicy::Nobodys {
        config.policy = Policy::default();
        "the defaults, for this is no gate".clone_into(&mut from);
    } else {
        let new = match (request.head_of, trusts_new) {
            (HeadOf::Fork, _) => New::Fork,
            (HeadOf::Ours, true) => New::Trusted,
            (HeadOf::Ours, false) => New::Wait,
        };
        let (hold, said) = acceptances::holding(project, ends, new, today)?;
        accepted = hold;
        remarks.extend(said);
    }
    for path in left_out(project, &config, ends)? {
        let path = path.display();
        remarks.push(format!("submodule {path} changed and is left empty: what it changes is not measured"));
    }
    for remark in remarks {
        tell(Event::Remark(remark));
    }
    Ok(Terms { config, from, base_has_none, accepted })
}

/// Submodules that head changes and that nobody lays out.
fn left_out(project: &Project, config: &Config, ends: &Ends) -> Outcome<Vec<PathBuf>> {
    if !config.build.submodules_may_be_empty {
        return Ok(Vec::new());
    }
    Ok(project.repository.moved_submodules(&ends.base.id, &ends.head.commit().id)?)
}
