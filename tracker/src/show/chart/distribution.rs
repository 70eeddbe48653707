//! Two samples against each other: one above the axis, the other below it, as heaps of equal width, with the middle of
//! each and the middles of its lives.

use std::ops::Range;

use super::Svg;
use super::ink::{Anchor, Frame, Paper};
use super::scale;
use crate::domain::Unit;
use crate::show::number::quantity;
use crate::show::table::shorten;
use crate::stats::robust;

/// A sample, life by life.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    /// What it is of.
    pub name: &'a str,
    /// The values of each life.
    pub lives: Vec<&'a [f64]>,
}

/// All that the chart shows.
#[derive(Debug, Clone)]
pub struct Distribution<'a> {
    /// What it is of, for those who cannot see it.
    pub title: &'a str,
    /// The values' unit.
    pub unit: &'a Unit,
    /// The sample above the axis.
    pub upper: Sample<'a>,
    /// The one below it, where there is one to set it against.
    pub lower: Option<Sample<'a>>,
}

const WIDTH: f64 = 640.0;
const LEFT: f64 = 12.0;
const RIGHT: f64 = 628.0;
const TOP: f64 = 30.0;
const HALF: f64 = 74.0;
const DATES: f64 = 34.0;
/// How many heaps a sample is parted into.
const HEAPS: usize = 48;
/// So many lives have a mark of their own at the most.
const LIVES: usize = 40;
/// What lies beyond this share of both samples on either side is counted at the edge.
const TAIL: f64 = 0.01;

/// Draws the chart; without values, a frame that says so.
#[must_use]
pub fn draw(of: &Distribution<'_>) -> Svg {
    let halves = if of.lower.is_some() { 2.0 } else { 1.0 };
    let bottom = TOP + HALF * halves;
    let height = bottom + DATES;
    let page = Frame::page(WIDTH, height);
    let mut paper = Paper::new("chart distribution", (WIDTH, height), of.title, &[]);
    let Some(reach) = reach(of) else {
        paper.group("words", &page, |pen| {
            pen.text((WIDTH / 2.0, height / 2.0), Anchor::Middle, "there are no values");
        });
        return paper.finish();
    };
    let frame = Frame { x: reach.clone(), y: 0.0..1.0, left: LEFT, top: TOP, right: RIGHT, bottom };
    axis(&mut paper, &frame, &page, of.unit);
    half(&mut paper, &of.upper, &frame, &Half { class: "heaps upper", foot: TOP + HALF, tip: TOP, unit: of.unit });
    if let Some(lower) = &of.lower {
        half(&mut paper, lower, &frame, &Half { class: "heaps lower", foot: TOP + HALF, tip: bottom, unit: of.unit });
    }
    paper.group("axis", &page, |pen| pen.line(&[(LEFT, TOP + HALF), (RIGHT, TOP + HALF)]));
    paper.finish()
}

/// The range of the axis: what all but the tails of both samples lie in.
fn reach(of: &Distribution<'_>) -> Option<Range<f64>> {
    let samples = std::iter::once(&of.upper).chain(&of.lower);
    let mut all: Vec<f64> = samples.flat_map(|sample| sample.lives.iter().copied().flatten().copied()).collect();
    all.retain(|value| value.is_finite());
    all.sort_unstable_by(f64::total_cmp);
    let tail = tail(all.len());
    let (low, high) = (*all.get(tail)?, *all.get(all.len() - 1 - tail)?);
    // A sample of one value is drawn as one heap in the middle.
    let side = ((high - low) * 0.04).max(low.abs().max(high.abs()) * 0.002).max(f64::MIN_POSITIVE);
    let (low, high) = (low - side, high + side);
    Some(if low < high { low..high } else { low - 1.0..high + 1.0 })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
fn tail(length: usize) -> usize {
    (length as f64 * TAIL).floor() as usize
}

fn axis(paper: &mut Paper, frame: &Frame, page: &Frame, unit: &Unit) {
    let (ticks, name) = scale::values(&frame.x, unit, 7);
    paper.group("grid", page, |pen| {
        for tick in &ticks {
            pen.line(&[(frame.across(tick.at), TOP), (frame.across(tick.at), frame.bottom)]);
        }
    });
    paper.group("ticks x", page, |pen| {
        for tick in &ticks {
            pen.text((frame.across(tick.at), frame.bottom + 15.0), Anchor::Middle, &tick.label);
        }
        pen.text((RIGHT, frame.bottom + 29.0), Anchor::End, &shorten(&name, 24));
    });
}

/// Where a sample stands.
struct Half<'a> {
    class: &'static str,
    foot: f64,
    tip: f64,
    unit: &'a Unit,
}

fn half(paper: &mut Paper, sample: &Sample<'_>, frame: &Frame, half: &Half<'_>) {
    let page = Frame::page(WIDTH, frame.bottom + DATES);
    let (heaps, beyond) = heaps(sample, &frame.x);
    let most = heaps.iter().copied().max().unwrap_or_default().max(1) as f64;
    let up = if half.tip < half.foot { -1.0 } else { 1.0 };
    let room = HALF - 14.0;
    let width = (RIGHT - LEFT) / HEAPS as f64;
    let medians: Vec<f64> = sample.lives.iter().filter_map(|life| robust::median(life)).collect();
    let count: usize = sample.lives.iter().map(|life| life.len()).sum();
    let Some(middle) = robust::median(&medians) else { return };
    let title = format!(
        "{}: {} values in {} lives, middle {}",
        sample.name,
        count,
        sample.lives.len(),
        quantity(middle, half.unit)
    );
    paper.group_with(half.class, &title, &page, |pen| {
        // One outline for all heaps: a chart is as small as it can be.
        let mut outline = vec![(LEFT, half.foot)];
        for (at, &heap) in heaps.iter().enumerate() {
            let left = LEFT + at as f64 * width;
            let tall = if heap == 0 { 0.0 } else { (heap as f64 / most).max(0.03) * room };
            outline.extend([(left, half.foot + up * tall), (left + width, half.foot + up * tall)]);
        }
        outline.push((RIGHT, half.foot));
        pen.shape(outline);
    });
    paper.group("lives", &page, |pen| {
        for &median in medians.iter().take(LIVES).filter(|median| frame.x.contains(median)) {
            let x = frame.across(median);
            pen.line(&[(x, half.tip - up * 8.0), (x, half.tip - up * 1.0)]);
        }
    });
    if frame.x.contains(&middle) {
        let x = frame.across(middle);
        paper.group("middle", &page, |pen| pen.line(&[(x, half.foot), (x, half.tip - up * 8.0)]));
    }
    let row = if up < 0.0 { TOP - 14.0 } else { frame.bottom + 29.0 };
    let far = if beyond > 0 { format!(", {beyond} beyond the edge") } else { String::new() };
    let label = format!("{}: {}{far}", shorten(sample.name, 40), quantity(middle, half.unit));
    paper.group("names", &page, |pen| pen.text((LEFT, row), Anchor::Start, &label));
}

/// How many values fall into each heap, and how many beyond both edges.
fn heaps(sample: &Sample<'_>, range: &Range<f64>) -> (Vec<usize>, usize) {
    let mut heaps = vec![0; HEAPS];
    let mut beyond = 0;
    for &value in sample.lives.iter().copied().flatten() {
        let share = (value - range.start) / (range.end - range.start);
        if (0.0..1.0).contains(&share) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between nought and the end")]
            let at = (share * HEAPS as f64) as usize;
            heaps[at.min(HEAPS - 1)] += 1;
        } else {
            beyond += 1;
        }
    }
    (heaps, beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(upper: &[&[f64]], lower: Option<&[&[f64]]>) -> String {
        let sample = |name, lives: &[&'static [f64]]| Sample { name, lives: lives.to_vec() };
        // Tests hold their values for as long as they run.
        let keep = |lives: &[&[f64]]| -> Vec<&'static [f64]> {
            lives.iter().map(|life| -> &'static [f64] { Box::leak(life.to_vec().into_boxed_slice()) }).collect()
        };
        let (upper, lower) = (keep(upper), lower.map(keep));
        let unit = Unit::nanoseconds();
        let of = Distribution {
            title: "t",
            unit: &unit,
            upper: sample("head", &upper),
            lower: lower.as_ref().map(|lives| sample("base", lives)),
        };
        draw(&of).as_str().to_owned()
    }

    #[test]
    fn both_samples_stand_on_one_axis_with_their_middles() {
        let svg = drawn(&[&[100.0, 101.0, 102.0], &[101.0, 103.0]], Some(&[&[110.0, 111.0, 112.0]]));
        for wanted in ["heaps upper", "heaps lower", "head: 101.5 ns", "base: 111 ns", "5 values in 2 lives"] {
            assert!(svg.contains(wanted), "{wanted} in {svg}");
        }
    }

    #[test]
    fn a_hundred_thousand_values_have_as_many_marks_as_a_hundred_and_none_is_no_number() {
        let many: Vec<f64> = (0..100_000_u32).map(|at| 1000.0 + f64::from(at * 7919 % 10_007)).collect();
        let lives: Vec<&[f64]> = many.chunks(100).collect();
        let svg = drawn(&lives, Some(&lives));
        assert!(svg.matches("<path").count() <= 2 * LIVES + 20 && svg.len() < 9000, "{}", svg.len());
        let far = drawn(&[&[1.0, 1.0, 1.0, 1e300, -1e300]], None);
        let none = drawn(&[], None);
        let alike = drawn(&[&[5.0, 5.0]], Some(&[&[5.0]]));
        let nought = drawn(&[&[0.0]], None);
        for svg in [&far, &none, &alike, &nought] {
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
        assert!(none.contains("there are no values"));
        assert!(alike.matches("class=\"heaps").count() == 2, "{alike}");
    }
}
