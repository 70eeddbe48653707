//! divan's console output: a tree in box-drawing characters, its columns fastest, slowest, median, mean, samples and
//! iterations; below a benchmark rows of throughput, and of allocations under `alloc:`, `dealloc:`, `grow:` and so on.
//!
//! ```text
//! sums          fastest  │ slowest  │ median   │ mean     │ samples │ iters
//! ├─ plain      1.2 ns   │ 1.4 ns   │ 1.3 ns   │ 1.3 ns   │ 100     │ 6400
//! │             8 GB/s   │ 6 GB/s   │ 7 GB/s   │ 7 GB/s   │         │
//! ╰─ by size             │          │          │          │         │
//!    ╰─ 16      2.2 ns   │ 2.4 ns   │ 2.3 ns   │ 2.3 ns   │ 100     │ 6400
//! ```
//!
//! A name is the path down the tree. A row is one of the tree if a branch (`├─` or `╰─`) stands before its name, and
//! belongs to the benchmark above it if not.

use super::divan_cells::{Amount, amount};
use super::error::{Flaw, excerpt};
use super::format::{Carries, Directions, Format, Held, Takes};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::text::without_escapes;
use crate::domain::{BenchmarkName, Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "divan",
    title: "divan (Rust), its console output",
    made_by: "cargo bench",
    carries: Carries {
        samples: Held::Never,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: true,
    recognises: |sniff| sniff.text.lines().any(|line| heading(&without_escapes(line)).is_some()),
};

/// The place of the median among the columns.
const MEDIAN: usize = 2;

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut page = Page::default();
    for (index, line) in text.lines().enumerate() {
        page.line(&without_escapes(line)).map_err(|flaw| flaw.on_line(index + 1))?;
    }
    Ok(page.sheet.finish())
}

/// The output as it is read.
#[derive(Default)]
struct Page {
    sheet: Sheet,
    /// Where the first column of figures begins, in characters; none outside a tree.
    column: Option<usize>,
    /// The names from the root down to the last row, with the depth at which each stands.
    path: Vec<(usize, String)>,
    /// The benchmark that rows without a name belong to.
    current: Option<BenchmarkName>,
    /// The block of allocation figures under way, and how many of its rows came.
    block: Option<(String, usize)>,
}

/// The name of the tree and where its figures begin, if this line heads one.
fn heading(line: &str) -> Option<(&str, usize)> {
    let at = line.find(" fastest ")? + 1;
    let heads: Vec<&str> = line[at..].split('│').map(str::trim).collect();
    let is_heading = heads.starts_with(&["fastest", "slowest", "median", "mean"]);
    is_heading.then(|| (line[..at].trim(), line[..at].chars().count()))
}

impl Page {
    fn line(&mut self, line: &str) -> Result<(), Flaw> {
        if let Some((root, column)) = heading(line) {
            self.path = vec![(0, root.to_owned())];
            (self.column, self.current, self.block) = (Some(column), None, None);
            return Ok(());
        }
        let Some(column) = self.column else { return Ok(()) };
        if line.trim().is_empty() {
            self.column = None;
            return Ok(());
        }
        match branch(line) {
            Some((depth, rest)) => self.row(depth, rest),
            None if line.starts_with(['│', ' ']) => self.continuation(line, column),
            // Something else was printed; the tree may go on.
            None => Ok(()),
        }
    }

    /// A row with a branch: a group, or a benchmark with its times.
    fn row(&mut self, depth: usize, rest: &str) -> Result<(), Flaw> {
        (self.current, self.block) = (None, None);
        self.path.retain(|(above, _)| *above < depth);
        let (name, cells) = name_and_cells(rest);
        self.path.push((depth, name.to_owned()));
        if cells.iter().all(|cell| cell.is_empty()) {
            return Ok(());
        }
        let name = self.path.iter().map(|(_, part)| part.as_str()).collect::<Vec<_>>().join("/");
        if cells[0] == "(ignored)" || cells.contains(&"(ignored)") {
            self.sheet.remark(format!("{:?} is ignored", excerpt(&name)));
            return Ok(());
        }
        let name = self.sheet.fresh_name(&name)?;
        let median = cell(&cells, MEDIAN)?;
        let Some(Amount::Time { ns, unit }) = amount(median) else {
            return Err(Flaw::new(format!("expected a time such as `1.25 µs` as the median, found {median:?}")));
        };
        self.sheet.source_unit(&name, "time", unit);
        for (key, at) in [("time.fastest_ns", 0), ("time.slowest_ns", 1), ("time.mean_ns", 3)] {
            if let Some(Amount::Time { ns, .. }) = amount(cell(&cells, at)?) {
                self.sheet.note(&name, key, ns.to_string());
            }
        }
        for (key, at) in [("samples", 4), ("iterations", 5)] {
            if let Some(count) = cells.get(at).filter(|count| !count.is_empty()) {
                self.sheet.note(&name, key, *count);
            }
        }
        self.sheet.value(&name, Metric::time(), ns)?;
        self.current = Some(name);
        Ok(())
    }

    /// A row without a branch: throughput, the heading of a block of allocations, or figures in it.
    fn continuation(&mut self, line: &str, column: usize) -> Result<(), Flaw> {
        let Some(name) = self.current.clone() else { return Ok(()) };
        let figures: String = line.chars().skip(column).collect();
        let cells: Vec<&str> = figures.split('│').map(str::trim).collect();
        if let Some(block) = cells[0].strip_suffix(':') {
            self.block = Some((block.replace(' ', "_"), 0));
            return Ok(());
        }
        let Some(median) = cells.get(MEDIAN).filter(|median| !median.is_empty()) else { return Ok(()) };
        let found = amount(median);
        let (metric, value) = match (&mut self.block, found) {
            (None, Some(Amount::Rate { value, unit })) => {
                let name = if unit == "B/s" { "throughput" } else { "item_throughput" };
                (metric(name, &unit, Direction::Higher, Kind::Noisy), value)
            }
            (Some((block, rows)), Some(Amount::Count(value))) if *rows == 0 => {
                *rows = 1;
                (metric(&counted(block), "count", Direction::Lower, Kind::Exact), value)
            }
            (Some((block, rows)), Some(Amount::Bytes(value))) if *rows == 1 => {
                *rows = 2;
                (metric(&sized(block), "B", Direction::Lower, Kind::Exact), value)
            }
            _ => {
                let what = "expected a throughput, or a count and then bytes below a heading such as `alloc:`";
                return Err(Flaw::new(format!("{what}, found {median:?}")));
            }
        };
        self.sheet.value(&name, metric, value)
    }
}

/// The words for what a block counts; the block `alloc:` is what others call allocations.
fn counted(block: &str) -> String {
    if block == "alloc" { "allocations".to_owned() } else { format!("{block}_count") }
}

fn sized(block: &str) -> String {
    if block == "alloc" { "allocated_bytes".to_owned() } else { format!("{block}_bytes") }
}

/// The depth of a row in the tree and what stands after its branch.
fn branch(line: &str) -> Option<(usize, &str)> {
    let at = line.find("├─ ").or_else(|| line.find("╰─ "))?;
    let is_stem = line[..at].chars().all(|c| matches!(c, '│' | ' '));
    let depth = 1 + line[..at].chars().count() / 3;
    is_stem.then(|| (depth, &line[at + "├─ ".len()..]))
}

/// A name may hold spaces, and even a bar: figures are the last five cells, and two spaces or more part them from the
/// name.
fn name_and_cells(rest: &str) -> (&str, Vec<&str>) {
    let bars: Vec<usize> = rest.match_indices('│').map(|(at, _)| at).collect();
    let first_bar = bars.len().checked_sub(5).map_or(rest.len(), |at| bars[at]);
    let (head, tail) = rest.split_at(first_bar);
    let (name, first) = match head.trim_end().rsplit_once("  ") {
        Some((name, first)) if !name.trim().is_empty() => (name.trim(), first.trim()),
        _ => (head.trim(), ""),
    };
    let mut cells = vec![first];
    cells.extend(tail.split('│').skip(1).map(str::trim));
    (name, cells)
}

fn cell<'a>(cells: &[&'a str], at: usize) -> Result<&'a str, Flaw> {
    cells.get(at).copied().ok_or_else(|| Flaw::new(format!("expected six columns, found {}", cells.len())))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::domain::Outcome;

    const SAMPLE: &str = "Timer precision: 41 ns
parse                     fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ group                                │               │               │               │         │
│  ├─ serde               9.298 ms      │ 14.49 ms      │ 9.5 ms        │ 9.713 ms      │ 400     │ 2000
│  │                      1.5 GB/s      │ 1.1 GB/s      │ 1.25 GB/s     │ 1.2 GB/s      │         │
│  │                      8 Kitem/s     │ 7 Kitem/s     │ 7.5 Kitem/s   │ 7.5 Kitem/s   │         │
│  │                      max alloc:    │               │               │               │         │
│  │                        2           │ 2             │ 2             │ 2             │         │
│  │                        1.5 KB      │ 1.5 KB        │ 1.5 KB        │ 1.5 KB        │         │
│  │                      alloc:        │               │               │               │         │
│  │                        101400      │ 101400        │ 101400        │ 101146        │         │
│  │                        14.09 MB    │ 14.09 MB      │ 14.09 MB      │ 14.05 MB      │         │
│  ├─ skipped             (ignored)     │               │               │               │         │
│  ╰─ by size                           │               │               │               │         │
│     ├─ 16                             │               │               │               │         │
│     │  ├─ t=1            1 ns          │ 1 ns          │ 1.25 ns       │ 1 ns          │ 100     │ 100
│     │  ╰─ t=2            1 ns          │ 1 ns          │ 2.5 ns        │ 1 ns          │ 100     │ 100
╰─ last one  here         710.1 ns      │ 857 ns        │ 721.8 ns      │ 724.1 ns      │ 4000    │ 2000000

";

    #[test]
    fn the_tree_gives_names_and_its_rows_give_times_rates_and_allocations() {
        let parsed = parse(None, SAMPLE.as_bytes()).unwrap();
        let outcomes = &parsed.sets[0].outcomes;
        let names: Vec<&str> = outcomes.keys().map(BenchmarkName::as_str).collect();
        let expected =
            ["parse/group/by size/16/t=1", "parse/group/by size/16/t=2", "parse/group/serde", "parse/last one  here"];
        assert_eq!(names, expected);
        let Outcome::Measured(serde) = &outcomes["parse/group/serde"] else { panic!("measured") };
        let found: Vec<_> = serde
            .readings
            .iter()
            .map(|reading| (reading.metric.name.as_str(), reading.metric.unit.as_str(), reading.lives[0].values()[0]))
            .collect();
        let expected = [
            ("time", "ns", 9.5e6),
            ("throughput", "B/s", 1.25e9),
            ("item_throughput", "items/s", 7500.0),
            ("max_alloc_count", "count", 2.0),
            ("max_alloc_bytes", "B", 1500.0),
            ("allocations", "count", 101_400.0),
            ("allocated_bytes", "B", 14.09e6),
        ];
        assert_eq!(found, expected);
        assert_eq!(serde.notes["time.slowest_ns"], "14490000");
        assert_eq!(parsed.remarks, ["\"parse/group/skipped\" is ignored"]);
    }

    #[test]
    fn a_cell_that_is_no_time_is_refused_with_its_line() {
        let error = parse(None, SAMPLE.replace("9.5 ms", "9.5 mi").as_bytes()).unwrap_err().to_string();
        assert!(error.contains("line 4") && error.contains("\"9.5 mi\""), "{error}");
    }
}
