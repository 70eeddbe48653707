//! Metrics that a benchmark reports besides its time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Lower,
    Higher,
}

impl Direction {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Direction::Lower => "lower",
            Direction::Higher => "higher",
        }
    }
}

/// How a metric repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Noisy,
    Exact,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Noisy => "noisy",
            Kind::Exact => "exact",
        }
    }
}

/// A metric's name, unit, direction and kind. Lower is better and readings are noisy unless said otherwise.
///
/// ```
/// use tachograph_harness::Metric;
///
/// let ratio = Metric::new("ratio", "x").higher().exact();
/// # let _ = ratio;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) better: Direction,
    pub(crate) kind: Kind,
}

impl Metric {
    /// Names a metric and its unit: `ns` for every time, `bytes`, `count`, or a word of your own.
    pub fn new(name: impl Into<String>, unit: impl Into<String>) -> Metric {
        Metric { name: name.into(), unit: unit.into(), better: Direction::Lower, kind: Kind::Noisy }
    }

    /// More is better, as with a hit rate.
    #[must_use]
    pub fn higher(mut self) -> Metric {
        self.better = Direction::Higher;
        self
    }

    /// Two readings of one binary agree, as with bytes written.
    #[must_use]
    pub fn exact(mut self) -> Metric {
        self.kind = Kind::Exact;
        self
    }

    pub(crate) fn suffixed(&self, suffix: &str) -> Metric {
        Metric { name: format!("{}_{suffix}", self.name), ..self.clone() }
    }
}

/// The quantiles that are reported of a distribution, with the suffix of the metric's name.
pub(crate) const QUANTILES: [(&str, f64); 3] = [("p50", 0.50), ("p95", 0.95), ("p99", 0.99)];

/// The value below which the part `rank` of the sorted `values` lies, by the nearest rank: always a value that was seen.
pub(crate) fn quantile(sorted: &[f64], rank: f64) -> Option<f64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    let place = (rank * sorted.len() as f64).ceil() as usize;
    sorted.get(place.max(1) - 1).copied()
}

/// How the values that the work fed become readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Summary {
    Total,
    Mean,
    Quantiles,
}

/// A metric that the work itself feeds while it runs, from any thread.
///
/// Make one before the suite, feed it from the work, and attach it with [`Benchmark::meter`](crate::Benchmark::meter).
/// It is emptied before each slice, so what set-up feeds is not counted. Where the work cannot borrow it, give it a
/// clone: all clones are the same meter.
///
/// ```
/// use tachograph_harness::{Meter, Metric, Suite};
///
/// let hits = Meter::total(Metric::new("hits", "count").higher().exact());
/// let mut suite = Suite::new("cache");
/// suite
///     .benchmark("cache/read", || || (0..100).filter(|key| key % 4 == 0).for_each(|_| hits.add(1.0)))
///     .meter(&hits);
/// # assert_eq!(suite.names().collect::<Vec<_>>(), ["cache/read"]);
/// ```
#[derive(Debug, Clone)]
pub struct Meter {
    metric: Metric,
    summary: Summary,
    fed: Arc<Mutex<Fed>>,
}

/// What a meter was fed since it was emptied.
#[derive(Debug, Default)]
struct Fed {
    sum: f64,
    count: u64,
    /// Each value; kept for quantiles alone.
    values: Vec<f64>,
}

/// Values for which a meter has room from the start, so that feeding it is not counted as the work's allocating.
const ROOM: usize = 4096;

impl Meter {
    /// Reports the sum of what was fed, per iteration.
    #[must_use]
    pub fn total(metric: Metric) -> Meter {
        Meter::of(metric, Summary::Total)
    }

    /// Reports the mean of what was fed.
    #[must_use]
    pub fn mean(metric: Metric) -> Meter {
        Meter::of(metric, Summary::Mean)
    }

    /// Reports the quantiles of what was fed as three metrics, named with `_p50`, `_p95` and `_p99`.
    #[must_use]
    pub fn quantiles(metric: Metric) -> Meter {
        Meter::of(metric, Summary::Quantiles)
    }

    fn of(metric: Metric, summary: Summary) -> Meter {
        Meter { metric, summary, fed: Arc::default() }
    }

    /// Feeds a value.
    pub fn add(&self, value: f64) {
        let mut fed = self.fed();
        fed.sum += value;
        fed.count += 1;
        if self.summary == Summary::Quantiles {
            fed.values.push(value);
        }
    }

    /// Feeds a duration, in nanoseconds.
    pub fn record(&self, duration: Duration) {
        self.add(duration.as_nanos() as f64);
    }

    /// A panic in another thread between two feeds leaves the values whole.
    fn fed(&self) -> MutexGuard<'_, Fed> {
        self.fed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        match self.summary {
            Summary::Total | Summary::Mean => vec![self.metric.clone()],
            Summary::Quantiles => QUANTILES.iter().map(|(suffix, _)| self.metric.suffixed(suffix)).collect(),
        }
    }

    /// Forgets what was fed, and keeps the room for it.
    pub(crate) fn empty(&self) {
        let mut fed = self.fed();
        (fed.sum, fed.count) = (0.0, 0);
        fed.values.clear();
        if self.summary == Summary::Quantiles {
            fed.values.reserve(ROOM);
        }
    }

    /// The readings of a slice, in the order of [`Meter::metrics`]; none where nothing was fed, save that a total of
    /// nothing is zero.
    pub(crate) fn readings(&self, iterations: u64) -> Vec<Option<f64>> {
        let mut fed = self.fed();
        match self.summary {
            Summary::Total => vec![Some(fed.sum / iterations as f64)],
            Summary::Mean => vec![(fed.count > 0).then(|| fed.sum / fed.count as f64)],
            Summary::Quantiles => {
                fed.values.sort_by(f64::total_cmp);
                QUANTILES.iter().map(|&(_, rank)| quantile(&fed.values, rank)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_that_was_seen() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&hundred, 0.50), Some(50.0));
        assert_eq!(quantile(&hundred, 0.99), Some(99.0));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[1.0, 2.0], 0.99), Some(2.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_meter_gives_totals_per_iteration_means_and_quantiles() {
        let fed = |meter: Meter| {
            for value in [4.0, 1.0, 7.0] {
                meter.add(value);
            }
            meter.readings(2)
        };
        let metric = || Metric::new("wait", "ns");
        assert_eq!(fed(Meter::total(metric())), [Some(6.0)]);
        assert_eq!(fed(Meter::mean(metric())), [Some(4.0)]);
        assert_eq!(fed(Meter::quantiles(metric())), [Some(4.0), Some(7.0), Some(7.0)]);
    }

    #[test]
    fn a_meter_that_was_not_fed_has_no_mean_but_a_total_of_zero() {
        let metric = || Metric::new("wait", "ns");
        assert_eq!(Meter::total(metric()).readings(5), [Some(0.0)]);
        assert_eq!(Meter::mean(metric()).readings(5), [None]);
        assert_eq!(Meter::quantiles(metric()).readings(5), [None, None, None]);
    }

    #[test]
    fn an_emptied_meter_forgets() {
        let meter = Meter::total(Metric::new("hits", "count"));
        meter.add(3.0);
        meter.empty();
        meter.record(Duration::from_nanos(8));
        assert_eq!(meter.readings(4), [Some(2.0)]);
    }
}
