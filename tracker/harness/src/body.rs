//! The work of one benchmark with its set-up, its answers and its loops; behind [`Body`] their types are forgotten.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::callgrind::Counting;
use crate::counts;
use crate::metric::{QUANTILES, quantile};
use crate::timing;

/// What one timed region yielded.
pub(crate) struct Region {
    pub(crate) elapsed: Duration,
    pub(crate) counted: counts::Counted,
    /// Readings taken from the last answer, in the order in which they were declared.
    pub(crate) answers: Vec<f64>,
    /// Quantiles of single iterations; empty unless asked for.
    pub(crate) latencies: Vec<Option<f64>>,
}

/// A benchmark's work. Each of these may panic, for the benchmark's own code runs in it.
pub(crate) trait Body {
    /// Sets up, unless it is set up.
    fn set_up(&mut self);
    /// Runs the timed loop. Sets up first where needed.
    fn run(&mut self, iterations: u64) -> Region;
    /// Runs iterations and has callgrind count them.
    fn count(&mut self, iterations: u64);
    /// Whether there is a rule for the answer.
    fn has_rules(&self) -> bool;
    /// Runs once and judges the answer; none if there is no rule for it.
    fn check(&mut self) -> Option<Result<(), String>>;
    /// Frees the set-up.
    fn free(&mut self);
}

/// Judges an answer.
pub(crate) type Rule<'a, T> = Box<dyn Fn(&T) -> Result<(), String> + 'a>;
/// Reads a metric from an answer.
pub(crate) type Reader<'a, T> = Box<dyn Fn(&T) -> f64 + 'a>;

/// What is to be done with answers; shared with the handle that declares it.
pub(crate) struct Wishes<'a, T> {
    pub(crate) rules: Vec<Rule<'a, T>>,
    pub(crate) readers: Vec<Reader<'a, T>>,
    pub(crate) latency: bool,
}

impl<T> Default for Wishes<'_, T> {
    fn default() -> Self {
        Wishes { rules: Vec::new(), readers: Vec::new(), latency: false }
    }
}

/// A benchmark whose types are known.
pub(crate) struct Typed<'a, S, W, T> {
    setup: S,
    work: Option<W>,
    wishes: Rc<RefCell<Wishes<'a, T>>>,
}

impl<'a, S, W, T> Typed<'a, S, W, T>
where
    S: FnMut() -> W,
    W: FnMut() -> T,
{
    pub(crate) fn new(setup: S, wishes: Rc<RefCell<Wishes<'a, T>>>) -> Typed<'a, S, W, T> {
        Typed { setup, work: None, wishes }
    }

    fn work(&mut self) -> &mut W {
        self.work.get_or_insert_with(&mut self.setup)
    }
}

impl<S, W, T> Body for Typed<'_, S, W, T>
where
    S: FnMut() -> W,
    W: FnMut() -> T,
{
    fn set_up(&mut self) {
        self.work();
    }

    fn run(&mut self, iterations: u64) -> Region {
        let wishes = Rc::clone(&self.wishes);
        let wishes = wishes.borrow();
        let work = self.work();
        let mut last = None;
        let mut singles = Vec::with_capacity(if wishes.latency { timing::room_for(iterations) } else { 0 });
        let mark = counts::mark();
        let elapsed = if wishes.latency {
            timing::each(work, iterations, &mut last, &mut singles)
        } else if wishes.readers.is_empty() {
            timing::plain(work, iterations)
        } else {
            timing::keeping(work, iterations, &mut last)
        };
        let counted = counts::since(mark);
        let answers = last.iter().flat_map(|answer| wishes.readers.iter().map(move |reader| reader(answer))).collect();
        singles.sort_by(f64::total_cmp);
        let ranks = if wishes.latency { &QUANTILES[..] } else { &[] };
        let latencies = ranks.iter().map(|&(_, rank)| quantile(&singles, rank)).collect();
        Region { elapsed, counted, answers, latencies }
    }

    fn count(&mut self, iterations: u64) {
        let work = self.work();
        let counting = Counting::begin();
        timing::untimed(work, iterations);
        counting.write();
    }

    fn has_rules(&self) -> bool {
        !self.wishes.borrow().rules.is_empty()
    }

    fn check(&mut self) -> Option<Result<(), String>> {
        let answer = self.work()();
        let wishes = self.wishes.borrow();
        wishes.rules.iter().map(|rule| rule(&answer)).reduce(Result::and)
    }

    fn free(&mut self) {
        self.work = None;
    }
}
