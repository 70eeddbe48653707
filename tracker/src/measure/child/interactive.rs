//! A program that is talked to: lines in, lines out.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::pipes::{Pipes, Took, Waited};
use super::{ChildError, Finished, Program, Reason};
use crate::measure::interrupt::Stop;

/// What is taken in of a program that writes without being asked; a line may be half as long.
const MOST_UNREAD_BYTES: usize = 32 << 20;

/// Why a conversation broke off. The program may still run; [`Interactive::end`] ends it and tells how.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It ended, or closed its standard output.
    #[error("it ended instead of answering")]
    Ended,
    /// It did not take or answer in time.
    #[error("it did not answer in time")]
    Late,
    /// It began a line that is too long.
    #[error("it answered with a line of more than {0} bytes")]
    TooLong(usize),
    /// Somebody wants us to stop.
    #[error("stopped by a signal")]
    Stopped,
    /// The pipes failed.
    #[error("its pipes failed")]
    Pipes(#[source] io::Error),
}

/// A running program with its standard input and output in our hands. Ended when dropped.
#[derive(Debug)]
pub struct Interactive {
    pipes: Pipes,
    heard: Vec<u8>,
    /// How much of `heard` is known to hold no end of line.
    searched: usize,
}

impl Interactive {
    /// Starts a program to talk to.
    pub fn start(program: &Program, stop: &Stop) -> Result<Interactive, ChildError> {
        Ok(Interactive { pipes: Pipes::start(program, stop, true)?, heard: Vec::new(), searched: 0 })
    }

    /// The process id of the program, which is that of its process group too.
    #[must_use]
    pub fn process_id(&self) -> i32 {
        self.pipes.process_id()
    }

    /// Writes `bytes` to its standard input, which it must take before `deadline`.
    pub fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), Broken> {
        loop {
            let Some(stdin) = &mut self.pipes.stdin else { return Err(Broken::Ended) };
            match stdin.write(bytes) {
                Ok(length) => bytes = &bytes[length..],
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(Broken::Ended),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(Broken::Pipes(error)),
            }
            if bytes.is_empty() {
                return Ok(());
            }
            self.wait(true, deadline)?;
            // A program that writes before it has read all must not make both wait for ever.
            self.hear()?;
        }
    }

    /// Reads its next line, without the end of line, which it must have written before `deadline`. A last line that
    /// lacks the end of line is none.
    pub fn line(&mut self, longest: usize, deadline: Instant) -> Result<Vec<u8>, Broken> {
        loop {
            if let Some(at) = self.heard[self.searched..].iter().position(|&byte| byte == b'\n') {
                let mut line: Vec<u8> = self.heard.drain(..=self.searched + at).collect();
                self.searched = 0;
                line.pop();
                return if line.len() > longest { Err(Broken::TooLong(longest)) } else { Ok(line) };
            }
            self.searched = self.heard.len();
            if self.heard.len() > longest {
                return Err(Broken::TooLong(longest));
            }
            let gone = self.pipes.is_gone();
            match self.hear()? {
                Took::Bytes(_) => {}
                Took::Nothing if !gone => self.wait(false, deadline)?,
                Took::Nothing | Took::End => return Err(Broken::Ended),
            }
        }
    }

    /// What it has written beyond the lines that were read, as far as it was heard.
    #[must_use]
    pub fn unasked(&self) -> &[u8] {
        &self.heard
    }

    fn hear(&mut self) -> Result<Took, Broken> {
        let heard = &mut self.heard;
        let took = self.pipes.take_stdout(|bytes| heard.extend_from_slice(bytes)).map_err(Broken::Pipes)?;
        if heard.len() > MOST_UNREAD_BYTES { Err(Broken::TooLong(MOST_UNREAD_BYTES)) } else { Ok(took) }
    }

    fn wait(&mut self, for_room: bool, deadline: Instant) -> Result<(), Broken> {
        match self.pipes.wait(for_room, deadline, true).map_err(Broken::Pipes)? {
            Waited::Moved => Ok(()),
            Waited::Late => Err(Broken::Late),
            Waited::Stopped => Err(Broken::Stopped),
        }
    }

    /// Closes its standard input, which asks a worker to exit, and gives it `patience` to do so before it is killed.
    pub fn finish(mut self, patience: Duration) -> Result<Finished, ChildError> {
        self.pipes.stdin = None;
        let deadline = Instant::now() + patience;
        while !self.pipes.is_gone() {
            match self.pipes.wait(false, deadline, true).map_err(ChildError::Pipes)? {
                Waited::Moved => self.pipes.take_stdout(|_| ()).map_err(ChildError::Pipes)?,
                Waited::Late => return self.end_for(Reason::Late(patience), Duration::ZERO),
                Waited::Stopped => return self.end_for(Reason::Stopped, Duration::ZERO),
            };
        }
        self.pipes.conclude(Reason::ByItself, deadline, |_| ()).map_err(ChildError::Pipes)
    }

    /// Ends it: SIGTERM to its process group, and SIGKILL to all that is left when `grace` is over. A program that had
    /// ended before tells how it had.
    pub fn end(self, grace: Duration) -> Result<Finished, ChildError> {
        self.end_for(Reason::Asked, grace)
    }

    fn end_for(mut self, reason: Reason, grace: Duration) -> Result<Finished, ChildError> {
        let deadline = self.pipes.ask_to_end(grace);
        self.pipes.conclude(reason, deadline, |_| ()).map_err(ChildError::Pipes)
    }
}
