//! Importing: other tools' results become runs of the store, each under its commit.
//!
//! Nothing in a run comes from the clock of this moment, so that the same file for the same commit is the same run.
//!
//! All inputs are read to their end before anything is recorded. What a large one measured is not kept meanwhile: it is
//! read again, benchmark by benchmark, when it is recorded.

mod input;
mod ready;

use std::collections::{BTreeMap, BTreeSet};

pub use input::Input;
pub use ready::Ready;
use ready::{Later, Opened};

use crate::adapt::{self, Format, Parsed, Pieces, Set};
use crate::domain::{BenchmarkName, Commit, CommitId, Machine, Run, Subject, SuiteName};
use crate::failure::{Classify, Failure, Outcome};
use crate::record::{Recorded, Store};
use crate::repo::Repository;

use super::results::DiskFolder;

/// What the reader says about the results, where the files do not.
#[derive(Debug, Default)]
pub struct Request {
    /// The format; found from the content if none.
    pub format: Option<&'static Format>,
    /// The revision that was measured.
    pub commit: Option<String>,
    /// When it was measured, in seconds since 1970 UTC.
    pub at_s: Option<i64>,
    /// The machine; the files' own name for it, or `imported`, if none.
    pub machine: Option<Machine>,
    /// The suite; the files' own name for it, or the format's, if none.
    pub suite: Option<SuiteName>,
    /// Benchmarks that get another name.
    pub renamed: BTreeMap<String, BenchmarkName>,
}

/// What an input came to: the runs, and what the reader should know.
#[derive(Debug, Default)]
pub struct Read {
    /// The runs, in the order of the source.
    pub runs: Vec<Ready>,
    /// What was left out, replaced or renamed.
    pub remarks: Vec<String>,
}

/// Reads an input whole, before anything is recorded.
pub fn read(request: &Request, repository: Option<&Repository>, input: Input) -> Outcome<Read> {
    let opened = match input {
        Input::Bytes(bytes) => {
            return runs(request, repository, adapt::parse(request.format, &bytes).map_err(unread)?);
        }
        Input::File(file) => Opened::File(file),
        Input::Folder(folder) => {
            if let Some(files) = named_by_commits(&folder) {
                return each_file(request, repository, &folder, files);
            }
            Opened::Folder(folder)
        }
    };
    if let Some(pieces) = adapt::pieces(request.format, opened.source()).map_err(unread)? {
        return one_run(request, repository, pieces, opened);
    }
    let parsed = match &opened {
        Opened::File(file) => adapt::parse(request.format, &file.whole().or_usage("reading it as a whole")?),
        Opened::Folder(folder) => adapt::parse_folder(request.format, folder),
    };
    runs(request, repository, parsed.map_err(unread)?)
}

/// Records runs, and says of each whether it is new.
pub fn record(store: &mut Store, runs: &[Ready]) -> Outcome<Vec<Recorded>> {
    runs.iter().map(|ready| ready.record(store)).collect()
}

fn unread(error: adapt::AdaptError) -> Failure {
    Failure::usage(error)
}

/// The files of a folder, if all are named by commits: `results/0123abcd….json`.
fn named_by_commits(folder: &DiskFolder) -> Option<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in adapt::Folder::paths(folder) {
        let stem = path.split('.').next().filter(|stem| is_hash(stem))?;
        files.push((stem.to_owned(), path.clone()));
    }
    (!files.is_empty()).then_some(files)
}

fn each_file(
    request: &Request,
    repository: Option<&Repository>,
    folder: &DiskFolder,
    files: Vec<(String, String)>,
) -> Outcome<Read> {
    let mut all = Read::default();
    // What is remarked of many files is told once.
    let mut remarks: Vec<(String, String, usize)> = Vec::new();
    for (commit, path) in files {
        let bytes = adapt::Folder::read(folder, &path).map_err(|error| Failure::environment(anyhow::anyhow!(error)))?;
        let parsed = adapt::parse(request.format, &bytes).or_usage(format_args!("reading {path:?}"))?;
        let of_commit = Request {
            format: request.format,
            commit: Some(commit),
            at_s: request.at_s,
            machine: request.machine.clone(),
            suite: request.suite.clone(),
            renamed: request.renamed.clone(),
        };
        let read = runs(&of_commit, repository, parsed)?;
        all.runs.extend(read.runs);
        for remark in read.remarks {
            match remarks.iter_mut().find(|(known, _, _)| *known == remark) {
                Some((_, _, others)) => *others += 1,
                None => remarks.push((remark, path.clone(), 0)),
            }
        }
    }
    all.remarks.extend(remarks.into_iter().map(|(remark, path, others)| match others {
        0 => format!("{path}: {remark}"),
        _ => format!("{path} and {others} more: {remark}"),
    }));
    Ok(all)
}

fn runs(request: &Request, repository: Option<&Repository>, parsed: Parsed) -> Outcome<Read> {
    let Parsed { format, sets, remarks, .. } = parsed;
    let is_history = sets.len() > 1;
    if is_history && request.commit.is_some() && sets.iter().any(|set| set.origin.commit != sets[0].origin.commit) {
        return Err(Failure::usage(anyhow::anyhow!("the results are of several commits, and --commit names one"))
            .hint("leave --commit out: the file says which results are of which commit"));
    }
    let mut read = Read { runs: Vec::with_capacity(sets.len()), remarks };
    let names: BTreeSet<BenchmarkName> = sets.iter().flat_map(|set| set.outcomes.keys().cloned()).collect();
    let mut left_out = 0;
    for set in sets.into_iter().filter(|set| !set.outcomes.is_empty()) {
        match commit(request, repository, &set) {
            Ok(commit) => read.runs.push(run(request, format, commit, set)?.into()),
            Err(failure) if !is_history => return Err(failure),
            Err(failure) => {
                left_out += 1;
                if left_out == 1 {
                    read.remarks.push(failure.to_string());
                }
            }
        }
    }
    read.remarks.extend(unmatched(request, &names));
    if left_out > 0 {
        read.remarks.push(format!("the results of {left_out} commits that could not be told were left out"));
    }
    if read.runs.is_empty() {
        return Err(Failure::usage(anyhow::anyhow!(
            "none of the results is of a commit that can be told: {}",
            read.remarks.join("; ")
        )));
    }
    Ok(read)
}

/// The run of a source whose benchmarks are read one at a time.
fn one_run(request: &Request, repository: Option<&Repository>, pieces: Pieces, opened: Opened) -> Outcome<Read> {
    let Pieces { format, benchmarks, mut remarks } = pieces;
    let set = Set::default();
    let head = run(request, format, commit(request, repository, &set)?, set)?;
    remarks.extend(unmatched(request, &benchmarks.keys().cloned().collect()));
    let later = Later { opened, benchmarks: renamed(&request.renamed, benchmarks)? };
    Ok(Read { runs: vec![Ready { run: head, later: Some(later) }], remarks })
}

/// The commit that a set is of: the one that the reader names, else the file's own. The file's is looked up only if it
/// looks like a hash, since git takes far more than hashes as a revision. A whole hash that the repository does not have
/// (any more) is kept as it is.
fn commit(request: &Request, repository: Option<&Repository>, set: &Set) -> Outcome<Commit> {
    let by_reader = request.commit.as_deref();
    let Some(revision) = by_reader.or(set.origin.commit.as_deref()) else {
        return Err(Failure::usage(anyhow::anyhow!("the file does not say which commit was measured"))
            .hint("name it with --commit REV"));
    };
    if by_reader.is_none() && !is_hash(revision) {
        return Err(Failure::usage(anyhow::anyhow!("the file's commit {revision:?} is no hash"))
            .hint("name the commit with --commit REV"));
    }
    let found = repository.map(|repository| repository.commit(revision));
    match (found, CommitId::new(revision)) {
        (Some(Ok(commit)), _) => Ok(commit),
        (_, Ok(id)) => Ok(Commit {
            id,
            parents: Vec::new(),
            committed_at_s: set.origin.at_s.or(request.at_s).unwrap_or(0),
            subject: set.origin.subject.clone().unwrap_or_default(),
        }),
        (Some(Err(error)), Err(_)) => Err(error.into()),
        (None, Err(_)) => Err(Failure::usage(anyhow::anyhow!(
            "outside of a repository only a whole hash names a commit, not {revision:?}"
        ))),
    }
}

fn is_hash(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn run(request: &Request, format: &str, commit: Commit, set: Set) -> Outcome<Run> {
    let suite = match (&request.suite, set.origin.suite) {
        (Some(suite), _) => suite.clone(),
        (None, Some(suite)) => SuiteName::new(suite).or_usage("taking the file's name for the suite")?,
        (None, None) => SuiteName::new(format).or_usage("naming the suite after the format")?,
    };
    let machine = match (&request.machine, set.origin.machine) {
        (Some(machine), _) => machine.clone(),
        (None, name) => Machine::Named(name.unwrap_or_else(|| "imported".to_owned())),
    };
    let outcomes = renamed(&request.renamed, set.outcomes)?;
    Ok(Run {
        suite,
        started_at_s: request.at_s.or(set.origin.at_s).unwrap_or(commit.committed_at_s),
        subject: Subject::Commit(commit),
        machine,
        elapsed_ns: 0,
        source: format!("import {format}"),
        notes: set.notes,
        pulse: None,
        outcomes,
        attachments: Vec::new(),
    })
}

/// Names that were to be changed and that no benchmark has, each with what there is.
fn unmatched(request: &Request, names: &BTreeSet<BenchmarkName>) -> Vec<String> {
    let there: Vec<&str> = names.iter().take(5).map(BenchmarkName::as_str).collect();
    let more = if names.len() > there.len() { ", …" } else { "" };
    let missing = request.renamed.keys().filter(|name| !names.contains(name.as_str()));
    missing
        .map(|name| format!("nothing is called {name:?} and could be renamed: there is {}{more}", there.join(", ")))
        .collect()
}

/// Gives benchmarks their other names. Two must not become one.
fn renamed<T>(
    renamed: &BTreeMap<String, BenchmarkName>,
    outcomes: BTreeMap<BenchmarkName, T>,
) -> Outcome<BTreeMap<BenchmarkName, T>> {
    let mut all = BTreeMap::new();
    for (name, outcome) in outcomes {
        let name = renamed.get(name.as_str()).cloned().unwrap_or(name);
        if all.insert(name.clone(), outcome).is_some() {
            return Err(Failure::usage(anyhow::anyhow!("two benchmarks would be called {name}"))
                .hint("give them different names with --rename THEIRS=OURS"));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789012345678901234567890123456789";

    fn json(commit: &str) -> String {
        format!(
            "{{\"tachograph\":1,{commit}\"benchmarks\":[{{\"name\":\"a\",\"metrics\":[{{\"name\":\"time\",\"values\":[1]}}]}}]}}"
        )
    }

    fn read_text(request: &Request, text: &str) -> Outcome<Read> {
        read(request, None, Input::Bytes(text.as_bytes().to_vec()))
    }

    #[test]
    fn the_same_file_for_the_same_commit_is_the_same_run() {
        let request = Request { commit: Some(HASH.to_owned()), ..Request::default() };
        let [one, other] = [(), ()].map(|()| read_text(&request, &json("")).unwrap().runs.remove(0).run);
        assert_eq!(one.id(), other.id());
        assert_eq!((one.source.as_str(), one.suite.as_str()), ("import tachograph", "tachograph"));
        assert_eq!(one.machine, Machine::Named("imported".to_owned()));
    }

    #[test]
    fn a_name_that_cannot_be_changed_is_told_with_those_that_can() {
        let to = BenchmarkName::new("ours").unwrap();
        let renamed = BTreeMap::from([("b".to_owned(), to.clone()), ("a".to_owned(), to)]);
        let request = Request { commit: Some(HASH.to_owned()), renamed, ..Request::default() };
        let read = read_text(&request, &json("")).unwrap();
        assert_eq!(read.remarks, ["nothing is called \"b\" and could be renamed: there is a"]);
        assert!(read.runs[0].run.outcomes.contains_key("ours"));
    }

    #[test]
    fn a_commit_must_be_known_and_the_files_own_must_be_a_hash() {
        let none = read_text(&Request::default(), &json("")).unwrap_err().to_string();
        assert!(none.contains("which commit") && none.contains("--commit REV"), "{none}");
        let trick = read_text(&Request::default(), &json("\"commit\":\":/secret\",")).unwrap_err().to_string();
        assert!(trick.contains("is no hash"), "{trick}");
        let own = read_text(&Request::default(), &json(&format!("\"commit\":\"{HASH}\","))).unwrap();
        assert_eq!(own.runs[0].run.subject.commit().id.as_str(), HASH);
        let short = Request { commit: Some("0123456".to_owned()), ..Request::default() };
        assert!(read_text(&short, &json("")).unwrap_err().to_string().contains("only a whole hash"));
    }

    #[test]
    fn of_a_history_the_commits_that_can_be_told_are_kept_and_the_others_said() {
        let csv = format!("benchmark,value,commit\na,1,{HASH}\na,2,spring release\na,3,{}\n", "a".repeat(40));
        let read = read_text(&Request::default(), &csv).unwrap();
        assert_eq!(read.runs.len(), 2);
        assert!(read.remarks.iter().any(|remark| remark.contains("of 1 commits")), "{:?}", read.remarks);
        let one = Request { commit: Some(HASH.to_owned()), ..Request::default() };
        assert!(read_text(&one, &csv).unwrap_err().to_string().contains("several commits"));
    }
}
