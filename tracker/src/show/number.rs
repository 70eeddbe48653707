//! Numbers for people: the one place where they are rounded and given a unit.

use crate::domain::{Change, Size, Unit};

/// A value in its unit, to four digits: `5.312 µs`, `1.5 MiB`, `12.3 G elements/s`.
///
/// ```
/// # use tachograph::{domain::Unit, show::number::quantity};
/// assert_eq!(quantity(5312.4, &Unit::nanoseconds()), "5.312 µs");
/// assert_eq!(quantity(1_572_864.0, &Unit::new("bytes")), "1.5 MiB");
/// assert_eq!(quantity(17.0, &Unit::new("count")), "17");
/// ```
#[must_use]
pub fn quantity(value: f64, unit: &Unit) -> String {
    let (number, name) = scaled(value, steps(unit));
    with_unit(number, name, unit)
}

const TIMES: [(f64, &str); 4] = [(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")];
const SIZES: [(f64, &str); 5] =
    [(1.0, "B"), (1024.0, "KiB"), (1_048_576.0, "MiB"), (1_073_741_824.0, "GiB"), (1_099_511_627_776.0, "TiB")];
const METRIC: [(f64, &str); 5] = [(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")];

/// The larger units of a unit, or their prefixes.
fn steps(unit: &Unit) -> &'static [(f64, &'static str)] {
    match unit.as_str() {
        "ns" => &TIMES,
        "bytes" | "B" => &SIZES,
        _ => &METRIC,
    }
}

fn with_unit(number: String, name: &str, unit: &Unit) -> String {
    match unit.as_str() {
        "ns" | "bytes" | "B" | "count" | "" | "1" => with_space((number, name)),
        other => {
            let gap = if name.is_empty() { "" } else { " " };
            format!("{number} {name}{gap}{other}")
        }
    }
}

/// One of a unit's larger units, for numbers that stand side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// What one of it is in the unit itself.
    pub size: f64,
    name: &'static str,
    unit: Unit,
}

impl Measure {
    /// The one in which the largest of the numbers has few digits.
    #[must_use]
    pub fn of(largest: f64, unit: &Unit) -> Measure {
        let (size, name) = fitting(largest, steps(unit));
        Measure { size, name, unit: unit.clone() }
    }

    /// How it is called: `µs`, `MiB`, `k requests/s`; nothing where numbers stand alone.
    #[must_use]
    pub fn name(&self) -> String {
        with_unit(String::new(), self.name, &self.unit).trim_start().to_owned()
    }
}

/// A count of nanoseconds as a length of time.
#[must_use]
pub fn duration(ns: u64) -> String {
    let seconds = (ns + 500_000_000) / 1_000_000_000;
    match seconds {
        0..60 => quantity(ns as f64, &Unit::nanoseconds()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// How far `new` lies from `old`, in percent of `old`; nothing where that has no meaning.
///
/// ```
/// # use tachograph::show::number::change;
/// assert_eq!(change(200.0, 203.0).as_deref(), Some("+1.5 %"));
/// assert_eq!(change(0.0, 1.0), None);
/// ```
#[must_use]
pub fn change(old: f64, new: f64) -> Option<String> {
    let fraction = (new - old) / old.abs();
    if !fraction.is_finite() {
        return None;
    }
    let text = percent(fraction.abs());
    let sign = if text == "0 %" {
        "±"
    } else if fraction < 0.0 {
        "-"
    } else {
        "+"
    };
    Some(format!("{sign}{text}"))
}

/// How much a level moved: as a share of it, or in its unit where it is not above zero. One zero in a series takes its
/// logarithms away, and not the meaning of a percent between its levels.
#[must_use]
pub fn moved(moved: &Change, unit: &Unit) -> String {
    let (before, after) = (moved.before, moved.after);
    match moved.size {
        Size::Absolute { value, .. } if before <= 0.0 || after <= 0.0 => difference(value, unit),
        Size::Relative { .. } | Size::Absolute { .. } => change(before, after).unwrap_or_default(),
    }
}

/// Between what a level may have moved with 95 % probability, told as [`moved`] tells the size.
#[must_use]
pub fn moved_within(moved: &Change, unit: &Unit) -> String {
    let share = |share: f64| change(1.0, 1.0 + share).unwrap_or_default();
    let (low, high) = match moved.size {
        Size::Relative { low, high, .. } => (share(low), share(high)),
        Size::Absolute { low, high, .. } if moved.before <= 0.0 || moved.after <= 0.0 => {
            (difference(low, unit), difference(high, unit))
        }
        Size::Absolute { low, high, .. } => (share(low / moved.before), share(high / moved.before)),
    };
    format!("{low} to {high}")
}

/// A difference in its unit, with its sign.
#[must_use]
pub fn difference(value: f64, unit: &Unit) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", quantity(value, unit))
}

/// Half the width of an interval, in percent of the level; nothing where that has no meaning.
#[must_use]
pub fn spread(level: f64, interval: (f64, f64)) -> Option<String> {
    let half = (interval.1 - interval.0) / 2.0 / level.abs();
    half.is_finite().then(|| format!("±{}", percent(half)))
}

/// A share of one in percent: two decimals below one percent, one below a hundred, then none.
#[must_use]
pub fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    let text = match percent.abs() {
        size if size < 0.005 => return "0 %".to_owned(),
        size if size < 0.995 => format!("{percent:.2}"),
        size if size < 99.95 => format!("{percent:.1}"),
        _ => format!("{percent:.0}"),
    };
    format!("{text} %")
}

/// A number without a unit, in up to four digits.
///
/// ```
/// # use tachograph::show::number::short;
/// assert_eq!([short(0.1), short(30.0), short(1.2345678), short(1e9)], ["0.1", "30", "1.235", "1e9"]);
/// ```
#[must_use]
pub fn short(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) {
        let text = format!("{value:.3e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    let rounded = format!("{value:.*}", if value.abs() < 0.01 { 6 } else { 3 });
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A date in UTC: `2026-08-01`.
#[must_use]
pub fn date(seconds: i64) -> String {
    at(seconds, "%Y-%m-%d")
}

/// A time of day in UTC: `2026-08-01 13:37:05`.
#[must_use]
pub fn moment(seconds: i64) -> String {
    at(seconds, "%Y-%m-%d %H:%M:%S")
}

fn at(seconds: i64, form: &str) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| format!("{seconds} s"),
        |time| time.to_zoned(jiff::tz::TimeZone::UTC).strftime(form).to_string(),
    )
}

fn with_space((number, unit): (String, &str)) -> String {
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

/// The value in the largest unit in which its four digits are not less than one.
fn scaled<'a>(value: f64, units: &[(f64, &'a str)]) -> (String, &'a str) {
    let (size, unit) = fitting(value, units);
    (four_digits(value / size), unit)
}

fn fitting<'a>(value: f64, units: &[(f64, &'a str)]) -> (f64, &'a str) {
    let smallest = units.first().copied().unwrap_or((1.0, ""));
    let fits = |&&(size, _): &&(f64, &str)| value.abs() / size >= 0.999_95;
    units.iter().rfind(fits).copied().unwrap_or(smallest)
}

/// Four digits, or all before the point where there are more; none after the point that say nothing.
fn four_digits(value: f64) -> String {
    let size = value.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-4) {
        return format!("{value:.3e}");
    }
    let decimals = match size {
        size if size >= 999.95 => 0,
        size if size >= 99.995 => 1,
        size if size >= 9.9995 => 2,
        size if size >= 1.0 => 3,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Turn;
    use proptest::prelude::*;

    #[test]
    fn a_level_that_moves_from_or_to_zero_moved_in_its_unit_and_so_did_the_ends_of_its_interval() {
        let told = |before: f64, after: f64, unit: &Unit| {
            let value = after - before;
            let size = Size::Absolute { value, low: value - 4.0, high: value + 4.0 };
            let change = Change { size, before, after, ..Change::example(1, (1, 2), Turn::Moved) };
            [moved(&change, unit), moved_within(&change, unit)]
        };
        let time = Unit::nanoseconds();
        assert_eq!(told(0.0, 17_385.4, &time), ["+17.39 µs", "+17.38 µs to +17.39 µs"]);
        assert_eq!(told(7.5, 0.0, &time), ["-7.5 ns", "-11.5 ns to -3.5 ns"]);
        assert_eq!(told(0.0, 2052.0, &Unit::new("bytes")), ["+2.004 KiB", "+2 KiB to +2.008 KiB"]);
        assert_eq!(told(40.0, 30.0, &time), ["-25.0 %", "-35.0 % to -15.0 %"]);
    }

    #[test]
    fn times_change_their_unit_where_four_digits_say_so() {
        let cases = [
            (0.0, "0 ns"),
            (0.25, "0.25 ns"),
            (1.0, "1 ns"),
            (999.94, "999.9 ns"),
            (999.96, "1 µs"),
            (5312.4, "5.312 µs"),
            (53124.0, "53.12 µs"),
            (999_960.0, "1 ms"),
            (2.5e9, "2.5 s"),
            (8.64e13, "86400 s"),
            (-5312.4, "-5.312 µs"),
            (1e-7, "1.000e-7 ns"),
        ];
        for (value, expected) in cases {
            assert_eq!(quantity(value, &Unit::nanoseconds()), expected, "{value}");
        }
    }

    #[test]
    fn other_units_take_their_prefix() {
        assert_eq!(quantity(1023.0, &Unit::new("bytes")), "1023 B");
        assert_eq!(quantity(12_340_000.0, &Unit::new("elements/s")), "12.34 M elements/s");
        assert_eq!(quantity(7.0, &Unit::new("tokens")), "7 tokens");
        assert_eq!(quantity(1e300, &Unit::new("count")), "1.000e288 T");
        assert_eq!(quantity(1_234_567.0, &Unit::new("count")), "1.235 M");
    }

    #[test]
    fn percents_keep_the_digits_that_matter() {
        let cases = [(0.000_01, "0 %"), (0.0003, "0.03 %"), (0.0123, "1.2 %"), (0.9996, "100 %"), (3.5, "350 %")];
        for (fraction, expected) in cases {
            assert_eq!(percent(fraction), expected, "{fraction}");
        }
        assert_eq!(change(100.0, 99.0).as_deref(), Some("-1.0 %"));
        assert_eq!(change(100.0, 100.000_1).as_deref(), Some("±0 %"));
        assert_eq!(change(-100.0, -99.0).as_deref(), Some("+1.0 %"));
        assert_eq!(spread(200.0, (199.0, 201.0)).as_deref(), Some("±0.50 %"));
        assert_eq!(spread(0.0, (0.0, 0.0)), None);
    }

    #[test]
    fn lengths_of_time_are_read_like_a_clock() {
        assert_eq!(duration(1_500_000_000), "1.5 s");
        assert_eq!(duration(59_700_000_000), "1 min 0 s");
        assert_eq!(duration(62_000_000_000), "1 min 2 s");
        assert_eq!(duration(7_384_000_000_000), "2 h 3 min");
    }

    #[test]
    fn dates_are_in_utc_and_absurd_ones_are_told_in_seconds() {
        assert_eq!(moment(1_790_000_000), "2026-09-21 14:13:20");
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(i64::MAX), "9223372036854775807 s");
    }

    proptest! {
        #[test]
        fn four_digits_read_back_as_nearly_the_same(value in prop::num::f64::NORMAL) {
            let read: f64 = four_digits(value).parse().unwrap();
            prop_assert!((read - value).abs() <= value.abs() * 6e-4 || value.abs() < 0.2 && (read - value).abs() < 6e-5);
        }
    }
}
