//! The store: what is recorded comes back, whatever happens around it.

pub(crate) mod again;
mod any_run;
mod damage;
pub(crate) mod duels;
mod history;
mod lifecycle;
mod recording;
pub(crate) mod shelf;
mod verbs;
mod writers;
