//! Taking in what others measured.

use std::collections::BTreeSet;

use super::Shared;
use crate::domain::{Annotation, Bundle, Content, Gist, Kin, RecordId, Run};
use crate::failure::{Failure, Outcome};
use crate::record::{Arrival, RecordError, Store, Trust};
use crate::repo::{Ledger, Repository, Title};

/// How many runs are written in one transaction: enough that the disk is waited for seldom, few enough that another writer
/// does not wait for long.
const BATCH: usize = 200;

/// So many things that are wrong with a ledger are told one by one.
const MOST_REMARKS: usize = 10;

/// What a pull came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pulled {
    /// How much the ledger holds.
    pub held: usize,
    /// Runs that the store did not have.
    pub new_runs: usize,
    /// Duels that the store did not have.
    pub new_duels: usize,
    /// Annotations of findings that the store did not have.
    pub new_annotations: usize,
    /// What was left out, and why.
    pub remarks: Vec<String>,
}

impl Pulled {
    /// One record cannot be recorded; if it is the store that fails, that is the end.
    fn left_out(&mut self, title: &Title, error: RecordError) -> Outcome<()> {
        if !matches!(error, RecordError::Unusable(_)) {
            return Err(Failure::from(error));
        }
        self.remark(format!("{} {} is left out: {error}", title.kin.folder(), title.id.short()));
        Ok(())
    }

    fn remark(&mut self, remark: String) {
        if self.remarks.len() < MOST_REMARKS {
            self.remarks.push(remark);
        } else if self.remarks.len() == MOST_REMARKS {
            self.remarks.push("and more".to_owned());
        }
    }
}

/// Fetches the ledger, and takes in what the store does not have.
pub fn pull(shared: &Shared<'_>, store: &mut Store) -> Outcome<Pulled> {
    let remote = shared.repository.remote(shared.remote)?;
    remote.fetch_ledger(shared.patience.fetch).map_err(crate::repo::RepoError::from)?;
    let ledger = shared.repository.ledger(&remote)?;
    take_in(shared.repository, &ledger, store)
}

/// Takes in what the store does not have.
pub(super) fn take_in(repository: &Repository, ledger: &Ledger, store: &mut Store) -> Outcome<Pulled> {
    let known: BTreeSet<RecordId> = store.run_ids()?.into_keys().collect();
    let dueled: BTreeSet<RecordId> = store.duel_ids()?.into_keys().collect();
    let annotated: BTreeSet<RecordId> = store.annotations()?.iter().map(Annotation::id).collect();
    let mut pulled = Pulled { held: ledger.len(), ..Pulled::default() };
    let wanted = |title: &Title| match title.kin {
        Kin::Run => !known.contains(&title.id),
        Kin::Duel => !dueled.contains(&title.id),
        Kin::Annotation => !annotated.contains(&title.id),
    };
    let mut batch = Vec::new();
    repository.each_bundle(ledger, &wanted, &mut |title, bytes| -> Outcome<()> {
        match read(title, bytes) {
            Ok(Content::Run { run, gists }) => batch.push((title.id.clone(), run, gists)),
            Ok(Content::Duel { duel, sketch }) => {
                match store.take_in_duel(&title.id, (&duel, sketch), Trust::Trusted) {
                    Ok(new) => pulled.new_duels += usize::from(new),
                    Err(error) => pulled.left_out(title, error)?,
                }
            }
            Ok(Content::Annotation { said, named }) => {
                // The name first: without it the store could not tell what was spoken of.
                store.name(named.as_slice())?;
                match store.annotate(&said) {
                    Ok(new) => pulled.new_annotations += usize::from(new),
                    Err(error) => pulled.left_out(title, error)?,
                }
            }
            Err(why) => pulled.remark(format!("{} {} is left out: {why}", title.kin.folder(), title.id.short())),
        }
        if batch.len() == BATCH {
            write(store, &mut pulled, &std::mem::take(&mut batch))?;
        }
        Ok(())
    })?;
    write(store, &mut pulled, &batch)?;
    if ledger.odd() > 0 {
        pulled.remark(format!("{} files of the ledger are no bundles", ledger.odd()));
    }
    Ok(pulled)
}

type Arrived = (RecordId, Box<Run>, Option<Vec<Gist>>);

/// A bundle is what its name says, or nothing.
fn read(title: &Title, bytes: Option<&[u8]>) -> Result<Content, String> {
    let bundle = Bundle::parse(bytes.ok_or("it is too large")?).map_err(|error| error.to_string())?;
    if (bundle.kin(), bundle.id()) != (title.kin, &title.id) {
        return Err(format!("it holds {}, another record than its name says", bundle.id().short()));
    }
    Ok(bundle.into_content())
}

fn write(store: &mut Store, pulled: &mut Pulled, batch: &[Arrived]) -> Outcome<()> {
    let arrivals: Vec<Arrival<'_>> =
        batch.iter().map(|(id, run, gists)| Arrival { id, run, gists: gists.as_deref() }).collect();
    if let Ok(new) = store.take_in(&arrivals) {
        pulled.new_runs += new;
        return Ok(());
    }
    // One of them cannot be recorded, or the store fails altogether: one by one it shows which.
    for arrival in arrivals {
        match store.take_in(&[arrival]) {
            Ok(new) => pulled.new_runs += new,
            Err(error) => pulled.left_out(&Title { kin: Kin::Run, id: arrival.id.clone() }, error)?,
        }
    }
    Ok(())
}
