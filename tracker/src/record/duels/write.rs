//! Recording a duel, all of it in one transaction, and what was said of it.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::{DUELED, EXACT, FAILED_ON_BASE, FAILED_ON_HEAD, MISSING, NEW, PAIRED, Trust};
use crate::domain::{BenchmarkName, Bout, Contest, Duel, Life, Metric, Readings, RecordId, Report, Subject, Trouble};
use crate::record::commits::{self, Teller};
use crate::record::error::Fault;
use crate::record::write::key_of;
use crate::record::{identity, json, samples, sql, sqlite};
use crate::stats::robust::median;

/// A contest ready to be written: everything that takes time is done before the store is locked.
struct Prepared<'a> {
    benchmark: &'a BenchmarkName,
    place: i64,
    contest: &'a Contest,
    kind: &'static str,
    /// One number a life.
    lives: Option<Vec<u8>>,
    head: Vec<u8>,
    base: Vec<u8>,
}

/// How a duel comes here.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) trust: Trust,
    /// Whether its lives only stand for the pairs that were read.
    pub(super) is_sketch: bool,
}

/// Writes the duel; false if it is there already.
pub(super) async fn record(conn: &mut SqliteConnection, id: &RecordId, duel: &Duel, how: How) -> Result<bool, Fault> {
    let elapsed_ns = i64::try_from(duel.elapsed_ns)
        .map_err(|_| Fault::Unusable(format!("the duel took {} ns, more than a lifetime", duel.elapsed_ns)))?;
    let prepared = prepare(duel, how.is_sketch)?;
    let mut tx = sqlite::begin(conn).await?;
    if sqlx::query_scalar::<_, i64>(sql::DUEL_KEY).bind(id.as_str()).fetch_optional(&mut *tx).await?.is_some() {
        tx.rollback().await?;
        return Ok(false);
    }
    let suite = identity::suite(&mut tx, &duel.suite).await?;
    let machine = identity::machine(&mut tx, &duel.machine).await?;
    let base = commits::know(&mut tx, duel.base.subject.commit(), Teller::Run).await?;
    let head = commits::know(&mut tx, duel.head.subject.commit(), Teller::Run).await?;
    let head_digest = match &duel.head.subject {
        Subject::Commit(_) => None,
        Subject::Dirty { digest, .. } => Some(digest),
    };
    let teaches = how.trust == Trust::Trusted && head_digest.is_none() && !duel.is_of_one_build();
    let key: i64 = sqlx::query_scalar(sql::ADD_DUEL)
        .bind(id.as_str())
        .bind(suite)
        .bind(machine)
        .bind(base)
        .bind(head)
        .bind(head_digest)
        .bind(json::write(&duel.base)?)
        .bind(json::write(&duel.head)?)
        .bind(teaches)
        .bind(duel.started_at_s)
        .bind(elapsed_ns)
        .bind(duel.seed.cast_signed())
        .bind(json::write(&duel.notes)?)
        .bind(duel.pulse.as_ref().map(json::write).transpose()?)
        .fetch_one(&mut *tx)
        .await?;
    add_bouts(&mut tx, key, suite, duel, prepared).await?;
    tx.commit().await?;
    Ok(true)
}

fn prepare(duel: &Duel, is_sketch: bool) -> Result<Vec<Prepared<'_>>, Fault> {
    let mut prepared = Vec::new();
    for (benchmark, bout) in &duel.bouts {
        let Bout::Dueled(contests) = bout else { continue };
        for (place, contest) in (0..).zip(contests) {
            let name = &contest.metric.name;
            let unusable = |why: String| Fault::Unusable(format!("{benchmark}, {name}: {why}"));
            let pack = |lives: &[Life]| samples::pack(lives).map_err(|error| unusable(error.to_string()));
            if !contest.base.is_finite() || !contest.head.is_finite() {
                return Err(unusable(format!("a median is no finite number: {}, {}", contest.base, contest.head)));
            }
            let pack_pairs = |lives: &[Life]| {
                let packed = if is_sketch { samples::pack_sketch(lives) } else { samples::pack(lives) };
                packed.map_err(|error| unusable(error.to_string()))
            };
            let (kind, lives, head, base) = match &contest.readings {
                Readings::Paired { lives, null } => {
                    let medians: Vec<f64> = lives.iter().filter_map(|life| median(life.values())).collect();
                    let medians = Life::new(medians).ok().map(|all| pack(&[all])).transpose()?;
                    (PAIRED, medians, pack_pairs(lives)?, pack_pairs(null)?)
                }
                Readings::Exact { base, head } => {
                    (EXACT, None, pack(std::slice::from_ref(head))?, pack(std::slice::from_ref(base))?)
                }
                // Of what a side lacks there are no lives.
                Readings::Missing { base } => (EXACT, None, pack(&[])?, pack(std::slice::from_ref(base))?),
                Readings::New { head } => (EXACT, None, pack(std::slice::from_ref(head))?, pack(&[])?),
            };
            prepared.push(Prepared { benchmark, place, contest, kind, lives, head, base });
        }
    }
    Ok(prepared)
}

async fn add_bouts(
    conn: &mut SqliteConnection,
    key: i64,
    suite: i64,
    duel: &Duel,
    prepared: Vec<Prepared<'_>>,
) -> Result<(), Fault> {
    let names: BTreeSet<&str> = duel.bouts.keys().map(BenchmarkName::as_str).collect();
    let benchmarks = identity::benchmarks(conn, suite, &names).await?;
    for (name, bout) in &duel.bouts {
        let (outcome, trouble): (&str, Option<&Trouble>) = match bout {
            Bout::Dueled(_) => (DUELED, None),
            Bout::Missing => (MISSING, None),
            Bout::New => (NEW, None),
            Bout::Failed { on_head: false, trouble } => (FAILED_ON_BASE, Some(trouble)),
            Bout::Failed { on_head: true, trouble } => (FAILED_ON_HEAD, Some(trouble)),
        };
        let add = sqlx::query(sql::ADD_BOUT).bind(key).bind(key_of(&benchmarks, name.as_str())?);
        add.bind(outcome).bind(trouble.map(json::write).transpose()?).execute(&mut *conn).await?;
    }
    let metrics = prepared.iter().map(|one| &one.contest.metric);
    let metrics: std::collections::HashMap<&Metric, i64> = identity::metrics(conn, metrics).await?;
    for one in prepared {
        let benchmark = key_of(&benchmarks, one.benchmark.as_str())?;
        sqlx::query(sql::ADD_CONTEST)
            .bind(key)
            .bind(benchmark)
            .bind(one.place)
            .bind(key_of(&metrics, &one.contest.metric)?)
            .bind(one.contest.base)
            .bind(one.contest.head)
            .bind(one.lives)
            .execute(&mut *conn)
            .await?;
        let add = sqlx::query(sql::ADD_EVIDENCE).bind(key).bind(benchmark).bind(one.place).bind(one.kind);
        add.bind(one.head).bind(one.base).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Writes what was said of a duel, unless the same was said before.
pub(super) async fn judgement(conn: &mut SqliteConnection, report: &Report, judged_at_s: i64) -> Result<(), Fault> {
    let id = RecordId::of("judgement", report);
    let content = json::write(report)?;
    let mut tx = sqlite::begin(conn).await?;
    let duel: Option<i64> =
        sqlx::query_scalar(sql::DUEL_KEY).bind(report.duel.as_str()).fetch_optional(&mut *tx).await?;
    let Some(duel) = duel else {
        return Err(Fault::Unusable(format!("verdicts on duel {}, which is not in the store", report.duel.short())));
    };
    if sqlx::query_scalar::<_, i64>(sql::JUDGEMENT_KEY).bind(id.as_str()).fetch_optional(&mut *tx).await?.is_none() {
        let add = sqlx::query_scalar(sql::ADD_JUDGEMENT).bind(id.as_str()).bind(duel).bind(judged_at_s).bind(content);
        let key: i64 = add.fetch_one(&mut *tx).await?;
        let addresses: BTreeSet<RecordId> =
            report.findings.iter().map(|finding| finding.address(&report.duel)).collect();
        for address in addresses {
            sqlx::query(sql::ADD_FINDING).bind(address.as_str()).bind(key).execute(&mut *tx).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}
