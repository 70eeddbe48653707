//! The words: what every room speaks of. This is the ground floor; it imports no other room.

mod commit;
mod id;
mod machine;
mod metric;
mod name;
mod run;
mod series;
mod words;

pub use commit::{Commit, CommitId, CommitIdError};
pub use id::{RecordId, hex};
pub use machine::{Fingerprint, Machine, Notes, Pulse};
pub use metric::{Direction, Kind, Metric, Unit};
pub use name::{BenchmarkName, NameError, Pattern, SuiteName};
pub use run::{Attachment, Ended, Life, LifeError, Measured, Outcome, Reading, Run, Subject, Trouble};
pub use series::{Point, Series};
pub use words::{DurationError, closest, parse_duration};
