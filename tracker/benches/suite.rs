//! What Tachograph itself costs.

mod store;

use tachograph_harness::{ExitCode, Suite};

fn main() -> ExitCode {
    let mut suite = Suite::new("tracker");
    store::offer(&mut suite);
    suite.main()
}
