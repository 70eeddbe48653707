//! Measurements and policy in, verdicts with evidence out. Pure.
//!
//! `METHODOLOGY.md` explains the whole in prose, with its reasons and its limits.

pub mod accept;
pub mod anchor;
pub mod builds;
pub mod confirmed;
pub mod drifts;
pub mod duel;
pub mod estimate;
pub mod exact;
pub mod findings;
pub mod known;
pub mod neighbours;
pub mod numbers;
pub mod point;
pub mod pool;
#[cfg(test)]
mod promise;
pub mod replay;
pub mod report;
pub mod rest;
pub mod rule;
#[cfg(test)]
mod runners;
pub mod sides;
pub mod trend;
