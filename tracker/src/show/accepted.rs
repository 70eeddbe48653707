//! Acceptances for people: how much, until when, why.

use super::table::shorten;
use crate::domain::{Acceptance, CommitId, Until};

/// A reason that is longer is told with its two ends.
const LONGEST_REASON: usize = 300;

/// What was accepted of a series, and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The commit's place in the history.
    pub place: usize,
    /// The commit there.
    pub commit: CommitId,
    /// When that was committed.
    pub at_s: i64,
    /// What was accepted.
    pub acceptance: Acceptance,
}

/// How much is allowed.
#[must_use]
pub fn bound(one: &Acceptance) -> String {
    one.allowed().map_or_else(|| "gone".to_owned(), |allowed| format!("up to {allowed}"))
}

/// Until when.
#[must_use]
pub fn until(one: &Acceptance) -> String {
    match one.until() {
        Until::Day(day) => day.to_string(),
        Until::Rebased => "base is another".to_owned(),
    }
}

/// Why.
#[must_use]
pub fn reason(one: &Acceptance) -> String {
    shorten(one.reason().trim(), LONGEST_REASON)
}

/// All of it in a line.
#[must_use]
pub fn line(one: &Acceptance) -> String {
    format!("accepted, {} until {}: {}", bound(one), until(one), reason(one))
}

#[cfg(test)]
pub(in crate::show) mod tests {
    use super::*;
    use crate::domain::{Pattern, RawAcceptance};

    pub(in crate::show) fn acceptance(allowed: Option<&str>, reason: &str) -> Acceptance {
        let raw = RawAcceptance {
            pattern: Pattern::new("kernel/*"),
            metric: allowed.map(|_| "time".to_owned()),
            allowed: allowed.map(|allowed| allowed.parse().unwrap()),
            gone: false,
            reason: reason.to_owned(),
            commit: CommitId::new("c".repeat(40)).unwrap(),
            base: CommitId::new("b".repeat(40)).unwrap(),
            until: if allowed.is_some() { "2026-12-31" } else { "rebased" }.parse().unwrap(),
        };
        Acceptance::try_from(raw).unwrap()
    }

    #[test]
    fn an_acceptance_is_told_in_a_line() {
        let told = |allowed, reason| line(&acceptance(allowed, reason));
        assert_eq!(
            told(Some("5 %"), "checks its input now"),
            "accepted, up to 5 % until 2026-12-31: checks its input now"
        );
        assert_eq!(told(None, "split in two"), "accepted, gone until base is another: split in two");
        assert!(told(None, &"x".repeat(5000)).chars().count() < 400);
    }
}
