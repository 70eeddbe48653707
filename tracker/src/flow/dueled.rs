//! The duels of a line's commits with their first parents, each read once and when it is asked for.

use std::collections::{BTreeMap, HashSet};

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
    /// Whether a second look at the commit, this or another, confirmed something.
    pub(super) is_where_one_confirmed: bool,
    /// Whether its parent stands right before it, as it need not where commits stand by date.
    is_next: bool,
}

/// All of them, and what was read.
#[derive(Debug)]
pub(super) struct Dueled {
    /// In the order of measuring.
    listed: Vec<Listed>,
    read: BTreeMap<usize, Neighbours>,
}

impl Dueled {
    /// Lists those whose commit is on the line.
    pub(super) fn list(store: &mut Store, line: &Line) -> Outcome<Dueled> {
        let all = store.duels_of_neighbours()?;
        let confirmed = all.iter().filter(|one| one.has_confirmed);
        let confirmed: HashSet<usize> = confirmed.filter_map(|one| line.place(&one.commit)).collect();
        let listed = all.into_iter().filter_map(|one| {
            let place = line.place(&one.commit)?;
            Some(Listed {
                id: one.id,
                place,
                is_second_look: one.is_second_look,
                is_where_one_confirmed: confirmed.contains(&place),
                is_next: line.place(&one.parent).is_some_and(|parent| parent + 1 == place),
            })
        });
        Ok(Dueled { listed: listed.collect(), read: BTreeMap::new() })
    }

    /// Reads those that are wanted and were not read.
    pub(super) fn read(&mut self, store: &mut Store, is_wanted: impl Fn(&Listed) -> bool) -> Outcome<()> {
        for (number, one) in self.listed.iter().enumerate() {
            if self.read.contains_key(&number) || !is_wanted(one) {
                continue;
            }
            if let Some(duel) = store.duel(&one.id)? {
                self.read.insert(number, Neighbours::of(one.id.clone(), &duel, (one.place, one.is_next)));
            }
        }
        Ok(())
    }

    /// What was read, in the order of measuring.
    pub(super) fn all(&self) -> impl Iterator<Item = &Neighbours> {
        self.read.values()
    }
}
