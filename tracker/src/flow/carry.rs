//! Bundle files: what a gate measured, every sample, on its way from the job that measured to the job that reports.
//!
//! The job that measures runs anybody's code, so whoever reads such a file believes nothing in it but the numbers, and of
//! those only what they say of the commit that the trusted side names: verdicts are drawn anew, under rules that the
//! trusted side has. The first line says what the file is, each further line is a bundle of a duel.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::replace::Replacement;
use crate::config::Config;
use crate::domain::{Acceptance, Bundle, CommitId, Content, Duel, Kind, Metric, Report, Subject, SuiteName};
use crate::failure::{Classify, Failure, Outcome};
use crate::judge;

/// The largest file.
const MOST_BYTES: u64 = 32 << 20;

/// The most suites in one file.
const MOST_DUELS: usize = 64;

/// The longest text that says why a suite does not build.
const MOST_WHY_BYTES: usize = 8 << 10;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    gate: u32,
    commit: CommitId,
    /// Suites that do not build or start on head, and why.
    broken: Vec<(SuiteName, String)>,
}

/// What a gate measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The commit that was judged.
    pub commit: CommitId,
    /// Suites that do not build or start on head, and why.
    pub broken: Vec<(SuiteName, String)>,
    /// What was measured.
    pub duels: Vec<Duel>,
}

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// It is no file of its own.
    #[error("it is no ordinary file")]
    NoFile,
    /// It is larger than anybody's.
    #[error("it has {0} bytes, more than the {MOST_BYTES} that it may have")]
    TooLarge(u64),
    /// It tells of too much.
    #[error("it tells of more than {MOST_DUELS} suites")]
    TooMany,
    /// It does not begin as it should.
    #[error("it is no file of a gate: {0}")]
    Malformed(String),
    /// A bundle in it is none.
    #[error("line {line}: {problem}")]
    Bundle {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// It is of another commit than it should be.
    #[error("it is of commit {found}, and {expected} was asked for")]
    OtherCommit {
        /// What it says.
        found: String,
        /// What the trusted side says.
        expected: String,
    },
    /// The system would not read it.
    #[error(transparent)]
    Files(#[from] std::io::Error),
}

/// Writes what was measured.
pub fn write(place: &Path, carried: &Carried) -> Outcome<()> {
    let broken = carried.broken.iter().map(|(suite, why)| (suite.clone(), cut(why).to_owned())).collect();
    let head = Head { gate: 1, commit: carried.commit.clone(), broken };
    let mut bytes = serde_json::to_vec(&head).or_environment("writing the bundle file")?;
    bytes.push(b'\n');
    for duel in &carried.duels {
        let content = Content::Duel { duel: Box::new(duel.clone()), sketch: false };
        let bundle = Bundle::new(duel.id(), content).or_environment("writing the bundle file")?;
        bytes.extend(bundle.to_bytes());
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
    let other = |found: &CommitId| CarryError::OtherCommit {
        found: found.as_str().to_owned(),
        expected: commit.as_str().to_owned(),
    };
    if carried.commit != *commit {
        return Err(other(&carried.commit));
    }
    for duel in &carried.duels {
        match &duel.head.subject {
            Subject::Commit(head) if head.id == *commit => {}
            other_head => return Err(other(&other_head.commit().id)),
        }
    }
    Ok(carried)
}

/// A link could lead anywhere, and a pipe never end.
fn bounded(place: &Path) -> Result<Vec<u8>, CarryError> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(no_follow.bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(place) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(CarryError::NoFile);
        }
        opened => opened?,
    };
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(CarryError::NoFile);
    }
    if about.len() > MOST_BYTES {
        return Err(CarryError::TooLarge(about.len()));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES { Err(CarryError::TooLarge(bytes.len() as u64)) } else { Ok(bytes) }
}

fn parse(bytes: &[u8]) -> Result<Carried, CarryError> {
    let bytes = bytes.strip_suffix(b"\n").ok_or_else(|| CarryError::Malformed("it ends in mid-line".to_owned()))?;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let head: Head = serde_json::from_slice(first).map_err(|error| CarryError::Malformed(error.to_string()))?;
    if head.gate != 1 {
        return Err(CarryError::Malformed(format!("it is of version {}; this program knows version 1", head.gate)));
    }
    let canonical = serde_json::to_vec(&head).map_err(|error| CarryError::Malformed(error.to_string()))?;
    if canonical != first || head.broken.iter().any(|(_, why)| why.len() > MOST_WHY_BYTES) {
        return Err(CarryError::Malformed("its first line is not as this program writes it".to_owned()));
    }
    let mut duels: Vec<Duel> = Vec::new();
    for (line, bytes) in (2..).zip(lines) {
        if duels.len() + head.broken.len() >= MOST_DUELS {
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
            Content::Run { .. } => return Err(wrong("it is a run and no duel".to_owned())),
        }
    }
    Ok(Carried { commit: head.commit, broken: head.broken, duels })
}

/// What the trusted side knows of a duel's sides.
#[derive(Debug, Default)]
pub struct Known {
    /// What earlier duels teach.
    pub lessons: judge::known::Known,
    /// Those of the very same sides.
    pub earlier: Vec<Duel>,
    /// What is accepted.
    pub accepted: Vec<Acceptance>,
}

/// Who tells what is known of a duel's sides.
pub type Asked<'a> = dyn FnMut(&Duel) -> Outcome<Known> + 'a;

/// A report for each suite that was measured, and the others with the reason.
pub type Judged = (Vec<Report>, Vec<(String, String)>);

/// Judges anew what was carried, under these rules. `expected` are the suites that must be told of; what is missing, or
/// is there and nobody knows, is said.
pub fn judge(carried: &Carried, config: &Config, rules: &str, known: &mut Asked<'_>) -> Outcome<Judged> {
    let unknown = carried.duels.iter().map(|duel| &duel.suite).chain(carried.broken.iter().map(|(suite, _)| suite));
    if let Some(suite) = unknown.into_iter().find(|suite| !config.suites.contains_key(*suite)) {
        return Err(Failure::usage(anyhow::anyhow!(
            "the file tells of a suite {suite} that the project does not have"
        )));
    }
    let policy = &config.policy;
    let mut report = |duel: &Duel| -> Outcome<Report> {
        let series: Vec<_> = series(duel).collect();
        let gated_series = policy.gated_series(series.iter().map(|(name, metric)| (*name, metric)));
        let Known { lessons, earlier, accepted } = known(duel)?;
        let report = judge::report::of_pool(duel, &earlier, policy, &lessons, gated_series);
        Ok(judge::accept::accept(Report { rules: rules.to_owned(), ..report }, &accepted))
    };
    let reports: Vec<Report> = carried.duels.iter().map(&mut report).collect::<Outcome<_>>()?;
    let mut broken: Vec<(String, String)> =
        carried.broken.iter().map(|(suite, why)| (suite.to_string(), why.clone())).collect();
    for suite in config.suites.keys() {
        if !reports.iter().any(|report| report.suite == *suite)
            && !broken.iter().any(|(name, _)| name == suite.as_str())
        {
            broken.push((suite.to_string(), "the job that measured says nothing of it".to_owned()));
        }
    }
    Ok((reports, broken))
}

/// The series over which the error budget is divided: those that base has. An exact metric counts too, for one that
/// differs from life to life is judged as a noisy one.
fn series(duel: &Duel) -> impl Iterator<Item = (&crate::domain::BenchmarkName, Metric)> {
    duel.bouts.iter().flat_map(|(name, bout)| {
        let contests = match bout {
            crate::domain::Bout::Dueled(contests) => &contests[..],
            _ => &[],
        };
        // What one side lacks is not judged by its size, and instructions are never judged as a noisy metric.
        let judged = contests.iter().filter(|one| one.is_on_both() && one.metric.name != Metric::instructions().name);
        judged.map(move |contest| (name, Metric { kind: Kind::Noisy, ..contest.metric.clone() }))
    })
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
            broken: vec![(suite, "no".to_owned())],
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
