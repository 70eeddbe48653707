//! Where a parser writes down what it reads, and where the rules that all formats share are kept.
//!
//! A benchmark whose time is no finite number is a recorded failure; a further metric of that kind is left out and
//! said. A name that appears twice is either a repetition (the values join) or two things (the second gets a number).

use std::collections::BTreeMap;

use super::error::{Flaw, excerpt};
use super::limits;
use super::parsed::{Origin, Parsed, Set};
use crate::domain::{BenchmarkName, Direction, Ended, Kind, Life, Measured, Metric, Notes, Outcome, Reading};
use crate::domain::{Trouble, Unit};

/// The results of one set, as they are read.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    entries: BTreeMap<BenchmarkName, Entry>,
    namesakes: BTreeMap<String, usize>,
    values: usize,
    remarks: Vec<String>,
    dropped_remarks: usize,
    /// Names that appeared again: the first, what it is kept as, and how many there were.
    again: Option<(String, String, usize)>,
    /// Where the set comes from.
    pub(super) origin: Origin,
    /// Facts about the set.
    pub(super) notes: Notes,
}

/// One benchmark, as it is read.
#[derive(Debug, Default)]
struct Entry {
    readings: Vec<(Metric, Vec<Vec<f64>>)>,
    cores: Option<u32>,
    notes: Notes,
    trouble: Option<Trouble>,
}

/// A metric with all that a format fixes about it.
pub(super) fn metric(name: &str, unit: &str, better: Direction, kind: Kind) -> Metric {
    Metric { name: name.to_owned(), unit: Unit::new(unit), better, kind }
}

/// A time under a name of its own.
pub(super) fn time_named(name: &str) -> Metric {
    metric(name, "ns", Direction::Lower, Kind::Noisy)
}

impl Sheet {
    /// The name of a benchmark that may appear again, each time with further values.
    pub(super) fn name(&mut self, name: &str) -> Result<BenchmarkName, Flaw> {
        let name = BenchmarkName::new(name).map_err(|error| Flaw::new(error.to_string()))?;
        if !self.entries.contains_key(&name) {
            if self.entries.len() >= limits::BENCHMARKS {
                return Err(Flaw::new(format!("more than {} benchmarks", limits::BENCHMARKS)));
            }
            self.entries.insert(name.clone(), Entry::default());
        }
        Ok(name)
    }

    /// The name of a benchmark that is another one when its name appears again.
    pub(super) fn fresh_name(&mut self, name: &str) -> Result<BenchmarkName, Flaw> {
        if !self.entries.contains_key(name) {
            return self.name(name);
        }
        let numbered = loop {
            let number = self.namesakes.entry(name.to_owned()).or_insert(1);
            *number += 1;
            let numbered = format!("{name} #{number}");
            if !self.entries.contains_key(numbered.as_str()) {
                break numbered;
            }
        };
        self.again.get_or_insert_with(|| (excerpt(name), excerpt(&numbered), 0)).2 += 1;
        self.name(&numbered)
    }

    /// Writes down the values of a metric, life by life. Values of a metric that is there already join its last life.
    pub(super) fn read(&mut self, name: &BenchmarkName, metric: Metric, lives: Vec<Vec<f64>>) -> Result<(), Flaw> {
        self.values += lives.iter().map(Vec::len).sum::<usize>();
        if self.values > limits::VALUES {
            return Err(Flaw::new(format!("more than {} values", limits::VALUES)));
        }
        let mut kept = lives;
        kept.retain(|values| !values.is_empty());
        if let Some(reason) = kept.iter().find_map(|values| unusable(&metric, values)) {
            self.reject(name, &metric, &reason);
            return Ok(());
        }
        if kept.is_empty() {
            return Ok(());
        }
        let readings = &mut self.entries.entry(name.clone()).or_default().readings;
        let Some(at) = readings.iter().position(|(known, _)| known.name == metric.name) else {
            if readings.len() >= limits::METRICS {
                return Err(Flaw::new(format!("more than {} metrics of one benchmark", limits::METRICS)));
            }
            readings.push((metric, kept));
            return Ok(());
        };
        let (known, lives) = &mut readings[at];
        if *known != metric {
            let (name, before) = (excerpt(name.as_str()), &known.unit);
            let what = format!("{:?} of {name:?} is in {} here, in {before} before", metric.name, metric.unit);
            return Err(Flaw::new(what));
        }
        join(lives, kept);
        Ok(())
    }

    /// Writes down one value.
    pub(super) fn value(&mut self, name: &BenchmarkName, metric: Metric, value: f64) -> Result<(), Flaw> {
        self.read(name, metric, vec![vec![value]])
    }

    /// Writes down a failure; numbers of the same benchmark give way to it.
    pub(super) fn fail(&mut self, name: &BenchmarkName, reason: impl Into<String>, ended: Option<Ended>) {
        let reason = excerpt(reason.into().trim());
        let first_line = reason.lines().next().unwrap_or("failed").to_owned();
        let stderr_tail = if first_line.len() < reason.len() { reason } else { String::new() };
        let trouble = Trouble { reason: first_line, ended, stderr_tail };
        self.entries.entry(name.clone()).or_default().trouble.get_or_insert(trouble);
    }

    /// Writes a fact beside a benchmark's numbers.
    pub(super) fn note(&mut self, name: &BenchmarkName, key: &str, value: impl Into<String>) {
        let value = excerpt(&value.into());
        self.entries.entry(name.clone()).or_default().notes.insert(key.to_owned(), value);
    }

    /// Remembers the unit that a metric had in the source.
    pub(super) fn source_unit(&mut self, name: &BenchmarkName, metric: &str, unit: &str) {
        if unit != "ns" {
            self.note(name, &format!("{metric}.unit"), unit);
        }
    }

    /// Says how many cores the benchmark uses.
    pub(super) fn cores(&mut self, name: &BenchmarkName, cores: u32) {
        self.entries.entry(name.clone()).or_default().cores = Some(cores);
    }

    /// Tells the reader something.
    pub(super) fn remark(&mut self, remark: String) {
        if self.remarks.len() < limits::REMARKS {
            self.remarks.push(remark);
        } else {
            self.dropped_remarks += 1;
        }
    }

    /// Tells that objects of the source, which begin on these lines, break off and are not among what was read.
    pub(super) fn cut_off(&mut self, what: &str, lines: Vec<usize>) {
        for line in lines {
            self.remark(format!("the {what} that begins on line {line} breaks off; it was left out"));
        }
    }

    /// Takes what was read of a benchmark off the sheet. Its name stays, so that a namesake is still known for one.
    pub(super) fn take(&mut self, name: &BenchmarkName) -> Outcome {
        self.entries.get_mut(name).map(std::mem::take).unwrap_or_default().outcome()
    }

    /// The set, and what is to be said about it.
    pub(super) fn finish(self) -> Parsed {
        let mut parsed = Parsed::default();
        self.finish_into(&mut parsed);
        parsed
    }

    /// Adds the set, and what is to be said about it, to a history.
    pub(super) fn finish_into(mut self, parsed: &mut Parsed) {
        let (origin, notes) = (std::mem::take(&mut self.origin), std::mem::take(&mut self.notes));
        let entries = std::mem::take(&mut self.entries);
        let outcomes = entries.into_iter().map(|(name, entry)| (name, entry.outcome())).collect();
        parsed.sets.push(Set { origin, notes, outcomes });
        for remark in self.into_remarks() {
            parsed.remark(remark);
        }
    }

    /// What is to be said about the set.
    pub(super) fn into_remarks(mut self) -> Vec<String> {
        if let Some((name, numbered, count)) = self.again.take() {
            let more = if count > 1 { format!(", and so on for {} more", count - 1) } else { String::new() };
            self.remark(format!("{name:?} appears again; it is kept as {numbered:?}{more}"));
        }
        if self.dropped_remarks > 0 {
            self.remarks.push(format!("and {} more remarks", self.dropped_remarks));
        }
        self.remarks
    }

    fn reject(&mut self, name: &BenchmarkName, metric: &Metric, reason: &str) {
        if metric.name == "time" {
            self.fail(name, reason, None);
        } else {
            self.note(name, &format!("{}.rejected", metric.name), reason);
            self.remark(format!("{:?}: {reason}; this metric is left out", excerpt(name.as_str())));
        }
    }
}

/// Why values cannot be kept, if so.
fn unusable(metric: &Metric, values: &[f64]) -> Option<String> {
    let is_time = metric.unit == Unit::nanoseconds();
    let bad = values.iter().find(|value| !value.is_finite() || (is_time && **value < 0.0))?;
    Some(format!("{} was given as {bad}, which is no {}", metric.name, if is_time { "duration" } else { "number" }))
}

/// Values that come later belong to the process that is under way; a source that tells processes apart gives all lives
/// at once.
fn join(lives: &mut Vec<Vec<f64>>, more: Vec<Vec<f64>>) {
    match lives.last_mut() {
        Some(last) => last.extend(more.into_iter().flatten()),
        None => *lives = more,
    }
}

impl Entry {
    fn outcome(self) -> Outcome {
        if let Some(trouble) = self.trouble {
            return Outcome::Failed(trouble);
        }
        if self.readings.is_empty() {
            let reason = self.notes.iter().find(|(key, _)| key.ends_with(".rejected"));
            let reason = reason.map_or_else(|| "no numbers were given".to_owned(), |(_, reason)| reason.clone());
            return Outcome::Failed(Trouble { reason, ended: None, stderr_tail: String::new() });
        }
        let mut readings: Vec<Reading> = self.readings.into_iter().map(reading).collect();
        readings.sort_by_key(|reading| reading.metric.name != "time");
        Outcome::Measured(Measured { readings, cores: self.cores.unwrap_or(1), notes: self.notes })
    }
}

/// The values were found finite when they were written down, so that no life is lost here.
fn reading((metric, lives): (Metric, Vec<Vec<f64>>)) -> Reading {
    Reading { metric, lives: lives.into_iter().filter_map(|values| Life::new(values).ok()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(sheet: Sheet, name: &str) -> Outcome {
        sheet.finish().sets.remove(0).outcomes.remove(name).unwrap()
    }

    #[test]
    fn repetitions_join_one_life_and_namesakes_get_a_number() {
        let mut sheet = Sheet::default();
        for value in [1.0, 2.0] {
            let name = sheet.name("a").unwrap();
            sheet.value(&name, Metric::time(), value).unwrap();
        }
        let name = sheet.fresh_name("a").unwrap();
        assert_eq!(name.as_str(), "a #2");
        assert_eq!(sheet.fresh_name("a").unwrap().as_str(), "a #3");
        let (mut first, mut second, mut parsed) = (Sheet::default(), Sheet::default(), Parsed::default());
        for sheet in [&mut first, &mut second] {
            (0..5).for_each(|_| drop(sheet.fresh_name("a").unwrap()));
        }
        first.finish_into(&mut parsed);
        second.finish_into(&mut parsed);
        parsed.count_remarks();
        assert_eq!(parsed.remarks, ["\"a\" appears again; it is kept as \"a #2\", and so on for 3 more (2 times)"]);
        let Outcome::Measured(measured) = outcome(sheet, "a") else { panic!("measured") };
        assert_eq!(measured.readings[0].lives, [Life::new(vec![1.0, 2.0]).unwrap()]);
    }

    #[test]
    fn a_time_that_is_no_duration_is_a_recorded_failure() {
        for value in [f64::NAN, f64::INFINITY, -1.0] {
            let mut sheet = Sheet::default();
            let name = sheet.name("a").unwrap();
            sheet.value(&name, Metric::time(), value).unwrap();
            assert!(matches!(outcome(sheet, "a"), Outcome::Failed(_)));
        }
    }

    #[test]
    fn a_further_metric_that_is_no_number_is_left_out_and_said() {
        let mut sheet = Sheet::default();
        let name = sheet.name("a").unwrap();
        sheet.value(&name, Metric::time(), 1.0).unwrap();
        sheet.value(&name, metric("heat", "K", Direction::Lower, Kind::Noisy), f64::NAN).unwrap();
        let parsed = sheet.finish();
        assert_eq!(parsed.remarks.len(), 1);
        let Outcome::Measured(measured) = &parsed.sets[0].outcomes["a"] else { panic!("measured") };
        assert_eq!(measured.readings.len(), 1);
        assert!(measured.notes.contains_key("heat.rejected"));
    }

    #[test]
    fn one_metric_in_two_units_is_refused() {
        let mut sheet = Sheet::default();
        let name = sheet.name("a").unwrap();
        sheet.value(&name, metric("size", "B", Direction::Lower, Kind::Exact), 1.0).unwrap();
        assert!(sheet.value(&name, metric("size", "kB", Direction::Lower, Kind::Exact), 1.0).is_err());
    }
}
