//! The pages of duels: all of the newest, each drawn again when it is judged anew.

use std::collections::BTreeMap;

use super::kept::Sites;
use crate::domain::{Pattern, RecordId};
use crate::failure::{Failure, Outcome};
use crate::flow::explain;
use crate::record::Store;
use crate::show::page::links::{Links, duel_page};
use crate::show::page::{Site, duel};

/// So many duels have a page.
pub(super) const DUELS: usize = 300;

/// Draws what is not there yet; gives the stamp of each page.
pub(super) fn draw(
    store: &mut Store,
    (site, links): (&Site, &Links),
    (program, sites): (&RecordId, &Sites<'_>),
) -> Outcome<BTreeMap<String, RecordId>> {
    let mut stamps = BTreeMap::new();
    for line in &links.duels {
        let machine = &line.machine;
        let runs = [&line.base, &line.head]
            .map(|commit| links.runs.get(&(commit.clone(), line.suite.to_string(), machine.clone())));
        let judged = store.last_judgement_id(&line.id)?;
        let stamp = RecordId::of("duel's page", &(program, &line.id, judged, runs));
        let mut files = taken_over(&line.id, &stamp, sites);
        if files.is_empty() {
            let explained = explain::explain(store, line.id.as_str(), &[Pattern::new("")])?;
            let gone =
                || Failure::environment(anyhow::anyhow!("duel {} is not in the store any more", line.id.short()));
            let duel = store.duel(&line.id)?.ok_or_else(gone)?;
            for (file, page) in duel::render(site, &duel::Page { duel: &duel, explained: &explained, links }) {
                let file = format!("duel/{file}");
                sites.write(&file, &page)?;
                files.push(file);
            }
        }
        stamps.extend(files.into_iter().map(|file| (file, stamp.clone())));
    }
    Ok(stamps)
}

/// The files of a duel that could be taken over, its own and those behind it; none if any has to be drawn.
fn taken_over(duel: &RecordId, stamp: &RecordId, sites: &Sites<'_>) -> Vec<String> {
    let file = |number| format!("duel/{}", duel_page(duel, number));
    // All pages of a duel are known, or none.
    let count = (0..sites.known.len()).find(|number| !sites.known.contains_key(&file(*number)));
    let files: Vec<String> = (0..count.unwrap_or(sites.known.len())).map(file).collect();
    if files.iter().all(|file| sites.keeps(file, stamp)) { files } else { Vec::new() }
}
