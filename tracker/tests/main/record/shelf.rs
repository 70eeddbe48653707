//! A folder with a store in it, and runs to put there.

use std::collections::BTreeMap;
use std::path::Path;

use tachograph::domain::{
    Attachment, BenchmarkName, Commit, CommitId, Direction, Ended, Fingerprint, Kind, Life, Machine, Measured, Metric,
    Outcome, Pulse, Reading, Run, Subject, SuiteName, Trouble, Unit,
};
use tachograph::record::{Address, RecordError, Store};
use tempfile::TempDir;

/// A temporary folder whose store is `store.db`.
pub(crate) struct Shelf {
    folder: TempDir,
}

impl Shelf {
    pub(crate) fn new() -> Shelf {
        Shelf { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn address(&self) -> Address {
        address(&self.folder().join("store.db"))
    }

    pub(crate) fn store(&self) -> Store {
        self.open().expect("a store")
    }

    pub(crate) fn open(&self) -> Result<Store, RecordError> {
        Store::open(&self.address())
    }

    /// The files of the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.folder().read_dir().expect("the folder").map(|entry| entry.expect("an entry"));
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// What the `sqlite3` program answers.
    pub(crate) fn sqlite3(&self, sql: &str) -> String {
        sqlite3(&self.folder().join("store.db"), sql)
    }
}

pub(crate) fn address(file: &Path) -> Address {
    Address::parse(file.to_str().expect("UTF-8"), Path::new("/")).expect("an address")
}

pub(crate) fn sqlite3(file: &Path, sql: &str) -> String {
    let output = std::process::Command::new("sqlite3").arg(file).arg(sql).output().expect("sqlite3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// A commit whose hash is its number.
pub(crate) fn commit(number: u32, parents: &[u32], committed_at_s: i64) -> Commit {
    let id = |number: u32| CommitId::new(format!("{number:040x}")).expect("a hash");
    Commit {
        id: id(number),
        parents: parents.iter().map(|&parent| id(parent)).collect(),
        committed_at_s,
        subject: format!("Change {number}"),
    }
}

pub(crate) fn life(values: &[f64]) -> Life {
    Life::new(values.to_vec()).expect("values")
}

pub(crate) fn name(text: &str) -> BenchmarkName {
    BenchmarkName::new(text).expect("a name")
}

/// A small run on a machine that has only a name.
pub(crate) fn small_run(commit: Commit, values: &[f64]) -> Run {
    let readings = vec![Reading { metric: Metric::time(), lives: vec![life(values)] }];
    let measured = Measured { readings, cores: 1, notes: BTreeMap::new() };
    Run {
        suite: SuiteName::new("engine").expect("a name"),
        subject: Subject::Commit(commit),
        machine: Machine::Named("lorry".to_owned()),
        started_at_s: 1_790_000_000,
        elapsed_ns: 61_000_000_000,
        source: "run".to_owned(),
        notes: BTreeMap::new(),
        pulse: None,
        outcomes: BTreeMap::from([(name("kernel/matmul/64"), Outcome::Measured(measured))]),
        attachments: Vec::new(),
    }
}

/// A run in which every field has a value of its own.
pub(crate) fn full_run() -> Run {
    let fingerprint = Fingerprint {
        cpu: "Imaginary 9000".to_owned(),
        arch: "x86_64".to_owned(),
        os: "linux".to_owned(),
        cores: 6,
        threads_per_core: Some(2),
        caches_bytes: BTreeMap::from([("L1d".to_owned(), 32_768), ("L2".to_owned(), 524_288)]),
        memory_gib: 23,
        governor: Some("performance".to_owned()),
        virtualisation: Some("kvm".to_owned()),
    };
    let allocations = Metric {
        name: "allocations".to_owned(),
        unit: Unit::new("count"),
        better: Direction::Higher,
        kind: Kind::Exact,
    };
    let measured = Measured {
        readings: vec![
            Reading {
                metric: Metric::time(),
                lives: vec![life(&[5001.5, 5002.25]), life(&[4999.125, 5003.0, 5004.75])],
            },
            Reading { metric: allocations, lives: vec![life(&[17.0]), life(&[18.0])] },
        ],
        cores: 4,
        notes: notes(&[("argument", "--quick")]),
    };
    let crashed = Trouble {
        reason: "crashed".to_owned(),
        ended: Some(Ended::Signal(11)),
        stderr_tail: "thread 'main' panicked\n".to_owned(),
    };
    let hung =
        Trouble { reason: "timed out after 10 s".to_owned(), ended: Some(Ended::Killed), stderr_tail: String::new() };
    let left =
        Trouble { reason: "ended early".to_owned(), ended: Some(Ended::Status(3)), stderr_tail: "bye".to_owned() };
    let wrong = Trouble { reason: "answered 3, expected 4".to_owned(), ended: None, stderr_tail: "hm".to_owned() };
    Run {
        suite: SuiteName::new("engine").expect("a name"),
        subject: Subject::Dirty { on: commit(7, &[5, 6], 1_780_000_007), digest: "d1617".to_owned() },
        machine: Machine::Fingerprint(fingerprint),
        started_at_s: 1_790_000_001,
        elapsed_ns: 62_000_000_002,
        source: "import criterion".to_owned(),
        notes: notes(&[("kernel", "6.1"), ("load", "0.25")]),
        pulse: Some((
            Pulse { round_trip_ns: Some(50.5), bandwidth_gb_s: Some(86.25) },
            Pulse { round_trip_ns: Some(360.75), bandwidth_gb_s: None },
        )),
        outcomes: BTreeMap::from([
            (name("kernel/matmul/64"), Outcome::Measured(measured)),
            (name("kernel/crash"), Outcome::Failed(crashed)),
            (name("kernel/hang"), Outcome::Failed(hung)),
            (name("kernel/left"), Outcome::Failed(left)),
            (name("kernel/wrong"), Outcome::Failed(wrong)),
        ]),
        attachments: vec![Attachment {
            benchmark: name("kernel/matmul/64"),
            kind: "profile".to_owned(),
            content: serde_json::json!({"scopes": [{"name": "inner", "self_ns": 12.5}]}),
        }],
    }
}

fn notes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}
