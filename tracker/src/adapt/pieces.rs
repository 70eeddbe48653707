//! Reading what is too large for memory: once from the start to the end, to know that all of it is good and what it
//! tells of, and then benchmark by benchmark, in any order.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::{AdaptError, Flaw};
use super::format::{ElementParser, Format, MemberParser, Takes};
use super::json::{Window, position, read_element};
use super::parsed::{File, Folder};
use super::sheet::Sheet;
use crate::domain::{BenchmarkName, Outcome};

/// Where results are read from.
#[derive(Clone, Copy)]
pub enum Source<'s> {
    /// A file.
    File(&'s dyn File),
    /// A folder.
    Folder(&'s dyn Folder),
}

/// All of a source but what was measured, which is read from it again.
#[derive(Debug)]
pub struct Pieces {
    /// The name of the format, given or found out.
    pub format: &'static str,
    /// Where each benchmark is.
    pub benchmarks: BTreeMap<BenchmarkName, Piece>,
    /// What a reader should know: what was left out, replaced or renamed, and why.
    pub remarks: Vec<String>,
}

/// One benchmark, known to be good when it was first read.
#[derive(Debug)]
pub struct Piece {
    format: &'static str,
    place: Place,
    /// Whether it was measured; else it failed.
    pub is_measured: bool,
}

#[derive(Debug)]
enum Place {
    Element(ElementParser, Range<usize>),
    Member(MemberParser, String),
}

/// Reads a source, and keeps no more of it than where the benchmarks are. None if the format has to be read as a whole,
/// or if a file's start does not tell the format.
pub fn pieces(format: Option<&'static Format>, source: Source<'_>) -> Result<Option<Pieces>, AdaptError> {
    match source {
        Source::File(file) => {
            let mut window = Window::open(file)?;
            let Some(format) = format.or_else(|| super::recognise(window.head().ok()?).ok()) else { return Ok(None) };
            let Takes::List(element) = format.takes else { return Ok(None) };
            let mut found = Found::of(format);
            let read = window.list(|reader, start| {
                let name = element(reader, &mut found.sheet)?;
                found.keep(name, Place::Element(element, start..start + reader.offset()));
                Ok(())
            });
            read.map_err(|flaw| in_file(flaw, format.name, file))?;
            found.finish().map(Some)
        }
        Source::Folder(folder) => {
            let format = format.map_or_else(|| super::recognise_folder(folder), Ok)?;
            let Takes::Folder { find, one, .. } = format.takes else { return Ok(None) };
            let mut found = Found::of(format);
            let mut read = || {
                for path in find(folder, &mut found.sheet)? {
                    let name = one(folder, &path, &mut found.sheet)?;
                    found.keep(name, Place::Member(one, path));
                }
                Ok(())
            };
            read().map_err(|flaw: Flaw| flaw.in_folder(format.name))?;
            found.finish().map(Some)
        }
    }
}

fn in_file(flaw: Flaw, format: &'static str, file: &dyn File) -> AdaptError {
    let position = flaw.offset().and_then(|place| position(file, place));
    flaw.placed(position).in_folder(format)
}

/// What was found so far.
struct Found {
    format: &'static str,
    sheet: Sheet,
    benchmarks: BTreeMap<BenchmarkName, Piece>,
}

impl Found {
    fn of(format: &'static Format) -> Found {
        Found { format: format.name, sheet: Sheet::default(), benchmarks: BTreeMap::new() }
    }

    /// Forgets what was measured of a benchmark, and keeps where that stands.
    fn keep(&mut self, name: BenchmarkName, place: Place) {
        let is_measured = matches!(self.sheet.take(&name), Outcome::Measured(_));
        self.benchmarks.insert(name, Piece { format: self.format, place, is_measured });
    }

    fn finish(self) -> Result<Pieces, AdaptError> {
        let Found { format, sheet, benchmarks } = self;
        let remarks = sheet.into_remarks();
        if benchmarks.is_empty() {
            return Err(AdaptError::NothingMeasured { format, remarks });
        }
        Ok(Pieces { format, benchmarks, remarks })
    }
}

impl Piece {
    /// Reads the benchmark again, from the source in which it was found.
    pub fn read(&self, source: Source<'_>) -> Result<Outcome, AdaptError> {
        let mut sheet = Sheet::default();
        let name = match (&self.place, source) {
            (Place::Element(element, place), Source::File(file)) => {
                read_element(file, place, |reader| element(reader, &mut sheet))
                    .map_err(|flaw| in_file(flaw, self.format, file))?
            }
            (Place::Member(one, path), Source::Folder(folder)) => {
                one(folder, path, &mut sheet).map_err(|flaw| flaw.in_folder(self.format))?
            }
            (Place::Element(..), Source::Folder(_)) => return Err(AdaptError::WantsFile { format: self.format }),
            (Place::Member(..), Source::File(_)) => return Err(AdaptError::WantsFolder { format: self.format }),
        };
        Ok(sheet.take(&name))
    }
}
