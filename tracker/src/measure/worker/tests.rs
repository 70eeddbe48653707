//! Strange workers, each a small Python program that really runs.

use tempfile::TempDir;

use super::*;
use crate::domain::{BenchmarkName, Ended};
use crate::measure::child::Environment;

/// A worker that behaves, in pieces that a test can replace.
const GOOD: &str = r#"
import json, os, signal, sys, time

NAMES = ["a", "b", "c"]
OFFERS = []
ITERATION_NS = 20000

def say(**reply):
    write(json.dumps(reply) + "\n")

def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()

def hello(request):
    say(reply="hello", version=1, versions=[1], worker="fake 1", offers=OFFERS)

def list_(request):
    say(reply="list", benchmarks=[{"name": name} for name in NAMES])

def spend(iterations):
    begun = time.perf_counter_ns()
    while time.perf_counter_ns() - begun < iterations * ITERATION_NS:
        pass
    return time.perf_counter_ns() - begun

def run(request):
    say(reply="run", elapsed_ns=spend(request["iterations"]))

def check(request):
    say(reply="check", ok=True)

def drop(request):
    say(reply="drop")

def profile(request):
    say(reply="profile", profile={"iterations": request["iterations"]})

def serve():
    assert sys.argv[1:] == ["--worker"], sys.argv
    for line in sys.stdin:
        request = json.loads(line)
        name = request["request"]
        globals()["list_" if name == "list" else name](request)
"#;

/// A worker that behaves except for what `change` says.
pub(in crate::measure) fn fake(change: &str) -> (TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("worker.py"), format!("{GOOD}\n{change}\nserve()\n")).unwrap();
    let program = Program::new(["python3", "worker.py"], folder.path(), Environment::worker()).unwrap();
    (folder, program)
}

/// Patience with starts, on however busy a machine, and none with requests.
const PATIENCE: Patience =
    Patience { start: Duration::from_mins(1), request: Duration::from_mins(1), end: Duration::from_secs(20) };
const SOON: Duration = Duration::from_millis(200);

fn benchmark(name: &str) -> Listed {
    Listed { name: BenchmarkName::new(name).unwrap(), cores: 1, throughput: None, metrics: vec![] }
}

fn start_with(change: &str, patience: Patience) -> Result<Worker, WorkerError> {
    let (_folder, program) = fake(change);
    Worker::start(&program, patience, &Stop::by_hand().unwrap())
}

fn start(change: &str) -> Worker {
    start_with(change, PATIENCE).unwrap()
}

/// What becomes of a `run` by a worker with this change; it must not survive.
fn run_fails(change: &str) -> Trouble {
    let mut worker = start(change);
    let error = worker.run(&benchmark("a"), 1).unwrap_err();
    assert!(!error.is_survived() && !worker.is_alive(), "{error}");
    let again = worker.run(&benchmark("a"), 1).unwrap_err();
    assert!(again.to_string().contains("the worker was over"), "{again}");
    error.trouble()
}

#[test]
fn a_worker_that_behaves_answers_everything() {
    let mut worker = start(r#"OFFERS = ["profile"]"#);
    assert_eq!(worker.hello().worker, "fake 1");
    let listed = worker.list().unwrap();
    let names: Vec<&str> = listed.iter().map(|benchmark| benchmark.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(worker.check(&listed[0]).unwrap(), Answer::Right);
    let slice = worker.run(&listed[0], 10).unwrap();
    assert!(slice.elapsed_ns >= 200_000);
    assert!(worker.offers("profile"));
    assert_eq!(worker.profile(&listed[0], 7).unwrap(), serde_json::json!({"iterations": 7}));
    worker.drop_setup(&listed[0]).unwrap();
    assert!(worker.finish().unwrap().succeeded());
}

#[test]
fn a_worker_that_refuses_goes_on() {
    let change = r#"
def check(request):
    say(reply="error", message="no benchmark named \"a\"", line=json.dumps(request))
"#;
    let mut worker = start(change);
    let error = worker.check(&benchmark("a")).unwrap_err();
    assert!(error.is_survived());
    assert_eq!(error.trouble().reason, "the worker refused `check`: no benchmark named \"a\"");
    assert!(worker.run(&benchmark("a"), 1).is_ok());
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new(["./no-such-worker"], folder.path(), Environment::worker()).unwrap();
    let error = Worker::start(&program, PATIENCE, &Stop::by_hand().unwrap()).unwrap_err();
    let reason = error.trouble().reason;
    assert!(reason.contains("the worker did not start") && reason.contains("no-such-worker"), "{reason}");
}

#[test]
fn a_worker_that_hangs_in_hello_times_out() {
    let patience = Patience { start: SOON, ..PATIENCE };
    let error = start_with("def hello(request): time.sleep(1000)", patience).unwrap_err();
    let trouble = error.trouble();
    assert_eq!(trouble.reason, "timed out: no answer to `hello` within 200ms");
    assert_eq!(trouble.ended, Some(Ended::Killed));
}

#[test]
fn a_worker_that_hangs_in_a_run_times_out_with_what_it_said_last() {
    let change = r#"
def run(request):
    sys.stderr.write("waiting for a lock\n")
    sys.stderr.flush()
    time.sleep(1000)
"#;
    let mut worker = start_with(change, Patience { request: SOON, ..PATIENCE }).unwrap();
    let error = worker.run(&benchmark("a"), 1).unwrap_err();
    assert!(!error.is_crash());
    let trouble = error.trouble();
    assert_eq!(trouble.reason, "timed out: no answer to `run` within 200ms");
    assert_eq!(trouble.stderr_tail.trim(), "waiting for a lock");
}

#[test]
fn a_worker_that_prints_before_hello_is_quoted() {
    let error = start_with(r#"write("Loading model...\n")"#, PATIENCE).unwrap_err();
    let reason = error.trouble().reason;
    assert!(reason.contains("reply to `hello` is malformed") && reason.ends_with("Loading model..."), "{reason}");
}

#[test]
fn a_worker_of_an_unknown_version_is_refused() {
    let error =
        start_with(r#"def hello(request): say(reply="hello", version=7, versions=[7], worker="new")"#, PATIENCE);
    let reason = error.unwrap_err().trouble().reason;
    assert!(reason.contains("it chose version 7 of the protocol, we speak [1]"), "{reason}");
}

#[test]
fn garbage_and_impossible_numbers_end_the_worker_and_are_quoted() {
    let cases = [
        (r#"write("hello world\n")"#, "it wrote: hello world"),
        (r#"sys.stdout.buffer.write(b"\xff\xfe\n"); sys.stdout.flush()"#, "it wrote: \u{fffd}\u{fffd}"),
        (r#"say(reply="run", elapsed_ns=float("nan"))"#, r#"it wrote: {"reply": "run", "elapsed_ns": NaN}"#),
        (r#"say(reply="run", elapsed_ns=-5)"#, r#"it wrote: {"reply": "run", "elapsed_ns": -5}"#),
        (r#"say(reply="run", elapsed_ns=10**15)"#, "its clock says 1000000000000000 ns, but the answer came after"),
        (r#"say(reply="run")"#, "missing field `elapsed_ns`"),
        (r#"say(reply="drop")"#, "it is a reply to `drop`"),
        (r#"write('{"reply":"run","elapsed_ns":1}\n{"reply":"run","elapsed_ns":2}\n')"#, "more than one line"),
    ];
    for (answer, reason) in cases {
        let trouble = run_fails(&format!("def run(request): {answer}"));
        assert!(trouble.reason.contains(reason), "{answer}: {}", trouble.reason);
        assert!(trouble.ended.is_some());
    }
}

#[test]
fn a_worker_that_dies_by_a_signal_tells_which_and_what_it_said_last() {
    let change = r#"
def run(request):
    sys.stderr.write("index out of bounds\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(1000)
"#;
    let trouble = run_fails(change);
    assert_eq!(trouble.ended, Some(Ended::Signal(11)));
    assert!(trouble.reason.starts_with("crashed: ended by signal 11"), "{}", trouble.reason);
    assert!(trouble.reason.ends_with("instead of answering `run`"), "{}", trouble.reason);
    assert!(trouble.stderr_tail.contains("index out of bounds"));
}

#[test]
fn a_worker_that_exits_in_the_middle_tells_its_status() {
    let trouble = run_fails("def run(request): os._exit(3)");
    assert_eq!(trouble.ended, Some(Ended::Status(3)));
    assert_eq!(trouble.reason, "exited with status 3, instead of answering `run`");
}

#[test]
fn a_worker_that_closes_its_output_and_stays_is_ended() {
    let change = "
def run(request):
    os.close(1)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(1000)
";
    let mut worker = start_with(change, Patience { end: SOON, ..PATIENCE }).unwrap();
    let trouble = worker.run(&benchmark("a"), 1).unwrap_err().trouble();
    assert_eq!(trouble.reason, "closed its standard output instead of answering `run`");
    assert_eq!(trouble.ended, Some(Ended::Killed));
}

#[test]
fn a_line_without_end_is_cut_off() {
    let change = "
def run(request):
    while True:
        write('x' * 65536)
";
    let trouble = run_fails(change);
    assert!(trouble.reason.starts_with("answered `run` with a line of more than"), "{}", trouble.reason);
}

#[test]
fn a_wish_to_stop_is_heeded_in_the_middle_of_a_request() {
    let (_folder, program) = fake("def run(request): time.sleep(1000)");
    let stop = Stop::by_hand().unwrap();
    let mut worker = Worker::start(&program, PATIENCE, &stop).unwrap();
    stop.raise(15);
    assert!(matches!(worker.run(&benchmark("a"), 1), Err(WorkerError::Stopped)));
}
