//! The cells of divan's tables: times, rates, counts and bytes, with decimal or binary prefixes.

use super::units::{nanoseconds_per, number, plain_rate, prefixed};

/// What a cell says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Amount<'a> {
    Time {
        ns: f64,
        unit: &'a str,
    },
    /// A rate in whole units a second.
    Rate {
        value: f64,
        unit: String,
    },
    Bytes(f64),
    Count(f64),
}

pub(super) fn amount(cell: &str) -> Option<Amount<'_>> {
    let Some((value, unit)) = cell.split_once(' ') else { return number(cell).map(Amount::Count) };
    let value = number(value)?;
    let unit = unit.trim();
    if let Some(factor) = nanoseconds_per(unit) {
        return Some(Amount::Time { ns: value * factor, unit });
    }
    if let Some((factor, unit)) = plain_rate(unit) {
        return Some(Amount::Rate { value: value * factor, unit });
    }
    match prefixed(unit)? {
        (factor, "B") => Some(Amount::Bytes(value * factor)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_apart_by_their_units() {
        assert_eq!(amount("1.5 µs"), Some(Amount::Time { ns: 1500.0, unit: "µs" }));
        assert_eq!(amount("1.5 KiB"), Some(Amount::Bytes(1536.0)));
        assert_eq!(amount("2 Mitem/s"), Some(Amount::Rate { value: 2e6, unit: "items/s".to_owned() }));
        assert_eq!(amount("3.5 MHz"), Some(Amount::Rate { value: 3.5e6, unit: "cycles/s".to_owned() }));
        assert_eq!(amount("12"), Some(Amount::Count(12.0)));
        assert_eq!(amount("12 apples"), None);
        assert_eq!(amount(""), None);
    }
}
