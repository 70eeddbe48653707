//! Small words that people write: durations, and names that are nearly right.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no duration; write a number and a unit, such as 500ms, 90s, 2m or 1h")]
pub struct DurationError(String);

/// Reads a duration such as `90s`; positive, at most ten years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let refused = || DurationError(text.to_owned());
    let trimmed = text.trim();
    let split = trimmed.find(|sign: char| sign.is_ascii_alphabetic()).ok_or_else(refused)?;
    let (number, unit) = trimmed.split_at(split);
    let number: f64 = number.trim().parse().map_err(|_| refused())?;
    let seconds = number
        * match unit {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return Err(refused()),
        };
    let sensible = 1e-3..=10.0 * 365.25 * 86400.0;
    if sensible.contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(refused()) }
}

/// The name that a mistyped one was probably meant to be.
pub fn closest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = names.into_iter().map(|name| (distance(typed, name), name));
    let (steps, name) = distances.min_by_key(|&(steps, _)| steps)?;
    (steps <= typed.chars().count().div_ceil(3).max(1)).then_some(name)
}

/// The least number of letters added, dropped or changed (Levenshtein 1966), by rows.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, &wanted) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != wanted);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, millis) in [("500ms", 500), ("90s", 90_000), ("2m", 120_000), ("1.5 h", 5_400_000), (" 3s ", 3000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "-3s", "0s", "nans", "infs", "1e99s", "3 weeks", "3s4"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_closest_name_is_near_or_none() {
        assert_eq!(closest("buget", ["build", "budget", "timeout"]), Some("budget"));
        assert_eq!(closest("comand", ["command", "cargo"]), Some("command"));
        assert_eq!(closest("zzzzzz", ["command", "cargo"]), None);
        assert_eq!(closest("x", []), None);
    }

    #[test]
    fn the_distance_is_that_of_the_textbook() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
