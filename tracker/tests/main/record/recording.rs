//! What is recorded comes back.

use proptest::prelude::*;
use tachograph::domain::{BenchmarkName, Measured, Metric, Notes, Outcome, Pattern, Reading, Run, Subject};
use tachograph::record::{Found, RecordError, Recorded, Wanted};

use super::any_run::any_run;
use super::shelf::{Shelf, commit, full_run, life, name, small_run};

#[test]
fn a_run_comes_back_as_it_was_recorded() {
    let shelf = Shelf::new();
    let run = full_run();
    let recorded = shelf.store().record(&run).unwrap();
    assert_eq!(recorded, Recorded::New(run.id()));
    assert_eq!(shelf.store().run(&run.id()).unwrap(), Some(run));
}

#[test]
fn recording_a_run_twice_is_recording_it_once() {
    let shelf = Shelf::new();
    let run = full_run();
    let mut store = shelf.store();
    store.record(&run).unwrap();
    assert_eq!(store.record(&run).unwrap(), Recorded::Known(run.id()));
    drop(store);
    assert_eq!(shelf.sqlite3("SELECT count(*) FROM runs"), "1");
}

/// A run without its outcomes, and these one after the other.
fn in_parts(run: &Run) -> (Run, impl Iterator<Item = (BenchmarkName, Outcome)> + use<>) {
    let mut head = run.clone();
    head.attachments.clear();
    let outcomes = std::mem::take(&mut head.outcomes);
    (head, outcomes.into_iter())
}

#[test]
fn a_run_that_is_told_in_parts_is_the_run_told_whole() {
    let shelf = Shelf::new();
    let mut run = full_run();
    run.attachments.clear();
    // More than are written together, and one that is written by itself.
    for number in 0..200_u32 {
        let values = vec![f64::from(number) + 0.5; if number == 70 { 70_000 } else { 3 }];
        let reading = Reading { metric: Metric::time(), lives: vec![life(&values)] };
        let measured = Measured { readings: vec![reading], cores: 1, notes: Notes::new() };
        run.outcomes.insert(name(&format!("part/{number}")), Outcome::Measured(measured));
    }
    let mut store = shelf.store();
    let mut record = |run: &Run| {
        let (head, mut outcomes) = in_parts(run);
        store.record_in_parts::<RecordError>(&head, || Ok(outcomes.next()))
    };
    assert_eq!(record(&run).unwrap(), Recorded::New(run.id()));
    assert_eq!(record(&run).unwrap(), Recorded::Known(run.id()));
    assert_eq!(store.record(&run).unwrap(), Recorded::Known(run.id()));
    assert_eq!(store.run(&run.id()).unwrap(), Some(run));
    drop(store);
    assert_eq!(shelf.sqlite3("SELECT count(*) FROM runs"), "1");
    assert_eq!(shelf.sqlite3("SELECT count(*) FROM points"), shelf.sqlite3("SELECT count(*) FROM samples"));
}

#[test]
fn of_a_run_that_breaks_off_or_is_out_of_order_nothing_is_recorded() {
    let shelf = Shelf::new();
    let (head, outcomes) = in_parts(&full_run());
    let outcomes: Vec<_> = outcomes.collect();
    assert!(outcomes.len() > 1);
    let mut store = shelf.store();
    let mut left = outcomes.clone().into_iter();
    let broken = || left.next().map(Some).ok_or_else(|| RecordError::Unusable("it broke off".to_owned()));
    let error = store.record_in_parts(&head, broken).unwrap_err().to_string();
    assert!(error.contains("it broke off"), "{error}");
    let mut backwards = outcomes.into_iter().rev();
    let error = store.record_in_parts::<RecordError>(&head, || Ok(backwards.next())).unwrap_err().to_string();
    assert!(error.contains("was told after"), "{error}");
    let error = store.record_in_parts::<RecordError>(&full_run(), || Ok(None)).unwrap_err().to_string();
    assert!(error.contains("begins with a part already"), "{error}");
    drop(store);
    for table in ["runs", "benchmarks", "points", "failed"] {
        assert_eq!(shelf.sqlite3(&format!("SELECT count(*) FROM {table}")), "0", "{table}");
    }
}

#[test]
fn a_run_that_nobody_recorded_is_not_found() {
    let shelf = Shelf::new();
    assert_eq!(shelf.store().run(&full_run().id()).unwrap(), None);
}

#[test]
fn the_sqlite3_program_reads_the_store() {
    let shelf = Shelf::new();
    shelf.store().record(&full_run()).unwrap();
    let points = shelf.sqlite3(
        "SELECT b.name, m.name, p.level, p.lives, p.samples FROM points p JOIN series s ON s.id = p.series_id \
         JOIN benchmarks b ON b.id = s.benchmark_id JOIN metrics m ON m.id = s.metric_id ORDER BY p.place",
    );
    assert_eq!(points, "kernel/matmul/64|time|5002.4375|2|5\nkernel/matmul/64|allocations|17.5|2|2");
    assert_eq!(shelf.sqlite3("SELECT reason FROM failed WHERE ended = 'signal' AND ended_code = 11"), "crashed");
    assert_eq!(shelf.sqlite3("PRAGMA integrity_check"), "ok");
    assert_eq!(shelf.sqlite3("PRAGMA foreign_key_check"), "");
}

#[test]
fn a_metric_that_was_read_twice_or_not_at_all_is_refused() {
    let shelf = Shelf::new();
    let with_readings = |readings: &[Reading]| -> Run {
        let mut run = small_run(commit(1, &[], 100), &[1.0]);
        let Some(Outcome::Measured(measured)) = run.outcomes.get_mut(&name("kernel/matmul/64")) else { panic!() };
        measured.readings = readings.to_vec();
        run
    };
    let time = |lives| Reading { metric: Metric::time(), lives };
    let mut store = shelf.store();
    for readings in [&[time(vec![])][..], &[time(vec![life(&[2.0])]), time(vec![life(&[3.0])])]] {
        let error = store.record(&with_readings(readings)).unwrap_err();
        assert!(matches!(error, RecordError::Unusable(_)), "{error}");
    }
    drop(store);
    assert_eq!(shelf.sqlite3("SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM benchmarks)"), "0");
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_identity() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let runs: Vec<Run> = (1..=40).map(|number| small_run(commit(number, &[], 100), &[f64::from(number)])).collect();
    for run in &runs {
        store.record(run).unwrap();
    }
    let id = runs[4].id();
    assert_eq!(store.find_run(&id.as_str()[..20]).unwrap(), Found::One(id.clone()));
    assert_eq!(store.find_run(id.as_str()).unwrap(), Found::One(id.clone()));
    let shared = &id.as_str()[..1];
    let alike = runs.iter().filter(|run| run.id().as_str().starts_with(shared)).count();
    match store.find_run(shared).unwrap() {
        Found::One(found) => assert_eq!((&found, alike), (&id, 1)),
        Found::Several(found) => assert!(found.len() == alike.min(5) && alike > 1),
        Found::None => panic!("a run that is there was not found"),
    }
    for none in ["", "zz", "%", "' OR 1", &format!("{id}0")] {
        assert_eq!(store.find_run(none).unwrap(), Found::None, "{none}");
    }
}

#[test]
fn runs_are_listed_newest_first_in_a_line_each() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let mut old = small_run(commit(1, &[], 100), &[1.0]);
    old.started_at_s = 5;
    store.record(&full_run()).unwrap();
    store.record(&old).unwrap();
    let lines = store.newest_runs(10).unwrap();
    let full = full_run();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0].id, lines[0].dirty, lines[0].measured, lines[0].failed), (&full.id(), true, 1, 4));
    assert_eq!(lines[0].commit, full.subject.commit().id);
    assert_eq!((lines[0].started_at_s, lines[0].elapsed_ns), (1_790_000_001, 62_000_000_002));
    assert_eq!((lines[0].source.as_str(), lines[0].machine.as_str()), ("import criterion", &*full.machine.title()));
    assert_eq!((&lines[1].id, lines[1].dirty, lines[1].measured, lines[1].failed), (&old.id(), false, 1, 0));
    assert_eq!(store.newest_runs(1).unwrap().len(), 1);
}

#[test]
fn every_run_is_visited_once_in_the_order_of_recording() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let runs: Vec<Run> = (1..=300).map(|number| small_run(commit(number, &[], 100), &[f64::from(number)])).collect();
    for run in &runs {
        store.record(run).unwrap();
    }
    let mut visited = Vec::new();
    store
        .each_run(|_, run| -> Result<(), RecordError> {
            visited.push(run);
            Ok(())
        })
        .unwrap();
    assert_eq!(visited, runs);
    store.record(&full_run()).unwrap();
}

#[test]
fn a_series_is_found_by_benchmark_suite_metric_and_machine() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    store.record(&full_run()).unwrap();
    store.record(&small_run(commit(1, &[], 100), &[1.0])).unwrap();
    let mut count = |wanted: Wanted| store.series(&wanted).unwrap().len();
    assert_eq!(count(Wanted::all()), 3);
    assert_eq!(count(Wanted { benchmark: Pattern::new("crash"), ..Wanted::all() }), 0);
    assert_eq!(count(Wanted { benchmark: Pattern::new("kernel/*"), ..Wanted::all() }), 3);
    assert_eq!(count(Wanted { suite: Some(Pattern::new("=engine")), ..Wanted::all() }), 3);
    assert_eq!(count(Wanted { suite: Some(Pattern::new("=other")), ..Wanted::all() }), 0);
    assert_eq!(count(Wanted { metric: Some(Pattern::new("alloc")), ..Wanted::all() }), 1);
    assert_eq!(count(Wanted { machine: Some("lorry".to_owned()), ..Wanted::all() }), 1);
    let id = full_run().machine.id();
    assert_eq!(count(Wanted { machine: Some(id.short().to_owned()), ..Wanted::all() }), 2);
}

#[test]
fn the_points_of_a_series_lead_to_their_samples() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let run = small_run(commit(3, &[], 300), &[10.0, 12.0, 11.0]);
    store.record(&run).unwrap();
    let series = store.series(&Wanted::all()).unwrap().remove(0);
    let points = store.points(&series, usize::MAX).unwrap();
    assert_eq!(points.len(), 1);
    assert_eq!((&points[0].run, &points[0].commit), (&run.id(), &run.subject.commit().id));
    assert_eq!((points[0].level, points[0].interval, points[0].lives, points[0].samples), (11.0, None, 1, 3));
    assert_eq!(points[0].committed_at_s, 300);
    assert_eq!(store.lives(&series, &run.id()).unwrap(), [life(&[10.0, 12.0, 11.0])]);
    assert_eq!(store.lives(&series, &full_run().id()).unwrap(), []);
}

#[test]
fn a_working_tree_with_changes_is_no_point_of_a_series() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let mut run = small_run(commit(3, &[], 300), &[10.0]);
    run.subject = Subject::Dirty { on: commit(3, &[], 300), digest: "0ff".to_owned() };
    store.record(&run).unwrap();
    let series = store.series(&Wanted::all()).unwrap().remove(0);
    assert_eq!(store.points(&series, 10).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_runs_come_back_as_they_were_recorded(runs in proptest::collection::vec(any_run(), 1..5)) {
        let shelf = Shelf::new();
        let mut store = shelf.store();
        for run in &runs {
            store.record(run).unwrap();
        }
        for run in &runs {
            let read = store.run(&run.id()).unwrap().unwrap();
            prop_assert_eq!(&read, run);
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(run).unwrap());
        }
    }
}
