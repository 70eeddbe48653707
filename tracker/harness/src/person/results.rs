//! Results as JSON: the result file that `RESULTS.md` describes.

use serde_json::{Value, json};

use super::measure::Measured;
use crate::describe::{self, number};
use crate::metric::Metric;
use crate::offer::Offer;

/// The version of the result file.
const VERSION: u32 = 1;

/// The result file.
pub(super) fn file(suite: &str, benchmarks: &[Value]) -> Value {
    json!({ "tachograph": VERSION, "suite": suite, "benchmarks": benchmarks })
}

/// What is known of benchmarks without measuring them.
pub(super) fn overview(suite: &str, benchmarks: &[Value]) -> Value {
    json!({ "suite": suite, "benchmarks": benchmarks })
}

/// A benchmark that was measured: what it declares, with the readings of each metric.
pub(super) fn measured(offer: &Offer<'_>, counting: bool, measured: &Measured) -> Value {
    let time = with_values(&Metric::new("time", "ns"), &measured.times);
    let others = offer.metrics(counting).into_iter().filter_map(|metric| {
        let values = measured.others.get(&metric.name)?;
        Some(with_values(&metric, values))
    });
    let mut described = describe::benchmark(offer, counting);
    described["metrics"] = std::iter::once(time).chain(others).collect();
    described
}

/// A benchmark that was checked.
pub(super) fn checked(name: &str, outcome: &Result<(), String>) -> Value {
    match outcome {
        Ok(()) => json!({ "name": name, "ok": true }),
        Err(message) => json!({ "name": name, "ok": false, "failed": message }),
    }
}

/// A benchmark that failed.
pub(super) fn failed(name: &str, message: &str) -> Value {
    json!({ "name": name, "failed": message })
}

fn with_values(metric: &Metric, values: &[f64]) -> Value {
    let mut described = describe::metric(metric);
    described["values"] = values.iter().copied().map(number).collect();
    described
}
