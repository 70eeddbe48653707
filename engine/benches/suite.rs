//! The engine's benchmarks: what its users ask for, and what its makers ask for.
//!
//! `cargo bench -p engine` measures all of them. The large model takes most of that time: `cargo bench -p engine --
//! --skip gpt2` leaves it out, and a part of a name, such as `kernel/`, chooses what has it. Every benchmark checks its
//! answer, and stays on one core unless it says otherwise.

/// The groups, each in a file of its own.
mod suite {
    pub(crate) mod concurrency;
    pub(crate) mod elementwise;
    pub(crate) mod inference;
    pub(crate) mod load;
    pub(crate) mod matmul;
    pub(crate) mod memory;
    pub(crate) mod models;
    pub(crate) mod near;
    pub(crate) mod training;
}

use engine::kernels::CountedSystem;
use suite::{concurrency, elementwise, inference, load, matmul, memory, training};
use tachograph_harness::{CountingAllocator, ExitCode, Suite};

/// The harness counts what the timed loop asks for; the engine's own counter, below it, knows in which scope.
#[global_allocator]
static ALLOCATOR: CountingAllocator<CountedSystem> = CountingAllocator::over(CountedSystem);

fn main() -> ExitCode {
    let mut suite = Suite::new("engine");
    inference::offer(&mut suite);
    concurrency::offer(&mut suite);
    matmul::offer(&mut suite);
    elementwise::offer(&mut suite);
    memory::offer(&mut suite);
    load::offer(&mut suite);
    training::offer(&mut suite);
    suite.main()
}
