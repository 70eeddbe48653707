//! Sharing runs through the project's own git remote: push, pull, packing, and making a store anew.

mod compact;
mod pull;
mod push;
mod rebuild;
pub mod sketch;

use std::time::Duration;

pub use compact::{Compacted, compact};
pub use pull::{Pulled, pull};
pub use push::{Pushed, push};
pub use rebuild::{Rebuilt, rebuild};

use crate::repo::Repository;

/// How much of a run is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What a history needs: summaries, and a number a life.
    Sketch,
    /// Every sample.
    Samples,
}

/// How long a remote is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a fetch to end.
    pub fetch: Duration,
    /// For a push to end.
    pub push: Duration,
    /// For being the fastest; then what was measured waits in the inbox.
    pub ledger: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { fetch: Duration::from_mins(10), push: Duration::from_mins(2), ledger: Duration::from_secs(8) }
    }
}

/// With whom to share, and how.
pub struct Shared<'a> {
    /// The repository whose remote it is.
    pub repository: &'a Repository,
    /// The remote's name; `origin`, or the only one, if none.
    pub remote: Option<&'a str>,
    /// How much of a run is shared.
    pub depth: Depth,
    /// How long is waited.
    pub patience: Patience,
    /// The time of day, in seconds since 1970 UTC.
    pub now_s: i64,
    /// What pauses are drawn from.
    pub seed: u64,
}
