//! Duels and what was said of them: the part of a store's face that gates use.

mod along;
mod read;
mod write;

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

pub use along::ParentDuel;

use super::error::Fault;
use super::series::run_id;
use super::{Found, READING_DUELS, RecordError, Recorded, Store, json, listing, sql};
use crate::domain::{Duel, DuelLine, Machine, RecordId, Report, Side, SuiteName};

/// So many earlier duels teach at the most: the newest.
const MOST_LESSONS: i64 = 100;

/// The two sides of a suite's duels on a machine.
#[derive(Debug, Clone, Copy)]
pub struct Match<'a> {
    /// The suite.
    pub suite: &'a SuiteName,
    /// The machine.
    pub machine: &'a Machine,
    /// The side that is measured against.
    pub base: &'a Side,
    /// The side that is judged.
    pub head: &'a Side,
}

/// Whether later gates may learn from a duel how far builds lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It was measured here, or comes from somebody who is trusted.
    Trusted,
    /// It comes from somebody who might want gates to become blind.
    Untrusted,
}

impl Store {
    /// Records a duel. When this returns, the duel is on the disk; when it fails, nothing of the duel is.
    pub fn record_duel(&mut self, duel: &Duel, trust: Trust) -> Result<Recorded, RecordError> {
        let (id, how) = (duel.id(), write::How { trust, is_sketch: false });
        let new = self.does("recording the duel", async |conn| write::record(conn, &id, duel, how).await)?;
        Ok(if new { Recorded::New(id) } else { Recorded::Known(id) })
    }

    /// Records what was said of a duel that is in the store; the same said twice is said once.
    pub fn record_judgement(&mut self, report: &Report, judged_at_s: i64) -> Result<(), RecordError> {
        self.does("recording the verdicts", async |conn| write::judgement(conn, report, judged_at_s).await)
    }

    /// The duel with this identity, as it was recorded.
    pub fn duel(&mut self, id: &RecordId) -> Result<Option<Duel>, RecordError> {
        self.does("reading the duel", async |conn| read::duel(conn, id).await)
    }

    /// The duel with this identity, and whether what this store has of it is a sketch.
    pub fn held_duel(&mut self, id: &RecordId) -> Result<Option<(Duel, bool)>, RecordError> {
        self.does("reading the duel", async |conn| read::held(conn, id).await)
    }

    /// Takes in a duel that was recorded elsewhere, whole or as a sketch; says whether it is new.
    pub fn take_in_duel(
        &mut self,
        id: &RecordId,
        (duel, is_sketch): (&Duel, bool),
        trust: Trust,
    ) -> Result<bool, RecordError> {
        let how = write::How { trust, is_sketch };
        self.does("taking in a duel", async |conn| write::record(conn, id, duel, how).await)
    }

    /// The identities of all duels, each with whether gates may learn from it.
    pub fn duel_ids(&mut self) -> Result<BTreeMap<RecordId, bool>, RecordError> {
        self.does("listing the duels", async |conn| listing::all(conn, sql::ALL_DUEL_IDS).await)
    }

    /// The duel whose identity begins so.
    pub fn find_duel(&mut self, prefix: &str) -> Result<Found, RecordError> {
        self.does("looking for the duel", async |conn| listing::find(conn, sql::DUELS_LIKE, prefix).await)
    }

    /// The newest duels, newest first.
    pub fn newest_duels(&mut self, most: usize) -> Result<Vec<DuelLine>, RecordError> {
        self.does("listing the duels", async |conn| read::newest(conn, most).await)
    }

    /// Earlier duels of the very same sides, oldest first.
    pub fn duels_between(&mut self, sides: Match<'_>) -> Result<Vec<Duel>, RecordError> {
        self.does(READING_DUELS, async |conn| read::between(conn, sides).await)
    }

    /// What earlier duels teach for a duel of these sides: the newest of different builds, one for each base but this one,
    /// in sketches (a life is its median, and there is no null control). Duels of the same base are left out, for they
    /// may be of the very change that is judged, and duels with an anchor, which years of changes lie between.
    pub fn lessons(&mut self, sides: Match<'_>) -> Result<Vec<Duel>, RecordError> {
        self.does(READING_DUELS, async |conn| read::lessons(conn, sides, MOST_LESSONS).await)
    }

    /// The finding whose address begins so.
    pub fn find_finding(&mut self, prefix: &str) -> Result<Found, RecordError> {
        self.does("looking for the finding", async |conn| listing::find(conn, sql::FINDINGS_LIKE, prefix).await)
    }

    /// The last report that has this finding.
    pub fn judgement_of_finding(&mut self, address: &RecordId) -> Result<Option<Report>, RecordError> {
        self.does("reading the verdicts", async |conn| said(conn, sql::JUDGEMENT_OF_FINDING, address).await)
    }

    /// What was said last of a duel.
    pub fn last_judgement(&mut self, duel: &RecordId) -> Result<Option<Report>, RecordError> {
        self.does("reading the verdicts", async |conn| said(conn, sql::LAST_JUDGEMENT, duel).await)
    }

    /// What was said last of a suite that several jobs measured, this duel being a part that does not stand for the whole.
    pub fn last_judgement_with(&mut self, shard: &RecordId) -> Result<Option<Report>, RecordError> {
        self.does("reading the verdicts", async |conn| said(conn, sql::LAST_JUDGEMENT_WITH, shard).await)
    }

    /// The identity of what was said last of a duel; none if nobody judged it.
    pub fn last_judgement_id(&mut self, duel: &RecordId) -> Result<Option<RecordId>, RecordError> {
        self.does("reading the verdicts", async |conn| {
            let id: Option<String> =
                sqlx::query_scalar(sql::LAST_JUDGEMENT_ID).bind(duel.as_str()).fetch_optional(conn).await?;
            id.as_deref().map(run_id).transpose()
        })
    }

    /// Visits every duel in the order of recording, one at a time, all from one moment's state of the store. The visitor's
    /// error ends it.
    pub fn each_duel<E: From<RecordError>>(
        &mut self,
        mut visit: impl FnMut(&RecordId, Duel) -> Result<(), E>,
    ) -> Result<(), E> {
        self.at_one_moment(|store| {
            let mut after = 0;
            loop {
                let page = store
                    .does(READING_DUELS, async |conn| listing::page_after(conn, sql::DUEL_IDS_AFTER, after).await)?;
                let Some(&(last, _)) = page.last() else { return Ok(()) };
                for (_, id) in &page {
                    if let Some(duel) = store.duel(id)? {
                        visit(id, duel)?;
                    }
                }
                after = last;
            }
        })
    }
}

async fn said(conn: &mut SqliteConnection, statement: &'static str, id: &RecordId) -> Result<Option<Report>, Fault> {
    let content: Option<String> = sqlx::query_scalar(statement).bind(id.as_str()).fetch_optional(conn).await?;
    content.map(|content| json::read("a judgement", &content)).transpose()
}

/// The words of the column `outcome` in `bouts`.
const DUELED: &str = "dueled";
const MISSING: &str = "missing";
const NEW: &str = "new";
const FAILED_ON_BASE: &str = "failed on base";
const FAILED_ON_HEAD: &str = "failed on head";

/// The words of the column `kind` in `evidence`.
const PAIRED: &str = "paired";
const EXACT: &str = "exact";

fn odd(what: &str, word: &str) -> Fault {
    Fault::Damaged(format!("{what} is {word:?}"))
}
