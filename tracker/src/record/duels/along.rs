//! Duels as a history reads them: in sketches, one after the other.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::read::{readings, unpacked, without_bouts};
use super::{PAIRED, Store};
use crate::domain::{BenchmarkName, Bout, CommitId, Contest, Duel, Life, Machine, Readings, RecordId, SuiteName};
use crate::record::error::Fault;
use crate::record::read::{benchmark, metric};
use crate::record::series::run_id;
use crate::record::{READING_DUELS, RecordError, commits, sql};

impl Store {
    /// Visits every duel of a commit with the anchor of its day, in the order of recording. A life is its median, and there
    /// is no null control. The visitor's error ends it.
    pub fn each_anchored<E: From<RecordError>>(
        &mut self,
        mut visit: impl FnMut(Duel) -> Result<(), E>,
    ) -> Result<(), E> {
        for key in self.does(READING_DUELS, async |conn| keys(conn, sql::ANCHORED).await)? {
            visit(self.does(READING_DUELS, async |conn| sketch(conn, key).await).map_err(E::from)?)?;
        }
        Ok(())
    }

    /// The newest duel of a suite on a machine whose base was the anchor of its day.
    pub fn last_anchored(&mut self, suite: &SuiteName, machine: &Machine) -> Result<Option<Duel>, RecordError> {
        self.does(READING_DUELS, async |conn| {
            let query = sqlx::query_scalar(sql::LAST_ANCHORED).bind(suite.as_str()).bind(machine.id().to_string());
            let Some(key) = query.fetch_optional(&mut *conn).await? else { return Ok(None) };
            Ok(Some(sketch(conn, key).await?))
        })
    }

    /// What built an anchor of a suite when it was dueled first, by the note of that name.
    pub fn anchor_built_by(
        &mut self,
        suite: &SuiteName,
        anchor: &CommitId,
        note: &str,
    ) -> Result<Option<String>, RecordError> {
        self.does(READING_DUELS, async |conn| {
            let query = sqlx::query_scalar(sql::ANCHOR_BUILT_BY).bind(suite.as_str()).bind(anchor.as_str());
            Ok(query.bind(format!("$.\"{note}\"")).fetch_optional(conn).await?.flatten())
        })
    }

    /// The duels that are trusted, of different builds, of a commit with its first parent, in the order of measuring.
    pub fn duels_of_neighbours(&mut self) -> Result<Vec<ParentDuel>, RecordError> {
        self.does(READING_DUELS, async |conn| {
            let rows = sqlx::query(sql::DUELS_OF_NEIGHBOURS).fetch_all(&mut *conn).await?;
            let of = |row: &SqliteRow| {
                let (id, parent, commit) = (run_id(row.try_get(0)?)?, commits::id(row.try_get(1)?)?, row.try_get(2)?);
                let (is_second_look, has_confirmed) = (row.try_get(3)?, row.try_get(4)?);
                Ok(ParentDuel { id, parent, commit: commits::id(commit)?, is_second_look, has_confirmed })
            };
            rows.iter().map(of).collect()
        })
    }
}

/// A duel of a commit with its first parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentDuel {
    /// The duel.
    pub id: RecordId,
    /// The parent, which is base.
    pub parent: CommitId,
    /// The commit, which is head.
    pub commit: CommitId,
    /// Whether it was a second look at suspects.
    pub is_second_look: bool,
    /// Whether one that confirmed something.
    pub has_confirmed: bool,
}

async fn keys(conn: &mut SqliteConnection, statement: &'static str) -> Result<Vec<i64>, Fault> {
    Ok(sqlx::query_scalar(statement).fetch_all(conn).await?)
}

/// A duel whose lives are their medians.
async fn sketch(conn: &mut SqliteConnection, key: i64) -> Result<Duel, Fault> {
    let row = sqlx::query(sql::DUEL_BY_KEY).bind(key).fetch_one(&mut *conn).await?;
    Ok(Duel { bouts: contests(conn, key).await?, ..without_bouts(&row)? })
}

async fn contests(conn: &mut SqliteConnection, key: i64) -> Result<BTreeMap<BenchmarkName, Bout>, Fault> {
    let mut contests: BTreeMap<BenchmarkName, Vec<Contest>> = BTreeMap::new();
    for row in sqlx::query(sql::MEDIANS).bind(key).fetch_all(conn).await? {
        let readings = if row.try_get::<&str, _>(7)? == PAIRED {
            let packed: Option<&[u8]> = row.try_get(8)?;
            let medians = packed.map(unpacked).transpose()?.unwrap_or_default().into_iter().flat_map(Vec::<f64>::from);
            let lives = medians.map(|median| Life::new(vec![median]));
            let lives = lives.collect::<Result<_, _>>().map_err(|error| Fault::Damaged(error.to_string()))?;
            Readings::Paired { lives, null: Vec::new() }
        } else {
            readings(&row)?
        };
        let contest = Contest { metric: metric(&row, 1)?, base: row.try_get(5)?, head: row.try_get(6)?, readings };
        contests.entry(benchmark(row.try_get(0)?)?).or_default().push(contest);
    }
    Ok(contests.into_iter().map(|(name, contests)| (name, Bout::Dueled(contests))).collect())
}
