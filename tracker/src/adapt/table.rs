//! CSV with a heading line, read row by row.

use super::error::{Flaw, excerpt};

/// A table whose columns are named in its first line.
pub(super) struct Table<'a> {
    reader: csv::Reader<&'a [u8]>,
    columns: csv::StringRecord,
    record: csv::StringRecord,
}

/// One row of a table.
pub(super) struct Row<'a> {
    columns: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
}

/// Whether the first line names these columns among others.
pub(super) fn first_line_has(text: &str, columns: &[&str]) -> bool {
    let first = text.lines().next().unwrap_or("");
    let named: Vec<&str> = first.split(',').map(|name| name.trim().trim_matches('"')).collect();
    columns.iter().all(|column| named.contains(column))
}

impl<'a> Table<'a> {
    /// Reads the heading, in which these columns must be and none twice.
    pub(super) fn of(text: &'a str, required: &[&str]) -> Result<Table<'a>, Flaw> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let columns = reader.headers().map_err(|error| flaw(&error))?.clone();
        for column in required {
            if !columns.iter().any(|known| known == *column) {
                return Err(Flaw::new(format!("expected the column {column:?}")).on_line(1));
            }
        }
        for (index, column) in columns.iter().enumerate() {
            if columns.iter().take(index).any(|earlier| earlier == column) {
                return Err(Flaw::new(format!("the column {:?} stands there twice", excerpt(column))).on_line(1));
            }
        }
        Ok(Table { reader, columns, record: csv::StringRecord::new() })
    }

    /// The next row, or none at the end.
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'_>>, Flaw> {
        let more = self.reader.read_record(&mut self.record).map_err(|error| flaw(&error))?;
        Ok(more.then_some(Row { columns: &self.columns, record: &self.record }))
    }
}

impl<'a> Row<'a> {
    /// The cell in this column; empty where there is no such column.
    pub(super) fn cell(&self, column: &str) -> &'a str {
        let at = self.columns.iter().position(|known| known == column);
        at.and_then(|at| self.record.get(at)).unwrap_or("")
    }

    /// A flaw of this row.
    pub(super) fn at(&self, flaw: Flaw) -> Flaw {
        flaw.on_line(self.record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0)))
    }
}

fn flaw(error: &csv::Error) -> Flaw {
    let line = error.position().map_or(1, csv::Position::line);
    Flaw::new(error.to_string()).on_line(usize::try_from(line).unwrap_or(0))
}
