//! Text to tokens and back: byte-level byte-pair encoding, as GPT-2 has it.
//!
//! Text is split into words (`words.rs`), each word into its bytes, and neighbours are joined to longer tokens, in
//! the order of importance that the vocabulary gives. A vocabulary without such joins is a byte tokenizer.

mod alphabet;
mod vocabulary;
mod words;

use std::collections::HashMap;

pub use vocabulary::{Vocabulary, VocabularyError};

/// Turns text into tokens and back.
#[derive(Debug)]
pub struct Tokenizer {
    /// The token of each byte, where there is one.
    bytes: [Option<u32>; 256],
    /// Two neighbours, how important it is to join them (0 is most), and what they become.
    joins: HashMap<(u32, u32), (u32, u32)>,
    /// What each token stands for.
    texts: Vec<Vec<u8>>,
}

impl Tokenizer {
    /// The tokenizer of a vocabulary. Joins that name tokens which are not there are left out.
    #[must_use]
    pub fn new(vocabulary: &Vocabulary) -> Self {
        let mut by_text: HashMap<&str, u32> = HashMap::with_capacity(vocabulary.len());
        for (token, text) in (0..).zip(vocabulary.tokens()) {
            by_text.entry(text).or_insert(token);
        }
        let bytes = std::array::from_fn(|byte| {
            let mut letter = [0; 4];
            by_text.get(&*alphabet::letter(byte as u8).encode_utf8(&mut letter)).copied()
        });
        let join = |(rank, pair): (u32, &str)| {
            let (left, right) = pair.split_once(' ')?;
            let joined = by_text.get(&*format!("{left}{right}"))?;
            Some(((*by_text.get(left)?, *by_text.get(right)?), (rank, *joined)))
        };
        let joins = (0..).zip(vocabulary.merges()).filter_map(join).collect();
        Self { bytes, joins, texts: vocabulary.tokens().map(alphabet::bytes_of).collect() }
    }

    /// The tokens of a text. Bytes for which there is no token are left out.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::new();
        for word in words::words(text) {
            let start = tokens.len();
            tokens.extend(word.bytes().filter_map(|byte| self.bytes[byte as usize]));
            let length = self.join(&mut tokens[start..]);
            tokens.truncate(start + length);
        }
        tokens
    }

    /// Joins the most important pair, the leftmost of several, until no more can be joined; returns how many are left.
    fn join(&self, tokens: &mut [u32]) -> usize {
        let mut length = tokens.len();
        loop {
            let pairs = tokens[..length].windows(2).enumerate();
            let ranked = pairs.filter_map(|(at, pair)| {
                let (rank, joined) = self.joins.get(&(pair[0], pair[1]))?;
                Some((*rank, at, *joined))
            });
            let Some((_, at, joined)) = ranked.min() else { return length };
            tokens[at] = joined;
            tokens.copy_within(at + 2..length, at + 1);
            length -= 1;
        }
    }

    /// The bytes that a token stands for: a part of a text, not always whole letters.
    #[must_use]
    pub fn decode(&self, token: u32) -> &[u8] {
        self.texts.get(token as usize).map_or(&[], |text| text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vocabulary_without_joins_is_one_token_a_byte() {
        let tokenizer = Tokenizer::new(&Vocabulary::bytes(256));
        let text = "Grüße, 世界!\n";
        let tokens = tokenizer.encode(text);
        assert_eq!(tokens.len(), text.len());
        let back: Vec<u8> = tokens.iter().flat_map(|token| tokenizer.decode(*token).to_vec()).collect();
        assert_eq!(back, text.as_bytes());
    }

    #[test]
    fn the_most_important_pair_is_joined_first() {
        let tokens = ["l", "o", "w", "e", "r", "Ġ", "lo", "low", "er", "we"].map(String::from).to_vec();
        let merges = ["l o", "lo w", "e r", "w e", "x y"].map(String::from).to_vec();
        let tokenizer = Tokenizer::new(&Vocabulary::new(tokens, merges).expect("a vocabulary"));
        assert_eq!(tokenizer.encode("lower"), [7, 8]);
        assert_eq!(tokenizer.encode("low wer"), [7, 5, 2, 8]);
        assert_eq!(tokenizer.encode("wewe"), [9, 9]);
        assert_eq!(tokenizer.decode(5), b" ");
        assert_eq!(tokenizer.decode(99), b"");
    }

    #[test]
    fn bytes_that_the_vocabulary_lacks_are_left_out() {
        let tokenizer = Tokenizer::new(&Vocabulary::new(vec!["a".into()], Vec::new()).expect("a vocabulary"));
        assert_eq!(tokenizer.encode("abä a"), [0, 0]);
    }
}
