//! What stands behind a backslash.

use super::Reader;
use crate::adapt::error::Flaw;

impl Reader<'_> {
    /// Reads an escape, the reader standing on its backslash.
    pub(super) fn escape(&mut self) -> Result<char, Flaw> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let bad = || Flaw::new("expected an escape such as \\n or \\u00b5").at(start);
        let escaped = *bytes.get(self.at + 1).ok_or_else(bad)?;
        self.at += 2;
        Ok(match escaped {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.four_hex().ok_or_else(bad)?;
                let is_pair = (0xd800..0xdc00).contains(&high) && self.text[self.at..].starts_with("\\u");
                if !is_pair {
                    return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                self.at += 2;
                let low = self.four_hex().ok_or_else(bad)?;
                let joined = 0x1_0000 + ((high - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
                char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(bad()),
        })
    }

    fn four_hex(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        let mut value = 0;
        for &digit in digits {
            value = value * 16 + char::from(digit).to_digit(16)?;
        }
        self.at += 4;
        Some(value)
    }
}
