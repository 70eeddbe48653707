//! A list in a file of which only a window is in memory: its elements one at a time, each read where it is whole.
//!
//! Whether it is whole is told by its brackets, before it is read. What an element is and where it ends is then said by
//! the same reader that reads whole texts, so that both find the same values and the same flaws.

use std::ops::Range;

use super::{Next, Reader};
use crate::adapt::error::Flaw;
use crate::adapt::parsed::File;
use crate::adapt::{AdaptError, limits, text};

/// How much is read at a time.
const STEP_BYTES: usize = 256 << 10;

/// What is looked at beyond an element: as much as a flaw quotes.
const AHEAD_BYTES: usize = 256;

/// What shows how a file is encoded stands in its first bytes.
const HEAD_BYTES: usize = 8;

/// The depth at which the elements stand.
const DEPTH: usize = 1;

const MARK: char = '\u{feff}';

/// A part of a file, moved from its start to its end.
pub(in crate::adapt) struct Window<'s> {
    file: &'s dyn File,
    text: String,
    /// How much of the text was read already.
    at: usize,
    /// Where in the file the text begins.
    start: usize,
    /// The first bytes of a character whose others are not here yet.
    begun: Vec<u8>,
    has_ended: bool,
}

impl<'s> Window<'s> {
    /// Opens a file at its start. What is no text is refused.
    pub(in crate::adapt) fn open(file: &'s dyn File) -> Result<Window<'s>, AdaptError> {
        if file.bytes() > limits::FILE_BYTES {
            return Err(AdaptError::TooLarge { bytes: file.bytes() });
        }
        let head = head(file);
        text::refuse_encoded(&head)?;
        let start = marked(&head);
        Ok(Window { file, text: String::new(), at: 0, start, begun: Vec::new(), has_ended: false })
    }

    /// What the window shows first, for finding out the format.
    pub(in crate::adapt) fn head(&mut self) -> Result<&str, Flaw> {
        while self.text.len() < STEP_BYTES && !self.has_ended {
            self.more()?;
        }
        Ok(&self.text)
    }

    /// Reads the list. `each` is given a reader that stands before an element, and where in the file that is.
    pub(in crate::adapt) fn list<F>(mut self, mut each: F) -> Result<(), Flaw>
    where
        F: FnMut(&mut Reader<'_>, usize) -> Result<(), Flaw>,
    {
        self.find_value()?;
        self.read(0, |reader| reader.open(b'[', Next::List))?;
        let mut index = 0;
        loop {
            self.find_value()?;
            if !self.read(DEPTH, |reader| reader.more(b']', index == 0))? {
                break;
            }
            self.find_value()?;
            self.hold_element()?;
            let place = self.start + self.at;
            self.read(DEPTH, |reader| each(reader, place)).map_err(|flaw| flaw.at(place).below_index(index))?;
            index += 1;
        }
        self.find_value()?;
        self.read(0, |reader| reader.clone().finish())
    }

    /// Reads something that stands in the window.
    fn read<T>(&mut self, depth: usize, read: impl FnOnce(&mut Reader<'_>) -> Result<T, Flaw>) -> Result<T, Flaw> {
        let mut reader = Reader { text: &self.text[self.at..], at: 0, depth };
        let value = read(&mut reader).map_err(|flaw| flaw.moved(self.start + self.at))?;
        self.at += reader.at;
        Ok(value)
    }

    /// Moves over white space, and looks a little ahead.
    fn find_value(&mut self) -> Result<(), Flaw> {
        loop {
            let rest = self.text[self.at..].trim_start_matches([' ', '\n', '\r', '\t']);
            self.at = self.text.len() - rest.len();
            if rest.len() >= AHEAD_BYTES || self.has_ended {
                return Ok(());
            }
            self.more()?;
        }
    }

    /// Takes in as much as the element needs that begins here.
    fn hold_element(&mut self) -> Result<(), Flaw> {
        let mut extent = Extent::default();
        while !extent.ends_in(&self.text.as_bytes()[self.at..]) && !self.has_ended {
            self.more()?;
        }
        while self.text.len() - self.at < extent.seen + AHEAD_BYTES && !self.has_ended {
            self.more()?;
        }
        Ok(())
    }

    /// Takes in the next part of the file, and gives away what was read.
    fn more(&mut self) -> Result<(), Flaw> {
        self.text.drain(..self.at);
        self.start += self.at;
        self.at = 0;
        let from = self.start + self.text.len();
        let mut bytes = std::mem::take(&mut self.begun);
        let more = self.file.read(from + bytes.len(), STEP_BYTES).map_err(Flaw::new)?;
        self.has_ended = more.is_empty();
        bytes.extend(more);
        let Err(error) = std::str::from_utf8(&bytes).map(|text| self.text.push_str(text)) else { return Ok(()) };
        let good = error.valid_up_to();
        if error.error_len().is_some() || self.has_ended {
            return Err(not_utf8(from + good));
        }
        self.text.push_str(&String::from_utf8_lossy(&bytes[..good]));
        self.begun = bytes.split_off(good);
        Ok(())
    }
}

/// The bytes that show how a file is encoded, however few of them come at a time.
fn head(file: &dyn File) -> Vec<u8> {
    let mut head = Vec::new();
    while head.len() < HEAD_BYTES {
        match file.read(head.len(), HEAD_BYTES - head.len()) {
            Ok(more) if !more.is_empty() => head.extend(more),
            _ => break,
        }
    }
    head
}

/// How long the byte order mark is.
fn marked(head: &[u8]) -> usize {
    if head.starts_with(MARK.to_string().as_bytes()) { MARK.len_utf8() } else { 0 }
}

fn not_utf8(at: usize) -> Flaw {
    Flaw::new("this is not UTF-8").at(at)
}

/// Reads one element again, from where it stood.
pub(in crate::adapt) fn read_element<T>(
    file: &dyn File,
    place: &Range<usize>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Flaw>,
) -> Result<T, Flaw> {
    let mut bytes = Vec::with_capacity(place.len());
    while bytes.len() < place.len() {
        let more = file.read(place.start + bytes.len(), place.len() - bytes.len()).map_err(Flaw::new)?;
        if more.is_empty() {
            return Err(Flaw::new("the file ends earlier than it did").at(place.end));
        }
        bytes.extend(more);
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| not_utf8(place.start + error.valid_up_to()))?;
    read(&mut Reader { text, at: 0, depth: DEPTH }).map_err(|flaw| flaw.moved(place.start))
}

/// Line and column of a place in a file, from 1; none if it cannot be read any more.
pub(in crate::adapt) fn position(file: &dyn File, place: usize) -> Option<(usize, usize)> {
    let (mut line, mut column, mut at) = (1, 1, marked(&head(file)));
    while at < place {
        let bytes = file.read(at, STEP_BYTES.min(place - at)).ok().filter(|bytes| !bytes.is_empty())?;
        at += bytes.len();
        let after = match bytes.iter().rposition(|&byte| byte == b'\n') {
            Some(newline) => {
                line += bytes[..=newline].split(|&byte| byte == b'\n').count() - 1;
                column = 1;
                &bytes[newline + 1..]
            }
            None => &bytes[..],
        };
        // Bytes that continue a character are no column.
        column += after.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    }
    Some((line, column))
}

/// How far an element goes, seen as far as it is here.
#[derive(Default)]
struct Extent {
    seen: usize,
    /// The open brackets, as bits of a number, and how many.
    open: u128,
    depth: usize,
    is_in_text: bool,
}

impl Extent {
    /// Whether the element ends in these bytes, of which those that were seen were given before; so it does where
    /// something stands that no element goes on with, for then it is at its flaw.
    fn ends_in(&mut self, bytes: &[u8]) -> bool {
        if !matches!(bytes.first(), Some(b'{' | b'[')) {
            return true;
        }
        while let Some(&byte) = self.next_special(bytes) {
            match byte {
                b'"' => self.is_in_text = !self.is_in_text,
                b'\\' if self.seen + 1 >= bytes.len() => return false,
                b'\\' => self.seen += 1,
                b'{' | b'[' => {
                    self.depth += 1;
                    self.open = (self.open << 1) | u128::from(byte == b'{');
                }
                _ => {
                    let fits = (self.open & 1 == 1) == (byte == b'}');
                    self.open >>= 1;
                    self.depth -= 1;
                    if self.depth == 0 || !fits {
                        self.seen += 1;
                        return true;
                    }
                }
            }
            self.seen += 1;
            if self.depth > limits::DEPTH {
                return true;
            }
        }
        false
    }

    /// The next byte that means something where it stands: a quote or a backslash in a text, else a quote or a bracket.
    fn next_special<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b u8> {
        let rest = &bytes[self.seen..];
        let special = if self.is_in_text {
            rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))
        } else {
            rest.iter().position(|byte| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}'))
        };
        self.seen += special.unwrap_or(rest.len());
        bytes.get(self.seen)
    }
}
