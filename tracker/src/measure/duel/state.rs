//! What is known of one benchmark during a duel, and what is said of it at the end.

use std::time::Duration;

use super::Pair;
use super::Progress;
use super::meet::{Meeting, Read, Side, Task};
use super::share::{Need, Part, few_rounds};
use crate::domain::{BenchmarkName, Bout, Contest, Kind, Life, Metric, Readings, Trouble};
use crate::measure::calibrate::Calibration;
use crate::measure::child::urgent::Pace;
use crate::measure::protocol::Listed;
use crate::measure::visit::{Rehearsal, exact_iterations};
use crate::stats::robust::median;
use crate::stats::split::best_readings;

/// Lives in which exact metrics are taken.
const EXACT_LIVES: usize = 2;

/// The talk about a round and what a life takes beside its rounds, in slices, as long as nothing was measured.
const USUAL_TALK_NS: f64 = 100_000.0;
const USUAL_BESIDE_NS: f64 = 20e6;

/// The share of the variance of a round that the variance between lives is taken for at least: compute-bound work has
/// lives that differ hardly at all, and one round more is cheaper than one life more.
const LEAST_BETWEEN: f64 = 0.01;

/// Lives by which is told what the next one takes.
const LAST_LIVES: usize = 3;

/// Lives after which their variance is believed.
const TRUSTED_LIVES: usize = 3;

/// Rounds that are looked at together when it is asked from where on a life is settled.
const WINDOW: usize = 5;

/// The sides are not settled yet where they lie so many times as far apart, in squares, as they do later.
const UNSETTLED: f64 = 2.0;

/// Where a benchmark stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// Nothing was asked of it yet.
    New,
    /// It works.
    Known(Box<Known>),
    /// It failed, and that is final.
    Failed {
        /// Whether on head.
        on_head: bool,
        /// What happened.
        trouble: Trouble,
    },
}

/// A benchmark that works on both sides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    calibration: Calibration,
    /// What a round, and what a life beside its rounds, is taken for as long as nothing was measured.
    guess_ns: [f64; 2],
    /// The same of each life.
    costs_ns: Vec<[f64; 2]>,
    /// How long its last meeting took.
    took: Duration,
    /// How long its lives took in all.
    spent: Duration,
    exact_over: Option<u64>,
    /// Whether it was found that slices need not begin with what does not count.
    is_at_hand: bool,
    /// What was read, life by life, by side.
    lives: Vec<[Read; 3]>,
    /// No life will come any more.
    is_closed: bool,
}

impl State {
    /// It was rehearsed on base.
    pub(super) fn rehearsed(listed: &Listed, rehearsal: &Rehearsal) -> State {
        let calibration = rehearsal.calibration;
        State::Known(Box::new(Known {
            calibration,
            guess_ns: [3.0 * calibration.slice_ns() + USUAL_TALK_NS, USUAL_BESIDE_NS],
            costs_ns: Vec::new(),
            took: Duration::ZERO,
            spent: Duration::ZERO,
            exact_over: exact_iterations(listed, calibration),
            is_at_hand: false,
            lives: Vec::new(),
            is_closed: false,
        }))
    }

    /// What is known of a benchmark that works.
    pub(super) fn known(&self) -> Option<&Known> {
        if let State::Known(known) = self { Some(known) } else { None }
    }

    /// Whether it can have more lives, and has fewer than `target`.
    pub(super) fn wants_lives(&self, target: usize) -> bool {
        self.known().is_some_and(|known| !known.is_closed && known.lives.len() < target)
    }

    /// What it needs to have `target` lives, or one more.
    pub(super) fn need(&self, index: usize, target: usize) -> Option<Need> {
        let known = self.known()?;
        let lives = target.saturating_sub(known.lives.len()).max(1);
        let worthy = known.worthy_rounds().unwrap_or(f64::INFINITY);
        let [round_ns, beside_ns] = known.usual_ns();
        Some(Need { index, lives, round_ns, beside_ns, worthy })
    }

    /// The task of its next meeting.
    pub(super) fn task(&self, part: Part) -> Option<Task> {
        let known = self.known()?;
        let exact = known.exact_over.filter(|_| known.lives.len() < EXACT_LIVES);
        let (calibration, is_at_hand) = (known.calibration, known.is_at_hand);
        Some(Task { calibration, part, exact, pace: Pace::Usual, is_at_hand })
    }

    /// Takes in a meeting.
    pub(super) fn take(&mut self, meeting: Meeting) {
        let State::Known(known) = self else { return };
        let rounds = meeting.read[0].times_ns.len().max(1) as f64;
        let round_ns = (meeting.slicing.as_nanos() as f64 / rounds).max(1.0);
        known.costs_ns.push([round_ns, meeting.took.saturating_sub(meeting.slicing).as_nanos() as f64]);
        known.took = meeting.took;
        known.spent += meeting.took;
        known.calibration = meeting.calibration;
        if known.lives.is_empty() {
            known.is_at_hand = meeting.is_at_hand;
        }
        known.lives.push(meeting.read);
    }

    /// How long its last meeting took.
    pub(super) fn last_meeting(&self) -> Option<Duration> {
        self.known().map(|known| known.took)
    }

    /// Its last life took so much longer than its meeting.
    pub(super) fn bear(&mut self, more: Duration) {
        if let State::Known(known) = self {
            known.spent += more;
            if let Some([_, beside_ns]) = known.costs_ns.last_mut() {
                *beside_ns += more.as_nanos() as f64;
            }
        }
    }

    /// Ends it with the numbers that it has; false if it has none.
    pub(super) fn close(&mut self) -> bool {
        match self {
            State::Known(known) if !known.lives.is_empty() => {
                known.is_closed = true;
                true
            }
            _ => false,
        }
    }

    /// It failed on a side, for good.
    pub(super) fn fail(
        &mut self,
        benchmark: &BenchmarkName,
        side: Side,
        trouble: Trouble,
        tell: &mut dyn FnMut(Progress<'_>),
    ) {
        tell(Progress::Failed { benchmark, trouble: &trouble });
        *self = State::Failed { on_head: side == Side::Head, trouble };
    }

    /// What is to be said of it so far.
    pub(super) fn bout(&self, pair: &Pair<'_>) -> Bout {
        match self {
            State::New => Bout::Dueled(Vec::new()),
            State::Failed { on_head, trouble } => Bout::Failed { on_head: *on_head, trouble: trouble.clone() },
            State::Known(known) => Bout::Dueled(known.contests(pair)),
        }
    }
}

/// One metric of one side: what to take of what it read in a life, round by round.
type Column<'a> = &'a dyn Fn(&Read, Side) -> Vec<f64>;

impl Known {
    /// How long its lives took in all.
    pub(super) fn spent(&self) -> Duration {
        self.spent
    }

    /// What a round takes, and a life beside its rounds: the middle of the last few, since one may have been disturbed.
    fn usual_ns(&self) -> [f64; 2] {
        let last = &self.costs_ns[self.costs_ns.len().saturating_sub(LAST_LIVES)..];
        let middle = |of: usize| median(&last.iter().map(|costs| costs[of]).collect::<Vec<_>>());
        [0, 1].map(|of| middle(of).unwrap_or(self.guess_ns[of]))
    }

    /// How many rounds of a life are worth their time, by how the rounds and the lives of the time differ so far.
    fn worthy_rounds(&self) -> Option<f64> {
        if self.lives.len() < TRUSTED_LIVES {
            return None;
        }
        let rounds = |[base, head, null]: &[Read; 3]| -> Vec<f64> {
            let each = base.times_ns.iter().zip(&head.times_ns).zip(&null.times_ns);
            each.map(|((base, head), null)| (head / (base * null).sqrt()).ln()).collect()
        };
        let unsettled = self.unsettled_rounds();
        let lives: Vec<Vec<f64>> = self.lives.iter().map(|life| settled(&rounds(life), unsettled).to_vec()).collect();
        let [round_ns, beside_ns] = self.usual_ns();
        let beside = beside_ns / round_ns + unsettled as f64;
        let best = best_readings(&lives, beside, LEAST_BETWEEN)?;
        Some(unsettled as f64 + best.max(few_rounds(round_ns)))
    }

    /// Rounds at the beginning of a life that do not count, because the sides lie farther apart there than later: workers
    /// that share a cache need a while until each has its lasting part of it. What decides does not tell base from head,
    /// so that it favours neither.
    fn unsettled_rounds(&self) -> usize {
        let apart = |life: &[Read; 3], window: usize| {
            let rounds = window * WINDOW..(window + 1) * WINDOW;
            let level = |read: &Read| Some(median(read.times_ns.get(rounds.clone())?)?.ln());
            let levels = [level(&life[0])?, level(&life[1])?, level(&life[2])?];
            let middle = levels.iter().sum::<f64>() / 3.0;
            Some(levels.iter().map(|level| (level - middle).powi(2)).sum::<f64>())
        };
        let over_lives = |window: usize| {
            let all: Vec<f64> = self.lives.iter().filter_map(|life| apart(life, window)).collect();
            median(&all).filter(|_| all.len() >= TRUSTED_LIVES)
        };
        let windows: Vec<f64> = (0..).map_while(over_lives).collect();
        let (early, late) = windows.split_at(windows.len() / 2);
        let Some(later) = median(late) else { return 0 };
        WINDOW * early.iter().take_while(|early| **early > UNSETTLED * later).count()
    }

    fn contests(&self, pair: &Pair<'_>) -> Vec<Contest> {
        let time = self.paired(Metric::time(), &|read, _| read.times_ns.clone());
        let declared = pair.shared.iter().map(|(metric, on_base, on_head)| {
            let place = |side| if side == Side::Head { *on_head } else { *on_base };
            let exact = |side: Side| -> Vec<f64> {
                let taken = self.lives.iter().filter_map(|life| life[side.place()].exact.as_ref());
                taken.filter_map(|values| values.get(place(side)).copied()).collect()
            };
            let column = |read: &Read, side: Side| -> Vec<f64> {
                read.metrics.iter().filter_map(|values| values.get(place(side)).copied()).collect()
            };
            let agreed = (metric.kind == Kind::Exact).then(|| agreed(metric, exact)).flatten();
            // One that differs between two lives of one program is treated as noisy.
            agreed.unwrap_or_else(|| self.paired(Metric { kind: Kind::Noisy, ..metric.clone() }, &column))
        });
        let lone = pair.lone.iter().filter_map(|&(side, metric, at)| self.lone(side, metric, at));
        std::iter::once(time).chain(declared).chain(lone).collect()
    }

    /// A metric that only a side has: its levels there, life by life.
    fn lone(&self, side: Side, metric: &Metric, at: usize) -> Option<Contest> {
        let column = |read: &Read| -> Vec<f64> { read.metrics.iter().filter_map(|all| all.get(at).copied()).collect() };
        let levels: Vec<f64> = self.lives.iter().filter_map(|life| median(&column(&life[side.place()]))).collect();
        let (level, levels) = (median(&levels)?, Life::new(levels).ok()?);
        let metric = metric.clone();
        Some(match side {
            Side::Head => Contest { metric, base: 0.0, head: level, readings: Readings::New { head: levels } },
            _ => Contest { metric, base: level, head: 0.0, readings: Readings::Missing { base: levels } },
        })
    }

    fn paired(&self, metric: Metric, column: Column<'_>) -> Contest {
        let unsettled = self.unsettled_rounds();
        let values = |life: &[Read; 3], side: Side| settled(&column(&life[side.place()], side), unsettled).to_vec();
        let level = |side: Side| {
            let medians: Vec<f64> = self.lives.iter().filter_map(|life| median(&values(life, side))).collect();
            median(&medians).unwrap_or(0.0)
        };
        let (mut lives, mut null) = (Vec::new(), Vec::new());
        for life in &self.lives {
            let [base, head, control] = [Side::Base, Side::Head, Side::Null].map(|side| values(life, side));
            let (head, control) = log_ratios([&head, &control], &base);
            if let (Ok(head), Ok(control)) = (Life::new(head), Life::new(control)) {
                lives.push(head);
                null.push(control);
            }
        }
        let readings = Readings::Paired { lives, null };
        Contest { metric, base: level(Side::Base), head: level(Side::Head), readings }
    }
}

/// The rounds of a life that count, which is at least the later half.
fn settled(rounds: &[f64], unsettled: usize) -> &[f64] {
    &rounds[unsettled.min(rounds.len() / 2)..]
}

/// Head and the control over base, round by round; where both are zero nothing differs, and where one is there is no
/// ratio, and nothing of that round counts.
fn log_ratios([head, control]: [&[f64]; 2], base: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let ratio = |over: f64, under: f64| if over.total_cmp(&under).is_eq() { 0.0 } else { (over / under).ln() };
    let rounds = head.iter().zip(control).zip(base);
    rounds
        .map(|((&head, &control), &base)| (ratio(head, base), ratio(control, base)))
        .filter(|(head, control)| head.is_finite() && control.is_finite())
        .unzip()
}

/// An exact metric, if each program says the same in all the lives in which it was taken.
fn agreed(metric: &Metric, exact: impl Fn(Side) -> Vec<f64>) -> Option<Contest> {
    let head = exact(Side::Head);
    let base = [exact(Side::Base), exact(Side::Null)].concat();
    let is_same = |values: &[f64]| values.iter().all(|value| value.to_bits() == values[0].to_bits());
    if head.len() < EXACT_LIVES || base.len() < 2 * EXACT_LIVES || !is_same(&head) || !is_same(&base) {
        return None;
    }
    let (on_base, on_head) = (base[0], head[0]);
    let readings = Readings::Exact { base: Life::new(base).ok()?, head: Life::new(head).ok()? };
    Some(Contest { metric: metric.clone(), base: on_base, head: on_head, readings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::Noise;

    /// Lives of forty rounds, in the first so many of which each side has its own luck of some percent.
    fn known(lives: usize, unsettled: usize) -> Known {
        let mut noise = Noise::seeded(11);
        let life = |_| {
            [(); 3].map(|()| {
                let luck = 0.06 * noise.normal();
                let time = |round| 1000.0 * (0.01 * noise.normal() + if round < unsettled { luck } else { 0.0 }).exp();
                Read { times_ns: (0..40).map(time).collect(), ..Read::default() }
            })
        };
        Known {
            calibration: Calibration { iterations: 1, iteration_ns: 1000.0 },
            guess_ns: [3000.0, 30_000.0],
            costs_ns: Vec::new(),
            took: Duration::ZERO,
            spent: Duration::ZERO,
            exact_over: None,
            is_at_hand: false,
            lives: (0..lives).map(life).collect(),
            is_closed: false,
        }
    }

    #[test]
    fn rounds_in_which_a_cache_is_still_being_shared_out_do_not_count() {
        assert_eq!(known(30, 10).unsettled_rounds(), 10);
        assert_eq!(known(30, 0).unsettled_rounds(), 0);
        let Readings::Paired { lives, null } =
            known(30, 10).paired(Metric::time(), &|read, _| read.times_ns.clone()).readings
        else {
            panic!("paired")
        };
        assert!(lives.iter().chain(&null).all(|life| life.values().len() == 30));
    }

    #[test]
    fn no_more_than_half_of_a_life_is_left_out_and_nothing_of_lives_that_are_few() {
        assert_eq!(known(7, 40).unsettled_rounds(), 0);
        assert!(known(7, 35).unsettled_rounds() <= 20);
        assert_eq!(known(2, 10).unsettled_rounds(), 0);
        assert_eq!(settled(&[1.0, 2.0, 3.0], 10), [2.0, 3.0]);
    }

    #[test]
    fn what_is_left_out_does_not_depend_on_which_side_is_head() {
        let one = known(9, 10);
        let mut other = one.clone();
        for (at, life) in other.lives.iter_mut().enumerate() {
            life.rotate_left(at % 3);
        }
        assert_eq!(one.unsettled_rounds(), other.unsettled_rounds());
    }
}
