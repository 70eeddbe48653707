//! What stands beneath a chart: the machine, the compiler, and whatever else stayed the same for a while.

use super::ink::{Anchor, Frame, LETTER, Paper};
use crate::show::table::shorten;

/// The height of a lane.
pub(super) const LANE: f64 = 18.0;

/// Something beside the values that stayed the same for a while: the machine, the compiler.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// What it is.
    pub name: String,
    /// From where to where it was what; in order.
    pub spans: Vec<(f64, f64, String)>,
}

/// Draws the lanes from `top` down, each span with its name where there is room.
pub(super) fn draw(paper: &mut Paper, lanes: &[Lane], (frame, page): (&Frame, &Frame), top: f64) {
    for (number, lane) in lanes.iter().enumerate() {
        let top = top + number as f64 * LANE;
        let name = shorten(&lane.name, 10);
        paper.group("lane", page, |pen| pen.text((frame.left - 8.0, top + 12.0), Anchor::End, &name));
        for (place, (from, to, what)) in lane.spans.iter().enumerate() {
            let (left, right) = (frame.across(*from).max(frame.left), frame.across(*to).min(frame.right));
            let class = if place % 2 == 0 { "lane even" } else { "lane odd" };
            paper.group_with(class, &format!("{}: {what}", lane.name), page, |pen| {
                pen.area((left, top), (right.max(left + 1.0), top + LANE - 4.0));
                if what.chars().count() as f64 * LETTER + 8.0 < right - left {
                    pen.text((left + 5.0, top + 11.0), Anchor::Start, what);
                }
            });
        }
    }
}
