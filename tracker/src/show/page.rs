//! The pages of the site: finished data in, HTML out. The same data always give the same bytes.
//!
//! A page asks for nothing but the site's own style sheet and script, runs nothing that stands in it, and says all that it
//! has to say without the script. Whatever comes from outside is escaped by `html`, which takes nothing else.

pub mod changes;
pub mod feed;
mod frame;
mod html;
pub mod overview;
pub mod report;
pub mod row;
pub mod series;

pub use frame::Site;

/// How every page looks; charts included.
#[must_use]
pub fn style() -> String {
    format!("{}{}", super::chart::STYLE, include_str!("../../dashboards/site.css"))
}

/// What adds hover, zoom, search, sorting and filters.
pub const SCRIPT: &str = include_str!("../../dashboards/site.js");
