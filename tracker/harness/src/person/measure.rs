//! Measuring a benchmark for a person: slices of about a millisecond within a bounded time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::offer::{Offer, Slice};

/// What a slice is worth: far above the clock's grain, far below the time between two disturbances.
const SLICE: Duration = Duration::from_millis(1);
/// Slices that make a median worth its name.
const ENOUGH: usize = 5;
/// How much longer than asked a slow benchmark may take to get that many.
const PATIENCE: u32 = 10;

/// The readings of a benchmark, one for each slice.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Measured {
    /// Nanoseconds per iteration.
    pub(super) times: Vec<f64>,
    /// The other metrics' readings by name.
    pub(super) others: BTreeMap<String, Vec<f64>>,
}

impl Measured {
    fn take(&mut self, slice: Slice, iterations: u64) {
        self.times.push(slice.elapsed_ns as f64 / iterations as f64);
        for (name, value) in slice.readings {
            self.others.entry(name).or_default().push(value);
        }
    }
}

/// Measures for about `time`.
pub(super) fn measure(offer: &mut Offer<'_>, counting: bool, time: Duration) -> Result<Measured, String> {
    measure_by(time, |iterations| offer.run(iterations, counting))
}

fn measure_by(time: Duration, mut run: impl FnMut(u64) -> Result<Slice, String>) -> Result<Measured, String> {
    let mut measured = Measured::default();
    let mut spent = Duration::ZERO;
    let mut iterations = 1;
    loop {
        let slice = run(iterations)?;
        let elapsed = Duration::from_nanos(slice.elapsed_ns);
        spent += elapsed;
        // Too short: what was taken with so few iterations, or fewer, was a disturbance or a warm-up.
        let short = elapsed < SLICE / 2 && spent < time;
        if short {
            measured = Measured::default();
        } else {
            measured.take(slice, iterations);
        }
        if short || measured.times.len() == 1 {
            iterations = iterations.max(next(iterations, elapsed));
        }
        let slices = measured.times.len();
        if slices > 0 && (spent >= time && slices >= ENOUGH || spent >= time * PATIENCE) {
            return Ok(measured);
        }
    }
}

/// Iterations worth a slice, judged by these; not more than ten times as many, for the first are often slow.
fn next(iterations: u64, elapsed: Duration) -> u64 {
    let worth = SLICE.as_nanos() * u128::from(iterations) / elapsed.as_nanos().max(1);
    u64::try_from(worth).unwrap_or(u64::MAX).clamp(1, iterations.saturating_mul(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A benchmark that takes `each` an iteration by a clock of its own; returns what was measured and what was run.
    fn simulated(time: Duration, each: Duration) -> (Measured, Vec<u64>) {
        let mut runs = Vec::new();
        let measured = measure_by(time, |iterations| {
            runs.push(iterations);
            let elapsed_ns = u64::try_from(each.as_nanos()).unwrap() * iterations;
            Ok(Slice { elapsed_ns, readings: vec![("hits".to_owned(), 2.0)] })
        });
        (measured.unwrap(), runs)
    }

    #[test]
    fn quick_work_is_measured_in_slices_of_a_millisecond_for_the_time_asked() {
        let (measured, runs) = simulated(Duration::from_millis(300), Duration::from_nanos(5));
        assert_eq!(runs.last(), Some(&200_000));
        assert!((290..=301).contains(&measured.times.len()), "{}", measured.times.len());
        assert!(measured.times.iter().all(|&time| (time - 5.0).abs() < 1e-9));
        assert_eq!(measured.others["hits"].len(), measured.times.len());
    }

    #[test]
    fn slow_work_gets_a_few_slices_and_very_slow_work_one() {
        let (measured, _) = simulated(Duration::from_millis(300), Duration::from_millis(200));
        assert_eq!(measured.times.len(), 5);
        let (measured, _) = simulated(Duration::from_millis(300), Duration::from_secs(1));
        assert_eq!(measured.times.len(), 3);
        let (measured, runs) = simulated(Duration::from_millis(300), Duration::from_mins(1));
        assert_eq!((measured.times.len(), runs), (1, vec![1]));
    }

    #[test]
    fn a_disturbance_does_not_pass_for_slow_work() {
        let mut runs = Vec::new();
        let measured = measure_by(Duration::from_millis(100), |iterations| {
            let disturbed = runs.len() == 1;
            runs.push(iterations);
            Ok(Slice { elapsed_ns: if disturbed { 20_000_000 } else { 20 + 5 * iterations }, readings: Vec::new() })
        });
        assert!(runs.last() > Some(&150_000), "{runs:?}");
        assert!(measured.unwrap().times.iter().all(|&time| time < 5.1));
    }

    #[test]
    fn a_failure_ends_it() {
        let failed = measure_by(SLICE, |_| Err("panicked".to_owned()));
        assert_eq!(failed, Err("panicked".to_owned()));
    }
}
