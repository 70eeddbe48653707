//! A program that is run to its end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::pipes::{Pipes, Waited};
use super::tail::{TAIL_BYTES, decoded};
use super::{ChildError, Finished, Program, Reason};
use crate::measure::interrupt::Stop;

/// How often progress is told, at most.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What a program may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run.
    pub deadline: Duration,
    /// How long it may write nothing at all; for ever if none.
    pub silence: Option<Duration>,
    /// From SIGTERM to SIGKILL.
    pub grace: Duration,
    /// How much it may write to standard output and error together.
    pub output_bytes: u64,
}

impl Default for Limits {
    /// Half an hour, silent as long as it likes, 5 s of grace, 256 MiB.
    fn default() -> Limits {
        Limits {
            deadline: Duration::from_mins(30),
            silence: None,
            grace: Duration::from_secs(5),
            output_bytes: 256 << 20,
        }
    }
}

/// What a program left.
#[derive(Debug)]
pub struct Batch {
    /// How it ended.
    pub finished: Finished,
    /// What it wrote to standard output.
    pub stdout: Spool,
}

impl Batch {
    /// Puts the end of standard output before that of standard error, for programs that say there what went wrong.
    pub fn tell_printed(&mut self, program: &Program) -> io::Result<()> {
        let said = &mut self.finished.stderr_tail;
        let room = TAIL_BYTES.saturating_sub(said.len());
        let (printed, _) = decoded(&self.stdout.tail(room)?);
        let printed = program.presentable(printed.trim_end());
        if !printed.is_empty() {
            said.insert_str(0, &format!("{printed}\n"));
        }
        Ok(())
    }
}

/// Runs a program to its end, or until it breaks a limit or `stop` is raised. `progress` gets the last line of its
/// standard error now and then, free of control characters.
pub fn run(
    program: &Program,
    limits: &Limits,
    stop: &Stop,
    progress: &mut dyn FnMut(&str),
) -> Result<Batch, ChildError> {
    let mut stdout = Spool::new(limits.output_bytes)?;
    let mut pipes = Pipes::start(program, stop, false)?;
    let deadline = Instant::now() + limits.deadline;
    let mut told = Instant::now();
    let mut heard = (0, Instant::now());
    let reason = loop {
        let silent_until = limits.silence.map_or(deadline, |silence| deadline.min(heard.1 + silence));
        match pipes.wait(false, silent_until, true).map_err(ChildError::Pipes)? {
            Waited::Late if silent_until < deadline => break Reason::Silent(limits.silence.unwrap_or_default()),
            Waited::Late => break Reason::Late(limits.deadline),
            Waited::Stopped => break Reason::Stopped,
            Waited::Moved => {}
        }
        pipes.take_stdout(|bytes| stdout.push(bytes)).map_err(ChildError::Pipes)?;
        if pipes.written() > limits.output_bytes {
            break Reason::Flooded(limits.output_bytes);
        }
        if pipes.is_gone() || stdout.failed.is_some() {
            break Reason::ByItself;
        }
        if pipes.written() > heard.0 {
            heard = (pipes.written(), Instant::now());
        }
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            progress(&pipes.tail().last_line());
        }
    };
    let until = match reason {
        Reason::ByItself if pipes.is_gone() => deadline,
        Reason::Late(_) | Reason::Silent(_) | Reason::Stopped => pipes.ask_to_end(limits.grace),
        _ => pipes.ask_to_end(Duration::ZERO),
    };
    let mut finished = pipes.conclude(reason, until, |bytes| stdout.push(bytes)).map_err(ChildError::Pipes)?;
    if stdout.is_cut() {
        finished.reason = Reason::Flooded(limits.output_bytes);
    }
    stdout.finish().map(|stdout| Batch { finished, stdout })
}

/// Output kept in a file that has no name and vanishes with us.
#[derive(Debug)]
pub struct Spool {
    file: File,
    bytes: u64,
    most_bytes: u64,
    cut: bool,
    failed: Option<io::Error>,
}

impl Spool {
    fn new(most_bytes: u64) -> Result<Spool, ChildError> {
        let file = nameless_file().map_err(spool_error)?;
        Ok(Spool { file, bytes: 0, most_bytes, cut: false, failed: None })
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = usize::try_from(self.most_bytes - self.bytes).unwrap_or(usize::MAX);
        let fitting = &bytes[..bytes.len().min(room)];
        self.cut |= fitting.len() < bytes.len();
        if self.failed.is_none() {
            self.failed = self.file.write_all(fitting).err();
            self.bytes += fitting.len() as u64;
        }
    }

    fn finish(mut self) -> Result<Spool, ChildError> {
        match self.failed.take() {
            Some(error) => Err(spool_error(error)),
            None => Ok(self),
        }
    }

    /// How much there is.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether there was more than was kept.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// All of it, from the beginning.
    pub fn reader(&mut self) -> io::Result<BufReader<&mut File>> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(BufReader::with_capacity(64 << 10, &mut self.file))
    }

    /// At most this much of its end.
    fn tail(&mut self, most_bytes: usize) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(self.bytes.saturating_sub(most_bytes as u64)))?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// All of it, in memory.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.bytes).unwrap_or_default());
        self.reader()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn spool_error(source: io::Error) -> ChildError {
    ChildError::Spool { directory: std::env::temp_dir(), source }
}

/// A file that is removed as soon as it is open, so that no death of ours leaves it behind.
pub fn nameless_file() -> io::Result<File> {
    let path = fresh_path();
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// A path in the system's folder for temporary files that nobody else chooses; whoever creates it must insist on being
/// the first.
fn fresh_path() -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("tachograph-{}-{count}", std::process::id()))
}
