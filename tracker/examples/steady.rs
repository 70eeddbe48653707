//! Twenty benchmarks of about 5 µs that do nothing but compute: what is measured with them is the measuring. The
//! tests run it as a worker; by itself it prints a table of times that should all be equal.

use std::hint::black_box;

use tachograph_harness::{ExitCode, Suite};

/// Steps that take about 5 µs together: each waits for the one before, some five cycles long.
const STEPS: u64 = 4_000;

fn main() -> ExitCode {
    let mut suite = Suite::new("steady");
    let mut group = suite.group("steady");
    for number in 0..20_u64 {
        group.benchmark(number, move || move || chain(black_box(number)));
    }
    suite.main()
}

fn chain(start: u64) -> u64 {
    (0..STEPS).fold(start, |value, step| (value ^ step).wrapping_mul(0x5851_f42d_4c95_7f2d) >> 1)
}
