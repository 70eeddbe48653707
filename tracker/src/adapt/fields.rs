//! Objects of which many number fields are wanted at once.

use std::collections::BTreeMap;

use super::error::Flaw;
use super::json::{Next, Reader};

/// The number fields of an object by their keys.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, f64>);

impl Fields {
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key).copied()
    }

    /// The first of these keys that is there.
    pub(super) fn first(&self, keys: &[&str]) -> Option<f64> {
        keys.iter().find_map(|key| self.number(key))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(key, value)| (key.as_str(), *value))
    }
}

/// Reads an object: numbers are kept, of the rest `other` takes what it wants and says so.
pub(super) fn fields<'a, F>(reader: &mut Reader<'a>, mut other: F) -> Result<Fields, Flaw>
where
    F: FnMut(&str, &mut Reader<'a>) -> Result<bool, Flaw>,
{
    let mut numbers = Fields::default();
    reader.map(|key, reader| {
        if reader.next() == Next::Number {
            numbers.0.insert(key.to_owned(), reader.number()?);
        } else if !other(key, reader)? {
            reader.skip()?;
        }
        Ok(())
    })?;
    Ok(numbers)
}

/// For objects of which only the numbers are wanted.
pub(super) fn numbers_only(reader: &mut Reader<'_>) -> Result<Fields, Flaw> {
    fields(reader, |_, _| Ok(false))
}

/// A value as a short text, whatever kind it is.
pub(super) fn as_text(reader: &mut Reader<'_>) -> Result<String, Flaw> {
    if reader.next() == Next::Text { Ok(reader.text()?.into_owned()) } else { Ok(reader.raw()?.to_owned()) }
}
