//! Duels and what was said of them come back.

use std::collections::BTreeMap;

use tachograph::domain::{
    Bout, Contest, Direction, Duel, Ended, Kind, Life, Metric, Policy, Pulse, Readings, Side, Subject, Trouble, Unit,
    Whole,
};
use tachograph::judge::known::Known;
use tachograph::judge::report::report;
use tachograph::record::{Found, Match, RecordError, Recorded, Trust};

use super::shelf::{Shelf, commit, full_run, life, name};

/// A duel in which every field has a value of its own.
pub(crate) fn full_duel() -> Duel {
    let run = full_run();
    let steps =
        Metric { name: "steps".to_owned(), unit: Unit::new("count"), better: Direction::Higher, kind: Kind::Exact };
    let lives = vec![life(&[0.01, 0.1 + 0.2, -0.0]), life(&[-0.02])];
    let time = Readings::Paired { lives, null: vec![life(&[0.001]), life(&[-0.003, 5e-324])] };
    let exact = Readings::Exact { base: life(&[7.0, 7.0, 7.0]), head: life(&[9.0, 9.0]) };
    let trouble =
        |reason: &str, ended| Trouble { reason: reason.to_owned(), ended, stderr_tail: format!("{reason}, it said") };
    let bouts = BTreeMap::from([
        (
            name("kernel/matmul/64"),
            Bout::Dueled(vec![
                Contest { metric: Metric::time(), base: 5000.5, head: 5100.25, readings: time },
                Contest { metric: steps, base: 7.0, head: 9.0, readings: exact },
                Contest {
                    metric: Metric { name: "none".to_owned(), ..Metric::time() },
                    base: 1.5,
                    head: 2.5,
                    readings: Readings::Paired { lives: vec![], null: vec![] },
                },
                Contest {
                    metric: Metric { name: "gone".to_owned(), ..Metric::time() },
                    base: 3.5,
                    head: 0.0,
                    readings: Readings::Missing { base: life(&[3.5, 3.25]) },
                },
                Contest {
                    metric: Metric { name: "come".to_owned(), ..Metric::time() },
                    base: 0.0,
                    head: 4.5,
                    readings: Readings::New { head: life(&[4.5]) },
                },
            ]),
        ),
        (name("never reached"), Bout::Dueled(vec![])),
        (name("gone"), Bout::Missing),
        (name("come"), Bout::New),
        (name("b"), Bout::Failed { on_head: false, trouble: trouble("hung", Some(Ended::Killed)) }),
        (name("h"), Bout::Failed { on_head: true, trouble: trouble("crashed", Some(Ended::Signal(11))) }),
    ]);
    Duel {
        suite: run.suite,
        base: Side { subject: Subject::Commit(commit(5, &[4], 1_780_000_005)), program: Some("0a".repeat(32)) },
        head: Side {
            subject: Subject::Dirty { on: commit(7, &[5, 6], 1_780_000_007), digest: "d1617".to_owned() },
            program: None,
        },
        machine: run.machine,
        started_at_s: 1_790_000_003,
        elapsed_ns: 63_000_000_004,
        seed: u64::MAX - 5,
        notes: [("rustc of base".to_owned(), "1.95".to_owned())].into(),
        pulse: Some((
            Pulse { round_trip_ns: Some(50.5), bandwidth_gb_s: Some(86.25) },
            Pulse { round_trip_ns: None, bandwidth_gb_s: None },
        )),
        bouts,
    }
}

#[test]
fn a_duel_comes_back_as_it_was_recorded_and_recording_it_twice_is_recording_it_once() {
    let shelf = Shelf::new();
    let duel = full_duel();
    let mut store = shelf.store();
    assert_eq!(store.record_duel(&duel, Trust::Trusted).unwrap(), Recorded::New(duel.id()));
    assert_eq!(store.record_duel(&duel, Trust::Trusted).unwrap(), Recorded::Known(duel.id()));
    drop(store);
    assert_eq!(shelf.store().duel(&duel.id()).unwrap(), Some(duel.clone()));
    assert_eq!(shelf.sqlite3("SELECT count(*) FROM duels"), "1");
    assert_eq!(shelf.sqlite3("PRAGMA foreign_key_check"), "");
    assert_eq!(shelf.store().find_duel(&duel.id().as_str()[..9]).unwrap(), Found::One(duel.id()));
    assert_eq!(shelf.store().find_run(&duel.id().as_str()[..9]).unwrap(), Found::None);
}

#[test]
fn a_duel_makes_no_series_that_has_no_points() {
    let shelf = Shelf::new();
    shelf.store().record_duel(&full_duel(), Trust::Trusted).unwrap();
    assert_eq!(shelf.sqlite3("SELECT count(*) FROM series"), "0");
}

#[test]
fn duels_are_listed_newest_first_with_what_was_said_of_them_last() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let duel = full_duel();
    let older = Duel { started_at_s: 5, ..duel.clone() };
    for duel in [&older, &duel] {
        store.record_duel(duel, Trust::Trusted).unwrap();
    }
    let said = report(&duel, &Policy::default(), &Known::default(), 3);
    store.record_judgement(&said, 77).unwrap();
    store.record_judgement(&said, 78).unwrap();
    let lines = store.newest_duels(10).unwrap();
    let [first, second] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&first.id, &second.id, second.started_at_s), (&duel.id(), &older.id(), 5));
    assert_eq!((first.whole, second.whole), (Some(Whole::Red), None));
    assert_eq!((first.base.clone(), first.head.clone()), (commit(5, &[], 0).id, commit(7, &[], 0).id));
    assert_eq!((first.dirty, first.dueled, first.failed), (true, 2, 2));
    assert_eq!((first.elapsed_ns, first.machine.as_str()), (63_000_000_004, &*duel.machine.title()));
    assert_eq!(store.newest_duels(1).unwrap().len(), 1);
    assert_eq!(store.last_judgement(&duel.id()).unwrap(), Some(said));
    assert_eq!(store.last_judgement(&older.id()).unwrap(), None);
    drop(store);
    assert_eq!(shelf.sqlite3("SELECT count(*), min(judged_at_s) FROM judgements"), "1|77");
}

#[test]
fn one_duel_a_base_teaches_and_none_of_one_build_of_a_working_tree_of_a_stranger_or_of_the_same_base() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let of = |base: u32, head: u32, started_at_s: i64| {
        let side = |number: u32| Side {
            subject: Subject::Commit(commit(number, &[], 1000 + i64::from(number))),
            program: Some(format!("{number:064}")),
        };
        Duel { base: side(base), head: side(head), started_at_s, ..full_duel() }
    };
    let one_build = {
        let duel = of(40, 41, 5);
        Duel { head: Side { program: duel.base.program.clone(), ..duel.head.clone() }, ..duel }
    };
    let dirty = Duel { head: full_duel().head, ..of(50, 51, 6) };
    for (duel, trust) in [
        (&of(10, 11, 1), Trust::Trusted),
        (&of(10, 12, 2), Trust::Trusted),
        (&of(20, 21, 3), Trust::Trusted),
        (&of(30, 31, 4), Trust::Untrusted),
        (&one_build, Trust::Trusted),
        (&dirty, Trust::Trusted),
        (&of(60, 61, 7), Trust::Trusted),
    ] {
        store.record_duel(duel, trust).unwrap();
    }
    let now = of(60, 62, 8);
    let sides = Match { suite: &now.suite, machine: &now.machine, base: &now.base, head: &now.head };
    let lessons = store.lessons(sides).unwrap();
    let told: Vec<(i64, i64)> =
        lessons.iter().map(|duel| (duel.started_at_s, duel.base.subject.commit().committed_at_s)).collect();
    assert_eq!(told, [(3, 1020), (2, 1010)]);
    let past = Known::from_duels(&lessons);
    let learned = past.of(&name("kernel/matmul/64"), "time").expect("it was dueled");
    let whole = Known::from_duels(&[of(20, 21, 3), of(10, 12, 2)]);
    assert_eq!(Some(learned), whole.of(&name("kernel/matmul/64"), "time"), "a sketch teaches what the whole does");
    let elsewhere = tachograph::domain::Machine::Named("elsewhere".to_owned());
    assert_eq!(store.lessons(Match { machine: &elsewhere, ..sides }).unwrap(), []);
}

#[test]
fn earlier_duels_of_the_very_same_sides_are_found_oldest_first() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let duel = full_duel();
    let later = Duel { started_at_s: duel.started_at_s + 1, ..duel.clone() };
    let rebuilt = Side { program: Some("0b".repeat(32)), ..duel.base.clone() };
    let other_build = Duel { base: rebuilt, ..duel.clone() };
    let other_tree = Side {
        subject: Subject::Dirty { on: duel.head.subject.commit().clone(), digest: "other".to_owned() },
        program: None,
    };
    let other_tree = Duel { head: other_tree, ..duel.clone() };
    for one in [&later, &duel, &other_build, &other_tree] {
        store.record_duel(one, Trust::Trusted).unwrap();
    }
    let sides = Match { suite: &duel.suite, machine: &duel.machine, base: &duel.base, head: &duel.head };
    assert_eq!(store.duels_between(sides).unwrap(), [duel.clone(), later.clone()]);
}

#[test]
fn duels_of_commits_with_their_first_parents_are_listed_in_the_order_of_measuring() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let of = |base: u32, head: (u32, &[u32]), started_at_s, notes: &[(&str, &str)]| {
        let side = |number: u32, parents: &[u32]| Side {
            subject: Subject::Commit(commit(number, parents, 1000 + i64::from(number))),
            program: Some(format!("{number:064}")),
        };
        let notes = notes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Duel { base: side(base, &[]), head: side(head.0, head.1), started_at_s, notes, ..full_duel() }
    };
    let look = ("second_look", "0.01");
    let later = of(10, (11, &[10]), 9, &[look]);
    let earlier = of(10, (11, &[10]), 3, &[look, ("confirmed", "[]")]);
    let gate = of(11, (12, &[11]), 5, &[]);
    let second_parent = of(20, (22, &[21, 20]), 1, &[]);
    let anchor = of(30, (31, &[30]), 1, &[("anchor", "v1")]);
    for duel in [&later, &earlier, &gate, &second_parent, &anchor] {
        store.record_duel(duel, Trust::Trusted).unwrap();
    }
    store.record_duel(&of(40, (41, &[40]), 1, &[look]), Trust::Untrusted).unwrap();
    let listed = store.duels_of_neighbours().unwrap();
    let told: Vec<_> = listed.iter().map(|one| (one.id.clone(), one.is_second_look, one.has_confirmed)).collect();
    assert_eq!(told, [(earlier.id(), true, true), (gate.id(), false, false), (later.id(), true, false)]);
    let id = |side: &Side| side.subject.commit().id.clone();
    assert_eq!((&listed[1].parent, &listed[1].commit), (&id(&gate.base), &id(&gate.head)));
}

#[test]
fn verdicts_on_a_duel_that_is_not_there_are_refused() {
    let shelf = Shelf::new();
    let said = report(&full_duel(), &Policy::default(), &Known::default(), 3);
    let error = shelf.store().record_judgement(&said, 77).unwrap_err();
    assert!(matches!(error, RecordError::Unusable(_)), "{error}");
}

#[test]
fn every_duel_is_visited_once_in_the_order_of_recording() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let duels: Vec<Duel> = (0..300).map(|seed| Duel { seed, ..full_duel() }).collect();
    for duel in &duels {
        store.record_duel(duel, Trust::Trusted).unwrap();
    }
    let mut visited = Vec::new();
    store
        .each_duel(|id, duel| -> Result<(), RecordError> {
            assert_eq!(*id, duel.id());
            visited.push(duel);
            Ok(())
        })
        .unwrap();
    assert_eq!(visited, duels);
}

#[test]
fn a_duel_that_was_changed_in_the_file_is_not_taken_for_the_one_that_was_recorded() {
    let shelf = Shelf::new();
    let duel = full_duel();
    shelf.store().record_duel(&duel, Trust::Trusted).unwrap();
    shelf.sqlite3("UPDATE contests SET head = head + 1");
    let error = shelf.store().duel(&duel.id()).unwrap_err();
    assert!(matches!(error, RecordError::Damaged { .. }), "{error}");
}

#[test]
fn a_number_that_is_none_is_refused_and_nothing_of_the_duel_is_kept() {
    let shelf = Shelf::new();
    let mut duel = full_duel();
    let readings = Readings::Paired { lives: vec![Life::new(vec![0.0]).unwrap()], null: vec![] };
    let contest = Contest { metric: Metric::time(), base: f64::NAN, head: 1.0, readings };
    duel.bouts.insert(name("z"), Bout::Dueled(vec![contest]));
    let error = shelf.store().record_duel(&duel, Trust::Trusted).unwrap_err();
    assert!(matches!(error, RecordError::Unusable(_)), "{error}");
    assert_eq!(shelf.sqlite3("SELECT (SELECT count(*) FROM duels) + (SELECT count(*) FROM benchmarks)"), "0");
}
