//! What a content looks like from afar, for choosing among the formats.

use super::json::{Next, Reader};

/// How deep and how wide an outline goes.
const DEPTH: usize = 5;
const KEYS: usize = 64;

/// A content, seen from afar.
#[derive(Debug)]
pub(super) struct Sniff<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    outline: Option<Outline>,
}

/// The shape of a JSON value: the keys of objects, the first element of lists.
#[derive(Debug)]
enum Outline {
    Map(Vec<(String, Outline)>),
    List(Option<Box<Outline>>),
    Text,
    Number,
    Other,
}

impl<'a> Sniff<'a> {
    /// Looks at a text. A document that breaks off is outlined as far as it goes, so that its own parser can say where.
    pub(super) fn of(text: &'a str) -> Sniff<'a> {
        let trimmed = text.trim_start();
        let json = if trimmed.starts_with(['{', '[']) {
            Some(trimmed)
        } else {
            text.lines().find(|line| line.starts_with("{\"")).filter(|line| !line.is_empty())
        };
        Sniff { text, outline: json.map(|json| outline(&mut Reader::new(json), 0)) }
    }

    /// Whether the JSON document (or the first JSON line) has a value at this path: keys and `0` for the first of a
    /// list, parted by `/`; `*` stands for the first key.
    pub(super) fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Whether a number stands at this path.
    pub(super) fn has_number(&self, path: &str) -> bool {
        matches!(self.find(path), Some(Outline::Number))
    }

    /// Whether a text stands at this path.
    pub(super) fn has_text(&self, path: &str) -> bool {
        matches!(self.find(path), Some(Outline::Text))
    }

    fn find(&self, path: &str) -> Option<&Outline> {
        let mut at = self.outline.as_ref()?;
        for part in path.split('/') {
            at = match (at, part) {
                (Outline::List(first), "0") => first.as_deref()?,
                (Outline::Map(entries), "*") => &entries.first()?.1,
                (Outline::Map(entries), key) => &entries.iter().find(|(known, _)| known == key)?.1,
                _ => return None,
            };
        }
        Some(at)
    }
}

fn outline(reader: &mut Reader<'_>, depth: usize) -> Outline {
    match reader.next() {
        Next::Map if depth < DEPTH => {
            let mut entries = Vec::new();
            // A broken document ends the outline; what was seen until then stays.
            let _ = reader.map(|key, reader| {
                if entries.len() >= KEYS {
                    return reader.skip();
                }
                entries.push((key.to_owned(), outline(reader, depth + 1)));
                Ok(())
            });
            Outline::Map(entries)
        }
        Next::List if depth < DEPTH => {
            let mut first = None;
            let _ = reader.list(|_, reader| {
                if first.is_some() {
                    return reader.skip();
                }
                first = Some(Box::new(outline(reader, depth + 1)));
                Ok(())
            });
            Outline::List(first)
        }
        next => {
            let kind = match next {
                Next::Text => Outline::Text,
                Next::Number => Outline::Number,
                _ => Outline::Other,
            };
            // An error here shows again at the next comma.
            let _ = reader.skip();
            kind
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_knows_keys_and_first_elements() {
        let sniff = Sniff::of(" {\"results\":[{\"command\":\"x\",\"mean\":1}, 2],\"n\":null}");
        assert!(sniff.has_text("results/0/command") && sniff.has_number("results/0/mean") && sniff.has("n"));
        assert!(!sniff.has("results/0/other") && !sniff.has("results/1"));
        assert!(sniff.has_text("*/0/command"));
    }

    #[test]
    fn a_document_that_breaks_off_is_outlined_as_far_as_it_goes() {
        assert!(Sniff::of("{\"results\":[{\"command\":\"x\",\"mean\":1").has("results/0/mean"));
    }
}
