//! Whole runs with real workers, small enough for every test run.

use std::fs;

use super::*;
use crate::domain::{Ended, Kind, Life, Measured, Reading};
use crate::measure::worker::tests::fake;

fn options(budget: Duration) -> Options {
    Options::new(budget, Duration::from_mins(1), 42)
}

fn solo_with(change: &str, options: &Options) -> Solo {
    let (_folder, program) = fake(change);
    run(&program, options, &Stop::by_hand().unwrap(), &mut |_| ()).unwrap()
}

/// A run with hardly any time, so that each benchmark gets its two lives.
fn solo(change: &str) -> Solo {
    solo_with(change, &options(Duration::from_millis(1)))
}

fn measured<'a>(solo: &'a Solo, name: &str) -> &'a Measured {
    match &solo.outcomes[name] {
        Outcome::Measured(measured) => measured,
        Outcome::Failed(trouble) => panic!("{name} failed: {trouble:?}"),
    }
}

fn trouble<'a>(solo: &'a Solo, name: &str) -> &'a Trouble {
    match &solo.outcomes[name] {
        Outcome::Failed(trouble) => trouble,
        Outcome::Measured(_) => panic!("{name} was measured"),
    }
}

fn values(reading: &Reading) -> Vec<&[f64]> {
    reading.lives.iter().map(Life::values).collect()
}

#[test]
fn every_benchmark_is_measured_in_two_lives_at_least() {
    let solo = solo("");
    assert_eq!(solo.outcomes.len(), 3);
    for name in ["a", "b", "c"] {
        let measured = measured(&solo, name);
        assert_eq!(measured.readings[0].metric, crate::domain::Metric::time());
        let lives = values(&measured.readings[0]);
        assert!(lives.len() >= 2);
        // The worker's loop ends after 20 µs an iteration or later, never before.
        assert!(lives.iter().all(|life| life.iter().all(|&time_ns| time_ns >= 20_000.0)), "{lives:?}");
    }
    assert_eq!(solo.notes["seed"], "42");
    assert_eq!(solo.notes["worker"], "fake 1");
    assert!(solo.overhead.inside <= solo.overhead.slicing && solo.overhead.slicing <= solo.overhead.whole);
}

/// The layouts that the workers of a run with this seed were told, one a life.
fn layouts(seed: u64) -> Vec<u64> {
    let (folder, program) = fake("open('layouts', 'a').write(os.environ['TACHOGRAPH_LAYOUT'] + '\\n')\n");
    let options = Options { seed, ..options(Duration::ZERO) };
    let solo = run(&program, &options, &Stop::by_hand().unwrap(), &mut |_| ()).unwrap();
    assert!(["the same in all runs", "each worker's own"].contains(&solo.notes["addresses"].as_str()));
    let told = fs::read_to_string(folder.path().join("layouts")).unwrap();
    let mut layouts: Vec<u64> = told.lines().map(|line| line.parse().unwrap()).collect();
    // Workers that take no huge pages are started again, with the same layout.
    layouts.dedup();
    layouts
}

#[test]
fn all_runs_go_through_the_same_layouts_whatever_their_seeds() {
    let one = layouts(1);
    // The list, the rehearsal, two lives.
    assert_eq!(one.len(), 4, "{one:?}");
    assert_eq!(one, layouts(2));
}

#[test]
fn what_happens_is_told_in_order() {
    let (_folder, program) = fake(r#"NAMES = ["a"]"#);
    let mut told = Vec::new();
    let mut tell = |progress: Progress<'_>| {
        told.push(match progress {
            Progress::Listed { benchmarks, .. } => format!("listed {benchmarks}"),
            Progress::Rehearsed { benchmark, .. } => format!("rehearsed {benchmark}"),
            Progress::Round { benchmarks, .. } => format!("round {benchmarks}"),
            Progress::Measured { benchmark, lives, .. } => format!("measured {benchmark} {lives}"),
            Progress::Failed { benchmark, .. } => format!("failed {benchmark}"),
        });
    };
    run(&program, &options(Duration::ZERO), &Stop::by_hand().unwrap(), &mut tell).unwrap();
    let expected = ["listed 1", "rehearsed a", "round 1", "measured a 1", "round 1", "measured a 2"];
    assert_eq!(told, expected);
}

#[test]
fn a_filter_chooses_benchmarks() {
    let filter = vec![Pattern::new("=b"), Pattern::new("c*")];
    let solo = solo_with("", &Options { filter, ..options(Duration::ZERO) });
    assert_eq!(solo.outcomes.keys().map(BenchmarkName::as_str).collect::<Vec<_>>(), ["b", "c"]);
    let (_folder, program) = fake("");
    let filter = vec![Pattern::new("nothing")];
    let options = Options { filter, ..options(Duration::ZERO) };
    assert_eq!(list(&program, &options, &Stop::by_hand().unwrap()).unwrap(), []);
}

#[test]
fn a_wrong_answer_fails_that_benchmark_and_is_never_measured() {
    let change = r#"
def check(request):
    say(reply="check", ok=request["benchmark"] != "b", message="expected 4, got 5")
"#;
    let solo = solo(change);
    assert_eq!(trouble(&solo, "b").reason, "wrong answer: expected 4, got 5");
    measured(&solo, "a");
    measured(&solo, "c");
}

#[test]
fn a_crash_fails_that_benchmark_only_and_is_not_tried_for_ever() {
    let change = r#"
def run(request):
    if request["benchmark"] == "b":
        open("tries", "a").write("x")
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(1000)
    say(reply="run", elapsed_ns=spend(request["iterations"]))
"#;
    let (folder, program) = fake(change);
    let solo = run(&program, &options(Duration::ZERO), &Stop::by_hand().unwrap(), &mut |_| ()).unwrap();
    assert_eq!(trouble(&solo, "b").ended, Some(Ended::Signal(9)));
    measured(&solo, "a");
    measured(&solo, "c");
    // Once where it came, and once more in a life of its own unless it was in one already.
    let tries = fs::read_to_string(folder.path().join("tries")).unwrap();
    assert!((1..=2).contains(&tries.len()), "{tries}");
}

#[test]
fn a_hang_and_garbage_fail_those_benchmarks_only() {
    let change = r#"
def run(request):
    if request["benchmark"] == "b":
        time.sleep(1000)
    if request["benchmark"] == "c":
        write("garbage\n")
    say(reply="run", elapsed_ns=spend(request["iterations"]))
"#;
    let patience = Patience { request: Duration::from_secs(2), ..Patience::of(Duration::from_mins(1)) };
    let solo = solo_with(change, &Options { patience, ..options(Duration::ZERO) });
    measured(&solo, "a");
    assert_eq!(trouble(&solo, "b").reason, "timed out: no answer to `run` within 2s");
    assert!(trouble(&solo, "c").reason.ends_with("it wrote: garbage"));
}

#[test]
fn a_benchmark_that_fails_in_a_later_life_has_failed() {
    let change = r#"
open("lives", "a").write("x")
def run(request):
    # The list, the rehearsal, one life that works; then no more.
    if len(open("lives").read()) > 3:
        say(reply="error", message="out of licences", line="")
    else:
        say(reply="run", elapsed_ns=spend(request["iterations"]))
"#;
    let solo = solo(change);
    assert_eq!(trouble(&solo, "a").reason, "the worker refused `run`: out of licences");
}

#[test]
fn a_suite_whose_worker_stops_starting_keeps_what_it_has() {
    let change = r#"
open("lives", "a").write("x")
# The list, the rehearsal, two lives; then none starts.
if len(open("lives").read()) > 4:
    sys.exit(7)
"#;
    let solo = solo_with(change, &options(Duration::from_secs(30)));
    assert_eq!(values(&measured(&solo, "a").readings[0]).len(), 2);
}

#[test]
fn a_suite_whose_worker_cannot_start_is_an_error() {
    let (_folder, program) = fake("sys.exit(7)");
    let error = run(&program, &options(Duration::ZERO), &Stop::by_hand().unwrap(), &mut |_| ()).unwrap_err();
    let SoloError::Worker(error) = error else { panic!("{error}") };
    assert_eq!(error.trouble().ended, Some(Ended::Status(7)));
}

#[test]
fn what_is_not_reached_in_time_is_said_to_be() {
    let solo = solo_with("", &Options { limit: Duration::ZERO, ..options(Duration::ZERO) });
    assert!(trouble(&solo, "a").reason.starts_with("not reached"));
}

#[test]
fn a_wish_to_stop_ends_the_run() {
    let (_folder, program) = fake("");
    let stop = Stop::by_hand().unwrap();
    stop.raise(2);
    assert!(matches!(run(&program, &options(Duration::ZERO), &stop, &mut |_| ()), Err(SoloError::Stopped)));
}

/// A worker with two metrics that call themselves exact; one is, the other counts lives.
const METRICS: &str = r#"
open("lives", "a").write("x")
LIFE = len(open("lives").read())
def metric(name, kind):
    return {"name": name, "unit": "count", "better": "lower", "kind": kind}
def list_(request):
    metrics = [metric("same", "exact"), metric("other", "exact"), metric("noise", "noisy")]
    say(reply="list", benchmarks=[{"name": "a", "metrics": metrics, "throughput": {"amount": 8, "unit": "bytes"}}])
def run(request):
    elapsed = spend(request["iterations"])
    grown = request["iterations"] == 10
    say(reply="run", elapsed_ns=elapsed, metrics={"same": 3 if grown else 4, "other": LIFE, "noise": elapsed})
"#;

#[test]
fn exact_metrics_are_taken_at_a_fixed_number_of_iterations_and_believed_when_lives_agree() {
    let solo = solo(METRICS);
    let measured = measured(&solo, "a");
    let [time, same, other, noise] = &measured.readings[..] else { panic!("{measured:?}") };
    assert_eq!(same.metric.kind, Kind::Exact);
    assert_eq!(values(same), [[3.0], [3.0]]);
    assert_eq!(other.metric.kind, Kind::Noisy);
    let shape = |reading: &Reading| values(reading).iter().map(|life| life.len()).collect::<Vec<_>>();
    assert_eq!(shape(other), shape(time));
    assert_eq!(shape(noise), shape(time));
    assert_eq!(measured.notes["exact_iterations"], "10");
    assert_eq!(
        (measured.notes["throughput_amount"].as_str(), measured.notes["throughput_unit"].as_str()),
        ("8", "bytes")
    );
}

#[test]
fn profiles_are_fetched_once_where_they_are_offered() {
    let change = r#"
OFFERS = ["profile"]
def profile(request):
    open("profiles", "a").write(request["benchmark"])
    if request["benchmark"] == "b":
        say(reply="error", message="no profile of this one", line="")
    else:
        say(reply="profile", profile={"iterations": request["iterations"]})
"#;
    let (folder, program) = fake(change);
    let solo = run(&program, &options(Duration::ZERO), &Stop::by_hand().unwrap(), &mut |_| ()).unwrap();
    let of: Vec<&str> = solo.attachments.iter().map(|attachment| attachment.benchmark.as_str()).collect();
    assert_eq!(of, ["a", "c"]);
    assert_eq!(solo.attachments[0].kind, "profile");
    assert!(solo.attachments[0].content["iterations"].is_u64());
    assert_eq!(fs::read_to_string(folder.path().join("profiles")).unwrap().len(), 3);
    measured(&solo, "b");
}

#[test]
fn a_slow_benchmark_counts_its_rehearsal_as_a_life() {
    let change = r#"
NAMES = ["a"]
ITERATION_NS = 1_000_000_000
def run(request):
    open("runs", "a").write("x")
    say(reply="run", elapsed_ns=spend(request["iterations"]))
"#;
    let (folder, program) = fake(change);
    let solo = run(&program, &options(Duration::ZERO), &Stop::by_hand().unwrap(), &mut |_| ()).unwrap();
    let lives = values(&measured(&solo, "a").readings[0]).len();
    assert_eq!((lives, fs::read_to_string(folder.path().join("runs")).unwrap().len()), (2, 2));
}

#[test]
fn a_worker_that_ends_badly_after_its_work_is_noted() {
    let solo = solo("import atexit\natexit.register(os._exit, 5)");
    assert!(solo.notes["ended_badly"].ends_with("the first exited with status 5"), "{:?}", solo.notes);
    measured(&solo, "a");
}

/// A worker that tells how it is scheduled while a slice runs: 0 as usual, 2 before others.
#[cfg(target_os = "linux")]
const SCHEDULED: &str = r#"
import os
def list_(request):
    metric = {"name": "policy", "unit": "count", "better": "lower", "kind": "noisy"}
    say(reply="list", benchmarks=[{"name": "a", "metrics": [metric]}])
def run(request):
    policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    say(reply="run", elapsed_ns=spend(request["iterations"]), metrics={"policy": policy})
"#;

#[test]
#[cfg(target_os = "linux")]
fn slices_go_before_others_where_that_is_allowed_and_the_run_says_so() {
    let solo = solo(SCHEDULED);
    let policy = match solo.notes["priority of workers"].as_str() {
        "raised" => 2.0,
        usual => {
            assert_eq!(usual, "usual");
            0.0
        }
    };
    let lives = values(&measured(&solo, "a").readings[1]);
    assert!(lives.concat().iter().all(|one| (one - policy).abs() < 0.1), "{policy} {lives:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_benchmark_that_is_refused_in_its_slices_leaves_its_worker_as_it_was() {
    // The one refuses once slices are taken; the other tells how its first iteration, which sets it up, was scheduled.
    let change = r#"
import os
slices, policy = 0, 0
def list_(request):
    metric = {"name": "policy", "unit": "count", "better": "lower", "kind": "noisy"}
    say(reply="list", benchmarks=[{"name": "refused"}, {"name": "told", "metrics": [metric]}])
def run(request):
    global slices, policy
    if request["benchmark"] == "refused":
        slices += request["iterations"] > 1 and os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR
        if slices > 1:
            return say(reply="error", message="not any more")
        return say(reply="run", elapsed_ns=spend(request["iterations"]), metrics={})
    if request["iterations"] == 1:
        policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    say(reply="run", elapsed_ns=spend(request["iterations"]), metrics={"policy": policy})
"#;
    let solo = solo(change);
    let lives = values(&measured(&solo, "told").readings[1]);
    assert!(lives.concat().iter().all(|policy| policy.abs() < 0.1), "{lives:?}");
    if solo.notes["priority of workers"] == "raised" {
        assert!(trouble(&solo, "refused").reason.contains("not any more"));
    }
}
