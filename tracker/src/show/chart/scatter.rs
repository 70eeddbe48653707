//! Every series of a comparison as a dot: how far it moved over how far it moves without a cause. What stands outside of
//! the wedge moved by more than its noise.

use std::collections::BTreeSet;

use super::Svg;
use super::ink::{Anchor, Frame, Paper};
use super::scale;
use crate::domain::{Turn, Unit};

/// A series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// How far two runs of it lie apart when nothing happened, in percent.
    pub noise_pct: f64,
    /// How far it moved, in percent.
    pub moved_pct: f64,
    /// What that means.
    pub turn: Turn,
}

impl Dot {
    /// Whether it moved by more than its noise.
    #[must_use]
    pub fn is_beyond(&self) -> bool {
        self.moved_pct.abs() >= self.noise_pct
    }
}

const WIDTH: f64 = 960.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 946.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 300.0;
const FOOT: f64 = 40.0;
/// Noise is drawn from the one to the other, in powers of ten of a percent.
const LEAST: f64 = -2.0;
const GREATEST: f64 = 2.0;
/// So many flags are drawn at the most, the largest moves first.
const FLAGS: usize = 250;
/// Dots that fall into one box of so many pixels are one.
const BOX: f64 = 5.0;

/// Draws the chart; without a series, a frame that says so.
#[must_use]
pub fn draw(title: &str, dots: &[Dot]) -> Svg {
    let height = BOTTOM + FOOT;
    let page = Frame::page(WIDTH, height);
    let reach = reach(dots);
    let frame = Frame { x: LEAST..GREATEST, y: -reach..reach, left: LEFT, top: TOP, right: RIGHT, bottom: BOTTOM };
    let mut paper = Paper::new("chart scatter", (WIDTH, height), title, &[]);
    if dots.is_empty() {
        paper.group("words", &page, |pen| {
            pen.text((WIDTH / 2.0, height / 2.0), Anchor::Middle, "there is nothing to compare");
        });
        return paper.finish();
    }
    axes(&mut paper, &frame, &page);
    let place = |dot: &Dot| (across(&frame, dot.noise_pct), frame.down(dot.moved_pct.clamp(-reach, reach)));
    let mut taken: BTreeSet<(i64, i64)> = BTreeSet::new();
    paper.group("dots quiet", &page, |pen| {
        for dot in dots.iter().filter(|dot| !dot.is_beyond()) {
            let (x, y) = place(dot);
            if taken.insert((boxed(x), boxed(y))) {
                pen.dot((x, y));
            }
        }
    });
    let mut beyond: Vec<&Dot> = dots.iter().filter(|dot| dot.is_beyond()).collect();
    beyond.sort_by(|one, other| other.moved_pct.abs().total_cmp(&one.moved_pct.abs()));
    beyond.truncate(FLAGS);
    for (class, turn) in
        [("flags worse", Turn::Regression), ("flags better", Turn::Improvement), ("flags moved", Turn::Moved)]
    {
        paper.group(class, &page, |pen| {
            for dot in beyond.iter().filter(|dot| dot.turn == turn) {
                let (x, y) = place(dot);
                let up = if dot.moved_pct > 0.0 { -1.0 } else { 1.0 };
                pen.shape(vec![(x - 4.0, y - up * 3.0), (x + 4.0, y - up * 3.0), (x, y + up * 5.0)]);
            }
        });
    }
    paper.finish()
}

#[expect(clippy::cast_possible_truncation, reason = "a place on a page")]
fn boxed(pixels: f64) -> i64 {
    (pixels / BOX).floor() as i64
}

fn across(frame: &Frame, noise_pct: f64) -> f64 {
    let power = if noise_pct > 0.0 { noise_pct.log10() } else { LEAST };
    frame.across(power.clamp(LEAST, GREATEST))
}

/// How far the axis of moves reaches: to nearly all; what went further is drawn at the edge.
fn reach(dots: &[Dot]) -> f64 {
    let mut sizes: Vec<f64> = dots.iter().map(|dot| dot.moved_pct.abs()).filter(|size| size.is_finite()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let most = sizes.last().copied().unwrap_or(1.0);
    let usual = sizes.get(sizes.len() * 19 / 20).copied().unwrap_or(most);
    most.min(usual * 2.5).max(0.5) * 1.05
}

fn axes(paper: &mut Paper, frame: &Frame, page: &Frame) {
    let (ticks, _) = scale::values(&frame.y, &Unit::new("%"), 6);
    let powers = [(0.01, "0.01 %"), (0.1, "0.1 %"), (1.0, "1 %"), (10.0, "10 %"), (100.0, "100 %")];
    // Within: what moved by less than its noise. Its edge is a curve, since noise stands in powers of ten.
    let edge = |sign: f64| {
        (0..=48_i32).map(move |step| {
            let power = LEAST + (GREATEST - LEAST) * f64::from(step) / 48.0;
            (frame.across(power), frame.down((sign * 10f64.powf(power)).clamp(frame.y.start, frame.y.end)))
        })
    };
    paper.group("allowed", page, |pen| {
        let mut outline: Vec<(f64, f64)> = edge(1.0).collect();
        let mut below: Vec<(f64, f64)> = edge(-1.0).collect();
        below.reverse();
        outline.extend(below);
        pen.shape(outline);
    });
    paper.group("grid", page, |pen| {
        for tick in &ticks {
            pen.line(&[(LEFT, frame.down(tick.at)), (RIGHT, frame.down(tick.at))]);
        }
    });
    paper.group("ticks y", page, |pen| {
        for tick in &ticks {
            let sign = if tick.at > 0.0 { "+" } else { "" };
            pen.text((LEFT - 8.0, frame.down(tick.at) + 4.0), Anchor::End, &format!("{sign}{} %", tick.label));
        }
    });
    paper.group("ticks x", page, |pen| {
        for (at, label) in powers {
            let x = across(frame, at);
            pen.line(&[(x, BOTTOM), (x, BOTTOM + 4.0)]);
            let anchor = if at > 10.0 { Anchor::End } else { Anchor::Middle };
            pen.text((x, BOTTOM + 17.0), anchor, label);
        }
        let middle = f64::midpoint(LEFT, RIGHT);
        pen.text((middle, BOTTOM + 34.0), Anchor::Middle, "what two runs differ by when nothing happened");
    });
    paper.group("axis", page, |pen| {
        pen.line(&[(LEFT, frame.down(0.0)), (RIGHT, frame.down(0.0))]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_beyond_its_noise_is_flagged_and_the_rest_is_quiet() {
        let dot = |noise_pct, moved_pct, turn| Dot { noise_pct, moved_pct, turn };
        let dots = [
            dot(1.0, 5.0, Turn::Regression),
            dot(1.0, -5.0, Turn::Improvement),
            dot(1.0, 0.5, Turn::Regression),
            dot(0.0, 0.0, Turn::Moved),
        ];
        let svg = draw("t", &dots).as_str().to_owned();
        assert!(svg.contains("flags worse") && svg.contains("flags better") && svg.contains("dots quiet"), "{svg}");
        let flags = svg.split("flags worse").nth(1).unwrap().split("</g>").next().unwrap();
        assert_eq!(flags.matches("<path").count(), 1);
    }

    #[test]
    fn ten_thousand_series_are_a_few_hundred_marks() {
        let dots: Vec<Dot> = (0..10_000_u32)
            .map(|at| Dot {
                noise_pct: f64::from(at % 97) * 0.1,
                moved_pct: f64::from(at * 31 % 211) * 0.1 - 10.0,
                turn: if at % 2 == 0 { Turn::Regression } else { Turn::Improvement },
            })
            .collect();
        let svg = draw("t", &dots);
        assert!(svg.as_str().len() < 90_000, "{}", svg.as_str().len());
        let odd = Dot { noise_pct: f64::INFINITY, moved_pct: f64::NEG_INFINITY, turn: Turn::Moved };
        for dots in [&[][..], &[odd][..]] {
            let svg = draw("t", dots);
            assert!(!svg.as_str().contains("NaN") && !svg.as_str().contains("inf"), "{}", svg.as_str());
        }
    }
}
