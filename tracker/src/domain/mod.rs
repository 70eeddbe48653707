//! The words: what every room speaks of. This is the ground floor; it imports no other room.

mod bundle;
mod change;
mod commit;
mod duel;
mod history;
mod id;
mod listing;
mod machine;
mod metric;
mod moved;
mod name;
mod policy;
mod report;
mod run;
mod series;
mod standing;
mod verdict;
mod words;

pub use bundle::{Bundle, BundleError, Content, Gist, Kin, MOST_BYTES};
pub use change::{Change, Level, Move, Signs, Size, Trend, Turn};
pub use commit::{Commit, CommitId, CommitIdError};
pub use duel::{Bout, Contest, Duel, Readings, Side};
pub use history::{Line, Mark, Order, SeriesTrend, Toolchain};
pub use id::{RecordId, RecordIdError, hex};
pub use listing::{DuelLine, RunHead, RunLine};
pub use machine::{Fingerprint, Machine, Notes, Pulse};
pub use metric::{Direction, Kind, Metric, Unit};
pub use moved::{Annotation, ChangeFinding, Named, Part, State};
pub use name::{BenchmarkName, NameError, Pattern, SuiteName};
pub use policy::{FalseReds, FalseRedsError, Limit, LimitError, Policy, PolicyEntry, Terms};
pub use report::{Finding, Report, Whole};
pub use run::{Attachment, Ended, Life, LifeError, Measured, Outcome, Reading, Run, Subject, Trouble};
pub use series::{Point, Series};
pub use standing::{Confirmation, NewPoint, Standing};
pub use verdict::{Call, Effect, Grounds, Interval, Judged, MetricVerdict, Verdict};
pub use words::{DurationError, closest, parse_duration};
