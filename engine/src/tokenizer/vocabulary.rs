//! The texts of a model's tokens.

use std::fmt;

use super::alphabet;

/// The name of GPT-2's token between texts.
const END_OF_TEXT: &str = "<|endoftext|>";

/// The tokens' texts, in the byte alphabet, and the pairs that are joined, the most important first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    tokens: Vec<String>,
    merges: Vec<String>,
    /// How many tokens at the end have no text.
    unused: usize,
}

/// A vocabulary that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VocabularyError(String);

impl fmt::Display for VocabularyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for VocabularyError {}

impl Vocabulary {
    /// A vocabulary of these tokens and pairs.
    pub fn new(tokens: Vec<String>, merges: Vec<String>) -> Result<Self, VocabularyError> {
        if tokens.is_empty() {
            return Err(VocabularyError("a vocabulary without tokens".into()));
        }
        if let Some(pair) = merges.iter().find(|pair| pair.split_once(' ').is_none()) {
            return Err(VocabularyError(format!("{pair:?} is no pair of tokens with a blank between them")));
        }
        Ok(Self { tokens, merges, unused: 0 })
    }

    /// The vocabulary of what a file holds: texts in UTF-8.
    pub fn from_bytes<'a>(
        tokens: impl Iterator<Item = &'a [u8]>,
        merges: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Self, VocabularyError> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self::new(tokens.map(text).collect(), merges.map(text).collect())
    }

    /// A token for each byte, and as many without a text as it takes to make up the count.
    #[must_use]
    pub fn bytes(count: usize) -> Self {
        let letters = (0..=255).map(|byte| alphabet::letter(byte).to_string());
        let unused = (256..count).map(|token| format!("<unused{token}>"));
        let tokens = letters.take(count).chain(unused).collect();
        Self { tokens, merges: Vec::new(), unused: count.saturating_sub(256) }
    }

    /// How many tokens there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is none, which cannot be.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The texts of the tokens.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|token| &**token)
    }

    /// The pairs, two texts with a blank between them each.
    pub fn merges(&self) -> impl Iterator<Item = &str> {
        self.merges.iter().map(|pair| &**pair)
    }

    /// What each token is, in llama.cpp's numbers: 1 for a normal one, 3 for one that controls, 5 for an unused one.
    pub fn kinds(&self) -> impl Iterator<Item = i32> {
        let used = self.tokens.len() - self.unused;
        self.tokens.iter().enumerate().map(move |(token, text)| match text {
            _ if token >= used => 5,
            text if text == END_OF_TEXT => 3,
            _ => 1,
        })
    }

    /// The token between texts, if there is one.
    #[must_use]
    pub fn end_of_text(&self) -> Option<u32> {
        self.tokens.iter().position(|token| token == END_OF_TEXT).map(|token| token as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vocabulary_of_bytes_has_the_count_that_was_asked_for() {
        for count in [1, 256, 300] {
            let vocabulary = Vocabulary::bytes(count);
            assert_eq!(vocabulary.len(), count);
            assert_eq!(vocabulary.kinds().filter(|kind| *kind == 5).count(), count.saturating_sub(256));
        }
    }

    #[test]
    fn what_is_no_vocabulary_is_refused() {
        assert!(Vocabulary::new(Vec::new(), Vec::new()).is_err());
        let error = Vocabulary::new(vec!["a".into()], vec!["ab".into()]).expect_err("refused");
        assert!(error.to_string().contains("\"ab\""));
    }

    #[test]
    fn the_token_between_texts_is_found_by_its_name() {
        let vocabulary = Vocabulary::new(vec!["a".into(), END_OF_TEXT.into()], Vec::new()).expect("a vocabulary");
        assert_eq!(vocabulary.end_of_text(), Some(1));
        assert_eq!(vocabulary.kinds().collect::<Vec<_>>(), [1, 3]);
    }
}
