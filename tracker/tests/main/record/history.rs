//! History is in order without the repository, whatever its dates say.

use proptest::prelude::*;
use tachograph::domain::{Commit, CommitId};
use tachograph::record::{RecordError, Wanted};

use super::shelf::{Shelf, commit, small_run};

fn ids(commits: &[Commit]) -> Vec<CommitId> {
    commits.iter().map(|commit| commit.id.clone()).collect()
}

#[test]
fn a_child_stands_after_its_parents_even_if_its_clock_was_wrong() {
    let line = [commit(9, &[], 4_102_444_800), commit(5, &[9], 0), commit(7, &[5], -1_000), commit(1, &[7], 50)];
    let shelf = Shelf::new();
    let mut store = shelf.store();
    // Children first, as when older commits are measured later.
    for commit in line.iter().rev() {
        store.record(&small_run(commit.clone(), &[1.0])).unwrap();
    }
    assert_eq!(store.commits_in_order().unwrap(), ids(&line));
    let series = store.series(&Wanted::all()).unwrap().remove(0);
    let points = store.points(&series, 3).unwrap();
    assert_eq!(points.into_iter().map(|point| point.commit).collect::<Vec<_>>(), ids(&line[1..]));
}

#[test]
fn commits_that_are_not_related_stand_by_date() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    store.learn(&[commit(3, &[33], 300), commit(1, &[11], 100), commit(2, &[22], 200)]).unwrap();
    let numbers = [commit(1, &[], 0), commit(2, &[], 0), commit(3, &[], 0)];
    assert_eq!(store.commits_in_order().unwrap(), ids(&numbers));
}

#[test]
fn the_repository_knows_better_than_a_run() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let mut hearsay = commit(4, &[], 0);
    hearsay.subject = "as an importer guesses".to_owned();
    let run = small_run(hearsay, &[1.0]);
    store.record(&run).unwrap();
    let truth = commit(4, &[2, 3], 400);
    store.learn(std::slice::from_ref(&truth)).unwrap();
    assert_eq!(store.commit(&truth.id).unwrap(), Some(truth.clone()));
    store.record(&small_run(commit(4, &[3, 2], 999), &[2.0])).unwrap();
    assert_eq!(store.commit(&truth.id).unwrap(), Some(truth));
    assert_eq!(store.run(&run.id()).unwrap(), Some(run), "what a run says of its commit is still what it said");
}

#[test]
fn first_parents_lead_back_as_far_as_is_known() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let line = [commit(6, &[5, 50], 6), commit(5, &[4], 5), commit(4, &[3, 40], 4)];
    store.learn(&line).unwrap();
    store.learn(&[commit(50, &[4], 5), commit(40, &[3], 4)]).unwrap();
    assert_eq!(store.first_parents(&line[0].id, 100).unwrap(), ids(&line));
    assert_eq!(store.first_parents(&line[0].id, 2).unwrap(), ids(&line[..2]));
    assert_eq!(store.first_parents(&line[0].id, 0).unwrap(), []);
    assert_eq!(store.first_parents(&commit(99, &[], 0).id, 5).unwrap(), []);
}

#[test]
fn a_commit_that_is_its_own_ancestor_is_refused_and_changes_nothing() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    store.learn(&[commit(1, &[3], 1), commit(2, &[1], 2)]).unwrap();
    let before = store.commits_in_order().unwrap();
    let error = store.record(&small_run(commit(3, &[2], 3), &[1.0])).unwrap_err();
    assert!(matches!(error, RecordError::Unusable(_)), "{error}");
    assert_eq!(store.commits_in_order().unwrap(), before);
    assert!(store.learn(&[commit(8, &[8], 1)]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parents_stand_before_children_in_whatever_order_they_are_told(
        commits in prop::collection::vec((prop::collection::vec(any::<u32>(), 0..3), 0..30_i64), 1..14),
        shuffle in any::<u64>(),
    ) {
        let commits: Vec<Commit> = (1_u32..).zip(commits).map(|(number, (parents, date))| {
            let mut parents: Vec<u32> = parents.into_iter().map(|parent| parent % number).filter(|&p| p > 0).collect();
            parents.dedup();
            commit(number, &parents, date)
        }).collect();
        let mut told = commits.clone();
        let mut state = shuffle | 1;
        for place in (1..told.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            told.swap(place, (state >> 33) as usize % (place + 1));
        }
        let shelf = Shelf::new();
        let mut store = shelf.store();
        for commit in &told {
            store.learn(std::slice::from_ref(commit)).unwrap();
        }
        let order = store.commits_in_order().unwrap();
        prop_assert_eq!(order.len(), commits.len());
        let place = |id: &CommitId| order.iter().position(|other| other == id);
        for commit in &commits {
            for parent in &commit.parents {
                prop_assert!(place(parent) < place(&commit.id));
            }
        }
        // However they were told, the order is the same.
        let other = Shelf::new();
        let mut store = other.store();
        store.learn(&commits).unwrap();
        prop_assert_eq!(store.commits_in_order().unwrap(), order);
    }
}
