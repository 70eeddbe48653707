//! Bundle files: what a gate measured, every sample, on its way from the job that measured to the job that reports.
//!
//! The job that measures runs anybody's code, so whoever reads such a file believes nothing in it but the numbers, and of
//! those only what they say of the commit that the trusted side names: verdicts are drawn anew, under rules that the
//! trusted side has. The first line says what the file is, each further line is a bundle of a duel.

mod file;
mod judge;
mod records;

use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::file::CarryError;
use self::file::{bounded, is, is_of, lines};
pub use self::judge::{Judged, Past, Trusted, judge};
pub use self::records::{Records, read_records, records_of, write_records};
use super::replace::Replacement;
use crate::domain::{Bundle, CommitId, Content, Duel, Lack, RecordId, Shard, SuiteName, Unreported};
use crate::failure::{Classify, Outcome};

/// The most suites in one file.
const MOST_SUITES: usize = 64;

/// The longest text that says why a suite does not build.
const MOST_WHY_BYTES: usize = 8 << 10;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    gate: u32,
    commit: CommitId,
    /// Suites that do not build or start on head, and why.
    broken: Vec<(SuiteName, String)>,
    /// Suites that base does not have yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    new: Vec<(SuiteName, String)>,
    /// Which of several jobs wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shard: Option<Shard>,
}

/// What a gate measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The commit that was judged.
    pub commit: CommitId,
    /// Which of several jobs measured it; the only one if none.
    pub shard: Option<Shard>,
    /// Suites that could not be dueled: broken or new.
    pub unreported: Vec<Unreported>,
    /// What was measured.
    pub duels: Vec<Duel>,
}

/// Writes what was measured.
pub fn write(place: &Path, carried: &Carried) -> Outcome<()> {
    let those = |lack: Lack| {
        let all = carried.unreported.iter().filter(move |one| one.lack == lack);
        all.map(|one| (one.suite.clone(), cut(&one.said).to_owned())).collect()
    };
    let head = Head {
        gate: 1,
        commit: carried.commit.clone(),
        broken: those(Lack::Broken),
        new: those(Lack::New),
        shard: carried.shard,
    };
    let whole = |duel: &Duel| (duel.id(), Content::Duel { duel: Box::new(duel.clone()), sketch: false });
    write_lines(place, &head, carried.duels.iter().map(whole))
}

/// Writes a first line, and a bundle a line.
fn write_lines(
    place: &Path,
    head: &impl Serialize,
    contents: impl Iterator<Item = (RecordId, Content)>,
) -> Outcome<()> {
    let mut bytes = serde_json::to_vec(head).or_environment("writing the bundle file")?;
    bytes.push(b'\n');
    for (id, content) in contents {
        bytes.extend(Bundle::new(id, content).or_environment("writing the bundle file")?.to_bytes());
        bytes.push(b'\n');
    }
    let mut file = Replacement::begin(place)?;
    file.file().write_all(&bytes).or_environment(format_args!("writing {}", place.display()))?;
    file.finish()
}

fn cut(why: &str) -> &str {
    let end = (0..=why.len().min(MOST_WHY_BYTES)).rev().find(|at| why.is_char_boundary(*at)).unwrap_or_default();
    &why[..end]
}

/// Reads a file that anybody may have written, about the commit that the trusted side names.
pub fn read(place: &Path, commit: &CommitId) -> Result<Carried, CarryError> {
    let bytes = bounded(place)?;
    let carried = parse(&bytes)?;
    is(&carried.commit, commit)?;
    carried.duels.iter().try_for_each(|duel| is_of(&duel.head.subject, commit))?;
    Ok(carried)
}

fn parse(bytes: &[u8]) -> Result<Carried, CarryError> {
    let (head, lines): (Head, _) = lines(bytes)?;
    if head.gate != 1 {
        return Err(CarryError::Malformed(format!("it is of version {}; this program knows version 1", head.gate)));
    }
    if head.broken.iter().chain(&head.new).any(|(_, why)| why.len() > MOST_WHY_BYTES) {
        return Err(CarryError::Malformed("its first line is not as this program writes it".to_owned()));
    }
    let mut duels: Vec<Duel> = Vec::new();
    for (line, bytes) in lines {
        if duels.len() + head.broken.len() + head.new.len() >= MOST_SUITES {
            return Err(CarryError::TooMany);
        }
        let wrong = |problem: String| CarryError::Bundle { line, problem };
        match Bundle::parse(bytes).map_err(|error| wrong(error.to_string()))?.into_content() {
            Content::Duel { duel, sketch: false } => {
                if duels.iter().any(|known| known.suite == duel.suite) {
                    return Err(wrong(format!("suite {} is told twice", duel.suite.as_str().escape_debug())));
                }
                duels.push(*duel);
            }
            Content::Duel { .. } => {
                return Err(wrong("it is a sketch, and a gate is judged from all samples".to_owned()));
            }
            Content::Run { .. } | Content::Annotation { .. } => {
                return Err(wrong("it is no duel".to_owned()));
            }
        }
    }
    let those = |lack: Lack, suites: Vec<(SuiteName, String)>| {
        suites.into_iter().map(move |(suite, said)| Unreported { suite, lack, said })
    };
    let unreported = those(Lack::Broken, head.broken).chain(those(Lack::New, head.new)).collect();
    Ok(Carried { commit: head.commit, shard: head.shard, unreported, duels })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Bout;

    fn carried() -> Carried {
        let duel = Duel::example(vec![("a", Bout::Missing)]);
        let suite = SuiteName::new("other").unwrap();
        Carried {
            commit: duel.head.subject.commit().id.clone(),
            shard: "1/2".parse().ok(),
            unreported: [Lack::Broken, Lack::New]
                .map(|lack| Unreported { suite: suite.clone(), lack, said: "no".to_owned() })
                .to_vec(),
            duels: vec![duel],
        }
    }

    fn written(carried: &Carried) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("gate.bundle");
        write(&place, carried).unwrap();
        (folder, place)
    }

    #[test]
    fn what_was_measured_is_read_as_it_was_written() {
        let (_folder, place) = written(&carried());
        assert_eq!(read(&place, &carried().commit).unwrap(), carried());
    }

    #[test]
    fn what_is_of_another_commit_is_refused() {
        let (_folder, place) = written(&carried());
        let other = CommitId::new("c".repeat(40)).unwrap();
        assert!(matches!(read(&place, &other), Err(CarryError::OtherCommit { .. })));
        let forged = Carried { commit: other.clone(), ..carried() };
        let (_folder, place) = written(&forged);
        assert!(matches!(read(&place, &other), Err(CarryError::OtherCommit { .. })), "the duel is of another");
    }

    #[test]
    fn a_link_a_folder_and_a_pipe_are_refused() {
        let (folder, place) = written(&carried());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&place, &link).unwrap();
        for no_file in [link.as_path(), folder.path()] {
            assert!(matches!(read(no_file, &carried().commit), Err(CarryError::NoFile)), "{}", no_file.display());
        }
    }
}
