//! What others reach, by what it is to be compared with.

use std::collections::HashMap;

use crate::domain::{Metric, RecordId, Series};
use crate::failure::Outcome;
use crate::record::{Store, Stored};
use crate::show::chart::reference::Reference;

/// Peers' newest levels: of the same benchmark and metric, on the same machine.
#[derive(Debug, Default)]
pub struct References(HashMap<(String, Metric, RecordId), Vec<Reference>>);

impl References {
    /// Reads them from the store.
    pub fn read(store: &mut Store, all: &[Stored]) -> Outcome<References> {
        let mut found = References::default();
        for stored in all {
            let Some(peer) = stored.series.suite.peer() else { continue };
            let Some(point) = store.points(stored, 1)?.pop() else { continue };
            let reference = Reference { name: peer.to_owned(), value: point.level };
            found.0.entry(key(&stored.series)).or_default().push(reference);
        }
        Ok(found)
    }

    /// Those that a series of ours is to be compared with; none for a peer's own.
    #[must_use]
    pub fn of(&self, series: &Series) -> &[Reference] {
        if series.suite.peer().is_some() {
            return &[];
        }
        self.0.get(&key(series)).map_or(&[], Vec::as_slice)
    }
}

fn key(series: &Series) -> (String, Metric, RecordId) {
    (series.benchmark.to_string(), series.metric.clone(), series.machine.id())
}
