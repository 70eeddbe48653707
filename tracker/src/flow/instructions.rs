//! Instructions, where they are asked for: counted after all else of a suite was measured, and put beside it.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::config::{Source, Suite};
use crate::domain::{
    BenchmarkName, Bout, Contest, Extra, Kind, Life, Metric, Notes, Outcome as Came, Reading, Readings, SuiteName,
};
use crate::failure::{Failure, Outcome};
use crate::measure::child::Program;
use crate::measure::count::{self, Counted, Counter, Manner, Wanted};
use crate::measure::interrupt::Stop;
use crate::measure::lives::Stopped;

/// The note that says what counted.
const COUNTER: &str = "instructions counted by";

/// The note that says what was not counted, and why.
pub(super) const UNCOUNTED: &str = "instructions not counted";

/// So many reasons are worth writing down.
const MOST_REASONS: usize = 5;

/// Lives of one program agree when they lie within this share of each other: an interpreter's own work between two
/// requests differs by some instructions.
const AGREES: f64 = 1e-3;

/// What counts for those of the suites that want it; none if none does.
pub(super) fn counter(suites: &[(SuiteName, Suite)], stop: &Stop) -> Outcome<Option<Counter>> {
    if !suites.iter().any(|(_, suite)| wants(suite)) {
        return Ok(None);
    }
    let hint = "install valgrind (its package is called `valgrind`), or leave `instructions` out of `metrics`";
    Counter::find(stop).map(Some).map_err(|error| Failure::environment(error).hint(hint))
}

/// Whether instructions are wanted of a suite.
pub(super) fn wants(suite: &Suite) -> bool {
    suite.metrics.contains(&Extra::Instructions)
}

/// The suites, with what is wanted beside what the configuration says, and what is to be said of those that cannot have it.
pub(super) fn asked(suites: &mut [(SuiteName, Suite)], extra: &[Extra]) -> Outcome<Vec<String>> {
    let (mut said, mut counted) = (Vec::new(), false);
    for (name, suite) in suites.iter_mut().filter(|_| !extra.is_empty()) {
        if matches!(suite.source, Source::Command(_)) {
            said.push(format!("the instructions of suite {name} are not counted, for it is no worker"));
            continue;
        }
        counted = true;
        let new = extra.iter().filter(|one| !suite.metrics.contains(one)).copied();
        let new: Vec<Extra> = new.collect();
        suite.metrics.extend(new);
    }
    match said.first() {
        Some(first) if !counted => Err(Failure::usage(anyhow::anyhow!("{first}"))
            .hint("leave --metrics out, or write the benchmarks as a worker: tracker/harness/PROTOCOL.md")),
        _ => Ok(said),
    }
}

/// How the instructions of one suite are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counting<'a> {
    pub(super) counter: &'a Counter,
    /// How long a benchmark may keep silent.
    pub(super) timeout: Duration,
    /// How long all of it may take.
    pub(super) limit: Duration,
    pub(super) stop: &'a Stop,
}

impl Counting<'_> {
    fn count(&self, program: &Program, wanted: &[Wanted], folder: &Path) -> Result<Counted, Stopped> {
        let Counting { counter, timeout, limit, stop } = *self;
        count::count(program, wanted, Manner { counter, timeout, until: Instant::now() + limit, folder, stop })
    }

    /// Puts them beside what a run measured, and says how they were counted.
    pub(super) fn of_run(
        &self,
        (program, folder): (&Program, &Path),
        outcomes: &mut BTreeMap<BenchmarkName, Came>,
    ) -> Result<Notes, Stopped> {
        let wanted = |(name, came): (&BenchmarkName, &Came)| {
            let Came::Measured(measured) = came else { return None };
            let time = measured.readings.iter().find(|reading| reading.metric == Metric::time())?;
            let iteration_ns = time.lives.first()?.values().first().copied()?;
            Some(Wanted { benchmark: name.clone(), iteration_ns })
        };
        let wanted: Vec<Wanted> = outcomes.iter().filter_map(wanted).collect();
        let counted = self.count(program, &wanted, folder)?;
        let mut why = Vec::new();
        for (name, counted) in counted {
            let Some(Came::Measured(measured)) = outcomes.get_mut(&name) else { continue };
            let lives = counted.map(|values| values.into_iter().filter_map(|value| Life::new(vec![value]).ok()));
            match lives.map(Iterator::collect::<Vec<Life>>) {
                Ok(lives) if !lives.is_empty() => {
                    let is_same = lives.iter().all(|life| life == &lives[0]);
                    let kind = if is_same { Kind::Exact } else { Kind::Noisy };
                    measured.readings.push(Reading { metric: Metric { kind, ..Metric::instructions() }, lives });
                }
                Ok(_) => why.push(format!("{name}: no number")),
                Err(trouble) => why.push(format!("{name}: {}", trouble.reason)),
            }
        }
        Ok(self.notes(why))
    }

    /// Puts them beside what a duel measured, and says how they were counted. What could be counted on neither side, or on
    /// head alone, is there without a life, so that nobody takes it for decided.
    pub(super) fn of_duel(
        &self,
        base: (&Program, &Path),
        head: (&Program, &Path),
        bouts: &mut BTreeMap<BenchmarkName, Bout>,
    ) -> Result<Notes, Stopped> {
        let wanted = |(name, bout): (&BenchmarkName, &Bout)| {
            let Bout::Dueled(contests) = bout else { return None };
            let time = contests.iter().find(|contest| contest.metric == Metric::time())?;
            Some(Wanted { benchmark: name.clone(), iteration_ns: time.base })
        };
        let wanted: Vec<Wanted> = bouts.iter().filter_map(wanted).collect();
        // Counting is not timed, so the two may stand in each other's way.
        let (on_base, on_head) = thread::scope(|scope| {
            let aside = scope.spawn(|| self.count(base.0, &wanted, base.1));
            let on_head = self.count(head.0, &wanted, head.1);
            (aside.join().unwrap_or(Err(Stopped)), on_head)
        });
        let (mut on_base, mut on_head) = (on_base?, on_head?);
        let mut why = Vec::new();
        for Wanted { benchmark, .. } in wanted {
            let Some(Bout::Dueled(contests)) = bouts.get_mut(&benchmark) else { continue };
            let sides = [("base", on_base.remove(&benchmark)), ("head", on_head.remove(&benchmark))];
            let [base, head] = sides.map(|(side, counted)| match counted {
                Some(Ok(values)) => Life::new(values).ok(),
                Some(Err(trouble)) => {
                    why.push(format!("{benchmark} on {side}: {}", trouble.reason));
                    None
                }
                None => None,
            });
            contests.push(contest(base, head));
        }
        Ok(self.notes(why))
    }

    fn notes(&self, mut why: Vec<String>) -> Notes {
        let mut notes = Notes::from([(COUNTER.to_owned(), self.counter.title())]);
        let more = why.len().saturating_sub(MOST_REASONS);
        why.truncate(MOST_REASONS);
        if more > 0 {
            why.push(format!("and of {more} more"));
        }
        if !why.is_empty() {
            notes.insert(UNCOUNTED.to_owned(), why.join("; "));
        }
        notes
    }
}

fn contest(base: Option<Life>, head: Option<Life>) -> Contest {
    let level = |life: &Option<Life>| life.as_ref().map_or(0.0, |life| life.values()[0]);
    let (on_base, on_head) = (level(&base), level(&head));
    let (exact, noisy) = (Metric::instructions(), Metric { kind: Kind::Noisy, ..Metric::instructions() });
    let (metric, readings) = match (base, head) {
        (Some(base), Some(head)) if agree(&base) && agree(&head) => (exact, Readings::Exact { base, head }),
        (Some(base), Some(head)) => {
            let pairs = head.values().iter().zip(base.values());
            let lives = pairs.filter_map(|(head, base)| Life::new(vec![(head / base).ln()]).ok()).collect();
            (noisy, Readings::Paired { lives, null: Vec::new() })
        }
        (Some(base), None) => (exact, Readings::Missing { base }),
        (None, _) => (noisy, Readings::Paired { lives: Vec::new(), null: Vec::new() }),
    };
    Contest { metric, base: on_base, head: on_head, readings }
}

fn agree(life: &Life) -> bool {
    let largest = life.values().iter().copied().fold(f64::NEG_INFINITY, f64::max);
    life.values().iter().all(|value| largest - value <= AGREES * largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn life(values: &[f64]) -> Option<Life> {
        Life::new(values.to_vec()).ok()
    }

    #[test]
    fn what_agrees_is_exact_what_does_not_is_noisy_and_what_head_lost_is_missing() {
        let both = contest(life(&[1000.0, 1000.9]), life(&[1010.0, 1010.0]));
        assert_eq!((both.metric.kind, both.base, both.head), (Kind::Exact, 1000.0, 1010.0));
        let seeded = contest(life(&[1000.0, 1002.0]), life(&[1010.0, 1010.0]));
        assert_eq!(seeded.metric.kind, Kind::Noisy);
        assert!(matches!(&seeded.readings, Readings::Paired { lives, .. } if lives.len() == 2));
        assert!(matches!(contest(life(&[7.0]), None).readings, Readings::Missing { .. }));
        for base_lost in [contest(None, life(&[7.0])), contest(None, None)] {
            assert!(matches!(&base_lost.readings, Readings::Paired { lives, .. } if lives.is_empty()));
        }
    }

    #[test]
    fn a_command_is_not_counted_and_nothing_but_commands_is_refused() {
        let suites =
            |text: &str| -> Vec<(SuiteName, Suite)> { Config::parse(text).unwrap().suites.into_iter().collect() };
        let mut both = suites("[suite.a]\nworker = [\"x\"]\n[suite.b]\ncommand = [\"x\"]\nformat = \"go\"");
        let said = asked(&mut both, &[Extra::Instructions]).unwrap();
        assert!(said.len() == 1 && said[0].contains("suite b"), "{said:?}");
        assert_eq!([wants(&both[0].1), wants(&both[1].1)], [true, false]);
        let mut commands = suites("[suite.b]\ncommand = [\"x\"]\nformat = \"go\"");
        assert!(asked(&mut commands, &[Extra::Instructions]).unwrap_err().to_string().contains("no worker"));
        assert_eq!(asked(&mut commands, &[]).unwrap(), [""; 0]);
    }
}
