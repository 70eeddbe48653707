//! What happened on the machine while we measured: load, time stolen by the host, time denied by the container.

use super::tree::{Control, Tree};
use crate::domain::Notes;

/// A look at the machine at the beginning of something, to be compared with one at its end.
#[derive(Debug, Clone)]
pub struct Watch {
    tree: Tree,
    before: Look,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    load: Option<f64>,
    ticks: Option<Ticks>,
    throttled: Option<u64>,
}

/// The kernel's account of all processors' time, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    all: u64,
    stolen: u64,
}

impl Watch {
    /// Looks now.
    #[must_use]
    pub fn begin() -> Watch {
        Watch::of(Tree::here())
    }

    fn of(tree: Tree) -> Watch {
        let before = Look::at(&tree);
        Watch { tree, before }
    }

    /// The share of all processors' time that the host gave to others since the beginning, in percent; none where the
    /// system does not say, or too little time has gone by.
    #[must_use]
    pub fn steal_pct(&self) -> Option<f64> {
        steal_pct(self.before.ticks?, ticks(&self.tree)?)
    }

    /// Looks again and says what happened in between.
    #[must_use]
    pub fn notes(&self) -> Notes {
        let (before, after) = (self.before, Look::at(&self.tree));
        let steal = before.ticks.zip(after.ticks).and_then(|(before, after)| steal_pct(before, after));
        let throttled = before.throttled.zip(after.throttled).map(|(before, after)| after.saturating_sub(before));
        let notes = [
            ("load_before", before.load.map(|load| load.to_string())),
            ("load_after", after.load.map(|load| load.to_string())),
            ("steal_pct", steal.map(|steal| format!("{steal:.2}"))),
            ("throttled_periods", throttled.map(|periods| periods.to_string())),
        ];
        notes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl Look {
    fn at(tree: &Tree) -> Look {
        Look { load: load(tree), ticks: ticks(tree), throttled: throttled(tree) }
    }
}

/// The mean number of running processes over the last minute.
pub(super) fn load(tree: &Tree) -> Option<f64> {
    tree.text("proc/loadavg")?.split_whitespace().next()?.parse().ok()
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; then guests' time, which is
/// in user and nice already.
fn ticks(tree: &Tree) -> Option<Ticks> {
    let text = tree.text("proc/stat")?;
    let fields = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8);
    let fields: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Ticks { all: fields.iter().sum(), stolen: *fields.get(7)? })
}

/// The number of periods in which the container had used up its quota.
fn throttled(tree: &Tree) -> Option<u64> {
    let text = tree
        .control(Control::Unified, "cpu.stat")
        .filter(|text| text.contains("nr_throttled"))
        .or_else(|| tree.control(Control::Legacy("cpu"), "cpu.stat"))?;
    text.lines().find_map(|line| line.strip_prefix("nr_throttled ")?.trim().parse().ok())
}

fn steal_pct(before: Ticks, after: Ticks) -> Option<f64> {
    let all = after.all.saturating_sub(before.all);
    let stolen = after.stolen.saturating_sub(before.stolen);
    (all > 0).then(|| 100.0 * stolen as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tree::fake;
    use super::*;

    #[test]
    fn what_happened_in_between_is_the_difference_of_two_looks() {
        let (folder, tree) = fake::tree(&[
            ("proc/loadavg", "0.50 0 0 1/1 1\n"),
            ("proc/stat", "cpu  100 0 50 800 20 0 10 20 5 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 4\n"),
        ]);
        let watch = Watch::of(tree);
        assert_eq!(watch.steal_pct(), None);
        fs::write(folder.path().join("proc/loadavg"), "1.75 0 0 1/1 1\n").unwrap();
        fs::write(folder.path().join("proc/stat"), "cpu  150 0 60 830 20 0 10 30 99 0\n").unwrap();
        fs::write(folder.path().join("sys/fs/cgroup/cpu.stat"), "nr_throttled 7\n").unwrap();
        assert_eq!(watch.steal_pct(), Some(10.0));
        let notes = watch.notes();
        assert_eq!((notes["load_before"].as_str(), notes["load_after"].as_str()), ("0.5", "1.75"));
        assert_eq!((notes["steal_pct"].as_str(), notes["throttled_periods"].as_str()), ("10.00", "3"));
    }

    #[test]
    fn a_machine_that_says_nothing_has_no_notes() {
        let (_folder, tree) = fake::tree(&[("proc/stat", "intr 5\n"), ("proc/loadavg", "much\n")]);
        assert!(Watch::of(tree).notes().is_empty());
    }
}
