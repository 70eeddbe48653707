//! What points tell once that is taken off them which duels told.
//!
//! Where points scatter, a step that a duel found lies somewhere else in them, and a leak is a step to them. Whatever of the
//! kind is left when the duels' moves are taken off is another change; what is not was these.

use crate::domain::{Mark, Part, SeriesTrend};
use crate::stats::changes::{Settings, Values};

use super::findings;

/// The changes of a series without these moves.
#[must_use]
pub fn rest(series: &SeriesTrend, moves: &[&Part], settings: &Settings) -> Vec<Part> {
    let moved = |part: &Part| part.change.size.log().unwrap_or(0.0);
    let behind = |mark: &Mark| moves.iter().map(|part| share(part, mark.place) * moved(part)).sum::<f64>();
    let marks: Vec<Mark> =
        series.marks.iter().map(|mark| Mark { level: mark.level / behind(mark).exp(), ..*mark }).collect();
    let values = Values::new(marks.iter().map(|mark| mark.level).collect()).unwrap_or_default();
    let trend = super::trend::trend(&values, settings, series.series.metric.better);
    findings::parts(&SeriesTrend { marks, trend, ..series.clone() })
}

/// How much of a move, a step or an even slope, a place has behind it.
fn share(part: &Part, place: usize) -> f64 {
    let (first, last) = part.suspects;
    ((place + 1).saturating_sub(first) as f64 / (last - first + 1) as f64).min(1.0)
}

/// Whether a change of the points is still among the rest.
#[must_use]
pub fn still_tells(rest: &[Part], part: &Part) -> bool {
    let meets = |other: &Part| other.suspects.0 <= part.suspects.1 && part.suspects.0 <= other.suspects.1;
    rest.iter().any(|other| other.is_like(part) && meets(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Change, Move, Trend, Turn};
    use crate::judge::neighbours::tests as duels;
    use crate::stats::simulate::Noise;

    /// Sixty points that scatter by a little, with a factor for each place.
    fn series(factor: impl Fn(usize) -> f64) -> SeriesTrend {
        let mut noise = Noise::seeded(81);
        let mut mark = |place| {
            let level = 100.0 * factor(place) * (0.005 * noise.normal()).exp();
            Mark { place, level, interval: None, runs: 1, newest: 0 }
        };
        let marks: Vec<Mark> = (0..60).map(&mut mark).collect();
        let trend = Trend::default();
        SeriesTrend { series: duels::series(), marks, trend, toolchains: vec![], brought: 0, left_out: 0 }
    }

    /// A move of +3 %.
    fn part(kind: Move, suspects: (usize, usize)) -> Part {
        let change = Change { kind, ..Change::example(suspects.0, suspects, Turn::Regression) };
        Part {
            series: duels::series(),
            change,
            suspects,
            likely: suspects.0,
            returned: false,
            confirmed: None,
            summed: None,
        }
    }

    fn places(series: &SeriesTrend, moves: &[Part]) -> Vec<usize> {
        let moves: Vec<&Part> = moves.iter().collect();
        rest(series, &moves, &Settings::history()).iter().map(|part| part.likely).collect()
    }

    #[test]
    fn what_a_duel_told_is_no_change_any_more_and_others_are() {
        let both = |place: usize| if place < 20 { 1.0 } else { 1.03 } * if place < 45 { 1.0 } else { 1.05 };
        let twice = series(both);
        assert_eq!(places(&twice, &[]), [20, 45]);
        assert_eq!(places(&twice, &[part(Move::Step, (20, 20))]), [45]);
        let found = rest(&twice, &[&part(Move::Step, (20, 20))], &Settings::history());
        assert!(still_tells(&found, &part(Move::Step, (44, 47))) && !still_tells(&found, &part(Move::Step, (15, 25))));
        let mut better = part(Move::Step, (44, 47));
        better.change.turn = Turn::Improvement;
        assert!(!still_tells(&found, &better));
    }

    #[test]
    fn an_even_slope_is_taken_off_evenly() {
        let slope = series(|place| 1.0 + 0.0005 * place as f64);
        assert!(!places(&slope, &[]).is_empty());
        assert!(places(&slope, &[part(Move::Drift, (1, 60))]).is_empty());
    }
}
