//! Scores of groups: how many got better and worse, and how their levels went on the whole.

use std::collections::BTreeMap;

use super::super::number::change;
use super::super::spark::spark;
use super::{End, Line, Report, Word};
use crate::domain::Metric;

/// A group of series of one metric.
#[derive(Debug, Default)]
pub(super) struct Score<'a> {
    pub(super) better: usize,
    pub(super) same: usize,
    pub(super) worse: usize,
    pub(super) moved: usize,
    lines: Vec<&'a Line>,
}

impl Score<'_> {
    /// How the levels went from the baseline on, as bars; empty where nothing moved.
    pub(super) fn way(&self) -> String {
        let places = self.lines.iter().map(|line| line.way.len()).max().unwrap_or_default();
        let mut last = 1.0;
        // Where nothing was measured the level is that of before.
        let mut at = |place: usize| {
            last = ratio(&self.lines, |line| line.way.get(place).copied().flatten()).unwrap_or(last);
            last
        };
        let moved: Vec<f64> = (0..places).map(&mut at).collect();
        let least = moved.iter().copied().fold(f64::INFINITY, f64::min);
        let most = moved.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Bars that fill their height for a thousandth would say more than there is.
        if most - least < 0.001 { String::new() } else { spark(&moved, moved.len()) }
    }

    /// The mean at each release between, relative to the baseline; of many releases, the last ones.
    pub(super) fn at(&self, releases: &[End]) -> String {
        const SHOWN: usize = 4;
        let from = releases.len().saturating_sub(SHOWN);
        let means = releases.iter().enumerate().skip(from).filter_map(|(place, release)| {
            let ratio = ratio(&self.lines, |line| line.releases.get(place).copied().flatten())?;
            Some(format!("{} {}", release.name, change(1.0, ratio)?))
        });
        means.collect::<Vec<_>>().join(", ")
    }

    /// The mean now, relative to the baseline.
    pub(super) fn mean(&self) -> String {
        mean(&self.lines).unwrap_or_default()
    }
}

/// The scores by group, the first part of a benchmark's name, and metric.
pub(super) fn scores(report: &Report) -> BTreeMap<(String, String), Score<'_>> {
    let mut scores: BTreeMap<(String, String), Score<'_>> = BTreeMap::new();
    for line in report.lines.iter().filter(|line| line.is_there && line.relative().is_some()) {
        let benchmark = line.row.benchmark.as_str();
        let group = benchmark.split('/').next().filter(|group| !group.is_empty()).unwrap_or(benchmark).to_owned();
        let score = scores.entry((group, line.row.metric.name.clone())).or_default();
        match line.word() {
            Word::Worse => score.worse += 1,
            Word::Better => score.better += 1,
            Word::Moved => score.moved += 1,
            Word::Same | Word::New | Word::Gone => score.same += 1,
        }
        score.lines.push(line);
    }
    scores
}

/// How time went on the whole; none where none was measured at both ends.
pub(super) fn mean_of_times(lines: &[Line]) -> Option<String> {
    let times: Vec<&Line> = lines.iter().filter(|line| line.is_there && line.row.metric == Metric::time()).collect();
    mean(&times)
}

fn mean(lines: &[&Line]) -> Option<String> {
    ratio(lines, |line| Some(line.row.level)).and_then(|ratio| change(1.0, ratio))
}

/// The geometric mean of levels relative to those at the baseline, of the lines that have both.
fn ratio(lines: &[&Line], level: impl Fn(&Line) -> Option<f64>) -> Option<f64> {
    let logs = lines.iter().filter_map(|line| Some((level(line)? / line.before?).ln()));
    let logs: Vec<f64> = logs.filter(|log| log.is_finite()).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}
