//! GGUF, the file format of llama.cpp: models go to other engines and come from them.
//!
//! A file is a header (counts, then keys with values, then a description of each tensor) and the tensors' bytes. Nothing that
//! a header says is believed until it has been checked against the file's length: counts, lengths, offsets, overlaps.

mod header;
mod model_file;
mod storage;
mod write;

use std::borrow::Cow;
use std::error::Error;
use std::{fmt, io};

pub use header::{Header, Strings, TensorEntry, Value};
pub use model_file::ModelFile;
pub use storage::Storage;
pub use write::write;

/// The first bytes of every file.
const MAGIC: [u8; 4] = *b"GGUF";
/// The version that is written; 2 differs in nothing that is used here.
const VERSION: u32 = 3;
/// What tensors begin at a multiple of, unless the file says otherwise.
const ALIGNMENT: u64 = 32;
/// Letters of a message; a person reads no more of a name that is none.
const LONGEST_MESSAGE: usize = 400;
/// The architecture of all models here.
const ARCHITECTURE: &str = "gpt2";

/// How a tensor's numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 32-bit numbers.
    F32,
    /// 16-bit numbers.
    F16,
    /// Blocks of 32 bytes with a 16-bit scale.
    Q8,
}

impl Encoding {
    const fn from_code(code: u32) -> Option<Self> {
        match code {
            0 => Some(Self::F32),
            1 => Some(Self::F16),
            8 => Some(Self::Q8),
            _ => None,
        }
    }

    const fn code(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8 => 8,
        }
    }

    /// Bytes of a row of so many numbers.
    const fn row_bytes(self, columns: usize) -> usize {
        match self {
            Self::F32 => columns * 4,
            Self::F16 => columns * 2,
            Self::Q8 => columns / crate::q8::BLOCK * crate::q8::BLOCK_BYTES,
        }
    }
}

/// The name by which llama.cpp knows it.
impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Q8 => "Q8_0",
        })
    }
}

/// Why a file could not be used.
#[derive(Debug)]
pub enum GgufError {
    /// It could not be read or written.
    Io(io::Error),
    /// It says something that cannot be so.
    Malformed {
        /// Where in the file.
        offset: u64,
        /// What, and why not.
        what: String,
    },
    /// It is sound, but no model that this engine computes.
    Unsupported(String),
}

impl fmt::Display for GgufError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot read the file: {error}"),
            Self::Malformed { offset, what } => {
                write!(f, "damaged at byte {offset}: {}; fetch or convert the file again", shortened(what))
            }
            Self::Unsupported(what) => f.write_str(&shortened(what)),
        }
    }
}

/// A message quotes what a file says, and that can be as long as the file.
fn shortened(what: &str) -> Cow<'_, str> {
    match what.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => Cow::Owned(format!("{}…", &what[..end])),
        None => Cow::Borrowed(what),
    }
}

impl Error for GgufError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for GgufError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
