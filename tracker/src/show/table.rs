//! Text in columns that fit the terminal.

use super::escape;
use super::style::{Style, Tone};

/// The gap between columns.
const GAP: &str = "  ";

/// A column that is made narrower keeps so many characters.
const LEAST: usize = 12;

/// On which side a column is flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Names and words.
    Left,
    /// Numbers.
    Right,
}

/// A piece of a row.
#[derive(Debug, Clone, Default)]
struct Cell {
    text: String,
    tone: Tone,
}

/// Rows of text under headings.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: &[(&'static str, Align)]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; texts are escaped here, so they may come from anywhere.
    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        self.toned_row(Tone::Plain, cells);
    }

    /// Adds a row in a tone.
    pub fn toned_row<T: AsRef<str>>(&mut self, tone: Tone, cells: &[T]) {
        let cell = |text: &T| Cell { text: escape::line(text.as_ref()).into_owned(), tone };
        self.rows.push(cells.iter().map(cell).collect());
    }

    /// The table as text. Columns in which every cell is empty are left out; where a line has no room, the widest column of
    /// words gives way.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let shown: Vec<usize> = (0..self.columns.len()).filter(|&column| self.is_needed(column)).collect();
        let widths = self.widths(&shown, style.width);
        let headings = self.columns.iter().map(|(name, _)| Cell { text: (*name).to_owned(), tone: Tone::Heading });
        let mut text = String::new();
        for row in std::iter::once(&headings.collect()).chain(&self.rows) {
            let mut line = String::new();
            for (place, (&column, &width)) in shown.iter().zip(&widths).enumerate() {
                let cell = row.get(column).cloned().unwrap_or_default();
                let fitted = shorten(&cell.text, width);
                let pad = " ".repeat(width - count(&fitted));
                let gap = if place == 0 { "" } else { GAP };
                let painted = style.paint(cell.tone, &fitted);
                let pieces = match self.columns[column].1 {
                    Align::Left => [gap, &painted, &pad],
                    Align::Right => [gap, &pad, &painted],
                };
                line.extend(pieces);
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    fn is_needed(&self, column: usize) -> bool {
        self.rows.iter().any(|row| row.get(column).is_some_and(|cell| !cell.text.is_empty()))
    }

    fn widths(&self, shown: &[usize], room: Option<usize>) -> Vec<usize> {
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let mut widths: Vec<usize> = shown
            .iter()
            .map(|&column| {
                cells(column).map(|cell| count(&cell.text)).max().unwrap_or(0).max(count(self.columns[column].0))
            })
            .collect();
        let Some(room) = room else { return widths };
        loop {
            let total = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
            let words = (0..widths.len()).filter(|&at| self.columns[shown[at]].1 == Align::Left);
            let widest = words.max_by_key(|&at| widths[at]).filter(|&at| widths[at] > LEAST);
            match widest {
                Some(widest) if total > room => widths[widest] -= (total - room).min(widths[widest] - LEAST),
                _ => return widths,
            }
        }
    }
}

/// Takes from the middle of a text that is too long: of a path, both ends say more.
#[must_use]
pub fn shorten(text: &str, width: usize) -> String {
    let length = count(text);
    if length <= width {
        return text.to_owned();
    }
    let Some(kept) = width.checked_sub(1) else { return String::new() };
    let head = kept / 2;
    let tail = length - (kept - head);
    text.chars().take(head).chain(['…']).chain(text.chars().skip(tail)).collect()
}

fn count(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[("benchmark", Align::Left), ("time", Align::Right), ("note", Align::Left)]);
        table.row(&["kernel/matmul/512", "5.31 µs", ""]);
        table.row(&["a\u{1b}b", "17 ns", ""]);
        table
    }

    #[test]
    fn numbers_are_flush_right_and_empty_columns_are_left_out() {
        let expected = "benchmark             time\nkernel/matmul/512  5.31 µs\na\\u{1b}b             17 ns\n";
        assert_eq!(table().render(Style::default()), expected);
    }

    #[test]
    fn words_give_way_where_there_is_no_room() {
        let text = table().render(Style { colour: false, width: Some(21) });
        assert_eq!(text.lines().nth(1), Some("kerne…ul/512  5.31 µs"));
        assert!(text.lines().all(|line| count(line) <= 21));
    }

    #[test]
    fn a_text_is_shortened_in_its_middle() {
        assert_eq!(shorten("kernel/matmul/512", 9), "kern…/512");
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!((shorten("abcd", 1), shorten("abcd", 0)), ("…".to_owned(), String::new()));
    }
}
