//! Ticks that people would choose: round numbers in one unit, and the beginnings of years, months, weeks or days.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::ink::{Anchor, Frame, Pen};
use crate::domain::Unit;
use crate::show::number::{self, Measure};

/// A place on an axis with its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// At most about `most` round values of a range, all in the unit that suits the largest, and that unit.
pub(super) fn values(range: &Range<f64>, unit: &Unit, most: usize) -> (Vec<Tick>, String) {
    let measure = Measure::of(range.start.abs().max(range.end.abs()), unit);
    let (places, decimals) = round_places(&(range.start / measure.size..range.end / measure.size), most);
    let tick = |at: f64| Tick { at: at * measure.size, label: format!("{at:.decimals$}") };
    (places.into_iter().map(tick).collect(), measure.name())
}

/// Round values of a range of powers of ten, all in the unit that suits the largest, each at its power.
pub(super) fn powers(range: &Range<f64>, unit: &Unit, most: usize) -> (Vec<Tick>, String) {
    let measure = Measure::of(10f64.powf(range.end), unit);
    let off = measure.size.log10();
    #[expect(clippy::cast_possible_truncation, reason = "powers of ten of finite numbers")]
    let (first, last) = ((range.start - off).floor() as i32, (range.end - off).ceil() as i32);
    let of = |digits: &'static [f64]| -> Vec<Tick> {
        let all = (first..=last).flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)));
        let tick = |value: f64| Tick { at: value.log10() + off, label: number::short(value) };
        all.map(tick).filter(|tick| range.contains(&tick.at)).collect()
    };
    let digits: [&'static [f64]; 3] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
    let fitting = digits.into_iter().map(of).find(|ticks| (2..=most).contains(&ticks.len()));
    let ticks = fitting.unwrap_or_else(|| {
        // Within less than a power, or over very many.
        let (low, high) = (10f64.powf(range.start) / measure.size, 10f64.powf(range.end) / measure.size);
        if range.end - range.start < 1.0 {
            let (places, decimals) = round_places(&(low..high), most);
            let tick = |value: f64| Tick { at: (value * measure.size).log10(), label: format!("{value:.decimals$}") };
            return places.into_iter().filter(|value| *value > 0.0).map(tick).collect();
        }
        let every = (of(&[1.0]).len() / most.max(1)).max(1);
        of(&[1.0]).into_iter().step_by(every + 1).collect()
    });
    (ticks, measure.name())
}

/// The labels beneath an axis, as far as there is room for them.
pub(super) fn under(pen: &Pen<'_>, frame: &Frame, dates: &[Tick], letter: f64) {
    let mut free = frame.left - 20.0;
    for tick in dates {
        let half = tick.label.chars().count() as f64 * letter / 2.0;
        let x = frame.across(tick.at).clamp(frame.left, frame.right);
        pen.line(&[(x, frame.bottom), (x, frame.bottom + 4.0)]);
        let middle = x.min(frame.right + 14.0 - half);
        if middle - half >= free {
            pen.text((middle, frame.bottom + 17.0), Anchor::Middle, &tick.label);
            free = middle + half + 8.0;
        }
    }
}

/// The multiples of 1, 2 or 5 times a power of ten in a range, and how many decimals they need.
fn round_places(range: &Range<f64>, most: usize) -> (Vec<f64>, usize) {
    let rough = (range.end - range.start) / most.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return (vec![range.start], 3);
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|step| *step >= rough * 0.999_999);
    let step = step.unwrap_or(10.0 * power);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 12 by construction")]
    let decimals = (-(step * 1.000_001).log10().floor()).clamp(0.0, 12.0) as usize;
    let first = (range.start / step).ceil();
    let count = ((range.end / step).floor() - first).clamp(0.0, most as f64 * 2.0 + 2.0);
    // Adding nought makes of a negative nought a plain one.
    let places = (0_u32..).take_while(|n| f64::from(*n) <= count).map(|n| (first + f64::from(n)) * step + 0.0);
    (places.collect(), decimals)
}

/// How finely dates are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Months(i32),
    Weeks,
    Days,
}

impl Span {
    const COARSE_FIRST: [Span; 7] =
        [Span::Months(12), Span::Months(6), Span::Months(3), Span::Months(2), Span::Months(1), Span::Weeks, Span::Days];

    /// The number of the span that a time falls into.
    fn number(self, at_s: i64) -> i64 {
        let Some(date) = date(at_s) else { return 0 };
        match self {
            Span::Months(months) => {
                i64::from((i32::from(date.year()) * 12 + i32::from(date.month()) - 1).div_euclid(months))
            }
            // The first of January 1970 was a Thursday.
            Span::Weeks => (at_s.div_euclid(86_400) + 3).div_euclid(7),
            Span::Days => at_s.div_euclid(86_400),
        }
    }

    fn label(self, at_s: i64) -> String {
        match (self, date(at_s)) {
            (Span::Months(12), Some(date)) => date.strftime("%Y").to_string(),
            (Span::Months(_), Some(date)) => date.strftime("%Y-%m").to_string(),
            _ => number::date(at_s),
        }
    }
}

fn date(at_s: i64) -> Option<Date> {
    Timestamp::from_second(at_s).ok().map(|time| time.to_zoned(TimeZone::UTC).date())
}

/// The places at which a year, a month, a week or a day begins, as finely as `most` labels allow. The times belong to the
/// places, both in order.
pub(super) fn dates(places: &[(f64, i64)], most: usize) -> Vec<Tick> {
    let begins = |span: Span| -> Vec<Tick> {
        let begin = |pair: &[(f64, i64)]| {
            let (before, (at, at_s)) = (pair[0].1, pair[1]);
            (span.number(before) < span.number(at_s)).then(|| Tick { at, label: span.label(at_s) })
        };
        places.windows(2).filter_map(begin).collect()
    };
    let fitting = Span::COARSE_FIRST.into_iter().map(begins).filter(|ticks| ticks.len() <= most);
    let ticks = fitting.max_by_key(Vec::len).unwrap_or_default();
    if ticks.len() >= 2 {
        return ticks;
    }
    let ends = [places.first(), places.last().filter(|_| places.len() > 1)];
    ends.into_iter().flatten().map(|&(at, at_s)| Tick { at, label: number::date(at_s) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn values_have_round_numbers_in_one_unit() {
        let shown = |range: Range<f64>, unit: &str, most| {
            let (ticks, name) = values(&range, &Unit::new(unit), most);
            format!("{} {name}", labels(&ticks).join(" "))
        };
        assert_eq!(shown(9_500.0..12_300.0, "ns", 6), "9.5 10.0 10.5 11.0 11.5 12.0 µs");
        assert_eq!(shown(0.0..4096.0, "bytes", 4), "0 1 2 3 4 KiB");
        assert_eq!(shown(2e6..4e6, "tokens/s", 2), "2 3 4 M tokens/s");
        assert_eq!(shown(-1.0..1.0, "count", 4), "-1.0 -0.5 0.0 0.5 1.0 ");
        assert_eq!(shown(5.0..5.0, "count", 4), "5.000 ");
    }

    #[test]
    fn a_logarithmic_axis_has_round_values_at_their_powers() {
        let shown = |low: f64, high: f64| {
            let (ticks, name) = powers(&(low.log10()..high.log10()), &Unit::nanoseconds(), 8);
            format!("{} {name}", labels(&ticks).join(" "))
        };
        assert_eq!(shown(90.0, 1.1e5), "0.1 0.3 1 3 10 30 100 µs");
        assert_eq!(shown(1e3, 1.3e4), "1 2 5 10 µs");
        assert_eq!(shown(1e3, 1.3e3), "1.00 1.05 1.10 1.15 1.20 1.25 1.30 µs");
        for exponent in -20..20 {
            for wide in [1.0001, 3.0, 1e3, 1e9, 1e20] {
                let low = 10f64.powi(exponent);
                let (ticks, _) = powers(&(low.log10()..(low * wide).log10()), &Unit::new("count"), 8);
                assert!((1..=10).contains(&ticks.len()), "{low} × {wide}: {ticks:?}");
            }
        }
    }

    #[test]
    fn ranges_of_any_size_have_a_handful_of_ticks() {
        for exponent in -30..30 {
            let size = 10f64.powi(exponent) * 3.3;
            let (ticks, _) = values(&(size..size * 1.7), &Unit::new("count"), 6);
            assert!((2..=9).contains(&ticks.len()), "{size}: {ticks:?}");
        }
    }

    #[test]
    fn dates_begin_months_over_a_year_and_days_over_a_week() {
        let day = |day: i64| (day as f64, 1_704_067_200 + day * 86_400);
        let year: Vec<_> = (0..360).map(day).collect();
        assert_eq!(labels(&dates(&year, 6)), ["2024-03", "2024-05", "2024-07", "2024-09", "2024-11"]);
        let week: Vec<_> = (0..6).map(day).collect();
        assert_eq!(labels(&dates(&week, 6)), ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-06"]);
        assert_eq!(labels(&dates(&week[..1], 6)), ["2024-01-01"]);
        assert!(dates(&[], 6).is_empty());
    }
}
