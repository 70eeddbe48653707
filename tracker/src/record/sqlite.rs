//! What is peculiar to SQLite: opening a file, its pragmas, the transaction that writes, migrating with a copy put aside,
//! and what its error codes mean.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row, Transaction};

use super::error::{Fault, RecordError};
use super::{migrations, sql};

/// How long a writer waits for another. Each holds the store for milliseconds; what takes this long hangs.
const BUSY_S: u64 = 30;

/// What tells our files from other SQLite files: "Tach" in ASCII. [`sql::MARK_AS_OURS`] writes it.
const APPLICATION_ID: i64 = 0x5461_6368;

const OPENING: &str = "opening the store";

/// What [`sql::STATE_OF_FILE`] says.
#[derive(Debug, Clone, Copy)]
struct State {
    application: i64,
    schema: i64,
    tables: i64,
}

/// Opens a store to write, and makes or migrates it first where needed.
pub(super) async fn open_to_write(path: &Path) -> Result<SqliteConnection, RecordError> {
    let mut conn = options(path).create_if_missing(true).connect().await.map_err(|error| {
        if path.exists() { explain(path, OPENING, error.into()) } else { cannot_create(path, error) }
    })?;
    let ready = make_ready_to_write(path, &mut conn).await;
    closed_unless(ready, conn).await
}

async fn make_ready_to_write(path: &Path, conn: &mut SqliteConnection) -> Result<(), RecordError> {
    let explain = |error| explain(path, OPENING, error);
    let state = first_look(conn).await.map_err(explain)?;
    judge(path, conn, state).await?;
    if state.tables == 0 {
        use_wal(conn).await.map_err(explain)?;
    }
    if state.schema < migrations::NEWEST {
        return migrate(path, conn).await.map_err(explain);
    }
    // Whether it can be written is better known before a benchmark ran for a minute than after.
    begin(conn).await.map_err(explain)?.rollback().await.map_err(|error| explain(error.into()))
}

/// Opens a store that is there, to read. A folder that cannot be written is no hindrance, and nothing is made in it.
pub(super) async fn open_to_read(path: &Path) -> Result<SqliteConnection, RecordError> {
    if !path.exists() {
        return Err(RecordError::Absent(path.to_owned()));
    }
    let (mut conn, state, access) = match read_in_place(options(path)).await {
        Ok((conn, state)) => (conn, state, Access::Full),
        // A log that is not empty holds runs that the file alone does not have: then it is not enough to read the file.
        Err(Fault::Sql(error)) if wants_to_write(&error) && is_empty(&beside(path, "-wal")) => {
            let (conn, state) = read_in_place(options(path).read_only(true).immutable(true))
                .await
                .map_err(|error| explain(path, OPENING, error))?;
            (conn, state, Access::ReadOnly)
        }
        Err(error) => return Err(explain(path, OPENING, error)),
    };
    let ready = make_ready_to_read(path, &mut conn, state, access).await;
    closed_unless(ready, conn).await
}

/// What the file system allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Full,
    ReadOnly,
}

async fn make_ready_to_read(
    path: &Path,
    conn: &mut SqliteConnection,
    state: State,
    access: Access,
) -> Result<(), RecordError> {
    judge(path, conn, state).await?;
    if state.tables == 0 {
        return Err(RecordError::Absent(path.to_owned()));
    }
    if state.schema == migrations::NEWEST {
        return Ok(());
    }
    let stuck = || RecordError::OldAndReadOnly { path: path.to_owned(), schema: state.schema };
    if access == Access::ReadOnly {
        return Err(stuck());
    }
    migrate(path, conn).await.map_err(|fault| match fault {
        Fault::Sql(error) if wants_to_write(&error) => stuck(),
        fault => explain(path, "migrating the store", fault),
    })
}

/// Hands a connection on if it is ready; else waits until it is closed, so that it leaves nothing beside the file.
async fn closed_unless(
    ready: Result<(), RecordError>,
    conn: SqliteConnection,
) -> Result<SqliteConnection, RecordError> {
    match ready {
        Ok(()) => Ok(conn),
        Err(error) => {
            // What goes wrong now is a consequence of what already did.
            let _ = conn.close().await;
            Err(error)
        }
    }
}

/// Begins a transaction that writes. A deferred one that reads before it writes is refused at once when another wrote in
/// between, whatever the timeout; this one waits at its beginning and then has the store to itself.
pub(super) async fn begin(conn: &mut SqliteConnection) -> Result<Transaction<'_, sqlx::Sqlite>, Fault> {
    Ok(conn.begin_with(sql::BEGIN_TO_WRITE).await?)
}

/// What is set while connecting. A connection that fails there is closed behind our back, so nothing here reads the file.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(BUSY_S))
        .foreign_keys(true)
        // A file may come from anywhere: its schema runs no function of ours, and damaged pages are noticed.
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .row_buffer_size(1024)
        .disable_statement_logging()
}

async fn read_in_place(options: SqliteConnectOptions) -> Result<(SqliteConnection, State), Fault> {
    let mut conn = options.connect().await?;
    match first_look(&mut conn).await {
        Ok(state) => Ok((conn, state)),
        Err(fault) => {
            conn.close().await?;
            Err(fault)
        }
    }
}

/// Sets what needs the file to be read, and says what it is.
async fn first_look(conn: &mut SqliteConnection) -> Result<State, Fault> {
    sqlx::query(sql::SYNC_FULLY).execute(&mut *conn).await?;
    state_of(conn).await
}

async fn state_of(conn: &mut SqliteConnection) -> Result<State, Fault> {
    let row = sqlx::query(sql::STATE_OF_FILE).fetch_one(conn).await?;
    Ok(State { application: row.try_get(0)?, schema: row.try_get(1)?, tables: row.try_get(2)? })
}

/// Whether the file is a store, and one that this version knows.
async fn judge(path: &Path, conn: &mut SqliteConnection, state: State) -> Result<(), RecordError> {
    if state.tables == 0 && state.application == 0 {
        return Ok(());
    }
    if state.application != APPLICATION_ID {
        let why = "it is an SQLite database of something else".to_owned();
        return Err(RecordError::Foreign { path: path.to_owned(), why });
    }
    if state.schema > migrations::NEWEST {
        let written_by: Option<String> = sqlx::query_scalar(sql::WRITTEN_BY)
            .fetch_optional(conn)
            .await
            .map_err(|error| explain(path, OPENING, error.into()))?;
        return Err(RecordError::Newer {
            path: path.to_owned(),
            schema: state.schema,
            written_by: written_by.unwrap_or_else(|| "of a later release".to_owned()),
            newest: migrations::NEWEST,
        });
    }
    Ok(())
}

/// Sets write-ahead logging, which stays set in the file. Going there needs the file alone, and SQLite does not wait for
/// that by itself, so when several processes make the same store at once each but one has to try again.
async fn use_wal(conn: &mut SqliteConnection) -> Result<(), Fault> {
    let pause = Duration::from_millis(10);
    for _ in 0..BUSY_S * 100 {
        match sqlx::query(sql::USE_WAL).fetch_one(&mut *conn).await {
            Err(error) if primary_code(&error) == Some(BUSY) => tokio::time::sleep(pause).await,
            other => return Ok(other.map(drop)?),
        }
    }
    Ok(sqlx::query(sql::USE_WAL).fetch_one(conn).await.map(drop)?)
}

/// Brings the schema up in one transaction, after putting a copy aside where there was one before.
async fn migrate(path: &Path, conn: &mut SqliteConnection) -> Result<(), Fault> {
    let mut tx = begin(conn).await?;
    let before = state_of(&mut tx).await?;
    if before.schema < migrations::NEWEST {
        if before.tables > 0 {
            // The transaction holds off every other writer, so the copy is exactly what is about to be changed.
            put_copy_aside(path, before.schema).await?;
        }
        migrations::migrator().run_direct(None, &mut *tx, false).await.map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Fault::Sql(error),
            other => Fault::Damaged(other.to_string()),
        })?;
        sqlx::query(sql::MARK_AS_OURS).execute(&mut *tx).await?;
        sqlx::query(sql::SET_WRITTEN_BY).bind(env!("CARGO_PKG_VERSION")).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Writes a copy beside the store, under a name that tells its schema; it appears whole or not at all.
async fn put_copy_aside(path: &Path, schema: i64) -> Result<(), Fault> {
    let files = |error: std::io::Error| Fault::Sql(sqlx::Error::Io(error));
    let half = beside(path, &format!(".bak-{schema}.{}", std::process::id()));
    let done = beside(path, &format!(".bak-{schema}"));
    let mut source = options(path).connect().await?;
    let name = half.to_str().ok_or_else(|| Fault::Unusable(format!("the path {} is not UTF-8", half.display())))?;
    let copied = sqlx::query(sql::COPY_INTO).bind(name).execute(&mut source).await;
    source.close().await?;
    if let Err(error) = copied {
        // What is left of a copy that failed is of no use; that it could not be removed either adds nothing.
        let _ = std::fs::remove_file(&half);
        return Err(error.into());
    }
    std::fs::File::open(&half).and_then(|file| file.sync_all()).map_err(files)?;
    std::fs::rename(&half, &done).map_err(files)
}

/// The file's path with something added to its name, as SQLite does for `-wal` and `-shm`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |found| found.len() == 0)
}

const BUSY: u32 = 5;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;

/// The low byte of SQLite's result code, which tells the class (<https://www.sqlite.org/rescode.html>).
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

fn wants_to_write(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(READONLY | CANTOPEN))
}

/// Puts an error into words, now that it is known of which file and while doing what.
pub(super) fn explain(path: &Path, doing: &'static str, fault: Fault) -> RecordError {
    let path = path.to_owned();
    let error = match fault {
        Fault::Sql(error) => error,
        Fault::Damaged(detail) => return RecordError::Damaged { path, detail },
        Fault::Unusable(what) => return RecordError::Unusable(what),
    };
    match (primary_code(&error), &error) {
        (Some(BUSY), _) => RecordError::Busy { path, waited_s: BUSY_S },
        (Some(READONLY | CANTOPEN), _) => RecordError::ReadOnly(path),
        (Some(FULL), _) => full(path),
        // A file that is mapped into memory cannot say that the disk is full; what is left on it can.
        (Some(IOERR), _) if free_bytes(&path) < 1 << 20 => full(path),
        (Some(NOTADB), _) => RecordError::Foreign { path, why: "it is no SQLite database".to_owned() },
        (Some(CORRUPT), _) | (None, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => {
            RecordError::Damaged { path, detail: error.to_string() }
        }
        _ => RecordError::Database { doing, path, source: error },
    }
}

fn cannot_create(path: &Path, error: sqlx::Error) -> RecordError {
    let folder = path.parent().unwrap_or(path);
    match folder.metadata() {
        Err(source) => {
            RecordError::Files { doing: "cannot make the store: no folder", path: folder.to_owned(), source }
        }
        Ok(found) if !found.is_dir() => {
            let source = std::io::ErrorKind::NotADirectory.into();
            RecordError::Files { doing: "cannot make the store in", path: folder.to_owned(), source }
        }
        Ok(_) => explain(path, "making the store", error.into()),
    }
}

fn full(path: PathBuf) -> RecordError {
    RecordError::Full { free: free_bytes(&path), path }
}

/// What is left on the file system; without an answer, plenty.
fn free_bytes(path: &Path) -> u64 {
    rustix::fs::statvfs(path.parent().unwrap_or(path)).map_or(u64::MAX, |fs| fs.f_bavail.saturating_mul(fs.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_that_is_written_is_the_mark_that_is_looked_for() {
        assert!(sql::MARK_AS_OURS.ends_with(&format!(" {APPLICATION_ID}")));
        assert_eq!(APPLICATION_ID.to_be_bytes()[4..], *b"Tach");
    }

    #[test]
    fn a_store_is_written_through_to_the_disk_and_checks_its_references() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut conn = open_to_write(&folder.path().join("store.db")).await.unwrap();
            let full: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut conn).await.unwrap();
            let keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut conn).await.unwrap();
            assert_eq!((full, keys), (2, 1));
            conn.close().await.unwrap();
        });
    }

    #[test]
    fn a_copy_put_aside_is_a_whole_store_under_the_name_of_its_schema() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut conn = open_to_write(&path).await.unwrap();
            // As when migrating: the copy is made while a transaction holds off other writers.
            let mut tx = begin(&mut conn).await.unwrap();
            sqlx::query(sql::SET_WRITTEN_BY).bind("later").execute(&mut *tx).await.unwrap();
            put_copy_aside(&path, 17).await.unwrap();
            tx.commit().await.unwrap();
            conn.close().await.unwrap();

            let mut copy = open_to_read(&beside(&path, ".bak-17")).await.unwrap();
            let written_by: String = sqlx::query_scalar(sql::WRITTEN_BY).fetch_one(&mut copy).await.unwrap();
            assert_eq!(written_by, env!("CARGO_PKG_VERSION"));
            copy.close().await.unwrap();
        });
        assert_eq!(folder.path().read_dir().unwrap().count(), 2);
    }
}
