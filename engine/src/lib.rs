//! A CPU inference engine for small GPT-2-style transformers.
//!
//! Read it in the order in which a token passes through it: [`shape`] and [`weights`] say what a model is, [`gguf`] is how
//! models come in files, [`tokenizer`] makes tokens of text, [`model`] packs the weights for the [`kernels`], [`engine`]
//! keeps the sequences and the threads, `forward` is the walk itself, and [`sampling`] chooses what follows.
#![allow(
    clippy::cast_possible_truncation,
    reason = "indices are bounded by the shape's largest number, and 64-bit sums are narrowed on purpose"
)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "what is copied or computed alike must be equal to the bit"))]

pub mod arena;
pub mod engine;
mod forward;
pub mod gguf;
pub mod half;
pub mod kernels;
pub mod model;
pub mod profile;
pub mod q8;
pub mod sampling;
pub mod seeded;
pub mod shape;
mod share;
pub mod threads;
pub mod tokenizer;
pub mod train;
pub mod weights;
