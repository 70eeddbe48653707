//! Tables and lines: what a finished run looks like to a person and to a program.

use std::collections::BTreeMap;

use tachograph::domain::{
    BenchmarkName, Commit, CommitId, Life, Machine, Measured, Metric, Outcome, Reading, Run, Subject, SuiteName,
};
use tachograph::show;
use tachograph::show::style::Style;
use tachograph_harness::Suite;

const BENCHMARKS: usize = 200;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    suite
        .benchmark("show/run/200", || {
            let run = run();
            move || show::run::text(&run, Style { colour: true, width: Some(120) }).lines().count()
        })
        .elements(BENCHMARKS)
        .check(|&lines| if lines > BENCHMARKS { Ok(()) } else { Err(format!("only {lines} lines")) });

    suite
        .benchmark("show/line/200", || {
            let run = run();
            move || {
                let id = run.id();
                let line = show::line::Line::run(&id, &run);
                serde_json::to_string(&line).map_or(0, |text| text.matches("\"time\"").count())
            }
        })
        .elements(BENCHMARKS)
        .expect(BENCHMARKS);
}

fn run() -> Run {
    let values = |from: usize| (0..100).map(|index| 5000.0 + ((from * 31 + index * 17) % 97) as f64 / 10.0).collect();
    let outcome = |index: usize| {
        let lives = vec![Life::new(values(index)).expect("finite"), Life::new(values(index + 1)).expect("finite")];
        let readings = vec![Reading { metric: Metric::time(), lives }];
        Outcome::Measured(Measured { readings, cores: 1, notes: BTreeMap::new() })
    };
    let name = |index: usize| BenchmarkName::new(format!("kernel/{index:04}")).expect("a name");
    Run {
        suite: SuiteName::new("rendering").expect("a name"),
        subject: Subject::Commit(Commit {
            id: CommitId::new("0123456789".repeat(4)).expect("a hash"),
            parents: Vec::new(),
            committed_at_s: 1_790_000_000,
            subject: "a commit to be shown".to_owned(),
        }),
        machine: Machine::Named("lorry".to_owned()),
        started_at_s: 1_790_000_100,
        elapsed_ns: 60_000_000_000,
        source: "run".to_owned(),
        notes: BTreeMap::new(),
        pulse: None,
        outcomes: (0..BENCHMARKS).map(|index| (name(index), outcome(index))).collect(),
        attachments: Vec::new(),
    }
}
