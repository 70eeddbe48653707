//! A finding of the history: changes that fall on the same commits, and what people say of them.

use serde::{Deserialize, Serialize};

use super::{Change, Commit, CommitId, Move, RecordId, Series, Turn};

/// What people think of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody has looked at it yet.
    Open,
    /// Somebody knows of it.
    Acknowledged,
    /// It is as it should be.
    Expected,
    /// A regression whose levels have returned: this follows from the points, and nobody has to say it.
    Fixed,
}

impl State {
    /// The word used in files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Acknowledged => "acknowledged",
            State::Expected => "expected",
            State::Fixed => "fixed",
        }
    }

    /// The state from its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<State> {
        let all = [State::Open, State::Acknowledged, State::Expected, State::Fixed];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

/// What somebody said of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// Of which.
    pub finding: RecordId,
    /// What it is from then on; anything but [`State::Fixed`], which nobody says.
    pub state: State,
    /// Why.
    pub note: String,
    /// When, in seconds since 1970 UTC.
    pub said_at_s: i64,
}

impl Annotation {
    /// The annotation's public identity.
    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::of("annotation", self)
    }
}

/// The name of a finding, and what it was given to: one that overlaps these commits and means the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The name.
    pub id: RecordId,
    /// How it moved.
    #[serde(rename = "move")]
    pub kind: Move,
    /// What that means.
    pub turn: Turn,
    /// The first suspect.
    pub first: CommitId,
    /// The last suspect.
    pub last: CommitId,
    /// The most likely suspect.
    pub likely: CommitId,
}

impl Named {
    /// Gives a name to a finding that has none: the hash of what it is.
    #[must_use]
    pub fn new(kind: Move, turn: Turn, [first, last, likely]: [CommitId; 3]) -> Named {
        let id = RecordId::of("finding of the history", &(kind, turn, &first, &last, &likely));
        Named { id, kind, turn, first, last, likely }
    }
}

/// The note of a duel that was a second look with what it confirmed, judged as it was then, whatever other duels taught of
/// lives since. For programs.
pub const CONFIRMED: &str = "confirmed";

/// A duel of a commit with its first parent that moved as a change did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confirmed {
    /// The commit's place.
    #[serde(skip)]
    pub place: usize,
    /// The duel.
    pub duel: RecordId,
    /// How much it moved: 0.03 for 3 % more.
    pub effect: f64,
    /// The lower end of its 95 % interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// A slow move that duels of neighbours tell by their sum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summed {
    /// How many there are.
    pub duels: usize,
    /// How often the surest of all stretches of such duels would be as sure if nothing moved.
    pub p: f64,
}

/// One series' part in a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The series.
    pub series: Series,
    /// What was found in it.
    pub change: Change,
    /// The places, first and last, of the commits in which it may lie.
    pub suspects: (usize, usize),
    /// The place of the first mark of the new level; of a drift, of its first mark.
    pub likely: usize,
    /// Whether the series' level has since gone back to what it was before.
    pub returned: bool,
    /// The duel of neighbours that saw it too, if there is one.
    pub confirmed: Option<Confirmed>,
    /// The duels of neighbours that tell it by their sum; none of what the points tell.
    pub summed: Option<Summed>,
}

impl Part {
    /// Whether it means the same as another part, and went the same way where nobody said which way is good.
    #[must_use]
    pub fn is_like(&self, other: &Part) -> bool {
        let is_up = |part: &Part| part.change.size.value() > 0.0;
        self.change.turn == other.change.turn && is_up(self) == is_up(other)
    }
}

/// Changes of one kind and meaning that fall on the same commits.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeFinding {
    /// Its address: stays the same when later points move its place a little.
    pub id: RecordId,
    /// How it moved.
    pub kind: Move,
    /// What that means.
    pub turn: Turn,
    /// The places, first and last, of the commits in which it may lie.
    pub suspects: (usize, usize),
    /// The place of the most likely one.
    pub likely: usize,
    /// The suspects themselves, oldest first; of many, the newest. Of a drift, the ends of its span.
    pub commits: Vec<Commit>,
    /// Its parts, the largest first.
    pub parts: Vec<Part>,
    /// What people think of it.
    pub state: State,
    /// What was said of it last; empty if nothing.
    pub note: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_from_its_own_word() {
        for state in [State::Open, State::Acknowledged, State::Expected, State::Fixed] {
            assert_eq!(State::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert_eq!(State::parse("gone"), None);
    }

    #[test]
    fn equal_findings_have_equal_names_and_others_others() {
        let id = |digit: &str| CommitId::new(digit.repeat(40)).unwrap();
        let name = |turn, first| Named::new(Move::Step, turn, [id(first), id("b"), id("b")]).id;
        assert_eq!(name(Turn::Regression, "a"), name(Turn::Regression, "a"));
        assert_ne!(name(Turn::Regression, "a"), name(Turn::Improvement, "a"));
        assert_ne!(name(Turn::Regression, "a"), name(Turn::Regression, "b"));
    }
}
