//! The keeper: a process of ours that stands between the tracker and one program, and outlives both by an instant.
//!
//! It is the tracker's own executable, started with [`VERB`]. It is a subreaper, so that every descendant of the
//! program stays below it, even one that calls setsid or forks twice. It ends them all as soon as the program has
//! ended, the tracker asks, or the tracker is gone, which it notices by the end of file on their socket even when the
//! tracker was killed. It stands in a session of its own: what a terminal or a CI system sends to the tracker's process
//! group does not reach it, and nothing below it can ask at a terminal.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::FdFlags;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus};

use super::wire::{self, Refusal, Report};
use super::{Program, layout, sweep, urgent};
use crate::domain::Ended;

/// The hidden argument that makes the tracker's executable a keeper.
pub const VERB: &str = "__keeper";

/// How long a keeper tries to end what it may not be able to end: a process of another user, or one stuck in the kernel.
const PATIENCE: Duration = Duration::from_secs(30);

/// Is a keeper, with the socket as standard input, until nothing is left to keep.
#[must_use]
pub fn serve() -> ExitCode {
    match keep() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn keep() -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Fails only where we lead a session already.
    let _ = rustix::process::setsid();
    keep_inherited_to_ourselves();
    outlive_signals()?;
    reap_orphans()?;
    let Some((program, streams)) = wire::take_program(&socket)? else { return Ok(()) };
    let is_urgent = urgent::keep_to_itself();
    if is_urgent {
        urgent::raise_session();
    }
    let begun = Instant::now();
    let child = match start(&program, streams) {
        Ok(child) => child,
        Err(refusal) => {
            wire::tell(&socket, &Report::Refused(refusal));
            return Ok(());
        }
    };
    if is_urgent {
        urgent::raise(child);
    }
    wire::tell(&socket, &Report::Started(child.as_raw_nonzero().get()));
    let family = Arc::new(Family { child, ended: Mutex::new(None), ended_by_us: AtomicBool::new(false) });
    let watcher = (socket.try_clone()?, Arc::clone(&family));
    thread::Builder::new().spawn(move || watch(&watcher.0, &watcher.1))?;
    let how = family.await_end();
    let lasted_ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    wire::tell(&socket, &Report::Ended { how, lasted_ns });
    family.sweep();
    Ok(())
}

/// A keeper ends when its work is done, not when somebody sends SIGTERM to everything named `tachograph`.
fn outlive_signals() -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // A handler that does nothing of weight; unlike an ignored signal it is not inherited by the program.
        signal_hook::flag::register(signal, Arc::default())?;
    }
    Ok(())
}

/// Marks every descriptor beyond the standard streams as not to be inherited by the program.
///
/// Ours are so marked from birth; these are what the tracker inherited itself: a lock that a CI script holds, a pipe of
/// its runner.
fn keep_inherited_to_ourselves() {
    let Ok(open) = std::fs::read_dir("/dev/fd") else { return };
    let numbers = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // All are noted before the listing's own descriptor closes.
    let numbers: Vec<RawFd> = numbers.filter(|&number| number > 2).collect();
    for number in numbers {
        mark(number);
    }
}

/// A number of a descriptor is no descriptor to safe Rust, since nothing says that it stays open meanwhile.
#[expect(unsafe_code, reason = "no safe crate of ours takes the number of a descriptor")]
fn mark(number: RawFd) {
    // SAFETY: the number is not -1. It was open a moment ago; nothing of the keeper is under way yet that could close
    // or reuse it. Were it closed all the same, the call would fail; were it reused, the mark is what we want too. The
    // descriptor is neither read, written nor closed here.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    let _ = rustix::io::fcntl_setfd(descriptor, FdFlags::CLOEXEC);
}

#[cfg(target_os = "linux")]
fn reap_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the twin for Linux can fail")]
fn reap_orphans() -> io::Result<()> {
    Ok(())
}

/// Starts the program in a process group of its own, on its processors.
fn start(program: &Program, streams: [OwnedFd; 3]) -> Result<Pid, Refusal> {
    let [stdin, stdout, stderr] = streams;
    let mut command = Command::new(&program.arguments[0]);
    command
        .args(&program.arguments[1..])
        .current_dir(&program.directory)
        .env_clear()
        .envs(program.environment.variables())
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr))
        .process_group(0);
    if let Some(number) = program.layout {
        layout::fix(number);
    }
    let spawned = match &program.cpus {
        None => command.spawn(),
        Some(cpus) => on_cpus(cpus, || command.spawn())?,
    };
    let child = spawned.map_err(|error| refusal("starting it", &error))?;
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    id.ok_or_else(|| refusal("starting it", &io::Error::other("the system gave it no process id")))
}

fn refusal(doing: &str, error: &io::Error) -> Refusal {
    Refusal { doing: doing.to_owned(), errno: error.raw_os_error(), message: error.to_string() }
}

/// Does `spawn` while this thread is bound to `cpus`: a child inherits that. Then the keeper goes back to where it was.
#[cfg(target_os = "linux")]
fn on_cpus<T>(cpus: &[usize], spawn: impl FnOnce() -> T) -> Result<T, Refusal> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let bound = |error: rustix::io::Errno| refusal(&format!("binding it to processors {cpus:?}"), &error.into());
    let before = sched_getaffinity(None).map_err(bound)?;
    let mut wanted = CpuSet::new();
    for &cpu in cpus {
        wanted.set(cpu);
    }
    sched_setaffinity(None, &wanted).map_err(bound)?;
    let done = spawn();
    // The keeper sleeps anyway; where it does so is no reason to fail.
    let _ = sched_setaffinity(None, &before);
    Ok(done)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the twin for Linux can fail")]
fn on_cpus<T>(_cpus: &[usize], spawn: impl FnOnce() -> T) -> Result<T, Refusal> {
    Ok(spawn())
}

/// The program and all that it started.
struct Family {
    child: Pid,
    /// Held while children are reaped and while they are signalled: an id that is not yet reaped is nobody else's.
    ended: Mutex<Option<Ended>>,
    /// Whether it was still running when it was signalled.
    ended_by_us: AtomicBool,
}

impl Family {
    fn lock(&self) -> MutexGuard<'_, Option<Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end of the program, burying orphans meanwhile.
    fn await_end(&self) -> Ended {
        loop {
            // Waits without reaping; fails only if there is no child at all, which the next lines find out too.
            let _ = rustix::process::waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let mut ended = self.lock();
            let children_left = self.bury(&mut ended);
            if let Some(ended) = ended.as_ref() {
                let asked = self.ended_by_us.load(Ordering::SeqCst);
                return if asked && could_be_ours(ended) { Ended::Killed } else { ended.clone() };
            }
            if !children_left {
                return Ended::Killed;
            }
        }
    }

    /// Reaps what is dead, and says whether any child is left.
    fn bury(&self, ended: &mut Option<Ended>) -> bool {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.child => *ended = Some(how(status)),
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Sends a signal to the program's process group, if the program is still there.
    fn signal(&self, signal: Signal) {
        let mut ended = self.lock();
        self.bury(&mut ended);
        if ended.is_none() {
            self.ended_by_us.store(true, Ordering::SeqCst);
            let _ = rustix::process::kill_process_group(self.child, signal);
        }
    }

    /// Ends everything at once.
    fn kill(&self) {
        self.signal(Signal::KILL);
        let _reaping_waits = self.lock();
        sweep::kill_descendants(rustix::process::getpid());
    }

    /// Ends and buries what the program left behind.
    fn sweep(&self) {
        let give_up = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(1);
        while self.bury(&mut self.lock()) && Instant::now() < give_up {
            self.kill();
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

/// Waits for the tracker to ask for the end, or to be gone.
fn watch(socket: &UnixStream, family: &Family) {
    if let Some(grace) = wire::await_end(socket)
        && !grace.is_zero()
    {
        family.signal(Signal::TERM);
        // A stopped process would not take the first.
        family.signal(Signal::CONT);
        // The end of the program ends the whole keeper; so this waits for the grace to be over, or the tracker gone.
        let _ = socket.set_read_timeout(Some(grace));
        wire::await_end(socket);
    }
    family.kill();
}

/// Whether an end after we asked for it may be our doing. By a signal that we do not send a program ends by itself: it
/// was dying already when we asked.
fn could_be_ours(ended: &Ended) -> bool {
    let ours = [Signal::TERM.as_raw(), Signal::KILL.as_raw()];
    !matches!(ended, Ended::Signal(signal) if !ours.contains(signal))
}

fn how(status: WaitStatus) -> Ended {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => Ended::Status(status),
        (None, Some(signal)) => Ended::Signal(signal),
        (None, None) => Ended::Killed,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Set where this test binary is a keeper: see `kept::keeper_command`.
    pub(in crate::measure::child) const MARK: &str = "TACHOGRAPH_TEST_KEEPER";
    pub(in crate::measure::child) const NAME: &str =
        "measure::child::keeper::tests::a_keeper_without_a_program_ends_with_its_tracker";

    #[test]
    #[expect(clippy::exit, reason = "as a keeper, this binary must not go on to be a test")]
    fn a_keeper_without_a_program_ends_with_its_tracker() {
        if std::env::var_os(MARK).is_some() {
            let _ = serve();
            std::process::exit(0);
        }
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut keeper = super::super::kept::keeper_command().stdin(OwnedFd::from(theirs)).spawn().unwrap();
        drop(ours);
        assert!(keeper.wait().unwrap().success());
    }
}
