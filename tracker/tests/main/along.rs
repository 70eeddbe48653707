//! A repository of many commits, and runs of them that were never measured: their numbers are made.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use tachograph::domain::{
    BenchmarkName, Bout, Commit, CommitId, Contest, Duel, Life, Machine, Measured, Metric, Outcome, Reading, Readings,
    Run, Side, Subject, SuiteName,
};
use tachograph::record::{Address, Store};
use tachograph::repo::Repository;

use crate::world::World;

/// Standard normal numbers that are the same for the same seed.
pub(crate) struct Stream(Pcg64Mcg);

impl Stream {
    pub(crate) fn seeded(seed: u64) -> Stream {
        Stream(Pcg64Mcg::seed_from_u64(seed))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

impl World {
    /// Adds commits to the main branch, a day apart, and returns them, oldest first.
    pub(crate) fn with_line(&self, count: u32) -> Vec<Commit> {
        let mut stream = String::new();
        for number in 0..count {
            let from = if number == 0 { String::new() } else { format!("from :{number}\n") };
            let commit = format!(
                "commit refs/heads/main\nmark :{}\ncommitter A <a@example.invalid> {} +0000\ndata <<E\nChange {number}\nE\n\
                 {from}M 644 inline file\ndata <<E\n{number}\nE\n\n",
                number + 1,
                1_770_000_000 + 86_400 * u64::from(number)
            );
            stream += &commit;
        }
        self.fast_import(&stream);
        let line = Repository::discover(&self.root()).expect("a repository").main_line().expect("a line");
        assert_eq!(line.len(), count as usize);
        line
    }

    /// Gives git a stream of commits.
    pub(crate) fn fast_import(&self, stream: &str) {
        let mut git = Command::new("git");
        git.args(["fast-import", "--quiet", "--force"]).current_dir(self.root()).stdin(Stdio::piped());
        git.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.path("home"));
        let mut child = git.spawn().expect("git runs");
        child.stdin.take().expect("a pipe").write_all(stream.as_bytes()).expect("git listens");
        assert!(child.wait().expect("git ends").success());
    }

    /// The store of the repository, made where there is none.
    pub(crate) fn open_store(&self) -> Store {
        Store::open(&Address::of_repository(&self.root()).expect("an address")).expect("a store")
    }
}

/// A run with one value for each benchmark.
pub(crate) fn made(commit: &Commit, machine: &str, values: &[(&str, f64)]) -> Run {
    let outcome = |value: f64| {
        let lives = vec![Life::new(vec![value]).expect("finite")];
        let readings = vec![Reading { metric: Metric::time(), lives }];
        Outcome::Measured(Measured { readings, cores: 1, notes: BTreeMap::new() })
    };
    Run {
        suite: SuiteName::new("made").expect("a name"),
        subject: Subject::Commit(commit.clone()),
        machine: Machine::Named(machine.to_owned()),
        started_at_s: commit.committed_at_s + 60,
        elapsed_ns: 1,
        source: "run".to_owned(),
        notes: BTreeMap::new(),
        pulse: None,
        outcomes: values
            .iter()
            .map(|(name, value)| (BenchmarkName::new(*name).expect("a name"), outcome(*value)))
            .collect(),
        attachments: Vec::new(),
    }
}

/// A duel of one benchmark, `decode`, with one log-ratio for each life.
pub(crate) fn dueled(base: &Commit, head: &Commit, machine: &str, lives: &[f64], notes: &[(&str, &str)]) -> Duel {
    let lives = lives.iter().map(|log| Life::new(vec![*log]).expect("finite")).collect();
    let readings = Readings::Paired { lives, null: vec![] };
    let contest = Contest { metric: Metric::time(), base: 5000.0, head: 5000.0, readings };
    let side = |commit: &Commit| Side { subject: Subject::Commit(commit.clone()), program: None };
    Duel {
        suite: SuiteName::new("made").expect("a name"),
        base: side(base),
        head: side(head),
        machine: Machine::Named(machine.to_owned()),
        started_at_s: head.committed_at_s + 60,
        elapsed_ns: 1,
        seed: 1,
        notes: notes.iter().map(|(name, note)| ((*name).to_owned(), (*note).to_owned())).collect(),
        pulse: None,
        bouts: BTreeMap::from([(BenchmarkName::new("decode").expect("a name"), Bout::Dueled(vec![contest]))]),
    }
}

/// A commit that the repository does not have.
pub(crate) fn stranger(number: u32, parents: &[&Commit], committed_at_s: i64) -> Commit {
    Commit {
        id: CommitId::new(format!("{number:040x}")).expect("a hash"),
        parents: parents.iter().map(|parent| parent.id.clone()).collect(),
        committed_at_s,
        subject: format!("Strange {number}"),
    }
}
