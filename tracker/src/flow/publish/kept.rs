//! What a site remembers of how it was made, and pages that are taken over when nothing behind them changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::swap;
use crate::domain::RecordId;
use crate::failure::{Classify, Outcome};
use crate::show::page::compare::Snap;
use crate::show::page::row::Row;

/// The file that holds it.
pub(in crate::flow) const MEMORY: &str = "site.json";

/// What stands behind the pages.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    /// The series' pages.
    pub(super) rows: BTreeMap<RecordId, Remembered>,
    /// The data of comparisons, by shelf: the stamp, and how many pieces there are.
    pub(super) shelves: BTreeMap<String, (RecordId, usize)>,
    /// Further pages by file.
    pub(super) pages: BTreeMap<String, RecordId>,
}

/// A series' page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// Of all that the page depends on.
    pub(super) stamp: RecordId,
    /// The series in a line.
    pub(super) row: Row,
    /// How it stood at the commits that are compared.
    pub(super) snaps: Vec<Option<Snap>>,
}

/// What the site that is there remembers; nothing where there is none, or it is of another version.
pub(super) fn memory(out: &Path) -> Memory {
    let text = fs::read_to_string(out.join(MEMORY)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The site that is there and the one that is being written.
pub(super) struct Sites<'a> {
    pub(super) old: &'a Path,
    pub(super) new: &'a Path,
    pub(super) known: &'a BTreeMap<String, RecordId>,
}

impl Sites<'_> {
    /// Takes a page over if its stamp is what it was; says whether it is there now.
    pub(super) fn keeps(&self, file: &str, stamp: &RecordId) -> bool {
        self.known.get(file) == Some(stamp) && swap::take_over(&self.old.join(file), &self.new.join(file))
    }

    /// Writes a file of the new site.
    pub(super) fn write(&self, file: &str, text: &str) -> Outcome<()> {
        let file = self.new.join(file);
        fs::write(&file, text).or_environment(format_args!("writing {}", file.display()))
    }
}
