//! Many who push at once, onto a remote that rejects every third push; and those who are killed on the way.

use std::collections::BTreeSet;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tachograph::domain::RecordId;

use super::{clone, hook, ids, numbered, record};
use crate::world::{World, soak};

/// Rejects every third push, whoever pushes what.
const EVERY_THIRD: &str = "exec 9>>count.lock; flock 9; n=$(cat count 2>/dev/null || echo 0); n=$((n+1)); \
                           echo $n >count; [ $((n % 3)) -ne 0 ]";

#[test]
fn of_many_writers_nothing_is_lost_and_nothing_is_there_twice() {
    let writers = u32::try_from((4 * soak()).min(32)).expect("few");
    let pushes = u32::try_from((2 * soak()).min(20)).expect("few");
    let world = World::new().with_remote();
    hook(&world, "pre-receive", EVERY_THIRD);
    let clones: Vec<PathBuf> = (0..writers).map(|n| clone(&world, &format!("writer-{n}"), &["--depth=1"])).collect();
    let took = Mutex::new(Vec::new());
    let pushed = Mutex::new(BTreeSet::<RecordId>::new());
    std::thread::scope(|scope| {
        for (writer, folder) in (0..).zip(&clones) {
            let (world, took, pushed) = (&world, &took, &pushed);
            scope.spawn(move || {
                for push in 0..pushes {
                    let recorded = record(folder, &[numbered(writer * 1000 + push)]);
                    let begun = Instant::now();
                    world.ended_in(folder, 0, &["push"]);
                    took.lock().expect("no panic").push(begun.elapsed());
                    pushed.lock().expect("no panic").extend(recorded);
                }
            });
        }
    });
    let pushed = pushed.into_inner().expect("no panic");
    assert_eq!(pushed.len(), usize::try_from(writers * pushes).expect("few"));
    let reader = clone(&world, "reader", &[]);
    world.ended_in(&reader, 0, &["pull"]);
    assert_eq!(ids(&reader), pushed.into_iter().collect::<Vec<_>>(), "each of them, once");
    let mut took = took.into_inner().expect("no panic");
    took.sort();
    let slow = took[(took.len() * 95).div_ceil(100) - 1];
    println!(
        "{writers} writers, {pushes} pushes each: 95 of 100 took up to {slow:?}, the slowest {:?}",
        took[took.len() - 1]
    );
}

#[test]
fn a_push_that_is_killed_at_any_moment_loses_nothing_and_breaks_nothing() {
    let world = World::new().with_remote();
    let rounds = u32::try_from(6 * soak()).expect("few");
    let (mut expected, mut interrupted) = (BTreeSet::new(), 0);
    for round in 0..rounds {
        expected.extend(record(&world.root(), &[numbered(round)]));
        let mut push = world
            .tachograph(&["push"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(u64::from(round * 37 % 180)));
        let _ = push.kill();
        interrupted += u32::from(push.wait().expect("ended").signal().is_some());
    }
    assert!(interrupted > 0, "each of {rounds} pushes was over before it was killed");
    world.ended(0, &["push"]);
    assert_eq!(world.git_in(&world.path("remote.git"), &["fsck", "--no-dangling", "--no-progress"]), "");
    let reader = clone(&world, "reader", &[]);
    world.ended_in(&reader, 0, &["pull"]);
    assert_eq!(ids(&reader), expected.into_iter().collect::<Vec<_>>());
}

#[test]
fn a_pull_that_is_killed_at_any_moment_leaves_a_store_that_the_next_one_fills() {
    let world = World::new().with_remote();
    let runs: Vec<_> = (0..300).map(numbered).collect();
    record(&world.root(), &runs);
    world.ended(0, &["push"]);
    let reader = clone(&world, "reader", &[]);
    let (rounds, mut interrupted) = (u64::try_from(4 * soak()).expect("few"), 0);
    for round in 0..rounds {
        let mut pull = world.tachograph(&["pull"]);
        let mut pull = pull.current_dir(&reader).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        std::thread::sleep(Duration::from_millis(20 + round * 53 % 300));
        let _ = pull.kill();
        interrupted += u32::from(pull.wait().expect("ended").signal().is_some());
    }
    assert!(interrupted > 0, "each of {rounds} pulls was over before it was killed");
    world.ended_in(&reader, 0, &["pull"]);
    assert_eq!(ids(&reader), ids(&world.root()));
}
