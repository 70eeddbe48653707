//! The formats: what each is called and carries, and the one list of them.

use super::error::Flaw;
use super::json::Reader;
use super::parsed::{Folder, Parsed};
use super::sheet::Sheet;
use super::sniff::Sniff;
use crate::domain::BenchmarkName;

/// A result format: its card, and its parser.
#[derive(Debug)]
pub struct Format {
    /// The name used on the command line and in the configuration.
    pub name: &'static str,
    /// What writes it.
    pub title: &'static str,
    /// How to have it written.
    pub made_by: &'static str,
    /// What can be read from it.
    pub carries: Carries,
    pub(super) takes: Takes,
    /// Whether bytes that are not UTF-8 are replaced (console text) or refused.
    pub(super) lossy: bool,
    pub(super) recognises: fn(&Sniff<'_>) -> bool,
}

/// What can be read from a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carries {
    /// Whether it holds the single values behind a summary.
    pub samples: Held,
    /// Whether it tells processes or forks apart, which become lives.
    pub lives: bool,
    /// Whether it says which way is good.
    pub direction: Directions,
    /// Whether a benchmark that failed can be told from one that is absent.
    pub failures: bool,
    /// Whether it holds many commits.
    pub history: bool,
}

/// How reliably something is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Always.
    Always,
    /// When the tool was told to write it.
    WhenAsked,
    /// Never.
    Never,
}

impl Held {
    /// The word used in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Held::Always => "yes",
            Held::WhenAsked => "when asked",
            Held::Never => "no",
        }
    }
}

/// How the directions of a format's metrics are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directions {
    /// The format fixes or states them all.
    Known,
    /// Some metrics are the user's own, and nothing says which way they should go.
    Partly,
    /// It says nothing; the configuration must.
    Unknown,
}

impl Directions {
    /// The word used in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Directions::Known => "known",
            Directions::Partly => "partly",
            Directions::Unknown => "unknown",
        }
    }
}

/// What a format's parser takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Takes {
    /// The text of one file.
    File(FileParser),
    /// The text of one file that is a JSON list, each element a benchmark that can be read by itself.
    List(ElementParser),
    /// A folder in which each benchmark has files of its own.
    Folder {
        /// Whether these paths look like such a folder.
        recognises: fn(&[String]) -> bool,
        /// Finds the benchmarks: the path of each.
        find: Finder,
        /// Reads one of them.
        one: MemberParser,
    },
    /// The one or the other.
    Either {
        /// The parser of one file.
        file: FileParser,
        /// Whether these paths look like such a folder.
        recognises: fn(&[String]) -> bool,
        /// The parser of a folder.
        folder: FolderParser,
    },
}

impl Takes {
    /// Reads a file; none if it is a folder that is taken.
    pub(super) fn read_file(self, text: &str) -> Option<Result<Parsed, Flaw>> {
        match self {
            Takes::File(read) | Takes::Either { file: read, .. } => Some(read(text)),
            Takes::List(element) => Some(read_list(text, element)),
            Takes::Folder { .. } => None,
        }
    }

    /// Reads a folder; none if it is a file that is taken.
    pub(super) fn read_folder(self, folder: &dyn Folder) -> Option<Result<Parsed, Flaw>> {
        match self {
            Takes::Either { folder: read, .. } => Some(read(folder)),
            Takes::Folder { find, one, .. } => Some(read_members(folder, find, one)),
            Takes::File(_) | Takes::List(_) => None,
        }
    }

    pub(super) fn recognises_folder(self, paths: &[String]) -> bool {
        match self {
            Takes::Folder { recognises, .. } | Takes::Either { recognises, .. } => recognises(paths),
            Takes::File(_) | Takes::List(_) => false,
        }
    }
}

type FileParser = fn(&str) -> Result<Parsed, Flaw>;
type FolderParser = fn(&dyn Folder) -> Result<Parsed, Flaw>;
/// Reads one benchmark, writes it on the sheet, and says what it is called there.
pub(super) type ElementParser = fn(&mut Reader<'_>, &mut Sheet) -> Result<BenchmarkName, Flaw>;
/// Finds the benchmarks of a folder.
pub(super) type Finder = fn(&dyn Folder, &mut Sheet) -> Result<Vec<String>, Flaw>;
/// Reads one of them.
pub(super) type MemberParser = fn(&dyn Folder, &str, &mut Sheet) -> Result<BenchmarkName, Flaw>;

fn read_list(text: &str, element: ElementParser) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut reader = Reader::new(text);
    reader.list(|_, reader| element(reader, &mut sheet).map(drop))?;
    reader.finish()?;
    Ok(sheet.finish())
}

fn read_members(folder: &dyn Folder, find: Finder, one: MemberParser) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    for path in find(folder, &mut sheet)? {
        one(folder, &path, &mut sheet)?;
    }
    Ok(sheet.finish())
}

/// Every format, our own first.
pub static FORMATS: &[&Format] = &[
    &super::tachograph::FORMAT,
    &super::plain_csv::FORMAT,
    &super::criterion::FORMAT,
    &super::criterion_text::FORMAT,
    &super::cargo_criterion::FORMAT,
    &super::divan::FORMAT,
    &super::gungraun::FORMAT,
    &super::gungraun_text::FORMAT,
    &super::libtest::FORMAT,
    &super::hyperfine::FORMAT,
    &super::go::FORMAT,
    &super::pytest_benchmark::FORMAT,
    &super::pyperf::FORMAT,
    &super::asv::FORMAT,
    &super::asv_text::FORMAT,
    &super::google_benchmark::FORMAT,
    &super::catch2_xml::FORMAT,
    &super::catch2_text::FORMAT,
    &super::jmh::FORMAT,
    &super::benchmarkdotnet::FORMAT,
    &super::julia::FORMAT,
    &super::vitest::FORMAT,
    &super::tinybench::FORMAT,
    &super::mitata::FORMAT,
    &super::benchmarkjs::FORMAT,
    &super::k6::FORMAT,
    &super::oha::FORMAT,
    &super::wrk::FORMAT,
    &super::llama_bench::FORMAT,
    &super::rebar::FORMAT,
    &super::bmf::FORMAT,
    &super::gab::BIGGER,
    &super::gab::SMALLER,
    &super::gab_history::FORMAT,
    &super::junit::FORMAT,
];

/// A name that no format has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no format is called {name:?}; known are: {known}", known = known())]
pub struct UnknownFormat {
    name: String,
}

fn known() -> String {
    FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ")
}

impl Format {
    /// The format of this name; `auto` is none, to be found from the content.
    pub fn named(name: &str) -> Result<Option<&'static Format>, UnknownFormat> {
        if name == "auto" {
            return Ok(None);
        }
        match FORMATS.iter().find(|format| format.name == name) {
            Some(format) => Ok(Some(format)),
            None => Err(UnknownFormat { name: name.to_owned() }),
        }
    }

    /// Whether it is read from a file, a folder or either.
    #[must_use]
    pub fn taken_as(&self) -> &'static str {
        match self.takes {
            Takes::File(_) | Takes::List(_) => "file",
            Takes::Folder { .. } => "folder",
            Takes::Either { .. } => "file or folder",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_name_of_its_own_and_auto_is_none() {
        let mut names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMATS.len());
        assert!(Format::named("auto").unwrap().is_none());
        assert_eq!(Format::named("hyperfine").unwrap().unwrap().name, "hyperfine");
        assert!(Format::named("hyperfin").unwrap_err().to_string().contains("hyperfine"));
    }
}
