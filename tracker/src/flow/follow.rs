//! The new points of a run, each judged by the past of its series along the history of its commit.

use std::collections::BTreeSet;

use super::trend::History;
use super::witnessed::Witnessed;
use crate::domain::{BenchmarkName, Life, Limit, NewPoint, Outcome as Came, Pattern, Run, Standing};
use crate::failure::Outcome;
use crate::judge::point;
use crate::record::{Store, Wanted};
use crate::repo::Repository;
use crate::stats::changes::Values;
use crate::stats::summary::summarise;

/// So far back a level is looked for: more than the detector reads at once, gaps counted.
const FARTHEST: usize = 2_000;

/// Where more benchmarks than this would be looked at again, those whose points say little are not: the time of a second
/// look would not do for all.
const MOST_BLIND: usize = 10;

/// What is said of a run's points.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Followed {
    /// Every point, in the order of the store.
    pub points: Vec<NewPoint>,
}

impl Followed {
    /// The benchmarks that a second look is for: those of suspects, whether or not a neighbour may have made the point, for
    /// a change may have come with him; and those whose points say little, as long as they leave time enough for each.
    #[must_use]
    pub fn suspects(&self) -> Vec<BenchmarkName> {
        let names = |wanted: &[Standing]| {
            let points = self.points.iter().filter(|point| wanted.contains(&point.standing));
            let names: BTreeSet<BenchmarkName> = points.map(|point| point.series.benchmark.clone()).collect();
            names.into_iter().collect::<Vec<_>>()
        };
        let all = names(&[Standing::Suspect, Standing::Disturbed, Standing::Blind]);
        if all.len() <= MOST_BLIND { all } else { names(&[Standing::Suspect, Standing::Disturbed]) }
    }
}

/// Judges every point of a run that was recorded, where a change of this size counts.
pub fn follow(store: &mut Store, repository: &Repository, run: &Run, size: Limit) -> Outcome<Followed> {
    let commit = run.subject.commit();
    let line = repository.first_parents_of(commit, FARTHEST)?;
    let history = History::along(store, line)?;
    // Earlier runs of the very commit are no past: they may hold the change that is looked for.
    let tip = history.line.place(&commit.id).unwrap_or(usize::MAX);
    let wanted = Wanted {
        benchmark: Pattern::new(""),
        suite: Some(Pattern::new(format!("={}", run.suite))),
        metric: None,
        machine: Some(run.machine.id().as_str().to_owned()),
    };
    let (id, witnessed, mut pasts) = (run.id(), Witnessed::of(&run.notes), Vec::new());
    store.each_series(&wanted, &history.runs, |series, dots| -> Outcome<()> {
        if let Some(value) = value_of(run, &series) {
            let marked = history.marks(&series, &dots);
            let value = marked.bring(value, &witnessed);
            let is_disturbed = marked.leaves_out(&history, &id);
            let mut marks = marked.marks;
            marks.retain(|mark| mark.place < tip || run.subject.is_dirty());
            pasts.push((series, value, marks, is_disturbed));
        }
        Ok(())
    })?;
    let doubt = point::doubt(pasts.len());
    let judged = pasts.into_iter().map(|(series, value, marks, is_disturbed)| {
        let before = Values::new(marks.iter().map(|mark| mark.level).collect()).unwrap_or_default();
        let judged = point::judge(&before, value, doubt, size.log());
        let standing = match judged.standing {
            Standing::Suspect | Standing::Moved if is_disturbed => Standing::Disturbed,
            standing => standing,
        };
        let place = judged.since.map(|at| marks.get(at).map_or(tip, |mark| mark.place));
        let since = place.and_then(|place| history.line.commits().get(place)).map(|commit| commit.id.clone());
        NewPoint { series, standing, value, level: judged.level, size: judged.size, since }
    });
    Ok(Followed { points: judged.collect() })
}

/// The run's level in a series; none if it has no such reading.
fn value_of(run: &Run, series: &crate::domain::Series) -> Option<f64> {
    let Came::Measured(measured) = run.outcomes.get(&series.benchmark)? else { return None };
    let reading = measured.readings.iter().find(|reading| reading.metric == series.metric)?;
    let lives: Vec<&[f64]> = reading.lives.iter().map(Life::values).collect();
    summarise(&lives).map(|summary| summary.level)
}
