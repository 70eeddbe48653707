//! One benchmark in one life: first the rehearsal that finds out what it is like, then the visits that measure it.

use std::time::{Duration, Instant};

use super::calibrate::{CalibrateError, Calibration, calibrate};
use super::child::urgent::{Hurried, Pace};
use super::protocol::{Answer, Listed};
use super::witness::{Seen, Witness};
use super::worker::{Worker, WorkerError};
use crate::domain::{Kind, Trouble};

/// Slices that are thrown away at the beginning of a visit at the most, and the time that they take at the most.
const MOST_WARM_UP: f64 = 25.0;
const LONGEST_WARM_UP: Duration = Duration::from_millis(20);

/// A warm-up goes on while each slice is at least this much faster than the one before.
const STILL_WARMING: f64 = 0.98;

/// Iterations over which exact metrics are taken: always the same number, since what grows now and then (a table, a
/// buffer) has another average over another number. One where ten would take long.
const EXACT_ITERATIONS: u64 = 10;
const LONGEST_FOR_TEN: Duration = Duration::from_millis(10);

/// What a rehearsal found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsal {
    /// How many iterations make a slice.
    pub calibration: Calibration,
    /// What the worker's profiler saw, where it has one.
    pub profile: Option<serde_json::Value>,
    /// The first visit, if the benchmark is so slow that its only iteration counts as one.
    pub visit: Option<Visit>,
    /// How long the rehearsal took.
    pub took: Duration,
}

/// What a visit yielded.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// The time of an iteration in nanoseconds, slice by slice.
    pub times_ns: Vec<f64>,
    /// The declared metrics in the order of their declaration, each slice by slice.
    pub metrics: Vec<Vec<f64>>,
    /// The declared metrics over the fixed number of iterations, if that was asked for.
    pub exact: Option<Vec<f64>>,
    /// What a witness on the worker's processor saw meanwhile, if there was one.
    pub seen: Option<Seen>,
    /// The calibration, corrected.
    pub calibration: Calibration,
    /// The time inside the slices that count, by the worker's clock.
    pub inside: Duration,
    /// The time from the first to the last slice that counts, by ours.
    pub slicing: Duration,
    /// The time of the whole visit.
    pub took: Duration,
}

/// What a visit is to do.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The benchmark.
    pub benchmark: &'a Listed,
    /// How many iterations make a slice.
    pub calibration: Calibration,
    /// How many slices.
    pub slices: u32,
    /// Whether exact metrics are wanted too.
    pub exact: Exact,
    /// Whether slices go before what else runs there.
    pub pace: Pace,
    /// Whether a witness looks on, which has to be where the worker is.
    pub is_witnessed: bool,
}

/// Whether a visit takes the exact metrics over this number of iterations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exact {
    /// It does.
    Over(u64),
    /// It does not.
    Unwanted,
}

/// The number of iterations over which this benchmark's exact metrics are taken; none if it has none.
#[must_use]
pub fn exact_iterations(benchmark: &Listed, calibration: Calibration) -> Option<u64> {
    let fits = calibration.iteration_ns <= LONGEST_FOR_TEN.as_nanos() as f64;
    let has_some = benchmark.metrics.iter().any(|metric| metric.kind == Kind::Exact);
    has_some.then_some(if fits { EXACT_ITERATIONS } else { 1 })
}

/// What a benchmark itself is to blame for while the worker is well.
pub type Verdict<T> = Result<T, Trouble>;

/// Checks the benchmark's answer, finds its number of iterations, and fetches its profile.
pub fn rehearse(worker: &mut Worker, benchmark: &Listed) -> Result<Verdict<Rehearsal>, WorkerError> {
    let begun = Instant::now();
    if let Answer::Wrong(message) = worker.check(benchmark)? {
        worker.drop_setup(benchmark)?;
        return Ok(Err(blame(format!("wrong answer: {message}"))));
    }
    let mut last = None;
    let found = calibrate(|iterations| {
        let asked = Instant::now();
        let slice = worker.run(benchmark, iterations)?;
        let elapsed_ns = slice.elapsed_ns;
        last = Some((slice, asked.elapsed()));
        Ok(elapsed_ns)
    });
    let calibration = match found {
        Ok(calibration) => calibration,
        Err(CalibrateError::Slice(error)) => return Err(error),
        Err(error @ CalibrateError::Nothing { .. }) => {
            worker.drop_setup(benchmark)?;
            return Ok(Err(blame(error.to_string())));
        }
    };
    let visit = last.filter(|_| calibration.is_slow()).map(|(slice, slicing)| Visit {
        times_ns: vec![slice.elapsed_ns as f64],
        metrics: slice.metrics.iter().map(|&value| vec![value]).collect(),
        exact: Some(slice.metrics),
        seen: None,
        calibration,
        inside: Duration::from_nanos(slice.elapsed_ns),
        slicing,
        took: slicing,
    });
    let profile = profile(worker, benchmark, calibration)?;
    worker.drop_setup(benchmark)?;
    Ok(Ok(Rehearsal { calibration, profile, visit, took: begun.elapsed() }))
}

fn blame(reason: String) -> Trouble {
    Trouble { reason, ended: None, stderr_tail: String::new() }
}

/// The profile of one slice, if the worker offers profiles and has one of this benchmark.
fn profile(
    worker: &mut Worker,
    benchmark: &Listed,
    calibration: Calibration,
) -> Result<Option<serde_json::Value>, WorkerError> {
    if !worker.offers("profile") {
        return Ok(None);
    }
    match worker.profile(benchmark, calibration.iterations) {
        Ok(profile) => Ok(Some(profile)),
        Err(error) if error.is_survived() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Warms the benchmark up in this life, and returns its calibration here. What is slow needs no warming.
pub fn warm_up(worker: &mut Worker, benchmark: &Listed, before: Calibration) -> Result<Calibration, WorkerError> {
    let mut calibration = before;
    let most = (LONGEST_WARM_UP.as_nanos() as f64 / calibration.slice_ns()).min(MOST_WARM_UP);
    let mut previous_ns = f64::INFINITY;
    let mut done = 0.0;
    while done < most {
        let slice = worker.run(benchmark, calibration.iterations)?;
        calibration = calibration.corrected(slice.elapsed_ns);
        if calibration.iteration_ns > STILL_WARMING * previous_ns {
            break;
        }
        previous_ns = calibration.iteration_ns;
        done += 1.0;
    }
    Ok(calibration)
}

/// Sets the benchmark up in this life, warms it up, takes its slices, and frees it.
pub fn visit(worker: &mut Worker, task: Task<'_>) -> Result<Visit, WorkerError> {
    let begun = Instant::now();
    let benchmark = task.benchmark;
    let is_slow = task.calibration.is_slow();
    // Sets up, and touches everything once. Always a single iteration, so that what comes next has the same past in
    // each life.
    let first = if is_slow { None } else { Some(worker.run(benchmark, 1)?) };
    let exact = match task.exact {
        Exact::Over(iterations) if !is_slow => Some(worker.run(benchmark, iterations)?.metrics),
        _ => None,
    };
    // Not before the first iteration: by then threads are there, if there will be any.
    let hurried = worker.process_id().filter(|_| task.pace == Pace::Hurried).and_then(Hurried::new);
    let calibration = if first.is_some() { warm_up(worker, benchmark, task.calibration)? } else { task.calibration };
    let mut times_ns = Vec::with_capacity(task.slices as usize);
    let mut metrics = vec![Vec::with_capacity(task.slices as usize); benchmark.metrics.len()];
    let mut inside_ns = 0;
    let mut witness = task.is_witnessed.then(Witness::begin);
    let slicing = Instant::now();
    for _ in 0..task.slices {
        let slice = worker.run(benchmark, calibration.iterations)?;
        inside_ns += slice.elapsed_ns;
        times_ns.push(slice.elapsed_ns as f64 / calibration.iterations as f64);
        for (values, value) in metrics.iter_mut().zip(slice.metrics) {
            values.push(value);
        }
        if let Some(witness) = &mut witness {
            witness.glance(times_ns.len());
        }
    }
    let slicing = slicing.elapsed();
    let seen = witness.map(|witness| witness.end(times_ns.len()));
    drop(hurried);
    worker.drop_setup(benchmark)?;
    let exact = match task.exact {
        Exact::Over(_) if is_slow => Some(metrics.iter().filter_map(|values| values.first().copied()).collect()),
        _ => exact,
    };
    let inside = Duration::from_nanos(inside_ns);
    Ok(Visit { times_ns, metrics, exact, seen, calibration, inside, slicing, took: begun.elapsed() })
}
