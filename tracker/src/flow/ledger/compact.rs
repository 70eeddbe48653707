//! Packing old bundles of the ledger: many small files become few, and the tree that every push reads stays small.

use super::Shared;
use crate::domain::{Bundle, RecordId};
use crate::failure::{Failure, Outcome};
use crate::repo::{Addition, RepoError, Title};

/// A pack is closed once it has so many bytes.
const PACK_BYTES: usize = 16 << 20;

/// What packing came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compacted {
    /// How many bundles went into packs.
    pub bundles: usize,
    /// How many packs were made.
    pub packs: usize,
    /// How many bundles stay in files of their own.
    pub loose: usize,
}

/// Packs all bundles of the remote's ledger but the newest ones.
pub fn compact(shared: &Shared<'_>, keep: usize) -> Outcome<Compacted> {
    let remote = shared.repository.remote(shared.remote)?;
    remote.fetch_ledger(shared.patience.fetch).map_err(RepoError::from)?;
    let ledger = shared.repository.ledger(&remote)?;
    let loose: std::collections::BTreeSet<Title> = ledger.loose().cloned().collect();
    let mut found: Vec<(i64, Title, Vec<u8>)> = Vec::new();
    shared.repository.each_bundle(&ledger, &|title| loose.contains(title), &mut |title, bytes| -> Outcome<()> {
        // What is no bundle stays where it is, for a person to look at.
        if let Some((bytes, started_at_s)) = bytes.and_then(|bytes| Some((bytes, started(bytes, &title.id)?))) {
            found.push((started_at_s, title.clone(), bytes.to_vec()));
        }
        Ok(())
    })?;
    found.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    let old = found.len().saturating_sub(keep);
    let mut addition = Addition::default();
    let mut size = usize::MAX;
    for (_, title, bytes) in found.drain(..old) {
        if size.saturating_add(bytes.len()) > PACK_BYTES {
            addition.packs.push(Vec::new());
            size = 0;
        }
        size += bytes.len() + 1;
        if let Some(pack) = addition.packs.last_mut() {
            pack.push((title, bytes));
        }
    }
    let compacted = Compacted { bundles: old, packs: addition.packs.len(), loose: loose.len() - old };
    if old > 0
        && let Some(written) = shared.repository.write_ledger(&ledger, &addition, shared.now_s)?
    {
        // Somebody who pushes meanwhile is faster; packing can wait.
        remote.push_ledger(written, shared.patience.push).map_err(|error| Failure::from(RepoError::from(error)))?;
    }
    Ok(compacted)
}

fn started(bytes: &[u8], id: &RecordId) -> Option<i64> {
    Bundle::parse(bytes).ok().filter(|bundle| bundle.id() == id).map(|bundle| bundle.began_at_s())
}
