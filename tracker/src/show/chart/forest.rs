//! Effects with their intervals, one beneath the other, against what is allowed.

use super::Svg;
use super::ink::{Anchor, Frame, Paper, Pen};
use super::scale;
use crate::domain::Unit;
use crate::show::table::shorten;

/// How an effect is judged; it decides the looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Worse beyond its limit.
    Worse,
    /// Better beyond its limit.
    Better,
    /// Within its limits.
    Same,
    /// Not decided.
    Doubtful,
}

/// An effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is of.
    pub label: String,
    /// The relative change in percent; may be infinite.
    pub effect_pct: f64,
    /// Its interval in percent, where the data allow one.
    pub interval_pct: Option<(f64, f64)>,
    /// What is allowed, in percent.
    pub limit_pct: f64,
    /// How it is judged.
    pub sort: Sort,
    /// The effect in a word.
    pub value: String,
    /// A line about it, shown when it is pointed at.
    pub title: String,
}

/// So many effects are drawn at the most.
pub const ROWS: usize = 40;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 300.0;
const RIGHT: f64 = 850.0;
const TOP: f64 = 10.0;
const ROW: f64 = 22.0;
const FOOT: f64 = 38.0;

/// Draws the first [`ROWS`] effects; without one, a frame that says so.
#[must_use]
pub fn draw(title: &str, rows: &[Row]) -> Svg {
    let rows = &rows[..rows.len().min(ROWS)];
    let bottom = TOP + ROW * rows.len().max(1) as f64;
    let (height, reach) = (bottom + FOOT, reach(rows));
    let page = Frame::page(WIDTH, height);
    let mut paper = Paper::new("chart forest", (WIDTH, height), title, &[]);
    if rows.is_empty() {
        paper.group("words", &page, |pen| {
            pen.text((WIDTH / 2.0, height / 2.0), Anchor::Middle, "there is nothing to compare");
        });
        return paper.finish();
    }
    let frame = Frame { x: -reach..reach, y: 0.0..1.0, left: LEFT, top: TOP, right: RIGHT, bottom };
    let (ticks, _) = scale::values(&frame.x, &Unit::new("%"), 8);
    paper.group("grid", &page, |pen| {
        for tick in &ticks {
            pen.line(&[(frame.across(tick.at), TOP), (frame.across(tick.at), bottom)]);
        }
    });
    paper.group("ticks x", &page, |pen| {
        for tick in &ticks {
            let sign = if tick.at > 0.0 { "+" } else { "" };
            let label = format!("{sign}{} %", tick.label);
            pen.text((frame.across(tick.at), bottom + 16.0), Anchor::Middle, &label);
        }
        pen.text((LEFT, bottom + 31.0), Anchor::Start, "less on head");
        pen.text((RIGHT, bottom + 31.0), Anchor::End, "more on head");
    });
    for (number, row) in rows.iter().enumerate() {
        one(&mut paper, row, (&frame, &page), TOP + ROW * (number as f64 + 0.5));
    }
    let zero = frame.across(0.0);
    paper.group("axis", &page, |pen| pen.line(&[(zero, TOP), (zero, bottom)]));
    paper.finish()
}

/// How far the axis reaches on either side: to the ends of nearly all intervals. What lies further is cut off with a mark.
fn reach(rows: &[Row]) -> f64 {
    let far = |row: &Row| {
        let (low, high) = row.interval_pct.unwrap_or((row.effect_pct, row.effect_pct));
        low.abs().max(high.abs())
    };
    let mut ends: Vec<f64> = rows.iter().map(far).filter(|end| end.is_finite()).collect();
    ends.sort_unstable_by(f64::total_cmp);
    let limits = rows.iter().map(|row| row.limit_pct).filter(|limit| limit.is_finite()).fold(0.0, f64::max);
    // One that lies ten times as far as the middle one is cut off, and so is no reason to make the rest unreadable.
    let middle = ends.get(ends.len() / 2).copied().unwrap_or(1.0).max(limits.min(20.0)).max(0.05);
    let most = ends.iter().copied().rfind(|end| *end <= middle * 10.0).unwrap_or(middle);
    most.max(limits.min(middle * 2.0)) * 1.08
}

fn one(paper: &mut Paper, row: &Row, (frame, page): (&Frame, &Frame), y: f64) {
    let inside = |pct: f64| frame.across(pct.clamp(frame.x.start, frame.x.end));
    let class = match row.sort {
        Sort::Worse => "row worse",
        Sort::Better => "row better",
        Sort::Same => "row same",
        Sort::Doubtful => "row doubtful",
    };
    paper.group("allowed", page, |pen| {
        pen.area((inside(-row.limit_pct), y - 8.0), (inside(row.limit_pct), y + 8.0));
    });
    paper.group_with(class, &row.title, page, |pen| {
        if let Some((low, high)) = row.interval_pct {
            let (from, to) = (inside(low), inside(high));
            pen.line(&[(from, y), (to, y)]);
            end(pen, (from, y), low < frame.x.start, -1.0);
            end(pen, (to, y), high > frame.x.end, 1.0);
        }
        let x = inside(row.effect_pct);
        // A square for what is decided, a flat diamond for what is not: the shape says again what the colour says.
        if row.sort == Sort::Doubtful {
            pen.shape(vec![(x - 7.0, y), (x, y - 3.5), (x + 7.0, y), (x, y + 3.5)]);
        } else {
            pen.shape(vec![(x - 4.0, y - 4.0), (x + 4.0, y - 4.0), (x + 4.0, y + 4.0), (x - 4.0, y + 4.0)]);
        }
    });
    paper.group("names", page, |pen| {
        pen.text((LEFT - 10.0, y + 4.0), Anchor::End, &shorten(&row.label, 40));
        pen.text((RIGHT + 10.0, y + 4.0), Anchor::Start, &shorten(&row.value, 14));
    });
}

/// The end of an interval: a stop, or an arrowhead where it goes on beyond the edge.
fn end(pen: &Pen<'_>, (x, y): (f64, f64), is_cut: bool, way: f64) {
    if is_cut {
        pen.line(&[(x - way * 6.0, y - 4.0), (x, y), (x - way * 6.0, y + 4.0)]);
    } else {
        pen.line(&[(x, y - 4.0), (x, y + 4.0)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, effect_pct: f64, interval_pct: Option<(f64, f64)>, sort: Sort) -> Row {
        let value = if effect_pct.is_finite() { format!("{effect_pct:+.1} %") } else { "from nothing".to_owned() };
        let title = label.to_owned();
        Row { label: label.to_owned(), effect_pct, interval_pct, limit_pct: 2.0, sort, value, title }
    }

    #[test]
    fn each_effect_has_its_interval_its_limit_and_its_shape() {
        let rows = [
            row("a", 5.0, Some((4.0, 6.0)), Sort::Worse),
            row("b", -3.0, Some((-4.0, -2.5)), Sort::Better),
            row("c", 0.1, Some((-0.4, 0.6)), Sort::Same),
            row("d", 1.0, None, Sort::Doubtful),
        ];
        let svg = draw("t", &rows).as_str().to_owned();
        for wanted in ["row worse", "row better", "row same", "row doubtful", "+5.0 %", "+2 %"] {
            assert!(svg.contains(wanted), "{wanted} in {svg}");
        }
        assert_eq!(svg.matches("class=\"allowed\"").count(), 4);
    }

    #[test]
    fn one_that_went_off_leaves_the_rest_readable_and_nothing_is_no_number() {
        let mut rows =
            vec![row("far", f64::INFINITY, None, Sort::Worse), row("wide", 900.0, Some((1.0, 1e9)), Sort::Same)];
        rows.extend((0..300).map(|at| row(&format!("b/{at}"), 1.0, Some((0.5, 1.5)), Sort::Same)));
        assert!(reach(&rows[..ROWS]) < 25.0, "{}", reach(&rows));
        let svg = draw("t", &rows);
        assert!(svg.as_str().matches("class=\"row").count() == ROWS);
        for rows in [&rows[..], &[], &[row("z", 0.0, Some((0.0, 0.0)), Sort::Same)]] {
            let svg = draw("t", rows);
            assert!(!svg.as_str().contains("NaN") && !svg.as_str().contains("inf"), "{}", svg.as_str());
        }
    }
}
