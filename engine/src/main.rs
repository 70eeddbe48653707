//! The engine on the command line.

mod commands;

use std::process::ExitCode;

use engine::kernels::CountedSystem;

/// So that a profile can tell what each scope asked for; it costs an addition whenever memory is asked for.
#[global_allocator]
static ALLOCATOR: CountedSystem = CountedSystem;

fn main() -> ExitCode {
    commands::run()
}
