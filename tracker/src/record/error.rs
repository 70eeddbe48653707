//! What can go wrong with a store, in words for the person who has to mend it.

use std::path::PathBuf;

use crate::failure::Failure;

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is no store, and reading makes none.
    #[error("there is no store at {path}", path = .0.display())]
    Absent(PathBuf),
    /// The address is none that this version can open.
    #[error("{0:?} is no store that this version can open: it reads and writes SQLite files")]
    Address(String),
    /// The file is something else, or too damaged to tell.
    #[error("{path} is no Tachograph store: {why}", path = .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What gave it away.
        why: String,
    },
    /// The store was written by a newer version.
    #[error(
        "{path} has schema {schema}, written by tachograph {written_by}; this is tachograph {version}, which knows \
         schemas up to {newest}",
        path = .path.display(), version = env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        schema: i64,
        /// The version that can open it.
        written_by: String,
        /// The newest schema known here.
        newest: i64,
    },
    /// The store is of an older schema and cannot be migrated where it stands.
    #[error("{path} has the older schema {schema} and cannot be migrated, for it is read-only", path = .path.display())]
    OldAndReadOnly {
        /// The file.
        path: PathBuf,
        /// Its schema.
        schema: i64,
    },
    /// Nothing may be written there.
    #[error("{path} is read-only: nothing was recorded", path = .0.display())]
    ReadOnly(PathBuf),
    /// The disk has no room.
    #[error("no room on the disk of {path} ({free} bytes free): nothing was recorded", path = .path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What its file system says is left.
        free: u64,
    },
    /// Somebody else held the store for too long.
    #[error("{path} is locked by another process and did not come free within {waited_s} s", path = .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// How long we waited.
        waited_s: u64,
    },
    /// What is stored contradicts itself.
    #[error("{path} is damaged: {detail}", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it shows.
        detail: String,
    },
    /// The record itself cannot be stored.
    #[error("this cannot be recorded: {0}")]
    Unusable(String),
    /// The file system refused.
    #[error("{doing} {path}", path = .path.display())]
    Files {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Anything else that the database says.
    #[error("{doing} in {path}", path = .path.display())]
    Database {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What it said.
        source: sqlx::Error,
    },
}

impl RecordError {
    /// What the reader can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            RecordError::Absent(_) => {
                Some("`tachograph run` or `tachograph gate` makes one; `--store FILE` names another place".to_owned())
            }
            RecordError::Address(_) => Some("give the path of a file, such as .tachograph/store.db".to_owned()),
            RecordError::Foreign { .. } => {
                Some("check the path given by --store, TACHOGRAPH_STORE or the configuration".to_owned())
            }
            RecordError::Newer { written_by, .. } => Some(format!("install tachograph {written_by} or newer")),
            RecordError::OldAndReadOnly { .. } => {
                Some("copy the store to a place that can be written and open it there".to_owned())
            }
            RecordError::ReadOnly(_) => Some(
                "make the file and its folder writable, or record elsewhere with --store FILE; reading verbs work as \
                 it is"
                    .to_owned(),
            ),
            RecordError::Full { .. } => {
                Some("free some space and do it again: what was recorded before is safe".to_owned())
            }
            RecordError::Busy { .. } => Some("look for a process that hangs, then do it again".to_owned()),
            RecordError::Damaged { path, .. } => {
                Some(format!("put a copy back, or save what can be read: sqlite3 {} .recover", path.display()))
            }
            RecordError::Unusable(_) | RecordError::Files { .. } | RecordError::Database { .. } => None,
        }
    }
}

/// What goes wrong inside, before it is known of which file it is said.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database complained.
    Sql(sqlx::Error),
    /// What was read makes no sense.
    Damaged(String),
    /// What should be written makes no sense.
    Unusable(String),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Fault {
        Fault::Sql(error)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Failure {
        let hint = error.hint();
        let failure = match error {
            RecordError::Address(_) => Failure::usage(error),
            _ => Failure::environment(error),
        };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}
