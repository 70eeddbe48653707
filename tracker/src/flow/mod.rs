//! What several verbs share, and what needs more than one room.

pub mod doctor;
mod job;
pub mod prepare;
pub mod project;
pub mod replace;
pub mod results;
pub mod run;
pub mod store;
