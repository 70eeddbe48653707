//! The pages of duels: all of the newest, each drawn again when it is judged anew.

use std::collections::BTreeMap;

use super::kept::Sites;
use crate::domain::{Pattern, RecordId};
use crate::failure::{Failure, Outcome};
use crate::flow::explain;
use crate::record::Store;
use crate::show::page::links::{Links, duel_file};
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
        let file = format!("duel/{}", duel_file(&line.id));
        if !sites.keeps(&file, &stamp) {
            let explained = explain::explain(store, line.id.as_str(), &[Pattern::new("")])?;
            let gone =
                || Failure::environment(anyhow::anyhow!("duel {} is not in the store any more", line.id.short()));
            let duel = store.duel(&line.id)?.ok_or_else(gone)?;
            sites.write(&file, &duel::render(site, &duel::Page { duel: &duel, explained: &explained, links }))?;
        }
        stamps.insert(file, stamp);
    }
    Ok(stamps)
}
