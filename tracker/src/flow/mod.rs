//! What several verbs share, and what needs more than one room.

pub mod replace;
pub mod store;
