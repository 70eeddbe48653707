//! A pull reader of JSON.
//!
//! The files read here are large and mostly not wanted: a parser names the few keys that it needs and skips the rest
//! without building anything. Three things are wanted that a general library does not give together: numbers at the
//! speed of the disk, the literals `NaN` and `Infinity` (which C++ and Python tools write), and errors with the path.

mod escape;
mod skip;
mod window;

use std::borrow::Cow;
use std::collections::HashSet;

use super::error::{Flaw, excerpt};
use super::limits;

pub(super) use window::{Window, position, read_element};

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Map,
    List,
    Text,
    Number,
    Bool,
    Null,
    Nothing,
}

impl Next {
    fn as_str(self) -> &'static str {
        match self {
            Next::Map => "an object",
            Next::List => "a list",
            Next::Text => "a text",
            Next::Number => "a number",
            Next::Bool => "true or false",
            Next::Null => "null",
            Next::Nothing => "no value",
        }
    }
}

/// Reads one document from its start to its end.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0, depth: 0 }
    }

    /// Where the reader stands, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// The kind of the next value, which is not consumed.
    pub(super) fn next(&mut self) -> Next {
        match self.peek() {
            Some(b'{') => Next::Map,
            Some(b'[') => Next::List,
            Some(b'"') => Next::Text,
            Some(b't' | b'f') => Next::Bool,
            Some(b'n') if self.rest().starts_with("null") => Next::Null,
            Some(b'0'..=b'9' | b'-' | b'N' | b'I' | b'n' | b'i') => Next::Number,
            _ => Next::Nothing,
        }
    }

    /// Reads an object; `each` is given every key and must consume its value.
    pub(super) fn map<F>(&mut self, mut each: F) -> Result<(), Flaw>
    where
        F: FnMut(&str, &mut Reader<'a>) -> Result<(), Flaw>,
    {
        self.each_pair(&mut each)
    }

    /// One loop for all callers of [`Reader::map`]: a copy of it for each of them was a fiftieth of the whole crate.
    fn each_pair(&mut self, each: &mut dyn FnMut(&str, &mut Reader<'a>) -> Result<(), Flaw>) -> Result<(), Flaw> {
        self.open(b'{', Next::Map)?;
        let mut seen = Keys::default();
        let mut first = true;
        while self.more(b'}', first)? {
            first = false;
            self.peek();
            let start = self.at;
            let key = self.text()?;
            if !seen.insert(key.clone()) {
                return Err(Flaw::new(format!("the key {:?} stands here a second time", excerpt(&key))).at(start));
            }
            self.colon()?;
            self.peek();
            let start = self.at;
            each(&key, self).map_err(|flaw| flaw.at(start).below_key(&key))?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a list; `each` must consume one element.
    pub(super) fn list<F>(&mut self, mut each: F) -> Result<(), Flaw>
    where
        F: FnMut(usize, &mut Reader<'a>) -> Result<(), Flaw>,
    {
        self.open(b'[', Next::List)?;
        let mut index = 0;
        while self.more(b']', index == 0)? {
            self.peek();
            let start = self.at;
            each(index, self).map_err(|flaw| flaw.at(start).below_index(index))?;
            index += 1;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a list of numbers.
    pub(super) fn numbers(&mut self) -> Result<Vec<f64>, Flaw> {
        let mut values = Vec::new();
        self.list(|_, reader| {
            if values.len() >= limits::VALUES {
                return Err(Flaw::new(format!("more than {} values", limits::VALUES)));
            }
            values.push(reader.number()?);
            Ok(())
        })?;
        Ok(values)
    }

    /// Reads a number; `NaN` and the infinities too, and what is too large becomes infinite.
    pub(super) fn number(&mut self) -> Result<f64, Flaw> {
        let expected = self.peek();
        let rest = &self.text.as_bytes()[self.at..];
        if matches!(expected, Some(b'0'..=b'9' | b'-')) {
            let ends = |byte: &u8| !matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
            let length = rest.iter().position(ends).unwrap_or(rest.len());
            if length > usize::from(expected == Some(b'-')) {
                let digits = &self.text[self.at..self.at + length];
                let value = digits.parse().map_err(|_| self.unexpected_text("a number", digits))?;
                self.at += length;
                return Ok(value);
            }
        }
        for (word, value) in WORDS {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("a number"))
    }

    /// Reads a whole number that is not negative.
    pub(super) fn count(&mut self) -> Result<u64, Flaw> {
        let start = self.at;
        let value = self.number()?;
        if value < 0.0 || value.fract() != 0.0 || value > 9.0e15 {
            return Err(Flaw::new(format!("expected a whole number, found {value}")).at(start));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
        Ok(value as u64)
    }

    /// Reads a text.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Flaw> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a text"));
        }
        let opening = self.at;
        self.at += 1;
        let start = self.at;
        let cut = || Flaw::new("a text begins here that never ends").at(opening);
        let plain = self.until_special().ok_or_else(cut)?;
        if self.text.as_bytes()[self.at] == b'"' {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..start + plain]));
        }
        let mut owned = self.text[start..start + plain].to_owned();
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(owned));
                }
                Some(b'\\') => owned.push(self.escape()?),
                _ => {
                    let from = self.at;
                    let plain = self.until_special().ok_or_else(cut)?;
                    owned.push_str(&self.text[from..from + plain]);
                }
            }
        }
    }

    /// Reads `true` or `false`.
    pub(super) fn bool(&mut self) -> Result<bool, Flaw> {
        self.peek();
        for (word, value) in [("true", true), ("false", false)] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("true or false"))
    }

    /// Consumes `null` if it is next.
    pub(super) fn null(&mut self) -> bool {
        let is_null = self.next() == Next::Null;
        if is_null {
            self.at += 4;
        }
        is_null
    }

    /// Reads a value by `read`, or `null` as none.
    pub(super) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Flaw>,
    ) -> Result<Option<T>, Flaw> {
        if self.null() { Ok(None) } else { read(self).map(Some) }
    }

    /// Consumes a value of any kind; only its brackets and texts are looked at.
    pub(super) fn skip(&mut self) -> Result<(), Flaw> {
        match self.next() {
            Next::Map | Next::List => self.skip_nested(),
            Next::Text => self.skip_text(),
            Next::Number => self.number().map(|_| ()),
            Next::Bool => self.bool().map(|_| ()),
            Next::Null => {
                self.at += 4;
                Ok(())
            }
            Next::Nothing => Err(self.unexpected("a value")),
        }
    }

    /// Consumes a value and returns its text, to be read later by a reader of its own.
    pub(super) fn raw(&mut self) -> Result<&'a str, Flaw> {
        self.peek();
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// Consumes a value and returns a reader that stands before it, for what can be read only when more is known.
    pub(super) fn raw_reader(&mut self) -> Result<Reader<'a>, Flaw> {
        self.peek();
        let before = self.clone();
        self.skip()?;
        Ok(before)
    }

    /// Makes sure that nothing follows.
    pub(super) fn finish(mut self) -> Result<(), Flaw> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end of the file")),
        }
    }

    /// The error for what stands here, where `expected` should.
    pub(super) fn unexpected(&mut self, expected: &str) -> Flaw {
        self.peek();
        if self.at >= self.text.len() {
            return Flaw::new(format!("expected {expected}, found the end of the file")).at(self.at);
        }
        let found = match self.next() {
            Next::Map | Next::List => self.next().as_str().to_owned(),
            _ => {
                let ends = |(at, c): (usize, char)| (at > 0 && "\n,}]".contains(c)) || at > 24;
                let end = self
                    .rest()
                    .char_indices()
                    .find(|found| ends(*found))
                    .map_or(self.text.len(), |(at, _)| self.at + at);
                format!("`{}`", excerpt(self.text[self.at..end].trim_end()))
            }
        };
        Flaw::new(format!("expected {expected}, found {found}")).at(self.at)
    }

    fn unexpected_text(&self, expected: &str, found: &str) -> Flaw {
        Flaw::new(format!("expected {expected}, found `{}`", excerpt(found))).at(self.at)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn open(&mut self, bracket: u8, kind: Next) -> Result<(), Flaw> {
        if self.peek() != Some(bracket) {
            return Err(self.unexpected(kind.as_str()));
        }
        self.depth += 1;
        if self.depth > limits::DEPTH {
            return Err(too_deep(self.at));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether another element comes, the comma consumed; else the closing bracket is.
    fn more(&mut self, close: u8, first: bool) -> Result<bool, Flaw> {
        let next = self.peek();
        if next == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        if first {
            return Ok(true);
        }
        if next != Some(b',') {
            let expected = if close == b']' { "`,` or `]`" } else { "`,` or `}`" };
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        Ok(true)
    }

    fn colon(&mut self) -> Result<(), Flaw> {
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// Moves to the next quote or backslash and says how far that was.
    fn until_special(&mut self) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        self.at += plain;
        Some(plain)
    }
}

/// The words for what is no finite number, as C++, Python and Java write them.
const WORDS: [(&str, f64); 9] = [
    ("NaN", f64::NAN),
    ("nan", f64::NAN),
    ("-NaN", f64::NAN),
    ("-nan", f64::NAN),
    ("Infinity", f64::INFINITY),
    ("-Infinity", f64::NEG_INFINITY),
    ("inf", f64::INFINITY),
    ("-inf", f64::NEG_INFINITY),
    ("Inf", f64::INFINITY),
];

fn too_deep(at: usize) -> Flaw {
    Flaw::new(format!("nested deeper than {} levels", limits::DEPTH)).at(at)
}

/// The keys of one object: a list while they are few, a set when they are many.
#[derive(Debug, Default)]
struct Keys<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    /// Whether the key is new.
    fn insert(&mut self, key: Cow<'a, str>) -> bool {
        if !self.many.is_empty() {
            return self.many.insert(key);
        }
        if self.few.contains(&key) {
            return false;
        }
        self.few.push(key);
        if self.few.len() > 32 {
            self.many.extend(self.few.drain(..));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, read: impl Fn(&mut Reader<'_>) -> Result<(), Flaw>) -> String {
        let flaw = read(&mut Reader::new(text)).unwrap_err();
        flaw.in_text("test", text).to_string()
    }

    #[test]
    fn every_kind_of_value_is_read_and_the_unwanted_skipped() {
        let text = r#" {"a": [1, -2.5e3, 1e999, NaN], "b": {"x": ["]}\"", {}]}, "c": "h\u00e9\ud83d\ude00\n", "d": null, "e": true} "#;
        let mut reader = Reader::new(text);
        let (mut numbers, mut words, mut yes) = (Vec::new(), String::new(), false);
        reader
            .map(|key, reader| {
                match key {
                    "a" => numbers = reader.numbers()?,
                    "c" => words = reader.text()?.into_owned(),
                    "d" => assert_eq!(reader.optional(Reader::number)?, None),
                    "e" => yes = reader.bool()?,
                    _ => assert_eq!(reader.raw()?, r#"{"x": ["]}\"", {}]}"#),
                }
                Ok(())
            })
            .unwrap();
        reader.finish().unwrap();
        assert_eq!(numbers[..3], [1.0, -2500.0, f64::INFINITY]);
        assert!(numbers[3].is_nan() && yes);
        assert_eq!(words, "hé😀\n");
    }

    #[test]
    fn depth_is_bounded_in_what_is_read_and_in_what_is_skipped() {
        fn descend(reader: &mut Reader<'_>) -> Result<(), Flaw> {
            reader.list(|_, reader| descend(reader))
        }
        fn skip(reader: &mut Reader<'_>) -> Result<(), Flaw> {
            reader.skip()
        }
        let deep = "[".repeat(limits::DEPTH + 1);
        assert!(message(&deep, skip).contains("nested deeper"));
        assert!(message(&deep, descend).contains("nested deeper"));
    }

    #[test]
    fn a_flaw_names_line_column_and_path() {
        let said = message("{\"a\":\n [1, {\"b\": x}]}", |reader| {
            reader.map(|_, reader| {
                reader.list(|index, reader| {
                    if index == 0 {
                        return reader.skip();
                    }
                    reader.map(|_, reader| reader.number().map(|_| ()))
                })
            })
        });
        assert_eq!(said, "not read as test: line 2, column 12, at a[1].b: expected a number, found `x`");
    }

    #[test]
    fn broken_documents_are_refused_wherever_they_break() {
        let whole = r#"{"a": ["x\"y", {"b": [1, 2]}], "c": {"d": "e"}}"#;
        for end in 0..whole.len() {
            assert!(Reader::new(&whole[..end]).skip().is_err(), "{}", &whole[..end]);
        }
        for text in ["[1}", "{\"a\":]", "{\"a\" 1}", "[1 2]", "nul", "tru", "-", "1e", "\"\\x\"", "[,1]"] {
            let mut reader = Reader::new(text);
            let read = match reader.next() {
                Next::List => reader.numbers().map(|_| ()),
                Next::Map => reader.map(|_, reader| reader.skip()),
                Next::Text => reader.text().map(|_| ()),
                _ => reader.skip(),
            };
            assert!(read.is_err(), "{text}");
        }
        assert!(Reader::new("1 2").clone().finish().is_err());
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_in_small_objects_and_large_ones() {
        let many = (0..100).fold(String::new(), |text, key| format!("{text}\"{key}\":1,"));
        for text in ["{\"a\":1,\"a\":2}".to_owned(), format!("{{{many}\"7\":1}}")] {
            assert!(message(&text, |reader| reader.map(|_, reader| reader.skip())).contains("a second time"));
        }
    }
}
