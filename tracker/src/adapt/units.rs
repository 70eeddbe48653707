//! Units of time, and numbers as people print them.

use crate::domain::Direction;

/// How many nanoseconds one of this unit is; none for what is no time.
pub(super) fn nanoseconds_per(unit: &str) -> Option<f64> {
    Some(match unit {
        "ps" | "picoseconds" => 1e-3,
        "ns" | "nsec" | "nanosecond" | "nanoseconds" => 1.0,
        "us" | "µs" | "μs" | "usec" | "microsecond" | "microseconds" => 1e3,
        "ms" | "msec" | "millisecond" | "milliseconds" => 1e6,
        "s" | "sec" | "second" | "seconds" => 1e9,
        "min" | "minute" | "minutes" => 60e9,
        "h" | "hour" | "hours" => 3600e9,
        _ => return None,
    })
}

/// A number as people print it: `1,234.5` with commas between groups of three. A comma anywhere else is refused, since
/// it may be a decimal one.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.contains(',') {
        return text.parse().ok();
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.split(',');
    let first = groups.next()?.trim_start_matches('-');
    let is_grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    if !is_grouped || fraction.contains(',') {
        return None;
    }
    text.replace(',', "").parse().ok()
}

/// A number with its unit directly behind it: `10.3ms`, `1.2MB`, `-nanus`.
pub(super) fn suffixed(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    for word in ["-nan", "nan", "-inf", "inf"] {
        if let Some(unit) = text.strip_prefix(word) {
            return Some((f64::NAN, unit));
        }
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+'))).unwrap_or(text.len());
    Some((number(&text[..end])?, &text[end..]))
}

/// A time with its unit directly behind it, in nanoseconds. `m` is minutes here.
pub(super) fn suffixed_time_ns(text: &str) -> Option<f64> {
    let (value, unit) = suffixed(text)?;
    let unit = if unit == "m" { "min" } else { unit };
    Some(value * nanoseconds_per(unit)?)
}

/// Takes a decimal or binary prefix off a unit: `MiB` is 1048576 of `B`, `k` is 1000 of nothing.
pub(super) fn prefixed(unit: &str) -> Option<(f64, &str)> {
    const BINARY: [(&str, f64); 5] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
    ];
    const DECIMAL: [(&str, f64); 6] = [("k", 1e3), ("K", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("P", 1e15)];
    let known = |rest: &str| matches!(rest, "" | "B" | "b" | "item" | "elem" | "char" | "Hz" | "Char");
    let binary = BINARY.iter().find_map(|(prefix, factor)| Some((*factor, unit.strip_prefix(prefix)?)));
    if let Some((factor, rest)) = binary.filter(|(_, rest)| matches!(*rest, "" | "B" | "b")) {
        return Some((factor, rest));
    }
    if known(unit) && !unit.is_empty() {
        return Some((1.0, unit));
    }
    let decimal = DECIMAL.iter().find_map(|(prefix, factor)| Some((*factor, unit.strip_prefix(prefix)?)));
    decimal.filter(|(_, rest)| known(rest))
}

/// A rate in whole units a second: the factor to it, and its unit. `KiB/s` is 1024 `B/s`, `Melem/s` a million
/// `elements/s`, `MHz` a million `cycles/s`.
pub(super) fn plain_rate(unit: &str) -> Option<(f64, String)> {
    let of = match unit.strip_suffix("/s") {
        Some(of) => of,
        None if unit.ends_with("Hz") => unit,
        None => return None,
    };
    let (factor, plain) = prefixed(of)?;
    let plain = match plain {
        "item" => "items",
        "elem" => "elements",
        "char" | "Char" => "characters",
        "Hz" => "cycles",
        "b" => "bits",
        other => other,
    };
    (!plain.is_empty()).then(|| (factor, format!("{plain}/s")))
}

/// What a unit says about the direction: a rate is better higher, of others nothing is known.
pub(super) fn rate_or_unknown(unit: &str) -> Direction {
    let is_rate = ["/s", "/sec", "/second", " per second"].iter().any(|end| unit.ends_with(end));
    if is_rate { Direction::Higher } else { Direction::Unknown }
}

/// The moment that an RFC 3339 text or a plain date names, in seconds since 1970 UTC.
pub(super) fn seconds_since_1970(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_second());
    }
    // Without an offset, UTC is meant.
    let moment = text.parse::<jiff::civil::DateTime>().ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(moment).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_letters_for_micro_are_micro() {
        assert_eq!(nanoseconds_per("\u{b5}s"), Some(1000.0));
        assert_eq!(nanoseconds_per("\u{3bc}s"), Some(1000.0));
        assert_eq!(nanoseconds_per("requests"), None);
    }

    #[test]
    fn a_comma_is_taken_between_groups_of_three_only() {
        for (text, value) in [("1,234", 1234.0), ("1,234,567.5", 1_234_567.5), ("-1,000", -1000.0), ("12", 12.0)] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["1,5", "1,2345", ",123", "1.5,000", "1,23,456", "", "x"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn suffixes_and_prefixes_are_read() {
        assert_eq!(suffixed_time_ns("10.5ms"), Some(10.5e6));
        assert_eq!(suffixed_time_ns("2m"), Some(120e9));
        assert!(suffixed_time_ns("-nanus").unwrap().is_nan());
        assert_eq!(suffixed_time_ns("17.25"), None);
        assert_eq!(prefixed("MiB"), Some((1_048_576.0, "B")));
        assert_eq!(prefixed("KB"), Some((1000.0, "B")));
        assert_eq!(prefixed("apples"), None);
        assert_eq!(plain_rate("Kelem/s"), Some((1000.0, "elements/s".to_owned())));
        assert_eq!(plain_rate("MiB"), None);
    }

    #[test]
    fn dates_without_an_offset_are_utc() {
        assert_eq!(seconds_since_1970("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(seconds_since_1970("1970-01-02 00:00:01.5"), Some(86401));
        assert_eq!(seconds_since_1970("1970-01-02"), Some(86400));
        assert_eq!(seconds_since_1970("dummy stamp"), None);
    }
}
