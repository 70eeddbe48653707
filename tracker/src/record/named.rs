//! The names of findings of the history, and what people said of findings.

use sqlx::{Row, SqliteConnection};

use super::error::Fault;
use super::series::run_id;
use super::{Found, RecordError, Store, commits, listing, sql, sqlite};
use crate::domain::{Annotation, Move, Named, State, Turn};

const READING: &str = "reading the findings";

impl Store {
    /// Every finding of the history that has a name, oldest name first.
    pub fn named(&mut self) -> Result<Vec<Named>, RecordError> {
        self.does(READING, async |conn| named(conn).await)
    }

    /// Keeps the names of findings; one that is known already stays as it is.
    pub fn name(&mut self, findings: &[Named]) -> Result<(), RecordError> {
        self.does("naming findings", async |conn| {
            let mut tx = sqlite::begin(conn).await?;
            for one in findings {
                let query = sqlx::query(sql::NAME).bind(one.id.as_str()).bind(one.kind.as_str());
                let query = query.bind(one.turn.as_str()).bind(one.first.as_str()).bind(one.last.as_str());
                query.bind(one.likely.as_str()).execute(&mut *tx).await?;
            }
            Ok(tx.commit().await?)
        })
    }

    /// The named finding of the history whose identity begins so.
    pub fn find_named(&mut self, prefix: &str) -> Result<Found, RecordError> {
        self.does(READING, async |conn| listing::find(conn, sql::NAMED_LIKE, prefix).await)
    }

    /// Keeps what somebody said of a finding. Said again, it is kept once; says whether it is new.
    pub fn annotate(&mut self, said: &Annotation) -> Result<bool, RecordError> {
        self.does("keeping an annotation", async |conn| {
            if said.state == State::Fixed {
                return Err(Fault::Unusable("that a finding is fixed follows from the points".to_owned()));
            }
            let mut tx = sqlite::begin(conn).await?;
            let query = sqlx::query(sql::ANNOTATE).bind(said.id().as_str().to_owned()).bind(said.finding.as_str());
            let query = query.bind(said.state.as_str()).bind(&said.note).bind(said.said_at_s);
            let new = query.execute(&mut *tx).await?.rows_affected() > 0;
            tx.commit().await?;
            Ok(new)
        })
    }

    /// Everything that was said of findings, oldest first; what was said in the same second stands in the same order in
    /// every store.
    pub fn annotations(&mut self) -> Result<Vec<Annotation>, RecordError> {
        self.does(READING, async |conn| annotations(conn).await)
    }
}

async fn named(conn: &mut SqliteConnection) -> Result<Vec<Named>, Fault> {
    let rows = sqlx::query(sql::NAMED).fetch_all(conn).await?;
    let named = |row: &sqlx::sqlite::SqliteRow| -> Result<Named, Fault> {
        let kind = match row.try_get(1)? {
            "step" => Move::Step,
            "drift" => Move::Drift,
            other => return Err(Fault::Damaged(format!("a finding moved by a {other:?}"))),
        };
        let turn: &str = row.try_get(2)?;
        let turn = Turn::parse(turn).ok_or_else(|| Fault::Damaged(format!("a finding turned to {turn:?}")))?;
        let commit = |index| -> Result<_, Fault> { commits::id(row.try_get(index)?) };
        Ok(Named { id: run_id(row.try_get(0)?)?, kind, turn, first: commit(3)?, last: commit(4)?, likely: commit(5)? })
    };
    rows.iter().map(named).collect()
}

async fn annotations(conn: &mut SqliteConnection) -> Result<Vec<Annotation>, Fault> {
    let rows = sqlx::query(sql::ANNOTATIONS).fetch_all(conn).await?;
    let said = |row: &sqlx::sqlite::SqliteRow| -> Result<Annotation, Fault> {
        let state: &str = row.try_get(1)?;
        let state = State::parse(state).ok_or_else(|| Fault::Damaged(format!("a finding is {state:?}")))?;
        Ok(Annotation { finding: run_id(row.try_get(0)?)?, state, note: row.try_get(2)?, said_at_s: row.try_get(3)? })
    };
    rows.iter().map(said).collect()
}
