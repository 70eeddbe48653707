//! A kept program with its pipes, and the one place that waits for any of them.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;

use super::kept::Kept;
use super::tail::Tail;
use super::{ChildError, Finished, Program, Reason};
use crate::domain::Ended;
use crate::measure::interrupt::Stop;

/// As much as a pipe holds.
const CHUNK_BYTES: usize = 64 << 10;

/// What is read of a pipe whose program is gone: more than a pipe holds, unless somebody made it larger or goes on writing.
const MOST_LEFT_CHUNKS: usize = 64;

/// A program that runs, its streams, and what it said on standard error.
#[derive(Debug)]
pub(super) struct Pipes {
    program: Program,
    kept: Kept,
    pub(super) stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
    tail: Tail,
    chunk: Vec<u8>,
    stop: Stop,
    started: Instant,
    written: u64,
}

/// What a wait ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// Something happened: bytes, room for bytes, or a word from the keeper.
    Moved,
    /// The time is over.
    Late,
    /// Somebody wants us to stop.
    Stopped,
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Took {
    /// That many bytes.
    Bytes(usize),
    /// None for now.
    Nothing,
    /// None any more.
    End,
}

impl Pipes {
    /// Starts a program; with a pipe as standard input, or with an empty one.
    pub(super) fn start(program: &Program, stop: &Stop, with_stdin: bool) -> Result<Pipes, ChildError> {
        let (their_stdin, our_stdin) = pipe()?;
        let (our_stdout, their_stdout) = pipe()?;
        let (our_stderr, their_stderr) = pipe()?;
        for ours in [&our_stdin, &our_stdout, &our_stderr] {
            unblock(ours).map_err(ChildError::Keeper)?;
        }
        let kept = Kept::start(program, [their_stdin, their_stdout, their_stderr])?;
        Ok(Pipes {
            program: program.clone(),
            kept,
            stdin: with_stdin.then(|| File::from(our_stdin)),
            stdout: Some(File::from(our_stdout)),
            stderr: Some(File::from(our_stderr)),
            tail: Tail::default(),
            chunk: vec![0; CHUNK_BYTES],
            stop: stop.clone(),
            started: Instant::now(),
            written: 0,
        })
    }

    /// The program's process id, also that of its process group.
    pub(super) fn process_id(&self) -> i32 {
        self.kept.process_id()
    }

    /// Waits until something happens. Standard error is taken in on the way.
    pub(super) fn wait(&mut self, for_room: bool, deadline: Instant, heed_stop: bool) -> io::Result<Waited> {
        if heed_stop && self.stop.is_raised() {
            return Ok(Waited::Stopped);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Waited::Late);
        }
        let mut watched = Vec::with_capacity(5);
        if !self.kept.is_gone() {
            watched.push(PollFd::new(&self.kept, PollFlags::IN));
        }
        if heed_stop {
            watched.push(PollFd::new(&self.stop, PollFlags::IN));
        }
        watched.extend(self.stdout.iter().chain(&self.stderr).map(|stream| PollFd::new(stream, PollFlags::IN)));
        if for_room {
            watched.extend(self.stdin.iter().map(|stream| PollFd::new(stream, PollFlags::OUT)));
        }
        let left = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: i64::from(u32::MAX), tv_nsec: 0 });
        match rustix::event::poll(&mut watched, Some(&left)) {
            Ok(0) => return Ok(Waited::Late),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.kept.listen();
        self.take_stderr()?;
        Ok(Waited::Moved)
    }

    /// Takes one chunk of standard output, if there is one, and hands it on.
    pub(super) fn take_stdout(&mut self, mut taken: impl FnMut(&[u8])) -> io::Result<Took> {
        let took = take(&mut self.stdout, &mut self.chunk)?;
        if let Took::Bytes(length) = took {
            self.written += length as u64;
            taken(&self.chunk[..length]);
        }
        Ok(took)
    }

    fn take_stderr(&mut self) -> io::Result<Took> {
        let took = take(&mut self.stderr, &mut self.chunk)?;
        if let Took::Bytes(length) = took {
            self.written += length as u64;
            self.tail.push(&self.chunk[..length]);
        }
        Ok(took)
    }

    /// How much the program has written to both of its streams.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// The end of standard error so far.
    pub(super) fn tail(&self) -> &Tail {
        &self.tail
    }

    /// Whether the program and all its descendants have ended. What they wrote may still wait in the pipes.
    pub(super) fn is_gone(&self) -> bool {
        self.kept.is_gone()
    }

    /// Asks for the end; returns by when it must have come.
    pub(super) fn ask_to_end(&mut self, grace: Duration) -> Instant {
        self.stdin = None;
        self.kept.ask_to_end(grace)
    }

    /// Waits for an end that is under way, taking in what is still said, and tells the story.
    pub(super) fn conclude(
        mut self,
        reason: Reason,
        deadline: Instant,
        mut taken: impl FnMut(&[u8]),
    ) -> io::Result<Finished> {
        while !self.kept.is_gone() {
            if self.wait(false, deadline, false)? == Waited::Late {
                self.kept.force();
            }
            self.take_stdout(&mut taken)?;
        }
        // A stranger may hold a pipe open (a daemon that was handed it): take what is there, and wait for no end.
        for _ in 0..MOST_LEFT_CHUNKS {
            let out = self.take_stdout(&mut taken)?;
            let err = self.take_stderr()?;
            if !matches!((out, err), (Took::Bytes(_), _) | (_, Took::Bytes(_))) {
                break;
            }
        }
        let ended = self.kept.ended();
        let reason = match (reason, &ended) {
            (_, None) => Reason::Lost,
            // It was quicker than we.
            (Reason::Asked | Reason::Late(_) | Reason::Silent(_), Some(Ended::Status(_) | Ended::Signal(_))) => {
                Reason::ByItself
            }
            (reason, _) => reason,
        };
        Ok(Finished {
            reason,
            ended: ended.unwrap_or(Ended::Killed),
            stderr_tail: self.tail.text(&self.program),
            elapsed: self.kept.lasted().unwrap_or_else(|| self.started.elapsed()),
        })
    }
}

/// The end to read from and the end to write to; neither is inherited unless it is handed over.
fn pipe() -> Result<(OwnedFd, OwnedFd), ChildError> {
    let (read, write) = io::pipe().map_err(ChildError::Keeper)?;
    Ok((read.into(), write.into()))
}

/// Reads a chunk; a stream that has ended is closed.
fn take(stream: &mut Option<File>, chunk: &mut [u8]) -> io::Result<Took> {
    let Some(file) = stream else { return Ok(Took::End) };
    match file.read(chunk) {
        Ok(0) => {
            *stream = None;
            Ok(Took::End)
        }
        Ok(length) => Ok(Took::Bytes(length)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            Ok(Took::Nothing)
        }
        Err(error) => Err(error),
    }
}

/// Our end of a pipe never makes us wait; the program's end is a description of its own and stays as programs expect.
fn unblock(stream: &OwnedFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(stream.as_fd())?;
    Ok(rustix::fs::fcntl_setfl(stream.as_fd(), flags | OFlags::NONBLOCK)?)
}
