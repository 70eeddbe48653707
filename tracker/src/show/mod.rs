//! Finished reports in, text, Markdown, JSON and SVG out. Pure.

pub mod annotations;
pub mod brief;
pub mod changes;
pub mod chart;
pub mod csv;
pub mod doctor;
pub mod duels;
pub mod escape;
pub mod exchange;
pub mod explain;
pub mod gate;
pub mod judgement;
pub mod junit;
pub mod line;
pub mod log;
pub mod markdown;
pub mod markup;
pub mod number;
pub mod peers;
pub mod run;
pub mod runs;
pub mod spark;
pub mod standing;
pub mod style;
pub mod table;
pub mod trend;
