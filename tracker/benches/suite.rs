//! What Tachograph itself costs: its maths, its parsers, its store, its tables, and how much of the time that it measures
//! for is spent measuring.

mod adapt;
#[path = "../examples/history/drawn.rs"]
mod drawn;
#[path = "../examples/history/duels.rs"]
mod duels;
mod following;
mod judging;
#[path = "../examples/history/made.rs"]
mod made;
mod measuring;
mod parsing;
mod rendering;
mod showing;
mod store;

use tachograph_harness::{ExitCode, Suite};

fn main() -> ExitCode {
    if measuring::is_steady_worker() {
        return measuring::steady_worker();
    }
    let mut suite = Suite::new("tracker");
    judging::offer(&mut suite);
    following::offer(&mut suite);
    parsing::offer(&mut suite);
    adapt::offer(&mut suite);
    store::offer(&mut suite);
    rendering::offer(&mut suite);
    showing::offer(&mut suite);
    measuring::offer(&mut suite);
    suite.main()
}
