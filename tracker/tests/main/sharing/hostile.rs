//! A ledger that somebody filled with other things than runs.

use super::{ids, numbered, record};
use crate::world::World;

/// Writes a file into the remote's ledger, in a clone's index of its own.
fn plant(world: &World, files: &[(&str, &[u8])]) {
    let folder = world.path("planter");
    world.git_in(
        &world.root(),
        &["clone", "--quiet", world.path("remote.git").to_str().expect("UTF-8"), folder.to_str().expect("UTF-8")],
    );
    world.git_in(&folder, &["fetch", "--quiet", "origin", "refs/tachograph/ledger"]);
    world.git_in(&folder, &["checkout", "--quiet", "FETCH_HEAD"]);
    for (name, bytes) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    std::os::unix::fs::symlink("/etc/passwd", folder.join("runs/link")).expect("a link");
    world.git_in(&folder, &["add", "--all"]);
    world.git_in(&folder, &["commit", "--quiet", "--message", "odd things"]);
    world.git_in(&folder, &["push", "--quiet", "origin", "HEAD:refs/tachograph/ledger"]);
}

#[test]
fn what_is_no_bundle_is_left_out_with_a_word_and_the_rest_is_taken() {
    let world = World::new().with_remote();
    record(&world.root(), &[numbered(1), numbered(2)]);
    world.ended(0, &["push"]);
    let remote = world.path("remote.git");
    let list = world.git_in(&remote, &["ls-tree", "-r", "--name-only", "refs/tachograph/ledger"]);
    let (one, other) = list.split_once('\n').expect("two");
    let bundle = world.git_in(&remote, &["show", &format!("refs/tachograph/ledger:{one}")]);
    let name = |digit: &str| format!("runs/{0}/{1}", digit.repeat(2), digit.repeat(64));
    plant(
        &world,
        &[
            (&name("a"), bundle.as_bytes()),
            (&name("b"), b"{\"bundle\":1,\"id\":"),
            (&name("c"), b"\x1f\x8b\x08\x00bomb"),
            (&name("d"), b"{\"bundle\":7}"),
            (&name("e"), "[".repeat(200_000).as_bytes()),
            (other, bundle.as_bytes()),
            ("runs/ff/not-a-hash", b"x"),
            ("packs/1234/holds", b"runs/../../etc"),
            ("packs/1234/bundles", b"x"),
            ("somewhere/else", b"x"),
            ("readme", b"x"),
        ],
    );
    let reader = world.path("planter");
    let printed = world.ended_in(&reader, 0, &["pull"]);
    assert!(printed.out.starts_with("1 run new"), "{}", printed.out);
    for expected in
        ["another record than its name says", "no bundle", "version 7", "files of the ledger are no bundles"]
    {
        assert!(printed.err.contains(expected), "{expected} in\n{}", printed.err);
    }
    assert_eq!(ids(&reader).len(), 1);
    // A good telling of the same run is taken once it is there.
    let other_id = other.rsplit('/').next().expect("a name");
    assert!(ids(&world.root()).iter().any(|id| id.as_str() == other_id));
}
