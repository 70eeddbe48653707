//! The store: writing a large run, reading it, and finding one series among ten million points.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tachograph::domain::{
    BenchmarkName, Commit, CommitId, Life, Line, Machine, Measured, Metric, Order, Outcome, Pattern, Reading, Run,
    SeriesTrend, Subject, SuiteName, Trend,
};
use tachograph::record::{Address, Store, Wanted};
use tachograph::show::log;
use tachograph::show::style::Style;
use tachograph_harness::Suite;

const SERIES: usize = 1000;
const SAMPLES: usize = 100;

/// How many runs of a thousand series the large store holds: ten million points.
const RUNS: usize = 10_000;

/// After so many runs a new store is begun, lest the disk fill up; what that takes is spread over them all.
const RUNS_A_STORE: i64 = 50;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    suite
        .benchmark("store/record/1000x100", || {
            let scratch = Scratch::new("record");
            let mut run = run(SERIES, SAMPLES);
            let mut store = open(&scratch.file(0));
            move || {
                run.started_at_s += 1;
                if run.started_at_s % RUNS_A_STORE == 0 {
                    store = open(&scratch.file(run.started_at_s));
                    fs::remove_file(scratch.file(run.started_at_s - RUNS_A_STORE)).expect("the old store");
                }
                store.record(&run).expect("recorded")
            }
        })
        .elements(SERIES);

    suite
        .benchmark("store/read/1000x100", || {
            let scratch = Scratch::new("read");
            let mut store = open(&scratch.file(0));
            let id = store.record(&run(SERIES, SAMPLES)).expect("recorded").id().clone();
            move || {
                let _kept = &scratch;
                store.run(&id).expect("read").map(|run| run.measured())
            }
        })
        .elements(SERIES)
        .expect(Some(SERIES));

    suite
        .benchmark("store/log/one-of-10M", || {
            let large = large_store();
            move || {
                let mut store = Store::open_to_read(&large).expect("the large store");
                let benchmark = Pattern::new("=kernel/0500");
                let found = store.series(&Wanted { benchmark, ..Wanted::all() }).expect("series");
                let points = store.points(&found[0], log::SPARK_POINTS).expect("points");
                // Without its levels, for which all runs of the store are read.
                let series = found[0].series.clone();
                let trend = SeriesTrend {
                    series,
                    marks: Vec::new(),
                    trend: Trend::default(),
                    toolchains: Vec::new(),
                    brought: 0,
                    left_out: 0,
                };
                let line = Line::new(Vec::new(), Order::Date);
                let past = log::Past { points: &points, rows: 20, trend: &trend, line: &line, accepted: &[] };
                log::text(&found[0].series, past, Style::default()).lines().count()
            }
        })
        .expect(23);

    suite
        .benchmark("store/points/10k-of-10M", || {
            let mut store = Store::open_to_read(&large_store()).expect("the large store");
            let benchmark = Pattern::new("=kernel/0501");
            let found = store.series(&Wanted { benchmark, ..Wanted::all() }).expect("series");
            move || store.points(&found[0], usize::MAX).expect("points").len()
        })
        .elements(RUNS)
        .expect(RUNS);
}

/// A run of many benchmarks whose times scatter by a percent or two, as real ones do.
fn run(series: usize, samples: usize) -> Run {
    let mut state = 7_u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut outcomes = BTreeMap::new();
    for number in 0..series {
        let level = 1000.0 + number as f64 * 13.0;
        let mut life = |count: usize| {
            let values = (0..count).map(|_| level * (1.0 + 0.02 * noise())).collect();
            Life::new(values).expect("finite values")
        };
        let lives = (0..samples.div_ceil(20)).map(|_| life(samples.min(20))).collect();
        let readings = vec![Reading { metric: Metric::time(), lives }];
        let name = BenchmarkName::new(format!("kernel/{number:04}")).expect("a name");
        outcomes.insert(name, Outcome::Measured(Measured { readings, cores: 1, notes: BTreeMap::new() }));
    }
    let id = CommitId::new("c0ffee".repeat(7)[..40].to_owned()).expect("a hash");
    Run {
        suite: SuiteName::new("engine").expect("a name"),
        subject: Subject::Commit(Commit { id, parents: vec![], committed_at_s: 0, subject: "Begin".to_owned() }),
        machine: Machine::Named("lorry".to_owned()),
        started_at_s: 0,
        elapsed_ns: 60_000_000_000,
        source: "run".to_owned(),
        notes: BTreeMap::new(),
        pulse: None,
        outcomes,
        attachments: vec![],
    }
}

/// A folder on the disk of the build, where stores really are written; it goes when the benchmark is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let shelf = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for entry in fs::read_dir(shelf).expect("the build's scratch folder") {
            let path = entry.expect("an entry").path();
            let left_by = path.extension().and_then(|end| end.to_str()).and_then(|end| end.strip_prefix("scratch-"));
            // A worker that was killed could not clear up; a second one that does so at the same time does no harm.
            if left_by.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
                let _ = fs::remove_dir_all(path);
            }
        }
        let folder = shelf.join(format!("{name}.scratch-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a scratch folder");
        Scratch(folder)
    }

    fn file(&self, number: i64) -> PathBuf {
        self.0.join(format!("{number}.db"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The next one tries again.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(file: &Path) -> Store {
    Store::open(&address(file)).expect("a store")
}

fn address(file: &Path) -> Address {
    Address::parse(&file.to_string_lossy(), Path::new("/")).expect("an address")
}

/// The store of ten million points. It is made once and kept with the build; its name has a number that changes with how it
/// is made. The first run is recorded, the others are copies of it made by the `sqlite3` program.
fn large_store() -> Address {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ten-million-points-1.db");
    if !place.exists() {
        let half = place.with_extension(format!("{}.half", std::process::id()));
        open(&half).record(&run(SERIES, 1)).expect("the first run");
        // A text that begins with a comment would be taken for an option.
        let script = concat!("\n", include_str!("ten_million_points.sql"));
        let made = Command::new("sqlite3").arg(&half).arg(script).output();
        let made = made.expect("the sqlite3 program makes the large store");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::rename(&half, &place).expect("the large store in its place");
    }
    address(&place)
}
