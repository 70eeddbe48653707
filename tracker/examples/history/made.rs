//! A made-up past of a project: commits, machines, benchmarks with noise of several shapes, and what moved when.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use tachograph::domain::{
    BenchmarkName, Commit, CommitId, Direction, Fingerprint, Kind, Life, Machine, Measured, Metric, Outcome, Reading,
    Run, Subject, SuiteName, Trouble, Unit,
};
use tachograph::record::{Address, Store};

use super::duels::{self, Truth};

/// How large the past is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Series, over three machines.
    pub(crate) series: usize,
    /// Commits, one after the other.
    pub(crate) commits: usize,
    /// Commits at which something got faster or slower.
    pub(crate) changes: usize,
}

const MACHINES: usize = 3;
const BEGAN_AT_S: i64 = 1_706_745_600;
/// The mean time between two commits.
const PACE_S: f64 = 57_600.0;
/// A second toolchain is used from this share of the history on.
const NEW_TOOLCHAIN_AT: f64 = 0.45;

const GROUPS: [(&str, &[&str]); 6] = [
    ("kernel", &["matmul", "softmax", "gelu", "rope", "norm", "attention"]),
    ("decode", &["greedy", "top-k", "batch", "beam"]),
    ("tokenize", &["english", "code", "emoji"]),
    ("load", &["mapped", "copied", "checked"]),
    ("http", &["first-token", "stream", "concurrent"]),
    ("parse", &["header", "json", "vocabulary"]),
];
const SIZES: [u32; 6] = [16, 64, 128, 256, 512, 1024];
const BETTER: [&str; 6] = [
    "Keep the cosine table between tokens",
    "Read the vocabulary in one pass",
    "Fuse the scale into the product",
    "Reuse the scratch buffer",
    "Unroll the inner loop by eight",
    "Skip the second hash of each word",
];
const WORSE: [&str; 6] = [
    "Check every index in the hot loop",
    "Count tokens under a lock",
    "Copy the prompt before it is parsed",
    "Log each request with its headers",
    "Support odd head sizes",
    "Validate UTF-8 twice to be sure",
];
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

/// A stream of random numbers that is the same for the same seed.
pub(crate) struct Chance(Pcg64Mcg);

impl Chance {
    pub(crate) fn seeded(seed: u64) -> Chance {
        Chance(Pcg64Mcg::seed_from_u64(seed))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a length, and not below zero")]
    fn below(&mut self, end: usize) -> usize {
        ((self.uniform() * end as f64) as usize).min(end - 1)
    }
}

/// What moved at a commit: the benchmarks of a group, or all, in one metric.
struct Moved {
    at: usize,
    group: Option<&'static str>,
    kind: Option<&'static str>,
    metric: usize,
    factor: f64,
}

/// A benchmark's metric before noise.
struct Line {
    metric: Metric,
    level: f64,
    noise: f64,
    shape: usize,
    /// Which commit's moves concern it.
    moves: Vec<(usize, f64)>,
}

struct Benchmark {
    name: BenchmarkName,
    suite: usize,
    /// The commits at which it is there.
    first: usize,
    end: usize,
    lines: Vec<Line>,
}

/// A past, not yet written.
pub(crate) struct Past {
    subjects: Vec<String>,
    times: Vec<i64>,
    tags: Vec<(usize, String)>,
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
        Past { subjects, times, tags, benchmarks, dueled }
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
        for (at, (subject, time)) in self.subjects.iter().zip(&self.times).enumerate() {
            // Writing to a text cannot fail.
            let _ = write!(text, "commit refs/heads/main\nmark :{}\n", at + 1);
            let _ = writeln!(text, "committer A Writer <writer@example.invalid> {time} +0000");
            let _ = write!(text, "data {}\n{subject}\n", subject.len());
            if at > 0 {
                let _ = writeln!(text, "from :{at}");
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

impl Line {
    /// What it truly is at a commit on a machine.
    fn level_at(&self, at: usize, machine: usize) -> f64 {
        let moved: f64 = self.moves.iter().filter(|(from, _)| *from <= at).map(|(_, factor)| factor).product();
        let speed = [1.0, 1.31, 0.82][machine];
        let level = match (self.metric.kind, self.metric.better) {
            (Kind::Exact, _) => self.level,
            (_, Direction::Higher) => self.level / speed,
            _ => self.level * speed,
        };
        level * moved
    }

    /// Three lives of three slices, as a run would read them.
    fn reading(&self, at: usize, machine: usize, chance: &mut Chance) -> Reading {
        let level = self.level_at(at, machine);
        if self.metric.kind == Kind::Exact {
            let life = Life::new(vec![level.round(); 2]);
            return Reading { metric: self.metric.clone(), lives: life.into_iter().collect() };
        }
        let whole = match self.shape {
            // A second mode, an occasional spike, and plain noise.
            0 if chance.uniform() < 0.3 => 4.0 + chance.normal() * 0.5,
            1 if chance.uniform() < 0.02 => 12.0 + 40.0 * chance.uniform(),
            _ => chance.normal(),
        };
        let run = level * (1.0 + self.noise * whole);
        let life = |chance: &mut Chance| {
            let of_life = run * (1.0 + self.noise * 0.5 * chance.normal());
            let values = (0..3).map(|_| of_life * (1.0 + self.noise * 0.3 * chance.normal())).collect();
            Life::new(values).expect("finite values")
        };
        Reading { metric: self.metric.clone(), lives: (0..3).map(|_| life(chance)).collect() }
    }
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

/// What moved when; a commit that moves something says so in its subject.
fn moves(chance: &mut Chance, size: Size, subjects: &mut [String]) -> Vec<Moved> {
    let mut moves = Vec::new();
    for number in 0..size.changes {
        // Spread over the history, the last one near its end.
        let slot = size.commits as f64 / size.changes as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the history")]
        let at = ((number as f64 + chance.between(0.3, 0.9)) * slot) as usize;
        let (group, kinds) = GROUPS[chance.below(GROUPS.len())];
        let kind = (chance.uniform() < 0.6).then(|| kinds[chance.below(kinds.len())]);
        let is_better = chance.uniform() < 0.55;
        let amount = chance.between(0.02, 0.09) * if chance.uniform() < 0.15 { 3.5 } else { 1.0 };
        let factor = if is_better { 1.0 / (1.0 + amount) } else { 1.0 + amount };
        let metric = usize::from(chance.uniform() < 0.2);
        let words = if is_better { BETTER } else { WORSE };
        subjects[at] = format!("{} ({group})", words[chance.below(words.len())]);
        moves.push(Moved { at, group: Some(group), kind, metric, factor });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the history")]
    let toolchain = (size.commits as f64 * NEW_TOOLCHAIN_AT) as usize;
    "Build with Rust 1.95".clone_into(&mut subjects[toolchain]);
    moves.push(Moved { at: toolchain, group: None, kind: None, metric: 0, factor: 0.97 });
    moves
}

fn benchmarks(chance: &mut Chance, size: Size, moves: &[Moved]) -> Vec<Benchmark> {
    let mut benchmarks = Vec::new();
    let mut lines_left = size.series.div_ceil(MACHINES);
    let kinds: Vec<(&'static str, &'static str)> =
        GROUPS.iter().flat_map(|(group, kinds)| kinds.iter().map(|kind| (*group, *kind))).collect();
    for number in 0.. {
        if lines_left == 0 {
            break;
        }
        let (group, kind) = kinds[number % kinds.len()];
        let round = number / kinds.len();
        let name = match round / SIZES.len() {
            0 => format!("{group}/{kind}/{}", SIZES[round % SIZES.len()]),
            variant => format!("{group}/{kind}/{}/v{variant}", SIZES[round % SIZES.len()]),
        };
        let mut lines = lines(chance, group, kind, moves);
        lines.truncate(lines_left);
        lines_left -= lines.len();
        let (first, end) = match number % 37 {
            5 => (size.commits / 3, size.commits),
            11 => (0, size.commits * 9 / 10),
            _ => (0, size.commits),
        };
        let suite = usize::from(matches!(group, "http" | "parse"));
        benchmarks.push(Benchmark { name: BenchmarkName::new(name).expect("a name"), suite, first, end, lines });
    }
    benchmarks
}

fn lines(chance: &mut Chance, group: &str, kind: &str, moves: &[Moved]) -> Vec<Line> {
    let concerned = |metric: usize| -> Vec<(usize, f64)> {
        let concerns = |moved: &&Moved| {
            moved.metric == metric
                && moved.group.is_none_or(|wanted| wanted == group)
                && moved.kind.is_none_or(|wanted| wanted == kind)
        };
        moves.iter().filter(concerns).map(|moved| (moved.at, moved.factor)).collect()
    };
    let time = chance.between(200f64.ln(), 4e7f64.ln()).exp();
    let noise = chance.between(0.002f64.ln(), 0.02f64.ln()).exp();
    let mut lines =
        vec![Line { metric: Metric::time(), level: time, noise, shape: chance.below(8), moves: concerned(0) }];
    if chance.uniform() < 0.4 {
        let metric = Metric {
            name: "allocated".to_owned(),
            unit: Unit::new("bytes"),
            better: Direction::Lower,
            kind: Kind::Exact,
        };
        lines.push(Line { metric, level: time.sqrt() * 96.0, noise: 0.0, shape: 7, moves: concerned(1) });
    }
    if matches!(group, "decode" | "http") {
        let metric = Metric {
            name: "tokens".to_owned(),
            unit: Unit::new("tokens/s"),
            better: Direction::Higher,
            kind: Kind::Noisy,
        };
        let moves = concerned(0).into_iter().map(|(at, factor)| (at, 1.0 / factor)).collect();
        lines.push(Line { metric, level: 1e9 / time, noise, shape: 7, moves });
    }
    lines
}
