//! What a job recorded of a commit for the history, on its way to a job that may share it: the job that measures runs
//! code, and so it has no right to write anywhere.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file::{bounded, is, is_of, lines};
use super::{CarryError, MOST_SUITES, write_lines};
use crate::domain::{Bundle, CommitId, Content, Duel, Run};
use crate::failure::Outcome;
use crate::record::Store;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    records: u32,
    commit: CommitId,
}

/// Of so many records of a store, the newest, those of the commit are looked for.
const NEWEST: usize = 500;

/// What was recorded of a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Records {
    /// The commit.
    pub commit: CommitId,
    /// Its runs, whole.
    pub runs: Vec<Run>,
    /// The duels of which it is the head and from which gates may learn, whole.
    pub duels: Vec<Duel>,
}

/// What a store has of a commit; sketches, which came from elsewhere, are left out.
pub fn records_of(store: &mut Store, commit: &CommitId) -> Outcome<Records> {
    let mut records = Records { commit: commit.clone(), runs: Vec::new(), duels: Vec::new() };
    for line in store.newest_runs(NEWEST)?.into_iter().filter(|line| line.commit == *commit && !line.dirty) {
        let held = store.held(&line.id)?.filter(|held| held.gists.is_none());
        records.runs.extend(held.map(|held| held.run));
    }
    let teaches = store.duel_ids()?;
    for line in store.newest_duels(NEWEST)?.into_iter().filter(|line| line.head == *commit && !line.dirty) {
        if teaches.get(&line.id) == Some(&true)
            && let Some((duel, false)) = store.held_duel(&line.id)?
        {
            records.duels.push(duel);
        }
    }
    Ok(records)
}

/// Writes them.
pub fn write_records(place: &Path, records: &Records) -> Outcome<()> {
    let head = Head { records: 1, commit: records.commit.clone() };
    let runs = records.runs.iter().map(|run| (run.id(), Content::Run { run: Box::new(run.clone()), gists: None }));
    let duels =
        records.duels.iter().map(|duel| (duel.id(), Content::Duel { duel: Box::new(duel.clone()), sketch: false }));
    write_lines(place, &head, runs.chain(duels))
}

/// Reads a file that anybody may have written, about the commit that the trusted side names.
pub fn read_records(place: &Path, commit: &CommitId) -> Result<Records, CarryError> {
    let bytes = bounded(place)?;
    let (head, lines): (Head, _) = lines(&bytes)?;
    if head.records != 1 {
        return Err(CarryError::Malformed(format!("it is of version {}; this program knows version 1", head.records)));
    }
    is(&head.commit, commit)?;
    let mut records = Records { commit: head.commit, runs: Vec::new(), duels: Vec::new() };
    for (line, bytes) in lines {
        // A run and a duel a suite, and a second look at suspects.
        if records.runs.len() + records.duels.len() >= 4 * MOST_SUITES {
            return Err(CarryError::TooMany);
        }
        let wrong = |problem: String| CarryError::Bundle { line, problem };
        match Bundle::parse(bytes).map_err(|error| wrong(error.to_string()))?.into_content() {
            Content::Run { run, gists: None } => {
                is_of(&run.subject, commit)?;
                records.runs.push(*run);
            }
            Content::Duel { duel, sketch: false } => {
                is_of(&duel.head.subject, commit)?;
                records.duels.push(*duel);
            }
            _ => return Err(wrong("it is neither a whole run nor a whole duel".to_owned())),
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_is_read_as_it_was_written_and_of_its_commit_only() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("records");
        let duel = Duel::example(vec![]);
        let commit = duel.head.subject.commit().id.clone();
        let records = Records { commit: commit.clone(), runs: vec![], duels: vec![duel.clone()] };
        write_records(&place, &records).unwrap();
        assert_eq!(read_records(&place, &commit).unwrap(), records);
        let base = duel.base.subject.commit().id.clone();
        assert!(matches!(read_records(&place, &base), Err(CarryError::OtherCommit { .. })));
        // Of another commit than its first line says.
        write_records(&place, &Records { commit: base.clone(), ..records }).unwrap();
        assert!(matches!(read_records(&place, &base), Err(CarryError::OtherCommit { .. })));
    }
}
