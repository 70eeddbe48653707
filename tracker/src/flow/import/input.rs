//! What is handed in to be imported: a file, a folder, or a stream that can be read once only.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use crate::adapt::{self, limits};
use crate::flow::results::{DiskFile, DiskFolder};
use crate::measure::child::nameless_file;

/// What is read at once: beyond this, benchmarks are read one at a time where the format allows it.
const WHOLE_BYTES: usize = 1 << 20;

/// Results as they were handed in.
#[derive(Debug)]
pub enum Input {
    /// The bytes of a small file, or of standard input.
    Bytes(Vec<u8>),
    /// A large file.
    File(DiskFile),
    /// A folder, or a folder of files that are named by their commits.
    Folder(DiskFolder),
}

impl Input {
    /// Opens a file or folder.
    pub fn open(path: &Path) -> io::Result<Input> {
        if path.is_dir() {
            return DiskFolder::open(path).map(Input::Folder).map_err(io::Error::other);
        }
        let file = File::open(path)?;
        let about = file.metadata()?;
        // A file that the system makes up as it is read says that it is empty.
        if !about.is_file() || about.len() == 0 {
            return Input::stream(file);
        }
        let file = DiskFile::new(file)?;
        Ok(if adapt::File::bytes(&file) > WHOLE_BYTES { Input::File(file) } else { Input::Bytes(file.whole()?) })
    }

    /// Reads a stream to its end and no more of it than is taken; what is large goes to a file without a name, since it is
    /// read more than once.
    pub fn stream(mut stream: impl Read) -> io::Result<Input> {
        let mut bytes = Vec::new();
        (&mut stream).take(WHOLE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() <= WHOLE_BYTES {
            return Ok(Input::Bytes(bytes));
        }
        let mut file = nameless_file()?;
        file.write_all(&bytes)?;
        io::copy(&mut stream.take((limits::FILE_BYTES + 1 - bytes.len()) as u64), &mut file)?;
        file.rewind()?;
        DiskFile::new(file).map(Input::File)
    }
}
