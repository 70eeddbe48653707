//! The lines of asv's console output: their marks, their values, and the tables of parameters between them.

use super::units::{nanoseconds_per, number, prefixed};

/// A line without its mark of progress, and how many dots it had: `[ 35.00%] ··· rest`.
pub(super) fn plain(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start();
    let after = match line.strip_prefix('[') {
        Some(rest) => rest.split_once("%]")?.1.trim_start(),
        None => line,
    };
    let dots = after.chars().take_while(|c| *c == '·').count();
    (dots > 0).then(|| (dots, after.trim_start_matches('·').trim()))
}

/// The unit behind a value: a time, a prefix such as `k`, or nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Suffix<'a>(&'a str);

impl<'a> Suffix<'a> {
    pub(super) fn as_str(self) -> &'a str {
        self.0
    }

    /// How many nanoseconds one of it is, if it is a time. `m` is a prefix here and never minutes.
    pub(super) fn nanoseconds(self) -> Option<f64> {
        nanoseconds_per(self.0)
    }

    /// How many whole ones it is, if it is a prefix.
    pub(super) fn factor(self) -> f64 {
        prefixed(self.0).map_or(1.0, |(factor, _)| factor)
    }
}

/// `11.1±0.01μs`, `2.42k`, `35`
pub(super) fn value(text: &str) -> Option<(f64, Suffix<'_>)> {
    let (value, spread) = text.split_once('±').unwrap_or((text, text));
    let suffix = spread.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-' || c == '+').trim();
    // The exponent of 1e-05 belongs to the number.
    let suffix = match suffix.strip_prefix('e') {
        Some(rest) => rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '+').trim(),
        None => suffix,
    };
    let value = if text.contains('±') { value } else { value.strip_suffix(suffix)? };
    let known = suffix.is_empty() || nanoseconds_per(suffix).is_some() || prefixed(suffix).is_some();
    let value = number(value.trim())?;
    known.then_some((value, Suffix(suffix)))
}

/// A table of parameters as it is read: parts between rules of `=` and `-`. With one parameter these are its name and
/// the rows; with more, the last one's name, the names and the last one's values, and the rows.
#[derive(Debug, Default)]
pub(super) struct Table {
    parts: Vec<Vec<Vec<String>>>,
}

impl Table {
    pub(super) fn line(&mut self, line: &str) {
        let line = line.trim();
        let is_rule = line.len() > 2 && line.chars().all(|c| matches!(c, '=' | '-' | ' '));
        if is_rule {
            self.parts.push(Vec::new());
        } else if let Some(part) = self.parts.last_mut().filter(|_| !line.is_empty()) {
            part.push(cells(line));
        }
    }

    /// Parameters and value of each cell.
    pub(super) fn rows(mut self) -> Vec<(String, String)> {
        self.parts.retain(|part| !part.is_empty());
        match &self.parts[..] {
            [_, rows] => {
                let split = rows.iter().filter_map(|row| row.split_last());
                split.map(|(value, parameters)| (parameters.join(", "), value.clone())).collect()
            }
            [_, columns, rows] => columns.last().map_or_else(Vec::new, |columns| grid(columns, rows)),
            _ => Vec::new(),
        }
    }
}

fn grid(columns: &[String], rows: &[Vec<String>]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for row in rows {
        let leading = leading(columns, row);
        for (column, value) in columns[leading..].iter().zip(&row[leading..]) {
            found.push((format!("{}, {column}", row[..leading].join(", ")), value.clone()));
        }
    }
    found
}

/// How many cells of a row are parameters: those before the first that is a value or says that there is none.
fn leading(columns: &[String], row: &[String]) -> usize {
    let is_result =
        |cell: &String| matches!(cell.as_str(), "failed" | "n/a") || value(cell).is_some_and(|_| cell.contains('±'));
    let first = row.iter().position(is_result).unwrap_or(row.len().saturating_sub(1));
    first.min(columns.len()).min(row.len())
}

fn cells(line: &str) -> Vec<String> {
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_spreads_prefixes_and_exponents() {
        for (text, number, suffix) in [
            ("11.1±0.01μs", 11.1, "μs"),
            ("2.42k", 2.42, "k"),
            ("35", 35.0, ""),
            ("1e-05", 1e-5, ""),
            ("1.5±0.1ms", 1.5, "ms"),
        ] {
            assert_eq!(value(text), Some((number, Suffix(suffix))), "{text}");
        }
        assert_eq!(value("failed"), None);
    }

    #[test]
    fn two_parameters_stand_in_rows_and_columns() {
        let mut table = Table::default();
        let lines = [
            "===== ======== ========",
            "--           m         ",
            "----- -----------------",
            "  n      'a'      'b'  ",
            "===== ======== ========",
            "  10   1±0ms    failed ",
            "===== ======== ========",
        ];
        for line in lines {
            table.line(line);
        }
        let expected = [("10, 'a'", "1±0ms"), ("10, 'b'", "failed")];
        assert_eq!(table.rows(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
