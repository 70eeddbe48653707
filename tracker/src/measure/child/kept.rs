//! The tracker's side of a keeper: starting it, hearing it, and making sure of the end.

use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::wire::{self, Report};
use super::{ChildError, Program, keeper, sweep};
use crate::domain::Ended;

/// How long a keeper may take to start, or to end what it was told to end at once. Generous: a loaded machine is slow.
const KEEPER_PATIENCE: Duration = Duration::from_secs(15);

static KEEPER: OnceLock<PathBuf> = OnceLock::new();

/// Names the executable that keepers are made from, for programs other than the tracker's own: tests, benchmarks. The
/// first call decides.
pub fn keeper_is(executable: impl Into<PathBuf>) {
    let _ = KEEPER.set(executable.into());
}

/// A keeper's command line. It gets no environment: whatever it holds would be readable from below.
pub(super) fn keeper_command() -> Command {
    let mut command = if cfg!(test) { test_keeper() } else { own_keeper() };
    command.env_clear();
    #[cfg(test)]
    command.env(keeper::tests::MARK, "1");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn own_keeper() -> Command {
    let executable = KEEPER.get().cloned().unwrap_or_else(own_executable);
    let mut command = Command::new(executable);
    command.arg0("tachograph").arg(keeper::VERB);
    command
}

/// On Linux by a name that is right even when the file was replaced since we started.
fn own_executable() -> PathBuf {
    match std::env::current_exe() {
        Ok(path) if !cfg!(target_os = "linux") => path,
        _ => PathBuf::from("/proc/self/exe"),
    }
}

/// Unit tests have no executable of the tracker; their own becomes a keeper by running the one test that serves as such.
#[cfg(test)]
fn test_keeper() -> Command {
    let mut command = Command::new(own_executable());
    command.args(["--exact", "--nocapture", keeper::tests::NAME]);
    command
}

#[cfg(not(test))]
fn test_keeper() -> Command {
    own_keeper()
}

/// A program under its keeper.
#[derive(Debug)]
pub(super) struct Kept {
    keeper: Child,
    socket: UnixStream,
    heard: Vec<u8>,
    process_id: i32,
    ended: Option<Ended>,
    lasted: Option<Duration>,
    gone: bool,
}

impl Kept {
    /// Starts `program` under a keeper with these standard streams.
    pub(super) fn start(program: &Program, streams: [OwnedFd; 3]) -> Result<Kept, ChildError> {
        let (socket, theirs) = UnixStream::pair().map_err(ChildError::Keeper)?;
        let keeper = keeper_command().stdin(OwnedFd::from(theirs)).spawn().map_err(ChildError::Keeper)?;
        let mut kept =
            Kept { keeper, socket, heard: Vec::new(), process_id: 0, ended: None, lasted: None, gone: false };
        wire::send_program(&kept.socket, program, &streams).map_err(ChildError::Keeper)?;
        drop(streams);
        kept.await_start(program)?;
        Ok(kept)
    }

    fn await_start(&mut self, program: &Program) -> Result<(), ChildError> {
        self.socket.set_read_timeout(Some(KEEPER_PATIENCE)).map_err(ChildError::Keeper)?;
        while !self.heard.contains(&b'\n') {
            let mut chunk = [0; 512];
            match self.socket.read(&mut chunk) {
                Ok(0) => return Err(ChildError::Keeper(io::ErrorKind::UnexpectedEof.into())),
                Ok(length) => self.heard.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ChildError::Keeper(error)),
            }
        }
        self.socket.set_nonblocking(true).map_err(ChildError::Keeper)?;
        match self.next_report() {
            Some(Report::Started(process_id)) => {
                self.process_id = process_id;
                self.understand();
                Ok(())
            }
            Some(Report::Refused(refusal)) => Err(ChildError::refused(program, refusal)),
            _ => Err(ChildError::Keeper(io::ErrorKind::InvalidData.into())),
        }
    }

    fn next_report(&mut self) -> Option<Report> {
        let end = self.heard.iter().position(|&byte| byte == b'\n')?;
        let line: Vec<u8> = self.heard.drain(..=end).collect();
        serde_json::from_slice(&line).ok()
    }

    fn understand(&mut self) {
        while let Some(report) = self.next_report() {
            if let Report::Ended { how, lasted_ns } = report {
                self.ended = Some(how);
                self.lasted = Some(Duration::from_nanos(lasted_ns));
            }
        }
    }

    /// Hears what the keeper has to say, without waiting.
    pub(super) fn listen(&mut self) {
        let mut chunk = [0; 512];
        while !self.gone {
            match self.socket.read(&mut chunk) {
                Ok(0) => self.gone = true,
                Ok(length) => self.heard.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.gone = true,
            }
        }
        self.understand();
        if self.gone && self.ended.is_none() {
            // The keeper did not come to say it, so it did not come to sweep either.
            self.sweep_session();
        }
    }

    /// Whether the keeper is gone: the program and all its descendants have ended.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// How the program ended, as far as the keeper could tell.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended.clone()
    }

    /// How long the program ran, by the keeper's clock.
    pub(super) fn lasted(&self) -> Option<Duration> {
        self.lasted
    }

    /// The program's process id.
    pub(super) fn process_id(&self) -> i32 {
        self.process_id
    }

    /// Asks for the end: SIGTERM, then SIGKILL when the grace is over; without grace SIGKILL at once. Returns by when
    /// the end must have come.
    pub(super) fn ask_to_end(&mut self, grace: Duration) -> Instant {
        if wire::ask_to_end(&self.socket, grace).is_err() {
            // Gone already, or deaf: the end of file says the same with more force.
            let _ = self.socket.shutdown(Shutdown::Write);
        }
        Instant::now() + grace + KEEPER_PATIENCE
    }

    /// Ends what a keeper did not end in time, and the keeper with it.
    pub(super) fn force(&mut self) {
        let id = i32::try_from(self.keeper.id()).ok().and_then(Pid::from_raw);
        if let (Some(id), Ok(None)) = (id, self.keeper.try_wait()) {
            sweep::kill_descendants(id);
            let _ = self.keeper.kill();
            self.ended.get_or_insert(Ended::Killed);
        }
        self.gone = true;
    }

    /// Ends what still stands in the keeper's session.
    fn sweep_session(&self) {
        let Some(id) = i32::try_from(self.keeper.id()).ok().and_then(Pid::from_raw) else { return };
        let give_up = Instant::now() + KEEPER_PATIENCE;
        while sweep::kill_session(id) && Instant::now() < give_up {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn await_gone(&mut self, until: Instant) {
        let _ = self.socket.set_nonblocking(false);
        while !self.gone && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let _ = self.socket.set_read_timeout(Some(left));
            let mut chunk = [0; 512];
            match self.socket.read(&mut chunk) {
                Ok(length @ 1..) => self.heard.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) => self.gone = true,
                Err(_) => break,
            }
        }
        self.understand();
    }
}

impl AsFd for Kept {
    /// Readable when the keeper has something to say.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Kept {
    /// Nothing outlives this: what still runs is killed.
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Write);
        if !self.gone {
            self.await_gone(Instant::now() + KEEPER_PATIENCE);
        }
        if !self.gone {
            self.force();
        }
        let _ = self.keeper.wait();
    }
}
