//! Sketches: what of a record goes into the ledger, which must stay small after ten thousand runs.
//!
//! A life becomes one number, its median, in six digits: lives are the unit of independent evidence, and everything that
//! is judged of a series or of a duel is judged from their medians. A reading of one life keeps a few order statistics
//! instead. Beside that stands the gist, exactly as the store that measured has it. Profiles stay where they were taken.

use crate::domain::{Bout, Bundle, BundleError, Content, Duel, Gist, Life, Outcome, Readings, Run, Trouble};
use crate::judge::estimate::Evidence;
use crate::stats::robust;
use crate::stats::summary::summarise;

/// More lives than this are told by as many of their order statistics.
const MOST_LIVES: usize = 32;

/// What is kept of the only life of a reading.
const OF_ONE_LIFE: usize = 9;

/// What is kept of what a failed benchmark said last.
const MOST_TAIL_BYTES: usize = 2 << 10;

/// A run as the ledger carries it; whole if it has no reading that could be cut down.
pub fn of_run(run: &Run) -> Result<Bundle, BundleError> {
    let gists = run
        .readings()
        .map(|(_, reading)| {
            let lives: Vec<&[f64]> = reading.lives.iter().map(Life::values).collect();
            let summary = summarise(&lives).ok_or(BundleError::Gist("a reading without samples"))?;
            let lives = u32::try_from(summary.lives).unwrap_or(u32::MAX);
            Gist::new(summary.level, summary.interval, lives, summary.samples as u64)
        })
        .collect::<Result<Vec<Gist>, BundleError>>()?;
    if gists.is_empty() {
        return Bundle::new(run.id(), Content::Run { run: Box::new(run.clone()), gists: None });
    }
    let mut sketch = run.clone();
    sketch.attachments.clear();
    for outcome in sketch.outcomes.values_mut() {
        match outcome {
            Outcome::Measured(measured) => {
                for reading in &mut measured.readings {
                    reading.lives = lives(&reading.lives);
                }
            }
            Outcome::Failed(trouble) => shorten(trouble),
        }
    }
    Bundle::new(run.id(), Content::Run { run: Box::new(sketch), gists: Some(gists) })
}

/// A duel as the ledger carries it; whole if it has no pairs that could be cut down.
pub fn of_duel(duel: &Duel) -> Result<Bundle, BundleError> {
    let has_pairs = |bout: &Bout| match bout {
        Bout::Dueled(contests) => contests
            .iter()
            .any(|contest| matches!(&contest.readings, Readings::Paired { lives, .. } if !lives.is_empty())),
        Bout::Missing | Bout::New | Bout::Failed { .. } => false,
    };
    let mut sketch = duel.clone();
    if !duel.bouts.values().any(has_pairs) {
        return Bundle::new(duel.id(), Content::Duel { duel: Box::new(sketch), sketch: false });
    }
    for bout in sketch.bouts.values_mut() {
        match bout {
            Bout::Dueled(contests) => {
                for contest in contests {
                    match &mut contest.readings {
                        Readings::Paired { lives, null } => (*lives, *null) = levels(lives, null),
                        Readings::Exact { .. } | Readings::Missing { .. } | Readings::New { .. } => {}
                    }
                }
            }
            Bout::Failed { trouble, .. } => shorten(trouble),
            Bout::Missing | Bout::New => {}
        }
    }
    Bundle::new(duel.id(), Content::Duel { duel: Box::new(sketch), sketch: true })
}

fn lives(lives: &[Life]) -> Vec<Life> {
    let kept = match lives {
        [only] => vec![few(only.values(), OF_ONE_LIFE)],
        several if several.len() <= MOST_LIVES => return medians(several),
        many => {
            let medians: Vec<f64> = many.iter().filter_map(|life| robust::median(life.values())).collect();
            few(&medians, MOST_LIVES).into_iter().map(|value| vec![value]).collect()
        }
    };
    kept.into_iter().filter_map(|values| Life::new(values).ok()).collect()
}

/// Head against base and base against itself, one number a life. Where the control stands beside each life they are the
/// three levels, of which everything follows; else medians.
fn levels(lives: &[Life], null: &[Life]) -> (Vec<Life>, Vec<Life>) {
    let Some(threes) = Evidence::of(lives, null).threes else { return (medians(lives), medians(null)) };
    let over_base = |side: usize| -> Vec<Life> {
        threes.iter().filter_map(|three| Life::new(vec![digits(three[side] - three[1])]).ok()).collect()
    };
    (over_base(0), over_base(2))
}

fn medians(lives: &[Life]) -> Vec<Life> {
    let median = |life: &Life| Life::new(vec![digits(robust::median(life.values())?)]).ok();
    lives.iter().filter_map(median).collect()
}

/// At most so many of the values, evenly spread over their order, the least and the greatest among them.
fn few(values: &[f64], most: usize) -> Vec<f64> {
    if values.len() <= most {
        return values.iter().copied().map(digits).collect();
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    (0..most).map(|place| digits(sorted[place * (sorted.len() - 1) / (most - 1)])).collect()
}

/// The value in six digits: a millionth is far below what any clock tells.
fn digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn shorten(trouble: &mut Trouble) {
    let tail = &trouble.stderr_tail;
    let from = tail.len().saturating_sub(MOST_TAIL_BYTES);
    let from = (from..=tail.len()).find(|at| tail.is_char_boundary(*at)).unwrap_or_default();
    trouble.stderr_tail = tail[from..].to_owned();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Contest, Metric};

    #[test]
    fn a_life_becomes_its_median_and_a_single_one_its_order_statistics() {
        let life = |values: &[f64]| Life::new(values.to_vec()).unwrap();
        let sketched = lives(&[life(&[5001.234, 1.0, 9e9]), life(&[7.0])]);
        assert_eq!(sketched, [life(&[5001.23]), life(&[7.0])]);
        let values: Vec<f64> = (0..101).rev().map(f64::from).collect();
        let expected = [0.0, 12.0, 25.0, 37.0, 50.0, 62.0, 75.0, 87.0, 100.0];
        assert_eq!(lives(&[life(&values)]), [life(&expected)]);
    }

    #[test]
    fn a_duel_is_judged_from_its_sketch_as_from_its_samples() {
        let pairs: Vec<Life> = (0..5).map(|n| Life::new(vec![0.01, 0.02 + f64::from(n) / 1e4, 0.5]).unwrap()).collect();
        let beside = (0..5).map(|n| Life::new(vec![0.03, f64::from(n) / 1e4, -0.2]).unwrap()).collect();
        for null in [pairs[..2].to_vec(), beside] {
            sketched_alike(Readings::Paired { lives: pairs.clone(), null });
        }
    }

    fn sketched_alike(readings: Readings) {
        let contest = Contest { metric: Metric::time(), base: 5000.0, head: 5100.0, readings };
        let duel = Duel::example(vec![("a", Bout::Dueled(vec![contest]))]);
        let bundle = of_duel(&duel).unwrap();
        assert_eq!(bundle.id(), &duel.id());
        let Content::Duel { duel: sketch, sketch: true } = bundle.into_content() else { panic!("a sketch") };
        let judged = |duel: &Duel| {
            let Bout::Dueled(contests) = duel.bouts.values().next().unwrap() else { panic!("dueled") };
            let Readings::Paired { lives, null } = &contests[0].readings else { panic!("paired") };
            Evidence::of(lives, null)
        };
        let (whole, sketch) = (judged(&duel), judged(&sketch));
        assert_eq!(whole.sides(), sketch.sides());
        // The sixth digit of a level below a tenth is off by at most half of 1e-7. A control is one such level; an effect is
        // one less half of another.
        for (whole, sketch, most) in
            [(&whole.effects, &sketch.effects, 7.5e-8), (&whole.control, &sketch.control, 5e-8)]
        {
            assert_eq!(whole.len(), sketch.len());
            let are_near = whole.iter().zip(sketch).all(|(one, other)| (one - other).abs() <= most);
            assert!(are_near, "{whole:?} {sketch:?}");
        }
    }

    #[test]
    fn what_a_failure_said_last_is_cut_between_characters() {
        let mut trouble = Trouble { reason: "crashed".to_owned(), ended: None, stderr_tail: "é".repeat(2000) };
        shorten(&mut trouble);
        assert_eq!(trouble.stderr_tail.len(), MOST_TAIL_BYTES);
    }
}
