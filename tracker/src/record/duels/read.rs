//! A duel as it was recorded, to the last bit, and which duels there are.

use std::collections::{BTreeMap, HashMap};

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{DUELED, EXACT, FAILED_ON_BASE, FAILED_ON_HEAD, MISSING, Match, NEW, PAIRED, odd};
use crate::domain::{BenchmarkName, Bout, Contest, Duel, DuelLine, Life, Readings, RecordId, Side, SuiteName, Whole};
use crate::record::error::Fault;
use crate::record::read::{benchmark, metric};
use crate::record::series::run_id;
use crate::record::{commits, json, samples, sql};

/// Reads a duel.
pub(super) async fn duel(conn: &mut SqliteConnection, id: &RecordId) -> Result<Option<Duel>, Fault> {
    Ok(held(conn, id).await?.map(|(duel, _)| duel))
}

/// Reads a duel, and makes sure that it is the one that was asked for, unless it is a sketch, which is said.
pub(super) async fn held(conn: &mut SqliteConnection, id: &RecordId) -> Result<Option<(Duel, bool)>, Fault> {
    let Some(row) = sqlx::query(sql::DUEL).bind(id.as_str()).fetch_optional(&mut *conn).await? else {
        return Ok(None);
    };
    let key: i64 = row.try_get(0)?;
    let (bouts, is_sketch) = bouts(conn, key).await?;
    let duel = Duel { bouts, ..without_bouts(&row)? };
    // The identity is the hash of the content: whatever was damaged between writing and reading shows here.
    if !is_sketch && duel.id() != *id {
        return Err(Fault::Damaged(format!("what is stored as duel {} is not what was recorded", id.short())));
    }
    Ok(Some((duel, is_sketch)))
}

pub(super) fn without_bouts(row: &SqliteRow) -> Result<Duel, Fault> {
    Ok(Duel {
        suite: suite(row, 1)?,
        machine: json::read("a machine", row.try_get(2)?)?,
        base: json::read("a duel's base", row.try_get(3)?)?,
        head: json::read("a duel's head", row.try_get(4)?)?,
        started_at_s: row.try_get(5)?,
        elapsed_ns: row.try_get::<i64, _>(6)?.unsigned_abs(),
        seed: row.try_get::<i64, _>(7)?.cast_unsigned(),
        notes: json::read("a duel's notes", row.try_get(8)?)?,
        pulse: match row.try_get(9)? {
            Some(pulse) => json::read("a duel's pulse", pulse)?,
            None => None,
        },
        bouts: BTreeMap::new(),
    })
}

/// What became of each benchmark, and whether what stands there of the pairs is a sketch.
async fn bouts(conn: &mut SqliteConnection, key: i64) -> Result<(BTreeMap<BenchmarkName, Bout>, bool), Fault> {
    let mut is_sketch = false;
    let mut contests: HashMap<i64, Vec<Contest>> = HashMap::new();
    for row in sqlx::query(sql::CONTESTS).bind(key).fetch_all(&mut *conn).await? {
        is_sketch |= samples::is_sketch(row.try_get(8)?);
        let contest = Contest {
            metric: metric(&row, 1)?,
            base: row.try_get(5)?,
            head: row.try_get(6)?,
            readings: readings(&row)?,
        };
        contests.entry(row.try_get(0)?).or_default().push(contest);
    }
    let rows = sqlx::query(sql::BOUTS).bind(key).fetch_all(conn).await?;
    let bout = |row: &SqliteRow| -> Result<(BenchmarkName, Bout), Fault> {
        let trouble = || json::read("a duel's trouble", row.try_get(3)?);
        let bout = match row.try_get(2)? {
            DUELED => Bout::Dueled(contests.remove(&row.try_get(0)?).unwrap_or_default()),
            MISSING => Bout::Missing,
            NEW => Bout::New,
            FAILED_ON_BASE => Bout::Failed { on_head: false, trouble: trouble()? },
            FAILED_ON_HEAD => Bout::Failed { on_head: true, trouble: trouble()? },
            word => return Err(odd("what became of a benchmark", word)),
        };
        Ok((benchmark(row.try_get(1)?)?, bout))
    };
    Ok((rows.iter().map(bout).collect::<Result<_, Fault>>()?, is_sketch))
}

pub(super) fn readings(row: &SqliteRow) -> Result<Readings, Fault> {
    let (head, base) = (unpacked(row.try_get(8)?)?, unpacked(row.try_get(9)?)?);
    let single = |lives: Vec<Life>| {
        let [life] = <[Life; 1]>::try_from(lives).map_err(|_| odd("an exact metric", "of several lives"))?;
        Ok::<_, Fault>(life)
    };
    match row.try_get(7)? {
        EXACT if head.is_empty() => Ok(Readings::Missing { base: single(base)? }),
        EXACT if base.is_empty() => Ok(Readings::New { head: single(head)? }),
        PAIRED => Ok(Readings::Paired { lives: head, null: base }),
        EXACT => Ok(Readings::Exact { base: single(base)?, head: single(head)? }),
        word => Err(odd("the kind of what was read", word)),
    }
}

pub(super) fn unpacked(bytes: &[u8]) -> Result<Vec<Life>, Fault> {
    samples::unpack(bytes).map_err(|error| Fault::Damaged(error.to_string()))
}

fn suite(row: &SqliteRow, index: usize) -> Result<SuiteName, Fault> {
    SuiteName::new(row.try_get::<String, _>(index)?).map_err(|error| Fault::Damaged(error.to_string()))
}

/// Earlier duels of the very same sides, oldest first.
pub(super) async fn between(conn: &mut SqliteConnection, sides: Match<'_>) -> Result<Vec<Duel>, Fault> {
    let Match { suite, machine, base, head } = sides;
    let query = sqlx::query(sql::DUELS_BETWEEN).bind(suite.as_str()).bind(machine.id().to_string());
    let (from, to) = (base.subject.commit().id.as_str(), head.subject.commit().id.as_str());
    let mut found = Vec::new();
    for row in query.bind(from).bind(to).fetch_all(&mut *conn).await? {
        let is_same = |index, side: &Side| -> Result<bool, Fault> {
            Ok(json::read::<Side>("a duel's side", row.try_get(index)?)? == *side)
        };
        if is_same(1, base)? && is_same(2, head)? {
            found.extend(duel(conn, &run_id(row.try_get(0)?)?).await?);
        }
    }
    Ok(found)
}

/// Sketches of the newest duels that teach, one for each base but that of these sides.
pub(super) async fn lessons(conn: &mut SqliteConnection, sides: Match<'_>, most: i64) -> Result<Vec<Duel>, Fault> {
    let query = sqlx::query_scalar(sql::LESSONS).bind(sides.suite.as_str()).bind(sides.machine.id().to_string());
    let keys: Vec<i64> = query.bind(sides.base.subject.commit().id.as_str()).bind(most).fetch_all(&mut *conn).await?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let row = sqlx::query(sql::DUEL_BY_KEY).bind(key).fetch_one(&mut *conn).await?;
        found.push(Duel { bouts: sketches(conn, key).await?, ..without_bouts(&row)? });
    }
    Ok(found)
}

async fn sketches(conn: &mut SqliteConnection, key: i64) -> Result<BTreeMap<BenchmarkName, Bout>, Fault> {
    let mut contests: BTreeMap<BenchmarkName, Vec<Contest>> = BTreeMap::new();
    for row in sqlx::query(sql::SKETCHES).bind(key).fetch_all(conn).await? {
        let medians = unpacked(row.try_get(7)?)?.into_iter().flat_map(Vec::<f64>::from);
        let lives = medians.filter_map(|median| Life::new(vec![median]).ok()).collect();
        let readings = Readings::Paired { lives, null: Vec::new() };
        let contest = Contest { metric: metric(&row, 1)?, base: row.try_get(5)?, head: row.try_get(6)?, readings };
        contests.entry(benchmark(row.try_get(0)?)?).or_default().push(contest);
    }
    Ok(contests.into_iter().map(|(name, contests)| (name, Bout::Dueled(contests))).collect())
}

/// The newest duels, newest first.
pub(super) async fn newest(conn: &mut SqliteConnection, most: usize) -> Result<Vec<DuelLine>, Fault> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = sqlx::query(sql::DUELS_NEWEST_FIRST).bind(most).fetch_all(conn).await?;
    rows.iter().map(line).collect()
}

fn line(row: &SqliteRow) -> Result<DuelLine, Fault> {
    let count = |index| -> Result<u64, Fault> { Ok(row.try_get::<i64, _>(index)?.unsigned_abs()) };
    let whole = match row.try_get::<Option<&str>, _>(10)? {
        Some(word) => Some(Whole::parse(word).ok_or_else(|| odd("the word for a gate", word))?),
        None => None,
    };
    Ok(DuelLine {
        id: run_id(row.try_get(0)?)?,
        suite: suite(row, 1)?,
        base: commits::id(row.try_get(2)?)?,
        head: commits::id(row.try_get(3)?)?,
        dirty: row.try_get(4)?,
        started_at_s: row.try_get(5)?,
        elapsed_ns: count(6)?,
        machine: row.try_get(7)?,
        dueled: count(8)?,
        failed: count(9)?,
        whole,
    })
}
