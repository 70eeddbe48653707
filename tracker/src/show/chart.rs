//! Charts: finished data in, SVG out. The same data always give the same bytes.
//!
//! A chart has classes and no colours: the style sheet says how it looks in the light, in the dark and on paper. Colours
//! are told apart by people who see few of them, and nothing is said by colour alone. No chart has more than a few
//! hundred marks, however long the history: where points are many, those of one column are drawn as their extremes.

pub mod accepted;
pub mod distribution;
pub mod forest;
mod ink;
pub mod lanes;
pub mod lines;
pub mod reference;
mod scale;
pub mod scatter;
pub mod series;
pub mod spark;
pub mod strip;
mod thin;

/// How charts look; part of the site's style sheet.
pub const STYLE: &str = include_str!("../../dashboards/chart.css");

/// A finished drawing, whole and escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svg(String);

impl Svg {
    /// The drawing, to be put into a page that has the style.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The drawing as a file of its own, with the style in it.
    #[must_use]
    pub fn into_file(self) -> String {
        let inside = self.0.find('>').map_or(self.0.len(), |end| end + 1);
        let (head, rest) = self.0.split_at(inside);
        format!("{head}<style>{STYLE}</style>{rest}\n")
    }
}
