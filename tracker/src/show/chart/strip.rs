//! The values of one reading in a line of a table's height: a row of dots for each life.

use super::Svg;
use super::ink::{Frame, Paper};

const WIDTH: f64 = 110.0;
const HEIGHT: f64 = 20.0;
/// So many dots are drawn at the most.
const DOTS: usize = 36;

/// The values of each life, from the least to the greatest across.
#[must_use]
pub fn draw(lives: &[&[f64]]) -> Svg {
    let mut paper = Paper::new("spark", (WIDTH, HEIGHT), "", &[]);
    let all = || lives.iter().copied().flatten().copied().filter(|value| value.is_finite());
    let (least, greatest) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    if least > greatest {
        return paper.finish();
    }
    let range = if least < greatest { least..greatest } else { least - 1.0..greatest + 1.0 };
    let range = if range.start < range.end { range } else { -1.0..1.0 };
    let frame = Frame { x: range, y: 0.0..1.0, left: 4.0, top: 3.0, right: WIDTH - 4.0, bottom: HEIGHT - 3.0 };
    let page = Frame { x: 0.0..WIDTH, y: HEIGHT..0.0, left: 0.0, top: 0.0, right: WIDTH, bottom: HEIGHT };
    let shown = &lives[..lives.len().min(6)];
    let share = (DOTS / shown.len().max(1)).max(1);
    paper.group("dots", &page, |pen| {
        for (number, life) in shown.iter().enumerate() {
            let y = HEIGHT * (number as f64 + 1.0) / (shown.len() as f64 + 1.0);
            let mut sorted: Vec<f64> = life.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            let step = sorted.len().div_ceil(share).max(1);
            // The extremes of a life are always among them.
            let picked = sorted.iter().step_by(step).chain(sorted.last().filter(|_| step > 1));
            for value in picked {
                pen.dot((frame.across(*value).round(), y.round()));
            }
        }
    });
    paper.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_is_short_whatever_it_is_of() {
        let many: Vec<f64> = (0..5000_u32).map(|at| f64::from(at * 31 % 97)).collect();
        let lives: Vec<&[f64]> = many.chunks(100).collect();
        let svg = draw(&lives);
        assert!(svg.as_str().len() < 620, "{}", svg.as_str().len());
        for lives in [&[][..], &[&[0.0][..]][..], &[&[1e300, -1e300][..]][..]] {
            assert!(!draw(lives).as_str().contains("NaN"));
        }
    }
}
