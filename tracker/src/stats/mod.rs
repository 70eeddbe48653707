//! The maths; knows nothing of benchmarks.
