//! How much is taken from a file before it is refused.

/// The largest file, in bytes: the largest honest one seen is 40 MB.
pub const FILE_BYTES: usize = 256 << 20;
/// The deepest nesting of JSON or XML.
pub const DEPTH: usize = 64;
/// The most benchmarks in one set of results.
pub const BENCHMARKS: usize = 1_000_000;
/// The most values in one file, over all its benchmarks.
pub const VALUES: usize = 20_000_000;
/// The most sets of results (commits, mostly) in one file or folder.
pub const SETS: usize = 1_000_000;
/// The most metrics of one benchmark.
pub const METRICS: usize = 1_000;
/// The most remarks that are kept; the rest is counted.
pub const REMARKS: usize = 100;
/// The longest piece of a foreign text that goes into a note, a reason or an error, in bytes.
pub const EXCERPT_BYTES: usize = 400;
