//! Names of benchmarks and suites, and the patterns that choose among them.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name that is taken, in bytes.
const LONGEST_BYTES: usize = 4096;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty or only white space.
    #[error("a name must not be empty")]
    Empty,
    /// It is longer than any sensible name.
    #[error("a name must be at most {LONGEST_BYTES} bytes long; this one has {0}")]
    TooLong(usize),
    /// It holds a NUL character.
    #[error("a name must not contain a NUL character")]
    Nul,
}

fn checked(text: String) -> Result<String, NameError> {
    if text.trim().is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > LONGEST_BYTES {
        return Err(NameError::TooLong(text.len()));
    }
    if text.contains('\0') {
        return Err(NameError::Nul);
    }
    Ok(text)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text as a name.
            pub fn new(text: impl Into<String>) -> Result<$name, NameError> {
                checked(text.into()).map($name)
            }

            /// The name as text; hostile until escaped for where it is shown.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<$name, NameError> {
                $name::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of a benchmark, a path such as `kernel/matmul/512`.
    BenchmarkName
}

name! {
    /// The name of a suite, as the configuration gives it.
    SuiteName
}

/// What the name of a peer's suite begins with.
const OF_PEER: &str = "peer/";

impl SuiteName {
    /// The suite under which the results of a peer are kept: beside ours, and never taken for them.
    pub fn of_peer(peer: &str) -> Result<SuiteName, NameError> {
        checked(peer.to_owned())?;
        SuiteName::new(format!("{OF_PEER}{peer}"))
    }

    /// The peer whose results these are, if they are none of ours.
    #[must_use]
    pub fn peer(&self) -> Option<&str> {
        self.0.strip_prefix(OF_PEER)
    }
}

/// Chooses benchmarks by name.
///
/// Without a wildcard it matches anywhere in a name; with `*` (any text, slashes too) or `?` (one character) it must
/// match the whole name; with a leading `=` it is the exact name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Takes any text as a pattern.
    pub fn new(text: impl Into<String>) -> Pattern {
        Pattern(text.into())
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name` is chosen.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if let Some(exact) = self.0.strip_prefix('=') {
            return name == exact;
        }
        if !self.0.contains(['*', '?']) {
            return name.contains(&self.0);
        }
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.chars().collect();
        whole_match(&pattern, &name)
    }
}

/// Matches with one point to come back to: the last star, and how far it has eaten. Linear for sane patterns, at worst
/// the product of the lengths, never exponential.
fn whole_match(pattern: &[char], name: &[char]) -> bool {
    let (mut at_pattern, mut at_name) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at_name < name.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                back = Some((at_pattern, at_name));
                at_pattern += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == name[at_name] => {
                at_pattern += 1;
                at_name += 1;
            }
            _ => {
                let Some((star, eaten)) = back else { return false };
                back = Some((star, eaten + 1));
                at_pattern = star + 1;
                at_name = eaten + 1;
            }
        }
    }
    pattern[at_pattern..].iter().all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_empty_not_endless_and_without_nul() {
        assert_eq!(BenchmarkName::new("  "), Err(NameError::Empty));
        assert_eq!(BenchmarkName::new("a\0b"), Err(NameError::Nul));
        assert_eq!(BenchmarkName::new("x".repeat(5000)), Err(NameError::TooLong(5000)));
        assert_eq!(BenchmarkName::new("kernel/matmul/64").unwrap().as_str(), "kernel/matmul/64");
    }

    #[test]
    fn a_peers_suite_is_told_from_ours() {
        assert_eq!(SuiteName::of_peer("llama.cpp").unwrap().peer(), Some("llama.cpp"));
        assert_eq!(SuiteName::new("engine/peer/x").unwrap().peer(), None);
        assert!(SuiteName::of_peer(" ").is_err());
    }

    #[test]
    fn a_name_is_checked_when_it_is_read_from_json_too() {
        assert!(serde_json::from_str::<SuiteName>("\"\"").is_err());
        assert_eq!(serde_json::from_str::<SuiteName>("\"engine\"").unwrap().as_str(), "engine");
    }

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
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn a_nasty_pattern_ends_soon() {
        let pattern = Pattern::new("*a".repeat(200) + "b");
        assert!(!pattern.matches(&"a".repeat(4000)));
    }
}
