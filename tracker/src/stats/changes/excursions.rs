//! Has the level moved, or is the machine only elsewhere for a while? For judging while points arrive.
//!
//! A noisy neighbour stays for several points and leaves. Such an excursion is noise: its points count to the level
//! around it, and what may be a new level must lie farther away than any stretch as long lay from its own.

use super::noise::bounds;

/// An excursion ends nearer to the level before than this part of the way that it went.
const BACK: f64 = 0.5;
/// A stretch of so many points is compared with others as long, where it is longer. Of 40 points an excursion that lasted 25
/// is the most, and what goes less far than it would never be known, however long it stays.
const LONG: usize = 60;

/// Those of `starts` that no excursion explains: the level that begins there was not left again for the one before within
/// `points`, and lies farther away than any stretch of the series has led.
pub(super) fn without(units: &[f64], mut starts: Vec<usize>, points: usize) -> Vec<usize> {
    while let Some(at) = shortest(&spans(units, &starts), points) {
        starts.drain(at..at + 2);
    }
    loop {
        let spans = spans(units, &starts);
        let Some(at) = (1..spans.len()).find(|at| !is_new(units, &spans, *at)) else { return starts };
        starts.remove(at - 1);
    }
}

/// The points `from..to` and their level.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: usize,
    to: usize,
    level: f64,
}

impl Span {
    fn length(&self) -> usize {
        self.to - self.from
    }
}

/// The mean of the middle half: spikes do not move it, and of few points in two modes it does not take the one that a
/// single point more is in.
fn level(units: &[f64]) -> f64 {
    let mut sorted = units.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = &sorted[units.len() / 4..units.len() - units.len() / 4];
    middle.iter().sum::<f64>() / middle.len() as f64
}

fn spans(units: &[f64], starts: &[usize]) -> Vec<Span> {
    bounds(starts, units.len()).map(|(from, to)| Span { from, to, level: level(&units[from..to]) }).collect()
}

/// The number of the step at which the shortest excursion begins.
fn shortest(spans: &[Span], points: usize) -> Option<usize> {
    let is_excursion = |three: &[Span]| {
        let (there, back) = (three[1].level - three[0].level, three[1].level - three[2].level);
        three[1].length() <= points && (there - back).abs() <= BACK * there.abs().min(back.abs())
    };
    let found = spans.windows(3).enumerate().filter(|(_, three)| is_excursion(three));
    found.min_by_key(|(_, three)| three[1].length()).map(|(at, _)| at)
}

/// Do the points beside the step to the span `at`, on its shorter side, lie farther from the level of the longer one than
/// any stretch as long, anywhere but on that side, lies from its own level?
fn is_new(units: &[f64], spans: &[Span], at: usize) -> bool {
    let (left, right) = (spans[at - 1], spans[at]);
    let long = left.length().min(right.length()).min(LONG);
    let (shorter, near, base) =
        if left.length() < right.length() { (at - 1, left.to - long, right) } else { (at, right.from, left) };
    let away = |from: usize, span: &Span| (level(&units[from..from + long]) - span.level).abs();
    let farthest = away(near, &base);
    let as_far = |span: &Span| {
        // No mean lies farther out than the farthest point; a little less, for the rounding of a mean.
        let may = units[span.from..span.to].iter().any(|unit| (unit - span.level).abs() >= 0.999 * farthest);
        may && (span.from..(span.to + 1).saturating_sub(long)).any(|from| away(from, span) >= farthest)
    };
    !spans.iter().enumerate().any(|(number, span)| number != shorter && as_far(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels and how many points each lasts, with noise that repeats.
    fn series(levels: &[(f64, usize)]) -> (Vec<f64>, Vec<usize>) {
        let mut units = Vec::new();
        let mut starts = Vec::new();
        for (level, points) in levels {
            starts.push(units.len());
            units.extend((0..*points).map(|at| level + [0.0, 0.3, -0.3, 0.1, -0.1][at % 5]));
        }
        (units, starts[1..].to_vec())
    }

    #[test]
    fn what_comes_back_soon_is_an_excursion_and_what_stays_is_none() {
        let (units, starts) = series(&[(0.0, 60), (4.0, 8), (0.2, 60)]);
        assert_eq!(without(&units, starts, 20), [0; 0]);
        let (units, starts) = series(&[(0.0, 60), (4.0, 30), (0.2, 60)]);
        assert_eq!(without(&units, starts, 20), [60, 90]);
        let (units, starts) = series(&[(0.0, 60), (4.0, 8), (3.0, 60)]);
        assert_eq!(without(&units, starts, 20), [60, 68]);
    }

    #[test]
    fn a_new_level_is_farther_away_or_lasts_longer_than_an_excursion_did() {
        let (mut units, _) = series(&[(0.0, 60), (4.0, 8), (0.0, 60), (4.0, 6)]);
        assert_eq!(without(&units, vec![60, 68, 128], 20), [0; 0]);
        units.extend([4.0; 6]);
        assert_eq!(without(&units, vec![60, 68, 128], 20), [128]);
        let (units, starts) = series(&[(0.0, 60), (4.0, 8), (0.0, 60), (9.0, 6)]);
        assert_eq!(without(&units, starts, 20), [128]);
        let (units, starts) = series(&[(0.0, 60), (-4.5, 8), (0.0, 60), (4.0, 6)]);
        assert_eq!(without(&units, starts, 20), [0; 0], "it went as far down");
        let (units, starts) = series(&[(0.0, 60), (5.0, 8), (0.0, 60), (20.0, 60), (24.0, 6)]);
        assert_eq!(without(&units, starts, 20), [128], "and as far about another level");
    }
}
