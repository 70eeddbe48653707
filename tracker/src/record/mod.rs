//! The database. Only this room says `sqlx`.
//!
//! A [`Store`] speaks in the words of the domain and is synchronous; that there is a runtime inside, integers for names
//! and a file underneath is its own business. What was recorded is read back to the last bit, and the identity of a run
//! is checked when it is read.

mod address;
mod along;
mod commits;
mod duels;
mod error;
mod identity;
mod json;
mod listing;
mod migrations;
mod named;
mod parts;
mod read;
mod samples;
mod series;
mod sql;
mod sqlite;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::{Pin, pin};

use sqlx::{Connection, SqliteConnection};
use tokio::runtime::{Builder, Runtime};

pub use address::{Address, Mark};
pub use along::{Dot, RunMark, RunMarks};
pub use duels::{Match, ParentDuel, Trust};
use error::Fault;
pub use error::RecordError;
pub use listing::Found;
pub use read::Held;
pub use series::{Stored, Wanted};
pub use write::Arrival;

use crate::domain::{BenchmarkName, Commit, CommitId, Life, Outcome, Point, RecordId, Run, RunHead, RunLine};

const READING_RUNS: &str = "reading the runs";
const READING_DUELS: &str = "reading the duels";
const READING_HISTORY: &str = "reading the history";

/// What became of a run that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the store now, for good.
    New(RecordId),
    /// It was there already.
    Known(RecordId),
}

impl Recorded {
    /// The run's identity.
    #[must_use]
    pub fn id(&self) -> &RecordId {
        match self {
            Recorded::New(id) | Recorded::Known(id) => id,
        }
    }
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    runtime: Runtime,
    /// There until the store is dropped.
    conn: Option<SqliteConnection>,
    path: PathBuf,
}

impl Store {
    /// Opens a store to record in it; makes it where there is none, and migrates an older one after putting a copy aside.
    pub fn open(address: &Address) -> Result<Store, RecordError> {
        address.prepare()?;
        let runtime = runtime(address)?;
        let conn = runtime.block_on(sqlite::open_to_write(address.file()))?;
        Ok(Store { runtime, conn: Some(conn), path: address.file().to_owned() })
    }

    /// Opens a store that is there to read it; works where nothing can be written, and makes no store.
    pub fn open_to_read(address: &Address) -> Result<Store, RecordError> {
        let runtime = runtime(address)?;
        let conn = runtime.block_on(sqlite::open_to_read(address.file()))?;
        Ok(Store { runtime, conn: Some(conn), path: address.file().to_owned() })
    }

    /// Records a run. When this returns, the run is on the disk; when it fails, nothing of the run is.
    pub fn record(&mut self, run: &Run) -> Result<Recorded, RecordError> {
        let id = run.id();
        let new = self.does("recording the run", async |conn| write::record(conn, &id, run).await)?;
        Ok(if new { Recorded::New(id) } else { Recorded::Known(id) })
    }

    /// Records a run whose benchmarks come one at a time, in the order of their names, so that they need not be in memory
    /// together: `head` is the run without them, and `next` tells one after the other. When either fails, nothing of the
    /// run is recorded.
    pub fn record_in_parts<E: From<RecordError>>(
        &mut self,
        head: &Run,
        mut next: impl FnMut() -> Result<Option<(BenchmarkName, Outcome)>, E>,
    ) -> Result<Recorded, E> {
        self.does("recording the run", async |conn| parts::record(conn, head, &mut next).await)?
    }

    /// Takes in what the repository says of commits, so that history has no gaps where nothing was measured.
    pub fn learn(&mut self, history: &[Commit]) -> Result<(), RecordError> {
        self.does("learning the history", async |conn| {
            let mut tx = sqlite::begin(conn).await?;
            for commit in history {
                commits::know(&mut tx, commit, commits::Teller::Repository).await?;
            }
            Ok(tx.commit().await?)
        })
    }

    /// Takes in runs that were recorded elsewhere, all or none; says how many are new.
    pub fn take_in(&mut self, arrivals: &[Arrival<'_>]) -> Result<usize, RecordError> {
        self.does("taking in runs", async |conn| write::take_in(conn, arrivals).await)
    }

    /// The run with this identity: as it was recorded, or the sketch of it where that is what came from elsewhere.
    pub fn run(&mut self, id: &RecordId) -> Result<Option<Run>, RecordError> {
        Ok(self.held(id)?.map(|held| held.run))
    }

    /// The run with this identity, and what was measured of its readings where this store has a sketch of it only.
    pub fn held(&mut self, id: &RecordId) -> Result<Option<Held>, RecordError> {
        self.does("reading the run", async |conn| read::run(conn, id).await)
    }

    /// The identities of all runs, each with whether it measured a working tree with changes.
    pub fn run_ids(&mut self) -> Result<BTreeMap<RecordId, bool>, RecordError> {
        self.does("listing the runs", async |conn| listing::all(conn, sql::ALL_RUN_IDS).await)
    }

    /// The run whose identity begins so.
    pub fn find_run(&mut self, prefix: &str) -> Result<Found, RecordError> {
        self.does("looking for the run", async |conn| listing::find(conn, sql::RUNS_LIKE, prefix).await)
    }

    /// The newest runs, newest first.
    pub fn newest_runs(&mut self, most: usize) -> Result<Vec<RunLine>, RecordError> {
        self.does("listing the runs", async |conn| listing::newest(conn, most).await)
    }

    /// Every run but its numbers, in the order of history.
    pub fn run_heads(&mut self) -> Result<Vec<RunHead>, RecordError> {
        self.does("listing the runs", async |conn| listing::heads(conn).await)
    }

    /// Visits every run in the order of recording, one at a time, all from one moment's state of the store. The visitor's
    /// error ends it.
    pub fn each_run<E: From<RecordError>>(
        &mut self,
        mut visit: impl FnMut(&RecordId, Run) -> Result<(), E>,
    ) -> Result<(), E> {
        self.at_one_moment(|store| {
            let mut after = 0;
            loop {
                let page = store
                    .does(READING_RUNS, async |conn| listing::page_after(conn, sql::RUN_IDS_AFTER, after).await)?;
                let Some(&(last, _)) = page.last() else { return Ok(()) };
                for (_, id) in &page {
                    if let Some(run) = store.run(id)? {
                        visit(id, run)?;
                    }
                }
                after = last;
            }
        })
    }

    /// Visits every known commit, each after its parents, all from one moment's state of the store. The visitor's error
    /// ends it.
    pub fn each_commit<E: From<RecordError>>(
        &mut self,
        mut visit: impl FnMut(Commit) -> Result<(), E>,
    ) -> Result<(), E> {
        self.at_one_moment(|store| {
            let mut mark = commits::start();
            loop {
                let page = store.does(READING_HISTORY, async |conn| commits::page_after(conn, &mark).await)?;
                page.0.into_iter().try_for_each(&mut visit)?;
                let Some(next) = page.1 else { return Ok(()) };
                mark = next;
            }
        })
    }

    /// Reads several times, and sees nothing of what others write meanwhile.
    fn at_one_moment<E: From<RecordError>>(&mut self, read: impl FnOnce(&mut Store) -> Result<(), E>) -> Result<(), E> {
        self.does(READING_RUNS, async |conn| Ok(sqlx::query(sql::BEGIN_TO_READ).execute(conn).await.map(drop)?))?;
        let done = read(self);
        self.does(READING_RUNS, async |conn| Ok(sqlx::query(sql::END).execute(conn).await.map(drop)?))?;
        done
    }

    /// The series that are wanted, in the order in which they first came.
    pub fn series(&mut self, wanted: &Wanted) -> Result<Vec<Stored>, RecordError> {
        self.does("looking for series", async |conn| series::find(conn, wanted).await)
    }

    /// The newest points of a series, newest last, in the order of history. Working trees with changes are left out.
    pub fn points(&mut self, series: &Stored, most: usize) -> Result<Vec<Point>, RecordError> {
        self.does("reading a series", async |conn| series::points(conn, series, most).await)
    }

    /// Every sample of one point, life by life; none if that run has no such point.
    pub fn lives(&mut self, series: &Stored, run: &RecordId) -> Result<Vec<Life>, RecordError> {
        self.does("reading samples", async |conn| series::lives(conn, series, run).await)
    }

    /// A commit, as it is known.
    pub fn commit(&mut self, id: &CommitId) -> Result<Option<Commit>, RecordError> {
        self.does(READING_HISTORY, async |conn| commits::commit(conn, id).await)
    }

    /// Every known commit, each after its parents; by date between those that are not related.
    pub fn commits_in_order(&mut self) -> Result<Vec<CommitId>, RecordError> {
        self.does(READING_HISTORY, async |conn| commits::in_order(conn).await)
    }

    /// A commit and its first parents, newest first, as far as they are known, and at most so many.
    pub fn first_parents(&mut self, tip: &CommitId, most: usize) -> Result<Vec<CommitId>, RecordError> {
        self.does(READING_HISTORY, async |conn| commits::first_parents(conn, tip, most).await)
    }

    fn does<T>(
        &mut self,
        doing: &'static str,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, Fault>,
    ) -> Result<T, RecordError> {
        let conn = self.conn.as_mut().ok_or_else(|| RecordError::Absent(self.path.clone()))?;
        let mut done = None;
        // The runtime's loop is compiled once for every type of future it is given, so it is always given the same one.
        {
            let work: Pin<&mut dyn Future<Output = ()>> = pin!(async { done = Some(work(conn).await) });
            self.runtime.block_on(work);
        }
        done.expect("the work has ended").map_err(|fault| sqlite::explain(&self.path, doing, fault))
    }
}

impl Drop for Store {
    /// Waits until the file is closed: the last to close it folds the log in, and a process that ends meanwhile would
    /// leave that to the next.
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            // Every run that was recorded is on the disk; there is nothing left to lose and nobody left to tell.
            let _ = self.runtime.block_on(conn.close());
        }
    }
}

fn runtime(address: &Address) -> Result<Runtime, RecordError> {
    let path = address.file().to_owned();
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.map_err(|source| RecordError::Files { doing: "cannot start to open", path, source })
}
