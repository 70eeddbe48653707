//! What a benchmark declares, as JSON: the same words in the worker protocol and in result files.

use serde_json::{Value, json};

use crate::metric::Metric;
use crate::offer::Offer;

/// A benchmark with all that it declares.
pub(crate) fn benchmark(offer: &Offer<'_>, counting: bool) -> Value {
    let metrics: Vec<Value> = offer.metrics(counting).iter().map(metric).collect();
    let mut described = json!({ "name": offer.name, "cores": offer.cores, "metrics": metrics });
    if let Some(throughput) = &offer.throughput {
        described["throughput"] = json!({ "amount": throughput.amount, "unit": throughput.unit });
    }
    described
}

/// A metric with its unit, direction and kind.
pub(crate) fn metric(metric: &Metric) -> Value {
    let (better, kind) = (metric.better.as_str(), metric.kind.as_str());
    json!({ "name": metric.name, "unit": metric.unit, "better": better, "kind": kind })
}

/// A finite number, written without a fraction where it has none.
pub(crate) fn number(value: f64) -> Value {
    /// Every whole number up to here has a float of its own.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < WHOLE {
        #[allow(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
        return json!(value as i64);
    }
    json!(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_has_no_fraction() {
        assert_eq!(number(3.0).to_string(), "3");
        assert_eq!(number(-0.5).to_string(), "-0.5");
        assert_eq!(number(1e300).to_string(), "1e+300");
    }
}
