//! A text, cut into lessons.

use crate::seeded::Random;

/// Sequences of equal length, and after each token the one that should follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    length: usize,
    tokens: Vec<u32>,
    targets: Vec<u32>,
}

impl Lesson {
    /// A lesson of the windows of a text that begin at these places; the last token of a window is only a target.
    ///
    /// # Panics
    /// If a window would end past the text.
    #[must_use]
    pub fn of(text: &[u32], starts: &[usize], length: usize) -> Self {
        let windows = |shift: usize| starts.iter().flat_map(move |start| &text[start + shift..][..length]).copied();
        Self { length, tokens: windows(0).collect(), targets: windows(1).collect() }
    }

    /// Windows that a seed chooses.
    ///
    /// # Panics
    /// If the text is not longer than a window.
    #[must_use]
    pub fn drawn(text: &[u32], random: &mut Random, sequences: usize, length: usize) -> Self {
        let starts: Vec<usize> = (0..sequences).map(|_| random.below(text.len() - length)).collect();
        Self::of(text, &starts, length)
    }

    /// Windows that cover a text evenly.
    ///
    /// # Panics
    /// If the text is not longer than a window.
    #[must_use]
    pub fn spread(text: &[u32], sequences: usize, length: usize) -> Self {
        let last = text.len() - length - 1;
        let starts: Vec<usize> =
            (0..sequences).map(|index| index * last / sequences.max(2).saturating_sub(1)).collect();
        Self::of(text, &starts, length)
    }

    /// Number of sequences.
    #[must_use]
    pub const fn sequences(&self) -> usize {
        self.tokens.len() / self.length
    }

    /// Tokens of a sequence.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Tokens of all sequences.
    #[must_use]
    pub const fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// Each token with its row and the one that should follow.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, (u32, u32))> {
        self.tokens.iter().copied().zip(self.targets.iter().copied()).enumerate()
    }

    pub(super) fn largest(&self) -> u32 {
        self.tokens.iter().chain(&self.targets).copied().max().unwrap_or(0)
    }

    /// The sequences dealt out to so many, as evenly as can be; nobody gets none while there are enough.
    pub(super) fn parts(&self, count: usize) -> Vec<Self> {
        let sequences = self.sequences();
        let count = count.min(sequences);
        let cut = |part: usize| sequences * part / count * self.length;
        (0..count)
            .map(|part| Self {
                length: self.length,
                tokens: self.tokens[cut(part)..cut(part + 1)].to_vec(),
                targets: self.targets[cut(part)..cut(part + 1)].to_vec(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_follow_their_tokens_and_parts_cover_the_lesson() {
        let text: Vec<u32> = (0..50).collect();
        let lesson = Lesson::spread(&text, 5, 7);
        assert_eq!((lesson.sequences(), lesson.length(), lesson.tokens()), (5, 7, 35));
        assert!(lesson.pairs().all(|(_, (token, target))| target == token + 1));
        assert_eq!((lesson.tokens[0], lesson.largest()), (0, 49), "from the first token to the last");
        let parts = lesson.parts(2);
        assert_eq!(parts.iter().map(Lesson::sequences).collect::<Vec<_>>(), [2, 3]);
        let tokens: Vec<u32> = parts.iter().flat_map(|part| part.tokens.clone()).collect();
        assert_eq!(tokens, lesson.tokens);
        assert_eq!(Lesson::of(&text, &[3], 4).parts(8).len(), 1);
    }

    #[test]
    fn windows_that_a_seed_chooses_are_the_same_again() {
        let text: Vec<u32> = (0..50).collect();
        let drawn = |seed| Lesson::drawn(&text, &mut Random::new(seed), 9, 49);
        assert_eq!(drawn(1), drawn(1));
        assert!(drawn(1).tokens.iter().all(|token| *token < 49), "a window as long as the text but one begins at 0");
    }
}
