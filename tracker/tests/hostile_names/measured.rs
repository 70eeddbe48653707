//! Runs, duels and comparisons in which every text that data can choose is one name.

use tachograph::domain::{
    Accepted, BenchmarkName, Bout, Call, Commit, CommitId, Contest, Duel, DuelLine, Effect, Finding, Interval, Judged,
    Life, Limit, Machine, Measured, Metric, MetricVerdict, Notes, Outcome, Policy, Reading, Readings, RecordId, Report,
    Run, Side, State, Subject, SuiteName, Terms, Trouble, Turn, Unit, Verdict, Whole,
};
use tachograph::show::explain::{Explained, Reason};
use tachograph::show::page::compare::{self, Compared, End, Pair, Snap};
use tachograph::show::page::links::{Links, Said};
use tachograph::show::page::row::Row;
use tachograph::show::page::{Site, duel, hub, run, runs};

fn commit(digit: &str, name: &str) -> Commit {
    Commit {
        id: CommitId::new(digit.repeat(40)).expect("a hash"),
        parents: vec![],
        committed_at_s: 1_780_000_000,
        subject: name.to_owned(),
    }
}

fn suite(name: &str) -> SuiteName {
    SuiteName::new(name).expect("a name")
}

fn benchmark(name: &str) -> BenchmarkName {
    BenchmarkName::new(name).expect("a name")
}

fn metric(name: &str) -> Metric {
    Metric { name: name.to_owned(), unit: Unit::new(name), ..Metric::time() }
}

fn life(values: &[f64]) -> Life {
    Life::new(values.to_vec()).expect("values")
}

fn notes(name: &str) -> Notes {
    [(name.to_owned(), name.to_owned())].into()
}

fn trouble(name: &str) -> Trouble {
    Trouble { reason: name.to_owned(), ended: None, stderr_tail: format!("{name}\n{name}") }
}

fn duel_id() -> RecordId {
    RecordId::of("duel", &1)
}

/// One page of each sort.
pub(crate) fn links(name: &str, row: &Row) -> Links {
    let line = DuelLine {
        id: duel_id(),
        suite: suite(name),
        base: commit("b", name).id,
        head: commit("a", name).id,
        dirty: false,
        started_at_s: 1_780_000_000,
        elapsed_ns: 1_000_000,
        machine: name.to_owned(),
        dueled: 1,
        failed: 1,
        whole: Some(Whole::Red),
    };
    let said = Said { within: (0, 1), turn: Turn::Regression, state: State::Expected, note: name.to_owned() };
    let run = ((commit("a", name).id, name.to_owned(), name.to_owned()), RecordId::of("run", &1));
    Links { series: [row.id.clone()].into(), runs: [run].into(), duels: vec![line], said: vec![said] }
}

/// Two commits.
pub(crate) fn pair(name: &str) -> Pair {
    let end = |digit| {
        let commit = commit(digit, name);
        End { name: name.to_owned(), commit: commit.id, subject: name.to_owned(), at_s: commit.committed_at_s }
    };
    Pair { from: end("b"), to: end("a") }
}

/// The pages of a run, a duel and a comparison, and the lists that lead to them.
pub(crate) fn pages(site: &Site, name: &str, row: &Row, links: &Links) -> Vec<String> {
    let pair = pair(name);
    let snap = |level, number: u32| Snap { place: 1, run: RecordId::of("run", &number), level, interval: None };
    let (from, to) = (snap(100.0, 1), snap(200.0, 2));
    let measured = [compare::Measured {
        suite: name.to_owned(),
        machine: name.to_owned(),
        ends: [(pair.from.commit.clone(), true), (pair.to.commit.clone(), false)],
        differs: vec![(name.to_owned(), name.to_owned(), name.to_owned())],
    }];
    let compared = [Compared { row, from: &from, to: &to }];
    let page = compare::Page { pair: &pair, rows: &compared, alone: [1, 1], measured: &measured, links };
    vec![
        compare::render(site, &page),
        hub::render(site, std::slice::from_ref(&pair), &["abc".to_owned()]),
        run_page(site, name, row, links),
        duel_page(site, name, links),
    ]
}

fn run_page(site: &Site, name: &str, row: &Row, links: &Links) -> String {
    let reading = |values| Reading { metric: metric(name), lives: vec![life(values), life(values)] };
    let run = |digit, values| Run {
        suite: suite(name),
        subject: Subject::Commit(commit(digit, name)),
        machine: Machine::Named(name.to_owned()),
        started_at_s: 1_780_000_000,
        elapsed_ns: 1_000_000,
        source: name.to_owned(),
        notes: notes(name),
        pulse: None,
        outcomes: [
            (
                benchmark(name),
                Outcome::Measured(Measured { readings: vec![reading(values)], cores: 1, notes: Notes::new() }),
            ),
            (benchmark(&format!("{name}/failed")), Outcome::Failed(trouble(name))),
        ]
        .into(),
        attachments: vec![],
    };
    let (now, before) = (run("a", &[100.0, 101.0]), run("b", &[50.0, 51.0]));
    let changes: Vec<_> = row.changes.iter().map(|change| (row, change)).collect();
    let id = RecordId::of("run", &1);
    let page = run::Page {
        id: &id,
        run: &now,
        before: Some(&before),
        changes: &changes,
        beside: (Some(&id), Some(&id)),
        links,
    };
    let list = runs::Page { runs: &[], all_runs: 3, all_duels: 3, links };
    format!("{}{}", run::render(site, &page), runs::render(site, &list))
}

fn duel_page(site: &Site, name: &str, links: &Links) -> String {
    let side = |digit| Side { subject: Subject::Commit(commit(digit, name)), program: None };
    let limit = Limit::percent(2.0).expect("a limit");
    let effect = |relative: f64| Effect::from(relative);
    let verdict = MetricVerdict {
        metric: metric(name),
        base: 100.0,
        head: 110.0,
        terms: Terms { limit, limit_from: Some(0), gate: true, widen: true },
        verdict: Verdict {
            call: Call::Regressed,
            effect: effect(0.1),
            interval: Some(Interval { low: effect(0.08), high: effect(0.12), level: 0.95 }),
            limit,
            detectable: Some(effect(0.01)),
            grounds: None,
        },
    };
    let lives = || vec![life(&[0.09, 0.1]), life(&[0.1, 0.11])];
    let readings = Readings::Paired { lives: lives(), null: lives() };
    let contest = Contest { metric: metric(name), base: 100.0, head: 110.0, readings };
    let findings = vec![
        Finding::Regressed { benchmark: benchmark(name), metric: name.to_owned(), effect: effect(0.1) },
        Finding::Missing { benchmark: benchmark(name) },
        Finding::Failed { benchmark: benchmark(name), on_head: true, trouble: trouble(name) },
        Finding::Common { metric: name.to_owned(), effect: effect(0.1), benchmarks: vec![benchmark(name)] },
    ];
    let report = Report {
        duel: duel_id(),
        pooled: vec![],
        shards: vec![],
        suite: suite(name),
        base: side("b"),
        head: side("a"),
        machine: Machine::Named(name.to_owned()),
        policy: Policy::default(),
        rules: name.to_owned(),
        gated_series: 1,
        whole: Whole::Red,
        findings,
        accepted: vec![Accepted {
            benchmark: benchmark(name),
            metric: Some(name.to_owned()),
            effect: Some(effect(0.1)),
            allowed: Some(limit),
            reason: name.to_owned(),
        }],
        remarks: vec![name.to_owned()],
        lone: vec![],
        judged: [
            (benchmark(name), Judged::Verdicts(vec![verdict.clone()])),
            (benchmark(&format!("{name}/new")), Judged::New),
        ]
        .into(),
    };
    let duel = Duel {
        suite: suite(name),
        base: side("b"),
        head: side("a"),
        machine: Machine::Named(name.to_owned()),
        started_at_s: 1_780_000_000,
        elapsed_ns: 1_000_000,
        seed: 7,
        notes: notes(name),
        pulse: None,
        bouts: [(benchmark(name), Bout::Dueled(vec![contest]))].into(),
    };
    let reason = Reason {
        benchmark: benchmark(name),
        verdict,
        finding: Some(RecordId::of("finding", &1)),
        null: Some((effect(0.0), Interval { low: effect(-0.01), high: effect(0.01), level: 0.95 })),
        repeat: name.to_owned(),
    };
    let explained = Explained { report, seed: 7, verdicts: vec![reason], unmeasured: vec![], others: 0 };
    duel::render(site, &duel::Page { duel: &duel, explained: &explained, links }).remove(0).1
}
