//! Bundles: records on their way between stores, one canonical JSON object each.
//!
//! `{"bundle":1,"id":"…","run":{…}}` is a run with every sample, and its identity is the hash of `run` as it stands there.
//! With `"gists":[[level,low,high,lives,samples],…]` behind it the run is a sketch: its lives are cut down to a few
//! numbers, attachments are left out, and each reading, in the order of the benchmarks, has a gist that tells what was
//! measured; the identity is that of the run it was made from. Likewise `"duel":{…}`, and `"sketch":true` behind it.
//! `"annotation":{…}` is what somebody said of a finding, with `"named":{…}` behind it: what the finding's name was given
//! to, without which nobody else knows what is spoken of.
//!
//! Whoever reads a bundle may not trust who wrote it: its size is bounded before anything is read, and only bytes that
//! this version would have written itself are a bundle. So there is one form for one content, no unknown field, no
//! field twice, and nothing to unpack. Nothing is compressed here: git deflates what it keeps, and a host its artifacts.

use serde::{Deserialize, Serialize};

use super::{Annotation, Duel, Named, RecordId, Run, State};

/// The version of the form.
const VERSION: u32 = 1;

/// The largest bundle.
pub const MOST_BYTES: usize = 64 << 20;

/// The most benchmarks in one bundle.
const MOST_BENCHMARKS: usize = 100_000;

/// The longest note.
const MOST_NOTE_BYTES: usize = 16 << 10;

/// Why bytes are no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// More than anybody may send.
    #[error("it has {0} bytes, more than the {MOST_BYTES} that a bundle may have")]
    TooLarge(usize),
    /// More benchmarks than anybody has.
    #[error("it tells of {0} benchmarks, more than the {MOST_BENCHMARKS} that a bundle may have")]
    TooMany(usize),
    /// It is of a version that is not known here.
    #[error("it is a bundle of version {0}; this program knows version {VERSION}")]
    Version(u64),
    /// It does not say what it is.
    #[error("it is no bundle: {0}")]
    Malformed(String),
    /// It is not written as it must be.
    #[error("it is not in the canonical form, so it was not written by this program or was changed since")]
    NotCanonical,
    /// What it holds is something else than it says.
    #[error("its content is not that of {0}")]
    Forged(RecordId),
    /// A summary contradicts itself.
    #[error("a summary in it makes no sense: {0}")]
    Gist(&'static str),
    /// An annotation that nobody could have made.
    #[error("an annotation in it makes no sense: {0}")]
    Annotation(&'static str),
}

/// What was measured of one reading, in a few numbers: finite, its interval in order, of at least one life.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "GistWire", into = "GistWire")]
pub struct Gist {
    level: f64,
    interval: Option<(f64, f64)>,
    lives: u32,
    samples: u64,
}

type GistWire = (f64, Option<f64>, Option<f64>, u32, u64);

impl Gist {
    /// Takes a level, its interval where there is one, and how many lives and samples it rests on.
    pub fn new(level: f64, interval: Option<(f64, f64)>, lives: u32, samples: u64) -> Result<Gist, BundleError> {
        if !level.is_finite() || interval.is_some_and(|(low, high)| !low.is_finite() || !high.is_finite()) {
            return Err(BundleError::Gist("a level that is no number"));
        }
        if interval.is_some_and(|(low, high)| low > high) {
            return Err(BundleError::Gist("an interval that ends before it begins"));
        }
        if lives == 0 || samples < u64::from(lives) || samples > 1 << 40 {
            return Err(BundleError::Gist("fewer samples than lives, or none, or too many"));
        }
        Ok(Gist { level, interval, lives, samples })
    }

    /// The middle of the lives' medians (`stats/summary.rs`).
    #[must_use]
    pub fn level(&self) -> f64 {
        self.level
    }

    /// Its 95 % interval, where the data allow one.
    #[must_use]
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.interval
    }

    /// How many lives there were.
    #[must_use]
    pub fn lives(&self) -> u32 {
        self.lives
    }

    /// How many samples they held together.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }
}

impl TryFrom<GistWire> for Gist {
    type Error = BundleError;
    fn try_from((level, low, high, lives, samples): GistWire) -> Result<Gist, BundleError> {
        if low.is_some() != high.is_some() {
            return Err(BundleError::Gist("half an interval"));
        }
        Gist::new(level, low.zip(high), lives, samples)
    }
}

impl From<Gist> for GistWire {
    fn from(gist: Gist) -> GistWire {
        let (low, high) = gist.interval.unzip();
        (gist.level, low, high, gist.lives, gist.samples)
    }
}

/// The kinds of record that are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kin {
    /// Runs.
    Run,
    /// Duels.
    Duel,
    /// What somebody said of a finding.
    Annotation,
}

impl Kin {
    /// All of them.
    pub const ALL: [Kin; 3] = [Kin::Run, Kin::Duel, Kin::Annotation];

    /// The folder of a ledger in which they stand.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Kin::Run => "runs",
            Kin::Duel => "duels",
            Kin::Annotation => "annotations",
        }
    }
}

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A run.
    Run {
        /// Its content, or a sketch of it.
        run: Box<Run>,
        /// What was measured of each reading, if it is a sketch.
        gists: Option<Vec<Gist>>,
    },
    /// A duel.
    Duel {
        /// Its content, or a sketch of it.
        duel: Box<Duel>,
        /// Whether it is a sketch.
        sketch: bool,
    },
    /// What somebody said of a finding.
    Annotation {
        /// What was said.
        said: Annotation,
        /// What the finding's name was given to, where that is known.
        named: Option<Named>,
    },
}

/// One record on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    id: RecordId,
    content: Content,
}

#[derive(Serialize)]
struct Written<'a> {
    bundle: u32,
    id: &'a RecordId,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gists: Option<&'a [Gist]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duel: Option<&'a Duel>,
    #[serde(skip_serializing_if = "is_false")]
    sketch: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotation: Option<&'a Annotation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<&'a Named>,
}

#[derive(Deserialize)]
struct Read {
    id: RecordId,
    run: Option<Box<Run>>,
    gists: Option<Vec<Gist>>,
    duel: Option<Box<Duel>>,
    #[serde(default)]
    sketch: bool,
    annotation: Option<Annotation>,
    named: Option<Named>,
}

/// What every version has.
#[derive(Deserialize)]
struct Head {
    bundle: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Bundle {
    /// A record under its identity. What is whole must have that identity, and a sketch a gist for each reading.
    pub fn new(id: RecordId, content: Content) -> Result<Bundle, BundleError> {
        let (benchmarks, actual) = match &content {
            Content::Run { run, gists: None } => (run.outcomes.len(), Some(run.id())),
            Content::Duel { duel, sketch: false } => (duel.bouts.len(), Some(duel.id())),
            Content::Duel { duel, sketch: true } => (duel.bouts.len(), None),
            Content::Run { run, gists: Some(gists) } => {
                if run.readings().count() != gists.len() || gists.is_empty() {
                    return Err(BundleError::Gist("not one for each reading"));
                }
                (run.outcomes.len(), None)
            }
            Content::Annotation { said, named } => {
                if said.state == State::Fixed || said.note.len() > MOST_NOTE_BYTES {
                    return Err(BundleError::Annotation("a note that is too long, or a state that nobody says"));
                }
                if named.as_ref().is_some_and(|named| named.id != said.finding) {
                    return Err(BundleError::Annotation("it is of another finding than it names"));
                }
                (0, Some(said.id()))
            }
        };
        if benchmarks > MOST_BENCHMARKS {
            return Err(BundleError::TooMany(benchmarks));
        }
        if actual.is_some_and(|actual| actual != id) {
            return Err(BundleError::Forged(id));
        }
        Ok(Bundle { id, content })
    }

    /// The identity of the record.
    #[must_use]
    pub fn id(&self) -> &RecordId {
        &self.id
    }

    /// What it holds.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// What it holds, and nothing else.
    #[must_use]
    pub fn into_content(self) -> Content {
        self.content
    }

    /// Of which kind it is.
    #[must_use]
    pub fn kin(&self) -> Kin {
        match self.content {
            Content::Run { .. } => Kin::Run,
            Content::Duel { .. } => Kin::Duel,
            Content::Annotation { .. } => Kin::Annotation,
        }
    }

    /// When what it tells of was begun or said, in seconds since 1970 UTC.
    #[must_use]
    pub fn began_at_s(&self) -> i64 {
        match &self.content {
            Content::Run { run, .. } => run.started_at_s,
            Content::Duel { duel, .. } => duel.started_at_s,
            Content::Annotation { said, .. } => said.said_at_s,
        }
    }

    /// The canonical bytes: one line, without a line feed.
    ///
    /// # Panics
    ///
    /// Never: the record types have a JSON form.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a record type that has no JSON form is a mistake in its definition")]
    pub fn to_bytes(&self) -> Vec<u8> {
        let bare = Written {
            bundle: VERSION,
            id: &self.id,
            run: None,
            gists: None,
            duel: None,
            sketch: false,
            annotation: None,
            named: None,
        };
        let written = match &self.content {
            Content::Run { run, gists } => Written { run: Some(run), gists: gists.as_deref(), ..bare },
            Content::Duel { duel, sketch } => Written { duel: Some(duel), sketch: *sketch, ..bare },
            Content::Annotation { said, named } => Written { annotation: Some(said), named: named.as_ref(), ..bare },
        };
        serde_json::to_vec(&written).expect("a record has a JSON form")
    }

    /// Reads what [`Bundle::to_bytes`] wrote, and nothing else.
    pub fn parse(bytes: &[u8]) -> Result<Bundle, BundleError> {
        if bytes.len() > MOST_BYTES {
            return Err(BundleError::TooLarge(bytes.len()));
        }
        let malformed = |error: serde_json::Error| BundleError::Malformed(error.to_string());
        // Checked before the rest is understood, so that a newer version is told by its name.
        let start = br#"{"bundle":1,"#;
        if !bytes.starts_with(start) {
            let head: Head = serde_json::from_slice(bytes).map_err(malformed)?;
            return Err(match head.bundle {
                1 => BundleError::NotCanonical,
                other => BundleError::Version(other),
            });
        }
        let read: Read = serde_json::from_slice(bytes).map_err(malformed)?;
        let content = match (read.run, read.duel, read.annotation) {
            (Some(run), None, None) => Content::Run { run, gists: read.gists },
            (None, Some(duel), None) => Content::Duel { duel, sketch: read.sketch },
            (None, None, Some(said)) => Content::Annotation { said, named: read.named },
            _ => return Err(BundleError::Malformed("no run, no duel and no annotation, or several".to_owned())),
        };
        let bundle = Bundle::new(read.id, content)?;
        if bundle.to_bytes() == bytes { Ok(bundle) } else { Err(BundleError::NotCanonical) }
    }
}

#[cfg(test)]
mod tests;
