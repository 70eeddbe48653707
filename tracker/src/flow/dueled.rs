//! The duels of a line's commits with their first parents, each read once and when it is asked for.

use std::collections::BTreeMap;

use crate::domain::{Line, RecordId};
use crate::failure::Outcome;
use crate::judge::neighbours::Neighbours;
use crate::record::Store;

/// A duel that the store has.
#[derive(Debug)]
pub(super) struct Listed {
    id: RecordId,
    /// The place of the commit.
    pub(super) place: usize,
    /// Whether it was a second look at suspects.
    pub(super) is_second_look: bool,
}

/// All of them, and what was read.
#[derive(Debug)]
pub(super) struct Dueled {
    /// In the order of recording.
    listed: Vec<Listed>,
    read: BTreeMap<usize, Neighbours>,
}

impl Dueled {
    /// Lists those whose commit is on the line.
    pub(super) fn list(store: &mut Store, line: &Line) -> Outcome<Dueled> {
        let mut listed = Vec::new();
        for (id, head, is_second_look) in store.duels_of_neighbours()? {
            listed.extend(line.place(&head).map(|place| Listed { id, place, is_second_look }));
        }
        Ok(Dueled { listed, read: BTreeMap::new() })
    }

    /// Reads those that are wanted and were not read.
    pub(super) fn read(&mut self, store: &mut Store, is_wanted: impl Fn(&Listed) -> bool) -> Outcome<()> {
        for (number, one) in self.listed.iter().enumerate() {
            if self.read.contains_key(&number) || !is_wanted(one) {
                continue;
            }
            if let Some(duel) = store.duel(&one.id)? {
                self.read.insert(number, Neighbours::of(one.id.clone(), &duel, one.place));
            }
        }
        Ok(())
    }

    /// What was read, in the order of recording.
    pub(super) fn all(&self) -> impl Iterator<Item = &Neighbours> {
        self.read.values()
    }
}
