//! A benchmark as its suite holds it: what it declares, and its work with the types forgotten.

use serde_json::Value;

use crate::body::{Body, Region};
use crate::contain::contained;
use crate::metric::{Meter, Metric, QUANTILES};

/// The largest value of a metric; as the worker protocol has it.
const LARGEST_VALUE: f64 = 1e24;

/// Runs iterations with a profiler around them and tells what it saw.
pub(crate) type Hook<'a> = Box<dyn FnMut(&mut dyn FnMut()) -> Value + 'a>;

/// The work done in one iteration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Throughput {
    pub(crate) amount: usize,
    pub(crate) unit: String,
}

/// What one slice yielded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slice {
    /// The time that all iterations took together; never zero.
    pub(crate) elapsed_ns: u64,
    /// The declared metrics' values by name, per iteration.
    pub(crate) readings: Vec<(String, f64)>,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    Right,
    Wrong(String),
    /// It ran, and nobody said what the answer should be.
    Unasked,
}

/// A benchmark that a suite offers.
pub(crate) struct Offer<'a> {
    pub(crate) name: String,
    pub(crate) cores: usize,
    pub(crate) throughput: Option<Throughput>,
    /// Metrics read from the last answer.
    pub(crate) from_answer: Vec<Metric>,
    /// Whether single iterations are timed too.
    pub(crate) latency: bool,
    pub(crate) meters: Vec<Meter>,
    pub(crate) profile: Option<Hook<'a>>,
    pub(crate) body: Box<dyn Body + 'a>,
}

/// The metrics of a program with the counting allocator.
pub(crate) fn allocator_metrics() -> [Metric; 3] {
    [
        Metric::new("allocations", "count").exact(),
        Metric::new("allocated_bytes", "bytes").exact(),
        Metric::new("peak_live_bytes", "bytes").exact(),
    ]
}

/// The metrics of a benchmark whose iterations are timed one by one.
pub(crate) fn latency_metrics() -> impl Iterator<Item = Metric> {
    let time = Metric::new("time", "ns");
    QUANTILES.iter().map(move |(suffix, _)| time.suffixed(suffix))
}

impl Offer<'_> {
    /// The metrics besides time that the benchmark itself declares.
    pub(crate) fn own_metrics(&self) -> Vec<Metric> {
        let mut metrics = self.from_answer.clone();
        metrics.extend(self.latency.then(latency_metrics).into_iter().flatten());
        metrics.extend(self.meters.iter().flat_map(Meter::metrics));
        metrics
    }

    /// All metrics besides time.
    pub(crate) fn metrics(&self, counting: bool) -> Vec<Metric> {
        let mut metrics = self.own_metrics();
        metrics.extend(counting.then(allocator_metrics).into_iter().flatten());
        metrics
    }

    /// Runs a number of iterations, above zero, and takes their time.
    pub(crate) fn run(&mut self, iterations: u64, counting: bool) -> Result<Slice, String> {
        self.set_up()?;
        self.meters.iter().for_each(Meter::empty);
        let body = &mut self.body;
        let region = contained(|| body.run(iterations)).map_err(|panic| self.broken(&panic))?;
        let readings = self.readings(&region, iterations, counting)?;
        Ok(Slice { elapsed_ns: whole_ns(&region), readings })
    }

    fn readings(&self, region: &Region, iterations: u64, counting: bool) -> Result<Vec<(String, f64)>, String> {
        let mut values: Vec<Option<f64>> = region.answers.iter().copied().map(Some).collect();
        values.extend(&region.latencies);
        values.extend(self.meters.iter().flat_map(|meter| meter.readings(iterations)));
        if counting {
            let counted = region.counted;
            values.push(Some(counted.allocations as f64 / iterations as f64));
            values.push(Some(counted.bytes as f64 / iterations as f64));
            values.push(Some(counted.peak as f64));
        }
        let named = self.metrics(counting).into_iter().map(|metric| metric.name).zip(values);
        named
            .map(|(name, value)| match value {
                Some(value) if (0.0..=LARGEST_VALUE).contains(&value) => Ok((name, value)),
                Some(value) => Err(format!(
                    "metric `{name}` of {:?} is {value}: values lie from 0 to {LARGEST_VALUE:e}",
                    self.name
                )),
                None => {
                    Err(format!("metric `{name}` of {:?} had no reading: the work fed its meter nothing", self.name))
                }
            })
            .collect()
    }

    /// Whether somebody said what the answer should be.
    pub(crate) fn has_rules(&self) -> bool {
        self.body.has_rules()
    }

    /// Runs once and judges the answer.
    pub(crate) fn check(&mut self) -> Result<Check, String> {
        self.set_up()?;
        let body = &mut self.body;
        match contained(|| body.check()).map_err(|panic| self.broken(&panic))? {
            None => Ok(Check::Unasked),
            Some(Ok(())) => Ok(Check::Right),
            Some(Err(message)) => Ok(Check::Wrong(message)),
        }
    }

    /// Frees the set-up.
    pub(crate) fn free(&mut self) -> Result<(), String> {
        let body = &mut self.body;
        contained(|| body.free()).map_err(|panic| format!("freeing {:?} {panic}", self.name))
    }

    /// Runs iterations under the benchmark's own profiler, or else under the suite's.
    pub(crate) fn profile(&mut self, iterations: u64, suite: Option<&mut Hook<'_>>) -> Result<Value, String> {
        self.set_up()?;
        let body = &mut self.body;
        let mut run = || drop(body.run(iterations));
        let seen = match (&mut self.profile, suite) {
            (Some(own), _) => contained(|| own(&mut run)),
            (None, Some(hook)) => contained(|| hook(&mut run)),
            (None, None) => return Err(format!("{:?} has no profiler", self.name)),
        };
        match seen.map_err(|panic| self.broken(&panic))? {
            object @ Value::Object(_) => Ok(object),
            other => Err(format!("the profiler of {:?} returned {other}, which is no JSON object", self.name)),
        }
    }

    /// Runs iterations that callgrind counts.
    pub(crate) fn count(&mut self, iterations: u64) -> Result<(), String> {
        self.set_up()?;
        let body = &mut self.body;
        contained(|| body.count(iterations)).map_err(|panic| self.broken(&panic))
    }

    fn set_up(&mut self) -> Result<(), String> {
        let body = &mut self.body;
        contained(|| body.set_up()).map_err(|panic| format!("set-up of {:?} {panic}", self.name))
    }

    /// Throws away a set-up that a panic left half changed, and words the failure.
    fn broken(&mut self, panic: &str) -> String {
        match self.free() {
            Ok(()) => format!("{:?} {panic}", self.name),
            Err(again) => format!("{:?} {panic}; then {again}", self.name),
        }
    }
}

fn whole_ns(region: &Region) -> u64 {
    u64::try_from(region.elapsed.as_nanos()).unwrap_or(u64::MAX).max(1)
}
