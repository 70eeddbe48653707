//! Tachograph: a continuous performance regression tracker.
//!
//! The flow is the layout: [`measure`], [`record`], [`judge`], [`show`], each a room that knows nothing of the
//! others; [`flow`] joins them, and each file in [`commands`] is one verb. `ARCHITECTURE.md` has the map.
//!
//! The library exists for the binary and the benchmark suite of this package; its items are no promise to others.

pub mod adapt;
pub mod commands;
pub mod config;
pub mod domain;
pub mod failure;
pub mod flow;
pub mod judge;
pub mod measure;
pub mod record;
pub mod repo;
pub mod show;
pub mod stats;
