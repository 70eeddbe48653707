//! Fewer marks: points that fall into one column of the drawing are drawn as their extremes.

use std::ops::Range;

use super::series::Dot;

/// The points, parted by which of `most` columns of equal width they fall into; each by itself where there are few.
pub(super) fn columns<'a>(dots: &'a [Dot], x: &Range<f64>, most: usize) -> Vec<&'a [Dot]> {
    if dots.len() <= most {
        return dots.chunks(1).collect();
    }
    let width = (x.end - x.start) / most as f64;
    #[expect(clippy::cast_possible_truncation, reason = "a column's number")]
    let column = |dot: &Dot| ((dot.x - x.start) / width).floor() as i64;
    dots.chunk_by(|one, next| column(one) == column(next)).collect()
}

/// The least and the greatest point of a column, in the order in which they came; one if they are one.
pub(super) fn extremes(column: &[Dot]) -> impl Iterator<Item = &Dot> {
    let by_value = |one: &&Dot, other: &&Dot| one.y.total_cmp(&other.y);
    let (least, greatest) = (column.iter().min_by(by_value), column.iter().max_by(by_value));
    let mut both = [least, greatest.filter(|greatest| least.is_some_and(|least| !std::ptr::eq(least, *greatest)))];
    both.sort_by(|one, other| {
        one.map(|dot| dot.x).partial_cmp(&other.map(|dot| dot.x)).unwrap_or(std::cmp::Ordering::Equal)
    });
    both.into_iter().flatten()
}

/// The middle value of a column.
pub(super) fn middle(column: &[Dot]) -> f64 {
    let values: Vec<f64> = column.iter().map(|dot| dot.y).collect();
    crate::stats::robust::median(&values).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dots(count: u32) -> Vec<Dot> {
        (0..count).map(|at| Dot { x: f64::from(at), y: f64::from(at * 7 % 11), interval: None }).collect()
    }

    #[test]
    fn every_extreme_of_a_long_series_is_kept() {
        let mut dots = dots(10_000);
        dots[4321].y = 99.0;
        dots[7777].y = -99.0;
        let columns = columns(&dots, &(0.0..10_000.0), 200);
        let kept: Vec<f64> = columns.iter().flat_map(|column| extremes(column)).map(|dot| dot.y).collect();
        assert!(columns.len() <= 200 && kept.len() <= 400);
        assert!(kept.contains(&99.0) && kept.contains(&-99.0));
    }

    #[test]
    fn few_points_stay_as_they_are_and_none_are_none() {
        let dots = dots(5);
        assert_eq!(columns(&dots, &(0.0..4.0), 5).len(), 5);
        assert!(columns(&[], &(0.0..1.0), 5).is_empty());
        assert_eq!(extremes(&dots[..1]).count(), 1);
    }
}
