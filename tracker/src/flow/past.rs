//! The past as it is shown: the history's places, and on them a series with its trend.

use std::collections::HashMap;

use super::accepted::{self, Covered};
use super::witnessed::{Leveled, Witnessed, hear};
use crate::domain::{Commit, CommitId, PlacedAcceptance, Point, RecordId, RunHead, Series, Trend};
use crate::failure::Outcome;
use crate::judge::trend;
use crate::record::Store;
use crate::repo::Repository;
use crate::stats::changes::{Settings, Values};

/// Every commit that is known, each at its place, with the releases and the runs.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The commits, each after its parents.
    pub commits: Vec<Commit>,
    /// The releases: the place of each and its name.
    pub tags: Vec<(usize, String)>,
    /// The runs, in the order of history.
    pub heads: Vec<RunHead>,
    /// What was accepted, in the order of history, where it was asked for.
    pub accepted: Vec<PlacedAcceptance>,
    places: HashMap<CommitId, usize>,
    runs: HashMap<RecordId, usize>,
    /// What the witness of each head's run saw.
    witnessed: Vec<Witnessed>,
}

impl History {
    /// Reads the history from the store, and the releases from the repository where there is one.
    pub fn read(store: &mut Store, repository: Option<&Repository>) -> Outcome<History> {
        let mut commits: Vec<Commit> = Vec::new();
        store.each_commit(|commit| {
            commits.push(commit);
            Outcome::Ok(())
        })?;
        let places: HashMap<CommitId, usize> =
            commits.iter().enumerate().map(|(place, commit)| (commit.id.clone(), place)).collect();
        let named = repository.map_or(Ok(Vec::new()), Repository::tags)?;
        let mut tags: Vec<(usize, String)> =
            named.into_iter().filter_map(|(name, commit)| Some((*places.get(&commit)?, name))).collect();
        tags.sort();
        let heads = store.run_heads()?;
        let runs = heads.iter().enumerate().map(|(at, head)| (head.line.id.clone(), at)).collect();
        let witnessed = heads.iter().map(|head| Witnessed::of(&head.notes)).collect();
        Ok(History { commits, tags, heads, accepted: Vec::new(), places, runs, witnessed })
    }

    /// The same with what was accepted along it.
    pub fn with_accepted(mut self, repository: Option<&Repository>) -> Outcome<History> {
        if let Some(repository) = repository {
            self.accepted = accepted::along(repository, &self.commits, |commit| self.place(commit))?;
        }
        Ok(self)
    }

    /// A commit's place.
    #[must_use]
    pub fn place(&self, commit: &CommitId) -> Option<usize> {
        self.places.get(commit).copied()
    }

    /// A run's head.
    #[must_use]
    pub fn head(&self, run: &RecordId) -> Option<&RunHead> {
        self.runs.get(run).map(|&at| &self.heads[at])
    }

    fn witnessed(&self, run: &RecordId) -> Option<&Witnessed> {
        self.witnessed.get(*self.runs.get(run)?)
    }
}

/// A series on the history's places.
#[derive(Debug, Clone)]
pub struct Past {
    /// What it is of.
    pub series: Series,
    /// Its points, in the order of history, at one clock and without those that a neighbour made.
    pub points: Vec<Point>,
    /// The place of each point's commit.
    pub places: Vec<usize>,
    /// Its levels and changes.
    pub trend: Trend,
    /// What was accepted of it.
    pub accepted: Vec<Covered>,
}

impl Past {
    /// A series with its points, in the order of history, as their witnesses saw them; points of commits that are on no place
    /// are left out.
    #[must_use]
    pub fn new(series: Series, points: Vec<Point>, history: &History) -> Past {
        let mut points = points;
        points.retain(|point| history.place(&point.commit).is_some());
        let unknown = Witnessed::default();
        let points = hear(&series, points, |point| history.witnessed(&point.run).unwrap_or(&unknown)).points;
        let places = points.iter().filter_map(|point| history.place(&point.commit)).collect();
        let trend = trend_of(&series, &points);
        let mut past = Past { series, points, places, trend, accepted: Vec::new() };
        past.accepted = accepted::of(&past, &history.accepted);
        past
    }
}

impl Leveled for Point {
    fn level(&mut self) -> (&mut f64, &mut Option<(f64, f64)>) {
        (&mut self.level, &mut self.interval)
    }
}

/// Where the series moved.
fn trend_of(series: &Series, points: &[Point]) -> Trend {
    // A level is finite: it was made of finite samples.
    let values = Values::new(points.iter().map(|point| point.level).collect()).unwrap_or_default();
    trend::trend(&values, &Settings::history(), series.metric.better)
}
