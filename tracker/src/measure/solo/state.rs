//! What is known of one benchmark during a solo run, and what is said of it at the end.

use std::time::Duration;

use super::{Beside, Progress};
use crate::domain::{Kind, Life, LifeError, Measured, Metric, Notes, Outcome, Reading, Trouble};
use crate::measure::calibrate::Calibration;
use crate::measure::child::urgent::Pace;
use crate::measure::lives::Unserved;
use crate::measure::plan::{Account, LEAST_LIVES};
use crate::measure::protocol::Listed;
use crate::measure::visit::{Exact, Rehearsal, Task, Visit, exact_iterations};
use crate::measure::witness::{Look, Seen, Usual};

/// Lives in which exact metrics are taken.
const EXACT_LIVES: usize = 2;

/// A slice that takes longer is no matter for a witness, who looks on between slices; nor is a benchmark of several cores, of
/// which it sees one.
const WITNESSED: Duration = Duration::from_millis(10);

/// A life counts if so many of its slices do, or all of fewer.
const FEWEST_SLICES: usize = 5;

/// In so many rounds a processor has to be unlike the others' for that to be the benchmark's own doing.
const UNLIKE: usize = 3;

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
    /// Its lives are those that count, with the slices that do.
    account: Account,
    /// All lives, in their order.
    lives: Vec<Taken>,
    /// Whether the newest life counted as long as the benchmark was compared with the others; none without a witness.
    pub(super) is_newest_like: Option<bool>,
    /// In how many rounds the processor was not as usual here, and was for half of the others.
    pub(super) unlike: usize,
    /// Whether lives count in which the processor was shared.
    pub(super) is_disturbed: bool,
    /// The number of iterations over which exact metrics are taken.
    exact_over: Option<u64>,
    /// The declared metrics over that number, life by life.
    exact: Vec<Vec<f64>>,
    /// No life will come any more, since no worker starts.
    is_closed: bool,
}

/// A life.
#[derive(Debug, Clone, PartialEq)]
struct Taken {
    /// The time of an iteration in nanoseconds, slice by slice.
    times_ns: Vec<f64>,
    /// The declared metrics in order, slice by slice.
    metrics: Vec<Vec<f64>>,
    seen: Option<Seen>,
    inside: Duration,
    slicing: Duration,
    /// Which slices count; none if the life does not.
    counting: Option<Vec<bool>>,
}

impl Taken {
    /// Counts the slices at which the processor was as usual, if they are enough; without a witness all.
    fn sift(&mut self, usual: &Usual) {
        let all = || vec![true; self.times_ns.len()];
        let counting = self.seen.as_ref().map_or_else(all, |seen| seen.counting(usual));
        let is_enough = counting.iter().filter(|counts| **counts).count() >= FEWEST_SLICES.min(counting.len());
        self.counting = is_enough.then_some(counting);
    }

    /// Of values slice by slice, those that count; none if the life does not.
    fn of(&self, values: &[f64]) -> Option<Vec<f64>> {
        let counting = self.counting.as_ref()?;
        Some(values.iter().zip(counting).filter(|(_, counts)| **counts).map(|(value, _)| *value).collect())
    }

    /// The share of its slices that count.
    fn share(&self) -> f64 {
        let counting = self.counting.as_deref().unwrap_or_default();
        counting.iter().filter(|counts| **counts).count() as f64 / self.times_ns.len() as f64
    }
}

impl Known {
    fn new(listed: &Listed, rehearsal: Rehearsal) -> Known {
        let calibration = rehearsal.calibration;
        let account = Account {
            slice_ns: calibration.slice_ns() + USUAL_TALK_NS,
            visit_ns: rehearsal.took.as_nanos() as f64,
            is_slow: calibration.is_slow(),
            lives: Vec::new(),
            set_aside: 0,
        };
        let mut known = Known {
            calibration,
            profile: rehearsal.profile,
            account,
            lives: Vec::new(),
            is_newest_like: None,
            unlike: 0,
            is_disturbed: false,
            exact_over: exact_iterations(listed, calibration),
            exact: Vec::new(),
            is_closed: false,
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
        let Visit { times_ns, metrics, seen, inside, slicing, .. } = visit;
        let counting = Some(vec![true; times_ns.len()]);
        self.account.lives.push(times_ns.clone());
        self.lives.push(Taken { times_ns, metrics, seen, inside, slicing, counting });
        if self.exact_over.is_some() && self.exact.len() < EXACT_LIVES {
            self.exact.extend(visit.exact);
        }
        self.calibration = visit.calibration;
    }

    /// What the witnesses of all lives saw.
    pub(super) fn looks(&self) -> impl Iterator<Item = Look> {
        self.lives.iter().filter_map(|life| life.seen.as_ref()).flat_map(Seen::looks)
    }

    /// Counts the slices at which the processor was as usual, and sets the lives aside that have too few. Where it never was,
    /// though it was for others, that is the benchmark's own doing (its threads, or instructions for which the clock is
    /// lowered), and its slices are compared with one another.
    pub(super) fn sift(&mut self, usual: Usual) {
        let usual = usual.beside(self.looks());
        self.lives.iter_mut().for_each(|life| life.sift(&usual));
        let newest = self.lives.last().filter(|life| life.seen.is_some());
        self.is_newest_like = newest.map(|life| life.counting.is_some());
        let is_unlike = self.unlike >= UNLIKE && self.lives.iter().all(|life| life.counting.is_none());
        if let Some(own) = Usual::of(self.looks()).filter(|_| is_unlike) {
            self.lives.iter_mut().for_each(|life| life.sift(&own));
        }
        self.recount();
    }

    fn recount(&mut self) {
        self.account.lives = self.lives.iter().filter_map(|life| life.of(&life.times_ns)).collect();
        self.account.set_aside = self.lives.len() - self.account.lives.len();
    }

    /// Where too few lives count, those have to do in which the processor was the least unlike the usual.
    pub(super) fn make_do(&mut self, usual: Usual) {
        let usual = usual.beside(self.looks());
        let distance = |life: &Taken| life.seen.as_ref().map_or(0.0, |seen| usual.distance(seen));
        let missing = LEAST_LIVES.saturating_sub(self.account.lives.len());
        let mut aside: Vec<&mut Taken> = self.lives.iter_mut().filter(|life| life.counting.is_none()).collect();
        aside.sort_by(|one, other| distance(one).total_cmp(&distance(other)));
        let mut was_shared = false;
        for life in aside.into_iter().take(missing) {
            was_shared |= life.seen.as_ref().is_some_and(|seen| usual.was_shared(seen));
            life.counting = Some(vec![true; life.times_ns.len()]);
        }
        // Where it was shared here alone, the benchmark may have done that itself.
        self.is_disturbed = was_shared && 2 * self.unlike <= self.lives.len();
        self.recount();
    }

    /// Time inside the slices that count.
    pub(super) fn inside(&self) -> Duration {
        self.lives.iter().map(|life| life.inside.mul_f64(life.share())).sum()
    }

    /// Time with the talk about them.
    pub(super) fn slicing(&self) -> Duration {
        self.lives.iter().map(|life| life.slicing.mul_f64(life.share())).sum()
    }

    /// How many lives were set aside.
    pub(super) fn set_aside(&self) -> usize {
        self.account.set_aside
    }

    /// How many slices count.
    pub(super) fn slices(&self) -> usize {
        self.account.lives.iter().map(Vec::len).sum()
    }

    /// How many slices there were.
    pub(super) fn all_slices(&self) -> usize {
        self.lives.iter().map(|life| life.times_ns.len()).sum()
    }

    fn conclude(self, listed: &Listed) -> Result<Measured, LifeError> {
        let lives = self.account.lives.into_iter().map(Life::new).collect::<Result<_, _>>()?;
        let mut readings = vec![Reading { metric: Metric::time(), lives }];
        for (index, metric) in listed.metrics.iter().enumerate() {
            readings.push(reading(metric, index, &self.lives, &self.exact)?);
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
fn reading(metric: &Metric, index: usize, taken: &[Taken], exact: &[Vec<f64>]) -> Result<Reading, LifeError> {
    let fixed: Vec<f64> = exact.iter().filter_map(|values| values.get(index).copied()).collect();
    let is_same = fixed.len() == EXACT_LIVES && fixed.iter().all(|value| value.to_bits() == fixed[0].to_bits());
    if metric.kind == Kind::Exact && is_same {
        let lives = fixed.into_iter().map(|value| Life::new(vec![value])).collect::<Result<_, _>>()?;
        return Ok(Reading { metric: metric.clone(), lives });
    }
    let counting = taken.iter().filter_map(|life| life.of(&life.metrics[index]));
    let lives = counting.map(Life::new).collect::<Result<_, _>>()?;
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

    /// The same, to be changed.
    pub(super) fn known_mut(&mut self) -> Option<&mut Known> {
        if let State::Known(known) = self { Some(known) } else { None }
    }

    /// The task of its next visit.
    pub(super) fn task<'a>(&self, listed: &'a Listed, slices: u32, beside: Beside) -> Option<Task<'a>> {
        let known = self.known()?;
        let exact = match known.exact_over {
            Some(iterations) if known.exact.len() < EXACT_LIVES => Exact::Over(iterations),
            _ => Exact::Unwanted,
        };
        let pace = Pace::of(beside.is_urgent, listed.cores, known.calibration.slice_ns());
        Some(Task {
            benchmark: listed,
            calibration: known.calibration,
            slices,
            exact,
            pace,
            is_witnessed: beside.is_witnessed
                && listed.cores == 1
                && known.calibration.slice_ns() <= WITNESSED.as_nanos() as f64,
        })
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
                let (lives, doubt) = (known.account.taken(), known.account.doubt());
                tell(Progress::Measured { benchmark: &listed.name, lives, doubt });
            }
            // What has numbers enough does not lose them because no more can be had.
            (Err(Unserved::NoWorker(_) | Unserved::NotReached), State::Known(known))
                if known.account.taken() >= LEAST_LIVES =>
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BenchmarkName;

    fn listed() -> Listed {
        Listed { name: BenchmarkName::new("a").expect("a name"), cores: 1, throughput: None, metrics: Vec::new() }
    }

    /// A visit of ten slices, two between each of these looks and the next.
    fn visit(time_ns: f64, looks: Option<[Look; 6]>) -> Visit {
        let second = Duration::from_secs(1);
        Visit {
            times_ns: (0..10).map(|at| time_ns + f64::from(at)).collect(),
            metrics: Vec::new(),
            exact: None,
            seen: looks.map(|looks| Seen(looks.into_iter().enumerate().map(|(at, look)| (2 * at, look)).collect())),
            calibration: Calibration { iterations: 1, iteration_ns: time_ns },
            inside: second,
            slicing: 2 * second,
            took: 3 * second,
        }
    }

    /// Looks at a processor on which the wide work took so long by the chain.
    fn crowd(crowd: f64) -> [Look; 6] {
        [Look { crowd, chain_ns: 7_000.0 }; 6]
    }

    /// Looks at a processor that nobody shared, on which the chain took so long.
    fn chain(chain_ns: f64) -> [Look; 6] {
        [Look { crowd: 1.25, chain_ns }; 6]
    }

    fn known(visits: impl IntoIterator<Item = (f64, [Look; 6])>) -> Known {
        let calibration = Calibration { iterations: 1, iteration_ns: 1.0 };
        let rehearsal = Rehearsal { calibration, profile: None, visit: None, took: Duration::ZERO };
        let mut known = Known::new(&listed(), rehearsal);
        for (time_ns, looks) in visits {
            known.take(visit(time_ns, Some(looks)), Duration::ZERO);
        }
        known
    }

    /// The first time of each life that counts, and how many do.
    fn times(known: &Known) -> Vec<(f64, usize)> {
        known.account.lives.iter().map(|life| (life[0], life.len())).collect()
    }

    fn sifted(known: &mut Known) {
        let usual = Usual::of(known.looks()).expect("a witness");
        known.sift(usual);
    }

    fn made_do(known: &mut Known) {
        let usual = Usual::of(known.looks()).expect("a witness");
        known.make_do(usual);
    }

    #[test]
    fn lives_on_a_shared_processor_are_set_aside_as_soon_as_it_is_known_and_are_no_time_that_counts() {
        let mut known = known([(180.0, crowd(1.9)), (190.0, crowd(1.92))]);
        sifted(&mut known);
        assert_eq!((times(&known), known.set_aside()), (vec![(180.0, 10), (190.0, 10)], 0));
        known.take(visit(100.0, Some(crowd(1.25))), Duration::ZERO);
        known.take(visit(101.0, None), Duration::ZERO);
        sifted(&mut known);
        assert_eq!((times(&known), known.set_aside()), (vec![(100.0, 10), (101.0, 10)], 2));
        assert_eq!((known.account.taken(), known.account.set_aside), (4, 2));
        assert_eq!((known.inside(), known.slices(), known.all_slices()), (Duration::from_secs(2), 20, 40));
        known.take(visit(102.0, Some(crowd(1.27))), Duration::ZERO);
        sifted(&mut known);
        made_do(&mut known);
        assert_eq!((times(&known).len(), known.set_aside()), (3, 2));
        assert!(!known.is_disturbed);
    }

    #[test]
    fn of_a_life_the_slices_count_at_which_nobody_shared_the_processor_if_they_are_enough() {
        let [mut leaving, mut staying] = [crowd(1.25); 2];
        leaving[0].crowd = 1.9;
        staying[..4].iter_mut().for_each(|look| look.crowd = 1.9);
        let mut known = known([(100.0, crowd(1.25)), (100.0, leaving), (100.0, staying)]);
        sifted(&mut known);
        assert_eq!((times(&known), known.set_aside()), (vec![(100.0, 10), (102.0, 8)], 1));
        assert_eq!((known.inside(), known.slices()), (Duration::from_millis(1_800), 18));
    }

    #[test]
    fn what_makes_its_processor_unlike_the_usual_by_itself_is_compared_with_itself() {
        let usual = Usual::of(crowd(1.25)).expect("a witness");
        let mut known = known([1.9, 1.92, 1.91, 1.9, 2.8].map(|crowded| (100.0 * crowded, crowd(crowded))));
        // A pause of its threads at one look is no life.
        known.lives[0].seen.as_mut().expect("a witness").0[3].1.crowd = 1.25;
        known.unlike = 2;
        known.sift(usual);
        assert_eq!((times(&known), known.set_aside(), known.is_newest_like), (vec![], 5, Some(false)));
        known.unlike = 3;
        known.sift(usual);
        assert_eq!((times(&known).len(), known.set_aside(), known.is_newest_like), (4, 1, Some(false)));
        known.make_do(usual);
        assert!(!known.is_disturbed);
        // One that is as usual shows that the others were disturbed.
        known.take(visit(100.0, Some(crowd(1.25))), Duration::ZERO);
        known.sift(usual);
        assert_eq!((times(&known), known.set_aside(), known.is_newest_like), (vec![(100.0, 10)], 5, Some(true)));
        known.make_do(usual);
        assert!(known.is_disturbed);
        known.unlike = 5;
        known.sift(usual);
        known.make_do(usual);
        assert!(!known.is_disturbed, "the others were as usual in most of its rounds");
    }

    #[test]
    fn lives_come_back_when_their_clock_turns_out_to_be_the_usual_one() {
        let mut known = known([(100.0, chain(7_000.0)), (94.0, chain(6_580.0)), (93.0, chain(6_580.0))]);
        sifted(&mut known);
        assert_eq!(times(&known), [(94.0, 10), (93.0, 10)]);
        for time_ns in [101.0, 102.0] {
            known.take(visit(time_ns, Some(chain(7_010.0))), Duration::ZERO);
        }
        sifted(&mut known);
        assert_eq!(times(&known), [(100.0, 10), (101.0, 10), (102.0, 10)]);
    }

    #[test]
    fn where_hardly_any_life_counts_the_least_disturbed_have_to_do_in_their_order() {
        let mut known = known([(190.0, crowd(2.0)), (130.0, crowd(1.6)), (150.0, crowd(1.8)), (100.0, crowd(1.25))]);
        sifted(&mut known);
        made_do(&mut known);
        assert_eq!((times(&known), known.set_aside()), (vec![(130.0, 10), (100.0, 10)], 2));
        assert!(known.is_disturbed);
        let measured = known.conclude(&listed()).expect("two lives");
        assert_eq!(measured.readings[0].lives.len(), 2);
    }
}
