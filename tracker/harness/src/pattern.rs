//! Patterns that choose among benchmarks: the same rules as the tracker's.

/// Chooses benchmarks by name: with a leading `=` the exact name; with `*` (any text) or `?` (one character) a pattern
/// for the whole name; else a text to be found anywhere in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Pattern {
        Pattern(text.into())
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        if let Some(exact) = self.0.strip_prefix('=') {
            return name == exact;
        }
        if !self.0.contains(['*', '?']) {
            return name.contains(&self.0);
        }
        whole(&self.0.chars().collect::<Vec<_>>(), name)
    }
}

/// Follows every way to match at once: `reached[i]` says whether the first `i` parts of the pattern match what was read.
fn whole(pattern: &[char], name: &str) -> bool {
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    pass_stars(pattern, &mut reached);
    for character in name.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (place, &part) in pattern.iter().enumerate().filter(|&(place, _)| reached[place]) {
            match part {
                '*' => next[place] = true,
                '?' => next[place + 1] = true,
                exact => next[place + 1] |= exact == character,
            }
        }
        pass_stars(pattern, &mut next);
        reached = next;
    }
    reached[pattern.len()]
}

/// A star also matches nothing.
fn pass_stars(pattern: &[char], reached: &mut [bool]) {
    for (place, &part) in pattern.iter().enumerate() {
        if part == '*' && reached[place] {
            reached[place + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_pattern_matches_anywhere_a_wildcard_the_whole_an_equals_sign_exactly() {
        let cases = [
            ("matmul", "kernel/matmul/64", true),
            ("matmul", "kernel/gelu/64", false),
            ("kernel/*/64", "kernel/matmul/64", true),
            ("kernel/*/64", "kernel/matmul/640", false),
            ("kernel/*", "kernel/a/b/c", true),
            ("*64", "kernel/matmul/64", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("kernel/?/1", "kernel/x/1", true),
            ("kernel/?/1", "kernel/xy/1", false),
            ("=matmul", "matmul", true),
            ("=matmul", "matmul/64", false),
            ("", "anything", true),
            ("*", "anything", true),
            ("*", "", true),
            ("?", "ß", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} on {name}");
        }
    }
}
