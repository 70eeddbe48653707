//! Pictures of pixels, for places that show no SVG.
//!
//! What is drawn is our own charts: the few elements that they are made of, looking as the style sheet says they look in the
//! light. Text is drawn with strokes of our own, so no font is needed, and the same chart gives the same bytes everywhere.

mod canvas;
mod drawing;
mod font;
mod png;
mod style;

use super::chart::{STYLE, Svg};

/// So many pixels for one of the chart's: sharp on the screens of today.
const ZOOM: f64 = 2.0;

/// The chart as a PNG file.
#[must_use]
pub fn png(chart: &Svg) -> Vec<u8> {
    let canvas = drawing::draw(chart.as_str(), &style::Sheet::parse(STYLE), ZOOM);
    png::encode(canvas.width(), canvas.height(), &canvas.rgb())
}
