//! The pages of the site: finished data in, HTML out. The same data always give the same bytes.
//!
//! A page asks for nothing but the site's own style sheet and script, runs nothing that stands in it, and says all that it
//! has to say without the script. Whatever comes from outside is escaped by `html`, which takes nothing else.

pub mod board;
pub mod changes;
pub mod compare;
pub mod duel;
pub mod feed;
mod filter;
mod frame;
mod html;
pub mod hub;
pub mod links;
pub mod overview;
pub mod report;
pub mod row;
pub mod run;
pub mod runs;
pub mod series;
pub(in crate::show) mod tally;
mod versus;

pub use frame::Site;

/// How every page looks; charts included.
#[must_use]
pub fn style() -> String {
    format!("{}{}", super::chart::STYLE, include_str!("../../dashboards/site.css"))
}

/// What adds hover, zoom, search, sorting, filters and comparisons.
pub const SCRIPT: &str = concat!(include_str!("../../dashboards/compare.js"), include_str!("../../dashboards/site.js"));

/// What `tachograph serve` adds to the script: an open page loads anew when the site was drawn again.
pub const LIVE: &str = include_str!("../../dashboards/live.js");
