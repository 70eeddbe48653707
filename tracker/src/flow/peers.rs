//! Others' results beside our own: the same benchmark and metric, on the same machine.

use crate::domain::{Machine, Metric, Point, Series};
use crate::failure::Outcome;
use crate::record::{Store, Wanted};
use crate::show::peers::Row;
use crate::stats::ratio::{Estimate, ratio};

/// One benchmark's metric, ours and a peer's.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// Our series.
    pub series: Series,
    /// The peer's name.
    pub peer: String,
    /// Our newest point.
    pub ours: Point,
    /// Its newest point.
    pub theirs: Point,
    /// Ours over theirs; the interval where both have one.
    pub ratio: Estimate,
}

impl Beside {
    /// The pair as it is shown.
    #[must_use]
    pub fn into_row(self) -> Row {
        let Beside { series, peer, ours, theirs, ratio } = self;
        Row {
            benchmark: series.benchmark.to_string(),
            metric: series.metric.name,
            unit: series.metric.unit.to_string(),
            machine: series.machine.title(),
            commit: ours.commit.to_string(),
            ours: ours.level,
            peer,
            theirs: theirs.level,
            ratio: ratio.value,
            interval: ratio.interval,
        }
    }
}

/// What there is of peers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Peers {
    /// Each pair, in the order of our series.
    pub beside: Vec<Beside>,
    /// Series of peers that none of ours goes with: the peer, the benchmark, the metric, the machine.
    pub alone: Vec<(String, String, Metric, Machine)>,
}

/// Sets the newest points beside each other.
pub fn peers(store: &mut Store, wanted: &Wanted) -> Outcome<Peers> {
    let all = store.series(wanted)?;
    let (theirs, ours): (Vec<_>, Vec<_>) = all.into_iter().partition(|stored| stored.series.suite.peer().is_some());
    let mut found = Peers::default();
    let mut met = vec![false; theirs.len()];
    for own in &ours {
        for (at, other) in theirs.iter().enumerate() {
            let (one, two) = (&own.series, &other.series);
            if one.benchmark != two.benchmark || one.metric != two.metric || one.machine != two.machine {
                continue;
            }
            let (Some(mine), Some(its)) = (store.points(own, 1)?.pop(), store.points(other, 1)?.pop()) else {
                continue;
            };
            met[at] = true;
            let ratio = ratio(estimate(&mine), estimate(&its));
            let peer = two.suite.peer().unwrap_or_default().to_owned();
            found.beside.push(Beside { series: one.clone(), peer, ours: mine, theirs: its, ratio });
        }
    }
    for (other, _) in theirs.iter().zip(met).filter(|(_, met)| !met) {
        let Series { suite, benchmark, metric, machine } = other.series.clone();
        let peer = suite.peer().unwrap_or_default().to_owned();
        found.alone.push((peer, benchmark.to_string(), metric, machine));
    }
    Ok(found)
}

fn estimate(point: &Point) -> Estimate {
    Estimate { value: point.level, interval: point.interval }
}
