//! Many writers at once, and writers that are killed.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

use tachograph::domain::{Metric, Outcome, Reading, RecordId, Run};
use tachograph::record::{RecordError, Recorded, Store};

use super::again::{rounds, task, tell, this_program};
use super::shelf::{Shelf, address, commit, life, name, small_run};

const WRITER: &str = "record::writers::a_writer_records_what_it_is_told";

/// A run of 40 benchmarks that differs from every other.
fn wide_run(writer: u32, number: u32) -> Run {
    let mut run = small_run(commit(number + 1, &[], i64::from(number)), &[1.0]);
    run.started_at_s = i64::from(writer);
    let Some(Outcome::Measured(measured)) = run.outcomes.get(&name("kernel/matmul/64")).cloned() else { panic!() };
    for benchmark in 0..40 {
        let values: Vec<f64> = (0..20).map(|sample| f64::from(sample * 37 % 100 + benchmark) + 5000.5).collect();
        let readings = vec![Reading { metric: Metric::time(), lives: vec![life(&values)] }];
        let measured = tachograph::domain::Measured { readings, ..measured.clone() };
        run.outcomes.insert(name(&format!("wide/{benchmark}")), Outcome::Measured(measured));
    }
    run
}

/// Does the work of the processes below; alone, it records three runs.
#[test]
fn a_writer_records_what_it_is_told() {
    let shelf = Shelf::new();
    let own = format!("3 7 {}", shelf.folder().join("store.db").display());
    let task = task().unwrap_or(own);
    let mut words = task.splitn(3, ' ');
    let count: u32 = words.next().and_then(|word| word.parse().ok()).expect("a count");
    let writer: u32 = words.next().and_then(|word| word.parse().ok()).expect("a number");
    let file = words.next().expect("a file");
    let mut out = std::io::stdout().lock();
    for number in 0..count {
        // Opened anew each time, as each process of the program does.
        let mut store = Store::open(&address(file.as_ref())).unwrap();
        let recorded = store.record(&wide_run(writer, number)).unwrap();
        assert!(matches!(recorded, Recorded::New(_)));
        writeln!(out, "\nrecorded {}", recorded.id()).unwrap();
        out.flush().unwrap();
    }
}

fn writer(shelf: &Shelf, number: usize, count: usize) -> Child {
    let task = format!("{count} {number} {}", shelf.folder().join("store.db").display());
    this_program(WRITER, &task).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a writer")
}

fn reported(line: &str) -> Option<RecordId> {
    RecordId::parse(line.strip_prefix("recorded ")?)
}

fn all_ids(shelf: &Shelf) -> HashSet<RecordId> {
    let mut ids = HashSet::new();
    let mut store = Store::open_to_read(&shelf.address()).expect("the store");
    // Each is read whole, and its content is checked against its identity.
    store
        .each_run(|id, _| -> Result<(), RecordError> {
            ids.insert(id.clone());
            Ok(())
        })
        .expect("every run is whole");
    ids
}

#[test]
fn sixteen_writers_lose_nothing_and_are_never_turned_away() {
    let shelf = Shelf::new();
    let each = rounds(4, 50);
    // The store is not there yet: they make it at the same time, too.
    let writers: Vec<Child> = (0..16).map(|number| writer(&shelf, number, each)).collect();
    let mut told = HashSet::new();
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        told.extend(String::from_utf8_lossy(&output.stdout).lines().filter_map(reported));
    }
    assert_eq!(told.len(), 16 * each);
    assert_eq!(all_ids(&shelf), told);
    assert_eq!(shelf.sqlite3("PRAGMA integrity_check"), "ok");
    assert_eq!(shelf.sqlite3("PRAGMA foreign_key_check"), "");
    tell(&format!("16 processes × {each} runs into one store: {} of {}", told.len(), 16 * each));
}

#[test]
fn a_writer_that_is_killed_leaves_every_run_whole_or_not_there() {
    let shelf = Shelf::new();
    let kills = rounds(12, 200);
    let mut told = HashSet::new();
    let mut moment = 1_u64;
    for kill in 0..kills {
        let mut child = writer(&shelf, kill, 1_000_000);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Any moment will do: some are in the middle of the first run, some later.
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let runs = usize::try_from(moment >> 61).unwrap();
        told.extend(lines.by_ref().filter_map(|line| reported(&line)).take(runs));
        for spin in 0..(moment >> 40) % 4_000_000 {
            std::hint::black_box(spin);
        }
        child.kill().unwrap();
        told.extend(lines.filter_map(|line| reported(&line)));
        assert!(!child.wait().unwrap().success());
    }
    let stored = all_ids(&shelf);
    let lost: Vec<&RecordId> = told.difference(&stored).collect();
    assert!(lost.is_empty(), "reported as recorded and not there: {lost:?}");
    // At most one a kill was committed and not yet reported.
    assert!(stored.len() <= told.len() + kills, "{} stored, {} reported", stored.len(), told.len());
    assert_eq!(shelf.sqlite3("PRAGMA integrity_check"), "ok");
    assert_eq!(shelf.sqlite3("PRAGMA foreign_key_check"), "");
    tell(&format!(
        "{kills} kills in the middle of writing: {} runs reported, {} of them there, {} in all",
        told.len(),
        told.intersection(&stored).count(),
        stored.len()
    ));
}
