//! Runs as a hostile source might make them, for tests that hold for every run.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use tachograph::domain::{
    Attachment, BenchmarkName, Commit, CommitId, Direction, Ended, Fingerprint, Kind, Life, Machine, Measured, Metric,
    Outcome, Pulse, Reading, Run, Subject, SuiteName, Trouble, Unit,
};

/// Text with quotes, control characters, NUL and characters of every length.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        vec(any::<char>(), 0..8).prop_map(String::from_iter),
        Just("a\0'\"; --\u{202e}".to_owned())
    ]
}

fn notes() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..3)
}

fn benchmark() -> impl Strategy<Value = BenchmarkName> {
    prop_oneof!["[a-c]/[a-c]", text()].prop_filter_map("no name", |text| BenchmarkName::new(text).ok())
}

fn commit() -> impl Strategy<Value = Commit> {
    // Parents are older numbers, as hashes make sure of.
    (1_u8..250, vec(any::<u8>(), 0..3), any::<i64>(), text()).prop_map(|(number, parents, committed_at_s, subject)| {
        let id = |number: u8| CommitId::new(format!("{number:040x}")).expect("well formed");
        let parents = parents.into_iter().map(|parent| id(parent % number)).collect();
        Commit { id: id(number), parents, committed_at_s, subject }
    })
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        commit().prop_map(Subject::Commit),
        (commit(), text()).prop_map(|(on, digest)| Subject::Dirty { on, digest })
    ]
}

fn machine() -> impl Strategy<Value = Machine> {
    let caches = btree_map(text(), any::<u64>(), 0..3);
    let kinds = (option::of(any::<u32>()), option::of(text()), option::of(text()));
    let fingerprint = (text(), text(), text(), any::<u32>(), kinds, caches, any::<u64>()).prop_map(
        |(cpu, arch, os, cores, (threads_per_core, governor, virtualisation), caches_bytes, memory_gib)| Fingerprint {
            cpu,
            arch,
            os,
            cores,
            threads_per_core,
            caches_bytes,
            memory_gib,
            governor,
            virtualisation,
        },
    );
    prop_oneof![text().prop_map(Machine::Named), fingerprint.prop_map(Machine::Fingerprint)]
}

fn finite() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    NORMAL | SUBNORMAL | ZERO | POSITIVE | NEGATIVE
}

fn metric() -> impl Strategy<Value = Metric> {
    let better = prop_oneof![Just(Direction::Lower), Just(Direction::Higher), Just(Direction::Unknown)];
    let kind = prop_oneof![Just(Kind::Noisy), Just(Kind::Exact)];
    (text(), text(), better, kind).prop_map(|(name, unit, better, kind)| Metric {
        name,
        unit: Unit::new(unit),
        better,
        kind,
    })
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let life = vec(finite(), 1..6).prop_map(|values| Life::new(values).expect("well formed"));
    vec((metric(), vec(life, 1..4)), 0..4).prop_map(|readings| {
        let mut unique = Vec::<Reading>::new();
        for (metric, lives) in readings {
            if unique.iter().all(|reading| reading.metric != metric) {
                unique.push(Reading { metric, lives });
            }
        }
        unique
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let ended =
        prop_oneof![any::<i32>().prop_map(Ended::Status), any::<i32>().prop_map(Ended::Signal), Just(Ended::Killed)];
    prop_oneof![
        3 => (readings(), any::<u32>(), notes())
            .prop_map(|(readings, cores, notes)| Outcome::Measured(Measured { readings, cores, notes })),
        1 => (text(), option::of(ended), text())
            .prop_map(|(reason, ended, stderr_tail)| Outcome::Failed(Trouble { reason, ended, stderr_tail })),
    ]
}

fn content() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(serde_json::Value::Null),
        finite().prop_map(|number| serde_json::json!({ "number": number })),
        vec(text(), 0..3).prop_map(|texts| serde_json::json!(texts)),
    ]
}

fn attachment() -> impl Strategy<Value = Attachment> {
    (benchmark(), text(), content()).prop_map(|(benchmark, kind, content)| Attachment { benchmark, kind, content })
}

fn pulse() -> impl Strategy<Value = Pulse> {
    (option::of(finite()), option::of(finite()))
        .prop_map(|(round_trip_ns, bandwidth_gb_s)| Pulse { round_trip_ns, bandwidth_gb_s })
}

/// Any run that a constructor lets through.
pub(crate) fn any_run() -> impl Strategy<Value = Run> {
    let suite = prop_oneof!["[xy]", text()].prop_filter_map("no name", |text| SuiteName::new(text).ok());
    let head = (suite, subject(), machine(), any::<i64>(), any::<u64>());
    let body = (text(), notes(), option::of((pulse(), pulse())));
    let outcomes = (btree_map(benchmark(), outcome(), 0..6), vec(attachment(), 0..3));
    (head, body, outcomes).prop_map(
        |((suite, subject, machine, started_at_s, elapsed_ns), (source, notes, pulse), (outcomes, attachments))| Run {
            suite,
            subject,
            machine,
            started_at_s,
            elapsed_ns: elapsed_ns >> 1,
            source,
            notes,
            pulse,
            outcomes,
            attachments,
        },
    )
}
