//! Real programs under real keepers. Counts are small here; `TACHOGRAPH_SOAK` multiplies them.

use std::fs;
use std::time::{Duration, Instant};

use super::*;
use crate::measure::interrupt::Stop;

/// Long enough for the slowest machine; nothing waits for it unless it fails.
pub(super) const AGES: Duration = Duration::from_mins(1);

pub(super) fn soak() -> usize {
    std::env::var("TACHOGRAPH_SOAK").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1)
}

pub(super) fn later() -> Instant {
    Instant::now() + AGES
}

/// A shell script in a folder of its own.
pub(super) fn script(folder: &tempfile::TempDir, text: &str) -> Program {
    Program::new(["/bin/sh", "-c", text], folder.path(), Environment::worker()).unwrap()
}

pub(super) fn python(folder: &tempfile::TempDir, text: &str) -> Program {
    Program::new(["python3", "-c", text], folder.path(), Environment::worker()).unwrap()
}

pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

pub(super) fn limits(deadline_ms: u64, grace_ms: u64, output_bytes: u64) -> Limits {
    let of_ms = Duration::from_millis;
    Limits { deadline: of_ms(deadline_ms), silence: None, grace: of_ms(grace_ms), output_bytes }
}

pub(super) fn generous() -> Limits {
    limits(60_000, 1_000, 256 << 20)
}

pub(super) fn run_quietly(program: &Program, limits: &Limits) -> Batch {
    run(program, limits, &Stop::by_hand().unwrap(), &mut |_| ()).unwrap()
}

/// Whether a process that wrote its id into `file` still runs. A fixture writes the id before what the test waits for.
fn is_alive(folder: &tempfile::TempDir, file: &str) -> bool {
    let id = fs::read_to_string(folder.path().join(file)).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

#[test]
fn a_program_that_ends_well_leaves_its_output() {
    let folder = folder();
    let mut batch = run_quietly(&script(&folder, "pwd; echo warning >&2"), &generous());
    assert!(batch.finished.succeeded(), "{}", batch.finished);
    let path = fs::canonicalize(folder.path()).unwrap();
    assert_eq!(batch.stdout.read().unwrap(), format!("{}\n", path.display()).as_bytes());
    assert_eq!(batch.finished.stderr_tail, "warning\n");
}

#[test]
fn a_conversation_goes_line_by_line() {
    let folder = folder();
    let program = script(&folder, "while read line; do echo \"<$line>\"; done");
    let mut child = Interactive::start(&program, &Stop::by_hand().unwrap()).unwrap();
    for word in ["a", "bc", "def"] {
        child.send(format!("{word}\n").as_bytes(), later()).unwrap();
        assert_eq!(child.line(100, later()).unwrap(), format!("<{word}>").as_bytes());
    }
    let finished = child.finish(AGES).unwrap();
    assert!(finished.succeeded(), "{finished}");
}

#[test]
fn a_status_and_a_signal_are_told_apart() {
    let folder = folder();
    let status = run_quietly(&script(&folder, "echo 12; exit 3"), &generous());
    assert_eq!(status.finished.ended, Ended::Status(3));
    assert_eq!(status.finished.to_string(), "exited with status 3");
    let crash = run_quietly(&script(&folder, "echo oh >&2; kill -SEGV $$"), &generous());
    assert_eq!(crash.finished.ended, Ended::Signal(11));
    assert_eq!(crash.finished.to_string(), "crashed: ended by signal 11 (SIGSEGV)");
    assert_eq!(crash.finished.trouble().stderr_tail, "oh\n");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let folder = folder();
    let program = Program::new(["no-such-program"], folder.path(), Environment::worker()).unwrap();
    let error = run(&program, &generous(), &Stop::by_hand().unwrap(), &mut |_| ()).unwrap_err();
    assert!(error.to_string().starts_with("no-such-program did not start in "), "{error}");
    let program = Program::new(["true"], folder.path().join("absent"), Environment::worker()).unwrap();
    let error = run(&program, &generous(), &Stop::by_hand().unwrap(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, ChildError::NoDirectory { .. }), "{error}");
}

#[test]
fn a_program_that_ignores_sigterm_and_one_that_stops_itself_are_killed() {
    let folder = folder();
    for text in ["trap '' TERM; while :; do sleep 1; done", "kill -STOP $$; sleep 60", "sleep 60"] {
        let batch = run_quietly(&script(&folder, text), &limits(200, 200, 1 << 20));
        assert_eq!(batch.finished.reason, Reason::Late(Duration::from_millis(200)), "{text}");
        assert_eq!(batch.finished.ended, Ended::Killed, "{text}");
    }
}

#[test]
fn a_program_that_says_nothing_for_too_long_is_killed_however_long_it_may_run() {
    let folder = folder();
    let silence = Duration::from_millis(300);
    let limits = Limits { silence: Some(silence), ..generous() };
    let batch = run_quietly(&script(&folder, "echo word; sleep 600"), &limits);
    assert_eq!(batch.finished.reason, Reason::Silent(silence));
    assert_eq!(batch.finished.to_string(), "timed out: silent for 300ms, and killed");
}

pub(super) const HIDE: &str = r#"
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("hidden.tmp", "w").write(str(os.getpid()))
        os.rename("hidden.tmp", "hidden")
        time.sleep(600)
    os._exit(0)
os.wait()
while not os.path.exists("hidden"):
    time.sleep(0.001)
"#;

#[test]
fn who_hides_in_a_session_of_its_own_ends_with_the_program() {
    for _ in 0..soak() {
        let folder = folder();
        let batch = run_quietly(&python(&folder, HIDE), &generous());
        assert!(batch.finished.succeeded(), "{} {}", batch.finished, batch.finished.stderr_tail);
        assert!(!is_alive(&folder, "hidden"));
    }
}

#[test]
fn who_hides_in_a_session_of_its_own_ends_when_the_child_is_dropped() {
    for _ in 0..soak() {
        let folder = folder();
        let program = python(&folder, &format!("{HIDE}\nprint('ready', flush=True)\ntime.sleep(600)"));
        let mut child = Interactive::start(&program, &Stop::by_hand().unwrap()).unwrap();
        assert_eq!(child.line(100, later()).unwrap(), b"ready");
        assert!(is_alive(&folder, "hidden"));
        drop(child);
        assert!(!is_alive(&folder, "hidden"));
    }
}

#[test]
fn full_pipes_in_both_directions_do_not_make_us_wait() {
    let folder = folder();
    // It never reads, and fills standard error before it answers.
    let deaf = python(&folder, "import sys; sys.stderr.write('e' * 1000000); sys.stderr.flush(); print('x' * 1000000)");
    let mut child = Interactive::start(&deaf, &Stop::by_hand().unwrap()).unwrap();
    assert_eq!(child.line(2_000_000, later()).unwrap().len(), 1_000_000);
    let deaf = script(&folder, "sleep 60");
    let mut child = Interactive::start(&deaf, &Stop::by_hand().unwrap()).unwrap();
    let soon = Instant::now() + Duration::from_millis(100);
    assert!(matches!(child.send(&vec![b'x'; 1 << 20], soon), Err(Broken::Late)));
}

#[test]
fn a_line_is_bounded() {
    let folder = folder();
    let program = script(&folder, "head -c 100000 /dev/zero; sleep 60");
    let mut child = Interactive::start(&program, &Stop::by_hand().unwrap()).unwrap();
    assert!(matches!(child.line(50_000, later()), Err(Broken::TooLong(50_000))));
    assert_eq!(child.end(Duration::ZERO).unwrap().ended, Ended::Killed);
}

#[test]
fn a_program_that_ends_instead_of_answering_tells_how() {
    let folder = folder();
    let program = script(&folder, "echo half-a-word >&2; printf half; kill -ABRT $$");
    let mut child = Interactive::start(&program, &Stop::by_hand().unwrap()).unwrap();
    assert!(matches!(child.line(100, later()), Err(Broken::Ended)));
    // Its standard output may be closed a little before it is gone: to be asked to end would be another end.
    let finished = child.finish(AGES).unwrap();
    assert_eq!((finished.reason, finished.ended), (Reason::ByItself, Ended::Signal(6)));
    assert_eq!(finished.stderr_tail, "half-a-word\n");
}

#[test]
fn a_flood_is_cut_at_the_cap() {
    let folder = folder();
    let batch = run_quietly(&script(&folder, "exec cat /dev/zero"), &limits(60_000, 1_000, 8 << 20));
    assert_eq!(batch.finished.reason, Reason::Flooded(8 << 20));
    assert_eq!(batch.finished.to_string(), "wrote more than 8 MiB, and was killed");
    assert!(batch.stdout.bytes() <= 8 << 20);
}

#[test]
fn a_wish_to_stop_ends_what_runs() {
    let folder = folder();
    let stop = Stop::by_hand().unwrap();
    let program = script(&folder, "echo go; exec sleep 60");
    let mut child = Interactive::start(&program, &stop).unwrap();
    child.line(10, later()).unwrap();
    stop.raise(2);
    assert!(matches!(child.line(10, later()), Err(Broken::Stopped)));
    let batch = run(&program, &generous(), &stop, &mut |_| ()).unwrap();
    assert_eq!((batch.finished.reason, batch.finished.ended), (Reason::Stopped, Ended::Killed));
}

#[test]
fn a_killed_keeper_takes_its_session_along() {
    let folder = folder();
    let program = script(&folder, "echo $$ > id; read go; kill -KILL $PPID; sleep 60");
    let mut child = Interactive::start(&program, &Stop::by_hand().unwrap()).unwrap();
    child.send(b"go\n", later()).unwrap();
    assert!(matches!(child.line(10, later()), Err(Broken::Ended)));
    let finished = child.end(AGES).unwrap();
    assert_eq!(finished.reason, Reason::Lost);
    // We sent it its end, but it is no child of ours: nobody tells when it has gone.
    let soon = later();
    while is_alive(&folder, "id") {
        assert!(Instant::now() < soon, "it outlives its keeper");
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_stays_on_its_processors() {
    let folder = folder();
    let allowed = rustix::thread::sched_getaffinity(None).unwrap();
    let cpu = (0..MOST_CPUS).rfind(|&cpu| allowed.is_set(cpu)).unwrap();
    let program = script(&folder, "grep Cpus_allowed_list /proc/self/status").on_cpus(&[cpu]).unwrap();
    let mut batch = run_quietly(&program, &generous());
    assert_eq!(batch.stdout.read().unwrap(), format!("Cpus_allowed_list:\t{cpu}\n").as_bytes());
    let program = script(&folder, "true").on_cpus(&[MOST_CPUS - 1]).unwrap();
    let error = run(&program, &generous(), &Stop::by_hand().unwrap(), &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("binding it to processors [1023]"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn programs_of_one_layout_have_the_same_addresses_where_the_system_allows() {
    let folder = folder();
    let told = |layout: u64| {
        let program = script(&folder, "cat /proc/self/personality /proc/self/maps").laid_out(layout, 0);
        let mut batch = run_quietly(&program, &generous());
        assert!(batch.finished.succeeded(), "{}", batch.finished);
        String::from_utf8(batch.stdout.read().unwrap()).unwrap()
    };
    let mapped = |told: &str| told.lines().filter(|line| line.contains("libc")).map(str::to_owned).collect::<Vec<_>>();
    let [one, again, other] = [77, 77, 77 + (5 << 6)].map(told);
    let flags = u32::from_str_radix(one.lines().next().unwrap(), 16).unwrap();
    let is_fixed = flags & libc::ADDR_NO_RANDOMIZE.cast_unsigned() != 0;
    assert_eq!(one == again, is_fixed, "{one}{again}");
    assert_ne!(mapped(&one), mapped(&other), "another layout has other addresses");
}

#[test]
fn python_shuffles_its_tables_alike_in_programs_of_one_layout() {
    let folder = folder();
    let hash = |layout: u64, nudges: u32| {
        let program = python(&folder, "print(hash('a'))").laid_out(layout, nudges);
        let mut batch = run_quietly(&program, &generous());
        assert!(batch.finished.succeeded(), "{}", batch.finished);
        String::from_utf8(batch.stdout.read().unwrap()).unwrap()
    };
    assert_eq!(hash(7, 0), hash(7, 1));
    assert_ne!(hash(7, 0), hash(8, 0));
    // The greatest number that Python takes, and the first that is not shuffled for it.
    assert_ne!(hash(4_294_967_294, 0), hash(u64::MAX, 0));
}

#[test]
fn nothing_is_inherited_but_the_three_streams() {
    let folder = folder();
    let mut batch = run_quietly(&script(&folder, "exec ls -l /proc/self/fd"), &generous());
    let listing = String::from_utf8(batch.stdout.read().unwrap()).unwrap();
    // The listing itself holds the directory open.
    assert_eq!(listing.lines().filter(|line| line.contains("->")).count(), 4, "{listing}");
    assert_eq!(listing.matches("pipe:").count(), 3, "{listing}");
}
