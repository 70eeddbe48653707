//! The elements of an XML document, in order, within the limits. What is not needed is passed over.

use quick_xml::events::{BytesStart, Event};

use super::error::{Flaw, excerpt};
use super::limits;

/// What a parser is told.
pub(super) enum Step<'a> {
    /// An element begins (`<a …>`); its end follows even where it is empty (`<a/>`).
    Open(&'a Element),
    /// The element of this name ends.
    Close(&'a str),
    /// The document ends before its outermost element does.
    Cut,
}

/// An element's name and attributes.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// An attribute that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Flaw> {
        self.attribute(name).ok_or_else(|| Flaw::new(format!("expected the attribute {name:?} on <{}>", self.name)))
    }
}

/// Walks through a document. A document type is refused: it could define entities that grow without end.
pub(super) fn walk<F>(text: &str, mut each: F) -> Result<(), Flaw>
where
    F: FnMut(Step<'_>) -> Result<(), Flaw>,
{
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    loop {
        let at = offset(reader.buffer_position());
        let event = match reader.read_event() {
            Ok(event) => event,
            // Cut off within a tag or a text: no more than cut off between two.
            Err(quick_xml::Error::Syntax(_)) if !open.is_empty() => return each(Step::Cut),
            Err(error) => return Err(Flaw::new(error.to_string()).at(at)),
        };
        let step = match event {
            Event::Start(start) => {
                let element = element(&start).map_err(|flaw| flaw.at(at))?;
                if open.len() >= limits::DEPTH {
                    return Err(Flaw::new(format!("nested deeper than {} levels", limits::DEPTH)).at(at));
                }
                open.push(element.name.clone());
                each(Step::Open(&element))
            }
            Event::Empty(start) => {
                let element = element(&start).map_err(|flaw| flaw.at(at))?;
                each(Step::Open(&element)).and_then(|()| each(Step::Close(&element.name)))
            }
            Event::End(_) => match open.pop() {
                Some(name) => each(Step::Close(&name)),
                None => Err(Flaw::new("an element ends that did not begin")),
            },
            Event::DocType(_) => Err(Flaw::new("a document type (DOCTYPE) is not taken")),
            Event::Eof if open.is_empty() => return Ok(()),
            Event::Eof => return each(Step::Cut),
            _ => Ok(()),
        };
        step.map_err(|flaw| flaw.at(at))?;
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn element(start: &BytesStart<'_>) -> Result<Element, Flaw> {
    let mut element = Element { name: start.name().as_ref().to_owned(), attributes: Vec::new() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| Flaw::new(error.to_string()))?;
        let name = attribute.key.as_ref().to_owned();
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|error| {
            Flaw::new(format!("the attribute {name:?} holds {:?}: {error}", excerpt(&attribute.value)))
        })?;
        element.attributes.push((name, value.into_owned()));
    }
    Ok(element)
}
