//! A suite in which everything goes wrong, to see that nothing else does: wrong answers, panics, numbers that are none,
//! a set-up that speaks up when it is freed.

use std::hint::black_box;
use std::io::{self, Write};

use tachograph_harness::{ExitCode, Metric, Suite};

/// Tells standard error when it is freed.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = writeln!(io::stderr(), "freed set-up {}", self.0);
    }
}

fn main() -> ExitCode {
    let mut suite = Suite::new("faults");
    suite.benchmark("good", || || 2 + black_box(2)).expect(4);
    suite.benchmark("wrong", || || 2 + black_box(2)).expect(5);
    suite.benchmark("panic/work", || || assert_eq!(black_box(1), 2, "the work is broken"));
    suite.benchmark("panic/setup", || -> fn() { panic!("the model is missing") });
    suite.benchmark("nan", || || ()).metric(Metric::new("ratio", "x"), |()| f64::NAN);
    let mut made = 0;
    suite.benchmark("freed", move || {
        made += 1;
        let told = Told(made);
        move || told.0
    });
    suite.main()
}
