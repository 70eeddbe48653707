//! Making a store anew: from the ledger, and from what the old store has besides.

use std::path::{Path, PathBuf};

use super::Shared;
use super::pull::{Pulled, take_in};
use crate::failure::{Classify, Failure, Outcome};
use crate::record::{Address, Arrival, RecordError, Store, Trust};
use crate::repo::RepoError;

/// What making a store anew came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// What came from the ledger.
    pub pulled: Pulled,
    /// Runs that came from the old store, every sample of them.
    pub from_old: usize,
    /// Where the old store is kept; none if there was none.
    pub old: Option<PathBuf>,
    /// Why the old store could not be read to its end, if so.
    pub trouble: Option<String>,
}

/// Makes the store at `address` anew. The old one is put aside first and nothing of it is thrown away: what can be read of
/// it is taken over before the ledger's sketches of the same runs are.
pub fn rebuild(shared: &Shared<'_>, address: &Address) -> Outcome<Rebuilt> {
    let remote = shared.repository.remote(shared.remote)?;
    remote.fetch_ledger(shared.patience.fetch).map_err(RepoError::from)?;
    let ledger = shared.repository.ledger(&remote)?;

    let place = address.file();
    let fresh = address.beside("-rebuilding");
    discard(fresh.file())?;
    let mut store = Store::open(&fresh)?;
    let (from_old, trouble) = match Store::open_to_read(address) {
        Ok(mut old) => match copy(&mut old, &mut store) {
            Ok(copied) => (copied, None),
            Err((copied, error)) => (copied, Some(error.to_string())),
        },
        Err(RecordError::Absent(_)) => (0, None),
        Err(error) => (0, Some(error.to_string())),
    };
    let pulled = take_in(shared.repository, &ledger, &mut store)?;
    drop(store);

    let old = place.exists().then(|| free_name(place));
    if let Some(old) = &old {
        for end in ["", "-wal", "-shm"] {
            let from = beside(place, end);
            if from.exists() {
                std::fs::rename(&from, beside(old, end)).or_environment("putting the old store aside")?;
            }
        }
    }
    std::fs::rename(fresh.file(), place).or_environment("putting the new store in its place")?;
    Ok(Rebuilt { pulled, from_old, old, trouble })
}

/// Takes over every run, duel, name and annotation that can be read, and counts the runs; a damaged one does not hinder the others.
fn copy(old: &mut Store, new: &mut Store) -> Result<usize, (usize, RecordError)> {
    let ids = old.run_ids().map_err(|error| (0, error))?;
    let (mut copied, mut trouble) = (0, None);
    for id in ids.into_keys() {
        let taken = old.held(&id).and_then(|held| match held {
            Some(held) => new.take_in(&[Arrival { id: &id, run: &held.run, gists: held.gists.as_deref() }]),
            None => Ok(0),
        });
        match taken {
            Ok(new) => copied += new,
            Err(error) => trouble = Some(error),
        }
    }
    for (id, teaches) in old.duel_ids().map_err(|error| (copied, error))? {
        let trust = if teaches { Trust::Trusted } else { Trust::Untrusted };
        let taken = old.held_duel(&id).and_then(|held| match held {
            Some((duel, is_sketch)) => new.take_in_duel(&id, (&duel, is_sketch), trust),
            None => Ok(false),
        });
        if let Err(error) = taken {
            trouble = Some(error);
        }
    }
    if let Err(error) = copy_words(old, new) {
        trouble = Some(error);
    }
    match trouble {
        None => Ok(copied),
        Some(error) => Err((copied, error)),
    }
}

/// Takes over the names of findings, and what was said of findings.
fn copy_words(old: &mut Store, new: &mut Store) -> Result<(), RecordError> {
    new.name(&old.named()?)?;
    old.annotations()?.iter().try_for_each(|said| new.annotate(said).map(drop))
}

fn beside(place: &Path, end: &str) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// A name beside the store that nothing has yet.
fn free_name(place: &Path) -> PathBuf {
    let numbered = (1..).map(|number| beside(place, &format!("-before-rebuild-{number}")));
    numbered.into_iter().find(|path| !path.exists()).unwrap_or_else(|| beside(place, "-before-rebuild"))
}

/// What an earlier try left half done.
fn discard(fresh: &Path) -> Outcome<()> {
    for end in ["", "-wal", "-shm"] {
        match std::fs::remove_file(beside(fresh, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::environment(anyhow::Error::from(error).context("removing a half-made store")));
            }
            _ => {}
        }
    }
    Ok(())
}
