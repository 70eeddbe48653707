//! Counters that are scripts, and the real ones where they are installed.

use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;
use crate::measure::child::Environment;
use crate::measure::worker::tests::fake;

/// A folder of programs that stand in for the real ones.
fn programs(all: &[(&str, &str)]) -> (TempDir, Environment) {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in all {
        let place = folder.path().join(name);
        std::fs::write(&place, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let environment = Environment::worker().with("PATH", path);
    (folder, environment)
}

const NO_VALGRIND: (&str, &str) = ("valgrind", "exit 127");

fn find(all: &[(&str, &str)]) -> Result<Counter, NoCounter> {
    let (_folder, environment) = programs(all);
    Counter::find_in(&environment, &Stop::by_hand().unwrap())
}

#[test]
fn callgrind_comes_first_then_perf_and_where_there_is_neither_both_are_named() {
    let perf = ("perf", "echo 4711,,instructions:u,100,100.00,, >&2");
    let none = ("perf", "echo '<not supported>,,instructions:u,0,100.00,,' >&2");
    assert_eq!(
        find(&[("valgrind", "echo valgrind-3.19.0"), perf]),
        Ok(Counter::Callgrind { version: "3.19.0".to_owned() })
    );
    assert_eq!(find(&[NO_VALGRIND, perf]), Ok(Counter::Perf));
    let why = find(&[NO_VALGRIND, none]).unwrap_err().to_string();
    assert!(why.contains("`valgrind` exited with status 127") && why.contains("no counter of instructions"), "{why}");
    let forbidden = ("perf", "echo 'access to performance monitoring is limited' >&2; exit 255");
    let why = find(&[("valgrind", "echo something else"), forbidden]).unwrap_err().to_string();
    assert!(why.contains("is not valgrind") && why.contains("status 255: access to performance monitoring"), "{why}");
}

fn manner<'a>(counter: &'a Counter, folder: &'a TempDir, stop: &'a Stop) -> (Manner<'a>, PathBuf) {
    let timeout = Duration::from_mins(1);
    let until = Instant::now() + Duration::from_mins(10);
    (Manner { counter, timeout, until, folder: folder.path(), stop }, folder.path().to_owned())
}

fn wanted(names: &[&str]) -> Vec<Wanted> {
    let one = |name: &&str| Wanted { benchmark: BenchmarkName::new(*name).unwrap(), iteration_ns: 20_000.0 };
    names.iter().map(one).collect()
}

/// A perf that asks the worker itself: it writes what the worker left in `counted`.
const PERF: &str = r#"
while [ "$1" != "-o" ]; do shift; done
out=$2; shift 3
"$@"; ended=$?
echo "$(cat counted),,instructions:u,100,100.00,," > "$out"
exit $ended"#;

/// A worker of which each iteration takes 3,000 instructions, `b` one more in every other process.
const COUNTED: &str = r#"
done = 0

def run(request):
    global done
    done += 3000 * request["iterations"]
    if request["benchmark"] == "crash":
        os._exit(9)
    open("counted", "w").write(str(1000000 + done))
    say(reply="run", elapsed_ns=spend(1))
"#;

#[test]
fn of_a_worker_that_marks_nothing_the_difference_of_two_processes_is_what_its_iterations_take() {
    let (_programs, environment) = programs(&[("perf", PERF)]);
    let (folder, _) = fake(&format!("{COUNTED}\nNAMES = ['a', 'crash', 'b']"));
    let program = Program::new(["python3", "worker.py"], folder.path(), environment).unwrap();
    let (out, stop) = (tempfile::tempdir().unwrap(), Stop::by_hand().unwrap());
    let (manner, place) = manner(&Counter::Perf, &out, &stop);
    let counted = count(&program, &wanted(&["a", "b", "crash", "gone"]), manner).unwrap();
    for name in ["a", "b"] {
        assert_eq!(counted[name], Ok(vec![3000.0, 3000.0]), "{name}");
    }
    assert!(counted["crash"].as_ref().unwrap_err().reason.contains("status 9"), "{:?}", counted["crash"]);
    assert!(counted["gone"].as_ref().unwrap_err().reason.contains("does not list it"), "{:?}", counted["gone"]);
    assert!(!place.exists(), "what was counted is cleared away");
}

#[test]
fn who_wants_to_stop_is_heard() {
    let (_folder, program) = fake("");
    let (out, stop) = (tempfile::tempdir().unwrap(), Stop::by_hand().unwrap());
    stop.raise(15);
    let (manner, _) = manner(&Counter::Perf, &out, &stop);
    assert_eq!(count(&program, &wanted(&["a"]), manner), Err(Stopped));
}

/// A worker below callgrind that says that it marks, and asks for nothing.
#[test]
fn a_worker_that_claims_to_mark_and_does_not_is_found_out() {
    let valgrind = r#"
while [ "${1#-}" != "$1" ]; do case $1 in --callgrind-out-file=*) out=${1#*=};; esac; shift; done
echo "totals: 0" > "$(echo "$out" | sed "s/%p/$$/")"
exec "$@""#;
    let (_programs, environment) = programs(&[("valgrind", valgrind)]);
    let (folder, _) = fake("OFFERS = ['count']\ndef count(request):\n    say(reply='count')");
    let program = Program::new(["python3", "worker.py"], folder.path(), environment).unwrap();
    let (out, stop) = (tempfile::tempdir().unwrap(), Stop::by_hand().unwrap());
    let counter = Counter::Callgrind { version: "0".to_owned() };
    let (manner, _) = manner(&counter, &out, &stop);
    let counted = count(&program, &wanted(&["a", "b"]), manner).unwrap();
    assert_eq!(counted["a"].as_ref().unwrap_err().reason, "callgrind wrote of 0 benchmarks, not of 2");
}

/// The interpreter itself, for a script that looks for it is counted as well.
fn interpreter() -> String {
    let found =
        std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

#[test]
fn callgrind_counts_a_python_worker_to_a_thousandth() {
    let stop = Stop::by_hand().unwrap();
    if !std::process::Command::new("valgrind").arg("--version").output().is_ok_and(|out| out.status.success()) {
        use std::io::Write as _;
        assert!(std::env::var_os("TACHOGRAPH_ALL_TOOLS").is_none(), "valgrind is not installed");
        // Past the test harness, which keeps what succeeds to itself.
        let _ = writeln!(std::io::stderr(), "skipped: that callgrind counts, for valgrind is not installed");
        return;
    }
    let counter = Counter::find(&stop).unwrap();
    assert!(matches!(counter, Counter::Callgrind { .. }), "{counter:?}");
    let (folder, _) = fake(
        "def run(request):\n    for _ in range(request['iterations']):\n        sum(range(1000))\n    say(reply='run', elapsed_ns=1)",
    );
    let program = Program::new([&interpreter(), "-S", "worker.py"], folder.path(), Environment::worker()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let (manner, _) = manner(&counter, &out, &stop);
    let counted = count(&program, &wanted(&["a"]), manner).unwrap();
    let [one, other] = counted["a"].as_ref().unwrap()[..] else { panic!("{counted:?}") };
    assert!(one > 5000.0 && (one / other - 1.0).abs() < 1e-3, "{one} {other}");
}
