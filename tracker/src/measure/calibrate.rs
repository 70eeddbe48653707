//! Finding a number of iterations that is worth one slice.
//!
//! A slice takes about 0.4 ms (`SLICE`): long enough that the request around it (some tens of microseconds) and the
//! worker's two looks at its clock (some tens of nanoseconds) cost little, short enough that a disturbance hits few slices
//! and that the two sides of a duel see the same machine. A benchmark whose one iteration takes longer has slices of one
//! iteration.

use std::time::Duration;

/// What a slice should take: so little that most slices see no tick of the system's clock, which comes every few
/// milliseconds and costs some tens of microseconds. Were about half of them hit, the median of a life would be a matter of
/// whether a few more were, and in a duel of how often on which side.
const SLICE: Duration = Duration::from_micros(400);

/// How many more iterations each try has than the one before at the most: a few steps from nanoseconds to a slice, and
/// no step so bold that a benchmark whose first iteration is cheap makes us wait for ever.
const BOLDEST_STEP: f64 = 10.0;

/// No machine does so many iterations of anything in less than a slice: a loop that seems to was optimised away.
const MOST_ITERATIONS: u64 = 1 << 32;

/// Tries before we take what we have: thrice what an honest benchmark needs.
const MOST_TRIES: usize = 40;

/// An iteration that is so slow that one cold start more or less cannot deceive us much: it is not tried twice.
pub const SLOW: Duration = Duration::from_secs(1);

/// Why there is no number of iterations.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrateError<E> {
    /// A slice failed.
    #[error(transparent)]
    Slice(E),
    /// The benchmark does nothing.
    #[error("{iterations} iterations took {slice_ns} ns: the loop does no work (did the compiler remove it?)")]
    Nothing {
        /// How many were tried.
        iterations: u64,
        /// How long they took.
        slice_ns: f64,
    },
}

/// How many iterations make a slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// So many.
    pub iterations: u64,
    /// What one of them takes, in nanoseconds, as last seen.
    pub iteration_ns: f64,
}

impl Calibration {
    fn seen(iterations: u64, elapsed_ns: u64) -> Calibration {
        Calibration { iterations, iteration_ns: elapsed_ns as f64 / iterations as f64 }
    }

    /// What a slice takes, in nanoseconds.
    #[must_use]
    pub fn slice_ns(&self) -> f64 {
        self.iteration_ns * self.iterations as f64
    }

    /// Whether one iteration takes so long that a cold start does not matter.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.iteration_ns >= SLOW.as_nanos() as f64
    }

    /// Whether a slice has the right length, give or take a factor of two; one iteration may have any length.
    fn is_good(&self) -> bool {
        let share = self.slice_ns() / SLICE.as_nanos() as f64;
        share >= 0.5 && (share <= 2.0 || self.iterations == 1)
    }

    /// The iterations that would make a slice, at most `boldest` times as many.
    fn scaled(&self, boldest: f64) -> u64 {
        let factor = (SLICE.as_nanos() as f64 / self.slice_ns()).min(boldest);
        whole((self.iterations as f64 * factor).round())
    }

    /// With the iterations that make a slice.
    fn sliced(self) -> Calibration {
        Calibration { iterations: self.scaled(f64::INFINITY), ..self }
    }

    /// After a slice that took so many nanoseconds: the same, or a better number of iterations if that was off by a
    /// factor of two or more.
    #[must_use]
    pub fn corrected(self, elapsed_ns: u64) -> Calibration {
        let seen = Calibration::seen(self.iterations, elapsed_ns);
        if seen.is_good() { seen } else { seen.sliced() }
    }
}

/// A positive number of iterations; what is out of all bounds is cut.
fn whole(iterations: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to numbers that fit")]
    let whole = iterations.clamp(1.0, MOST_ITERATIONS as f64) as u64;
    whole
}

/// Finds a number of iterations worth a slice by `run`, which runs so many and tells the nanoseconds that they took.
pub fn calibrate<E>(mut run: impl FnMut(u64) -> Result<u64, E>) -> Result<Calibration, CalibrateError<E>> {
    let mut run = |iterations| match run(iterations) {
        Ok(elapsed_ns) => Ok(Calibration::seen(iterations, elapsed_ns)),
        Err(error) => Err(CalibrateError::Slice(error)),
    };
    let cold = run(1)?;
    if cold.is_slow() {
        return Ok(cold);
    }
    let mut seen = run(1)?;
    for _ in 0..MOST_TRIES {
        if seen.is_good() {
            break;
        }
        if seen.iterations == MOST_ITERATIONS {
            return Err(CalibrateError::Nothing { iterations: seen.iterations, slice_ns: seen.slice_ns() });
        }
        seen = run(seen.scaled(BOLDEST_STEP))?;
    }
    Ok(seen.sliced())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// A benchmark whose iterations take so long; each look at the clock adds 30 ns.
    fn steady(iteration_ns: f64) -> impl FnMut(u64) -> Result<u64, Infallible> {
        move |iterations| Ok(whole(iterations as f64 * iteration_ns + 30.0))
    }

    #[test]
    fn slices_take_about_as_long_as_they_should_from_fractions_of_a_nanosecond_on() {
        for iteration_ns in [0.25, 5.0, 300.0, 5_000.0, 90_000.0, 500_000.0] {
            let found = calibrate(steady(iteration_ns)).unwrap();
            let slice_ns = iteration_ns * found.iterations as f64;
            assert!((0.24e6..=0.6e6).contains(&slice_ns), "{iteration_ns}: {found:?}");
            assert!((found.iteration_ns / iteration_ns - 1.0).abs() < 0.05, "{iteration_ns}: {found:?}");
        }
    }

    #[test]
    fn what_takes_longer_than_a_slice_has_slices_of_one_iteration() {
        for iteration_ns in [1.6e6, 50e6, 30e9] {
            assert_eq!(calibrate(steady(iteration_ns)).unwrap().iterations, 1);
        }
    }

    #[test]
    fn what_is_slow_is_tried_once() {
        let mut tries = 0;
        let found = calibrate(|iterations| {
            tries += 1;
            Ok::<_, Infallible>(iterations * 30_000_000_000)
        });
        assert!(found.unwrap().is_slow());
        assert_eq!(tries, 1);
    }

    #[test]
    fn a_cold_first_iteration_does_not_deceive() {
        let mut is_first = true;
        let found = calibrate(|iterations| {
            let cold = if std::mem::take(&mut is_first) { 40_000_000 } else { 0 };
            Ok::<_, Infallible>(iterations * 5_000 + cold)
        });
        assert_eq!(found.unwrap().iterations, 80);
    }

    #[test]
    fn a_loop_that_does_nothing_is_told_apart_from_a_fast_one() {
        let error = calibrate(|_| Ok::<_, Infallible>(25)).unwrap_err();
        assert!(error.to_string().contains("the loop does no work"), "{error}");
    }

    #[test]
    fn a_clock_that_jumps_about_does_not_keep_us_for_ever() {
        let mut tries = 0;
        let found = calibrate(|_| {
            tries += 1;
            Ok::<_, Infallible>(if tries % 2 == 0 { 1 } else { 900_000_000 })
        });
        assert!(found.is_ok() && tries < 100);
    }

    #[test]
    fn a_failed_slice_ends_the_search() {
        let found = calibrate(|iterations| if iterations == 1 { Ok(100) } else { Err("crashed") });
        assert_eq!(found, Err(CalibrateError::Slice("crashed")));
    }

    #[test]
    fn a_slice_of_the_wrong_length_is_corrected_and_a_fair_one_left_alone() {
        let before = Calibration { iterations: 100, iteration_ns: 10_000.0 };
        assert_eq!(before.corrected(500_000).iterations, 100);
        assert_eq!(before.corrected(40_000).iterations, 1000);
        assert_eq!(before.corrected(4_000_000).iterations, 10);
    }
}
