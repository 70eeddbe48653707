//! The public identity of a record: the hash of its canonical content.

use std::fmt;
use std::io::{BufWriter, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// The SHA-256 of a record's canonical content, in hexadecimal.
///
/// The canonical form is the record's JSON without white space, keys in the order of the type's fields, floats in their
/// shortest form that reads back as the same number. A record that was read from elsewhere is parsed into its type
/// first, so that one content has one form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordId(String);

/// Why a text is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an identity is 64 lower-case hexadecimal digits, not {0:?}")]
pub struct RecordIdError(String);

impl TryFrom<String> for RecordId {
    type Error = RecordIdError;
    fn try_from(text: String) -> Result<RecordId, RecordIdError> {
        RecordId::parse(&text).ok_or(RecordIdError(text))
    }
}

impl From<RecordId> for String {
    fn from(id: RecordId) -> String {
        id.0
    }
}

impl RecordId {
    /// The identity of a record of the given kind (`run`, `duel`, `annotation`).
    ///
    /// # Panics
    ///
    /// Never for the record types of this crate: their JSON form cannot fail.
    #[must_use]
    pub fn of<T: Serialize>(kind: &str, record: &T) -> RecordId {
        let mut hash = Hash::of(kind);
        hash.json(record);
        hash.id()
    }

    /// Takes an identity that was stored or typed; anything else than 64 lower-case hexadecimal digits is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<RecordId> {
        let whole = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        whole.then(|| RecordId(text.to_owned()))
    }

    /// The whole hash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, as shown to people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

/// An identity under way: the record's form goes into it piece by piece and is never there as a whole.
#[derive(Debug)]
pub(super) struct Hash(BufWriter<Sha256>);

#[expect(clippy::expect_used, reason = "a record has a JSON form, and a hash takes any bytes")]
impl Hash {
    pub(super) fn of(kind: &str) -> Hash {
        let mut hash = Hash(BufWriter::with_capacity(16 << 10, Sha256::new()));
        hash.text(kind);
        hash.text("\n");
        hash
    }

    pub(super) fn text(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).expect("a hash takes any bytes");
    }

    pub(super) fn json(&mut self, value: &impl Serialize) {
        serde_json::to_writer(&mut self.0, value).expect("a record has a JSON form");
    }

    pub(super) fn id(self) -> RecordId {
        RecordId(hex(&self.0.into_inner().expect("a hash takes any bytes").finalize()))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_is_the_hash_of_kind_and_content() {
        // sha256("run\n[1,2.5]"), by sha256sum.
        let id = RecordId::of("run", &(1, 2.5));
        assert_eq!(id.as_str(), "63349be6b991b3f0e0378f956597847bbb4b0dacd3f0de23173700d3968a6fba");
        assert_ne!(RecordId::of("duel", &(1, 2.5)), id);
        assert_eq!(RecordId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(RecordId::parse("abc"), None);
        assert!(serde_json::from_str::<RecordId>("\"../../etc/passwd\"").is_err(), "an identity names files");
        assert_eq!(serde_json::from_str::<RecordId>(&format!("\"{id}\"")).unwrap(), id);
    }
}
