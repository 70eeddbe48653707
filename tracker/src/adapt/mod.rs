//! Other tools' result files: bytes in, measurements out, one file a format.
//!
//! [`parse`] takes the bytes of one file, [`parse_folder`] a folder of them; both either find the format from the
//! content or are told it. [`pieces`] does the same for what is too large to be in memory as a whole, where the format
//! lets benchmarks be read one at a time. What is read is hostile until parsed: [`limits`] bounds size, depth, counts and names, and
//! every error names the format, the place and what was expected. Nothing here touches a file, a clock or a process.

mod error;
mod format;
mod json;
pub mod limits;
mod parsed;
mod pieces;
mod sheet;
mod sniff;
mod text;
mod units;

mod asv;
mod asv_lines;
mod asv_text;
mod asv_values;
mod benchmarkdotnet;
mod benchmarkjs;
mod bmf;
mod cargo_criterion;
mod catch2_text;
mod catch2_xml;
mod criterion;
mod criterion_text;
mod divan;
mod divan_cells;
mod fields;
mod gab;
mod gab_history;
mod go;
mod google_benchmark;
mod gungraun;
mod gungraun_events;
mod gungraun_text;
mod hyperfine;
mod jmh;
mod julia;
mod junit;
mod k6;
mod libtest;
mod llama_bench;
mod llama_tables;
mod mitata;
mod oha;
mod plain_csv;
mod pyperf;
mod pytest_benchmark;
mod rebar;
mod table;
mod tachograph;
mod tinybench;
mod vitest;
mod wrk;
mod xml;

pub use error::{AdaptError, Place};
pub use format::{Carries, Directions, FORMATS, Format, Held, UnknownFormat};
pub use parsed::{File, Folder, MemoryFolder, Origin, Parsed, Set};
pub use pieces::{Piece, Pieces, Source, pieces};

use sniff::Sniff;

/// Reads one file. Without a format, the content decides, and two that match are refused by name.
pub fn parse(format: Option<&'static Format>, bytes: &[u8]) -> Result<Parsed, AdaptError> {
    let lossy = format.is_none_or(|format| format.lossy);
    let decoded = text::decode(bytes, lossy)?;
    if decoded.text.trim_ascii().is_empty() {
        return Err(AdaptError::Empty);
    }
    let format = match format {
        Some(format) => format,
        None => recognise(&decoded.text)?,
    };
    if let (Some(offset), false) = (decoded.first_bad_byte, format.lossy) {
        return Err(AdaptError::NotUtf8 { offset });
    }
    let read = format.takes.read_file(&decoded.text).ok_or(AdaptError::WantsFolder { format: format.name })?;
    let mut parsed = read.map_err(|flaw| flaw.in_text(format.name, &decoded.text))?;
    if let Some(offset) = decoded.first_bad_byte {
        parsed.remark(format!("the text is not UTF-8 from byte {offset} on; what could not be read was replaced"));
    }
    measured_something(format, parsed)
}

/// Reads a folder of files. Without a format, the content decides.
pub fn parse_folder(format: Option<&'static Format>, folder: &dyn Folder) -> Result<Parsed, AdaptError> {
    let format = match format {
        Some(format) => format,
        None => recognise_folder(folder)?,
    };
    let read = format.takes.read_folder(folder).ok_or(AdaptError::WantsFile { format: format.name })?;
    let parsed = read.map_err(|flaw| flaw.in_folder(format.name))?;
    measured_something(format, parsed)
}

fn measured_something(format: &'static Format, mut parsed: Parsed) -> Result<Parsed, AdaptError> {
    parsed.count_remarks();
    if parsed.sets.iter().all(|set| set.outcomes.is_empty()) {
        return Err(AdaptError::NothingMeasured { format: format.name, remarks: parsed.remarks });
    }
    parsed.format = format.name;
    Ok(parsed)
}

fn recognise(text: &str) -> Result<&'static Format, AdaptError> {
    let sniff = Sniff::of(text);
    let matching: Vec<_> = FORMATS.iter().copied().filter(|format| (format.recognises)(&sniff)).collect();
    only(&matching)
}

fn recognise_folder(folder: &dyn Folder) -> Result<&'static Format, AdaptError> {
    let paths = folder.paths();
    let fits = |format: &&Format| format.takes.recognises_folder(paths);
    let matching: Vec<_> = FORMATS.iter().copied().filter(fits).collect();
    only(&matching)
}

fn only(matching: &[&'static Format]) -> Result<&'static Format, AdaptError> {
    match *matching {
        [] => Err(AdaptError::Unrecognised),
        [format] => Ok(format),
        _ => Err(AdaptError::Ambiguous { formats: matching.iter().map(|format| format.name).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_no_format_knows_is_refused() {
        assert!(matches!(parse(None, b"hello"), Err(AdaptError::Unrecognised)));
        assert!(matches!(parse(None, b""), Err(AdaptError::Empty)));
        assert!(matches!(parse(Format::named("rebar").unwrap(), b" \n"), Err(AdaptError::Empty)));
        assert!(matches!(parse(None, b"{\"a\":1}"), Err(AdaptError::Unrecognised)));
    }

    #[test]
    fn compressed_files_and_other_encodings_are_refused_by_name() {
        assert!(parse(None, b"\x1f\x8b\x08\x00").unwrap_err().to_string().contains("gzip"));
        for text in [&b"\xff\xfe{\x00"[..], b"\xfe\xff\x00{", b"[\x00{\x00", b"\x00[\x00{"] {
            assert!(parse(None, text).unwrap_err().to_string().contains("UTF-16"), "{text:?}");
        }
        assert!(parse(None, b"PK\x03\x04").unwrap_err().to_string().contains("ZIP"));
        assert!(parse(None, b"BZh9").unwrap_err().to_string().contains("bzip2"));
        assert!(parse(None, b"\xfd7zXZ\x00").unwrap_err().to_string().contains("xz"));
        let json = b"{\"tachograph\":1,\"benchmarks\":[{\"name\":\"\xff\"}]}";
        assert!(matches!(parse(None, json), Err(AdaptError::NotUtf8 { offset: 39 })));
    }

    #[test]
    fn a_file_without_any_benchmark_is_an_error_and_no_empty_success() {
        let error = parse(None, b"{\"tachograph\":1,\"benchmarks\":[]}").unwrap_err();
        assert!(matches!(error, AdaptError::NothingMeasured { format: "tachograph", .. }), "{error}");
    }
}
