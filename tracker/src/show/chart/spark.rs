//! A series as a line of a table's height.

use super::Svg;
use super::ink::{Frame, Paper};
use super::series::Dot;
use super::thin;
use crate::stats::robust;

const WIDTH: f64 = 110.0;
const HEIGHT: f64 = 20.0;
const COLUMNS: usize = 36;

/// The values as a line from the oldest to the newest, with a dot at the end. Far points are cut off.
#[must_use]
pub fn draw(values: &[f64]) -> Svg {
    let dots: Vec<Dot> = (0_u32..).zip(values).map(|(at, &y)| Dot { x: f64::from(at), y, interval: None }).collect();
    let mut paper = Paper::new("spark", (WIDTH, HEIGHT), "", &[]);
    let Some(middle) = robust::median(values) else { return paper.finish() };
    let end = (values.len() as f64 - 1.0).max(1.0);
    let columns = thin::columns(&dots, &(0.0..end), COLUMNS);
    let line: Vec<(f64, f64)> = columns.iter().map(|column| (column[0].x, thin::middle(column))).collect();
    let least = line.iter().map(|place| place.1).fold(middle, f64::min);
    let greatest = line.iter().map(|place| place.1).fold(middle, f64::max);
    // A steady series is a flat line: at least two percent from edge to edge.
    let side = ((middle.abs() * 0.02 - (greatest - least)) / 2.0).max((greatest - least) * 0.05).max(f64::MIN_POSITIVE);
    let y = if greatest - least + side > f64::MIN_POSITIVE {
        least - side..greatest + side
    } else {
        least - 1.0..least + 1.0
    };
    let frame = Frame { x: 0.0..end, y, left: 2.0, top: 2.0, right: WIDTH - 4.0, bottom: HEIGHT - 2.0 };
    let whole: Vec<(f64, f64)> = line.iter().map(|&(x, y)| (frame.across(x).round(), frame.down(y).round())).collect();
    let page = Frame { x: 0.0..WIDTH, y: HEIGHT..0.0, left: 0.0, top: 0.0, right: WIDTH, bottom: HEIGHT };
    paper.group("thread", &page, |pen| pen.line(&whole));
    paper.group("dots", &page, |pen| whole.last().into_iter().for_each(|&place| pen.dot(place)));
    paper.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spark_is_short_whatever_it_is_of() {
        let values: Vec<f64> = (0..2000_u32).map(|at| f64::from(at * 31 % 97) + 1000.0).collect();
        let svg = draw(&values);
        assert!(svg.as_str().len() < 520, "{}", svg.as_str().len());
        for values in [&[][..], &[1.0][..], &[0.0, 0.0][..], &[5.0, 5.0, 5.0][..]] {
            let svg = draw(values);
            assert!(!svg.as_str().contains("NaN"), "{}", svg.as_str());
        }
    }
}
