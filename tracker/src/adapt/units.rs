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
    fn dates_without_an_offset_are_utc() {
        assert_eq!(seconds_since_1970("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(seconds_since_1970("1970-01-02 00:00:01.5"), Some(86401));
        assert_eq!(seconds_since_1970("1970-01-02"), Some(86400));
        assert_eq!(seconds_since_1970("dummy stamp"), None);
    }
}
