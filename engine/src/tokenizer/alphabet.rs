//! The letters by which a vocabulary writes bytes: a printable byte is itself, the others follow from U+0100 on, so that no
//! token has a blank or a control character in it.

/// Whether a byte is written as itself.
const fn is_itself(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

/// The letter that stands for a byte.
pub(super) fn letter(byte: u8) -> char {
    if is_itself(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|byte| !is_itself(*byte)).count() as u32;
    char::from_u32(0x100 + before).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The bytes that a text in this alphabet stands for; letters that are not in it stand for themselves.
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match byte_of(letter) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn byte_of(letter: char) -> Option<u8> {
    let code = u32::from(letter);
    match u8::try_from(code) {
        Ok(byte) => is_itself(byte).then_some(byte),
        Err(_) => (0..=255).filter(|byte| !is_itself(*byte)).nth(code as usize - 0x100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_letter_of_its_own_that_stands_for_it() {
        let mut letters: Vec<char> = (0..=255).map(letter).collect();
        for (byte, letter) in (0..=255).zip(&letters) {
            assert_eq!(byte_of(*letter), Some(byte));
        }
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 256);
        assert_eq!((letter(b' '), letter(b'\n'), letter(0), letter(0xad)), ('Ġ', 'Ċ', 'Ā', 'Ń'));
        assert_eq!(bytes_of("世Ġ"), [0xe4, 0xb8, 0x96, b' '], "what is not in the alphabet stands for itself");
    }
}
