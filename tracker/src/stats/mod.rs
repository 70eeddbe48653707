//! The maths; knows nothing of benchmarks.

pub mod summary;
