//! The store: what is recorded comes back, whatever happens around it.

mod any_run;
mod history;
mod recording;
mod shelf;
mod verbs;
