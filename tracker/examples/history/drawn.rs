//! What a made-up past is drawn of: what moved when, benchmarks, and what their runs would read.

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use tachograph::domain::{BenchmarkName, Direction, Kind, Life, Metric, Reading, Unit};

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

pub(crate) const MACHINES: usize = 3;
/// A second toolchain is used from this share of the history on.
pub(crate) const NEW_TOOLCHAIN_AT: f64 = 0.45;

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
/// A stream of random numbers that is the same for the same seed.
pub(crate) struct Chance(Pcg64Mcg);

impl Chance {
    pub(crate) fn seeded(seed: u64) -> Chance {
        Chance(Pcg64Mcg::seed_from_u64(seed))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a length, and not below zero")]
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((self.uniform() * end as f64) as usize).min(end - 1)
    }
}

/// What moved at a commit: the benchmarks of a group, or all, in one metric.
pub(crate) struct Moved {
    pub(crate) at: usize,
    pub(crate) group: Option<&'static str>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) metric: usize,
    pub(crate) factor: f64,
}

/// A benchmark's metric before noise.
pub(crate) struct Line {
    pub(crate) metric: Metric,
    pub(crate) level: f64,
    pub(crate) noise: f64,
    pub(crate) shape: usize,
    /// Which commit's moves concern it.
    pub(crate) moves: Vec<(usize, f64)>,
}

pub(crate) struct Benchmark {
    pub(crate) name: BenchmarkName,
    pub(crate) suite: usize,
    /// The commits at which it is there.
    pub(crate) first: usize,
    pub(crate) end: usize,
    pub(crate) lines: Vec<Line>,
}

impl Line {
    /// What it truly is at a commit on a machine.
    pub(crate) fn level_at(&self, at: usize, machine: usize) -> f64 {
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
    pub(crate) fn reading(&self, at: usize, machine: usize, chance: &mut Chance) -> Reading {
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

/// What moved when; a commit that moves something says so in its subject.
pub(crate) fn moves(chance: &mut Chance, size: Size, subjects: &mut [String]) -> Vec<Moved> {
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

pub(crate) fn benchmarks(chance: &mut Chance, size: Size, moves: &[Moved]) -> Vec<Benchmark> {
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
