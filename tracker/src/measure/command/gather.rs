//! Several processes of a command suite, brought together: each one a life.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand_core::Rng;

use super::{CommandError, CommandSuite, Once, Parse, once};
use crate::domain::{BenchmarkName, Life, Measured, Outcome, Reading, Trouble};
use crate::measure::interrupt::Stop;

/// A suite whose processes yield nothing this many times in a row is given up.
const MOST_FRUITLESS: u32 = 2;

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The most processes; by name, the most of each benchmark.
    pub processes: u32,
    /// No process is started that would probably end later than this after the first.
    pub budget: Duration,
}

/// What came of all processes together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gathered {
    /// What became of each benchmark. One that failed in any process has failed.
    pub outcomes: BTreeMap<BenchmarkName, Outcome>,
    /// What went wrong with whole processes.
    pub troubles: Vec<Trouble>,
    /// Listed benchmarks for which the budget did not reach.
    pub unmeasured: Vec<BenchmarkName>,
    /// How many processes ran to their end.
    pub processes: u32,
    /// A signal wants us to stop: this is what was finished until then.
    pub stopped: bool,
}

impl Gathered {
    fn take(&mut self, once: Once) {
        self.processes += 1;
        self.troubles.extend(once.trouble);
        for (name, outcome) in once.outcomes {
            let outcome = one_life(outcome);
            match (self.outcomes.get_mut(name.as_str()), outcome) {
                (None, outcome) => {
                    self.outcomes.insert(name, outcome);
                }
                (Some(Outcome::Failed(_)), _) => {}
                (Some(earlier), Outcome::Failed(mut trouble)) => {
                    trouble.reason = format!("in process {}: {}", self.processes, trouble.reason);
                    *earlier = Outcome::Failed(trouble);
                }
                (Some(Outcome::Measured(earlier)), Outcome::Measured(measured)) => add(earlier, measured),
            }
        }
    }

    fn has_failed(&self, name: &BenchmarkName) -> bool {
        matches!(self.outcomes.get(name.as_str()), Some(Outcome::Failed(_)))
    }
}

/// However a harness groups its samples, one process has one memory layout.
fn one_life(outcome: Outcome) -> Outcome {
    let Outcome::Measured(mut measured) = outcome else { return outcome };
    for reading in &mut measured.readings {
        let values = reading.lives.iter().flat_map(Life::values).copied().collect();
        reading.lives = Life::new(values).into_iter().collect();
    }
    Outcome::Measured(measured)
}

fn add(earlier: &mut Measured, later: Measured) {
    earlier.cores = earlier.cores.max(later.cores);
    for (name, note) in later.notes {
        earlier.notes.entry(name).or_insert(note);
    }
    for Reading { metric, lives } in later.readings {
        match earlier.readings.iter_mut().find(|reading| reading.metric == metric) {
            Some(reading) => reading.lives.extend(lives),
            None => earlier.readings.push(Reading { metric, lives }),
        }
    }
}

/// Runs the whole suite as often as plan and budget allow, once at least.
pub fn gather_whole(
    suite: &CommandSuite,
    plan: Plan,
    parse: &Parse<'_>,
    stop: &Stop,
    progress: &mut dyn FnMut(&str),
) -> Result<Gathered, CommandError> {
    let begun = Instant::now();
    let mut gathered = Gathered::default();
    let mut fruitless = 0;
    for number in 1..=plan.processes.max(1) {
        progress(&format!("process {number} of at most {}", plan.processes.max(1)));
        let once = match once(suite, None, parse, stop, progress) {
            Err(CommandError::Stopped) => {
                gathered.stopped = true;
                break;
            }
            once => once?,
        };
        let elapsed = once.elapsed;
        fruitless = if once.outcomes.is_empty() { fruitless + 1 } else { 0 };
        gathered.take(once);
        if fruitless == MOST_FRUITLESS || begun.elapsed() + elapsed > plan.budget {
            break;
        }
    }
    Ok(gathered)
}

/// Runs one benchmark a process, in rounds of random order, as often as plan and budget allow.
pub fn gather_by_name(
    suite: &CommandSuite,
    names: &[BenchmarkName],
    plan: Plan,
    tools: (&Parse<'_>, &mut dyn Rng),
    stop: &Stop,
    progress: &mut dyn FnMut(&str),
) -> Result<Gathered, CommandError> {
    let (parse, rng) = tools;
    let begun = Instant::now();
    let mut gathered = Gathered::default();
    let mut order: Vec<(&BenchmarkName, Option<Duration>)> = names.iter().map(|name| (name, None)).collect();
    for round in 1..=plan.processes.max(1) {
        shuffle(&mut order, rng);
        for (name, lasted) in &mut order {
            // The first process of all always runs; before any other, what it will cost is known or left to luck.
            let is_first = gathered.processes == 0;
            if gathered.has_failed(name) || (!is_first && begun.elapsed() + lasted.unwrap_or_default() > plan.budget) {
                continue;
            }
            progress(&format!("round {round}: {name}").replace(char::is_control, " "));
            let once = match once(suite, Some(name), parse, stop, &mut |_| ()) {
                Err(CommandError::Stopped) => {
                    gathered.stopped = true;
                    return Ok(gathered.with_unmeasured(&order));
                }
                once => once?,
            };
            *lasted = Some(once.elapsed);
            gathered.take(once);
        }
        if begun.elapsed() > plan.budget {
            break;
        }
    }
    Ok(gathered.with_unmeasured(&order))
}

impl Gathered {
    fn with_unmeasured(mut self, order: &[(&BenchmarkName, Option<Duration>)]) -> Gathered {
        let never_run = order.iter().filter(|(_, lasted)| lasted.is_none());
        self.unmeasured = never_run.map(|(name, _)| (*name).clone()).collect();
        self.unmeasured.sort();
        self
    }
}

/// Fisher and Yates' shuffle. The bias of taking a part of 64 bits is far below one in a million for any list here.
fn shuffle<T>(items: &mut [T], rng: &mut dyn Rng) {
    for last in (1..items.len()).rev() {
        let chosen = (u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64;
        items.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;

    #[test]
    fn a_shuffle_keeps_all_and_reaches_every_order() {
        let mut rng = Pcg64::seed_from_u64(7);
        let mut seen = BTreeMap::new();
        for _ in 0..600 {
            let mut items = [1, 2, 3];
            shuffle(&mut items, &mut rng);
            *seen.entry(items).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        // Each of six orders 100 times of 600, give or take five standard deviations.
        assert!(seen.values().all(|&count| (55..=145).contains(&count)), "{seen:?}");
        assert!(seen.keys().all(|items| items.iter().sum::<i32>() == 6));
    }
}
