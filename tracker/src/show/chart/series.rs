//! A metric along the history: every point or the extremes of many, their intervals, the levels they keep, and where
//! those moved.

use std::ops::Range;

use super::accepted::{self, Accepted};
use super::ink::{Anchor, Frame, LETTER, Paper};
use super::lanes::{self, LANE, Lane};
use super::reference::{self, Reference};
use super::scale;
use super::{Svg, thin};
use crate::domain::{Turn, Unit};
use crate::show::number::quantity;
use crate::show::table::shorten;
use crate::stats::robust;

/// A point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// Its commit's place in the history.
    pub x: f64,
    /// Its value.
    pub y: f64,
    /// Its interval, where the data allow one.
    pub interval: Option<(f64, f64)>,
}

/// A level between two places of the history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The place of its first point.
    pub from: f64,
    /// The place of its last point.
    pub to: f64,
    /// Where it lies.
    pub value: f64,
    /// Its 95 % interval.
    pub within: (f64, f64),
}

/// A change of the level.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The place at which the new level begins.
    pub at: f64,
    /// The places at which it may have begun.
    pub within: (f64, f64),
    /// What it means.
    pub turn: Turn,
    /// Whether the value rose.
    pub rose: bool,
    /// Its size, in a word.
    pub label: String,
    /// A line about it, shown when it is pointed at.
    pub title: String,
}

/// A release.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// The commit's place.
    pub at: f64,
    /// Its name.
    pub name: String,
}

/// All that a series' chart shows.
#[derive(Debug, Clone)]
pub struct Series<'a> {
    /// What it is of, for those who cannot see it.
    pub title: &'a str,
    /// The values' unit.
    pub unit: &'a Unit,
    /// The points, in the order of history.
    pub dots: &'a [Dot],
    /// The levels.
    pub steps: &'a [Step],
    /// The changes.
    pub marks: &'a [Mark],
    /// The releases.
    pub tags: &'a [Tag],
    /// What was accepted, in the order of history.
    pub accepted: &'a [Accepted],
    /// What others reach.
    pub references: &'a [Reference],
    /// What stands beneath the axis.
    pub lanes: &'a [Lane],
    /// Every place that there is, with its time, in order: for the dates beneath the axis.
    pub times: &'a [(f64, i64)],
}

const WIDTH: f64 = 960.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 946.0;
/// Rows of labels above the plot: releases, then changes in two rows.
const TAG_ROW: f64 = 14.0;
const MARK_ROWS: [f64; 2] = [32.0, 46.0];
const TOP: f64 = 52.0;
const BOTTOM: f64 = 312.0;
/// Beneath the plot: the dates.
const DATES: f64 = 22.0;

/// More columns than this cannot be told apart.
const COLUMNS: usize = 160;
/// Longer labels are shortened.
const LONGEST: usize = 16;
/// Points so many noises off the levels are drawn at the edge.
const FAR: f64 = 10.0;

/// Draws the chart; without points, a frame that says so.
#[must_use]
pub fn draw(series: &Series<'_>) -> Svg {
    let lanes = series.lanes.len() as f64 + if series.accepted.is_empty() { 0.0 } else { 1.0 };
    let height = BOTTOM + DATES + lanes * LANE + if lanes > 0.0 { 8.0 } else { 0.0 };
    let page = Frame::page(WIDTH, height);
    let frame = frame(series);
    let facts = [("plot", format!("{LEFT} {TOP} {RIGHT} {BOTTOM}")), ("x", pair(&frame.x)), ("y", pair(&frame.y))];
    let mut paper = Paper::new("chart", (WIDTH, height), series.title, &facts);
    if series.dots.is_empty() {
        paper.group("words", &page, |pen| {
            pen.text((WIDTH / 2.0, height / 2.0), Anchor::Middle, "nothing was measured yet");
        });
        return paper.finish();
    }
    let unit = axes(&mut paper, series, &frame, &page);
    let columns = thin::columns(series.dots, &frame.x, COLUMNS);
    let reach = reach(series.dots);
    let pieces = pieces(&columns, series.steps, reach);
    gaps(&mut paper, series, &frame, reach);
    band(&mut paper, &pieces, &frame);
    tags(&mut paper, series, (&frame, &page), unit);
    reference::draw(&mut paper, series.references, &frame, series.unit);
    marks(&mut paper, series, &frame, &page);
    paper.group("thread", &frame, |pen| {
        for piece in &pieces {
            let middle = |column: &&[Dot]| (center(column), frame_clamp(&frame, thin::middle(column)));
            pen.line(&piece.iter().map(middle).collect::<Vec<_>>());
        }
    });
    dots(&mut paper, &columns, &frame, series.unit);
    steps(&mut paper, series, &frame, reach);
    accepted::draw(&mut paper, series.accepted, (&frame, &page), BOTTOM + DATES + 11.0);
    lanes::draw(&mut paper, series.lanes, (&frame, &page), beneath(series));
    paper.finish()
}

/// Where the lanes begin: beneath the dates, and beneath what was accepted where something was.
fn beneath(series: &Series<'_>) -> f64 {
    BOTTOM + DATES + 4.0 + if series.accepted.is_empty() { 0.0 } else { LANE }
}

fn pair(range: &Range<f64>) -> String {
    format!("{} {}", range.start, range.end)
}

fn center(column: &[Dot]) -> f64 {
    f64::midpoint(column[0].x, column[column.len() - 1].x)
}

fn frame_clamp(frame: &Frame, y: f64) -> f64 {
    y.clamp(frame.y.start, frame.y.end)
}

/// The ranges of both axes. One far point does not flatten the rest: the range is that of the levels and of what lies
/// about them as the noise does.
fn frame(series: &Series<'_>) -> Frame {
    let (first, last) = match series.dots {
        [] => (0.0, 1.0),
        [one] => (one.x - 1.0, one.x + 1.0),
        [first, .., last] => (first.x, last.x),
    };
    let side = (last - first) * 0.012;
    let y = reference::widened(heights(series), series.references);
    Frame { x: first - side..last + side, y, left: LEFT, top: TOP, right: RIGHT, bottom: BOTTOM }
}

fn heights(series: &Series<'_>) -> Range<f64> {
    let values: Vec<f64> = series.dots.iter().map(|dot| dot.y).collect();
    let Some(middle) = robust::median(&values) else { return 0.0..1.0 };
    let off: Vec<f64> = series.dots.iter().map(|dot| dot.y - level_at(series.steps, dot.x).unwrap_or(middle)).collect();
    let sizes: Vec<f64> = off.iter().map(|off| off.abs()).collect();
    let noise = 1.4826 * robust::median(&sizes).unwrap_or_default();
    let levels = || series.steps.iter().map(|step| step.value).chain(series.steps.is_empty().then_some(middle));
    // Where more than half of the points agree to the digit, a far point is all there is to see.
    let far = if noise > 0.0 { FAR * noise } else { f64::INFINITY };
    let low_edge = levels().fold(f64::INFINITY, f64::min) - far;
    let high_edge = levels().fold(f64::NEG_INFINITY, f64::max) + far;
    let low = values.iter().copied().fold(f64::INFINITY, f64::min).max(low_edge);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max).min(high_edge);
    // A steady series is drawn as steady: at least one percent to each side.
    let side = ((high - low) * 0.08).max(middle.abs() * 0.01 - (high - low) / 2.0).max(f64::MIN_POSITIVE);
    let side = if high - low + side > 0.0 && (low - side) < (high + side) { side } else { 1.0 };
    low - side..high + side
}

fn level_at(steps: &[Step], x: f64) -> Option<f64> {
    let at = steps.partition_point(|step| step.to < x);
    steps.get(at).or(steps.last()).map(|step| step.value)
}

/// How far apart two neighbours may be and still belong together: a machine that measures every tenth commit has no gaps.
fn reach(dots: &[Dot]) -> f64 {
    let apart: Vec<f64> = dots.windows(2).map(|pair| pair[1].x - pair[0].x).collect();
    robust::median(&apart).unwrap_or(1.0).max(1.0) * 12.0
}

/// The columns in pieces that belong together: neither a gap nor a change of the level lies between two of them.
fn pieces<'a>(columns: &'a [&'a [Dot]], steps: &[Step], reach: f64) -> Vec<&'a [&'a [Dot]]> {
    let level = |dot: &Dot| steps.partition_point(|step| step.to < dot.x);
    let belong = |one: &&[Dot], next: &&[Dot]| {
        next[0].x - one[one.len() - 1].x <= reach && level(&one[one.len() - 1]) == level(&next[0])
    };
    columns.chunk_by(belong).collect()
}

/// Both axes; gives where the unit ends, which stands at the beginning of the releases' row.
fn axes(paper: &mut Paper, series: &Series<'_>, frame: &Frame, page: &Frame) -> f64 {
    let (heights, unit) = scale::values(&frame.y, series.unit, 6);
    let unit = shorten(&unit, LONGEST);
    let from = series.times.partition_point(|(x, _)| *x < frame.x.start);
    let to = series.times.partition_point(|(x, _)| *x <= frame.x.end);
    let dates = scale::dates(&series.times[from..to], 9);
    paper.group("grid", page, |pen| {
        for tick in &heights {
            let y = frame.down(tick.at);
            pen.line(&[(LEFT, y), (RIGHT, y)]);
        }
    });
    paper.group("ticks y", page, |pen| {
        pen.text((4.0, TAG_ROW), Anchor::Start, &unit);
        for tick in &heights {
            pen.text((LEFT - 8.0, frame.down(tick.at) + 4.0), Anchor::End, &tick.label);
        }
    });
    paper.group("axis", page, |pen| pen.line(&[(LEFT, BOTTOM), (RIGHT, BOTTOM)]));
    paper.group("ticks x", page, |pen| scale::under(pen, frame, &dates, LETTER));
    4.0 + unit.chars().count() as f64 * LETTER
}

fn gaps(paper: &mut Paper, series: &Series<'_>, frame: &Frame, reach: f64) {
    let gaps = series.dots.windows(2).filter(|pair| pair[1].x - pair[0].x > reach);
    let gaps: Vec<(f64, f64)> = gaps.map(|pair| (pair[0].x, pair[1].x)).collect();
    paper.group("gap", frame, |pen| {
        for &(from, to) in &gaps {
            pen.area((from, frame.y.start), (to, frame.y.end));
        }
    });
    let wide = |gap: &&(f64, f64)| frame.across(gap.1) - frame.across(gap.0) > 13.0 * LETTER;
    paper.group("words", frame, |pen| {
        for &(from, to) in gaps.iter().filter(wide) {
            let low = frame.y.start + (frame.y.end - frame.y.start) * 0.03;
            pen.text((f64::midpoint(from, to), low), Anchor::Middle, "not measured");
        }
    });
}

/// The points' intervals, as one band that breaks at gaps.
fn band(paper: &mut Paper, pieces: &[&[&[Dot]]], frame: &Frame) {
    paper.group("band", frame, |pen| {
        for piece in pieces {
            let edge = |pick: fn(&[Dot]) -> Option<f64>| {
                piece.iter().filter_map(move |column| Some((center(column), frame_clamp(frame, pick(column)?))))
            };
            let mut outline: Vec<(f64, f64)> = edge(|column| middle_of(column, |interval| interval.1)).collect();
            let mut below: Vec<(f64, f64)> = edge(|column| middle_of(column, |interval| interval.0)).collect();
            below.reverse();
            outline.extend(below);
            pen.shape(outline);
        }
    });
}

fn middle_of(column: &[Dot], end: fn((f64, f64)) -> f64) -> Option<f64> {
    let ends: Vec<f64> = column.iter().filter_map(|dot| dot.interval).map(end).collect();
    robust::median(&ends)
}

fn tags(paper: &mut Paper, series: &Series<'_>, (frame, page): (&Frame, &Frame), unit: f64) {
    let inside = series.tags.iter().filter(|tag| frame.x.contains(&tag.at));
    let mut free = unit + 10.0;
    for tag in inside {
        let x = frame.across(tag.at);
        let name = shorten(&tag.name, LONGEST);
        let width = name.chars().count() as f64 * LETTER;
        let start = (x - width / 2.0).min(WIDTH - width).max(unit + 10.0);
        // A name that has no room, or not all of it, is told when its line is pointed at.
        let (has_room, is_whole) = (start >= free && start <= x, name == tag.name);
        paper.group_with("tag", if has_room && is_whole { "" } else { &tag.name }, page, |pen| {
            pen.line(&[(x, TOP - 34.0), (x, BOTTOM)]);
            if has_room {
                pen.text((start, TAG_ROW), Anchor::Start, &name);
            }
        });
        if has_room {
            free = start + width + 10.0;
        }
    }
}

/// Each change: where it may have begun, a line, an arrowhead that points the way the value went, and its size where there
/// is room for it.
fn marks(paper: &mut Paper, series: &Series<'_>, frame: &Frame, page: &Frame) {
    let mut free = [LEFT; MARK_ROWS.len()];
    for mark in series.marks {
        let class = match mark.turn {
            Turn::Regression => "mark worse",
            Turn::Improvement => "mark better",
            Turn::Moved => "mark moved",
        };
        let x = frame.across(mark.at).clamp(LEFT, RIGHT);
        let ends = (frame.across(mark.within.0).max(LEFT), frame.across(mark.within.1).min(RIGHT));
        let label = shorten(&mark.label, LONGEST);
        let width = label.chars().count() as f64 * LETTER + 12.0;
        // At the right edge the label stands before its mark.
        let side = if x - 4.0 + width > WIDTH { Anchor::End } else { Anchor::Start };
        let start = if side == Anchor::End { x + 4.0 - width } else { x - 4.0 };
        let row = free.iter().rposition(|free| start >= *free);
        paper.group_with(class, &mark.title, page, |pen| {
            if ends.1 - ends.0 > 1.0 {
                pen.area((ends.0, TOP), (ends.1, BOTTOM));
            }
            let tip = row.map_or(TOP, |row| MARK_ROWS[row]);
            pen.line(&[(x, tip), (x, BOTTOM)]);
            let (point, foot) = if mark.rose { (tip - 9.0, tip - 1.0) } else { (tip - 1.0, tip - 9.0) };
            pen.shape(vec![(x - 4.0, foot), (x + 4.0, foot), (x, point)]);
            if row.is_some() {
                let beside = if side == Anchor::End { x - 8.0 } else { x + 8.0 };
                pen.text((beside, tip - 1.0), side, &label);
            }
        });
        if let Some(row) = row {
            free[row] = start + width + 8.0;
        }
    }
}

fn dots(paper: &mut Paper, columns: &[&[Dot]], frame: &Frame, unit: &Unit) {
    let shown = || columns.iter().flat_map(|column| thin::extremes(column));
    paper.group("dots", frame, |pen| {
        for dot in shown().filter(|dot| frame.y.contains(&dot.y)) {
            pen.dot((dot.x, dot.y));
        }
    });
    // Beyond the edge: an arrowhead each, up to a number that still can be told apart.
    let beyond: Vec<&Dot> = shown().filter(|dot| !frame.y.contains(&dot.y)).take(40).collect();
    let page = Frame { x: LEFT..RIGHT, y: BOTTOM..TOP, ..frame.clone() };
    for dot in beyond {
        let x = frame.across(dot.x);
        let (edge, inward) = if dot.y >= frame.y.end { (TOP + 1.0, 7.0) } else { (BOTTOM - 1.0, -7.0) };
        let title = format!("{}, beyond the edge", quantity(dot.y, unit));
        paper.group_with("beyond", &title, &page, |pen| {
            pen.shape(vec![(x, edge), (x - 3.5, edge + inward), (x + 3.5, edge + inward)]);
        });
    }
}

/// The levels, each broken where nothing was measured.
fn steps(paper: &mut Paper, series: &Series<'_>, frame: &Frame, reach: f64) {
    let mut pieces: Vec<Step> = Vec::new();
    for step in series.steps {
        let from = series.dots.partition_point(|dot| dot.x < step.from);
        let to = series.dots.partition_point(|dot| dot.x <= step.to);
        for together in series.dots[from..to.max(from)].chunk_by(|one, next| next.x - one.x <= reach) {
            pieces.push(Step { from: together[0].x, to: together[together.len() - 1].x, ..*step });
        }
    }
    paper.group("sure", frame, |pen| {
        for step in &pieces {
            let (low, high) = (frame_clamp(frame, step.within.0), frame_clamp(frame, step.within.1));
            pen.area((step.from, low), (step.to, high));
        }
    });
    let least = (frame.x.end - frame.x.start) / 400.0;
    paper.group("steps", frame, |pen| {
        for step in &pieces {
            pen.line(&[(step.from, step.value), (step.to.max(step.from + least), step.value)]);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dots(count: u32, far: Option<usize>) -> Vec<Dot> {
        let mut dots: Vec<Dot> = (0..count)
            .map(|at| {
                let level = if at < count / 2 { 1000.0 } else { 1100.0 };
                let y = level + f64::from(at * 7 % 13);
                Dot { x: f64::from(at), y, interval: Some((y - 3.0, y + 3.0)) }
            })
            .collect();
        if let Some(far) = far {
            dots[far].y = 9000.0;
        }
        dots
    }

    fn drawn(dots: &[Dot], marks: &[Mark]) -> String {
        let half = dots.len() as f64 / 2.0;
        let last = dots.len() as f64 - 1.0;
        let step = |from, to, value| Step { from, to, value, within: (value - 2.0, value + 2.0) };
        let steps = [step(0.0, half - 1.0, 1006.0), step(half, last, 1106.0)];
        let times: Vec<(f64, i64)> = dots.iter().map(|dot| dot.x).zip((1_704_067_200..).step_by(43_200)).collect();
        let series = Series {
            title: "kernel/<b>",
            unit: &Unit::nanoseconds(),
            dots,
            steps: &steps,
            marks,
            tags: &[Tag { at: half, name: "v1&2".to_owned() }],
            accepted: &[],
            references: &[],
            lanes: &[Lane { name: "rustc".to_owned(), spans: vec![(0.0, half, "1.94".to_owned())] }],
            times: &times,
        };
        draw(&series).as_str().to_owned()
    }

    fn mark(at: f64) -> Mark {
        Mark {
            at,
            within: (at - 2.0, at + 2.0),
            turn: Turn::Regression,
            rose: true,
            label: "+10 %".to_owned(),
            title: "slower".to_owned(),
        }
    }

    fn marks_in(svg: &str) -> usize {
        let mut reader = quick_xml::Reader::from_str(svg);
        let mut marks = 0;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => return marks,
                quick_xml::events::Event::Empty(_) | quick_xml::events::Event::Text(_) => marks += 1,
                _ => {}
            }
        }
    }

    #[test]
    fn a_long_history_has_as_few_marks_as_a_short_one() {
        for count in [50, 1_000, 100_000] {
            let dots = dots(count, None);
            let svg = drawn(&dots, &[mark(f64::from(count / 2))]);
            assert!(marks_in(&svg) < 100, "{count}: {}", marks_in(&svg));
            assert!(svg.len() < 20_000, "{count}: {} bytes", svg.len());
        }
    }

    #[test]
    fn one_far_point_is_a_mark_at_the_edge_and_flattens_nothing() {
        let svg = drawn(&dots(400, Some(37)), &[]);
        assert_eq!(svg.matches("class=\"beyond\"").count(), 1);
        assert!(svg.contains("<title>9 µs, beyond the edge</title>"));
        assert!(svg.contains(">1.10<") && !svg.contains(">8<"), "{svg}");
    }

    #[test]
    fn where_nothing_was_measured_the_line_breaks_and_it_is_said() {
        let mut dots = dots(400, None);
        dots.drain(100..200);
        let svg = drawn(&dots, &[]);
        assert!(svg.contains("class=\"gap\"") && svg.contains("not measured"));
        let thread = svg.split("class=\"thread\"").nth(1).unwrap().split("</g>").next().unwrap();
        assert_eq!(thread.matches("<path").count(), 3, "broken at the gap and at the change of level");
    }

    #[test]
    fn labels_that_would_overlap_give_way_and_their_marks_stay() {
        let marks: Vec<Mark> = (0..9).map(|at| mark(200.0 + f64::from(at))).collect();
        let svg = drawn(&dots(400, None), &marks);
        assert_eq!(svg.matches("class=\"mark worse\"").count(), 9);
        assert_eq!(svg.matches(">+10 %<").count(), 2);
    }

    #[test]
    fn a_release_whose_name_has_no_room_is_told_when_it_is_pointed_at() {
        let unit = Unit::nanoseconds();
        let tag = |at, name: &str| Tag { at, name: name.to_owned() };
        let series = Series {
            title: "t",
            unit: &unit,
            dots: &dots(400, None),
            steps: &[],
            marks: &[],
            tags: &[tag(0.0, "v0"), tag(200.0, "v1"), tag(201.0, "v<2>"), tag(300.0, "a-release-with-a-long-name")],
            accepted: &[],
            references: &[],
            lanes: &[],
            times: &[],
        };
        let svg = draw(&series);
        let svg = svg.as_str();
        assert!(svg.contains(">v0</text>"), "a release at the left edge has its name: {svg}");
        assert!(svg.contains(">v1</text>") && !svg.contains("<title>v1</title>"));
        assert!(svg.contains("<title>v&lt;2&gt;</title>") && !svg.contains(">v&lt;2&gt;</text>"));
        assert!(svg.contains("<title>a-release-with-a-long-name</title>"));
    }

    #[test]
    fn no_points_one_point_and_equal_points_are_drawn() {
        assert!(drawn(&[], &[]).contains("nothing was measured yet"));
        for dots in [dots(1, None), vec![Dot { x: 1.0, y: 0.0, interval: None }; 3]] {
            let svg = drawn(&dots, &[]);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn the_same_data_give_the_same_bytes() {
        assert_eq!(drawn(&dots(500, None), &[mark(9.0)]), drawn(&dots(500, None), &[mark(9.0)]));
    }
}
