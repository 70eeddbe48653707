//! The program as its users run it: real repositories, real stores, real processes.

mod along;
mod anchor;
mod browser;
mod changes;
mod ci;
mod doctor;
#[path = "../../examples/history/drawn.rs"]
mod drawn;
#[path = "../../examples/history/duels.rs"]
mod duels;
mod gating;
mod gating_commands;
mod gating_counts;
mod gating_outcomes;
mod gating_rules;
mod harnesses;
mod import;
mod judge;
mod killed;
#[path = "../../examples/history/made.rs"]
mod made;
mod pages;
mod peers;
mod planted;
mod rebuilding;
mod record;
mod repository;
mod running;
mod serving;
mod sharing;
mod showing;
mod site;
mod solo;
mod traps;
mod world;
