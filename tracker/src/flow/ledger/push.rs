//! Sharing what was measured here: fetch, union, push without force, again with a pause if somebody was faster, and after
//! a while an inbox of its own, so that a push ends in bounded time however many push at once.

use std::time::{Duration, Instant};

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64;

use super::{Depth, Shared, sketch};
use crate::domain::{Annotation, Bundle, Content, Kin, RecordId};
use crate::failure::{Failure, Outcome};
use crate::record::Store;
use crate::repo::{Addition, Ledger, Remote, RemoteError, RepoError, Title};

/// The first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(40), Duration::from_secs(2));

/// How often the inbox is tried. Nobody else takes its name, so what refuses it is either a remote that refuses everything
/// or chance: of a remote that rejects every third push, one in forty million is turned away so often, where eight tries
/// would lose one in six thousand.
const INBOX_TRIES: u32 = 16;

/// The longest pause between these: there is no crowd to keep out of the way of.
const INBOX_PAUSE: Duration = Duration::from_millis(500);

/// What a push came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pushed {
    /// Runs that the remote did not have.
    pub runs: usize,
    /// Duels that the remote did not have.
    pub duels: usize,
    /// Annotations of findings that the remote did not have.
    pub annotations: usize,
    /// Runs of working trees with changes, which stay here.
    pub kept: usize,
    /// How much the ledger holds now.
    pub held: usize,
    /// Whether it waits in the inbox.
    pub waits: bool,
    /// How often it was tried.
    pub tries: u32,
}

/// Pushes every run, every duel that teaches and every annotation of the store that the remote's ledger does not have.
pub fn push(shared: &Shared<'_>, store: &mut Store) -> Outcome<Pushed> {
    let remote = shared.repository.remote(shared.remote)?;
    let mut pauses = Pauses::new(shared.seed);
    let until = Instant::now() + shared.patience.ledger;
    let mut pushed = Pushed::default();
    loop {
        pushed.tries += 1;
        let refused = match once(shared, &remote, store, &mut pushed) {
            Ok(()) => return Ok(pushed),
            Err(Refused::Failed(failure)) => return Err(failure),
            Err(Refused::Remote(error)) if !error.may_pass() => return Err(Failure::from(RepoError::from(error))),
            Err(Refused::Remote(error)) => error,
        };
        if Instant::now() >= until {
            // What cannot be fetched from will not take an inbox either.
            if !matches!(refused, RemoteError::Rejected { .. }) {
                return Err(Failure::from(RepoError::from(refused)));
            }
            return leave(shared, &remote, store, &mut pauses, pushed);
        }
        pauses.pause();
    }
}

/// Why a try did not succeed.
enum Refused {
    Remote(RemoteError),
    Failed(Failure),
}

impl From<RemoteError> for Refused {
    fn from(error: RemoteError) -> Refused {
        Refused::Remote(error)
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Refused {
        Refused::Failed(failure)
    }
}

impl From<RepoError> for Refused {
    fn from(error: RepoError) -> Refused {
        Refused::Failed(error.into())
    }
}

/// One try: what is there now, and ours upon it.
fn once(shared: &Shared<'_>, remote: &Remote<'_>, store: &mut Store, pushed: &mut Pushed) -> Result<(), Refused> {
    remote.fetch_ledger(shared.patience.fetch)?;
    let ledger = shared.repository.ledger(remote)?;
    let addition = addition(&ledger, store, shared.depth, pushed)?;
    pushed.held = ledger.len() + addition.loose.len();
    if let Some(written) = shared.repository.write_ledger(&ledger, &addition, shared.now_s)? {
        remote.push_ledger(written, shared.patience.push)?;
    }
    // What was folded in may go. If it does not, nothing is lost: it is folded in again.
    let _ = remote.clear_inbox(&ledger, shared.patience.push);
    Ok(())
}

/// What the store has and the ledger has not.
fn addition(ledger: &Ledger, store: &mut Store, depth: Depth, pushed: &mut Pushed) -> Outcome<Addition> {
    (pushed.runs, pushed.duels, pushed.annotations, pushed.kept) = (0, 0, 0, 0);
    let mut addition = Addition::default();
    for (id, dirty) in store.run_ids()? {
        let title = Title { kin: Kin::Run, id };
        if ledger.has(&title) {
            continue;
        }
        if dirty {
            pushed.kept += 1;
            continue;
        }
        if let Some(bundle) = bundle(store, &title.id, depth)? {
            addition.loose.push((title, bundle.to_bytes()));
            pushed.runs += 1;
        }
    }
    // A duel that teaches nothing is of nobody's use elsewhere, and one from a stranger must not look as if it were ours.
    for (id, _) in store.duel_ids()?.into_iter().filter(|(_, teaches)| *teaches) {
        let title = Title { kin: Kin::Duel, id };
        if ledger.has(&title) {
            continue;
        }
        if let Some(bundle) = duel_bundle(store, &title.id, depth)? {
            addition.loose.push((title, bundle.to_bytes()));
            pushed.duels += 1;
        }
    }
    let bundles = annotations(store)?.into_iter().map(|bundle| {
        let title = Title { kin: Kin::Annotation, id: bundle.id().clone() };
        (title, bundle)
    });
    for (title, bundle) in bundles.filter(|(title, _)| !ledger.has(title)) {
        addition.loose.push((title, bundle.to_bytes()));
        pushed.annotations += 1;
    }
    Ok(addition)
}

/// What people said of findings, as bundles.
fn annotations(store: &mut Store) -> Outcome<Vec<Bundle>> {
    let names = store.named()?;
    let bundle = |said: Annotation| {
        let named = names.iter().find(|named| named.id == said.finding).cloned();
        Bundle::new(said.id(), Content::Annotation { said, named }).map_err(Failure::environment)
    };
    store.annotations()?.into_iter().map(bundle).collect()
}

/// A duel of the store as a bundle.
fn duel_bundle(store: &mut Store, id: &RecordId, depth: Depth) -> Outcome<Option<Bundle>> {
    let Some((duel, sketch)) = store.held_duel(id)? else { return Ok(None) };
    let bundle = match (sketch, depth) {
        (false, Depth::Sketch) => sketch::of_duel(&duel),
        (sketch, _) => Bundle::new(id.clone(), Content::Duel { duel: Box::new(duel), sketch }),
    };
    bundle.map(Some).map_err(Failure::environment)
}

/// A run of the store as a bundle.
fn bundle(store: &mut Store, id: &RecordId, depth: Depth) -> Outcome<Option<Bundle>> {
    let Some(held) = store.held(id)? else { return Ok(None) };
    let bundle = match (held.gists, depth) {
        (None, Depth::Sketch) => sketch::of_run(&held.run),
        (gists, _) => Bundle::new(id.clone(), Content::Run { run: Box::new(held.run), gists }),
    };
    bundle.map(Some).map_err(Failure::environment)
}

/// Leaves what the ledger does not have in the inbox.
fn leave(
    shared: &Shared<'_>,
    remote: &Remote<'_>,
    store: &mut Store,
    pauses: &mut Pauses,
    mut pushed: Pushed,
) -> Outcome<Pushed> {
    let ledger = shared.repository.ledger(remote)?;
    let addition = addition(&ledger, store, shared.depth, &mut pushed)?;
    let Some(written) = shared.repository.write_apart(&addition, shared.now_s)? else { return Ok(pushed) };
    pushed.waits = true;
    pauses.longest = PAUSES.0;
    for left in (0..INBOX_TRIES).rev() {
        pushed.tries += 1;
        match remote.push_inbox(written, shared.patience.push) {
            Ok(()) => break,
            // Minutes without an answer are no chance either.
            Err(error) if left == 0 || !error.may_pass() || matches!(error, RemoteError::Late { .. }) => {
                return Err(Failure::from(RepoError::from(error)));
            }
            Err(_) => {
                pauses.pause();
                pauses.longest = pauses.longest.min(INBOX_PAUSE);
            }
        }
    }
    Ok(pushed)
}

/// Pauses that grow, each of a length that chance decides, so that those who met do not meet again.
struct Pauses {
    random: Pcg64,
    longest: Duration,
}

impl Pauses {
    fn new(seed: u64) -> Pauses {
        Pauses { random: Pcg64::seed_from_u64(seed), longest: PAUSES.0 }
    }

    fn pause(&mut self) {
        let part = self.random.next_u32();
        std::thread::sleep(self.longest.mul_f64(f64::from(part) / f64::from(u32::MAX)));
        self.longest = PAUSES.1.min(self.longest * 2);
    }
}
