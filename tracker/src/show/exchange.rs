//! One run in the files of other tools: a number a metric, with its interval where the tool has a place for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::domain::{BenchmarkName, Direction, Life, Metric, Outcome, Run};
use crate::stats::summary::{Summary, summarise};

/// Each metric that was measured, with its summary, in the order of the benchmarks' names.
fn summaries(run: &Run) -> impl Iterator<Item = (&BenchmarkName, &Metric, Summary)> {
    let measured = run.outcomes.iter().filter_map(|(name, outcome)| match outcome {
        Outcome::Measured(measured) => Some((name, measured)),
        Outcome::Failed(_) => None,
    });
    measured.flat_map(|(name, measured)| {
        measured.readings.iter().filter_map(move |reading| {
            let lives: Vec<&[f64]> = reading.lives.iter().map(Life::values).collect();
            Some((name, &reading.metric, summarise(&lives)?))
        })
    })
}

#[derive(Serialize)]
struct Measure {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

/// Bencher Metric Format: benchmark, measure, value. Times are in nanoseconds and called `latency` there.
#[must_use]
pub fn bmf(run: &Run) -> String {
    let mut all: BTreeMap<&str, BTreeMap<&str, Measure>> = BTreeMap::new();
    for (name, metric, summary) in summaries(run) {
        let measure = if *metric == Metric::time() { "latency" } else { &metric.name };
        let (lower_value, upper_value) = summary.interval.unzip();
        let value = Measure { value: summary.level, lower_value, upper_value };
        all.entry(name.as_str()).or_default().insert(measure, value);
    }
    json(&all)
}

#[derive(Serialize)]
struct Bench<'a> {
    name: String,
    unit: &'a str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
}

/// github-action-benchmark's custom list. One file has one direction, so the metrics of the other one, and those whose
/// direction nobody knows, are not in it.
#[must_use]
pub fn gab(run: &Run, better: Direction) -> String {
    let wanted = summaries(run).filter(|(_, metric, _)| metric.better == better);
    json(&wanted.map(|(name, metric, summary)| bench(name, metric, summary)).collect::<Vec<_>>())
}

fn bench<'a>(name: &BenchmarkName, metric: &'a Metric, summary: Summary) -> Bench<'a> {
    let is_time = *metric == Metric::time();
    let name = if is_time { name.to_string() } else { format!("{name} {}", metric.name) };
    let range = summary.interval.map(|(low, high)| format!("± {}", (high - low) / 2.0));
    Bench { name, unit: metric.unit.as_str(), value: summary.level, range }
}

fn json(value: &impl Serialize) -> String {
    // Maps with text for keys and finite numbers can always be written.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// OpenMetrics: one gauge, whose labels tell the series, at the moment of the run.
#[must_use]
pub fn openmetrics(run: &Run) -> String {
    let mut text = String::from(
        "# TYPE tachograph_level gauge\n# HELP tachograph_level The level of a metric of a benchmark, in the unit of its label.\n",
    );
    let common = |name: &BenchmarkName, metric: &Metric| {
        let labels = [
            ("suite", run.suite.as_str()),
            ("benchmark", name.as_str()),
            ("metric", &metric.name),
            ("unit", metric.unit.as_str()),
            ("better", metric.better.as_str()),
            ("commit", run.subject.commit().id.as_str()),
            ("machine", &run.machine.title()),
        ];
        labels.map(|(label, value)| format!("{label}=\"{}\"", label_value(value))).join(",")
    };
    for (name, metric, summary) in summaries(run) {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "tachograph_level{{{}}} {:?} {}", common(name, metric), summary.level, run.started_at_s);
    }
    text.push_str("# EOF\n");
    text
}

/// A label's value as the format wants it: three signs are escaped, and no other control sign has a place in a label.
pub(super) fn label_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            sign if sign.is_control() => out.push(' '),
            sign => out.push(sign),
        }
    }
    out
}

/// criterion's folder, as a baseline of this name: the files by their paths. What criterion measured keeps the folder that
/// it had; others get the one that criterion gives a group and a function, for which no slash may be in either's name.
#[must_use]
pub fn criterion(run: &Run, baseline: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut taken = std::collections::BTreeSet::new();
    for (name, outcome) in &run.outcomes {
        let Outcome::Measured(measured) = outcome else { continue };
        let Some(time) = measured.readings.iter().find(|reading| reading.metric == Metric::time()) else { continue };
        let values: Vec<f64> = time.lives.iter().flat_map(Life::values).copied().collect();
        let lives: Vec<&[f64]> = time.lives.iter().map(Life::values).collect();
        let Some(summary) = summarise(&lives) else { continue };
        let directory = measured.notes.get("criterion.directory").map_or(name.as_str(), String::as_str);
        let mut folder: Vec<String> = directory.split('/').map(safe).collect();
        while !taken.insert(folder.clone()) {
            folder.push("again".to_owned());
        }
        let folder = folder.join("/");
        let contents = [
            ("benchmark.json", ids(name.as_str(), &folder)),
            ("sample.json", sample(&values)),
            ("estimates.json", estimates(&values, summary)),
            ("tukey.json", tukey(&values)),
        ];
        files.extend(contents.map(|(file, content)| (format!("{folder}/{baseline}/{file}"), content.to_string())));
    }
    files
}

/// The part of a path that criterion makes of a name: signs that some file system refuses are replaced, and it is cut.
fn safe(part: &str) -> String {
    let replaced = part.replace(['?', '"', '\\', '*', '<', '>', ':', '|', '^', '\0'], "_");
    let kept: String = replaced.chars().filter(|sign| !sign.is_control()).take(64).collect();
    match kept.trim() {
        "" | "." | ".." => "_".to_owned(),
        kept => kept.to_owned(),
    }
}

fn ids(name: &str, folder: &str) -> serde_json::Value {
    let (group, function) = match name.split_once('/') {
        Some((group, function)) => (group, Some(function)),
        None => (name, None),
    };
    serde_json::json!({
        "group_id": group, "function_id": function, "value_str": null, "throughput": null,
        "full_id": name, "directory_name": folder, "title": name,
    })
}

fn sample(values: &[f64]) -> serde_json::Value {
    serde_json::json!({ "sampling_mode": "Flat", "iters": vec![1.0; values.len()], "times": values })
}

/// Criterion's estimates, of which the median is ours. Where there is no interval its ends are the estimate.
fn estimates(values: &[f64], summary: Summary) -> serde_json::Value {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0)).sqrt();
    let error = deviation / count.sqrt();
    let away: Vec<f64> = values.iter().map(|value| (value - summary.level).abs()).collect();
    let spread = crate::stats::robust::median(&away).unwrap_or(0.0);
    let one = |point: f64, (low, high): (f64, f64), error: f64| {
        serde_json::json!({
            "confidence_interval": { "confidence_level": 0.95, "lower_bound": low, "upper_bound": high },
            "point_estimate": point, "standard_error": error,
        })
    };
    let level = summary.level;
    serde_json::json!({
        "mean": one(mean, (mean - 2.0 * error, mean + 2.0 * error), error),
        "median": one(level, summary.interval.unwrap_or((level, level)), error),
        "median_abs_dev": one(spread, (spread, spread), 0.0),
        "slope": null,
        "std_dev": one(deviation, (deviation, deviation), 0.0),
    })
}

/// The fences beyond which criterion takes a value for an outlier: so many quartile ranges off the quartiles.
fn tukey(values: &[f64]) -> serde_json::Value {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (sorted.len() - 1) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place within the list")]
        let below = place as usize;
        let above = (below + 1).min(sorted.len() - 1);
        sorted[below] + (place - place.floor()) * (sorted[above] - sorted[below])
    };
    let (low, high) = (at(0.25), at(0.75));
    let range = high - low;
    serde_json::json!([low - 3.0 * range, low - 1.5 * range, high + 1.5 * range, high + 3.0 * range])
}
