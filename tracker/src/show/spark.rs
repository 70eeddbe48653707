//! A row of values as a row of bars.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Bars from the least to the greatest value, at most `width` of them: where there are more values, each bar is the
/// median of its share. Equal values stand at half height.
///
/// ```
/// # use tachograph::show::spark::spark;
/// assert_eq!(spark(&[1.0, 2.0, 8.0], 10), "▁▂█");
/// ```
#[must_use]
pub fn spark(values: &[f64], width: usize) -> String {
    let values = shares(values, width);
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Halves, since the distance itself may be more than the greatest float.
    let distance = greatest / 2.0 - least / 2.0;
    values
        .iter()
        .map(|value| if distance > 0.0 { bar((value / 2.0 - least / 2.0) / distance) } else { BARS[3] })
        .collect()
}

/// The bar for a height between nought and one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7 by construction")]
fn bar(height: f64) -> char {
    BARS[((height * 8.0) as usize).min(7)]
}

fn shares(values: &[f64], width: usize) -> Vec<f64> {
    if values.len() <= width {
        return values.to_vec();
    }
    let edge = |share: usize| share * values.len() / width;
    let middle = |share: usize| {
        let mut few = values[edge(share)..edge(share + 1)].to_vec();
        few.sort_unstable_by(f64::total_cmp);
        few[few.len() / 2]
    };
    (0..width).map(middle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_stand_at_half_height_and_no_values_give_no_bars() {
        assert_eq!(spark(&[7.0; 4], 10), "▄▄▄▄");
        assert_eq!(spark(&[], 10), "");
        assert_eq!(spark(&[1.0], 0), "");
    }

    #[test]
    fn many_values_are_drawn_in_the_width_there_is() {
        let step: Vec<f64> = (0..1000).map(|n| if n < 500 { 1.0 } else { 2.0 }).collect();
        assert_eq!(spark(&step, 4), "▁▁██");
    }

    #[test]
    fn the_greatest_distance_between_floats_is_drawn() {
        assert_eq!(spark(&[f64::MIN, 0.0, f64::MAX], 3), "▁▅█");
    }
}
