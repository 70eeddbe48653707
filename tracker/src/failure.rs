//! What went wrong, classed once, at the door: a kind that decides the exit code, the cause, and what to try.

use std::fmt;

/// The classes of failure that the exit code tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line or the configuration is wrong: exit code 2.
    Usage,
    /// Git, a build of base, the store or the disk failed: exit code 3.
    Environment,
}

impl Kind {
    /// The process's exit code for this class.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Usage => 2,
            Kind::Environment => 3,
        }
    }
}

/// A failure that ends a verb.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    source: anyhow::Error,
    hint: Option<String>,
}

/// What a verb or a flow returns.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// Wrong usage or configuration.
    pub fn usage(source: impl Into<anyhow::Error>) -> Failure {
        Failure { kind: Kind::Usage, source: source.into(), hint: None }
    }

    /// The environment failed.
    pub fn environment(source: impl Into<anyhow::Error>) -> Failure {
        Failure { kind: Kind::Environment, source: source.into(), hint: None }
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// Says what was being done when it came.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Failure {
        self.source = self.source.context(what.to_string());
        self
    }

    /// The class of this failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.source)?;
        for cause in self.source.chain().skip(1) {
            write!(f, "\n  because: {cause}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  try: {hint}")?;
        }
        Ok(())
    }
}

/// Turns any error into a [`Failure`] of a class, with words about what was being done.
pub trait Classify<T> {
    /// An error of usage or configuration while doing `what`.
    fn or_usage(self, what: impl fmt::Display) -> Outcome<T>;
    /// An error of the environment while doing `what`.
    fn or_environment(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: Into<anyhow::Error>> Classify<T> for Result<T, E> {
    fn or_usage(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure::usage(error.into().context(what.to_string())))
    }

    fn or_environment(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure::environment(error.into().context(what.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_why_and_what_to_try() {
        let failed: Result<(), _> = Err(std::io::Error::other("no space left"));
        let failure = failed.or_environment("writing the store").unwrap_err().hint("free some space");
        assert_eq!(failure.to_string(), "error: writing the store\n  because: no space left\n  try: free some space");
        assert_eq!(failure.kind().exit_code(), 3);
    }
}
