//! Making a store anew.

use super::{clone, ids, numbered, record, rich, store};
use crate::record::shelf::full_run;
use crate::world::World;

#[test]
fn a_store_is_made_anew_and_loses_neither_samples_nor_what_was_never_pushed() {
    let world = World::new().with_remote();
    let other = clone(&world, "other", &[]);
    record(&other, &[numbered(1)]);
    world.ended_in(&other, 0, &["push"]);
    let mine = record(&world.root(), &[rich(), full_run()]);
    world.ended(0, &["push"]);
    let out = world.ended(0, &["rebuild"]).out;
    assert!(out.starts_with("2 runs from the old store, 1 run from the ledger; the old store is kept as "), "{out}");
    let mut anew = store(&world.root());
    assert_eq!(anew.run(&mine[0]).expect("read"), Some(rich()), "every sample");
    assert_eq!(anew.run(&mine[1]).expect("read"), Some(full_run()), "what stays here");
    assert!(world.root().join(".tachograph/store.db-before-rebuild-1").exists());
    assert_eq!(ids(&world.root()).len(), 3);
}

#[test]
fn a_store_that_is_damaged_comes_back_from_the_ledger() {
    let world = World::new().with_remote();
    record(&world.root(), &(0..30).map(numbered).collect::<Vec<_>>());
    world.ended(0, &["push"]);
    let before = ids(&world.root());
    std::fs::write(world.store(), "this is no database").expect("written");
    let printed = world.ended(0, &["rebuild"]);
    assert!(printed.err.contains("not all of the old store could be read"), "{}", printed.err);
    assert_eq!(ids(&world.root()), before);
    assert_eq!(world.sqlite3("PRAGMA integrity_check"), "ok");
    let kept = world.root().join(".tachograph/store.db-before-rebuild-1");
    assert_eq!(std::fs::read_to_string(kept).expect("kept"), "this is no database");
}

#[test]
fn a_store_that_is_gone_comes_back_too() {
    let world = World::new().with_remote();
    record(&world.root(), &[numbered(1)]);
    world.ended(0, &["push"]);
    let before = ids(&world.root());
    std::fs::remove_dir_all(world.root().join(".tachograph")).expect("removed");
    assert_eq!(world.ended(0, &["rebuild"]).out, "0 runs from the old store, 1 run from the ledger\n");
    assert_eq!(ids(&world.root()), before);
}
