//! The numbers behind the page that compares any two commits: for each shelf (a suite on a machine) an index of its series
//! and runs, and their readings in pieces of bounded size. Scripts, since a page that was opened from disk may load nothing
//! else; each calls one function with plain data.

use std::fmt::Write as _;
use std::path::Path;

use super::swap;
use crate::domain::RecordId;
use crate::failure::{Classify, Outcome};
use crate::flow::past::{History, Past};
use crate::show::escape;
use crate::show::page::row::Row;

/// A piece holds about so many readings.
const READINGS: usize = 8192;
/// Notes of a run that say what built and ran it.
const TELLING: [&str; 8] = ["rustc", "compiler", "toolchain", "kernel", "python", "go", "node", "java"];

/// A reading: which of the shelf's runs, its level, and its interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    run: u32,
    level: f64,
    interval: Option<(f32, f32)>,
}

/// A suite on a machine, with its runs in the order of history.
#[derive(Debug)]
pub(super) struct Shelf {
    /// What its files are called.
    pub(super) key: String,
    pub(super) suite: String,
    /// Of its runs, which they are among all.
    pub(super) runs: Vec<usize>,
    /// How many of its newest runs have a page, whatever happened in them.
    pub(super) newest: usize,
    /// What all of it depends on.
    pub(super) stamp: RecordId,
}

/// The readings of a series, in the order of the shelf's runs.
pub(super) fn column(past: &Past, place_of: &dyn Fn(&RecordId) -> Option<u32>) -> Vec<Cell> {
    #[expect(clippy::cast_possible_truncation, reason = "shown to a few digits")]
    let narrow = |(low, high): (f64, f64)| (low as f32, high as f32);
    let cell = |point: &crate::domain::Point| {
        let relative = |end: f64| (end / point.level - 1.0) * 1e5;
        let interval = point.interval.map(|(low, high)| narrow((relative(low), relative(high))));
        let interval = interval.filter(|(low, high)| low.is_finite() && high.is_finite());
        Some(Cell { run: place_of(&point.run)?, level: point.level, interval })
    };
    let mut cells: Vec<Cell> = past.points.iter().filter_map(cell).collect();
    cells.sort_by_key(|cell| cell.run);
    cells
}

/// Writes a shelf's index and pieces; says how many pieces there are.
pub(super) fn write(
    folder: &Path,
    (shelf, history): (&Shelf, &History),
    series: &[(&Row, Vec<Cell>)],
    has_page: &dyn Fn(&RecordId) -> bool,
) -> Outcome<usize> {
    let each = (READINGS / series.len().max(1)).clamp(1, 256);
    let save = |name: String, text: String| {
        let file = folder.join(name);
        std::fs::write(&file, text).or_environment(format_args!("writing {}", file.display()))
    };
    let mut marks = vec![0_usize; series.len()];
    let mut pieces = 0;
    for from in (0..shelf.runs.len()).step_by(each) {
        let to = (from + each).min(shelf.runs.len());
        let lines: Vec<String> = (from..to).map(|run| line(series, &mut marks, run)).collect();
        save(format!("{}-{pieces}.js", shelf.key), call("tachographPiece", &(&shelf.key, pieces, lines))?)?;
        pieces += 1;
    }
    let names: Vec<_> = series.iter().map(|(row, _)| name(row)).collect();
    let runs: Vec<_> = shelf.runs.iter().map(|&run| of_run(history, run, has_page)).collect();
    let title = series.first().map_or_else(String::new, |(row, _)| row.machine.clone());
    let index = (&shelf.key, escape::line(&shelf.suite), escape::line(&title), each, names, runs);
    save(format!("{}.js", shelf.key), call("tachographShelf", &index)?)?;
    Ok(pieces)
}

/// A function of the script's, called with plain data.
fn call(function: &str, with: &impl serde::Serialize) -> Outcome<String> {
    let data = serde_json::to_string(with).or_environment("writing the data of comparisons")?;
    Ok(format!("{function}({data});\n"))
}

/// A series: its page, its names as they are shown, which way is good, and what two runs of it differ by.
fn name(row: &Row) -> (&str, String, String, String, &str, Option<f64>) {
    let shown = |text: &str| escape::line(text).into_owned();
    let threshold = crate::show::page::compare::threshold(row);
    let metric = &row.metric;
    let names = (shown(row.benchmark.as_str()), shown(&metric.name), shown(metric.unit.as_str()));
    (row.id.short(), names.0, names.1, names.2, metric.better.as_str(), threshold)
}

/// A run: itself, the place of its commit, whether it has a page, and what built and ran it.
fn of_run<'a>(history: &'a History, run: usize, has_page: &dyn Fn(&RecordId) -> bool) -> (&'a str, usize, u8, String) {
    let head = &history.heads[run];
    let told = TELLING.iter().filter_map(|name| Some(format!("{name} {}", head.notes.get(*name)?)));
    let told = told.collect::<Vec<_>>().join(", ");
    let place = history.place(&head.line.commit).unwrap_or_default();
    (head.line.id.short(), place, u8::from(has_page(&head.line.id)), escape::line(&told).into_owned())
}

/// The readings of a run: level, and the ends of its interval in hundred thousandths of it.
fn line(series: &[(&Row, Vec<Cell>)], marks: &mut [usize], run: usize) -> String {
    let mut line = String::new();
    for ((_, cells), mark) in series.iter().zip(marks) {
        while cells.get(*mark).is_some_and(|cell| (cell.run as usize) < run) {
            *mark += 1;
        }
        if let Some(cell) = cells.get(*mark).filter(|cell| cell.run as usize == run) {
            // Writing to a text cannot fail.
            let _ = write!(line, "{}", seven_digits(cell.level));
            if let Some((low, high)) = cell.interval {
                let _ = write!(line, " {low:.0} {high:.0}");
            }
        }
        line.push(';');
    }
    // Series at the end that this run did not read.
    line.truncate(line.trim_end_matches(';').len());
    line
}

/// A number to seven digits, as short as it can be written.
fn seven_digits(value: f64) -> String {
    let short = format!("{value:.6e}");
    let plain = short.parse::<f64>().unwrap_or(value).to_string();
    if plain.len() <= short.len() { plain } else { short }
}

/// Takes a shelf's files over from the old site; says whether all of them are there now.
pub(super) fn take_over((from, to): (&Path, &Path), key: &str, pieces: usize) -> bool {
    let files = (0..pieces).map(|piece| format!("{key}-{piece}.js")).chain([format!("{key}.js")]);
    files.into_iter().all(|file| swap::take_over(&from.join(&file), &to.join(&file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_right_to_seven_digits() {
        let written: Vec<String> = [5312.4, 123_456_789.0, 0.000_012_345_67, 0.0, 17.0].map(seven_digits).into();
        assert_eq!(written, ["5312.4", "123456800", "1.234567e-5", "0", "17"]);
    }
}
