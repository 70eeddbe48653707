//! Finished reports in, text, Markdown, JSON and SVG out. Pure.

pub mod judgement;
