//! What is known of one benchmark during a solo run, and what is said of it at the end.

use std::time::Duration;

use super::Progress;
use crate::domain::{Kind, Life, LifeError, Measured, Metric, Notes, Outcome, Reading, Trouble};
use crate::measure::calibrate::Calibration;
use crate::measure::child::urgent::Pace;
use crate::measure::lives::Unserved;
use crate::measure::plan::{Account, LEAST_LIVES};
use crate::measure::protocol::Listed;
use crate::measure::visit::{Exact, Rehearsal, Task, Visit, exact_iterations};

/// Lives in which exact metrics are taken.
const EXACT_LIVES: usize = 2;

/// The talk about a slice, as long as nothing was measured.
const USUAL_TALK_NS: f64 = 30_000.0;

/// Where a benchmark stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// Nothing was asked of it yet.
    New,
    /// It works.
    Known(Box<Known>),
    /// It failed, and that is final.
    Failed(Trouble),
}

/// A benchmark that works.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    calibration: Calibration,
    profile: Option<serde_json::Value>,
    account: Account,
    /// The declared metrics, life by life; in each the metrics in order, slice by slice.
    metrics: Vec<Vec<Vec<f64>>>,
    /// The number of iterations over which exact metrics are taken.
    exact_over: Option<u64>,
    /// The declared metrics over that number, life by life.
    exact: Vec<Vec<f64>>,
    /// No life will come any more, since no worker starts.
    is_closed: bool,
    /// Time inside the slices that count.
    pub(super) inside: Duration,
    /// Time with the talk about them.
    pub(super) slicing: Duration,
}

impl Known {
    fn new(listed: &Listed, rehearsal: Rehearsal) -> Known {
        let calibration = rehearsal.calibration;
        let account = Account {
            slice_ns: calibration.slice_ns() + USUAL_TALK_NS,
            visit_ns: rehearsal.took.as_nanos() as f64,
            is_slow: calibration.is_slow(),
            lives: Vec::new(),
        };
        let mut known = Known {
            calibration,
            profile: rehearsal.profile,
            account,
            metrics: Vec::new(),
            exact_over: exact_iterations(listed, calibration),
            exact: Vec::new(),
            is_closed: false,
            inside: Duration::ZERO,
            slicing: Duration::ZERO,
        };
        if let Some(visit) = rehearsal.visit {
            known.take(visit, Duration::ZERO);
        }
        known
    }

    /// Takes in a visit, in a life of which the start took so long for each benchmark.
    fn take(&mut self, visit: Visit, start: Duration) {
        let slices = visit.times_ns.len() as f64;
        self.account.slice_ns = visit.slicing.as_nanos() as f64 / slices;
        self.account.visit_ns = (visit.took.saturating_sub(visit.slicing) + start).as_nanos() as f64;
        self.account.lives.push(visit.times_ns);
        self.metrics.push(visit.metrics);
        if self.exact_over.is_some() && self.exact.len() < EXACT_LIVES {
            self.exact.extend(visit.exact);
        }
        self.calibration = visit.calibration;
        self.inside += visit.inside;
        self.slicing += visit.slicing;
    }

    /// How many slices count.
    pub(super) fn slices(&self) -> usize {
        self.account.lives.iter().map(Vec::len).sum()
    }

    fn conclude(self, listed: &Listed) -> Result<Measured, LifeError> {
        let lives = self.account.lives.into_iter().map(Life::new).collect::<Result<_, _>>()?;
        let mut readings = vec![Reading { metric: Metric::time(), lives }];
        for (index, metric) in listed.metrics.iter().enumerate() {
            readings.push(reading(metric, index, &self.metrics, &self.exact)?);
        }
        let mut notes = Notes::from([("iterations".to_owned(), self.calibration.iterations.to_string())]);
        if let Some(throughput) = &listed.throughput {
            notes.insert("throughput_amount".to_owned(), throughput.amount.to_string());
            notes.insert("throughput_unit".to_owned(), throughput.unit.clone());
        }
        if let Some(iterations) = self.exact_over {
            notes.insert("exact_iterations".to_owned(), iterations.to_string());
        }
        Ok(Measured { readings, cores: listed.cores, notes })
    }
}

/// The readings of a declared metric. An exact one that is the same in all the lives in which it was taken has one
/// value a life; one that differs is treated as noisy.
fn reading(metric: &Metric, index: usize, slices: &[Vec<Vec<f64>>], exact: &[Vec<f64>]) -> Result<Reading, LifeError> {
    let taken: Vec<f64> = exact.iter().filter_map(|values| values.get(index).copied()).collect();
    let is_same = taken.len() == EXACT_LIVES && taken.iter().all(|value| value.to_bits() == taken[0].to_bits());
    if metric.kind == Kind::Exact && is_same {
        let lives = taken.into_iter().map(|value| Life::new(vec![value])).collect::<Result<_, _>>()?;
        return Ok(Reading { metric: metric.clone(), lives });
    }
    let lives = slices.iter().map(|metrics| Life::new(metrics[index].clone())).collect::<Result<_, _>>()?;
    Ok(Reading { metric: Metric { kind: Kind::Noisy, ..metric.clone() }, lives })
}

impl State {
    /// What is known of a benchmark that works.
    pub(super) fn known(&self) -> Option<&Known> {
        if let State::Known(known) = self { Some(known) } else { None }
    }

    /// What the plan has to know, if it may give another life.
    pub(super) fn account(&self) -> Option<&Account> {
        self.known().filter(|known| !known.is_closed).map(|known| &known.account)
    }

    /// The task of its next visit.
    pub(super) fn task<'a>(&self, listed: &'a Listed, slices: u32, is_urgent: bool) -> Option<Task<'a>> {
        let known = self.known()?;
        let exact = match known.exact_over {
            Some(iterations) if known.exact.len() < EXACT_LIVES => Exact::Over(iterations),
            _ => Exact::Unwanted,
        };
        let pace = Pace::of(is_urgent, listed.cores, known.calibration.slice_ns());
        Some(Task { benchmark: listed, calibration: known.calibration, slices, exact, pace })
    }

    /// Takes in what came of the rehearsal.
    pub(super) fn rehearsed(
        &mut self,
        listed: &Listed,
        result: Result<Rehearsal, Unserved>,
        tell: &mut dyn FnMut(Progress<'_>),
    ) {
        match result {
            Ok(rehearsal) => {
                let iteration_ns = rehearsal.calibration.iteration_ns;
                *self = State::Known(Box::new(Known::new(listed, rehearsal)));
                tell(Progress::Rehearsed { benchmark: &listed.name, iteration_ns });
            }
            Err(unserved) => self.fail(listed, unserved, tell),
        }
    }

    /// Takes in what came of a visit, in a life of which the start took so long for each benchmark.
    pub(super) fn visited(
        &mut self,
        listed: &Listed,
        result: Result<Visit, Unserved>,
        start: Duration,
        tell: &mut dyn FnMut(Progress<'_>),
    ) {
        match (result, &mut *self) {
            (Ok(visit), State::Known(known)) => {
                known.take(visit, start);
                let (lives, doubt) = (known.account.lives.len(), known.account.doubt());
                tell(Progress::Measured { benchmark: &listed.name, lives, doubt });
            }
            // What has numbers enough does not lose them because no more can be had.
            (Err(Unserved::NoWorker(_) | Unserved::NotReached), State::Known(known))
                if known.account.lives.len() >= LEAST_LIVES =>
            {
                known.is_closed = true;
            }
            (Err(unserved), _) => self.fail(listed, unserved, tell),
            (Ok(_), State::New | State::Failed(_)) => {}
        }
    }

    fn fail(&mut self, listed: &Listed, unserved: Unserved, tell: &mut dyn FnMut(Progress<'_>)) {
        let trouble = match unserved {
            Unserved::Failed(trouble) | Unserved::NoWorker(trouble) => trouble,
            Unserved::NotReached => not_reached(),
        };
        tell(Progress::Failed { benchmark: &listed.name, trouble: &trouble });
        *self = State::Failed(trouble);
    }

    /// What is said of the benchmark, and its profile.
    pub(super) fn conclude(self, listed: &Listed) -> (Outcome, Option<serde_json::Value>) {
        match self {
            State::New => (Outcome::Failed(not_reached()), None),
            State::Failed(trouble) => (Outcome::Failed(trouble), None),
            State::Known(mut known) => {
                let profile = known.profile.take();
                match known.conclude(listed) {
                    Ok(measured) => (Outcome::Measured(measured), profile),
                    Err(error) => (Outcome::Failed(blame(format!("its values are no evidence: {error}"))), profile),
                }
            }
        }
    }
}

fn not_reached() -> Trouble {
    blame("not reached: the time that the suite may take at the most was over".to_owned())
}

fn blame(reason: String) -> Trouble {
    Trouble { reason, ended: None, stderr_tail: String::new() }
}
