//! The tracker's side of the worker protocol (`tracker/harness/PROTOCOL.md`): requests out, replies in.
//!
//! Everything that a worker writes is hostile until it is one of the types below: bounded in size, its numbers finite,
//! its names checked. An error quotes the line, shortened and with control characters escaped.

mod bounded;
mod list;
mod reply;
mod request;

pub use list::{Listed, Throughput, parse_list};
pub use reply::{
    Answer, Hello, ReplyError, Slice, parse_check, parse_count, parse_drop, parse_hello, parse_profile, parse_run,
    quote,
};
pub use request::Request;

/// The versions that this tracker speaks, every one that was ever released.
pub const VERSIONS: &[u32] = &[1];

/// The longest line that is taken from a worker.
pub const LONGEST_REPLY_BYTES: usize = 16 << 20;

/// The longest reply that may hold a profile: it is kept as it came, so it must be worth its space.
pub const LONGEST_PROFILE_BYTES: usize = 1 << 20;

/// The most benchmarks that one suite may offer.
pub const MOST_BENCHMARKS: usize = 100_000;

/// The most metrics that one benchmark may declare.
pub const MOST_METRICS: usize = 64;
