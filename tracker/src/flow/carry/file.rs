//! Reading a file that anybody may have written.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::MOST_SUITES;
use crate::domain::{CommitId, Subject};

/// The largest file.
const MOST_BYTES: u64 = 32 << 20;

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// It is no file of its own.
    #[error("it is no ordinary file")]
    NoFile,
    /// It is larger than anybody's.
    #[error("it has {0} bytes, more than the {MOST_BYTES} that it may have")]
    TooLarge(u64),
    /// It tells of too much.
    #[error("it tells of more than {MOST_SUITES} suites")]
    TooMany,
    /// It does not begin as it should.
    #[error("it is no file of a gate: {0}")]
    Malformed(String),
    /// A bundle in it is none.
    #[error("line {line}: {problem}")]
    Bundle {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// It is of another commit than it should be.
    #[error("it is of commit {found}, and {expected} was asked for")]
    OtherCommit {
        /// What it says.
        found: String,
        /// What the trusted side says.
        expected: String,
    },
    /// The system would not read it.
    #[error(transparent)]
    Files(#[from] std::io::Error),
}

impl CarryError {
    fn other_commit(found: &CommitId, expected: &CommitId) -> CarryError {
        CarryError::OtherCommit { found: found.as_str().to_owned(), expected: expected.as_str().to_owned() }
    }
}

/// Whether what a file tells of is the commit that the trusted side names, and no working tree upon it.
pub(super) fn is_of(subject: &Subject, commit: &CommitId) -> Result<(), CarryError> {
    match subject {
        Subject::Commit(of) if of.id == *commit => Ok(()),
        other => Err(CarryError::other_commit(&other.commit().id, commit)),
    }
}

/// Whether two commits are one.
pub(super) fn is(found: &CommitId, commit: &CommitId) -> Result<(), CarryError> {
    if found == commit { Ok(()) } else { Err(CarryError::other_commit(found, commit)) }
}

/// The first line and all others, each with its number; the first must be as this program writes it.
pub(super) fn lines<H: Serialize + DeserializeOwned>(
    bytes: &[u8],
) -> Result<(H, impl Iterator<Item = (usize, &[u8])>), CarryError> {
    let bytes = bytes.strip_suffix(b"\n").ok_or_else(|| CarryError::Malformed("it ends in mid-line".to_owned()))?;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let head: H = serde_json::from_slice(first).map_err(|error| CarryError::Malformed(error.to_string()))?;
    let canonical = serde_json::to_vec(&head).map_err(|error| CarryError::Malformed(error.to_string()))?;
    if canonical != first {
        return Err(CarryError::Malformed("its first line is not as this program writes it".to_owned()));
    }
    Ok((head, (2..).zip(lines)))
}

/// A link could lead anywhere, and a pipe never end.
pub(super) fn bounded(place: &Path) -> Result<Vec<u8>, CarryError> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(no_follow.bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(place) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(CarryError::NoFile);
        }
        opened => opened?,
    };
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(CarryError::NoFile);
    }
    if about.len() > MOST_BYTES {
        return Err(CarryError::TooLarge(about.len()));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES { Err(CarryError::TooLarge(bytes.len() as u64)) } else { Ok(bytes) }
}
