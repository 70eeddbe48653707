//! A suite of which a gate has no report, and why.

use serde::{Deserialize, Serialize};

use super::SuiteName;

/// Why there is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lack {
    /// The suite does not build or start on head.
    Broken,
    /// Who should have measured it hands nothing on.
    Unmeasured,
    /// Base has no such suite yet.
    New,
    /// Base says that it has the suite, and it cannot be used there.
    Unusable,
}

impl Lack {
    /// What is said of the suite.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Lack::Broken => "does not build or start on head",
            Lack::Unmeasured => "was not measured",
            Lack::New => "is new, and there is nothing to compare it with yet",
            Lack::Unusable => "cannot be used on base",
        }
    }

    /// The word that stands before it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Lack::Broken | Lack::Unmeasured => "red",
            Lack::New => "new",
            Lack::Unusable => "not judged",
        }
    }

    /// Whether it makes a gate red.
    #[must_use]
    pub fn is_red(self) -> bool {
        matches!(self, Lack::Broken | Lack::Unmeasured)
    }
}

/// A suite without a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreported {
    /// The suite.
    pub suite: SuiteName,
    /// Why there is no report.
    pub lack: Lack,
    /// What is known of it.
    pub said: String,
}
