//! What the detector is asked and what it says: settings, values, changes and the levels between them.

/// What a change must show to be reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The least probability of a change within five points of the place.
    pub probability: f64,
    /// The least probability of a change within ten points of the place.
    pub sure: f64,
    /// How many changes a series of any length, or a block of a long one, is expected to hold before it was seen, besides those
    /// where it begins to scatter otherwise.
    pub expected: f64,
    /// The largest p of the pair of levels, corrected for the choice of the place.
    pub p: f64,
    /// The least size, in units of the series' noise.
    pub noises: f64,
    /// The least size, relative to the level before; only where all values are above zero.
    pub relative: f64,
    /// The fewest points on each side: what disturbs a machine often lasts for several.
    pub points: usize,
    /// A level that is left within so many points for the one before it was an excursion, and is part of the noise.
    pub excursion: usize,
}

impl Settings {
    /// What happened: for reading a history once.
    #[must_use]
    pub fn history() -> Settings {
        Settings {
            probability: 0.35,
            sure: 0.35,
            expected: 6.0,
            p: 0.1,
            noises: 0.2,
            relative: 0.0,
            points: 3,
            excursion: 0,
        }
    }

    /// For judging again with each new point, where each is another chance to be wrong. That a change must be `sure`, p and
    /// excursions are what holds that down; the place need not be as certain, for in noise with a memory it is so late or
    /// never. A larger p makes more of bursts that last a few points, a smaller one makes steps of three noises known a
    /// point later. Steps smaller than the noise are left to `history`; most alarms are noise that lasts.
    #[must_use]
    pub fn online() -> Settings {
        Settings {
            probability: 0.8,
            sure: 0.995,
            expected: 2.0,
            p: 3e-4,
            noises: 1.0,
            relative: 0.0,
            points: 5,
            excursion: 25,
        }
    }

    /// What deserves a person: sure, beyond the noise, and of one percent at least.
    #[must_use]
    pub fn alert() -> Settings {
        Settings {
            probability: 0.9,
            sure: 0.9,
            expected: 2.0,
            p: 2e-3,
            noises: 1.0,
            relative: 0.01,
            points: 4,
            excursion: 0,
        }
    }
}

/// A range of values or of points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range<T> {
    /// Its lower end.
    pub low: T,
    /// Its upper end, inclusive.
    pub high: T,
}

/// A place where the level moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The first point of the new level.
    pub at: usize,
    /// Where the first point of the new level lies with 95 % probability, if it moved here at all.
    pub within: Range<usize>,
    /// The level before.
    pub before: f64,
    /// The level after.
    pub after: f64,
    /// How much it moved: relative to the level before where all values are above zero, else in the values' unit.
    pub size: f64,
    /// The 95 % interval of the size.
    pub size_within: Range<f64>,
    /// The size in units of the noise.
    pub noises: f64,
    /// The probability that a change lies within five points of the place.
    pub probability: f64,
    /// How much better two levels explain the points than one, in nats, less what short levels owe.
    pub gain: f64,
    /// How often, at most, the best place in these points would do as well if nothing had moved.
    pub p: f64,
}

/// A stretch over which the level moved slowly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// The points it spans, the last included.
    pub span: Range<usize>,
    /// The level at its beginning.
    pub before: f64,
    /// The level at its end.
    pub after: f64,
    /// How much the level moved over it: relative where all values are above zero, else in the values' unit.
    pub size: f64,
    /// The 95 % interval of the size.
    pub size_within: Range<f64>,
    /// The size in units of the noise.
    pub noises: f64,
}

/// A stretch of points on one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// The first point.
    pub from: usize,
    /// The point behind the last.
    pub to: usize,
    /// The level.
    pub level: f64,
    /// Its 95 % interval.
    pub within: Range<f64>,
}

/// What was found in a series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detection {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The drifts, in order.
    pub drifts: Vec<Drift>,
    /// The levels between the steps, in order; none of no points.
    pub segments: Vec<Segment>,
}

/// A value that is no number, or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("value {} is not a finite number", .0 + 1)]
pub struct NotFinite(pub usize);

/// A series of finite values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values(Vec<f64>);

impl Values {
    /// Refuses what is not finite, and says where it stands.
    pub fn new(values: Vec<f64>) -> Result<Values, NotFinite> {
        values.iter().position(|value| !value.is_finite()).map_or(Ok(Values(values)), |at| Err(NotFinite(at)))
    }

    /// The values.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }
}
