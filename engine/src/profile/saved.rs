//! A profile as it is kept: what was measured, and each method. In JSON,
//!
//! ```json
//! {"engine_profile": 1, "model": "small", "format": "f32", "threads": 1, "kernels": "AVX2", "tokens": 25,
//!  "methods": [{"path": "generate/decode/walk", "calls": 24, "inclusive_ns": 812345, "exclusive_ns": 1234,
//!               "allocations": 0, "bytes": 0}]}
//! ```
//!
//! A file holds one of them, or a list.

use std::error::Error;
use std::fmt;

use serde_json::{Value, json};

const VERSION: u64 = 1;

/// A scope under one chain of callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The names of the callers and its own, with `/` between them.
    pub path: String,
    /// How often it was entered.
    pub calls: u64,
    /// Time in it and in whatever it called.
    pub inclusive_ns: u64,
    /// Time in it alone.
    pub exclusive_ns: u64,
    /// Times that it alone asked for memory.
    pub allocations: u64,
    /// Bytes that it alone asked for.
    pub bytes: u64,
}

/// What was measured. Profiles of the same subject can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The model's name, or its file's.
    pub model: String,
    /// How its matrices are stored.
    pub format: String,
    /// Threads that computed.
    pub threads: u64,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = if self.threads == 1 { "" } else { "s" };
        write!(f, "{} {}, {} thread{threads}", self.model, self.format, self.threads)
    }
}

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What was measured.
    pub subject: Subject,
    /// The instruction set.
    pub kernels: String,
    /// Tokens that were computed.
    pub tokens: u64,
    /// Each method, callers first; the first is the whole.
    pub methods: Vec<Method>,
}

/// Why a file is no profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError(String);

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; a profile is what `engine profile --json FILE` writes", self.0)
    }
}

impl Error for ProfileError {}

impl Profile {
    /// The time of the whole.
    #[must_use]
    pub fn total_ns(&self) -> u64 {
        self.methods.first().map_or(0, |method| method.inclusive_ns)
    }

    /// A time, for one token.
    #[must_use]
    pub fn per_token(&self, ns: u64) -> f64 {
        ns as f64 / self.tokens.max(1) as f64
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let method = |method: &Method| {
            json!({
                "path": method.path,
                "calls": method.calls,
                "inclusive_ns": method.inclusive_ns,
                "exclusive_ns": method.exclusive_ns,
                "allocations": method.allocations,
                "bytes": method.bytes,
            })
        };
        json!({
            "engine_profile": VERSION,
            "model": self.subject.model,
            "format": self.subject.format,
            "threads": self.subject.threads,
            "kernels": self.kernels,
            "tokens": self.tokens,
            "methods": self.methods.iter().map(method).collect::<Vec<_>>(),
        })
    }

    /// Reads one profile, or a list of them.
    pub fn all_of(text: &str) -> Result<Vec<Self>, ProfileError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| ProfileError(format!("this is no JSON: {error}")))?;
        match &value {
            Value::Array(list) => list.iter().map(Self::of).collect(),
            one => Ok(vec![Self::of(one)?]),
        }
    }

    fn of(value: &Value) -> Result<Self, ProfileError> {
        match value["engine_profile"].as_u64() {
            Some(VERSION) => {}
            Some(other) => return Err(ProfileError(format!("version {other} is not known; {VERSION} is"))),
            None => return Err(ProfileError("there is no \"engine_profile\" with its version".to_owned())),
        }
        let methods = value["methods"].as_array().ok_or_else(|| missing("methods"))?;
        let method = |value: &Value| {
            Ok(Method {
                path: text(value, "path")?,
                calls: count(value, "calls")?,
                inclusive_ns: count(value, "inclusive_ns")?,
                exclusive_ns: count(value, "exclusive_ns")?,
                allocations: count(value, "allocations")?,
                bytes: count(value, "bytes")?,
            })
        };
        let methods = methods.iter().map(method).collect::<Result<Vec<_>, _>>()?;
        if methods.is_empty() {
            return Err(ProfileError("it has no methods".to_owned()));
        }
        Ok(Self {
            subject: Subject {
                model: text(value, "model")?,
                format: text(value, "format")?,
                threads: count(value, "threads")?,
            },
            kernels: text(value, "kernels")?,
            tokens: count(value, "tokens")?,
            methods,
        })
    }
}

fn missing(key: &str) -> ProfileError {
    ProfileError(format!("{key:?} is missing or of the wrong kind"))
}

fn text(value: &Value, key: &str) -> Result<String, ProfileError> {
    value[key].as_str().map(str::to_owned).ok_or_else(|| missing(key))
}

fn count(value: &Value, key: &str) -> Result<u64, ProfileError> {
    value[key].as_u64().ok_or_else(|| missing(key))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A profile of ten tokens, from paths with their inclusive and exclusive times and bytes.
    pub(in super::super) fn profile(model: &str, methods: &[(&str, u64, u64, u64)]) -> Profile {
        let method = |&(path, inclusive_ns, exclusive_ns, bytes): &(&str, u64, u64, u64)| Method {
            path: path.to_owned(),
            calls: 20,
            inclusive_ns,
            exclusive_ns,
            allocations: bytes.div_ceil(100),
            bytes,
        };
        Profile {
            subject: Subject { model: model.to_owned(), format: "f32".to_owned(), threads: 1 },
            kernels: "AVX2".to_owned(),
            tokens: 10,
            methods: methods.iter().map(method).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read_again_alone_and_in_a_list() {
        let one = profile("small", &[("all", 100, 40, 0), ("all/walk", 60, 60, 512)]);
        let text = one.to_json().to_string();
        assert_eq!(Profile::all_of(&text), Ok(vec![one.clone()]));
        let list = format!("[{text},{text}]");
        assert_eq!(Profile::all_of(&list), Ok(vec![one.clone(), one]));
    }

    #[test]
    fn what_is_no_profile_is_refused_with_its_reason() {
        let reason = |text: &str| Profile::all_of(text).expect_err("refused").to_string();
        assert!(reason("{").contains("no JSON"));
        assert!(reason("{}").contains("engine_profile"));
        assert!(reason(r#"{"engine_profile":2}"#).contains("version 2"));
        assert!(reason(r#"{"engine_profile":1,"methods":[{"path":"a","calls":-1}]}"#).contains("\"calls\""));
        assert!(reason(r#"{"engine_profile":1,"methods":[]}"#).contains("no methods"));
    }
}
