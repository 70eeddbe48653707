//! JMH's `-rf json`: a list of results, each with its mode, parameters and the raw data of every fork.
//!
//! The direction comes from the mode and never from the unit's text. Forks are lives. In the mode `sample` each
//! iteration is a histogram, of which the mean is kept, as the other modes' iterations are means.

use std::collections::BTreeSet;

use super::error::Flaw;
use super::fields::as_text;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::units::nanoseconds_per;
use crate::domain::{BenchmarkName, Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "jmh",
    title: "JMH (Java)",
    made_by: "java -jar benchmarks.jar -rf json -rff FILE",
    carries: Carries {
        samples: Held::Always,
        lives: true,
        direction: Directions::Partly,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises: |sniff| sniff.has("0/primaryMetric") && sniff.has("0/mode"),
};

/// A metric as JMH writes it.
#[derive(Default)]
struct Score {
    summary: Option<f64>,
    unit: String,
    forks: Vec<Vec<f64>>,
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let mut sheet = Sheet::default();
    let mut seen = BTreeSet::new();
    let mut reader = Reader::new(text);
    reader.list(|_, reader| result(reader, &mut sheet, &mut seen))?;
    reader.finish()?;
    Ok(sheet.finish())
}

fn result(reader: &mut Reader<'_>, sheet: &mut Sheet, seen: &mut BTreeSet<(String, String)>) -> Result<(), Flaw> {
    let (mut benchmark, mut mode, mut threads, mut primary) = (None, None, None, None);
    let (mut parameters, mut secondary, mut facts) = (Vec::new(), Vec::new(), Vec::new());
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("benchmark", _) => benchmark = Some(reader.text()?),
            ("mode", _) => mode = Some(reader.text()?),
            ("threads", Next::Number) => threads = Some(reader.number()?),
            ("params", Next::Map) => reader.map(|key, reader| {
                parameters.push(format!("{key}={}", as_text(reader)?));
                Ok(())
            })?,
            ("primaryMetric", Next::Map) => primary = Some(score(reader)?),
            ("secondaryMetrics", Next::Map) => reader.map(|key, reader| {
                secondary.push((key.trim_start_matches('·').to_owned(), score(reader)?));
                Ok(())
            })?,
            ("jdkVersion" | "vmName" | "vmVersion" | "jmhVersion", Next::Text) => {
                facts.push((key.to_owned(), reader.text()?.into_owned()));
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    sheet.notes.extend(facts);
    let benchmark = benchmark.ok_or_else(|| Flaw::new("expected the key \"benchmark\""))?;
    let mode = mode.ok_or_else(|| Flaw::new("expected the key \"mode\""))?;
    let name =
        if parameters.is_empty() { benchmark.into_owned() } else { format!("{benchmark}({})", parameters.join(",")) };
    // One benchmark run in several modes has a metric for each; the same mode again is another benchmark.
    let is_new = seen.insert((name.clone(), mode.clone().into_owned()));
    let name = if is_new { sheet.name(&name)? } else { sheet.fresh_name(&name)? };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a wrong number of threads is clamped"
    )]
    sheet.cores(&name, threads.map_or(1, |threads| (threads as u32).max(1)));
    let primary = primary.ok_or_else(|| Flaw::new("expected the key \"primaryMetric\""))?;
    main_metric(&name, &mode, primary, sheet)?;
    for (key, score) in secondary {
        let metric = secondary_metric(&key, &score.unit);
        sheet.read(&name, metric, score.values())?;
    }
    Ok(())
}

fn main_metric(name: &BenchmarkName, mode: &str, score: Score, sheet: &mut Sheet) -> Result<(), Flaw> {
    let plain = score.unit.strip_suffix("/op").unwrap_or(&score.unit).to_owned();
    let metric = match mode {
        "thrpt" => metric("throughput", &score.unit, Direction::Higher, Kind::Noisy),
        "avgt" => Metric::time(),
        "sample" | "ss" => {
            Metric { name: if mode == "ss" { "single_shot_time" } else { "sampled_time" }.to_owned(), ..Metric::time() }
        }
        other => return Err(Flaw::new(format!("expected the mode thrpt, avgt, sample or ss, found {other:?}"))),
    };
    let factor = match nanoseconds_per(&plain) {
        _ if mode == "thrpt" => 1.0,
        Some(factor) => factor,
        None => return Err(Flaw::new(format!("expected a scoreUnit of time, found {:?}", score.unit))),
    };
    if mode != "thrpt" {
        sheet.source_unit(name, &metric.name, &score.unit);
    }
    let mut values = score.values();
    for value in values.iter_mut().flatten() {
        *value *= factor;
    }
    sheet.read(name, metric, values)
}

/// What the profilers and auxiliary counters give; only of a few it is known which way is good.
fn secondary_metric(key: &str, unit: &str) -> Metric {
    match key {
        "gc.alloc.rate.norm" => metric("allocated_bytes", unit, Direction::Lower, Kind::Noisy),
        "gc.count" | "gc.time" => metric(key, unit, Direction::Lower, Kind::Noisy),
        _ => metric(key, unit, Direction::Unknown, Kind::Noisy),
    }
}

impl Score {
    /// The raw data, or the score alone where there are none.
    fn values(self) -> Vec<Vec<f64>> {
        if self.forks.iter().all(Vec::is_empty) { vec![self.summary.into_iter().collect()] } else { self.forks }
    }
}

fn score(reader: &mut Reader<'_>) -> Result<Score, Flaw> {
    let mut score = Score::default();
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("score", Next::Number) => score.summary = Some(reader.number()?),
            ("score", Next::Text) => score.summary = reader.text()?.parse().ok(),
            ("scoreUnit", Next::Text) => score.unit = reader.text()?.into_owned(),
            ("rawData", Next::List) => reader.list(|_, reader| {
                score.forks.push(reader.numbers()?);
                Ok(())
            })?,
            ("rawDataHistogram", Next::List) => reader.list(|_, reader| {
                let mut iterations = Vec::new();
                reader.list(|_, reader| {
                    iterations.extend(histogram_mean(reader)?);
                    Ok(())
                })?;
                score.forks.push(iterations);
                Ok(())
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(score)
}

/// The mean of a list of pairs, value and count.
fn histogram_mean(reader: &mut Reader<'_>) -> Result<Option<f64>, Flaw> {
    let (mut sum, mut count) = (0.0, 0.0);
    reader.list(|_, reader| {
        let pair = reader.numbers()?;
        let [value, times] = pair[..] else {
            return Err(Flaw::new(format!("expected a value and its count, found {} numbers", pair.len())));
        };
        sum += value * times;
        count += times;
        Ok(())
    })?;
    Ok((count > 0.0).then(|| sum / count))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    const SAMPLE: &str = r#"[
        {"benchmark":"p.C.m","mode":"thrpt","threads":2,"params":{"size":"16"},"primaryMetric":{"score":1,"scoreError":"NaN","scoreUnit":"s/op","rawData":[[1.5,2.5],[3.5]]},
         "secondaryMetrics":{"·gc.alloc.rate.norm":{"score":24.0,"scoreUnit":"B/op","rawData":[[24.0]]}}},
        {"benchmark":"p.C.m","mode":"avgt","params":{"size":"16"},"primaryMetric":{"score":2,"scoreUnit":"us/op","rawData":[[2.0]]}},
        {"benchmark":"p.C.s","mode":"sample","primaryMetric":{"score":2,"scoreUnit":"ms/op","rawDataHistogram":[[[[1.0,3],[5.0,1]]]]}}]"#;

    #[test]
    fn forks_are_lives_and_the_mode_gives_the_direction() {
        let parsed = parse(None, SAMPLE.as_bytes()).unwrap();
        let Outcome::Measured(m) = &parsed.sets[0].outcomes["p.C.m(size=16)"] else { panic!("measured") };
        let found: Vec<_> = m
            .readings
            .iter()
            .map(|reading| {
                (reading.metric.name.as_str(), reading.metric.better, reading.lives.len(), reading.lives[0].values()[0])
            })
            .collect();
        let expected = [
            ("time", Direction::Lower, 1, 2000.0),
            ("throughput", Direction::Higher, 2, 1.5),
            ("allocated_bytes", Direction::Lower, 1, 24.0),
        ];
        assert_eq!(found, expected);
        let Outcome::Measured(s) = &parsed.sets[0].outcomes["p.C.s"] else { panic!("measured") };
        assert_eq!((s.readings[0].metric.name.as_str(), s.readings[0].lives[0].values()), ("sampled_time", &[2e6][..]));
    }

    #[test]
    fn an_unknown_mode_is_refused_by_name() {
        let error = parse(None, SAMPLE.replace("avgt", "warp").as_bytes()).unwrap_err().to_string();
        assert!(error.contains("found \"warp\"") && error.contains("[1]"), "{error}");
    }
}
