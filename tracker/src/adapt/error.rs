//! Why a file was refused: the format, the place, and what was expected.

use std::fmt;

use super::limits;

/// Where in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file within a folder; none when one file was given.
    pub file: Option<String>,
    /// The line and the column, both from 1.
    pub position: Option<(usize, usize)>,
    /// The path within a JSON document, such as `benchmarks[3].name`.
    pub path: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        if let Some(file) = &self.file {
            write!(f, "{file:?}")?;
            between = ", ";
        }
        if let Some((line, column)) = self.position {
            write!(f, "{between}line {line}, column {column}")?;
            between = ", ";
        }
        if !self.path.is_empty() {
            write!(f, "{between}at {}", self.path)?;
            between = ", ";
        }
        if between.is_empty() { f.write_str("the file as a whole") } else { Ok(()) }
    }
}

/// Why a file or folder yielded no measurements.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdaptError {
    /// The content breaks the format.
    #[error("not read as {format}: {place}: {what}")]
    Flawed {
        /// The format's name.
        format: &'static str,
        /// Where.
        place: Place,
        /// What was expected, and what stands there.
        what: String,
    },
    /// There is no content.
    #[error("the file is empty: whatever was to write it failed, or measured nothing")]
    Empty,
    /// No format knows the content.
    #[error("no known format has this shape; name it with --format (`tachograph formats` lists them)")]
    Unrecognised,
    /// Several formats know the content.
    #[error("this could be {}; name the one that is meant with --format", .formats.join(" or "))]
    Ambiguous {
        /// Their names.
        formats: Vec<&'static str>,
    },
    /// The format is right, yet no benchmark is in it.
    #[error("read as {format}, but no benchmark is in it{}", also(.remarks))]
    NothingMeasured {
        /// The format's name.
        format: &'static str,
        /// What was noticed on the way.
        remarks: Vec<String>,
    },
    /// More bytes than are taken.
    #[error("the file has {bytes} bytes; at most {} are taken", limits::FILE_BYTES)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Bytes that are no text, in a format where that matters.
    #[error("byte {offset} is not UTF-8")]
    NotUtf8 {
        /// Where the first such byte is.
        offset: usize,
    },
    /// A file in an encoding that is not taken.
    #[error("the file is {what}; {advice}")]
    Encoded {
        /// The encoding.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The format is a folder, and a file was given.
    #[error("{format} is read from a folder: give the folder, not one file of it")]
    WantsFolder {
        /// The format's name.
        format: &'static str,
    },
    /// The format is a file, and a folder was given.
    #[error("{format} is read from a file, not a folder")]
    WantsFile {
        /// The format's name.
        format: &'static str,
    },
}

fn also(remarks: &[String]) -> String {
    remarks.iter().fold(String::new(), |said, remark| said + "; " + remark)
}

/// A flaw as a parser meets it, before it is known in which format and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    file: Option<String>,
    offset: Option<usize>,
    position: Option<(usize, usize)>,
    path: String,
    what: String,
}

impl Flaw {
    pub(super) fn new(what: impl Into<String>) -> Flaw {
        Flaw { file: None, offset: None, position: None, path: String::new(), what: what.into() }
    }

    /// At this byte of the text.
    pub(super) fn at(mut self, offset: usize) -> Flaw {
        self.offset.get_or_insert(offset);
        self
    }

    /// In a part of the text that begins at this byte.
    pub(super) fn moved(mut self, start: usize) -> Flaw {
        self.offset = Some(start + self.offset.unwrap_or(0));
        self
    }

    /// The byte of the text where it is, if that is known.
    pub(super) fn offset(&self) -> Option<usize> {
        self.offset
    }

    /// On this line, counted from 1.
    pub(super) fn on_line(mut self, line: usize) -> Flaw {
        self.position.get_or_insert((line, 1));
        self
    }

    /// On this line and in this column.
    pub(super) fn placed(mut self, position: Option<(usize, usize)>) -> Flaw {
        self.position = self.position.or(position);
        self
    }

    /// In this file of a folder, whose text was this.
    pub(super) fn in_file(mut self, file: &str, text: &str) -> Flaw {
        self.position = self.position.or(self.offset.map(|offset| position(text, offset)));
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// Below this key of a JSON object.
    pub(super) fn below_key(mut self, key: &str) -> Flaw {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{}{dot}{}", excerpt(key), self.path);
        self
    }

    /// Below this place of a JSON list.
    pub(super) fn below_index(mut self, index: usize) -> Flaw {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{index}]{dot}{}", self.path);
        self
    }

    pub(super) fn in_text(self, format: &'static str, text: &str) -> AdaptError {
        let position = self.position.or(self.offset.map(|offset| position(text, offset)));
        let place = Place { file: self.file, position, path: excerpt(&self.path) };
        AdaptError::Flawed { format, place, what: excerpt(&self.what) }
    }

    pub(super) fn in_folder(self, format: &'static str) -> AdaptError {
        let place = Place { file: self.file, position: self.position, path: excerpt(&self.path) };
        AdaptError::Flawed { format, place, what: excerpt(&self.what) }
    }
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.split(|&byte| byte == b'\n').count();
    let column = 1 + String::from_utf8_lossy(&before[line_start..]).chars().count();
    (line, column)
}

/// A piece of foreign text, short enough for a message and without control characters.
pub(super) fn excerpt(text: &str) -> String {
    let mut end = text.len().min(limits::EXCERPT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut short: String = text[..end].chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    if end < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_format_place_and_what_was_expected() {
        let flaw = Flaw::new("expected a number, found \"x\"").at(8).below_key("mean").below_index(3);
        let error = flaw.below_key("results").in_text("hyperfine", "{\n \"é\": x");
        let said = "not read as hyperfine: line 2, column 6, at results[3].mean: expected a number, found \"x\"";
        assert_eq!(error.to_string(), said);
        let flaw = Flaw::new("expected an object").at(0).in_file("a/new/sample.json", "x");
        assert!(flaw.in_folder("criterion").to_string().contains("\"a/new/sample.json\", line 1, column 1"));
    }

    #[test]
    fn excerpts_are_short_and_hold_no_control_characters() {
        let short = excerpt(&"é\u{1b}".repeat(1000));
        assert!(short.len() <= limits::EXCERPT_BYTES + 4 && !short.contains('\u{1b}'));
    }
}
