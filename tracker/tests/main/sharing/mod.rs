//! Runs shared through a git remote: real bare remotes, real clones, the program itself.

mod clones;
mod compacting;
mod hostile;
mod large;
mod many;
mod rebuilding;
mod refused;
mod words;

use std::path::{Path, PathBuf};

use tachograph::domain::{RecordId, Run, Subject};
use tachograph::record::Store;

use crate::record::shelf::{address, commit, full_run, small_run};
use crate::world::World;

/// A run of a commit that only this number has.
fn numbered(number: u32) -> Run {
    let value = 5000.0 + f64::from(number);
    let mut run =
        small_run(commit(number, &[], 1_700_000_000 + i64::from(number)), &[value, value + 1.5, value + 0.25]);
    run.started_at_s += i64::from(number);
    run
}

/// A run of everything that a run can hold, of a commit.
fn rich() -> Run {
    let mut run = full_run();
    run.subject = Subject::Commit(run.subject.commit().clone());
    run
}

/// The store of a clone.
fn store(folder: &Path) -> Store {
    std::fs::create_dir_all(folder.join(".tachograph")).expect("a folder");
    Store::open(&address(&folder.join(".tachograph/store.db"))).expect("a store")
}

/// Records runs in a clone and returns their identities.
fn record(folder: &Path, runs: &[Run]) -> Vec<RecordId> {
    let mut store = store(folder);
    runs.iter().map(|run| store.record(run).expect("recorded").id().clone()).collect()
}

/// Every run of a clone's store.
fn ids(folder: &Path) -> Vec<RecordId> {
    store(folder).run_ids().expect("the runs").into_keys().collect()
}

fn clone(world: &World, name: &str, how: &[&str]) -> PathBuf {
    let folder = world.path(name);
    let remote = format!("file://{}", world.path("remote.git").display());
    let args = [&["clone", "--quiet"], how, &[&remote, folder.to_str().expect("UTF-8")]].concat();
    world.git_in(&world.root(), &args);
    folder
}

/// Makes a hook of the remote, a shell script.
pub(super) fn hook(world: &World, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = world.path("remote.git/hooks").join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("made executable");
}
