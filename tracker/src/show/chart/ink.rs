//! Paper to draw on: what plotters draws becomes SVG whose looks are left to a style sheet.
//!
//! Nothing here has a colour. Each group has a class, and [`STYLE`](super::STYLE) says how that class looks in the light,
//! in the dark and on paper. Coordinates are kept in tenths of a pixel, since plotters counts in whole numbers.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    BLACK, Cartesian2d, Circle, DrawingArea, IntoDrawingArea as _, IntoFont as _, PathElement, Polygon, Rectangle,
};
use plotters::style::TextStyle;
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

use super::Svg;
use crate::show::markup;

/// The width of a character, about, for what would overlap.
pub(super) const LETTER: f64 = 7.2;

/// A tenth of a pixel is as fine as anything is drawn.
const FINE: f64 = 10.0;

/// Where data lie on the paper: a range of values for each axis and the box in pixels that they fill.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) x: Range<f64>,
    pub(super) y: Range<f64>,
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Frame {
    /// The pixels of a page as they are.
    pub(super) fn page(width: f64, height: f64) -> Frame {
        Frame { x: 0.0..width, y: 0.0..height, left: 0.0, top: height, right: width, bottom: 0.0 }
    }

    /// The pixel column of a value.
    pub(super) fn across(&self, x: f64) -> f64 {
        self.left + (x - self.x.start) / (self.x.end - self.x.start) * (self.right - self.left)
    }

    /// The pixel row of a value.
    pub(super) fn down(&self, y: f64) -> f64 {
        self.bottom - (y - self.y.start) / (self.y.end - self.y.start) * (self.bottom - self.top)
    }
}

/// Where a text stands relative to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing in the making.
pub(super) struct Paper {
    width: f64,
    height: f64,
    out: String,
}

impl Paper {
    /// Paper of a size. `facts` are attributes for the script that adds hover and zoom.
    pub(super) fn new(
        class: &'static str,
        (width, height): (f64, f64),
        label: &str,
        facts: &[(&str, String)],
    ) -> Paper {
        let mut out =
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{class}\" viewBox=\"0 0 {width} {height}\"");
        for (name, value) in facts {
            // Writing to a text cannot fail.
            let _ = write!(out, " data-{name}=\"{}\"", markup::escaped(value));
        }
        if label.is_empty() {
            out.push_str(" aria-hidden=\"true\">");
        } else {
            let label = markup::escaped(label);
            let _ = write!(out, " role=\"img\" aria-label=\"{label}\"><title>{label}</title>");
        }
        Paper { width, height, out }
    }

    /// A group of marks of one class, in data's coordinates.
    pub(super) fn group(&mut self, class: &'static str, frame: &Frame, draw: impl FnOnce(&Pen<'_>)) {
        self.group_with(class, "", frame, draw);
    }

    /// A group with a text that is shown when it is pointed at.
    pub(super) fn group_with(&mut self, class: &'static str, title: &str, frame: &Frame, draw: impl FnOnce(&Pen<'_>)) {
        let _ = write!(self.out, "<g class=\"{class}\">");
        if !title.is_empty() {
            let _ = write!(self.out, "<title>{}</title>", markup::escaped(title));
        }
        let before = self.out.len();
        let size = (fine(self.width).unsigned_abs(), fine(self.height).unsigned_abs());
        let area: DrawingArea<Ink<'_>, Shift> = Ink { out: &mut self.out, size, dots: Vec::new() }.into_drawing_area();
        let place = (fine(frame.left)..fine(frame.right), fine(frame.bottom)..fine(frame.top));
        let coordinates = Cartesian2d::new(frame.x.clone(), frame.y.clone(), place);
        let pen = Pen { area: area.apply_coord_spec(coordinates) };
        draw(&pen);
        // Ink never fails.
        let _ = pen.area.present();
        drop((pen, area));
        if self.out.len() == before && title.is_empty() {
            // Nothing was drawn: no group.
            self.out.truncate(before - "<g class=\"\">".len() - class.len());
        } else {
            self.out.push_str("</g>");
        }
    }

    /// The finished drawing.
    pub(super) fn finish(mut self) -> Svg {
        self.out.push_str("</svg>");
        Svg(self.out)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a place on a page, or a value so far off it that its edge will do"
)]
fn fine(pixels: f64) -> i32 {
    (pixels * FINE).round() as i32
}

/// What draws on the paper, in the coordinates of a frame.
pub(super) struct Pen<'a> {
    area: DrawingArea<Ink<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
}

impl Pen<'_> {
    /// A line through places.
    pub(super) fn line(&self, places: &[(f64, f64)]) {
        if places.len() > 1 {
            let _ = self.area.draw(&PathElement::new(places.to_vec(), BLACK));
        }
    }

    /// The inside of an outline.
    pub(super) fn shape(&self, outline: Vec<(f64, f64)>) {
        if outline.len() > 2 {
            let _ = self.area.draw(&Polygon::new(outline, BLACK));
        }
    }

    /// A box between two corners.
    pub(super) fn area(&self, one: (f64, f64), other: (f64, f64)) {
        let _ = self.area.draw(&Rectangle::new([one, other], BLACK));
    }

    /// A dot; how large is its class's business.
    pub(super) fn dot(&self, place: (f64, f64)) {
        let _ = self.area.draw(&Circle::new(place, 1, BLACK));
    }

    /// A text; it is escaped here.
    pub(super) fn text(&self, place: (f64, f64), anchor: Anchor, text: &str) {
        let side = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let style = TextStyle::from(("sans-serif", 12).into_font()).pos(Pos::new(side, VPos::Bottom));
        let _ = self.area.draw(&plotters::prelude::Text::new(text.to_owned(), place, style));
    }
}

/// The backend that plotters draws with.
struct Ink<'a> {
    out: &'a mut String,
    size: (u32, u32),
    /// Dots are gathered, and written as one path of points with round ends.
    dots: Vec<BackendCoord>,
}

impl Ink<'_> {
    fn path(&mut self, places: impl IntoIterator<Item = BackendCoord>, end: &str) {
        let mut places = places.into_iter();
        let Some(mut last) = places.next() else { return };
        self.out.push_str("<path d=\"M");
        number(self.out, last.0);
        second(self.out, last.1);
        let mut letter = "l";
        for place in places {
            if place == last {
                continue;
            }
            if letter.is_empty() {
                second(self.out, place.0 - last.0);
            } else {
                self.out.push_str(letter);
                number(self.out, place.0 - last.0);
                letter = "";
            }
            second(self.out, place.1 - last.1);
            last = place;
        }
        self.out.push_str(end);
        self.out.push_str("\"/>");
    }
}

/// A number of tenths.
fn number(out: &mut String, tenths: i32) {
    let (whole, part) = (tenths / 10, (tenths % 10).abs());
    if tenths < 0 && whole == 0 && part != 0 {
        out.push('-');
    }
    let _ = if part == 0 { write!(out, "{whole}") } else { write!(out, "{whole}.{part}") };
}

/// A further number: its sign is gap enough.
fn second(out: &mut String, tenths: i32) {
    if tenths >= 0 {
        out.push(' ');
    }
    number(out, tenths);
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Ink<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        let dots = std::mem::take(&mut self.dots);
        let Some(&first) = dots.first() else { return Ok(()) };
        self.out.push_str("<path d=\"M");
        number(self.out, first.0);
        second(self.out, first.1);
        self.out.push_str("h0");
        for pair in dots.windows(2) {
            self.out.push('m');
            number(self.out, pair[1].0 - pair[0].0);
            second(self.out, pair[1].1 - pair[0].1);
            self.out.push_str("h0");
        }
        self.out.push_str("\"/>");
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, _: BackendColor) -> Drawn {
        self.dots.push(point);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, _: &S) -> Drawn {
        self.path([from, to], "");
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, _: &S, _: bool) -> Drawn {
        let (left, right) = (from.0.min(to.0), from.0.max(to.0));
        let (top, bottom) = (from.1.min(to.1), from.1.max(to.1));
        for (name, value) in [("<rect x=\"", left), ("\" y=\"", top), ("\" width=\"", right - left)] {
            self.out.push_str(name);
            number(self.out, value);
        }
        self.out.push_str("\" height=\"");
        number(self.out, bottom - top);
        self.out.push_str("\"/>");
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, _: &S) -> Drawn {
        self.path(path, "");
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, _: u32, _: &S, _: bool) -> Drawn {
        self.dots.push(center);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, outline: I, _: &S) -> Drawn {
        self.path(outline, "z");
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, place: BackendCoord) -> Drawn {
        self.out.push_str("<text x=\"");
        number(self.out, place.0);
        self.out.push_str("\" y=\"");
        number(self.out, place.1);
        self.out.push_str(match style.anchor().h_pos {
            HPos::Left => "\">",
            HPos::Center => "\" text-anchor=\"middle\">",
            HPos::Right => "\" text-anchor=\"end\">",
        });
        self.out.push_str(&markup::escaped(text));
        self.out.push_str("</text>");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_written_in_tenths_of_a_pixel() {
        let mut paper = Paper::new("chart", (100.0, 50.0), "a <b>", &[("frame", "0 \"1\"".to_owned())]);
        let frame = Frame { x: 0.0..10.0, y: 0.0..1.0, left: 10.0, top: 5.0, right: 90.0, bottom: 45.0 };
        paper.group("line", &frame, |pen| pen.line(&[(0.0, 0.0), (5.0, 1.0), (10.0, 0.5)]));
        paper.group("dots", &frame, |pen| {
            pen.dot((1.0, 0.5));
            pen.dot((2.0, 0.25));
        });
        paper.group("empty", &frame, |pen| pen.line(&[(0.0, 0.0)]));
        paper.group_with("words", "t&t", &frame, |pen| {
            pen.text((10.0, 0.0), Anchor::End, "</text>\u{1b}");
            pen.area((0.0, 0.0), (1.0, 1.0));
        });
        let expected = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 100 50\" \
             data-frame=\"0 &quot;1&quot;\" role=\"img\" aria-label=\"a &lt;b&gt;\"><title>a &lt;b&gt;</title>\
             <g class=\"line\"><path d=\"M10 45l40-40 40 20\"/></g>\
             <g class=\"dots\"><path d=\"M18 25h0m8 10h0\"/></g>\
             <g class=\"words\"><title>t&amp;t</title><text x=\"90\" y=\"45\" text-anchor=\"end\">&lt;/text&gt;\\u{1b}</text>\
             <rect x=\"10\" y=\"5\" width=\"8\" height=\"40\"/></g></svg>";
        assert_eq!(paper.finish().as_str(), expected);
    }

    #[test]
    fn numbers_just_below_nought_keep_their_sign() {
        let written = |tenths| {
            let mut out = String::new();
            second(&mut out, tenths);
            out
        };
        assert_eq!([written(-3), written(-13), written(30), written(7)], ["-0.3", "-1.3", " 3", " 0.7"]);
    }
}
