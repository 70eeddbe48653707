//! Records for programs: one JSON object a line.
//!
//! `{"record":"commit","content":{…}}` for a commit that the store knows of, `{"record":"run","id":"…","content":{…}}` for a
//! run with every sample. The identity is the SHA-256 of `run`, a line feed and the content as it stands in the line. A run
//! that came from a ledger as a sketch of its samples bears `"sketch":true`, and the identity of what it is a sketch of.

use serde::Serialize;

use crate::domain::{Commit, RecordId, Run};

/// A record in a line.
#[derive(Debug, Serialize)]
#[serde(tag = "record", rename_all = "lowercase")]
pub enum Line<'a> {
    /// A commit.
    Commit {
        /// What is known of it.
        content: &'a Commit,
    },
    /// A run.
    Run {
        /// Its identity.
        id: &'a RecordId,
        /// Whether the content is a sketch: some other store has every sample.
        #[serde(skip_serializing_if = "is_false")]
        sketch: bool,
        /// All that was observed.
        content: &'a Run,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(value: &bool) -> bool {
    !value
}

impl<'a> Line<'a> {
    /// A run under its identity.
    #[must_use]
    pub fn run(id: &'a RecordId, run: &'a Run) -> Line<'a> {
        Line::Run { id, sketch: run.id() != *id, content: run }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::domain::{CommitId, Machine, Subject, SuiteName};

    #[test]
    fn the_identity_is_the_hash_of_what_stands_in_the_line() {
        let id = CommitId::new("0b".repeat(20)).unwrap();
        let commit = Commit { id, parents: vec![], committed_at_s: 12, subject: "naïve \"quotes\"".to_owned() };
        let run = Run {
            suite: SuiteName::new("engine").unwrap(),
            subject: Subject::Commit(commit),
            machine: Machine::Named("lorry".to_owned()),
            started_at_s: 13,
            elapsed_ns: 14,
            source: "run".to_owned(),
            notes: [("load".to_owned(), "0.5".to_owned())].into(),
            pulse: None,
            outcomes: [].into(),
            attachments: vec![],
        };
        let line = serde_json::to_string(&Line::run(&run.id(), &run)).unwrap();
        let head = format!("{{\"record\":\"run\",\"id\":\"{}\",\"content\":", run.id());
        let content = line.strip_prefix(&head).unwrap().strip_suffix('}').unwrap();
        let hash = crate::domain::hex(&Sha256::digest(format!("run\n{content}")));
        assert_eq!(hash, run.id().as_str());
    }
}
