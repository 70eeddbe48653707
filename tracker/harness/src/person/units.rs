//! Numbers as people read them; the one place where they are formatted.

/// A reading of a metric, by its unit.
pub(super) fn reading(value: f64, unit: &str) -> String {
    match unit {
        "ns" => time(value),
        "bytes" => format!("{}B", scaled(value)),
        "count" => short(value),
        other => format!("{} {other}", short(value)),
    }
}

/// Work done in a second, from the work of an iteration and its nanoseconds.
pub(super) fn rate(amount: f64, unit: &str, ns: f64) -> String {
    let per_second = scaled(amount * 1e9 / ns);
    if unit == "bytes" { format!("{per_second}B/s") } else { format!("{} {unit}/s", per_second.trim_end()) }
}

/// A message on one line, however many it had.
pub(super) fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 9.95 { format!("± {percent:.1} %") } else { format!("± {percent:.0} %") }
}

fn time(ns: f64) -> String {
    let (value, unit) = match ns.abs() {
        small if small < 999.95 => (ns, "ns"),
        small if small < 999.95e3 => (ns / 1e3, "µs"),
        small if small < 999.95e6 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    format!("{} {unit}", four_digits(value))
}

/// A number with a decimal prefix, ready for a unit to follow.
fn scaled(value: f64) -> String {
    let (value, prefix) = match value.abs() {
        small if small < 999.95 => (value, ""),
        small if small < 999.95e3 => (value / 1e3, "k"),
        small if small < 999.95e6 => (value / 1e6, "M"),
        small if small < 999.95e9 => (value / 1e9, "G"),
        _ => (value / 1e12, "T"),
    };
    format!("{} {prefix}", if prefix.is_empty() { short(value) } else { four_digits(value) })
}

/// Whole numbers whole, others to four digits.
fn short(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { four_digits(value) }
}

fn four_digits(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 1e-3 => format!("{value:.2e}"),
        small if small < 0.99995 => format!("{value:.4}"),
        small if small < 9.9995 => format!("{value:.3}"),
        small if small < 99.995 => format!("{value:.2}"),
        small if small < 999.95 => format!("{value:.1}"),
        small if small < 1e15 => format!("{value:.0}"),
        _ => format!("{value:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_four_digits_and_the_unit_that_fits() {
        let cases = [
            (0.0, "0 ns"),
            (0.75, "0.7500 ns"),
            (5.0, "5.000 ns"),
            (999.94, "999.9 ns"),
            (999.99, "1.000 µs"),
            (51_234.0, "51.23 µs"),
            (1_500_000.0, "1.500 ms"),
            (61_000_000_000.0, "61.00 s"),
            (3_600_000_000_000.0, "3600 s"),
        ];
        for (ns, expected) in cases {
            assert_eq!(time(ns), expected);
        }
    }

    #[test]
    fn readings_bear_their_units() {
        assert_eq!(reading(3.0, "count"), "3");
        assert_eq!(reading(0.125, "count"), "0.1250");
        assert_eq!(reading(0.0, "bytes"), "0 B");
        assert_eq!(reading(65_536.0, "bytes"), "65.54 kB");
        assert_eq!(reading(2.5, "x"), "2.500 x");
        assert_eq!(reading(1200.0, "ns"), "1.200 µs");
    }

    #[test]
    fn rates_are_per_second() {
        assert_eq!(rate(1000.0, "elements", 500.0), "2.000 G elements/s");
        assert_eq!(rate(64.0, "bytes", 1e9), "64 B/s");
        assert_eq!(rate(1.0, "tokens", 2e9), "0.5000 tokens/s");
    }

    #[test]
    fn a_spread_is_a_percentage() {
        assert_eq!(percent(0.004), "± 0.4 %");
        assert_eq!(percent(0.25), "± 25 %");
    }
}
