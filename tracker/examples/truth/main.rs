//! How close the gate comes to a truth that is known: a worker whose work is a stated percentage larger on head, dueled
//! by the real program again and again, with busy processes beside it. And how soon it is done where nothing differs.
//!
//! `cargo build --release -p tachograph --bins --examples && target/release/examples/truth compute --percent 1`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people, with nothing behind it")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]

mod many;
mod work;
mod world;

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::Read;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use serde_json::Value;
use tachograph_harness::Suite;

use world::{Busy, SPIN, Wish, World};

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
    /// The seed of the first; the others follow
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many processes compute beside them all the while
    #[arg(long, default_value_t = 4)]
    busy: usize,
    /// Print each duel
    #[arg(long)]
    each: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Work {
    /// A chain of dependent steps, about 5 µs
    Compute,
    /// A sum over 16 MB
    Stream,
    /// Fifty benchmarks of ten kinds, none of which heeds the percentage
    Many,
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
    let mut suite = Suite::new("truth");
    suite.benchmark("compute", move || work::compute(percent));
    suite.benchmark("stream", move || work::stream(percent));
    many::offer(&mut suite);
    suite.main()
}

/// What one duel said of one benchmark.
struct Said {
    effect: f64,
    covers: bool,
    width: f64,
    detectable: f64,
    call: String,
    lives: u64,
}

fn measure(args: &Args) -> Result<(), Box<dyn Error>> {
    let this = std::env::current_exe()?;
    let world = World::new(&this, args.percent, args.limit)?;
    let _busy = (0..args.busy).map(|_| Busy::new(&this)).collect::<Result<Vec<_>, _>>()?;
    let name = args.work.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let filter = if args.work == Work::Many { "*/*".to_owned() } else { format!("={name}") };
    let truth = if args.work == Work::Compute { args.percent * work::growing() } else { args.percent };
    let mut all = Vec::new();
    for seed in args.first..args.first + args.duels {
        let begun = Instant::now();
        let answer = world.gate(&Wish { filter: &filter, budget: &args.budget, seed })?;
        let said = said(&answer, truth);
        if said.is_empty() {
            return Err(format!("duel {seed} judged nothing: {answer}").into());
        }
        if args.each {
            for (benchmark, said) in &said {
                let Said { effect, width, call, lives, detectable, .. } = said;
                println!("{effect:+.3} % ± {width:.3} {call} {lives} lives, {detectable:.3} % detectable: {benchmark}");
            }
        }
        if args.work == Work::Many {
            print_suite(begun.elapsed(), &said);
        }
        all.extend(said.into_iter().map(|(_, said)| said));
    }
    if args.work != Work::Many {
        print(args, truth, &all);
    }
    Ok(())
}

/// What was said of the time of each benchmark.
fn said(answer: &Value, truth: f64) -> Vec<(String, Said)> {
    let percent = |value: &Value| 100.0 * value.as_f64().unwrap_or(f64::NAN);
    let time = |judged: &Value| -> Option<Said> {
        let verdicts = judged["verdicts"].as_array()?;
        let verdict = &verdicts.iter().find(|one| one["metric"]["name"] == "time")?["verdict"];
        let (low, high) = (percent(&verdict["interval"]["low"]), percent(&verdict["interval"]["high"]));
        Some(Said {
            effect: percent(&verdict["effect"]),
            covers: low <= truth && truth <= high,
            width: (high - low) / 2.0,
            detectable: percent(&verdict["detectable"]),
            call: verdict["call"].as_str().unwrap_or_default().to_owned(),
            lives: verdict["grounds"]["lives"].as_u64().unwrap_or_default(),
        })
    };
    let judged = answer["reports"][0]["judged"].as_object().into_iter().flatten();
    judged.filter_map(|(name, judged)| Some((name.clone(), time(judged)?))).collect()
}

/// A whole suite in one duel: what became of it, and how long the gate took in all.
fn print_suite(took: Duration, all: &[(String, Said)]) {
    let called = |call: &str| all.iter().filter(|(_, said)| said.call == call).count();
    let calls = ["regressed", "improved", "unchanged", "inconclusive"].map(|call| format!("{} {call}", called(call)));
    let fine = all.iter().filter(|(_, said)| said.call == "unchanged" && said.detectable <= 1.0).count();
    let mut detectable: Vec<f64> = all.iter().map(|(_, said)| said.detectable).collect();
    detectable.sort_by(f64::total_cmp);
    println!("{} benchmarks in {:.1} s: {}", all.len(), took.as_secs_f64(), calls.join(", "));
    println!("  unchanged, and 1 % or less would have been seen: {fine} of {}", all.len());
    println!(
        "  detectable: median {:.2} %, worst {:.2} %",
        detectable[detectable.len() / 2],
        detectable[detectable.len() - 1]
    );
}

fn print(args: &Args, truth: f64, all: &[Said]) {
    let mut errors: Vec<f64> = all.iter().map(|said| said.effect - truth).collect();
    errors.sort_by(f64::total_cmp);
    let called = |call: &str| all.iter().filter(|said| said.call == call).count();
    let at = |share: f64| errors[((errors.len() - 1) as f64 * share).round() as usize];
    let within = |most: f64| errors.iter().filter(|error| error.abs() <= most).count();
    println!(
        "{:?} {:+} %, in time {truth:+.4} %, limit {} %, budget {}, {} busy: {} duels",
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
