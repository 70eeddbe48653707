//! A run that is about to be recorded.

use std::collections::BTreeMap;

use crate::adapt::{Piece, Source};
use crate::domain::{BenchmarkName, Run};
use crate::failure::{Failure, Outcome};
use crate::flow::results::{DiskFile, DiskFolder};
use crate::record::{Recorded, Store};

/// A run, whole or still in the source from which it is recorded.
#[derive(Debug)]
pub struct Ready {
    /// The run; without outcomes where these are read when they are recorded.
    pub run: Run,
    pub(super) later: Option<Later>,
}

/// What is read again, one benchmark at a time.
#[derive(Debug)]
pub(super) struct Later {
    pub(super) opened: Opened,
    pub(super) benchmarks: BTreeMap<BenchmarkName, Piece>,
}

/// A source that stays open.
#[derive(Debug)]
pub(super) enum Opened {
    File(DiskFile),
    Folder(DiskFolder),
}

impl Opened {
    pub(super) fn source(&self) -> Source<'_> {
        match self {
            Opened::File(file) => Source::File(file),
            Opened::Folder(folder) => Source::Folder(folder),
        }
    }
}

impl From<Run> for Ready {
    fn from(run: Run) -> Ready {
        Ready { run, later: None }
    }
}

impl Ready {
    /// Benchmarks that were measured.
    #[must_use]
    pub fn measured(&self) -> usize {
        match &self.later {
            Some(later) => later.benchmarks.values().filter(|piece| piece.is_measured).count(),
            None => self.run.measured(),
        }
    }

    /// Benchmarks that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        match &self.later {
            Some(later) => later.benchmarks.len() - self.measured(),
            None => self.run.failed(),
        }
    }

    /// Records it, and says whether it is new.
    pub(super) fn record(&self, store: &mut Store) -> Outcome<Recorded> {
        let Some(Later { opened, benchmarks }) = &self.later else { return Ok(store.record(&self.run)?) };
        let mut pieces = benchmarks.iter();
        store.record_in_parts(&self.run, || {
            let Some((name, piece)) = pieces.next() else { return Ok(None) };
            let outcome = piece.read(opened.source()).map_err(Failure::usage)?;
            Ok(Some((name.clone(), outcome)))
        })
    }
}
