//! What several verbs share, and what needs more than one room.

pub mod acceptances;
mod aside;
pub mod backtest;
pub mod changes;
mod confirm;
pub mod doctor;
pub mod duel;
mod ends;
mod enough;
pub mod explain;
pub mod follow;
pub mod gate;
pub mod import;
mod inputs;
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
mod side;
pub mod store;
pub mod trend;
