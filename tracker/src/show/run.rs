//! All about one run.

use super::escape;
use super::number::{duration, moment, quantity, spread};
use super::style::{Style, Tone};
use super::table::{Align, Table};
use crate::domain::{Attachment, BenchmarkName, Ended, Machine, Measured, Outcome, Pulse, Run, Subject, Trouble, Unit};
use crate::stats::summary::summarise;

/// How many of a failed benchmark's last lines of standard error are shown; all of them are in the JSON.
const STDERR_LINES: usize = 20;

/// A run for reading.
#[must_use]
pub fn text(run: &Run, style: Style) -> String {
    [head(run, style), measured(run, style, Metrics::All), failed(run, style), beside(run, style)].concat()
}

/// What was measured just now: the commit in a line, then the numbers and the failures.
#[must_use]
pub fn brief(run: &Run, style: Style) -> String {
    let commit = run.subject.commit();
    let what = if run.subject.is_dirty() { "working tree on " } else { "" };
    let title = format!("{} at {what}{} {}", run.suite, commit.id.short(), commit.subject);
    let place = format!("{}, {}; run {}", run.machine.title(), duration(run.elapsed_ns), run.id().short());
    let title = style.paint(Tone::Heading, &escape::line(&title));
    let place = style.paint(Tone::Faint, &escape::line(&place));
    format!("{title}\n{place}\n{}{}{}", measured(run, style, Metrics::First), further(run, style), failed(run, style))
}

/// How many metrics of a benchmark are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metrics {
    /// Its first, which is time where there is one.
    First,
    All,
}

/// Where the metrics are that [`brief`] leaves out.
fn further(run: &Run, style: Style) -> String {
    let more = |outcome: &Outcome| match outcome {
        Outcome::Measured(measured) => measured.readings.len().saturating_sub(1),
        Outcome::Failed(_) => 0,
    };
    match run.outcomes.values().map(more).sum::<usize>() {
        0 => String::new(),
        count => {
            let said = format!("{count} further metrics are kept: tachograph show {}", run.id().short());
            format!("{}\n", style.paint(Tone::Faint, &said))
        }
    }
}

fn head(run: &Run, style: Style) -> String {
    let facts = facts(run);
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, fact): &(&str, String)| {
        let name = escape::line(name);
        let pad = " ".repeat(width.saturating_sub(name.chars().count()));
        format!("{}{pad}  {}\n", style.paint(Tone::Faint, &name), escape::line(fact))
    };
    facts.iter().map(line).collect()
}

/// All about where and how, each with its name.
pub(super) fn facts(run: &Run) -> Vec<(&str, String)> {
    let commit = run.subject.commit();
    let what = match &run.subject {
        Subject::Commit(_) => format!("{} {}", commit.id.short(), commit.subject),
        Subject::Dirty { .. } => format!("{} {}, with uncommitted changes", commit.id.short(), commit.subject),
    };
    let mut facts = vec![
        ("run", run.id().to_string()),
        ("suite", run.suite.to_string()),
        ("commit", what),
        ("began", format!("{} UTC", moment(run.started_at_s))),
        ("took", duration(run.elapsed_ns)),
        ("source", run.source.clone()),
        ("machine", format!("{} ({})", run.machine.title(), run.machine.id().short())),
    ];
    if let Machine::Fingerprint(print) = &run.machine {
        let caches = print.caches_bytes.iter().map(|(name, &bytes)| format!("{name} {}", bytes_of(bytes)));
        facts.push(("caches", caches.collect::<Vec<_>>().join(", ")));
        facts.push(("governor", print.governor.clone().unwrap_or_default()));
        facts.push(("virtual", print.virtualisation.clone().unwrap_or_default()));
    }
    if let Some((before, after)) = &run.pulse {
        facts.push(("pulse", format!("{} before, {} after", pulse(before), pulse(after))));
    }
    facts.extend(run.notes.iter().map(|(name, note)| (name.as_str(), note.clone())));

    facts.retain(|(_, fact)| !fact.is_empty());
    facts
}

fn bytes_of(bytes: u64) -> String {
    quantity(bytes as f64, &Unit::new("bytes"))
}

fn pulse(pulse: &Pulse) -> String {
    let trip = pulse.round_trip_ns.map(|ns| format!("{} to another core and back", quantity(ns, &Unit::nanoseconds())));
    let rate = pulse.bandwidth_gb_s.map(|rate| format!("{rate:.1} GB/s"));
    let known: Vec<String> = [trip, rate].into_iter().flatten().collect();
    if known.is_empty() { "unknown".to_owned() } else { known.join(", ") }
}

fn measured(run: &Run, style: Style, metrics: Metrics) -> String {
    let mut table = Table::new(&[
        ("benchmark", Align::Left),
        ("metric", Align::Left),
        ("value", Align::Right),
        ("spread", Align::Right),
        ("lives", Align::Right),
        ("samples", Align::Right),
    ]);
    let mut any = false;
    for (name, outcome) in &run.outcomes {
        let Outcome::Measured(measured) = outcome else { continue };
        any = true;
        rows(&mut table, name.as_str(), measured, metrics);
    }
    if any { format!("\n{}", table.render(style)) } else { String::new() }
}

fn rows(table: &mut Table, name: &str, measured: &Measured, metrics: Metrics) {
    if measured.readings.is_empty() {
        table.row(&[name, "nothing was read"]);
    }
    let most = if metrics == Metrics::First { 1 } else { measured.readings.len() };
    for (place, reading) in measured.readings.iter().take(most).enumerate() {
        let lives: Vec<&[f64]> = reading.lives.iter().map(crate::domain::Life::values).collect();
        let Some(summary) = summarise(&lives) else { continue };
        table.row(&[
            if place == 0 { name } else { "" },
            &reading.metric.name,
            &quantity(summary.level, &reading.metric.unit),
            &summary.interval.and_then(|interval| spread(summary.level, interval)).unwrap_or_default(),
            &summary.lives.to_string(),
            &summary.samples.to_string(),
        ]);
    }
}

fn failed(run: &Run, style: Style) -> String {
    let failures = run.outcomes.iter().filter_map(|(name, outcome)| match outcome {
        Outcome::Failed(trouble) => Some((name, trouble)),
        Outcome::Measured(_) => None,
    });
    let section = |(name, trouble): (&BenchmarkName, &Trouble)| {
        let title = style.paint(Tone::Bad, &escape::line(&format!("failed: {name}")));
        let lines: Vec<&str> = trouble.stderr_tail.lines().collect();
        let tail = &lines[lines.len().saturating_sub(STDERR_LINES)..];
        let tail = tail.iter().flat_map(|line| ["    ".into(), escape::line(line), "\n".into()]);
        format!("\n{title}: {}\n{}", escape::line(&why(trouble)), tail.collect::<String>())
    };
    failures.map(section).collect()
}

/// Why a benchmark failed, and how its process ended.
pub(super) fn why(trouble: &Trouble) -> String {
    let ended = match trouble.ended {
        None => return trouble.reason.clone(),
        Some(Ended::Status(status)) => format!("exit status {status}"),
        Some(Ended::Signal(signal)) => format!("signal {signal}"),
        Some(Ended::Killed) => "ended by Tachograph".to_owned(),
    };
    format!("{} ({ended})", trouble.reason)
}

fn beside(run: &Run, style: Style) -> String {
    let line = |attachment: &Attachment| {
        let what = format!("{} of {}", attachment.kind, attachment.benchmark);
        format!("\n{} {}\n", style.paint(Tone::Faint, "attached:"), escape::line(&what))
    };
    run.attachments.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{Commit, CommitId, Life, Metric, Reading, SuiteName};

    fn run() -> Run {
        let id = CommitId::new("89abcdef01".repeat(4)).unwrap();
        let commit = Commit { id, parents: vec![], committed_at_s: 1_780_000_000, subject: "Go faster".to_owned() };
        let lives = vec![Life::new(vec![5000.0, 5002.0]).unwrap(), Life::new(vec![5001.0]).unwrap()];
        let measured =
            Measured { readings: vec![Reading { metric: Metric::time(), lives }], cores: 1, notes: BTreeMap::new() };
        let trouble = Trouble {
            reason: "crashed".to_owned(),
            ended: Some(Ended::Signal(11)),
            stderr_tail: "one\ntwo \u{1b}[2J\n".to_owned(),
        };
        let name = |text: &str| BenchmarkName::new(text).unwrap();
        Run {
            suite: SuiteName::new("engine").unwrap(),
            subject: Subject::Dirty { on: commit, digest: "f00".to_owned() },
            machine: Machine::Named("lorry".to_owned()),
            started_at_s: 1_790_000_000,
            elapsed_ns: 2_500_000_000,
            source: "run".to_owned(),
            notes: BTreeMap::from([("kernel".to_owned(), "6.1".to_owned())]),
            pulse: Some((
                Pulse { round_trip_ns: Some(50.0), bandwidth_gb_s: Some(86.26) },
                Pulse { round_trip_ns: None, bandwidth_gb_s: None },
            )),
            outcomes: BTreeMap::from([
                (name("matmul"), Outcome::Measured(measured)),
                (name("crash"), Outcome::Failed(trouble)),
            ]),
            attachments: vec![Attachment {
                benchmark: name("matmul"),
                kind: "profile".to_owned(),
                content: serde_json::Value::Null,
            }],
        }
    }

    #[test]
    fn a_run_is_its_facts_its_numbers_and_its_failures() {
        let run = run();
        let expected = format!(
            "\
run      {}
suite    engine
commit   89abcdef01 Go faster, with uncommitted changes
began    2026-09-21 14:13:20 UTC
took     2.5 s
source   run
machine  lorry ({})
pulse    50 ns to another core and back, 86.3 GB/s before, unknown after
kernel   6.1

benchmark  metric     value  spread  lives  samples
matmul     time    5.001 µs    ±0 %      2        3

failed: crash: crashed (signal 11)
    one
    two \\u{{1b}}[2J

attached: profile of matmul
",
            run.id(),
            run.machine.id().short()
        );
        assert_eq!(text(&run, Style::default()), expected);
    }
}
