//! A ledger that grew for years. `TACHOGRAPH_SOAK=100 cargo test --release -p tachograph --test main large -- --nocapture`
//! makes it 10,000 runs of 50 series and prints what it costs.

use std::collections::BTreeMap;
use std::time::Instant;

use tachograph::domain::{
    BenchmarkName, Commit, CommitId, Life, Machine, Measured, Metric, Outcome, Reading, Run, Subject, SuiteName,
};
use tachograph::record::Arrival;

use super::{clone, ids, store};
use crate::along::Stream;
use crate::world::{World, soak};

const SERIES: usize = 50;

/// A run of many benchmarks, each of seven lives of thirty samples: what a minute of measuring yields.
fn run(number: u32, stream: &mut Stream) -> Run {
    let mut outcome = |at: usize| {
        let level = 1000.0 * 1.3_f64.powi(i32::try_from(at).expect("few")) * (0.01 * stream.normal()).exp();
        let mut life = || {
            let luck = level * (0.004 * stream.normal()).exp();
            let samples = (0..30).map(|_| luck * (0.01 * stream.normal()).exp()).collect();
            Life::new(samples).expect("finite")
        };
        let reading = Reading { metric: Metric::time(), lives: (0..7).map(|_| life()).collect() };
        Outcome::Measured(Measured { readings: vec![reading], cores: 1, notes: BTreeMap::new() })
    };
    let outcomes = (0..SERIES).map(|at| (BenchmarkName::new(format!("kernel/{at}")).expect("a name"), outcome(at)));
    let outcomes = outcomes.collect();
    let id = |number: u32| CommitId::new(format!("{number:040x}")).expect("a hash");
    let commit = Commit {
        id: id(number + 1),
        parents: (number > 0).then(|| id(number)).into_iter().collect(),
        committed_at_s: 1_600_000_000 + 3600 * i64::from(number),
        subject: format!("Change {number}"),
    };
    let notes = [("compiler", "rustc 1.95.0"), ("kernel", "6.1.0"), ("load", "0.31 0.27 0.19"), ("steal", "0.0 %")];
    Run {
        suite: SuiteName::new("engine").expect("a name"),
        subject: Subject::Commit(commit),
        machine: Machine::Named("lorry".to_owned()),
        source: "run".to_owned(),
        started_at_s: 1_600_000_100 + 3600 * i64::from(number),
        elapsed_ns: 60_000_000_000,
        notes: notes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        pulse: None,
        outcomes,
        attachments: Vec::new(),
    }
}

#[test]
fn a_ledger_of_many_runs_stays_small_and_one_run_more_costs_little() {
    let runs = u32::try_from((60 * soak()).min(10_000)).expect("few");
    let world = World::new().with_remote();
    let mut stream = Stream::seeded(9);
    {
        let mut store = store(&world.root());
        for begin in (0..runs).step_by(200) {
            let batch: Vec<Run> = (begin..runs.min(begin + 200)).map(|number| run(number, &mut stream)).collect();
            let ids: Vec<_> = batch.iter().map(Run::id).collect();
            let arrivals: Vec<Arrival<'_>> =
                batch.iter().zip(&ids).map(|(run, id)| Arrival { id, run, gists: None }).collect();
            store.take_in(&arrivals).expect("taken in");
        }
    }
    let timed = |folder: &std::path::Path, args: &[&str]| {
        let begun = Instant::now();
        let out = world.ended_in(folder, 0, args).out;
        println!("{args:?}: {:.2} s: {}", begun.elapsed().as_secs_f64(), out.trim_end());
    };
    timed(&world.root(), &["push"]);
    let reader = clone(&world, "reader", &["--depth=1"]);
    timed(&reader, &["pull"]);
    assert_eq!(ids(&reader), ids(&world.root()));
    let objects = world.git_in(&reader, &["count-objects", "-v"]);
    let of = |key: &str| -> u64 {
        let line = objects.lines().find_map(|line| line.strip_prefix(key)).expect("a line");
        line.trim().parse().expect("a number")
    };
    let kib = of("size-pack:") + of("size:");
    println!("{runs} runs of {SERIES} series: {kib} KiB to fetch");
    assert!(kib < 5 * u64::from(runs) + 200, "at this rate 10,000 runs are more than 50 MB: {kib} KiB for {runs}");
    // One more.
    store(&world.root()).record(&run(runs, &mut stream)).expect("recorded");
    timed(&world.root(), &["push"]);
    timed(&reader, &["pull"]);
    assert_eq!(ids(&reader).len(), usize::try_from(runs).expect("few") + 1);
    timed(&world.root(), &["compact"]);
    let fresh = clone(&world, "fresh", &["--depth=1"]);
    timed(&fresh, &["pull"]);
    assert_eq!(ids(&fresh).len(), ids(&reader).len());
}
