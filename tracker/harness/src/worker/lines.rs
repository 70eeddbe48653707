//! Lines of bounded length.

use std::io::{self, BufRead, Read};

/// The longest request, in bytes, without its line feed.
pub(crate) const LONGEST_REQUEST: usize = 1 << 20;
/// How much of a line that is too long is quoted.
const QUOTED_BYTES: usize = 200;

/// A line as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// As it should be.
    Whole(String),
    /// Longer than allowed; its beginning.
    TooLong(String),
    /// Not UTF-8; with the wrong bytes replaced.
    NotText(String),
}

/// Reads the next line; none at the end. Never holds more of it than is allowed.
pub(crate) fn next(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let most = LONGEST_REQUEST as u64 + 1;
    if input.by_ref().take(most).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.len() > LONGEST_REQUEST {
        skip_line(input)?;
        return Ok(Some(Line::TooLong(String::from_utf8_lossy(&bytes[..QUOTED_BYTES]).into_owned())));
    }
    Ok(Some(match String::from_utf8(bytes) {
        Ok(text) => Line::Whole(text),
        Err(error) => Line::NotText(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }))
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let length = end.map_or(chunk.len(), |end| end + 1);
        input.consume(length);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut input: &[u8]) -> Vec<Line> {
        std::iter::from_fn(|| next(&mut input).unwrap()).collect()
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.to_owned())
    }

    #[test]
    fn lines_are_read_to_the_end_with_or_without_a_last_line_feed() {
        assert_eq!(lines(b"a\nb"), [whole("a"), whole("b")]);
        assert_eq!(lines(b"a\n\nb\n"), [whole("a"), whole(""), whole("b")]);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_line_of_the_longest_length_is_read_and_a_longer_one_is_skipped() {
        let longest = "x".repeat(LONGEST_REQUEST);
        let input = format!("{longest}\n{longest}y\nnext\n");
        let read = lines(input.as_bytes());
        assert_eq!(read, [whole(&longest), Line::TooLong("x".repeat(QUOTED_BYTES)), whole("next")]);
    }

    #[test]
    fn a_line_that_is_no_text_is_told_from_one_that_is() {
        assert_eq!(lines(b"a\xffb\nc\n"), [Line::NotText("a\u{fffd}b".to_owned()), whole("c")]);
    }
}
