//! Solo runs of real workers: the one in Python from the protocol's page, and one in Rust.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tachograph::domain::{Kind, Measured, Outcome};
use tachograph::measure::child::{self, Environment, Program};
use tachograph::measure::interrupt::Stop;
use tachograph::measure::solo::{Options, Solo, run};

/// An example of this package, which cargo builds before it runs these tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let built = test.parent().and_then(Path::parent).expect("the folder of what is built");
    let path = built.join("examples").join(name);
    assert!(path.is_file(), "{} is not built: `cargo build --examples` does it", path.display());
    path
}

fn solo(arguments: &[&str], budget: Duration) -> Solo {
    child::keeper_is(env!("CARGO_BIN_EXE_tachograph"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let program = Program::new(arguments, folder, Environment::worker()).expect("a program");
    let options = Options::new(budget, Duration::from_mins(1), 1);
    run(&program, &options, &Stop::by_hand().expect("a pair of sockets"), &mut |_| ()).expect("a solo run")
}

fn measured<'a>(solo: &'a Solo, name: &str) -> &'a Measured {
    match &solo.outcomes[name] {
        Outcome::Measured(measured) => measured,
        Outcome::Failed(trouble) => panic!("{name} failed: {trouble:?}"),
    }
}

#[test]
fn the_python_worker_is_measured() {
    let solo = solo(&["python3", "worker.py"], Duration::from_millis(1));
    assert_eq!(solo.notes["worker"], "python-example");
    let sum = measured(&solo, "sum/1000");
    assert_eq!((sum.readings.len(), sum.notes["throughput_unit"].as_str()), (1, "elements"));
    let join = measured(&solo, "text/join");
    let written = &join.readings[1];
    assert_eq!((written.metric.name.as_str(), written.metric.kind), ("written", Kind::Exact));
    assert!(written.lives.len() == 2 && written.lives.iter().all(|life| life.values() == [1000.0]));
}

#[test]
fn a_suite_in_rust_is_measured_and_where_the_time_went_is_known() {
    let worker = example("steady");
    let solo = solo(&[worker.to_str().expect("a path")], Duration::from_millis(1));
    assert_eq!(solo.outcomes.len(), 20);
    for name in solo.outcomes.keys() {
        assert!(measured(&solo, name.as_str()).readings[0].lives.len() >= 2);
    }
    let overhead = solo.overhead;
    assert!(!overhead.inside.is_zero() && overhead.inside <= overhead.slicing && overhead.slicing <= overhead.whole);
    assert_eq!(solo.notes["inside_slices_pct"], format!("{:.1}", overhead.inside_pct()));
}
