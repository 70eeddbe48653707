//! The store read as histories of ratios to the anchor, all classes of machine in one.

use std::collections::BTreeMap;

use super::trend::History;
use crate::domain::{
    ANCHOR_NOTE, Anchored, BenchmarkName, Bout, CommitId, Contest, Duel, Machine, Mark, Metric, Ratio, Readings,
    Series, SeriesTrend, Strand, SuiteName, Unit,
};
use crate::failure::Outcome;
use crate::judge::anchor::{self, Joined};
use crate::judge::estimate::{medians, over_lives};
use crate::record::Store;
use crate::stats::changes::Settings;
use crate::stats::student::NORMAL_95;

/// The note of a duel that names the compiler of its base.
pub(super) const TOOLCHAIN_OF_BASE: &str = "rustc of base";

/// The standard error of a ratio of one life, which does not tell its own: lives of one build differ by so much at the most.
const ERROR_OF_ONE_LIFE: f64 = 0.01;

/// What a history of ratios is of.
type What = (SuiteName, BenchmarkName, Metric);

/// Everything that was dueled with an anchor, along a history, in the order of names.
pub fn all(store: &mut Store, history: &History, settings: &Settings) -> Outcome<Vec<Anchored>> {
    let mut strands: BTreeMap<What, Vec<Strand>> = BTreeMap::new();
    store.each_anchored(|duel| -> Outcome<()> {
        for (benchmark, bout) in &duel.bouts {
            let Bout::Dueled(contests) = bout else { continue };
            for contest in contests {
                if let Some(ratio) = ratio(&duel, contest, history) {
                    let what = (duel.suite.clone(), benchmark.clone(), contest.metric.clone());
                    add(strands.entry(what).or_default(), &duel, ratio);
                }
            }
        }
        Ok(())
    })?;
    Ok(strands.into_iter().map(|(what, strands)| anchored(what, strands, settings)).collect())
}

/// A contest as a ratio; none where a side was zero or has none, or where no life was whole.
fn ratio(duel: &Duel, contest: &Contest, history: &History) -> Option<Ratio> {
    let (log, variance) = match &contest.readings {
        Readings::Paired { lives, .. } => {
            let medians = medians(lives);
            match over_lives(&medians, None) {
                Some(known) => (known.effect, known.error.value),
                None => (*medians.first()?, ERROR_OF_ONE_LIFE * ERROR_OF_ONE_LIFE),
            }
        }
        Readings::Exact { .. } => ((contest.head / contest.base).ln(), 0.0),
        // One side has no such metric.
        Readings::Missing { .. } | Readings::New { .. } => return None,
    };
    let head = duel.head.subject.commit().id.clone();
    let place = history.line.place(&head);
    let ratio = Ratio { head, place, log, variance, started_at_s: duel.started_at_s };
    (log.is_finite() && variance.is_finite()).then_some(ratio)
}

/// Adds a ratio to the strand that it belongs to.
fn add(strands: &mut Vec<Strand>, duel: &Duel, ratio: Ratio) {
    let anchor = &duel.base.subject.commit().id;
    let toolchain = duel.notes.get(TOOLCHAIN_OF_BASE);
    let is_same = |strand: &&mut Strand| {
        strand.machine == duel.machine && strand.anchor == *anchor && strand.toolchain.as_ref() == toolchain
    };
    match strands.iter_mut().find(is_same) {
        Some(strand) => strand.ratios.push(ratio),
        None => strands.push(Strand {
            machine: duel.machine.clone(),
            anchor: anchor.clone(),
            name: duel.notes.get(ANCHOR_NOTE).cloned().unwrap_or_else(|| anchor.short().to_owned()),
            toolchain: toolchain.cloned(),
            ratios: vec![ratio],
        }),
    }
}

fn anchored((suite, benchmark, metric): What, mut strands: Vec<Strand>, settings: &Settings) -> Anchored {
    put_first(&mut strands);
    let anchor = strands.first().map(|strand| strand.name.clone()).unwrap_or_default();
    let joined = anchor::join(&strands);
    let trend = anchor::trend(&joined, settings, metric.better);
    let series = Series {
        suite: suite.clone(),
        benchmark: benchmark.clone(),
        metric: Metric { unit: Unit::new("×"), ..metric.clone() },
        machine: Machine::Named(format!("all, against {anchor}")),
    };
    let trend = SeriesTrend { series, marks: marks(&joined), trend, toolchains: Vec::new(), brought: 0, left_out: 0 };
    let strands = strands.into_iter().zip(joined.offsets).collect();
    Anchored { suite, benchmark, metric, anchor, strands, trend }
}

/// Puts first what the others are laid upon: of the anchor that was dueled last, the strand with the most commits.
fn put_first(strands: &mut [Strand]) {
    let newest = |strand: &Strand| strand.ratios.iter().map(|ratio| ratio.started_at_s).max();
    let placed = |strand: &Strand| strand.ratios.iter().filter(|ratio| ratio.place.is_some()).count();
    let last: Option<CommitId> = strands.iter().max_by_key(|strand| newest(strand)).map(|strand| strand.anchor.clone());
    strands.sort_by_key(|strand| (Some(&strand.anchor) != last.as_ref(), usize::MAX - placed(strand)));
}

/// The joined commits as marks of a series; runs, that it has none of, are counted as duels.
fn marks(joined: &Joined) -> Vec<Mark> {
    let mark = |knot: &anchor::Knot| {
        let side = NORMAL_95 * knot.variance.sqrt();
        Mark {
            place: knot.place,
            level: knot.log.exp(),
            interval: Some(((knot.log - side).exp(), (knot.log + side).exp())),
            runs: knot.strands.len(),
            newest: 0,
        }
    };
    joined.knots.iter().map(mark).collect()
}
