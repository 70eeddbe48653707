//! Where the time of benchmarks goes, from the profiles that were stored with their runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{History, Span};
use crate::domain::{RecordId, RunHead};
use crate::failure::Outcome;
use crate::record::Store;
use crate::show::report::Hot;

/// Of each benchmark, so many paths are told.
const PATHS: usize = 3;

/// The paths in which each benchmark spends most of its own time at the later end, and what they took at the baseline.
pub(super) fn paths(store: &mut Store, history: &History, span: &Span) -> Outcome<Vec<Hot>> {
    let mut hot = Vec::new();
    for (machine, [before, now]) in runs(history, span) {
        let Some(now) = now else { continue };
        let profiles = profiles(store, &now)?;
        if profiles.is_empty() {
            continue;
        }
        let earlier = before.map(|run| self::profiles(store, &run)).transpose()?.unwrap_or_default();
        for (benchmark, shares) in profiles {
            let was = earlier.get(&benchmark);
            let mut shares: Vec<(String, f64)> = shares.into_iter().collect();
            shares.sort_by(|one, other| other.1.total_cmp(&one.1));
            hot.extend(shares.into_iter().take(PATHS).map(|(path, now)| Hot {
                benchmark: benchmark.clone(),
                machine: machine.clone(),
                before: was.and_then(|shares| shares.get(&path).copied()),
                path,
                now,
            }));
        }
    }
    Ok(hot)
}

/// The run of the newest commit so far, at its place.
type Newest = Option<(usize, RecordId)>;

/// For each suite on each machine the last run up to the baseline, and the last one after it.
fn runs(history: &History, span: &Span) -> Vec<(String, [Option<RecordId>; 2])> {
    let mut runs: BTreeMap<(String, RecordId), (String, [Newest; 2])> = BTreeMap::new();
    let measured = history.heads.iter().filter(|head| !head.line.dirty && head.line.suite.peer().is_none());
    let placed = measured.filter_map(|head: &RunHead| Some((head, history.place(&head.line.commit)?)));
    for (head, place) in placed.filter(|(_, place)| *place <= span.newest) {
        let key = (head.line.suite.to_string(), head.machine.clone());
        let entry = runs.entry(key).or_insert_with(|| (head.line.machine.clone(), [None, None]));
        let side = &mut entry.1[usize::from(place > span.baseline)];
        if side.as_ref().is_none_or(|(other, _)| *other <= place) {
            *side = Some((place, head.line.id.clone()));
        }
    }
    runs.into_values().map(|(machine, sides)| (machine, sides.map(|side| side.map(|(_, id)| id)))).collect()
}

/// The profiles of a run: by benchmark, each path's own share of the time.
fn profiles(store: &mut Store, run: &RecordId) -> Outcome<BTreeMap<String, BTreeMap<String, f64>>> {
    let attachments = store.run(run)?.map(|run| run.attachments).unwrap_or_default();
    let profiles = attachments.into_iter().filter(|attachment| attachment.kind == "profile");
    Ok(profiles.filter_map(|profile| Some((profile.benchmark.to_string(), shares(&profile.content)?))).collect())
}

/// What a profile says, where it has a list `methods` of objects with a `path` and the `exclusive_ns` spent there.
fn shares(profile: &Value) -> Option<BTreeMap<String, f64>> {
    let mut shares: BTreeMap<String, f64> = BTreeMap::new();
    for method in profile.get("methods")?.as_array()? {
        let (path, own_ns) = (method.get("path")?.as_str()?, method.get("exclusive_ns")?.as_f64()?);
        *shares.entry(path.to_owned()).or_default() += own_ns.max(0.0);
    }
    let whole: f64 = shares.values().sum();
    if !(whole.is_finite() && whole > 0.0) {
        return None;
    }
    for share in shares.values_mut() {
        *share /= whole;
    }
    Some(shares)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_profile_is_read_as_shares_of_the_time_and_anything_else_as_none() {
        let method = |path: &str, own: i64| json!({ "path": path, "exclusive_ns": own, "calls": 3 });
        let profile = json!({ "methods": [method("a", 30), method("a/b", 60), method("a", 10)] });
        let shares = shares(&profile).unwrap();
        assert_eq!(shares.into_iter().collect::<Vec<_>>(), [("a".to_owned(), 0.4), ("a/b".to_owned(), 0.6)]);
        for other in [json!({}), json!({ "methods": [] }), json!({ "methods": [{ "path": 3 }] }), json!([]), json!("x")]
        {
            assert_eq!(super::shares(&other), None, "{other}");
        }
    }
}
