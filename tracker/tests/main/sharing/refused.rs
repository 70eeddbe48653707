//! Remotes that are not there, or do not want.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{hook, ids, numbered, record};
use crate::world::World;

#[test]
fn without_a_remote_it_says_so_and_keeps_what_it_has() {
    let world = World::new();
    world.commit("the first");
    let recorded = record(&world.root(), &[numbered(1)]);
    for verb in ["push", "pull", "rebuild", "compact"] {
        let err = world.ended(3, &[verb]).err;
        assert!(err.contains("no remote to share runs through") && err.contains("git remote add"), "{verb}: {err}");
    }
    assert_eq!(ids(&world.root()), recorded);
}

#[test]
fn a_remote_of_another_name_is_refused_with_those_that_there_are() {
    let world = World::new().with_remote();
    record(&world.root(), &[numbered(1)]);
    let err = world.ended(3, &["push", "--remote", "upstream"]).err;
    assert!(err.contains("no remote \"upstream\" here, only origin"), "{err}");
}

#[test]
fn a_remote_that_cannot_be_reached_costs_nothing_but_the_push() {
    let world = World::new().with_remote();
    let recorded = record(&world.root(), &[numbered(1)]);
    std::fs::rename(world.path("remote.git"), world.path("moved.git")).expect("renamed");
    let err = world.ended(3, &["push", "--patience", "200ms"]).err;
    assert!(err.contains("cannot be reached") && err.contains("stays in the store"), "{err}");
    assert_eq!(ids(&world.root()), recorded);
    std::fs::rename(world.path("moved.git"), world.path("remote.git")).expect("renamed");
    assert_eq!(world.ended(0, &["push"]).out, "1 run pushed; the ledger holds 1 record\n");
}

#[test]
fn a_remote_that_rejects_everything_is_told_and_the_runs_stay() {
    let world = World::new().with_remote();
    let recorded = record(&world.root(), &[numbered(1)]);
    hook(&world, "pre-receive", "echo 'no pushing on Sundays' >&2; exit 1");
    let err = world.ended(3, &["push", "--patience", "100ms"]).err;
    assert!(err.contains("rejected the push") && err.contains("stays in the store"), "{err}");
    assert_eq!(ids(&world.root()), recorded);
}

#[test]
fn a_remote_that_rejects_the_inbox_many_times_in_a_row_gets_what_was_measured_all_the_same() {
    let world = World::new().with_remote();
    record(&world.root(), &[numbered(1)]);
    let moody = "read old new ref; case $ref in *ledger) exit 1 ;; esac; \
                 n=$(cat count 2>/dev/null || echo 0); echo $((n+1)) >count; [ $n -ge 8 ]";
    hook(&world, "pre-receive", moody);
    let out = world.ended(0, &["push", "--patience", "1ms"]).out;
    assert!(out.contains("waiting in the remote's inbox"), "{out}");
}

/// A server that lets everybody read and nobody write, as a token without the right does.
struct ReadOnly(std::process::Child, u16);

impl ReadOnly {
    fn serve(world: &World) -> ReadOnly {
        // Whoever takes the port between these two lines makes the test fail and not pass.
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let server = Command::new("git")
            .args(["daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", world.path("").display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("git daemon starts");
        let server = ReadOnly(server, port);
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "git daemon does not listen");
            std::thread::yield_now();
        }
        server
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let pid = self.0.id();
        // The daemon is two processes: the one started here and the one that listens, its child.
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        for child in children.split_whitespace() {
            let _ = Command::new("kill").arg(child).status();
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn credentials_that_may_only_read_are_told_at_once_and_what_was_measured_stays() {
    let world = World::new().with_remote();
    record(&world.root(), &[numbered(1)]);
    world.ended(0, &["push"]);
    let server = ReadOnly::serve(&world);
    let url = format!("git://127.0.0.1:{}/remote.git", server.1);
    world.git(&["remote", "set-url", "origin", &url]);
    assert_eq!(world.ended(0, &["pull"]).out, "0 runs new; the ledger holds 1 record\n");
    let recorded = record(&world.root(), &[numbered(2)]);
    let begun = Instant::now();
    let err = world.ended(3, &["push", "--patience", "10m"]).err;
    assert!(begun.elapsed() < Duration::from_mins(5), "it does not try what cannot succeed");
    assert!(err.contains("does not allow this") && err.contains("refs/tachograph"), "{err}");
    assert!(ids(&world.root()).contains(&recorded[0]));
}
