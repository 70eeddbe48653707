//! Several series in one chart, to compare alternatives: each a line with a colour, a dash and a shape of its own, so that
//! none has to be told from another by colour alone.

use std::ops::Range;

use super::ink::{Anchor, Frame, LETTER, Paper, Pen};
use super::reference::{self, Reference};
use super::scale;
use super::series::Dot;
use super::{Svg, thin};
use crate::domain::Unit;
use crate::show::table::shorten;
use crate::stats::robust;

/// How many lines can be told apart.
pub const MOST: usize = 8;

/// One of the lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it is of.
    pub name: String,
    /// Its points, in the order of history.
    pub dots: Vec<Dot>,
}

/// How values are laid out along the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps are equal differences.
    Linear,
    /// Equal steps are equal ratios; values that are not above nought have no place.
    Log,
}

/// All that the chart shows.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    /// What it is of, for those who cannot see it.
    pub title: &'a str,
    /// The values' unit.
    pub unit: &'a Unit,
    /// How they are laid out.
    pub scale: Scale,
    /// The lines; the first [`MOST`] are drawn.
    pub curves: &'a [Curve],
    /// What others reach.
    pub references: &'a [Reference],
    /// Every place that there is, with its time, in order.
    pub times: &'a [(f64, i64)],
}

const WIDTH: f64 = 960.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 946.0;
const HIGH: f64 = 260.0;
const ROW: f64 = 18.0;
const DATES: f64 = 24.0;
const SWATCH: f64 = 34.0;
const COLUMNS: usize = 120;
/// Shapes along a line: enough to know it by.
const SHAPES: usize = 9;

const CLASSES: [&str; MOST] = [
    "curve l0",
    "curve l1 dash1",
    "curve l2 dash2",
    "curve l3 dash3",
    "curve l4",
    "curve l5 dash1",
    "curve l6 dash2",
    "curve l7 dash3",
];
const KEYS: [&str; MOST] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"];

/// Draws the chart; without points, a frame that says so.
#[must_use]
pub fn draw(lines: &Lines<'_>) -> Svg {
    let curves = placed(lines);
    let legend = legend(&curves);
    let rows = legend.iter().map(|entry| entry.1).fold(0.0, f64::max) + 1.0;
    let top = 16.0 + rows * ROW;
    let height = top + HIGH + DATES;
    let page = Frame::page(WIDTH, height);
    let mut paper = Paper::new("chart", (WIDTH, height), lines.title, &[]);
    let Some((x, y)) = ranges(lines, &curves) else {
        paper.group("words", &page, |pen| {
            pen.text((WIDTH / 2.0, height / 2.0), Anchor::Middle, "nothing was measured yet");
        });
        return paper.finish();
    };
    let frame = Frame { x, y, left: LEFT, top, right: RIGHT, bottom: top + HIGH };
    axes(&mut paper, lines, &frame, &page);
    if lines.scale == Scale::Linear {
        reference::draw(&mut paper, lines.references, &frame, lines.unit);
    }
    for (number, curve) in curves.iter().enumerate() {
        draw_curve(&mut paper, number, &curve.dots, &frame, &page);
    }
    for (number, ((left, row, name), curve)) in legend.iter().zip(&curves).enumerate() {
        let y = 10.0 + row * ROW;
        paper.group_with(CLASSES[number], &curve.name, &page, |pen| pen.line(&[(*left, y), (left + SWATCH - 8.0, y)]));
        paper.group(KEYS[number], &page, |pen| shape(pen, number, (left + SWATCH / 2.0 - 4.0, y)));
        paper.group("legend", &page, |pen| pen.text((left + SWATCH, y + 4.0), Anchor::Start, name));
    }
    paper.finish()
}

/// The lines as they lie on the axis: values of a logarithmic one are powers of ten.
fn placed(lines: &Lines<'_>) -> Vec<Curve> {
    let place = |dot: &Dot| match lines.scale {
        Scale::Linear => Some(*dot),
        Scale::Log => Some(Dot { y: dot.y.log10(), ..*dot }).filter(|dot| dot.y.is_finite()),
    };
    let curve = |curve: &Curve| Curve { dots: curve.dots.iter().filter_map(place).collect(), ..curve.clone() };
    lines.curves.iter().take(MOST).map(curve).collect()
}

/// Where each line's name stands: how far from the left, in which row, and the name as far as there is room.
fn legend(curves: &[Curve]) -> Vec<(f64, f64, String)> {
    let (mut left, mut row) = (LEFT, 0.0);
    let mut entries = Vec::new();
    for curve in curves {
        let name = shorten(&curve.name, 60);
        let width = SWATCH + name.chars().count() as f64 * LETTER + 14.0;
        if left > LEFT && left + width > WIDTH {
            (left, row) = (LEFT, row + 1.0);
        }
        entries.push((left, row, name));
        left += width;
    }
    entries
}

fn ranges(lines: &Lines<'_>, curves: &[Curve]) -> Option<(Range<f64>, Range<f64>)> {
    let dots = || curves.iter().flat_map(|curve| curve.dots.iter());
    let least = |pick: fn(&Dot) -> f64| dots().map(pick).reduce(f64::min);
    let most = |pick: fn(&Dot) -> f64| dots().map(pick).reduce(f64::max);
    let (first, last) = (least(|dot| dot.x)?, most(|dot| dot.x)?);
    let side = ((last - first) * 0.012).max(0.5);
    // Far points are cut off: the range is that of the columns' middles.
    let middles: Vec<f64> =
        curves.iter().flat_map(|curve| middles(&curve.dots, &(first..last))).map(|(_, y)| y).collect();
    let middle = robust::median(&middles)?;
    let (low, high) = (middles.iter().copied().fold(middle, f64::min), middles.iter().copied().fold(middle, f64::max));
    let flat = match lines.scale {
        Scale::Linear => middle.abs() * 0.02,
        Scale::Log => 0.02,
    };
    let side_y = ((high - low) * 0.08).max((flat - (high - low)) / 2.0).max(1e-12);
    let y = low - side_y..high + side_y;
    let y = if lines.scale == Scale::Linear { reference::widened(y, lines.references) } else { y };
    Some((first - side..last + side, y))
}

/// The line through the middles of its columns.
fn middles(dots: &[Dot], x: &Range<f64>) -> Vec<(f64, f64)> {
    let columns = thin::columns(dots, x, COLUMNS);
    columns
        .iter()
        .map(|column| (f64::midpoint(column[0].x, column[column.len() - 1].x), thin::middle(column)))
        .collect()
}

fn draw_curve(paper: &mut Paper, number: usize, dots: &[Dot], frame: &Frame, page: &Frame) {
    let middles = middles(dots, &frame.x);
    paper.group(CLASSES[number], frame, |pen| pen.line(&middles));
    let apart = (middles.len() / SHAPES).max(1);
    // Not all lines have their shapes at the same places.
    let first = number * apart / MOST;
    paper.group(KEYS[number], page, |pen| {
        for &(x, y) in middles.iter().skip(first).step_by(apart) {
            shape(pen, number, (frame.across(x), frame.down(y)));
        }
    });
}

/// The shape that a line has along it, in pixels.
fn shape(pen: &Pen<'_>, number: usize, (x, y): (f64, f64)) {
    let corners = |corners: &[(f64, f64)]| corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect::<Vec<_>>();
    let ring = |count: u32| -> Vec<(f64, f64)> {
        let corner = |at: u32| std::f64::consts::TAU * f64::from(at) / f64::from(count);
        (0..count).map(|at| (x + 5.0 * corner(at).cos(), y + 5.0 * corner(at).sin())).collect()
    };
    match number {
        0 => pen.shape(ring(12)),
        1 => pen.shape(corners(&[(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)])),
        2 => pen.shape(corners(&[(-5.0, 4.0), (5.0, 4.0), (0.0, -5.0)])),
        3 => pen.shape(ring(4)),
        4 => pen.shape(corners(&[(-5.0, -4.0), (5.0, -4.0), (0.0, 5.0)])),
        5 => pen.shape(corners(&[(-5.0, -2.0), (5.0, -2.0), (5.0, 2.0), (-5.0, 2.0)])),
        6 => pen.shape(corners(&[(-2.0, -5.0), (2.0, -5.0), (2.0, 5.0), (-2.0, 5.0)])),
        _ => pen.shape(corners(&[(-4.0, -5.0), (5.0, 0.0), (-4.0, 5.0)])),
    }
}

fn axes(paper: &mut Paper, lines: &Lines<'_>, frame: &Frame, page: &Frame) {
    let (heights, unit) = match lines.scale {
        Scale::Linear => scale::values(&frame.y, lines.unit, 6),
        Scale::Log => scale::powers(&frame.y, lines.unit, 8),
    };
    let from = lines.times.partition_point(|(x, _)| *x < frame.x.start);
    let to = lines.times.partition_point(|(x, _)| *x <= frame.x.end);
    let dates = scale::dates(&lines.times[from..to], 9);
    paper.group("grid", page, |pen| {
        for tick in &heights {
            pen.line(&[(LEFT, frame.down(tick.at)), (RIGHT, frame.down(tick.at))]);
        }
    });
    paper.group("ticks y", page, |pen| {
        pen.text((4.0, frame.top - 6.0), Anchor::Start, &shorten(&unit, 16));
        for tick in &heights {
            pen.text((LEFT - 8.0, frame.down(tick.at) + 4.0), Anchor::End, &tick.label);
        }
    });
    paper.group("axis", page, |pen| pen.line(&[(LEFT, frame.bottom), (RIGHT, frame.bottom)]));
    paper.group("ticks x", page, |pen| scale::under(pen, frame, &dates, LETTER));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(name: &str, count: u32, level: f64) -> Curve {
        let dot = |at: u32| Dot { x: f64::from(at), y: level + f64::from(at * 7 % 5), interval: None };
        Curve { name: name.to_owned(), dots: (0..count).map(dot).collect() }
    }

    fn drawn(curves: &[Curve], scale: Scale, references: &[Reference]) -> Svg {
        let times: Vec<(f64, i64)> =
            (0..5000_u32).map(|at| (f64::from(at), 1_700_000_000 + i64::from(at) * 7200)).collect();
        draw(&Lines { title: "a <b>", unit: &Unit::nanoseconds(), scale, curves, references, times: &times })
    }

    #[test]
    fn each_line_has_a_class_a_dash_a_shape_and_a_name_of_its_own() {
        let curves: Vec<Curve> =
            (0..10_u32).map(|at| curve(&format!("way {at}"), 900, 100.0 + f64::from(at) * 50.0)).collect();
        let svg = drawn(&curves, Scale::Linear, &[]);
        let text = svg.as_str();
        for (number, class) in CLASSES.iter().enumerate() {
            assert_eq!(text.matches(&format!("class=\"{class}\"")).count(), 2, "line and legend of {number}");
            assert_eq!(text.matches(&format!("class=\"k{number}\"")).count(), 2);
            assert!(text.contains(&format!(">way {number}</text>")));
        }
        assert!(!text.contains("way 8"), "more than can be told apart");
        assert!(text.matches("<path").count() < 200 && text.len() < 40_000, "{}", text.len());
    }

    #[test]
    fn ratios_are_equal_steps_on_a_logarithmic_axis_and_what_has_no_logarithm_has_no_place() {
        let mut curves = [curve("small", 50, 10.0), curve("large", 50, 100_000.0)];
        curves[0].dots[3].y = 0.0;
        curves[0].dots[4].y = -5.0;
        let svg = drawn(&curves, Scale::Log, &[]);
        for wanted in [">0.1<", ">1<", ">10<", ">100<"] {
            assert!(svg.as_str().contains(wanted), "{wanted} in {}", svg.as_str());
        }
        assert!(!svg.as_str().contains("NaN") && !svg.as_str().contains("inf"));
    }

    #[test]
    fn others_are_lines_across_and_no_points_are_a_word() {
        let reference = |value: f64| Reference { name: "llama.cpp".to_owned(), value };
        let svg = drawn(&[curve("ours", 40, 100.0)], Scale::Linear, &[reference(108.0), reference(1e9)]);
        assert_eq!(svg.as_str().matches("class=\"peer\"").count(), 2);
        assert!(svg.as_str().contains(">llama.cpp</text>") && svg.as_str().contains(">llama.cpp: 1 s ↑</text>"));
        for curves in [&[][..], &[curve("none", 0, 1.0)][..]] {
            assert!(drawn(curves, Scale::Linear, &[]).as_str().contains("nothing was measured yet"));
        }
        assert!(!drawn(&[curve("one", 1, 5.0)], Scale::Log, &[]).as_str().contains("NaN"));
    }
}
