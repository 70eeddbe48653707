//! HTML that data cannot break: what is not written in this program is escaped.

use std::fmt::Write as _;

use crate::show::chart::Svg;
use crate::show::markup::escaped;

/// A page, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup from this program's own text.
    pub(super) fn put(&mut self, markup: &'static str) -> &mut Html {
        self.0.push_str(markup);
        self
    }

    /// Text from anywhere, inside an element or a quoted attribute.
    pub(super) fn text(&mut self, text: &str) -> &mut Html {
        self.0.push_str(&escaped(text));
        self
    }

    /// A count.
    pub(super) fn count(&mut self, count: usize) -> &mut Html {
        // Writing to a text cannot fail.
        let _ = write!(self.0, "{count}");
        self
    }

    /// A chart, which is escaped already.
    pub(super) fn chart(&mut self, chart: &Svg) -> &mut Html {
        // In a page the name of the language goes without saying.
        self.0.push_str(&chart.as_str().replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1));
        self
    }

    /// The last lines of what a program said.
    pub(super) fn tail(&mut self, text: &str, most: usize) -> &mut Html {
        let lines: Vec<&str> = text.trim_end().lines().collect();
        if !lines.is_empty() {
            self.put("<pre>");
            for line in &lines[lines.len().saturating_sub(most)..] {
                self.text(&line.chars().take(400).collect::<String>()).put("\n");
            }
            self.put("</pre>");
        }
        self
    }

    /// The style of all pages, for one that stands alone.
    pub(super) fn style(&mut self) -> &mut Html {
        self.0.push_str(&super::style());
        self
    }

    /// Another piece.
    pub(super) fn piece(&mut self, piece: &Html) -> &mut Html {
        self.0.push_str(&piece.0);
        self
    }

    /// How many bytes there are so far.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What there is so far.
    #[cfg(test)]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}
