//! History without the repository: commits, their parents, and the order that they have among themselves.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection};

use super::error::Fault;
use super::sql;
use crate::domain::{Commit, CommitId};

/// How much a teller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Teller {
    /// The repository itself: what it says stands.
    Repository,
    /// A run, which may come from another's file and may know no more than the hash: it only fills gaps.
    Run,
}

/// The key of a commit, after taking in what is new about it.
pub(super) async fn know(conn: &mut SqliteConnection, commit: &Commit, teller: Teller) -> Result<i64, Fault> {
    let hash = commit.id.as_str();
    let Some(row) = sqlx::query(sql::COMMIT).bind(hash).fetch_optional(&mut *conn).await? else {
        let add = sqlx::query_scalar(sql::ADD_COMMIT).bind(hash).bind(commit.committed_at_s);
        let key = add.bind(commit.committed_at_s).bind(&commit.subject).fetch_one(&mut *conn).await?;
        add_parents(conn, key, commit).await?;
        place(conn, key, commit).await?;
        return Ok(key);
    };
    let key: i64 = row.try_get(0)?;
    let parents: Vec<String> = sqlx::query_scalar(sql::PARENTS).bind(key).fetch_all(&mut *conn).await?;
    let told = commit.parents.iter().map(CommitId::as_str);
    let same = parents.iter().map(String::as_str).eq(told)
        && row.try_get::<i64, _>(1)? == commit.committed_at_s
        && row.try_get::<&str, _>(3)? == commit.subject;
    let fills_a_gap = parents.is_empty() && !commit.parents.is_empty();
    if !same && (teller == Teller::Repository || fills_a_gap) {
        let correct = sqlx::query(sql::CORRECT_COMMIT).bind(key).bind(commit.committed_at_s).bind(&commit.subject);
        correct.execute(&mut *conn).await?;
        sqlx::query(sql::FORGET_PARENTS).bind(key).execute(&mut *conn).await?;
        add_parents(conn, key, commit).await?;
        place(conn, key, commit).await?;
    }
    Ok(key)
}

async fn add_parents(conn: &mut SqliteConnection, key: i64, commit: &Commit) -> Result<(), Fault> {
    for (place, parent) in (0_i64..).zip(&commit.parents) {
        sqlx::query(sql::ADD_PARENT).bind(key).bind(place).bind(parent.as_str()).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Puts a commit after its parents, then whatever stood too early after it, and so on; nearly always nothing does.
///
/// Before a commit was added the known history had no circle, so a new one would lead through it. Git cannot make one, a
/// forged file can, and is refused.
async fn place(conn: &mut SqliteConnection, key: i64, commit: &Commit) -> Result<(), Fault> {
    let after: Option<i64> = sqlx::query_scalar(sql::LAST_PARENT_POSITION).bind(key).fetch_one(&mut *conn).await?;
    let position = after.map_or(commit.committed_at_s, |after| commit.committed_at_s.max(after.saturating_add(1)));
    set_position(conn, key, position).await?;

    // The earliest first, so that a commit is moved once, after all that move it.
    let mut moved = BTreeMap::from([((position, key), commit.id.as_str().to_owned())]);
    while let Some(((position, _), hash)) = moved.pop_first() {
        for child in sqlx::query(sql::CHILDREN).bind(&hash).fetch_all(&mut *conn).await? {
            let child_key: i64 = child.try_get(0)?;
            if child_key == key {
                return Err(Fault::Unusable(format!("commit {} is said to be its own ancestor", commit.id)));
            }
            let stands: i64 = child.try_get(2)?;
            let should = position.saturating_add(1);
            if stands < should {
                set_position(conn, child_key, should).await?;
                moved.remove(&(stands, child_key));
                moved.insert((should, child_key), child.try_get(1)?);
            }
        }
    }
    Ok(())
}

async fn set_position(conn: &mut SqliteConnection, key: i64, position: i64) -> Result<(), Fault> {
    sqlx::query(sql::SET_POSITION).bind(key).bind(position).execute(conn).await?;
    Ok(())
}

/// Every known commit, each after its parents; by date where nothing else is known.
pub(super) async fn in_order(conn: &mut SqliteConnection) -> Result<Vec<CommitId>, Fault> {
    let hashes: Vec<String> = sqlx::query_scalar(sql::COMMITS_IN_ORDER).fetch_all(conn).await?;
    ids(hashes)
}

/// The commit and its first parents, newest first, as far as they are known and at most `most`.
pub(super) async fn first_parents(
    conn: &mut SqliteConnection,
    tip: &CommitId,
    most: usize,
) -> Result<Vec<CommitId>, Fault> {
    let Some(steps) = most.checked_sub(1) else { return Ok(Vec::new()) };
    let query = sqlx::query_scalar(sql::FIRST_PARENTS).bind(tip.as_str());
    ids(query.bind(i64::try_from(steps).unwrap_or(i64::MAX)).fetch_all(conn).await?)
}

/// Where a page of commits ends.
pub(super) type Mark = (i64, String);

/// Before the first commit.
pub(super) fn start() -> Mark {
    (i64::MIN, String::new())
}

/// The commits behind a mark, in order, a page of them, with the next mark; no mark when there are no more.
pub(super) async fn page_after(conn: &mut SqliteConnection, mark: &Mark) -> Result<(Vec<Commit>, Option<Mark>), Fault> {
    let rows = sqlx::query(sql::COMMITS_AFTER).bind(mark.0).bind(&mark.1).fetch_all(&mut *conn).await?;
    let mut page = Vec::with_capacity(rows.len());
    for row in &rows {
        let key: i64 = row.try_get(0)?;
        let parents = ids(sqlx::query_scalar(sql::PARENTS).bind(key).fetch_all(&mut *conn).await?)?;
        let id = id(row.try_get(1)?)?;
        page.push(Commit { id, parents, committed_at_s: row.try_get(2)?, subject: row.try_get(4)? });
    }
    let next = match rows.last() {
        Some(last) => Some((last.try_get(3)?, last.try_get(1)?)),
        None => None,
    };
    Ok((page, next))
}

/// One commit, as it is known.
pub(super) async fn commit(conn: &mut SqliteConnection, id: &CommitId) -> Result<Option<Commit>, Fault> {
    let Some(row) = sqlx::query(sql::COMMIT).bind(id.as_str()).fetch_optional(&mut *conn).await? else {
        return Ok(None);
    };
    let key: i64 = row.try_get(0)?;
    let parents = ids(sqlx::query_scalar(sql::PARENTS).bind(key).fetch_all(conn).await?)?;
    Ok(Some(Commit { id: id.clone(), parents, committed_at_s: row.try_get(1)?, subject: row.try_get(3)? }))
}

fn ids(hashes: Vec<String>) -> Result<Vec<CommitId>, Fault> {
    hashes.into_iter().map(id).collect()
}

/// A commit's hash from a column.
pub(super) fn id(hash: String) -> Result<CommitId, Fault> {
    CommitId::new(hash).map_err(|error| Fault::Damaged(error.to_string()))
}
