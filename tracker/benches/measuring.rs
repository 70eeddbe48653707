//! Measuring itself: which share of its time a solo run spends inside slices, where they are shortest.
//!
//! The suite that is measured stands in this very program: started with an argument of its own it is a worker with
//! twenty benchmarks of about 5 µs that do nothing but compute.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use tachograph::measure::child::{self, Environment, Program};
use tachograph::measure::interrupt::Stop;
use tachograph::measure::solo::{self, Options};
use tachograph_harness::{ExitCode, Metric, Suite};

/// What makes this program the worker that is measured.
const STEADY: &str = "--steady";

/// Steps that take about 5 µs together: each waits for the one before, some five cycles long.
const STEPS: u64 = 4_000;

const BENCHMARKS: u64 = 20;

/// How long the solo run measures.
const BUDGET: Duration = Duration::from_millis(500);

pub(crate) fn is_steady_worker() -> bool {
    std::env::args().nth(1).is_some_and(|argument| argument == STEADY)
}

pub(crate) fn steady_worker() -> ExitCode {
    let mut suite = Suite::new("steady");
    let mut group = suite.group("steady");
    for number in 0..BENCHMARKS {
        group.benchmark(number, move || move || chain(black_box(number)));
    }
    suite.main()
}

fn chain(start: u64) -> u64 {
    (0..STEPS).fold(start, |value, step| (value ^ step).wrapping_mul(0x5851_f42d_4c95_7f2d) >> 1)
}

pub(crate) fn offer(suite: &mut Suite<'_>) {
    suite
        .benchmark("measure/solo/20x5us", || {
            child::keeper_is(env!("CARGO_BIN_EXE_tachograph"));
            let here = std::env::current_exe().expect("this program");
            let folder = here.parent().map_or_else(PathBuf::new, PathBuf::from);
            let arguments = [here.into_os_string(), STEADY.into()];
            let program = Program::new(arguments, folder, Environment::worker()).expect("a program");
            let stop = Stop::by_hand().expect("a pair of sockets");
            move || {
                let options = Options::new(BUDGET, Duration::from_secs(10), 1);
                solo::run(&program, &options, &stop, &mut |_| ()).expect("a solo run")
            }
        })
        .metric(Metric::new("inside_slices", "%").higher(), |solo| solo.overhead.inside_pct())
        .check(|solo| match solo.outcomes.len() {
            20 => Ok(()),
            count => Err(format!("{count} benchmarks were measured")),
        });
}
