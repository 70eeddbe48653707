//! Pixels: strokes and shapes with soft edges, laid over what is there.

/// A colour.
pub(super) type Rgb = [u8; 3];

/// A place, in pixels.
pub(super) type Place = (f64, f64);

/// A picture in the making.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 3]>,
}

/// How much of each pixel of a box is covered.
struct Mask {
    left: usize,
    top: usize,
    width: usize,
    covered: Vec<f32>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, paper: Rgb) -> Canvas {
        Canvas { width, height, pixels: vec![paper.map(f32::from); width * height] }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
    pub(super) fn rgb(&self) -> Vec<u8> {
        self.pixels.iter().flatten().map(|part| part.round().clamp(0.0, 255.0) as u8).collect()
    }

    /// Draws lines of a width with round ends. What several of them cover is covered once.
    pub(super) fn stroke(&mut self, lines: &[Vec<Place>], width: f64, colour: Rgb, opacity: f64) {
        let half = width / 2.0;
        let Some(mut mask) = self.mask(lines.iter().flatten(), half + 1.0) else { return };
        for line in lines {
            // A line of one place is a dot.
            let ends = line.windows(2).map(|two| (two[0], two[1]));
            let dot = (line.len() == 1).then(|| (line[0], line[0]));
            for (from, to) in ends.chain(dot) {
                mask.segment(from, to, half);
            }
        }
        self.lay(&mask, colour, opacity);
    }

    /// Fills outlines.
    pub(super) fn fill(&mut self, outlines: &[Vec<Place>], colour: Rgb, opacity: f64) {
        let Some(mut mask) = self.mask(outlines.iter().flatten(), 1.0) else { return };
        mask.inside(outlines);
        self.lay(&mask, colour, opacity);
    }

    /// An empty mask about places, as far as they lie on the canvas.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within the canvas")]
    fn mask<'a>(&self, places: impl Iterator<Item = &'a Place>, side: f64) -> Option<Mask> {
        let start = (f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
        let (left, top, right, bottom) =
            places.fold(start, |(l, t, r, b), (x, y)| (l.min(*x), t.min(*y), r.max(*x), b.max(*y)));
        let (wide, high) = (self.width as f64, self.height as f64);
        let (left, right) = ((left - side).floor().clamp(0.0, wide), (right + side).ceil().clamp(0.0, wide));
        let (top, bottom) = ((top - side).floor().clamp(0.0, high), (bottom + side).ceil().clamp(0.0, high));
        if !(right > left && bottom > top) {
            return None;
        }
        let (width, height) = ((right - left) as usize, (bottom - top) as usize);
        Some(Mask { left: left as usize, top: top as usize, width, covered: vec![0.0; width * height] })
    }

    #[expect(clippy::cast_possible_truncation, reason = "an opacity")]
    fn lay(&mut self, mask: &Mask, colour: Rgb, opacity: f64) {
        let colour = colour.map(f32::from);
        for (row, covered) in mask.covered.chunks_exact(mask.width).enumerate() {
            let begin = (mask.top + row) * self.width + mask.left;
            for (pixel, covered) in self.pixels[begin..begin + mask.width].iter_mut().zip(covered) {
                let share = covered.min(1.0) * opacity as f32;
                for (part, new) in pixel.iter_mut().zip(colour) {
                    *part += (new - *part) * share;
                }
            }
        }
    }
}

impl Mask {
    /// Covers what lies within half a width of a segment.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held within the mask, and a share of a pixel"
    )]
    fn segment(&mut self, from: Place, to: Place, half: f64) {
        let (off_x, off_y) = (self.left as f64, self.top as f64);
        let (from, to) = ((from.0 - off_x, from.1 - off_y), (to.0 - off_x, to.1 - off_y));
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx * dx + dy * dy;
        let height = (self.covered.len() / self.width) as f64;
        let range = |low: f64, high: f64, end: f64| {
            let (low, high) = ((low - half - 1.0).clamp(0.0, end), (high + half + 1.0).clamp(0.0, end));
            low as usize..high.ceil() as usize
        };
        for y in range(from.1.min(to.1), from.1.max(to.1), height) {
            for x in range(from.0.min(to.0), from.0.max(to.0), self.width as f64) {
                let (px, py) = (x as f64 + 0.5 - from.0, y as f64 + 0.5 - from.1);
                let along = if length > 0.0 { ((px * dx + py * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
                let apart = (px - along * dx).hypot(py - along * dy);
                let covered = (half + 0.5 - apart).clamp(0.0, (2.0 * half).min(1.0)) as f32;
                let pixel = &mut self.covered[y * self.width + x];
                *pixel = pixel.max(covered);
            }
        }
    }

    /// Covers what lies inside of outlines, by the rule of the winding number; four lines a pixel.
    fn inside(&mut self, outlines: &[Vec<Place>]) {
        const LINES: usize = 4;
        let (off_x, off_y) = (self.left as f64, self.top as f64);
        for line in 0..self.covered.len() / self.width * LINES {
            let y = off_y + (line as f64 + 0.5) / LINES as f64;
            let mut crossings: Vec<(f64, i32)> = Vec::new();
            for outline in outlines {
                let next = outline.iter().cycle().skip(1);
                for (from, to) in outline.iter().zip(next) {
                    if (from.1 <= y) != (to.1 <= y) {
                        let x = from.0 + (y - from.1) / (to.1 - from.1) * (to.0 - from.0);
                        crossings.push((x - off_x, if from.1 <= y { 1 } else { -1 }));
                    }
                }
            }
            crossings.sort_by(|one, other| one.0.total_cmp(&other.0));
            let mut winding = 0;
            for two in crossings.windows(2) {
                winding += two[0].1;
                if winding != 0 {
                    self.span(line / LINES, two[0].0, two[1].0, 1.0 / LINES as f64);
                }
            }
        }
    }

    /// Adds to the pixels of a row between two places, to those at the ends as far as they are reached.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held within the mask, and a share of a pixel"
    )]
    fn span(&mut self, row: usize, from: f64, to: f64, share: f64) {
        let end = self.width as f64;
        let (from, to) = (from.clamp(0.0, end), to.clamp(0.0, end));
        for x in from as usize..to.ceil() as usize {
            let covered = (to.min(x as f64 + 1.0) - from.max(x as f64)).max(0.0);
            self.covered[row * self.width + x] += (covered * share) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgb = [0; 3];

    fn dark(canvas: &Canvas) -> f64 {
        canvas.rgb().chunks_exact(3).map(|pixel| 1.0 - f64::from(pixel[0]) / 255.0).sum()
    }

    #[test]
    fn shapes_and_lines_cover_as_much_as_they_are_large() {
        let mut canvas = Canvas::new(40, 30, [255; 3]);
        canvas.fill(&[vec![(5.25, 5.0), (15.25, 5.0), (15.25, 15.0), (5.25, 15.0)]], BLACK, 1.0);
        assert!((dark(&canvas) - 100.0).abs() < 0.5, "{}", dark(&canvas));
        let mut canvas = Canvas::new(40, 30, [255; 3]);
        canvas.stroke(&[vec![(5.0, 10.0), (35.0, 10.0)]], 2.0, BLACK, 1.0);
        // With its round ends.
        assert!((dark(&canvas) - 63.1).abs() < 1.5, "{}", dark(&canvas));
        let mut canvas = Canvas::new(40, 30, [255; 3]);
        canvas.stroke(&[vec![(20.0, 15.0)]], 10.0, BLACK, 0.5);
        assert!((dark(&canvas) - 0.5 * 78.5).abs() < 1.5, "{}", dark(&canvas));
    }

    #[test]
    fn what_lies_off_the_canvas_is_not_drawn_and_does_no_harm() {
        let mut canvas = Canvas::new(10, 10, [255; 3]);
        for far in [1e7, -1e7, f64::NAN] {
            canvas.stroke(&[vec![(far, far), (far + 1.0, far)]], 2.0, BLACK, 1.0);
            canvas.fill(&[vec![(far, 0.0), (far, 5.0), (far, 3.0)]], BLACK, 1.0);
        }
        assert!(dark(&canvas) < 1e-9);
        canvas.fill(&[vec![(-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6)]], BLACK, 1.0);
        assert!((dark(&canvas) - 100.0).abs() < 1e-3);
    }
}
