//! Running workers and commands, and knowing the machine that they run on.

pub mod build;
pub mod calibrate;
pub mod child;
pub mod command;
pub mod cores;
pub mod count;
pub mod duel;
pub mod floor;
mod huge_pages;
pub mod interrupt;
pub mod lives;
pub mod machine;
pub mod order;
pub mod plan;
pub mod protocol;
pub mod pulse;
pub mod solo;
pub mod visit;
pub mod witness;
pub mod worker;
