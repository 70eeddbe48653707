//! The maths; knows nothing of benchmarks.

pub mod changes;
pub mod clock;
pub mod crept;
pub mod crowd;
pub mod discoveries;
pub mod looks;
pub mod places;
pub mod rank_sum;
pub mod ratio;
pub mod robust;
pub mod shrink;
pub mod signed_rank;
pub mod split;
pub mod student;
pub mod summary;

#[cfg(test)]
pub(crate) mod simulate;
