//! Commits, as far as a history of measurements needs them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is no commit id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a commit id is 40 or 64 lower-case hexadecimal digits, not {0:?}")]
pub struct CommitIdError(String);

/// The full hash of a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

impl CommitId {
    /// Takes a full hash, SHA-1 or SHA-256.
    pub fn new(text: impl Into<String>) -> Result<CommitId, CommitIdError> {
        let text = text.into();
        let is_hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && matches!(text.len(), 40 | 64) { Ok(CommitId(text)) } else { Err(CommitIdError(text)) }
    }

    /// The whole hash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first ten digits, as shown to people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl TryFrom<String> for CommitId {
    type Error = CommitIdError;
    fn try_from(text: String) -> Result<CommitId, CommitIdError> {
        CommitId::new(text)
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> String {
        id.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A commit with what orders and names it, so that history can be read without the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its hash.
    pub id: CommitId,
    /// Its parents, first parent first.
    pub parents: Vec<CommitId>,
    /// When it was committed, in seconds since 1970 UTC; not to be trusted for order.
    pub committed_at_s: i64,
    /// The first line of its message.
    pub subject: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_hash_is_a_commit_id() {
        assert!(CommitId::new("abc").is_err());
        assert!(CommitId::new("G".repeat(40)).is_err());
        assert!(CommitId::new("A".repeat(40)).is_err());
        assert_eq!(CommitId::new("0123456789".repeat(4)).unwrap().short(), "0123456789");
        assert!(CommitId::new("ab".repeat(32)).is_ok());
    }
}
