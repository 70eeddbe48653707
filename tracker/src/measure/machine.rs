//! The machine that we run on: what decides its speed, what else may matter, and what happened while we measured.
//!
//! Everything is read from `/proc` and `/sys`. What is not there (another system, a container that hides it) is
//! unknown, and never a failure. Host names, user names, paths and environment variables are not looked at.

mod conditions;
mod fingerprint;
mod tree;
mod watch;

use crate::domain::Fingerprint;

pub use conditions::{Conditions, Counters};
pub use watch::Watch;

/// What decides this machine's speed.
#[must_use]
pub fn fingerprint() -> Fingerprint {
    fingerprint::of(&tree::Tree::here(), &super::cores::allowed())
}

/// What else may matter on this machine, now.
#[must_use]
pub fn conditions() -> Conditions {
    Conditions::of(&tree::Tree::here())
}

/// Two of the processors `allowed` that are as separate as can be: of two cores, where there are two.
#[must_use]
pub fn apart(allowed: &[usize]) -> Option<(usize, usize)> {
    fingerprint::apart(&tree::Tree::here(), allowed)
}
