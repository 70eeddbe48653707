//! What one clone pushes, another pulls.

use serde_json::Value;
use tachograph::domain::{Bout, Duel, Metric, Outcome, Readings, Run, Subject};
use tachograph::record::{Trust, Wanted};

use super::{clone, hook, ids, numbered, record, rich, store};
use crate::record::duels::full_duel;
use crate::record::shelf::{commit, full_run, life, name, small_run};
use crate::world::World;

/// A run whose one benchmark has five lives of forty samples.
fn of_lives() -> Run {
    let mut run = small_run(commit(40, &[], 1_700_000_040), &[1.0]);
    let lives = (0..5).map(|n| {
        life(&(0..40).map(|k| 5000.0 + f64::from(n) * 3.0 + f64::from(k * 7 % 40) / 3.0).collect::<Vec<f64>>())
    });
    for outcome in run.outcomes.values_mut() {
        let Outcome::Measured(measured) = outcome else { panic!("measured") };
        measured.readings[0].lives = lives.clone().collect();
    }
    run
}

#[test]
fn a_run_is_pulled_with_its_identity_its_points_and_a_number_a_life() {
    let world = World::new().with_remote();
    let pushed = record(&world.root(), &[of_lives(), rich(), numbered(1)]);
    assert_eq!(world.ended(0, &["push"]).out, "3 runs pushed; the ledger holds 3 records\n");
    let other = clone(&world, "other", &[]);
    assert_eq!(world.ended_in(&other, 0, &["pull"]).out, "3 runs new; the ledger holds 3 records\n");
    let mut expected = pushed.clone();
    expected.sort();
    assert_eq!(ids(&other), expected);

    let (mut here, mut there) = (store(&world.root()), store(&other));
    let all = here.series(&Wanted::all()).expect("series");
    assert_eq!(all.len(), there.series(&Wanted::all()).expect("series").len());
    for series in &all {
        let twin = there.series(&Wanted::all()).expect("series");
        let twin = twin.iter().find(|twin| twin.series == series.series).expect("the same series");
        assert_eq!(here.points(series, 9).expect("points"), there.points(twin, 9).expect("points"), "to the last bit");
    }
    let sketch = there.run(&pushed[0]).expect("read").expect("there");
    let (_, reading) = sketch.readings().next().expect("a reading");
    assert_eq!((reading.metric.clone(), reading.lives.len()), (Metric::time(), 5));
    assert!(reading.lives.iter().all(|life| life.values().len() == 1), "{:?}", reading.lives);
    assert_eq!(here.run(&pushed[0]).expect("read"), Some(of_lives()), "who measured keeps every sample");
}

#[test]
fn a_second_pull_or_push_finds_nothing_new() {
    let world = World::new().with_remote();
    record(&world.root(), &[numbered(1), numbered(2)]);
    world.ended(0, &["push"]);
    let other = clone(&world, "other", &[]);
    world.ended_in(&other, 0, &["pull"]);
    for folder in [&world.root(), &other] {
        assert_eq!(world.ended_in(folder, 0, &["pull"]).out, "0 runs new; the ledger holds 2 records\n");
        let tip = world.git_in(&world.path("remote.git"), &["rev-parse", "refs/tachograph/ledger"]);
        assert_eq!(world.ended_in(folder, 0, &["push"]).out, "0 runs pushed; the ledger holds 2 records\n");
        assert_eq!(world.git_in(&world.path("remote.git"), &["rev-parse", "refs/tachograph/ledger"]), tip);
    }
}

#[test]
fn who_pulled_a_sketch_can_push_it_to_another_remote_as_it_is() {
    let world = World::new().with_remote();
    record(&world.root(), &[of_lives(), rich()]);
    world.ended(0, &["push"]);
    let other = clone(&world, "other", &[]);
    world.ended_in(&other, 0, &["pull"]);
    let file = |name: &str| {
        let list = world.git_in(&world.path(name), &["ls-tree", "-r", "refs/tachograph/ledger"]);
        (list.lines().count() == 2).then_some(list)
    };
    let second = world.path("second.git");
    std::fs::create_dir_all(&second).expect("a folder");
    world.git_in(&second, &["init", "--quiet", "--bare"]);
    world.git_in(&other, &["remote", "add", "second", second.to_str().expect("UTF-8")]);
    world.ended_in(&other, 0, &["push", "--remote", "second"]);
    assert_eq!(file("second.git"), file("remote.git"));
    assert!(file("second.git").is_some());
}

#[test]
fn a_duel_travels_with_a_number_a_life_if_gates_may_learn_from_it() {
    let world = World::new().with_remote();
    let mut duel = full_duel();
    duel.head.subject = Subject::Commit(duel.head.subject.commit().clone());
    let mut strange = duel.clone();
    strange.seed = 1;
    let mut here = store(&world.root());
    here.record_duel(&duel, Trust::Trusted).expect("recorded");
    here.record_duel(&strange, Trust::Untrusted).expect("recorded");
    here.record_duel(&full_duel(), Trust::Trusted).expect("recorded");
    drop(here);
    assert_eq!(world.ended(0, &["push"]).out, "0 runs and 1 duel pushed; the ledger holds 1 record\n");
    let other = clone(&world, "other", &[]);
    assert_eq!(world.ended_in(&other, 0, &["pull"]).out, "0 runs and 1 duel new; the ledger holds 1 record\n");
    let (sketch, is_sketch) = store(&other).held_duel(&duel.id()).expect("read").expect("there");
    assert!(is_sketch);
    let lives = |duel: &Duel| match &duel.bouts[&name("kernel/matmul/64")] {
        Bout::Dueled(contests) => match &contests[0].readings {
            Readings::Paired { lives, .. } => lives.clone(),
            _ => panic!("paired"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(lives(&sketch), [life(&[0.01]), life(&[-0.02])]);
    assert_eq!(Duel { bouts: [].into(), ..sketch }, Duel { bouts: [].into(), ..duel.clone() });
    // A store that is made anew keeps every pair, and whom it trusts.
    world.ended(0, &["rebuild"]);
    let mut here = store(&world.root());
    assert_eq!(here.duel(&duel.id()).expect("read"), Some(duel.clone()));
    let ids = here.duel_ids().expect("duels");
    assert_eq!((ids[&duel.id()], ids[&strange.id()], ids.len()), (true, false, 3));
}

#[test]
fn with_samples_every_sample_travels() {
    let world = World::new().with_remote();
    let id = record(&world.root(), &[rich()]).remove(0);
    world.ended(0, &["push", "--samples"]);
    let other = clone(&world, "other", &[]);
    world.ended_in(&other, 0, &["pull"]);
    assert_eq!(store(&other).run(&id).expect("read"), Some(rich()));
}

#[test]
fn a_working_tree_with_changes_stays_where_it_was_measured() {
    let world = World::new().with_remote();
    record(&world.root(), &[full_run(), numbered(1)]);
    assert!(matches!(full_run().subject, Subject::Dirty { .. }));
    let out = world.ended(0, &["push"]).out;
    assert_eq!(out, "1 run pushed; 1 run of working trees with changes stay here; the ledger holds 1 record\n");
}

#[test]
fn a_shallow_a_single_branch_and_a_partial_clone_share_like_any_other() {
    let world = World::new().with_remote();
    world.commit("the second");
    world.git(&["push", "--quiet", "origin", "main"]);
    record(&world.root(), &[numbered(0)]);
    world.ended(0, &["push"]);
    world.git_in(&world.path("remote.git"), &["config", "uploadpack.allowFilter", "true"]);
    let ways: [&[&str]; 3] = [&["--depth=1"], &["--single-branch", "--branch=main"], &["--filter=blob:none"]];
    for (number, how) in (1..).zip(ways) {
        let folder = clone(&world, &format!("clone-{number}"), how);
        record(&folder, &[numbered(number)]);
        world.ended_in(&folder, 0, &["push"]);
        let out = world.ended_in(&folder, 0, &["pull"]).out;
        assert_eq!(
            out,
            format!(
                "{number} run{} new; the ledger holds {} records\n",
                if number == 1 { "" } else { "s" },
                number + 1
            )
        );
        let shallow = world.git_in(&folder, &["rev-parse", "--is-shallow-repository"]);
        assert_eq!(shallow, if number == 1 { "true" } else { "false" }, "it is as deep as before");
    }
}

#[test]
fn sharing_touches_no_branch_no_index_and_no_file_and_runs_no_hook() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().with_remote();
    let trap = world.root().join(".git/hooks");
    for name in ["pre-push", "reference-transaction", "post-checkout", "post-merge"] {
        std::fs::create_dir_all(&trap).expect("a folder");
        std::fs::write(trap.join(name), "#!/bin/sh\ntouch \"$HOME/fired\"\n").expect("written");
        std::fs::set_permissions(trap.join(name), std::fs::Permissions::from_mode(0o755)).expect("executable");
    }
    world.git(&["config", "core.fsmonitor", "touch \"$HOME/fired\"; false"]);
    record(&world.root(), &[numbered(1)]);
    std::fs::write(world.root().join(".gitignore"), ".tachograph/\n").expect("written");
    let state = || {
        let index = std::fs::read(world.root().join(".git/index")).expect("an index");
        (world.git(&["for-each-ref", "refs/heads", "refs/remotes", "refs/tags"]), index)
    };
    let _ = std::fs::remove_file(world.path("home/fired"));
    let before = state();
    let _ = std::fs::remove_file(world.path("home/fired"));
    world.ended(0, &["push"]);
    world.ended(0, &["pull"]);
    assert!(!world.path("home/fired").exists(), "a hook or a monitor ran");
    assert_eq!(state(), before);
    let refs = world.git_in(&world.path("remote.git"), &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/main\nrefs/tachograph/ledger");
}

#[test]
fn what_could_not_join_the_ledger_waits_in_the_inbox_and_is_folded_in_by_the_next() {
    let world = World::new().with_remote();
    hook(&world, "update", "case $1 in refs/tachograph/ledger) test -e open ;; esac");
    let first = record(&world.root(), &[numbered(1)]);
    let printed = world.ended(0, &["push", "--patience", "100ms", "--format", "json"]);
    let told: Value = serde_json::from_str(&printed.out).expect("JSON");
    assert_eq!((&told["waits"], &told["runs"]), (&true.into(), &1.into()), "{told}");
    // It is there for everybody at once.
    let other = clone(&world, "other", &[]);
    world.ended_in(&other, 0, &["pull"]);
    assert_eq!(ids(&other), first);
    std::fs::write(world.path("remote.git/open"), "").expect("written");
    record(&other, &[numbered(2)]);
    world.ended_in(&other, 0, &["push"]);
    let refs = world.git_in(&world.path("remote.git"), &["for-each-ref", "--format=%(refname)", "refs/tachograph"]);
    assert_eq!(refs, "refs/tachograph/ledger", "the inbox is empty");
    assert_eq!(world.ended(0, &["pull"]).out, "1 run new; the ledger holds 2 records\n");
}
