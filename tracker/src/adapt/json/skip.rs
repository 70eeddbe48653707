//! Passing over what is not wanted, without building it.

use super::{Reader, too_deep};
use crate::adapt::error::Flaw;
use crate::adapt::limits;

impl<'a> Reader<'a> {
    pub(super) fn skip_text(&mut self) -> Result<(), Flaw> {
        let opening = self.at;
        self.at += 1;
        loop {
            if self.until_special().is_none() {
                return Err(Flaw::new("a text begins here that never ends").at(opening));
            }
            let escaped = self.text.as_bytes()[self.at] == b'\\';
            self.at += 1;
            if !escaped {
                return Ok(());
            }
            // Whatever is escaped is no quote that ends the text; a backslash at the end is caught by the next look.
            self.at += self.rest_from(self.at).chars().next().map_or(0, char::len_utf8);
        }
    }

    fn rest_from(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or("")
    }

    /// Skips an object or list, with the open brackets as bits of a number.
    pub(super) fn skip_nested(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        let mut open: u128 = 1;
        let mut depth = 0;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let Some(plain) = rest.iter().position(|byte| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}')) else {
                return Err(Flaw::new("a value begins here that never ends").at(start));
            };
            self.at += plain;
            let byte = rest[plain];
            match byte {
                b'"' => {
                    self.skip_text()?;
                    continue;
                }
                b'[' | b'{' => {
                    depth += 1;
                    if self.depth + depth > limits::DEPTH {
                        return Err(too_deep(self.at));
                    }
                    open = (open << 1) | u128::from(byte == b'{');
                }
                _ => {
                    if (open & 1 == 1) != (byte == b'}') {
                        let right = if open & 1 == 1 { '}' } else { ']' };
                        let found = char::from(byte);
                        return Err(Flaw::new(format!("expected `{right}`, found `{found}`")).at(self.at));
                    }
                    open >>= 1;
                    depth -= 1;
                }
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }
}
