//! What a parser yields.

use std::collections::BTreeMap;

use super::limits;
use crate::domain::{BenchmarkName, Notes, Outcome};

/// Everything that was in a file or folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    /// The name of the format, given or found out.
    pub format: &'static str,
    /// The sets of results, in the order of the source; one for most formats, one a commit for histories.
    pub sets: Vec<Set>,
    /// What a reader should know: what was left out, replaced or renamed, and why.
    pub remarks: Vec<String>,
    /// How often each remark was made.
    times: Vec<usize>,
}

/// The results of one suite at one commit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Set {
    /// What the source says about where the results come from.
    pub origin: Origin,
    /// Facts about the whole set: versions, the processor's name. Never a path, a host or a user.
    pub notes: Notes,
    /// What became of each benchmark.
    pub outcomes: BTreeMap<BenchmarkName, Outcome>,
}

/// Where a set of results comes from, as far as the source says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The commit, as the source spells it: often short, sometimes no hash at all.
    pub commit: Option<String>,
    /// When it was measured or, failing that, committed, in seconds since 1970 UTC.
    pub at_s: Option<i64>,
    /// The first line of the commit's message.
    pub subject: Option<String>,
    /// The source's own name for the machine or environment.
    pub machine: Option<String>,
    /// The source's own name for the suite.
    pub suite: Option<String>,
}

impl Parsed {
    /// Tells the reader something, once, however many sets it is true of.
    pub(super) fn remark(&mut self, remark: String) {
        if let Some(known) = self.remarks.iter().position(|known| *known == remark) {
            self.times[known] += 1;
        } else if self.remarks.len() < limits::REMARKS {
            self.remarks.push(remark);
            self.times.push(1);
        }
    }

    /// Adds to each remark how often it was made.
    pub(super) fn count_remarks(&mut self) {
        for (remark, times) in self.remarks.iter_mut().zip(self.times.drain(..)).filter(|(_, times)| *times > 1) {
            *remark = format!("{remark} ({times} times)");
        }
    }
}

/// A file of which parts are read, so that a large one needs little memory.
pub trait File {
    /// How large it is.
    fn bytes(&self) -> usize;
    /// Bytes from a place on: `most` of them or fewer, and none only at the end.
    fn read(&self, from: usize, most: usize) -> Result<Vec<u8>, String>;
}

/// A file that is in memory already.
impl File for Vec<u8> {
    fn bytes(&self) -> usize {
        self.len()
    }

    fn read(&self, from: usize, most: usize) -> Result<Vec<u8>, String> {
        let rest = self.get(from..).unwrap_or_default();
        Ok(rest[..most.min(rest.len())].to_vec())
    }
}

/// The files of a folder, read one at a time so that a large folder needs little memory.
pub trait Folder {
    /// The relative paths, parts joined by `/`, sorted.
    fn paths(&self) -> &[String];
    /// The content of one of them.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// A folder that is in memory already.
#[derive(Debug, Clone, Default)]
pub struct MemoryFolder {
    paths: Vec<String>,
    contents: BTreeMap<String, Vec<u8>>,
}

impl MemoryFolder {
    /// Takes the files by their relative paths.
    #[must_use]
    pub fn new(contents: BTreeMap<String, Vec<u8>>) -> MemoryFolder {
        MemoryFolder { paths: contents.keys().cloned().collect(), contents }
    }
}

impl Folder for MemoryFolder {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.contents.get(path).cloned().ok_or_else(|| format!("no file {path:?} in the folder"))
    }
}
