//! The doorway: everything stands in the library, so that the benchmarks can reach it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    tachograph::commands::main()
}
