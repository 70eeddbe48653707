//! The library that a Rust benchmark program links to become a worker of Tachograph.
