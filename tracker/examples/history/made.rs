//! A made-up past of a project: commits, machines, benchmarks with noise of several shapes, and what moved when.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tachograph::domain::{Commit, CommitId, Fingerprint, Machine, Measured, Outcome, Run, Subject, SuiteName, Trouble};
use tachograph::record::{Address, Store};

use super::drawn::{Benchmark, Chance, Line, MACHINES, Moved, NEW_TOOLCHAIN_AT, Size, benchmarks, moves};
use super::duels::{self, Truth};

const BEGAN_AT_S: i64 = 1_706_745_600;
/// The mean time between two commits.
const PACE_S: f64 = 57_600.0;

const ORDINARY: [&str; 8] = [
    "Explain the file format",
    "Rename a field that misled",
    "Test that an empty prompt is refused",
    "Part the reader from the parser",
    "Say what failed and where",
    "Update the dependencies",
    "Bring the examples up to date",
    "Tidy the command line's help",
];

/// A past, not yet written.
pub(crate) struct Past {
    subjects: Vec<String>,
    times: Vec<i64>,
    tags: Vec<(usize, String)>,
    /// What was accepted: where, and its entry in the file.
    accepted: Vec<(usize, String)>,
    benchmarks: Vec<Benchmark>,
    /// The commits that were dueled with their parents.
    dueled: Vec<usize>,
}

impl Past {
    /// Draws a past of a size.
    pub(crate) fn new(size: Size) -> Past {
        let mut chance = Chance::seeded(0x7ac4_0000);
        let mut times = Vec::with_capacity(size.commits);
        let mut now = BEGAN_AT_S as f64;
        for _ in 0..size.commits {
            now += -PACE_S * chance.uniform().ln();
            #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
            times.push(now as i64);
        }
        let mut subjects: Vec<String> =
            (0..size.commits).map(|_| ORDINARY[chance.below(ORDINARY.len())].to_owned()).collect();
        let moves = moves(&mut chance, size, &mut subjects);
        let every = (size.commits / 6).max(1);
        let tags = (1..6).map(|version| (version * every, format!("v0.{version}.0"))).collect();
        let benchmarks = benchmarks(&mut chance, size, &moves);
        let mut dueled: Vec<usize> = moves.iter().map(|moved| moved.at).filter(|at| *at > 0).collect();
        dueled.extend((1..size.commits).rev().step_by(size.commits.div_ceil(8)));
        dueled.sort_unstable();
        dueled.dedup();
        let accepted = accepted(&moves);
        Past { subjects, times, tags, accepted, benchmarks, dueled }
    }

    /// Writes the repository and the store in it.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Box<dyn Error>> {
        let commits = self.repository(folder)?;
        let store = folder.join(".tachograph/store.db");
        fs::create_dir_all(folder.join(".tachograph"))?;
        let mut store = Store::open(&Address::parse(&store.to_string_lossy(), folder)?)?;
        store.learn(&commits)?;
        for at in 0..commits.len() {
            for run in self.runs(&commits, at) {
                store.record(&run)?;
            }
        }
        for &at in &self.dueled {
            self.duel(&mut store, &commits, at)?;
        }
        Ok(())
    }

    /// A commit against its parent, on the second machine.
    fn duel(&self, store: &mut Store, commits: &[Commit], at: usize) -> Result<(), Box<dyn Error>> {
        let mut chance = Chance::seeded(at as u64 ^ 0x00d0_e100);
        let here = self.benchmarks.iter().filter(|one| one.suite == 0 && (one.first..one.end).contains(&at));
        let truths = here.flat_map(|benchmark| {
            let truth = |line: &Line| Truth {
                benchmark: benchmark.name.clone(),
                metric: line.metric.clone(),
                base: line.level_at(at - 1, 1),
                head: line.level_at(at, 1),
                noise: line.noise,
            };
            benchmark.lines.iter().map(truth).collect::<Vec<_>>()
        });
        let truths: Vec<Truth> = truths.collect();
        let sides = (&commits[at - 1], &commits[at]);
        duels::record(store, (SuiteName::new("engine")?, machine_of(1)), sides, &truths, &mut chance)
    }

    /// Makes the repository; git itself names the commits.
    fn repository(&self, folder: &Path) -> Result<Vec<Commit>, Box<dyn Error>> {
        fs::create_dir_all(folder)?;
        let git = |args: &[&str]| {
            let mut command = Command::new("git");
            command
                .args(args)
                .current_dir(folder)
                .env("GIT_CONFIG_NOSYSTEM", "1")
                .env("GIT_CONFIG_GLOBAL", "/dev/null");
            command
        };
        let made = git(&["init", "--quiet", "--initial-branch=main"]).status()?;
        if !made.success() {
            return Err("git init failed".into());
        }
        let marks = folder.join(".git/marks");
        let export = format!("--export-marks={}", marks.display());
        let mut import = git(&["fast-import", "--quiet", &export]).stdin(Stdio::piped()).spawn()?;
        import.stdin.take().ok_or("no pipe to git")?.write_all(self.stream().as_bytes())?;
        if !import.wait()?.success() {
            return Err("git fast-import failed".into());
        }
        let mut ids = vec![String::new(); self.subjects.len()];
        for line in fs::read_to_string(&marks)?.lines() {
            let (mark, hash) = line.trim_start_matches(':').split_once(' ').ok_or("a mark without a hash")?;
            hash.clone_into(&mut ids[mark.parse::<usize>()? - 1]);
        }
        let ids = ids.into_iter().map(CommitId::new).collect::<Result<Vec<_>, _>>()?;
        let commit = |at: usize| Commit {
            id: ids[at].clone(),
            parents: at.checked_sub(1).map(|before| ids[before].clone()).into_iter().collect(),
            committed_at_s: self.times[at],
            subject: self.subjects[at].clone(),
        };
        Ok((0..ids.len()).map(commit).collect())
    }

    fn stream(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        let mut accepted = String::new();
        for (at, (subject, time)) in self.subjects.iter().zip(&self.times).enumerate() {
            // Writing to a text cannot fail.
            let _ = write!(text, "commit refs/heads/main\nmark :{}\n", at + 1);
            let _ = writeln!(text, "committer A Writer <writer@example.invalid> {time} +0000");
            let _ = write!(text, "data {}\n{subject}\n", subject.len());
            if at > 0 {
                let _ = writeln!(text, "from :{at}");
            }
            if let Some((_, entry)) = self.accepted.iter().find(|(place, _)| *place == at) {
                accepted += entry;
                let _ = writeln!(text, "M 100644 inline tachograph.accept.toml");
                let _ = writeln!(text, "data {}\n{accepted}", accepted.len());
            }
            text.push('\n');
        }
        for (at, name) in &self.tags {
            let _ = write!(text, "reset refs/tags/{name}\nfrom :{}\n\n", at + 1);
        }
        text
    }

    /// The runs at one commit.
    fn runs(&self, commits: &[Commit], at: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        for machine in 0..MACHINES {
            for suite in 0..2 {
                let mut chance = Chance::seeded(((at * MACHINES + machine) * 2 + suite) as u64 ^ 0x0005_eed0);
                let share = at as f64 / commits.len() as f64;
                let is_away = machine == 1 && (0.42..0.47).contains(&share) || machine == 2 && share < 0.25;
                if is_away || chance.uniform() < 0.02 {
                    continue;
                }
                runs.extend(self.run(&commits[at], at, (machine, suite), &mut chance));
            }
        }
        runs
    }

    fn run(&self, commit: &Commit, at: usize, (machine, suite): (usize, usize), chance: &mut Chance) -> Option<Run> {
        let share = at as f64 / self.subjects.len() as f64;
        let toolchain = if share < NEW_TOOLCHAIN_AT { "1.94.0" } else { "1.95.0" };
        let here = self.benchmarks.iter().filter(|one| one.suite == suite && (one.first..one.end).contains(&at));
        let mut outcomes = BTreeMap::new();
        for benchmark in here {
            let outcome = if chance.uniform() < 0.000_5 {
                Outcome::Failed(Trouble {
                    reason: "timed out after 60 s".to_owned(),
                    ended: None,
                    stderr_tail: "waiting for the other thread\n".to_owned(),
                })
            } else {
                let readings = benchmark.lines.iter().map(|line| line.reading(at, machine, chance)).collect();
                Outcome::Measured(Measured { readings, cores: 1, notes: BTreeMap::new() })
            };
            outcomes.insert(benchmark.name.clone(), outcome);
        }
        if outcomes.is_empty() {
            return None;
        }
        let note = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Some(Run {
            suite: SuiteName::new(["engine", "server"][suite]).ok()?,
            subject: Subject::Commit(commit.clone()),
            machine: machine_of(machine),
            started_at_s: commit.committed_at_s + 600 + 60 * i64::try_from(machine * 2 + suite).ok()?,
            elapsed_ns: 60_000_000_000,
            source: "run".to_owned(),
            notes: [note("rustc", toolchain), note("load before", "0.12")].into(),
            pulse: None,
            outcomes,
            attachments: Vec::new(),
        })
    }
}

/// Two of three commits that made something slower were meant, and brought the entry that says so. They were squashed: the
/// commits that the entries name are on no branch any more.
fn accepted(moves: &[Moved]) -> Vec<(usize, String)> {
    const WHY: [&str; 4] = [
        "checks its input now, which it always should have",
        "needed by the new file format",
        "safer: an index out of bounds was undefined before",
        "temporary, until the cache is back",
    ];
    let slower = moves.iter().filter(|moved| moved.factor > 1.0).enumerate().filter(|(number, _)| number % 3 < 2);
    let entry = |(number, moved): (usize, &Moved)| {
        let metric = ["time", "allocated"][moved.metric];
        let pattern = match (moved.group, moved.kind) {
            (Some(group), Some(kind)) => format!("{group}/{kind}/*"),
            (Some(group), None) => format!("{group}/*"),
            (None, _) => "*".to_owned(),
        };
        let (allowed, why) = (((moved.factor - 1.0) * 100.0).ceil() + 1.0, WHY[number % WHY.len()]);
        let (commit, base) = (hash(moved.at as u64 * 2 + 1), hash(moved.at as u64 * 2));
        let entry = format!(
            "[[accept]]\npattern = \"{pattern}\"\nmetric = \"{metric}\"\nallowed = \"{allowed} %\"\nreason = \"{why}\"\n\
             commit = \"{commit}\"\nbase = \"{base}\"\nuntil = \"2026-12-31\"\n\n"
        );
        (moved.at, entry)
    };
    slower.map(entry).collect()
}

/// What looks like a commit.
fn hash(number: u64) -> String {
    let part = |at: u64| Chance::seeded((number * 3 + at) ^ 0x00ac_c3b7).uniform().to_bits();
    format!("{:016x}{:016x}{:016x}", part(0) << 12, part(1) << 12, part(2) << 12)[..40].to_owned()
}

fn machine_of(number: usize) -> Machine {
    let cpu = ["Xeon Platinum 8375C", "EPYC 7763", "Apple M2"][number];
    Machine::Fingerprint(Fingerprint {
        cpu: cpu.to_owned(),
        arch: ["x86_64", "x86_64", "aarch64"][number].to_owned(),
        os: "linux".to_owned(),
        cores: [4, 2, 8][number],
        threads_per_core: Some([2, 2, 1][number]),
        caches_bytes: [("L2".to_owned(), 1 << 20)].into(),
        memory_gib: 16,
        governor: None,
        virtualisation: None,
    })
}
