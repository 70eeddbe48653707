//! From the changes of many series to findings: those that chance would not have made, grouped by the commits they fall on.
//!
//! Changes of one kind and meaning whose suspects have a commit in common are one finding. Within a finding, Benjamini and
//! Hochberg's rule says which of them stand, among all the series that were measured on both sides of it: one series of a
//! thousand that moved a little is what chance does, two hundred are not.

use crate::domain::{Change, Move, Part, SeriesTrend, Size, Trend};
use crate::stats::discoveries;
use crate::stats::student::{NORMAL_95, normal_tail};

/// The expected share of false changes among those that are reported of one commit.
pub const RATE: f64 = 0.05;

/// A level that lies within this share of the change from where it was before has returned.
const RETURNED: f64 = 0.25;

/// The parts of findings that a series holds.
#[must_use]
pub fn parts(series: &SeriesTrend) -> Vec<Part> {
    let part = |change: &Change| {
        let (suspects, likely) = match change.kind {
            Move::Step => (series.suspects(change.within), series.suspects((change.at, change.at)).1),
            // A drift has no first bad commit: its span is all that is known.
            Move::Drift => {
                let place = |mark: usize| series.marks.get(mark).map_or(0, |mark| mark.place);
                ((place(change.within.0), place(change.within.1)), place(change.within.0))
            }
        };
        let returned = has_returned(&series.trend, change);
        Part {
            series: series.series.clone(),
            change: *change,
            suspects,
            likely,
            returned,
            confirmed: None,
            summed: None,
        }
    };
    series.trend.changes.iter().map(part).collect()
}

/// Whether the last level lies about where the level before the change lay.
pub(super) fn has_returned(trend: &Trend, change: &Change) -> bool {
    let behind = trend.levels.last().filter(|level| level.from > change.within.1);
    let moved = change.after - change.before;
    behind.is_some_and(|level| ((level.value - change.before) / moved).abs() <= RETURNED)
}

/// How many series were measured on both sides of each place.
#[derive(Debug, Clone, Default)]
pub struct Span {
    begun: Vec<i64>,
}

impl Span {
    /// For a line of so many commits.
    #[must_use]
    pub fn of(commits: usize) -> Span {
        Span { begun: vec![0; commits + 1] }
    }

    /// Counts a series.
    pub fn count(&mut self, series: &SeriesTrend) {
        let (Some(first), Some(last)) = (series.marks.first(), series.marks.last()) else { return };
        if let Some(begun) = self.begun.get_mut(first.place) {
            *begun += 1;
        }
        if let Some(ended) = self.begun.get_mut(last.place + 1) {
            *ended -= 1;
        }
    }

    fn at(&self, place: usize) -> usize {
        let sum: i64 = self.begun[..=place.min(self.begun.len() - 1)].iter().sum();
        usize::try_from(sum).unwrap_or(0).max(1)
    }
}

/// Parts that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The commits that all its parts suspect, by place, first and last.
    pub suspects: (usize, usize),
    /// The most likely one.
    pub likely: usize,
    /// The parts, the largest first.
    pub parts: Vec<Part>,
}

/// Groups parts by the commits on which they fall, leaves out what chance would have made, and puts the newest first.
#[must_use]
pub fn findings(mut parts: Vec<Part>, span: &Span) -> Vec<Group> {
    // The surest places first: wider ones join them.
    parts.sort_by(|one, other| {
        let width = |part: &Part| part.suspects.1 - part.suspects.0;
        let of = |part: &Part| (width(part), part.likely);
        of(one).cmp(&of(other)).then_with(|| one.series.cmp(&other.series))
    });
    let mut groups: Vec<Group> = Vec::new();
    for part in parts {
        let fits = |group: &&mut Group| fits(group, &part);
        let apart = |group: &&mut Group| (group.likely.abs_diff(part.likely), usize::MAX - group.parts.len());
        match groups.iter_mut().filter(fits).min_by_key(apart) {
            Some(group) => {
                if part.change.kind == Move::Step {
                    group.suspects.0 = group.suspects.0.max(part.suspects.0);
                    group.suspects.1 = group.suspects.1.min(part.suspects.1);
                }
                group.parts.push(part);
            }
            None => groups.push(Group { suspects: part.suspects, likely: part.likely, parts: vec![part] }),
        }
    }
    let mut kept: Vec<Group> = groups.into_iter().filter_map(|group| believed(group, span)).collect();
    kept.sort_by(|one, other| (other.likely, &other.suspects).cmp(&(one.likely, &one.suspects)));
    kept
}

/// Those parts that chance would not have made.
#[must_use]
pub fn standing(parts: Vec<Part>, span: &Span) -> Vec<Part> {
    findings(parts, span).into_iter().flat_map(|group| group.parts).collect()
}

fn fits(group: &Group, part: &Part) -> bool {
    let of = &group.parts[0].change;
    if (of.kind, of.turn) != (part.change.kind, part.change.turn) {
        return false;
    }
    let (low, high) = (group.suspects.0.max(part.suspects.0), group.suspects.1.min(part.suspects.1));
    let meets = match of.kind {
        Move::Step => low <= high,
        Move::Drift => are_one(group.suspects, part.suspects),
    };
    meets && group.parts.iter().all(|other| other.series != part.series)
}

/// Whether drifts over these commits are one. Drifts are long: they are if most of the shorter one is common.
pub(super) fn are_one(one: (usize, usize), other: (usize, usize)) -> bool {
    let length = |(first, last): (usize, usize)| (last + 1).saturating_sub(first);
    2 * length((one.0.max(other.0), one.1.min(other.1))) > length(one).min(length(other))
}

/// The group without the parts that chance would have made.
fn believed(mut group: Group, span: &Span) -> Option<Group> {
    // What a duel confirmed stands. Counted among the discoveries it would lift the bar for the others.
    let (mut stand, asked): (Vec<Part>, Vec<Part>) = group.parts.into_iter().partition(is_confirmed);
    let tested = span.at(group.likely).saturating_sub(stand.len()).max(asked.len());
    // Series that did not move were tested as well, and their p values are not small.
    let mut p_values: Vec<f64> = asked.iter().map(p_value).collect();
    p_values.resize(tested, 1.0);
    let discovered = discoveries::within_a_commit(&p_values, RATE);
    stand.extend(asked.into_iter().zip(discovered).filter_map(|(part, stands)| stands.then_some(part)));
    group.parts = stand;
    let weight = |part: &Part| part.change.size.value().abs();
    group.parts.sort_by(|one, other| weight(other).total_cmp(&weight(one)).then_with(|| one.series.cmp(&other.series)));
    // What was left out narrows the range no longer.
    let first = group.parts.first()?;
    if first.change.kind == Move::Step {
        let all = || group.parts.iter();
        let low = all().map(|part| part.suspects.0).max()?;
        let high = all().map(|part| part.suspects.1).min()?;
        let mut likely: Vec<usize> = all().map(|part| part.likely.clamp(low, high)).collect();
        likely.sort_unstable();
        (group.suspects, group.likely) = ((low, high), likely[likely.len() / 2]);
    }
    Some(group)
}

/// Whether it is a step that a duel confirmed, which had an error budget of its own and was not looked for in all series.
fn is_confirmed(part: &Part) -> bool {
    part.change.kind == Move::Step && part.confirmed.is_some()
}

/// How often chance would make such a change somewhere in such a series. A step and a sum of duels say so themselves; of
/// another drift it is read off the interval of its size, times the places at which it could have begun.
pub(super) fn p_value(part: &Part) -> f64 {
    if let Some(p) = part.change.signs.map(|signs| signs.p).or(part.summed.map(|summed| summed.p)) {
        return p;
    }
    let (Size::Relative { value, low, high } | Size::Absolute { value, low, high }) = part.change.size;
    let errors = value.abs() * 2.0 * NORMAL_95 / (high - low);
    let places = (part.change.within.1 - part.change.within.0 + 1) as f64;
    (2.0 * places * normal_tail(errors)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        BenchmarkName, Confirmed, Level, Machine, Mark, Metric, RecordId, Series, Signs, SuiteName, Summed, Turn,
    };

    fn part(name: &str, suspects: (usize, usize), likely: usize, turn: Turn, p: f64) -> Part {
        let series = Series {
            suite: SuiteName::new("engine").unwrap(),
            benchmark: BenchmarkName::new(name).unwrap(),
            metric: Metric::time(),
            machine: Machine::Named("lorry".to_owned()),
        };
        let signs = Some(Signs { probability: 0.99, nats: 20.0, p });
        let change = Change { signs, ..Change::example(likely, suspects, turn) };
        Part { series, change, suspects, likely, returned: false, confirmed: None, summed: None }
    }

    fn span(series: i64, commits: usize) -> Span {
        let mut span = Span::of(commits);
        span.begun[0] = series;
        span
    }

    fn told(groups: &[Group]) -> Vec<(usize, (usize, usize), usize)> {
        groups.iter().map(|group| (group.likely, group.suspects, group.parts.len())).collect()
    }

    #[test]
    fn changes_that_may_lie_on_one_commit_are_one_finding_and_the_newest_comes_first() {
        let parts = vec![
            part("a", (10, 14), 12, Turn::Regression, 1e-9),
            part("b", (12, 12), 12, Turn::Regression, 1e-9),
            part("c", (11, 13), 11, Turn::Regression, 1e-9),
            part("d", (11, 13), 12, Turn::Improvement, 1e-9),
            part("a", (30, 31), 30, Turn::Regression, 1e-9),
        ];
        let groups = findings(parts, &span(4, 60));
        assert_eq!(told(&groups), [(30, (30, 31), 1), (12, (12, 12), 3), (12, (11, 13), 1)]);
    }

    #[test]
    fn one_series_is_in_a_finding_once() {
        let parts =
            vec![part("a", (10, 14), 11, Turn::Regression, 1e-9), part("a", (12, 16), 15, Turn::Regression, 1e-9)];
        assert_eq!(findings(parts, &span(1, 60)).len(), 2);
    }

    #[test]
    fn of_many_series_one_that_moved_a_little_is_left_to_chance() {
        let one = || vec![part("a", (10, 10), 10, Turn::Regression, 0.01)];
        assert_eq!(findings(one(), &span(1, 60)).len(), 1);
        assert_eq!(findings(one(), &span(100, 60)), []);
        let many: Vec<Part> = (0..30).map(|n| part(&n.to_string(), (10, 10), 10, Turn::Regression, 0.01)).collect();
        assert_eq!(told(&findings(many, &span(100, 60))), [(10, (10, 10), 30)]);
    }

    #[test]
    fn what_a_duel_confirmed_stands_among_any_number_of_series() {
        let mut one = part("a", (10, 10), 10, Turn::Regression, 0.5);
        assert_eq!(findings(vec![one.clone()], &span(100, 60)), []);
        let duel = RecordId::of("duel", &1);
        one.confirmed = Some(Confirmed { place: 10, duel, effect: 0.03, low: None, high: None });
        assert_eq!(findings(vec![one], &span(100, 60)).len(), 1);
    }

    #[test]
    fn what_duels_confirmed_takes_no_other_series_along() {
        let sure = ["a", "b"].map(|name| {
            let mut part = part(name, (10, 10), 10, Turn::Regression, 1e-9);
            let duel = RecordId::of("duel", &name);
            part.confirmed = Some(Confirmed { place: 10, duel, effect: 0.03, low: None, high: None });
            part
        });
        let beside = |p, series| {
            let parts = sure.iter().cloned().chain([part("c", (10, 10), 10, Turn::Regression, p)]).collect();
            findings(parts, &span(series, 60))[0].parts.len()
        };
        // Of five series three were not confirmed: one of them is asked for a third of the rate.
        assert_eq!([beside(0.025, 5), beside(0.015, 5), beside(0.04, 3)], [2, 3, 3]);
    }

    #[test]
    fn a_sum_of_duels_says_itself_how_often_chance_makes_it() {
        let slow = |p| {
            let mut part = part("a", (10, 40), 10, Turn::Regression, 0.0);
            (part.change.kind, part.change.signs, part.summed) = (Move::Drift, None, Some(Summed { duels: 30, p }));
            standing(vec![part], &span(100, 60)).len()
        };
        assert_eq!([1e-4, 1e-3].map(slow), [1, 0]);
    }

    #[test]
    fn a_drift_joins_drifts_that_share_most_of_its_span() {
        let drift = |name: &str, suspects: (usize, usize)| {
            let mut part = part(name, suspects, suspects.0, Turn::Regression, 0.0);
            (part.change.kind, part.change.signs) = (Move::Drift, None);
            part.change.size = Size::Relative { value: 0.08, low: 0.07, high: 0.09 };
            part
        };
        let parts = vec![drift("a", (10, 40)), drift("b", (12, 50)), drift("c", (45, 59))];
        assert_eq!(findings(parts, &span(3, 60)).iter().map(|group| group.parts.len()).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_level_that_went_back_has_returned_and_one_that_went_half_the_way_has_not() {
        let level = |from, to, value| Level { from, to, value, low: value, high: value };
        let change = part("a", (10, 10), 10, Turn::Regression, 1e-9).change;
        for (last, expected) in [(100.5, true), (101.5, false), (99.5, true), (95.0, false)] {
            let levels = vec![level(0, 10, 100.0), level(10, 20, 103.0), level(20, 40, last)];
            let trend = Trend { points: 40, changes: vec![change], levels };
            assert_eq!(has_returned(&trend, &change), expected, "{last}");
        }
        let levels = vec![level(0, 10, 100.0), level(10, 20, 103.0)];
        assert!(!has_returned(&Trend { points: 20, changes: vec![change], levels }, &change));
    }

    #[test]
    fn series_count_from_their_first_to_their_last_point() {
        let mut span = Span::of(10);
        let mark = |place| Mark { place, level: 1.0, interval: None, runs: 1, newest: 0 };
        for (first, last) in [(0, 4), (3, 9)] {
            span.count(&SeriesTrend {
                series: part("a", (0, 0), 0, Turn::Moved, 1.0).series,
                marks: vec![mark(first), mark(last)],
                trend: Trend::default(),
                toolchains: vec![],
                brought: 0,
                left_out: 0,
            });
        }
        assert_eq!([0, 3, 4, 5, 9].map(|place| span.at(place)), [1, 2, 2, 1, 1]);
    }
}
