//! The ledger: a ref of its own, `refs/tachograph/ledger`, whose tree holds one small immutable file a record.
//!
//! ```text
//! runs/3f/3f09…           a bundle, named by the identity of its record
//! duels/a1/a177…
//! packs/08be…/holds       what a pack holds, a name a line; its hash is the pack's name
//! packs/08be…/bundles     those bundles, a line each, in the same order
//! ```
//!
//! Nothing is ever edited, so two ledgers merge by the union of their trees: a push that comes too late takes in what came
//! before it and tries again. A loose bundle that a pack holds is left out of a union. Who does not get through leaves a
//! ledger of its own under `refs/tachograph/inbox/`, which whoever comes next folds in. Beside these refs, and the objects
//! behind them, nothing of the repository is written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Oid, Signature, Time, Tree};
use sha2::{Digest, Sha256};

use super::remote::{Remote, RemoteError};
use super::{RepoError, Repository, git};
use crate::domain::{Kin, MOST_BYTES, RecordId, hex};

/// The ledger's ref on a remote.
const LEDGER: &str = "refs/tachograph/ledger";

/// Where ledgers wait that could not be joined in time.
const INBOX: &str = "refs/tachograph/inbox/";

/// The largest list of what a pack holds.
const MOST_HOLDS_BYTES: usize = 16 << 20;

/// What a bundle is called in a ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Title {
    /// Its kind.
    pub kin: Kin,
    /// The identity of its record.
    pub id: RecordId,
}

impl Title {
    fn path(&self) -> String {
        format!("{}/{}/{}", self.kin.folder(), &self.id.as_str()[..2], self.id)
    }

    fn line(&self) -> String {
        format!("{}/{}\n", self.kin.folder(), self.id)
    }

    fn parse(line: &str) -> Option<Title> {
        let (folder, id) = line.split_once('/')?;
        let kin = Kin::ALL.into_iter().find(|kin| kin.folder() == folder)?;
        Some(Title { kin, id: RecordId::parse(id)? })
    }
}

/// A pack: what it holds, and the file of its bundles.
#[derive(Debug, Clone)]
struct Pack {
    tree: Oid,
    bundles: Oid,
    holds: Vec<Title>,
}

/// The union of what a remote has: its ledger and all that waits in the inbox.
#[derive(Debug, Default)]
pub struct Ledger {
    tip: Option<Oid>,
    waiting: Vec<(String, Oid)>,
    loose: BTreeMap<Title, Oid>,
    /// What of that stands at the tip itself.
    at_tip: BTreeMap<Title, Oid>,
    packs: BTreeMap<String, Pack>,
    packed: BTreeSet<Title>,
    odd: usize,
}

impl Ledger {
    /// Everything that it holds.
    pub fn titles(&self) -> impl Iterator<Item = &Title> {
        self.loose.keys().filter(|title| !self.packed.contains(*title)).chain(&self.packed)
    }

    /// How much it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.titles().count()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it holds this.
    #[must_use]
    pub fn has(&self, title: &Title) -> bool {
        self.loose.contains_key(title) || self.packed.contains(title)
    }

    /// How many ledgers wait in the inbox.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many files it has that are no bundles.
    #[must_use]
    pub fn odd(&self) -> usize {
        self.odd
    }

    /// What stands in files of its own, though it may be in a pack too.
    pub fn loose(&self) -> impl Iterator<Item = &Title> {
        self.loose.keys()
    }
}

/// What hears of bundles, one after the other.
pub type Visit<'a, E> = dyn FnMut(&Title, Option<&[u8]>) -> Result<(), E> + 'a;

/// What is to be added to a ledger.
#[derive(Debug, Default)]
pub struct Addition {
    /// Bundles to stand in files of their own.
    pub loose: Vec<(Title, Vec<u8>)>,
    /// Packs, each given by its bundles.
    pub packs: Vec<Vec<(Title, Vec<u8>)>>,
}

impl Remote<'_> {
    fn here(&self) -> String {
        format!("refs/tachograph/of/{}/", self.name)
    }

    /// Fetches the ledger and the inbox. It is no error that there is none yet.
    pub fn fetch_ledger(&self, patience: Duration) -> Result<(), RemoteError> {
        let here = self.here();
        // A pattern may match nothing, where a name would have to be there.
        let refspecs = [format!("+{LEDGER}*:{here}ledger*"), format!("+{INBOX}*:{here}inbox/*")];
        self.fetch(&refspecs, patience)
    }

    /// Makes `commit` the ledger, unless somebody else was faster.
    pub fn push_ledger(&self, commit: Written, patience: Duration) -> Result<(), RemoteError> {
        self.push(&[format!("{}:{LEDGER}", commit.0)], patience)
    }

    /// Leaves `commit` in the inbox, under a name that nobody else takes.
    pub fn push_inbox(&self, commit: Written, patience: Duration) -> Result<(), RemoteError> {
        self.push(&[format!("{}:{INBOX}{}", commit.0, commit.0)], patience)
    }

    /// Takes out of the inbox what the ledger has by now.
    pub fn clear_inbox(&self, ledger: &Ledger, patience: Duration) -> Result<(), RemoteError> {
        let gone: Vec<String> = ledger.waiting.iter().map(|(name, _)| format!(":{INBOX}{name}")).collect();
        if gone.is_empty() { Ok(()) } else { self.push(&gone, patience) }
    }
}

/// A ledger that was written and not yet pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written(Oid);

const READING: &str = "reading the ledger";
const WRITING: &str = "writing the ledger";

impl Repository {
    /// Reads what was fetched last.
    pub fn ledger(&self, remote: &Remote<'_>) -> Result<Ledger, RepoError> {
        let here = remote.here();
        let mut ledger = Ledger::default();
        let references = self.git.references_glob(&format!("{here}*")).map_err(git(READING))?;
        let mut trees = Vec::new();
        for reference in references {
            let reference = reference.map_err(git(READING))?;
            let Ok(commit) = reference.peel_to_commit() else { continue };
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            let tree = commit.tree().map_err(git(READING))?;
            if let Some(waiting) = name[here.len()..].strip_prefix("inbox/") {
                ledger.waiting.push((waiting.to_owned(), commit.id()));
                trees.push(tree);
            } else if &name[here.len()..] == "ledger" {
                ledger.tip = Some(commit.id());
                self.take_in(&mut ledger, &tree)?;
                // The inbox comes after, whatever its place among the refs.
                ledger.at_tip.clone_from(&ledger.loose);
            }
        }
        for tree in trees {
            self.take_in(&mut ledger, &tree)?;
        }
        let packed = ledger.packs.values().flat_map(|pack| pack.holds.iter().cloned());
        ledger.packed = packed.collect();
        Ok(ledger)
    }

    fn take_in(&self, ledger: &mut Ledger, tree: &Tree<'_>) -> Result<(), RepoError> {
        for entry in tree {
            let name = entry.name().unwrap_or_default().to_owned();
            let Some(ObjectType::Tree) = entry.kind() else {
                ledger.odd += 1;
                continue;
            };
            let folder = self.git.find_tree(entry.id()).map_err(git(READING))?;
            match Kin::ALL.into_iter().find(|kin| kin.folder() == name) {
                Some(kin) => self.take_bundles(ledger, kin, &folder)?,
                None if name == "packs" => self.take_packs(ledger, &folder)?,
                None => ledger.odd += 1,
            }
        }
        Ok(())
    }

    fn take_bundles(&self, ledger: &mut Ledger, kin: Kin, folder: &Tree<'_>) -> Result<(), RepoError> {
        for part in folder {
            let Ok(part) = self.git.find_tree(part.id()) else {
                ledger.odd += 1;
                continue;
            };
            for file in &part {
                match (file.kind(), file.name().ok().and_then(RecordId::parse)) {
                    (Some(ObjectType::Blob), Some(id)) => self.take_one(ledger, Title { kin, id }, file.id())?,
                    _ => ledger.odd += 1,
                }
            }
        }
        Ok(())
    }

    /// One record may be told at length and in a sketch; the longer telling stays, and of equals always the same.
    fn take_one(&self, ledger: &mut Ledger, title: Title, file: Oid) -> Result<(), RepoError> {
        let stays = match ledger.loose.get(&title) {
            None => true,
            Some(known) if *known == file => false,
            Some(known) => {
                let odb = self.git.odb().map_err(git(READING))?;
                let size = |file| odb.read_header(file).map(|(size, _)| size).map_err(git(READING));
                (size(file)?, file) > (size(*known)?, *known)
            }
        };
        if stays {
            ledger.loose.insert(title, file);
        }
        Ok(())
    }

    fn take_packs(&self, ledger: &mut Ledger, packs: &Tree<'_>) -> Result<(), RepoError> {
        for entry in packs {
            let Ok(tree) = self.git.find_tree(entry.id()) else {
                ledger.odd += 1;
                continue;
            };
            let file = |name: &str| Some(tree.get_name(name)?.id());
            let (Some(holds), Some(bundles)) = (file("holds"), file("bundles")) else {
                ledger.odd += 1;
                continue;
            };
            let bytes = self.bounded(holds, MOST_HOLDS_BYTES)?.unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            let titles: Option<Vec<Title>> = text.lines().map(Title::parse).collect();
            match titles {
                // Under its own name only, so that nobody's pack stands in for another's.
                Some(holds) if entry.name().is_ok_and(|name| name == hex(&Sha256::digest(&*bytes))) => {
                    let name = entry.name().unwrap_or_default().to_owned();
                    ledger.packs.insert(name, Pack { tree: entry.id(), bundles, holds });
                }
                _ => ledger.odd += 1,
            }
        }
        Ok(())
    }

    /// The content of a file; none if it is larger than that.
    fn bounded(&self, file: Oid, most_bytes: usize) -> Result<Option<Vec<u8>>, RepoError> {
        let odb = self.git.odb().map_err(git(READING))?;
        let (size, kind) = odb.read_header(file).map_err(git(READING))?;
        if kind != ObjectType::Blob || size > most_bytes {
            return Ok(None);
        }
        Ok(Some(odb.read(file).map_err(git(READING))?.data().to_vec()))
    }

    /// Visits the bundles that are wanted, each with its title; the bytes are none where they are too many or absent. What
    /// they hold is for the visitor to doubt. The visitor's error ends it.
    pub fn each_bundle<E: From<RepoError>>(
        &self,
        ledger: &Ledger,
        wanted: &dyn Fn(&Title) -> bool,
        visit: &mut Visit<'_, E>,
    ) -> Result<(), E> {
        let mut seen = BTreeSet::new();
        for pack in ledger.packs.values() {
            if !pack.holds.iter().any(|title| wanted(title) && !seen.contains(title)) {
                continue;
            }
            // A pack may be as large as its bundles together; it was bounded when it was made, and is here.
            let bytes = self.bounded(pack.bundles, 4 * MOST_BYTES)?.unwrap_or_default();
            let mut lines = bytes.split(|byte| *byte == b'\n');
            for title in &pack.holds {
                let line = lines.next().filter(|line| !line.is_empty());
                if wanted(title) && seen.insert(title.clone()) {
                    visit(title, line)?;
                }
            }
        }
        for (title, file) in &ledger.loose {
            if wanted(title) && seen.insert(title.clone()) {
                visit(title, self.bounded(*file, MOST_BYTES)?.as_deref())?;
            }
        }
        Ok(())
    }

    /// Writes the union of a ledger and what is added, as a commit upon the ledger. None if there is nothing that the
    /// ledger itself does not have.
    pub fn write_ledger(&self, ledger: &Ledger, addition: &Addition, now_s: i64) -> Result<Option<Written>, RepoError> {
        let before = if let Some(tip) = ledger.tip {
            self.git.find_commit(tip).and_then(|commit| commit.tree()).map_err(git(READING))?
        } else {
            let empty = self.git.treebuilder(None).and_then(|builder| builder.write()).map_err(git(WRITING))?;
            self.git.find_tree(empty).map_err(git(WRITING))?
        };
        let mut update = TreeUpdateBuilder::new();
        let mut packed: BTreeSet<&Title> = ledger.packed.iter().collect();
        for (name, pack) in &ledger.packs {
            update.upsert(format!("packs/{name}"), pack.tree, FileMode::Tree);
        }
        for bundles in &addition.packs {
            let (name, tree) = self.write_pack(bundles)?;
            update.upsert(format!("packs/{name}"), tree, FileMode::Tree);
            packed.extend(bundles.iter().map(|(title, _)| title));
        }
        for (title, file) in &ledger.loose {
            match (packed.contains(title), ledger.at_tip.get(title)) {
                (true, Some(_)) => drop(update.remove(title.path())),
                (true, None) => {}
                (false, Some(known)) if known == file => {}
                (false, _) => drop(update.upsert(title.path(), *file, FileMode::Blob)),
            }
        }
        for (title, bytes) in &addition.loose {
            let blob = self.git.blob(bytes).map_err(git(WRITING))?;
            update.upsert(title.path(), blob, FileMode::Blob);
        }
        let tree = update.create_updated(&self.git, &before).map_err(git(WRITING))?;
        if tree == before.id() {
            return Ok(None);
        }
        self.commit_ledger(ledger, tree, now_s).map(Some)
    }

    /// Writes bundles alone, to be left in an inbox: a ledger without history that holds nothing else.
    pub fn write_apart(&self, addition: &Addition, now_s: i64) -> Result<Option<Written>, RepoError> {
        self.write_ledger(&Ledger::default(), addition, now_s)
    }

    fn commit_ledger(&self, ledger: &Ledger, tree: Oid, now_s: i64) -> Result<Written, RepoError> {
        let tree = self.git.find_tree(tree).map_err(git(WRITING))?;
        let parents: Vec<git2::Commit<'_>> =
            ledger.tip.iter().map(|id| self.git.find_commit(*id)).collect::<Result<_, _>>().map_err(git(READING))?;
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        // Nobody's name and address: the ledger says what was measured, not by whom.
        let by = Signature::new("Tachograph", "tachograph@localhost", &Time::new(now_s, 0)).map_err(git(WRITING))?;
        let commit = self.git.commit(None, &by, &by, "Measurements\n", &tree, &parents).map_err(git(WRITING))?;
        Ok(Written(commit))
    }

    fn write_pack(&self, bundles: &[(Title, Vec<u8>)]) -> Result<(String, Oid), RepoError> {
        let holds: String = bundles.iter().map(|(title, _)| title.line()).collect();
        let mut all = Vec::new();
        for (_, bytes) in bundles {
            all.extend_from_slice(bytes);
            all.push(b'\n');
        }
        let mut builder = self.git.treebuilder(None).map_err(git(WRITING))?;
        for (name, bytes) in [("holds", holds.as_bytes()), ("bundles", &all)] {
            let blob = self.git.blob(bytes).map_err(git(WRITING))?;
            builder.insert(name, blob, FileMode::Blob.into()).map_err(git(WRITING))?;
        }
        let tree = builder.write().map_err(git(WRITING))?;
        Ok((hex(&Sha256::digest(holds.as_bytes())), tree))
    }
}
