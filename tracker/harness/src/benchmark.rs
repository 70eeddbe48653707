//! The handle by which a benchmark, once offered, is told more about.

use std::cell::RefCell;
use std::fmt::{Debug, Display};
use std::rc::Rc;

use serde_json::Value;

use crate::body::Wishes;
use crate::metric::{Meter, Metric};
use crate::offer::{Offer, Throughput, allocator_metrics, latency_metrics};

/// Most metrics of a benchmark, most bytes of a metric's name or unit, and most cores; as the worker protocol has it.
const MOST_METRICS: usize = 64;
const LONGEST_WORD_BYTES: usize = 256;
const MOST_CORES: usize = 4096;

/// The longest part of an answer that a message shows, in bytes: two of them fit a line.
const SHOWN_BYTES: usize = 80;

/// A benchmark that a suite offers; `T` is what its work returns.
pub struct Benchmark<'s, 'a, T> {
    offer: &'s mut Offer<'a>,
    wishes: Rc<RefCell<Wishes<'a, T>>>,
}

impl<'s, 'a, T: 'a> Benchmark<'s, 'a, T> {
    pub(crate) fn new(offer: &'s mut Offer<'a>, wishes: Rc<RefCell<Wishes<'a, T>>>) -> Benchmark<'s, 'a, T> {
        Benchmark { offer, wishes }
    }

    /// Declares the answer that each iteration must return. It is compared when the benchmark is checked, never inside
    /// the clock.
    ///
    /// ```
    /// # let mut suite = tachograph_harness::Suite::new("sums");
    /// suite.benchmark("sum/4", || || (0..4_u64).sum::<u64>()).expect(6);
    /// ```
    pub fn expect<A>(&mut self, answer: A) -> &mut Self
    where
        T: PartialEq<A> + Debug,
        A: Debug + 'a,
    {
        self.check(move |got| {
            if *got == answer { Ok(()) } else { Err(format!("expected {}, got {}", shown(&answer), shown(got))) }
        })
    }

    /// Declares a rule for the answer; its error says what is wrong. For answers that are near enough, or only have to
    /// make sense.
    ///
    /// ```
    /// # let mut suite = tachograph_harness::Suite::new("sums");
    /// suite.benchmark("sqrt", || || std::hint::black_box(2.0_f64).sqrt()).check(|root| {
    ///     if (root * root - 2.0).abs() < 1e-12 { Ok(()) } else { Err(format!("{root} squared is not 2")) }
    /// });
    /// ```
    pub fn check<E: Display>(&mut self, rule: impl Fn(&T) -> Result<(), E> + 'a) -> &mut Self {
        let rule = move |answer: &T| rule(answer).map_err(|error| error.to_string());
        self.wishes.borrow_mut().rules.push(Box::new(rule));
        self
    }

    /// Declares the bytes that one iteration works through.
    pub fn bytes(&mut self, amount: usize) -> &mut Self {
        self.throughput(amount, "bytes")
    }

    /// Declares the elements that one iteration works through.
    pub fn elements(&mut self, amount: usize) -> &mut Self {
        self.throughput(amount, "elements")
    }

    /// Declares the work of one iteration in a unit of its own, such as `tokens`. Zero declares nothing.
    ///
    /// # Panics
    /// If the unit is empty or longer than 256 bytes.
    #[track_caller]
    pub fn throughput(&mut self, amount: usize, unit: impl Into<String>) -> &mut Self {
        let unit = unit.into();
        require_word("a throughput's unit", &unit);
        self.offer.throughput = (amount > 0).then_some(Throughput { amount, unit });
        self
    }

    /// Declares how many cores the work uses; one unless said.
    ///
    /// # Panics
    /// If it is zero or more than 4096.
    #[track_caller]
    pub fn cores(&mut self, cores: usize) -> &mut Self {
        assert!((1..=MOST_CORES).contains(&cores), "benchmark {:?} cannot use {cores} cores", self.offer.name);
        self.offer.cores = cores;
        self
    }

    /// Reports a metric that is read from the answer of each slice's last iteration, outside the clock.
    ///
    /// ```
    /// # use tachograph_harness::{Metric, Suite};
    /// # let mut suite = Suite::new("text");
    /// suite
    ///     .benchmark("repeat", || || "tachograph ".repeat(100))
    ///     .metric(Metric::new("written", "bytes").exact(), |text| text.len() as f64);
    /// ```
    ///
    /// # Panics
    /// If the benchmark has a metric of that name, the name or the unit is no word, or there are more than 60.
    #[track_caller]
    pub fn metric(&mut self, metric: Metric, read: impl Fn(&T) -> f64 + 'a) -> &mut Self {
        self.declare(std::slice::from_ref(&metric));
        self.offer.from_answer.push(metric);
        self.wishes.borrow_mut().readers.push(Box::new(read));
        self
    }

    /// Reports a metric that the work feeds while it runs.
    ///
    /// # Panics
    /// If the benchmark has a metric of that name, the name or the unit is no word, or there are more than 60.
    #[track_caller]
    pub fn meter(&mut self, meter: &Meter) -> &mut Self {
        self.declare(&meter.metrics());
        self.offer.meters.push(meter.clone());
        self
    }

    /// Times single iterations too, and reports their quantiles within each slice as `time_p50`, `time_p95` and
    /// `time_p99`. It reads the clock twice more for an iteration (some 50 ns), so it is for work of microseconds and
    /// more.
    ///
    /// # Panics
    /// If the benchmark has a metric of such a name.
    #[track_caller]
    pub fn latency(&mut self) -> &mut Self {
        self.declare(&latency_metrics().collect::<Vec<_>>());
        self.offer.latency = true;
        self.wishes.borrow_mut().latency = true;
        self
    }

    /// Gives the benchmark a profiler of its own; as [`Suite::profile`](crate::Suite::profile).
    pub fn profile(&mut self, hook: impl FnMut(&mut dyn FnMut()) -> Value + 'a) -> &mut Self {
        self.offer.profile = Some(Box::new(hook));
        self
    }

    #[track_caller]
    fn declare(&self, new: &[Metric]) {
        let mut taken = self.offer.own_metrics();
        taken.push(Metric::new("time", "ns"));
        taken.extend(allocator_metrics());
        assert!(taken.len() + new.len() <= MOST_METRICS, "benchmark {:?} has too many metrics", self.offer.name);
        for metric in new {
            require_word("a metric's name", &metric.name);
            require_word("a metric's unit", &metric.unit);
            assert!(
                taken.iter().all(|other| other.name != metric.name),
                "benchmark {:?} has a metric named {:?} already",
                self.offer.name,
                metric.name
            );
        }
    }
}

impl<T> Debug for Benchmark<'_, '_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Benchmark").field("name", &self.offer.name).finish_non_exhaustive()
    }
}

/// An answer as a message shows it: cut off where it is long.
fn shown(answer: &impl Debug) -> String {
    let text = format!("{answer:?}");
    if text.len() <= SHOWN_BYTES {
        return text;
    }
    let end = text.floor_char_boundary(SHOWN_BYTES);
    format!("{}… ({} bytes in all)", &text[..end], text.len())
}

/// Panics where a name or unit could not stand in a table.
#[track_caller]
fn require_word(what: &str, word: &str) {
    let fine = !word.trim().is_empty() && word.len() <= LONGEST_WORD_BYTES && !word.contains(char::is_control);
    assert!(fine, "{what} must be one line of 1 to {LONGEST_WORD_BYTES} bytes, not {word:?}");
}

/// Panics where a benchmark's name is no name, pointing at the line that gave it.
#[track_caller]
pub(crate) fn require_name(name: &str) {
    const LONGEST_BYTES: usize = 4096;
    assert!(!name.trim().is_empty(), "a benchmark's name must not be empty");
    assert!(name.len() <= LONGEST_BYTES, "a benchmark's name must be at most {LONGEST_BYTES} bytes long");
    assert!(!name.contains(char::is_control), "a benchmark's name must be one line of plain text, not {name:?}");
}
