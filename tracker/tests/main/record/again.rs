//! This test program once more, as a process of its own: to be killed, to write beside others, or to see mounts that
//! nobody else sees.

use std::io::Write as _;
use std::process::Command;

/// Says to a copy of this program what it is there for.
const TASK: &str = "TACHOGRAPH_TEST_TASK";

/// How many rounds a test of endurance makes: few in an ordinary test run, the full number when asked by
/// `TACHOGRAPH_SOAK`.
pub(crate) fn rounds(few: usize, full: usize) -> usize {
    if std::env::var_os("TACHOGRAPH_SOAK").is_some() { full } else { few }
}

/// A figure that an endurance test has shown, told past the test harness, which keeps what succeeds to itself.
pub(crate) fn tell(figure: &str) {
    // A figure that cannot be told is no failure of what was tested.
    let _ = writeln!(std::io::stderr(), "{figure}");
}

/// This program, to run one test of it with a task.
pub(crate) fn this_program(test: &str, task: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(TASK, task);
    command
}

/// The task that this process was given.
pub(crate) fn task() -> Option<String> {
    std::env::var(TASK).ok()
}

/// Runs a test in a process with mounts of its own, which go when it ends; true in that process.
///
/// Where such a process is not permitted, the reason is told and the test has shown nothing.
pub(crate) fn in_own_mounts(test: &str) -> bool {
    if task().is_some() {
        return true;
    }
    let unshare = |command: &mut Command| {
        command.arg("--mount");
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
    };
    let mut probe = Command::new("unshare");
    unshare(&mut probe);
    match probe.args(["mount", "-t", "tmpfs", "none", "/mnt"]).output() {
        Ok(output) if output.status.success() => {}
        other => {
            let why =
                other.map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stderr).into());
            tell(&format!("skipped: {test}, for mounting is not permitted here: {}", why.trim()));
            return false;
        }
    }
    let program = this_program(test, "own mounts");
    let mut command = Command::new("unshare");
    unshare(&mut command);
    command.arg(program.get_program()).args(program.get_args());
    let output = command.env(TASK, "own mounts").output().expect("unshare");
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    // A name that no test has would run none, and that succeeds.
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    false
}

/// Mounts or remounts; only in a process with mounts of its own.
pub(crate) fn mount(arguments: &[&str]) {
    let output = Command::new("mount").args(arguments).output().expect("mount");
    assert!(output.status.success(), "mount {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
