//! Replies as JSON.

use serde_json::{Map, Value, json};

use crate::callgrind;
use crate::describe::{self, number};
use crate::offer::{Check, Slice};
use crate::suite::Suite;

pub(super) fn hello(suite: &Suite<'_>, version: u64, versions: &[u64]) -> Value {
    let profiled = suite.profile.is_some() || suite.offers.iter().any(|offer| offer.profile.is_some());
    let optional = [("layout", true), ("profile", profiled), ("count", callgrind::is_here())];
    let offers: Vec<&str> = optional.iter().filter(|(_, offered)| *offered).map(|(name, _)| *name).collect();
    json!({ "reply": "hello", "version": version, "versions": versions, "worker": suite.name, "offers": offers })
}

pub(super) fn list(suite: &Suite<'_>) -> Value {
    let benchmarks: Vec<Value> = suite.offers.iter().map(|offer| describe::benchmark(offer, suite.counting)).collect();
    json!({ "reply": "list", "benchmarks": benchmarks })
}

pub(super) fn run(slice: &Slice) -> Value {
    let metrics: Map<String, Value> =
        slice.readings.iter().map(|(name, value)| (name.clone(), number(*value))).collect();
    json!({ "reply": "run", "elapsed_ns": slice.elapsed_ns, "metrics": metrics })
}

pub(super) fn check(check: &Check) -> Value {
    match check {
        Check::Right | Check::Unasked => json!({ "reply": "check", "ok": true }),
        Check::Wrong(message) => json!({ "reply": "check", "ok": false, "message": message }),
    }
}

pub(super) fn dropped() -> Value {
    json!({ "reply": "drop" })
}

pub(super) fn profile(seen: &Value) -> Value {
    json!({ "reply": "profile", "profile": seen })
}

pub(super) fn counted() -> Value {
    json!({ "reply": "count" })
}

pub(super) fn error(message: &str, line: &str) -> Value {
    json!({ "reply": "error", "message": message, "line": line })
}
