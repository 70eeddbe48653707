//! Benchmarks that Tachograph can duel.
//!
//! A program links this crate, offers its benchmarks as a [`Suite`], and ends in [`Suite::main`]. Run by a person it
//! measures and prints a table; run by the tracker with `--worker` it speaks the worker protocol (`PROTOCOL.md` beside
//! this crate).
//!
//! ```no_run
//! use tachograph_harness::{ExitCode, Suite};
//!
//! fn main() -> ExitCode {
//!     let mut suite = Suite::new("sums");
//!     suite
//!         .benchmark("sum/1000", || {
//!             let numbers: Vec<u64> = (0..1000).collect(); // set-up: outside the clock
//!             move || numbers.iter().sum::<u64>() // the work: this alone is timed
//!         })
//!         .elements(1000)
//!         .expect(499_500);
//!     suite.main()
//! }
//! ```
//!
//! # What a benchmark should know
//!
//! - The work's answer is passed through [`black_box`], and so is what it captured; a constant written inside the work is
//!   not, so wrap that in [`black_box`] yourself.
//! - Iterations share one set-up, so the work should leave behind what it found.
//! - A worker answers on standard output: print to standard error if you must print.
//! - A panic in set-up or in the work fails that benchmark alone, unless the program is built with `panic = "abort"`.

mod allocator;
mod benchmark;
mod body;
mod callgrind;
mod contain;
mod counts;
mod describe;
mod layout;
mod metric;
mod offer;
mod pattern;
mod person;
mod suite;
mod timing;
mod worker;

pub use std::hint::black_box;
pub use std::process::ExitCode;

pub use serde_json;

pub use allocator::CountingAllocator;
pub use benchmark::Benchmark;
pub use metric::{Meter, Metric};
pub use suite::{Group, Suite};

/// The examples of the README, compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
