//! How close the gate comes to a truth that is known: a worker whose work is a stated percentage larger on head, dueled
//! by the real program again and again, with busy processes beside it.
//!
//! `cargo build --release -p tachograph --bins --examples && target/release/examples/truth compute --percent 1`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people, with nothing behind it")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use clap::{Parser, ValueEnum};
use serde_json::Value;
use tachograph_harness::Suite;

/// Steps that take about 5 µs together: each waits for the one before, some five cycles long.
const STEPS: f64 = 4_000.0;
/// Bytes that no cache of a core holds.
const STREAMED: f64 = 16e6;
/// The argument by which this program is one of the busy neighbours.
const SPIN: &str = "--spin";

/// Duel a worker whose head does a known percentage more, and compare what the gate says with the truth
#[derive(Debug, Parser)]
struct Args {
    /// What the worker does
    #[arg(value_enum)]
    work: Work,
    /// How much more head does
    #[arg(long, default_value_t = 0.0)]
    percent: f64,
    /// The limit, in percent
    #[arg(long, default_value_t = 0.5)]
    limit: f64,
    /// The time that each duel may measure for
    #[arg(long, default_value = "1s")]
    budget: String,
    /// How many duels
    #[arg(long, default_value_t = 200)]
    duels: u64,
    /// How many processes compute beside them all the while
    #[arg(long, default_value_t = 4)]
    busy: usize,
    /// Print each duel
    #[arg(long)]
    each: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Work {
    /// A chain of dependent steps, about 5 µs
    Compute,
    /// A sum over 16 MB
    Stream,
}

fn main() -> ExitCode {
    let told = std::env::args().nth(1);
    if told.as_deref() == Some(SPIN) {
        return spin();
    }
    if told.as_deref() == Some("--worker") {
        return worker();
    }
    match measure(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("truth: {error}");
            ExitCode::from(3)
        }
    }
}

/// Computes until whoever started it is gone.
fn spin() -> ExitCode {
    std::thread::spawn(|| {
        let mut value = 0_u64;
        loop {
            value = black_box(value.wrapping_add(1));
        }
    });
    let _ = std::io::stdin().read(&mut [0]);
    ExitCode::SUCCESS
}

/// The worker of either side: how much it does stands in a file of the commit.
fn worker() -> ExitCode {
    let percent: f64 = fs::read_to_string("percent").ok().and_then(|text| text.trim().parse().ok()).unwrap_or(f64::NAN);
    let more = |amount: f64| (amount * (1.0 + percent / 100.0)).round() as u64;
    let mut suite = Suite::new("truth");
    let steps = more(STEPS);
    suite.benchmark("compute", move || move || chain(black_box(steps)));
    let words = more(STREAMED / 8.0);
    suite.benchmark("stream", move || {
        let words: Vec<u64> = (0..words).collect();
        move || black_box(&words).iter().fold(0_u64, |sum, &word| sum.wrapping_add(word))
    });
    suite.main()
}

fn chain(steps: u64) -> u64 {
    (0..steps).fold(1, |value, step| (value ^ step).wrapping_mul(0x5851_f42d_4c95_7f2d) >> 1)
}

/// What one duel said.
struct Said {
    effect: f64,
    covers: bool,
    width: f64,
    call: String,
    lives: u64,
}

fn measure(args: &Args) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new()?;
    let this = std::env::current_exe()?;
    let tachograph = this.parent().and_then(Path::parent).ok_or("no folder above this program")?.join("tachograph");
    repository(&folder.0, &this, args)?;
    let _busy = (0..args.busy).map(|_| Busy::new(&this)).collect::<Result<Vec<_>, _>>()?;
    let mut all = Vec::new();
    for number in 0..args.duels {
        let said = duel(&folder.0, &tachograph, args, number)?;
        if args.each {
            println!("{:+.3} % ± {:.3} {} {} lives", said.effect, said.width, said.call, said.lives);
        }
        all.push(said);
    }
    print(args, &all);
    Ok(())
}

/// Two commits that differ in how much the worker does.
fn repository(folder: &Path, worker: &Path, args: &Args) -> Result<(), Box<dyn Error>> {
    let config = format!(
        "false_reds = \"1 in 1000\"\n[suite.truth]\nworker = [{:?}, \"--worker\"]\n[[policy]]\nlimit = \"{} %\"\nwiden = false\n",
        worker.to_str().ok_or("this program's path is no UTF-8")?,
        args.limit
    );
    fs::write(folder.join("tachograph.toml"), config)?;
    git(folder, &["init", "--quiet", "-b", "main"])?;
    for percent in [0.0, args.percent] {
        fs::write(folder.join("percent"), percent.to_string())?;
        git(folder, &["add", "."])?;
        let author = ["-c", "user.name=truth", "-c", "user.email=truth@localhost"];
        git(folder, &[&author[..], &["commit", "--quiet", "--allow-empty", "-m", "the work"]].concat())?;
    }
    Ok(())
}

fn git(folder: &Path, args: &[&str]) -> Result<(), Box<dyn Error>> {
    let ended = Command::new("git").current_dir(folder).args(args).status()?;
    if ended.success() { Ok(()) } else { Err(format!("git {args:?}: {ended}").into()) }
}

fn duel(folder: &Path, tachograph: &Path, args: &Args, number: u64) -> Result<Said, Box<dyn Error>> {
    // A store of its own for each, so that no duel learns from another or goes on with it.
    let store = folder.join(format!("{number}.db"));
    let name = args.work.to_possible_value().map(|value| format!("={}", value.get_name())).unwrap_or_default();
    let ended = Command::new(tachograph)
        .current_dir(folder)
        .args(["gate", "--measure-anyway", "--base", "HEAD~1", "--head", "HEAD", "--format", "json", "--filter", &name])
        .args(["--budget", &args.budget, "--seed", &number.to_string(), "--store"])
        .args([&store, Path::new("--cache"), &folder.join(".cache")])
        .output()?;
    let error = || format!("duel {number}: {}: {}", ended.status, String::from_utf8_lossy(&ended.stderr));
    let answer: Value = serde_json::from_slice(&ended.stdout).map_err(|_| error())?;
    let verdicts = &answer["reports"][0]["judged"][&name[1..]]["verdicts"];
    let verdicts = verdicts.as_array().ok_or_else(error)?;
    let time = verdicts.iter().find(|one| one["metric"]["name"] == "time").ok_or_else(error)?;
    let verdict = &time["verdict"];
    let percent = |value: &Value| 100.0 * value.as_f64().unwrap_or(f64::NAN);
    let (low, high) = (percent(&verdict["interval"]["low"]), percent(&verdict["interval"]["high"]));
    Ok(Said {
        effect: percent(&verdict["effect"]),
        covers: low <= args.percent && args.percent <= high,
        width: (high - low) / 2.0,
        call: verdict["call"].as_str().unwrap_or_default().to_owned(),
        lives: verdict["grounds"]["lives"].as_u64().unwrap_or_default(),
    })
}

fn print(args: &Args, all: &[Said]) {
    let mut errors: Vec<f64> = all.iter().map(|said| said.effect - args.percent).collect();
    errors.sort_by(f64::total_cmp);
    let called = |call: &str| all.iter().filter(|said| said.call == call).count();
    let at = |share: f64| errors[((errors.len() - 1) as f64 * share).round() as usize];
    let within = |most: f64| errors.iter().filter(|error| error.abs() <= most).count();
    println!(
        "{:?} {:+} %, limit {} %, budget {}, {} busy: {} duels",
        args.work,
        args.percent,
        args.limit,
        args.budget,
        args.busy,
        all.len()
    );
    println!(
        "  error of the estimate: {:+.3} to {:+.3} %, middle half {:+.3} to {:+.3} %",
        at(0.0),
        at(1.0),
        at(0.25),
        at(0.75)
    );
    println!("  within 0.15 %: {}, within 0.7 %: {}", within(0.15), within(0.7));
    println!("  intervals that hold the truth: {}", all.iter().filter(|said| said.covers).count());
    let mut widths: Vec<f64> = all.iter().map(|said| said.width).collect();
    widths.sort_by(f64::total_cmp);
    println!("  median half width: {:.3} %", widths[widths.len() / 2]);
    let calls = ["regressed", "improved", "unchanged", "inconclusive"].map(|call| format!("{} {call}", called(call)));
    println!("  {}", calls.join(", "));
}

/// A folder that goes when this does.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("tachograph-truth-{}", std::process::id()));
        fs::create_dir(&path).map(|()| Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that computes; it ends when its input does.
struct Busy(Child);

impl Busy {
    fn new(this: &Path) -> std::io::Result<Busy> {
        Command::new(this).arg(SPIN).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map(Busy)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
