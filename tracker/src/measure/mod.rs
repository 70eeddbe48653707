//! Running workers and commands, and knowing the machine that they run on.

pub mod build;
pub mod child;
pub mod cores;
pub mod interrupt;
pub mod machine;
pub mod protocol;
pub mod pulse;
