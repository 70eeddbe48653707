//! Packing a ledger.

use super::{clone, ids, numbered, record};
use crate::world::World;

fn tree(world: &World) -> String {
    world.git_in(&world.path("remote.git"), &["ls-tree", "-r", "--name-only", "refs/tachograph/ledger"])
}

#[test]
fn old_bundles_go_into_a_pack_and_stay_readable_also_when_an_old_clone_pushes() {
    let world = World::new().with_remote();
    record(&world.root(), &(0..20).map(numbered).collect::<Vec<_>>());
    world.ended(0, &["push"]);
    let old = clone(&world, "old", &[]);
    world.ended_in(&old, 0, &["pull"]);
    let out = world.ended(0, &["compact", "--keep", "5"]).out;
    assert_eq!(out, "15 bundles packed into 1 files, 5 left as they are\n");
    let files = tree(&world);
    assert_eq!(files.lines().filter(|line| line.starts_with("runs/")).count(), 5, "{files}");
    assert_eq!(files.lines().filter(|line| line.starts_with("packs/")).count(), 2, "{files}");

    // The old clone still has all of them loose, and a run of its own.
    record(&old, &[numbered(20)]);
    assert_eq!(world.ended_in(&old, 0, &["push"]).out, "1 run pushed; the ledger holds 21 records\n");
    let files = tree(&world);
    assert_eq!(files.lines().filter(|line| line.starts_with("runs/")).count(), 6, "{files}");

    let reader = clone(&world, "reader", &[]);
    assert_eq!(world.ended_in(&reader, 0, &["pull"]).out, "21 runs new; the ledger holds 21 records\n");
    assert_eq!(ids(&reader), ids(&old));
    // Twice is once.
    world.ended(0, &["compact", "--keep", "0"]);
    world.ended(0, &["compact", "--keep", "0"]);
    let fresh = clone(&world, "fresh", &[]);
    world.ended_in(&fresh, 0, &["pull"]);
    assert_eq!(ids(&fresh), ids(&old));
}

#[test]
fn a_loose_bundle_that_waits_in_an_inbox_and_is_in_a_pack_is_left_out() {
    let world = World::new().with_remote();
    record(&world.root(), &(0..4).map(numbered).collect::<Vec<_>>());
    world.ended(0, &["push"]);
    let remote = world.path("remote.git");
    let tip = world.git_in(&remote, &["rev-parse", "refs/tachograph/ledger"]);
    world.ended(0, &["compact", "--keep", "0"]);
    // As if somebody had left all of it in the inbox meanwhile.
    world.git_in(&remote, &["update-ref", "refs/tachograph/inbox/late", &tip]);
    record(&world.root(), &[numbered(9)]);
    world.ended(0, &["push"]);
    let files = tree(&world);
    assert_eq!(files.lines().filter(|line| line.starts_with("runs/")).count(), 1, "{files}");
    assert_eq!(world.git_in(&remote, &["for-each-ref", "refs/tachograph/inbox"]), "");
}
