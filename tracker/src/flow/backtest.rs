//! The stored history, followed point by point under several settings.

use super::trend::{self, History};
use crate::domain::{Change, Move, SeriesTrend};
use crate::failure::Outcome;
use crate::judge::replay::{Replayed, replay};
use crate::record::{Store, Wanted};
use crate::stats::changes::Settings;

/// Seconds of a month, the year's twelfth.
const MONTH_S: f64 = 365.25 * 86_400.0 / 12.0;

/// One way to follow the history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// What it is called.
    pub name: &'static str,
    /// What it takes for an alarm.
    pub settings: Settings,
}

/// The settings that are compared: those of the three modes, and the alert at other floors.
#[must_use]
pub fn policies() -> Vec<Policy> {
    let floor = |relative: f64| Settings { relative, ..Settings::alert() };
    vec![
        Policy { name: "online", settings: Settings::online() },
        Policy { name: "alert, from 0.5 %", settings: floor(0.005) },
        Policy { name: "alert", settings: Settings::alert() },
        Policy { name: "alert, from 2 %", settings: floor(0.02) },
        Policy { name: "alert, from 5 %", settings: floor(0.05) },
        Policy { name: "history", settings: Settings::history() },
    ]
}

/// What following the history under one policy would have been like.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Tried {
    /// Which.
    pub policy: &'static str,
    /// Alarms, over all series.
    pub alarms: usize,
    /// The same for each month between the first and the last commit; none where they are no time apart.
    pub alarms_a_month: Option<f64>,
    /// Alarms that are about no known change.
    pub false_alarms: usize,
    /// Known changes that were told.
    pub found: usize,
    /// Known changes that were never told.
    pub missed: usize,
    /// The median of the points that the new level had when it was told.
    pub delay: Option<usize>,
}

/// The history, followed.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Backtest {
    /// How many series were followed.
    pub series: usize,
    /// How many points they have.
    pub points: usize,
    /// The steps that are known in hindsight, of this size or larger.
    pub known: usize,
    /// Months between the first and the last commit that was measured.
    pub months: f64,
    /// What each policy would have been like.
    pub tried: Vec<Tried>,
}

/// Follows every series that is wanted. What is known in hindsight is what the detector finds in the whole history at its
/// setting for that, if it is no smaller than `size`, relative to the level before.
pub fn backtest(store: &mut Store, history: &History, wanted: &Wanted, size: f64) -> Outcome<Backtest> {
    let policies = policies();
    let mut sums: Vec<Sum> = policies.iter().map(|_| Sum::default()).collect();
    let (mut series, mut points, mut known, mut span) = (0, 0, 0, None::<(i64, i64)>);
    let follow = |one: SeriesTrend| {
        let steps = known_steps(&one, size);
        let values: Vec<f64> = one.marks.iter().map(|mark| mark.level).collect();
        let replayed = policies.iter().map(|policy| replay(&values, &steps, policy.settings)).collect::<Vec<_>>();
        (one, steps.len(), replayed)
    };
    trend::each_with(store, history, wanted, &Settings::history(), &follow, &mut |(one, steps, replayed)| {
        series += 1;
        points += one.marks.len();
        known += steps;
        for mark in one.marks.first().into_iter().chain(one.marks.last()) {
            let at = history.line.commits()[mark.place].committed_at_s;
            span = Some(span.map_or((at, at), |(from, to)| (from.min(at), to.max(at))));
        }
        for (sum, replayed) in sums.iter_mut().zip(replayed) {
            sum.add(&replayed);
        }
    })?;
    let months = span.map_or(0.0, |(from, to)| (to - from) as f64 / MONTH_S);
    let tried = policies.iter().zip(sums).map(|(policy, sum)| sum.tried(policy.name, months)).collect();
    Ok(Backtest { series, points, known, months, tried })
}

fn known_steps(series: &SeriesTrend, size: f64) -> Vec<Change> {
    let large = |change: &&Change| {
        let moved = ((change.after - change.before) / change.before).abs();
        // A level of nought has no relative change; what leaves it is large.
        change.kind == Move::Step && (moved.is_nan() || moved >= size)
    };
    series.trend.changes.iter().filter(large).copied().collect()
}

/// What is summed up over series.
#[derive(Debug, Default)]
struct Sum {
    alarms: usize,
    false_alarms: usize,
    missed: usize,
    delays: Vec<usize>,
}

impl Sum {
    fn add(&mut self, replayed: &Replayed) {
        self.alarms += replayed.alarms.len();
        self.false_alarms += replayed.alarms.iter().filter(|alarm| alarm.change.is_none()).count();
        self.missed += replayed.delays.iter().filter(|delay| delay.is_none()).count();
        self.delays.extend(replayed.delays.iter().flatten());
    }

    fn tried(mut self, policy: &'static str, months: f64) -> Tried {
        self.delays.sort_unstable();
        Tried {
            policy,
            alarms: self.alarms,
            alarms_a_month: (months > 0.0).then(|| self.alarms as f64 / months),
            false_alarms: self.false_alarms,
            found: self.delays.len(),
            missed: self.missed,
            delay: self.delays.get(self.delays.len() / 2).copied(),
        }
    }
}
