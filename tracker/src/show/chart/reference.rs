//! A peer's result as a line across a chart.

use std::ops::Range;

use super::ink::{Anchor, Frame, Paper};
use crate::domain::Unit;
use crate::show::number::quantity;
use crate::show::table::shorten;

/// What others reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Whose it is.
    pub name: String,
    /// Where it lies.
    pub value: f64,
}

/// A reference takes part in a chart's range where the range becomes at most so many times as tall by it.
const TALLEST: f64 = 2.5;

/// The range with the references that lie near it.
pub(super) fn widened(range: Range<f64>, references: &[Reference]) -> Range<f64> {
    let tall = range.end - range.start;
    let mut wide = range.clone();
    for value in references.iter().map(|reference| reference.value) {
        let (low, high) = (wide.start.min(value - tall * 0.06), wide.end.max(value + tall * 0.1));
        if value.is_finite() && high - low <= tall * TALLEST {
            wide = low..high;
        }
    }
    wide
}

/// Draws the references; one that lies beyond the edge is a word there, with its value.
pub(super) fn draw(paper: &mut Paper, references: &[Reference], frame: &Frame, unit: &Unit) {
    let page = Frame { x: frame.left..frame.right, y: frame.bottom..frame.top, ..frame.clone() };
    let mut taken: Vec<f64> = Vec::new();
    for reference in references {
        let title = format!("{}: {}", reference.name, quantity(reference.value, unit));
        let name = shorten(&reference.name, 24);
        paper.group_with("peer", &title, &page, |pen| {
            let within = frame.y.contains(&reference.value);
            let (y, label) = if within {
                (frame.down(reference.value), name.clone())
            } else if reference.value >= frame.y.end {
                (frame.top + 14.0, format!("{name}: {} ↑", quantity(reference.value, unit)))
            } else {
                (frame.bottom - 2.0, format!("{name}: {} ↓", quantity(reference.value, unit)))
            };
            if within {
                pen.line(&[(frame.left, y), (frame.right, y)]);
            }
            // Labels that would lie upon each other stand one above the other.
            let mut row = y - 4.0;
            while taken.iter().any(|other: &f64| (other - row).abs() < 12.0) && row > frame.top + 12.0 {
                row -= 12.0;
            }
            taken.push(row);
            pen.text((frame.right - 4.0, row), Anchor::End, &label);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(value: f64) -> Reference {
        Reference { name: "other".to_owned(), value }
    }

    #[test]
    fn a_near_reference_widens_the_range_and_a_far_one_does_not_flatten_the_rest() {
        let range = widened(100.0..110.0, &[at(95.0), at(1e9), at(f64::NAN)]);
        assert!(range.contains(&95.0) && range.end < 120.0, "{range:?}");
        assert_eq!(widened(100.0..110.0, &[at(105.0)]), 100.0..110.0);
    }
}
