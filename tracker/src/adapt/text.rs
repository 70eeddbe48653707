//! From bytes to text, and from console output to plain lines.

use std::borrow::Cow;

use super::error::{AdaptError, Flaw};
use super::json::Reader;
use super::limits;

/// A text, and whether anything in it had to be replaced.
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) first_bad_byte: Option<usize>,
}

/// Takes bytes as UTF-8, a byte order mark left out. What is not UTF-8 is refused, or replaced and said.
pub(super) fn decode(bytes: &[u8], lossy: bool) -> Result<Decoded<'_>, AdaptError> {
    if bytes.len() > limits::FILE_BYTES {
        return Err(AdaptError::TooLarge { bytes: bytes.len() });
    }
    refuse_encoded(bytes)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Decoded { text: Cow::Borrowed(text), first_bad_byte: None }),
        Err(error) if lossy => {
            let first_bad_byte = Some(error.valid_up_to());
            Ok(Decoded { text: String::from_utf8_lossy(bytes), first_bad_byte })
        }
        Err(error) => Err(AdaptError::NotUtf8 { offset: error.valid_up_to() }),
    }
}

/// Refuses a file that begins like no text.
pub(super) fn refuse_encoded(bytes: &[u8]) -> Result<(), AdaptError> {
    let encoded = |what, advice| Err(AdaptError::Encoded { what, advice });
    match bytes {
        [0x1f, 0x8b, ..] => encoded("compressed with gzip", "unpack it first"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => encoded("compressed with zstd", "unpack it first"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => encoded("compressed with bzip2", "unpack it first"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => encoded("compressed with xz", "unpack it first"),
        [b'P', b'K', 3, 4, ..] => encoded("a ZIP archive", "unpack it first"),
        // With a mark, or a first sign of ASCII without one.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=255, ..] | [1..=255, 0, ..] => {
            encoded("UTF-16", "convert it to UTF-8 first")
        }
        _ => Ok(()),
    }
}

/// A line of console output without terminal escapes, and of what was overwritten after a carriage return only the
/// last.
pub(super) fn without_escapes(line: &str) -> Cow<'_, str> {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit_once('\r').map_or(line, |(_, last)| last);
    if !line.contains('\u{1b}') {
        return Cow::Borrowed(line);
    }
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = match after.strip_prefix('[') {
            // A control sequence ends with the first letter or other byte from @ on.
            Some(sequence) => sequence.split_once(|c: char| ('@'..='~').contains(&c)).map_or("", |(_, rest)| rest),
            None => after.get(1..).unwrap_or(""),
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Gives every line that is a JSON object to `each`; other lines are console output between them. The objects may also
/// be printed over several lines, from a `{` alone to a `}` alone. Says on which lines objects begin that break off
/// before the next one: those are left out, for where the next begins is known.
pub(super) fn json_lines<F>(text: &str, mut each: F) -> Result<Vec<usize>, Flaw>
where
    F: FnMut(&mut Reader<'_>) -> Result<(), Flaw>,
{
    let mut cut_off = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at + 1);
        let line = text[start..end].trim();
        if !(line.starts_with("{\"") || line == "{") {
            start = end;
            continue;
        }
        let here = if line == "{" { &text[start..] } else { &text[start..end] };
        let mut reader = Reader::new(here);
        let read = each(&mut reader).map_err(|flaw| flaw.moved(start));
        start = match read {
            Ok(()) if line == "{" => start + reader.offset(),
            Ok(()) => end,
            Err(flaw) => {
                let next = flaw.offset().filter(|&next| next >= end && begins_object(text, next)).ok_or(flaw)?;
                cut_off.push(text[..start].matches('\n').count() + 1);
                next
            }
        };
    }
    Ok(cut_off)
}

/// Whether a line begins here, and with a JSON object.
fn begins_object(text: &str, at: usize) -> bool {
    text[..at].ends_with('\n') && (text[at..].starts_with("{\"") || text[at..].lines().next() == Some("{"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_overwritten_text_vanish() {
        assert_eq!(without_escapes("\u{1b}[1;32mok\u{1b}[0m fine\r"), "ok fine");
        assert_eq!(without_escapes("Warming up\rDone\r"), "Done");
        assert_eq!(without_escapes("cut \u{1b}[3"), "cut ");
        assert_eq!(without_escapes("a\u{1b}µ"), "a");
    }

    #[test]
    fn a_byte_order_mark_is_left_out_and_bad_bytes_are_told() {
        let decoded = decode(b"\xef\xbb\xbfab\xffc", true).ok().unwrap();
        assert_eq!((&*decoded.text, decoded.first_bad_byte), ("ab\u{fffd}c", Some(2)));
        assert!(decode(b"\xff", false).is_err());
    }

    #[test]
    fn an_object_that_breaks_off_before_the_next_is_told_and_a_flaw_within_one_is_an_error() {
        let mut numbers = Vec::new();
        let mut read = |text: &str| {
            json_lines(text, |reader| {
                reader.map(|_, reader| {
                    numbers.push(reader.number()?);
                    Ok(())
                })
            })
        };
        assert_eq!(read("{\n  \"a\": 1,\n{\"b\": 2}\nx\n{\n  \"c\": 3\n}\n"), Ok(vec![1]));
        assert!(read("{\n  \"a\": 1,\n").is_err());
        assert!(read("{\n  \"a\": x\n}\n{\"b\": 2}\n").is_err());
        assert_eq!(read("{\"a\": 1,\n{\"b\": 2}\n"), Ok(vec![1]));
        assert_eq!(numbers, [1.0, 2.0, 3.0, 1.0, 1.0, 2.0]);
    }
}
