//! Recording a run of which only a part is in memory at a time.
//!
//! The run's identity is known when its last benchmark was told. Until then its row has another name, which nobody ever
//! sees: all of it is one transaction.

use sqlx::SqliteConnection;

use super::error::Fault;
use super::sql::{self, CHUNK};
use super::write::{self, Outcomes};
use super::{Recorded, sqlite};
use crate::domain::{BenchmarkName, Outcome, Run, RunHash};

/// How many samples wait to be written together; one benchmark that has more is written by itself.
const SAMPLES: usize = 1 << 16;

/// What a run is called while it is being written: no hash has this form.
const NAMELESS: &str = "being recorded";

/// Writes a run whose benchmarks `next` tells, in the order of their names. When that fails nothing is written.
pub(super) async fn record<E>(
    conn: &mut SqliteConnection,
    head: &Run,
    next: &mut dyn FnMut() -> Result<Option<(BenchmarkName, Outcome)>, E>,
) -> Result<Result<Recorded, E>, Fault> {
    let mut hash = RunHash::of(head)
        .ok_or_else(|| Fault::Unusable("a run that is told in parts begins with a part already".to_owned()))?;
    let mut tx = sqlite::begin(conn).await?;
    let keys = write::add_head(&mut tx, NAMELESS, head).await?;
    let (mut part, mut samples, mut last) = (Outcomes::new(), 0, None::<BenchmarkName>);
    loop {
        let told = match next() {
            Ok(told) => told,
            Err(error) => {
                tx.rollback().await?;
                return Ok(Err(error));
            }
        };
        let is_last = told.is_none();
        if let Some((name, outcome)) = told {
            if last.as_ref().is_some_and(|last| *last >= name) {
                return Err(Fault::Unusable(format!("{name} was told after a name that comes later")));
            }
            last = Some(name.clone());
            hash.add(&name, &outcome);
            samples += count(&outcome);
            part.insert(name, outcome);
        }
        if is_last || part.len() == CHUNK || samples >= SAMPLES {
            write::add_part(&mut tx, keys, &part, &[], write::prepare(&part)?).await?;
            (part, samples) = (Outcomes::new(), 0);
        }
        if is_last {
            break;
        }
    }
    let id = hash.id();
    if write::is_known(&mut tx, &id).await? {
        tx.rollback().await?;
        return Ok(Ok(Recorded::Known(id)));
    }
    sqlx::query(sql::NAME_RUN).bind(keys.run).bind(id.as_str()).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Ok(Recorded::New(id)))
}

fn count(outcome: &Outcome) -> usize {
    let Outcome::Measured(measured) = outcome else { return 0 };
    measured.readings.iter().flat_map(|reading| &reading.lives).map(|life| life.values().len()).sum()
}
