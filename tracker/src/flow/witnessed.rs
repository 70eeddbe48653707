//! Points as witnesses saw them come about: times that a neighbour made are left out, and the others brought to one clock.
//!
//! What a run's witness saw stands in the run's notes (`measure/witness.rs`); stored values stay as they were measured.

use crate::domain::{BenchmarkName, Kind, Metric, Notes, Series};
use crate::measure::witness;
use crate::stats::clock::{Clock, Timed};
use crate::stats::crowd::{Crowd, crowded, raised};

/// A point is said to have been measured at another clock if that moved it by more than this.
const TOLD: f64 = 0.005;

/// What a run's witness saw.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Witnessed {
    clock: Option<f64>,
    crowd: Option<Crowd>,
    /// The benchmarks whose times tell of a neighbour, and not of the commit.
    disturbed: Vec<BenchmarkName>,
}

impl Witnessed {
    /// What a run's notes tell of it.
    pub(super) fn of(notes: &Notes) -> Witnessed {
        let number = |name: &str| notes.get(name)?.parse::<f64>().ok();
        let crowd = number(witness::CROWD).zip(notes.get(witness::BUILD).and_then(|build| build.parse().ok()));
        let disturbed = notes.get(witness::DISTURBED).and_then(|names| serde_json::from_str(names).ok());
        Witnessed {
            clock: number(witness::CLOCK),
            crowd: crowd.map(|(crowd, build)| Crowd { crowd, build }),
            disturbed: disturbed.unwrap_or_default(),
        }
    }

    /// Whether the run itself knows that a neighbour made its point of a series.
    pub(super) fn is_disturbed(&self, series: &Series) -> bool {
        is_time(&series.metric) && self.disturbed.contains(&series.benchmark)
    }
}

/// Whether a witness can say something of it: other metrics have little to do with the processor, and those that have go
/// with it in a way of their own.
fn is_time(metric: &Metric) -> bool {
    metric.kind == Kind::Noisy && metric.unit == Metric::time().unit
}

/// A point whose level can be moved.
pub(super) trait Leveled {
    /// Its level and its interval.
    fn level(&mut self) -> (&mut f64, &mut Option<(f64, f64)>);
}

/// The points of a series that count, at one clock.
pub(super) struct Heard<T> {
    pub(super) points: Vec<T>,
    /// Which of them the clock moved.
    pub(super) moved: Vec<usize>,
    /// Those that a neighbour made.
    pub(super) left_out: Vec<T>,
    clock: Option<Clock>,
}

impl<T> Heard<T> {
    /// The value of another point, brought to the same clock.
    pub(super) fn bring(&self, value: f64, witnessed: &Witnessed) -> f64 {
        value * self.clock.map_or(1.0, |clock| clock.factor(witnessed.clock))
    }
}

/// Hears the witnesses of the points of a series, in the order of history.
pub(super) fn hear<'a, T: Leveled>(
    series: &Series,
    points: Vec<T>,
    witnessed: impl Fn(&T) -> &'a Witnessed,
) -> Heard<T> {
    if !is_time(&series.metric) {
        return Heard { points, moved: Vec::new(), left_out: Vec::new(), clock: None };
    }
    let crowded = crowded(&points.iter().map(|point| witnessed(point).crowd).collect::<Vec<_>>());
    let is_shared: Vec<bool> = points
        .iter()
        .zip(crowded)
        .map(|(point, is_crowded)| is_crowded || witnessed(point).is_disturbed(series))
        .collect();
    let mut points = points;
    // A time that a neighbour may have made teaches nothing of the clock.
    let timed = |(point, is_shared): (&mut T, &bool)| {
        let clock = witnessed(point).clock;
        Timed { time: if *is_shared { f64::NAN } else { *point.level().0 }, clock }
    };
    let clock = Clock::learn(&points.iter_mut().zip(&is_shared).map(timed).collect::<Vec<_>>());
    let factor = |point: &T| clock.map_or(1.0, |clock| clock.factor(witnessed(point).clock));
    for point in &mut points {
        let factor = factor(point);
        let (level, interval) = point.level();
        *level *= factor;
        *interval = interval.map(|(low, high)| (low * factor, high * factor));
    }
    let raised = raised(&points.iter_mut().map(|point| *point.level().0).collect::<Vec<_>>(), &is_shared);
    let (left_out, points): (Vec<_>, Vec<_>) = points.into_iter().zip(raised).partition(|(_, is_raised)| *is_raised);
    let [left_out, points] = [left_out, points].map(|points| points.into_iter().map(|(point, _)| point).collect());
    let points: Vec<T> = points;
    let is_moved = |(at, point): (usize, &T)| ((factor(point) - 1.0).abs() > TOLD).then_some(at);
    let moved = points.iter().enumerate().filter_map(is_moved).collect();
    Heard { points, moved, left_out, clock }
}
