//! What several verbs share, and what needs more than one room.

mod aside;
pub mod changes;
pub mod doctor;
pub mod duel;
mod ends;
mod enough;
pub mod explain;
pub mod gate;
pub mod import;
mod job;
pub mod ledger;
pub mod past;
pub mod peers;
pub mod picture;
pub mod prepare;
pub mod project;
pub mod replace;
pub mod results;
pub mod run;
pub mod store;
pub mod trend;
