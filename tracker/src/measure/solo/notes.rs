//! What a solo run says of how it was measured.

use super::state::{Known, State};
use super::{Overhead, Running};
use crate::domain::{BenchmarkName, Notes};
use crate::measure::child::urgent::{self, PRIORITY};
use crate::measure::witness::{self, Usual};

impl Running<'_> {
    /// The notes of the run, at its end.
    pub(super) fn notes(&self, worker: String, seed: u64, overhead: &Overhead, usual: Option<Usual>) -> Notes {
        let sum = |of: fn(&Known) -> usize| -> usize { self.states.iter().filter_map(State::known).map(of).sum() };
        let (slices, all_slices, set_aside) = (sum(Known::slices), sum(Known::all_slices), sum(Known::set_aside));
        let addresses = if self.lives.fixed() == Some(true) { "the same in all runs" } else { "each worker's own" };
        let mut notes = Notes::from([
            ("addresses".to_owned(), addresses.to_owned()),
            ("worker".to_owned(), worker),
            ("seed".to_owned(), seed.to_string()),
            ("lives".to_owned(), self.lives.started().to_string()),
            ("slices".to_owned(), slices.to_string()),
            ("inside_slices_pct".to_owned(), format!("{:.1}", overhead.inside_pct())),
            ("useful_pct".to_owned(), format!("{:.1}", overhead.useful_pct())),
            (PRIORITY.to_owned(), urgent::said(self.beside.is_urgent).to_owned()),
        ]);
        if set_aside > 0 {
            notes.insert("lives_set_aside".to_owned(), set_aside.to_string());
        }
        if all_slices > slices {
            notes.insert("slices_set_aside".to_owned(), (all_slices - slices).to_string());
        }
        if let Some(usual) = usual {
            notes.extend(usual.clock_ghz().map(|ghz| (witness::CLOCK.to_owned(), format!("{ghz:.3}"))));
            notes.insert(witness::CROWD.to_owned(), format!("{:.3}", usual.crowd()));
            notes.extend(witness::build().map(|build| (witness::BUILD.to_owned(), build.to_string())));
        }
        let is_disturbed = |state: &State| state.known().is_some_and(|known| known.is_disturbed);
        let disturbed = self.listed.iter().zip(&self.states).filter(|(_, state)| is_disturbed(state));
        let disturbed: Vec<&BenchmarkName> = disturbed.map(|(listed, _)| &listed.name).collect();
        if let Some(names) = serde_json::to_string(&disturbed).ok().filter(|_| !disturbed.is_empty()) {
            notes.insert(witness::DISTURBED.to_owned(), names);
        }
        if let Some((count, first)) = self.lives.ended_badly() {
            notes.insert("ended_badly".to_owned(), format!("{count} workers, the first {first}"));
        }
        notes
    }
}
