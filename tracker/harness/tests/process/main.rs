//! The harness as others meet it: real processes, spoken to through pipes and read from outside.

#![allow(clippy::unwrap_used, reason = "all of this is test, which the lint does not see in helper functions")]

mod counting;
mod person;
mod speaker;
mod worker;
