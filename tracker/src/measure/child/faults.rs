//! The faults, with real processes: what happens to children when the tracker dies, and to the tracker when children
//! misbehave. The tracker is this test binary, started again to play that part.
//!
//! Counts are small; `TACHOGRAPH_SOAK` multiplies them. With `--nocapture` the figures are shown.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::tests::{AGES, HIDE, folder, generous, later, limits, python, run_quietly, script, soak};
use super::*;
use crate::measure::interrupt::Stop;

/// Says which part this binary plays, when it is started as a tracker.
const PART: &str = "TACHOGRAPH_TEST_PART";

/// In the environment of a fixture, to find what is left of it.
const MARK: &str = "TACHOGRAPH_TEST_MARK";

/// A tracker: this binary, running only the test `name`, in `folder`.
fn tracker(name: &str, part: &str, folder: &Path) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", "--nocapture", &format!("measure::child::faults::{name}")]);
    command.env(PART, part).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

fn part() -> Option<String> {
    std::env::var(PART).ok()
}

/// Reads what a tracker says until it says a line that begins with `word`, and gives the rest of that line.
fn await_line(lines: &mut impl BufRead, word: &str) -> String {
    let mut heard = String::new();
    for line in lines.lines() {
        let line = line.unwrap();
        if let Some(rest) = line.strip_prefix(word) {
            return rest.trim().to_owned();
        }
        heard = heard + &line + "\n";
    }
    panic!("it never said {word:?}, but:\n{heard}");
}

#[expect(clippy::exit, reason = "a tracker must not go on to be a test")]
fn play(code: u8) -> ! {
    std::process::exit(code.into())
}

/// Living processes whose environment holds the mark.
fn marked(mark: &str) -> Vec<i32> {
    let wanted = format!("{MARK}={mark}");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_marked = |id: &i32| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    ids.filter(is_marked).collect()
}

/// Waits until nothing with this mark is left, and says how long that took.
fn await_none(mark: &str) -> Duration {
    let begun = Instant::now();
    loop {
        let left = marked(mark);
        if left.is_empty() {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < AGES, "still there: {left:?}");
        std::thread::yield_now();
    }
}

fn marked_program(program: Program, mark: &str) -> Program {
    Program { environment: program.environment.clone().with(MARK, mark), ..program }
}

/// A program with a hidden daemon and a helper that ignores SIGTERM, which then waits for ever.
fn family(folder: &Path, mark: &str) -> Program {
    let stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n";
    let text = format!("{stubborn}{HIDE}\nprint('ready', flush=True)\ntime.sleep(600)");
    let program = Program::new(["python3", "-c", &text], folder, Environment::worker()).unwrap();
    marked_program(program, mark)
}

#[test]
fn no_descendant_outlives_a_killed_tracker() {
    if let Some(mark) = part() {
        let mut child = Interactive::start(&family(Path::new("."), &mark), &Stop::by_hand().unwrap()).unwrap();
        child.line(100, later()).unwrap();
        println!("\nready");
        let _ = child.line(100, later());
        play(1);
    }
    let mut longest = Duration::ZERO;
    for round in 0..soak() {
        let folder = folder();
        let mark = format!("killed-{}-{round}", std::process::id());
        let mut tracker = tracker("no_descendant_outlives_a_killed_tracker", &mark, folder.path()).spawn().unwrap();
        await_line(&mut BufReader::new(tracker.stdout.take().unwrap()), "ready");
        assert_eq!(marked(&mark).len(), 2, "the program and its daemon");
        tracker.kill().unwrap();
        longest = longest.max(await_none(&mark));
        tracker.wait().unwrap();
    }
    println!("killed trackers: {}; the last descendant was gone {longest:?} later at the latest", soak());
}

#[test]
fn a_tracker_killed_at_any_moment_leaves_nobody() {
    if let Some(mark) = part() {
        let stop = Stop::by_hand().unwrap();
        println!("\nbegun");
        loop {
            let mut child = Interactive::start(&family(Path::new("."), &mark), &stop).unwrap();
            child.line(100, later()).unwrap();
            child.end(Duration::ZERO).unwrap();
        }
    }
    let rounds = 5 * soak() as u64;
    let (mut longest, mut alive) = (Duration::ZERO, 0);
    for round in 0..rounds {
        let folder = folder();
        let mark = format!("anytime-{}-{round}", std::process::id());
        let mut tracker =
            tracker("a_tracker_killed_at_any_moment_leaves_nobody", &mark, folder.path()).spawn().unwrap();
        await_line(&mut BufReader::new(tracker.stdout.take().unwrap()), "begun");
        // The moments are spread over some lives of the child; which one is hit does not matter, but one there must be.
        std::thread::sleep(Duration::from_micros(round * 37_919 % 150_000));
        let begun = Instant::now();
        while alive == 0 && round + 1 == rounds && marked(&mark).is_empty() && begun.elapsed() < AGES {
            std::thread::yield_now();
        }
        alive += usize::from(!marked(&mark).is_empty());
        tracker.kill().unwrap();
        tracker.wait().unwrap();
        longest = longest.max(await_none(&mark));
    }
    assert!(alive > 0, "there was nobody to be left by any of {rounds} trackers");
    println!(
        "trackers killed at any moment: {rounds}, {alive} of them with a child; nobody left {longest:?} later at the latest"
    );
}

#[test]
fn a_signal_ends_children_and_the_tracker_exits_as_shells_expect() {
    const NAME: &str = "a_signal_ends_children_and_the_tracker_exits_as_shells_expect";
    if let Some(mark) = part() {
        let stop = Stop::on_signals().unwrap();
        let mut child = Interactive::start(&family(Path::new("."), &mark), &stop).unwrap();
        child.line(100, later()).unwrap();
        println!("\nready");
        assert!(matches!(child.line(100, later()), Err(Broken::Stopped)));
        let finished = child.end(Duration::from_millis(50)).unwrap();
        assert_eq!(finished.ended, Ended::Killed);
        play(stop.exit_code().unwrap());
    }
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let folder = folder();
        let mark = format!("signal-{}-{code}", std::process::id());
        let mut tracker = tracker(NAME, &mark, folder.path()).spawn().unwrap();
        await_line(&mut BufReader::new(tracker.stdout.take().unwrap()), "ready");
        kill_process(Pid::from_child(&tracker), signal).unwrap();
        assert_eq!(tracker.wait().unwrap().code(), Some(code));
        assert_eq!(marked(&mark), Vec::<i32>::new());
    }
}

#[test]
fn a_second_signal_exits_at_once_and_children_end_all_the_same() {
    const NAME: &str = "a_second_signal_exits_at_once_and_children_end_all_the_same";
    if let Some(mark) = part() {
        let stop = Stop::on_signals().unwrap();
        let mut child = Interactive::start(&family(Path::new("."), &mark), &stop).unwrap();
        child.line(100, later()).unwrap();
        println!("\nready");
        let _ = child.line(100, later());
        println!("\nstopping");
        // Stuck in something else than a child.
        std::thread::sleep(AGES);
        play(1);
    }
    let folder = folder();
    let mark = format!("second-{}", std::process::id());
    let mut tracker = tracker(NAME, &mark, folder.path()).spawn().unwrap();
    let mut lines = BufReader::new(tracker.stdout.take().unwrap());
    for word in ["ready", "stopping"] {
        await_line(&mut lines, word);
        kill_process(Pid::from_child(&tracker), Signal::INT).unwrap();
    }
    assert_eq!(tracker.wait().unwrap().code(), Some(130));
    await_none(&mark);
}

const MISBEHAVIOUR: [(&str, &str); 7] = [
    ("hangs", "time.sleep(600)"),
    ("ignores SIGTERM", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)"),
    ("forks, calls setsid, forks again", "HIDE\ntime.sleep(600)"),
    ("stops itself", "os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(600)"),
    ("stops its whole group", "HIDE\nos.killpg(0, signal.SIGSTOP)"),
    ("fills its pipes while nobody reads", "os.write(2, b'e' * 65536)\nos.write(1, b'x' * 300000)\ntime.sleep(600)"),
    ("breeds", "[os.fork() for _ in range(5)]\nos.setpgid(0, 0)\ntime.sleep(600)"),
];

#[test]
fn whatever_a_child_does_it_and_its_like_are_gone_soon_after_the_limit() {
    let (limit_ms, grace_ms) = (150, 100);
    let mut longest = Duration::ZERO;
    for round in 0..soak() {
        for (case, (name, text)) in MISBEHAVIOUR.iter().enumerate() {
            let folder = folder();
            let mark = format!("faults-{}-{round}-{case}", std::process::id());
            let text = format!("import os, signal, time\n{}", text.replace("HIDE", HIDE));
            let program = marked_program(python(&folder, &text), &mark);
            let begun = Instant::now();
            let batch = run_quietly(&program, &limits(limit_ms, grace_ms, 256 << 20));
            longest = longest.max(begun.elapsed());
            assert_eq!(batch.finished.reason, Reason::Late(Duration::from_millis(limit_ms)), "{name}");
            assert_eq!(batch.finished.ended, Ended::Killed, "{name}");
            assert_eq!(marked(&mark), Vec::<i32>::new(), "{name}");
        }
    }
    let count = soak() * MISBEHAVIOUR.len();
    println!("{count} faults, limit {limit_ms} ms, grace {grace_ms} ms: all gone after {longest:?} at the latest");
}

#[test]
fn whatever_ends_a_child_is_told() {
    let cases = [
        ("os.kill(os.getpid(), signal.SIGSEGV)", Ended::Signal(11)),
        ("os.abort()", Ended::Signal(6)),
        ("os.kill(os.getpid(), signal.SIGKILL)", Ended::Signal(9)),
        ("os.kill(os.getpid(), signal.SIGTERM)", Ended::Signal(15)),
        ("print('good output')\nsys.exit(1)", Ended::Status(1)),
        ("pass", Ended::Status(0)),
    ];
    for _ in 0..soak() {
        for (text, ended) in &cases {
            let folder = folder();
            let text = format!(
                "import os, signal, sys\nsys.stderr.write('x' * 100000 + 'last words')\n\
                                sys.stderr.flush()\n{text}"
            );
            let batch = run_quietly(&python(&folder, &text), &generous());
            assert_eq!((batch.finished.reason, &batch.finished.ended), (Reason::ByItself, ended), "{text}");
            let tail = &batch.finished.stderr_tail;
            assert!(tail.ends_with("last words") && tail.len() > TAIL_BYTES && tail.len() < TAIL_BYTES + 100);
            let printed = batch.stdout.bytes();
            assert_eq!(printed > 0, text.contains("good output"), "{text}");
        }
    }
}

/// The most memory that this process ever held, in bytes.
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn a_flood_goes_to_the_disk_and_not_to_memory() {
    // Some buffers; a flood that is kept takes more.
    const MEMORY_BYTES: u64 = 8 << 20;
    // One line without an end, so that nothing can be forgotten line by line; 20 MiB, with the soak 2 GiB and more.
    let amount = (20 << 20) * soak() as u64;
    if part().is_some() {
        let folder = folder();
        let all = limits(600_000, 0, amount + (1 << 20));
        // The same on a small scale, for programs that run for the first time come into memory bit by bit themselves.
        run_quietly(&script(&folder, "head -c 1000000 /dev/zero; head -c 100000 /dev/zero >&2"), &all);
        run_quietly(&script(&folder, "head -c 1000000 /dev/zero"), &limits(600_000, 0, 1000));
        let before = peak_bytes();
        let text = format!("head -c {amount} /dev/zero; head -c 100000 /dev/zero >&2");
        let begun = Instant::now();
        let batch = run_quietly(&script(&folder, &text), &all);
        let rate = amount as f64 / 1e6 / begun.elapsed().as_secs_f64();
        assert!(batch.finished.succeeded(), "{}", batch.finished);
        assert_eq!(batch.stdout.bytes(), amount);
        let half = limits(600_000, 0, amount / 2);
        let batch = run_quietly(&script(&folder, &text), &half);
        assert_eq!(batch.finished.reason, Reason::Flooded(amount / 2));
        assert_eq!(batch.stdout.bytes(), amount / 2);
        let grown = peak_bytes() - before;
        // What is asked for line by line is held until the line ends or is too long.
        let mut child = Interactive::start(&script(&folder, &text), &Stop::by_hand().unwrap()).unwrap();
        assert!(matches!(child.line(16 << 20, later()), Err(Broken::TooLong(_))));
        child.end(Duration::ZERO).unwrap();
        println!("\npeak {grown} {rate:.0}");
        play(0);
    }
    let folder = folder();
    let mut tracker = tracker("a_flood_goes_to_the_disk_and_not_to_memory", "flood", folder.path()).spawn().unwrap();
    let told = await_line(&mut BufReader::new(tracker.stdout.take().unwrap()), "peak ");
    assert!(tracker.wait().unwrap().success());
    let (peak, rate) = told.split_once(' ').unwrap();
    let peak: u64 = peak.parse().unwrap();
    assert!(peak < MEMORY_BYTES, "{peak} bytes");
    println!("a flood of {} MiB: {} MiB more memory at the most, {rate} MB/s", amount >> 20, peak >> 20);
}

const SECRETS: [&str; 20] = [
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_PATH",
    "CI_JOB_TOKEN",
    "CARGO_REGISTRY_TOKEN",
    "NPM_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "SSH_AUTH_SOCK",
    "DATABASE_URL",
    "USER",
    "LOGNAME",
    "HOSTNAME",
    "LD_PRELOAD_SECRET",
    "PATH_SECRET",
];

#[test]
fn no_secret_of_the_tracker_reaches_a_child() {
    if part().is_some() {
        let folder = folder();
        let dump = "env; tr '\\0' '\\n' < /proc/self/environ; tr '\\0' '\\n' < /proc/$PPID/environ; \
                    tr '\\0' '\\n' < /proc/$PPID/cmdline; ls -l /proc/self/fd /proc/$PPID/fd";
        let named = ["TACHOGRAPH_TEST_NAMED".to_owned()];
        let environments = [Environment::worker(), Environment::command(), Environment::build(&named).unwrap()];
        for environment in environments {
            let program = Program::new(["sh", "-c", dump], folder.path(), environment).unwrap();
            let mut batch = run_quietly(&program, &generous());
            println!("\n{}\n{}", String::from_utf8_lossy(&batch.stdout.read().unwrap()), batch.finished.stderr_tail);
        }
        play(0);
    }
    let folder = folder();
    let mut tracker = tracker("no_secret_of_the_tracker_reaches_a_child", "secrets", folder.path());
    for (number, name) in SECRETS.iter().enumerate() {
        tracker.env(name, format!("canary-{number}"));
    }
    let told = tracker.env("TACHOGRAPH_TEST_NAMED", "named-value").output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout);
    assert_eq!(told.matches("PATH=").count(), 6, "each of three children told its environment twice:\n{told}");
    assert_eq!(told.matches("named-value").count(), 2, "only the build saw it:\n{told}");
    assert!(!told.contains("canary"), "{told}");
}
