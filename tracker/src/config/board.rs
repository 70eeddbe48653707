//! A dashboard of the project: one of `dashboards/*.toml`, strict as `tachograph.toml` is.

use serde::Deserialize;

use super::{ConfigError, explain};
use crate::domain::Pattern;

/// Where dashboards are defined, seen from the repository's top folder.
pub const FOLDER: &str = "dashboards";

/// A named page that puts chosen series side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// What it is called.
    pub title: String,
    /// What it is for, in a sentence; empty if nobody says.
    pub about: String,
    /// Its charts, in order.
    pub charts: Vec<Chart>,
}

/// One chart of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// What it is called.
    pub title: String,
    /// Which benchmarks; each is a line.
    pub series: Vec<Pattern>,
    /// Which metric.
    pub metric: Pattern,
    /// Of which suites; all if none.
    pub suite: Option<Pattern>,
    /// On which machine; the one that has most of the series if none.
    pub machine: Option<String>,
    /// What is drawn.
    pub values: Values,
    /// How it is laid out along the axis.
    pub scale: Scale,
    /// Whether others' results are lines across.
    pub peers: bool,
}

/// What is drawn of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Values {
    /// The values themselves.
    #[default]
    Absolute,
    /// Each value as a multiple of the series' first level.
    Relative,
}

/// How values are laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Equal steps are equal differences.
    #[default]
    Linear,
    /// Equal steps are equal ratios.
    Log,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBoard {
    title: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    chart: Vec<RawChart>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChart {
    title: String,
    series: OneOrMany,
    metric: Option<String>,
    suite: Option<String>,
    machine: Option<String>,
    #[serde(default)]
    values: Values,
    #[serde(default)]
    scale: Scale,
    peers: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a pattern, or a list of patterns")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Board {
    /// Reads the text of a dashboard.
    pub fn parse(text: &str) -> Result<Board, ConfigError> {
        let raw: RawBoard = toml::from_str(text).map_err(|error| ConfigError::Shape(explain(&error)))?;
        if raw.chart.is_empty() {
            return Err(ConfigError::Shape("it has no chart: a table [[chart]] says what to draw".to_owned()));
        }
        let charts = raw.chart.into_iter().map(resolve).collect::<Result<_, _>>()?;
        Ok(Board { title: raw.title, about: raw.about, charts })
    }
}

fn resolve(raw: RawChart) -> Result<Chart, ConfigError> {
    let series = match raw.series {
        OneOrMany::One(pattern) => vec![pattern],
        OneOrMany::Many(patterns) => patterns,
    };
    if series.is_empty() {
        let problem = "an empty list draws nothing; name the benchmarks by patterns".to_owned();
        return Err(ConfigError::Value { key: format!("series of {:?}", raw.title), problem });
    }
    let pattern = |text: String| Pattern::new(text);
    Ok(Chart {
        title: raw.title,
        series: series.into_iter().map(pattern).collect(),
        metric: pattern(raw.metric.unwrap_or_else(|| "=time".to_owned())),
        suite: raw.suite.map(pattern),
        machine: raw.machine,
        values: raw.values,
        scale: raw.scale,
        peers: raw.peers.unwrap_or(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_to_its_place() {
        let text = r#"
            title = "Kernels"
            about = "How they compare"
            [[chart]]
            title = "Products"
            series = ["kernel/matmul/*", "=kernel/gelu/64"]
            metric = "allocated"
            suite = "engine"
            machine = "EPYC"
            values = "relative"
            scale = "log"
            peers = false
            [[chart]]
            title = "One"
            series = "x"
        "#;
        let board = Board::parse(text).unwrap();
        assert_eq!((board.title.as_str(), board.about.as_str()), ("Kernels", "How they compare"));
        let pattern = |text: &str| Pattern::new(text);
        let expected = Chart {
            title: "Products".to_owned(),
            series: vec![pattern("kernel/matmul/*"), pattern("=kernel/gelu/64")],
            metric: pattern("allocated"),
            suite: Some(pattern("engine")),
            machine: Some("EPYC".to_owned()),
            values: Values::Relative,
            scale: Scale::Log,
            peers: false,
        };
        assert_eq!(board.charts[0], expected);
        let one = &board.charts[1];
        assert_eq!(
            (&one.metric, one.values, one.scale, one.peers),
            (&pattern("=time"), Values::Absolute, Scale::Linear, true)
        );
    }

    #[test]
    fn our_own_are_right() {
        for text in [include_str!("../../dashboards/engine.toml"), include_str!("../../dashboards/tracker.toml")] {
            assert!(Board::parse(text).unwrap().charts.len() >= 3);
        }
    }

    #[test]
    fn what_is_not_right_is_refused_with_what_would_be() {
        let refused = |text: &str| Board::parse(text).unwrap_err().to_string();
        let misspelt = refused("title = \"x\"\n[[chart]]\ntitle = \"y\"\nseries = \"z\"\nmetrik = \"time\"");
        assert!(misspelt.contains("line 5") && misspelt.contains("did you mean `metric`?"), "{misspelt}");
        assert!(refused("titel = \"x\"").contains("did you mean `title`?"));
        assert!(refused("title = \"x\"").contains("[[chart]]"));
        assert!(refused("title = \"x\"\n[[chart]]\ntitle = \"y\"").contains("series"));
        assert!(refused("title = \"x\"\n[[chart]]\ntitle = \"y\"\nseries = []").contains("empty list"));
        assert!(refused("title = \"x\"\n[[chart]]\ntitle = \"y\"\nseries = 3").contains("a list of patterns"));
        let scale = refused("title = \"x\"\n[[chart]]\ntitle = \"y\"\nseries = \"z\"\nscale = \"logarithmic\"");
        assert!(scale.contains("`linear` or `log`") || scale.contains("`log`"), "{scale}");
    }
}
