//! `tachograph run` killed at any moment: nothing recorded is lost, nothing half is seen, nobody is left behind.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::world::{World, soak};

/// How long a killed tracker's children may live.
const CHILDREN_MAY_LIVE: Duration = Duration::from_secs(2);

/// Trials in an ordinary test run.
const TRIALS: usize = 6;

/// A number that tells this test's moments apart, spread evenly (Weyl's sequence).
fn moment(trial: usize, up_to: Duration) -> Duration {
    let fraction = (trial as f64 * 0.618_033_988_749_895).fract();
    up_to.mul_f64(fraction)
}

/// Processes whose command line names a file of this world.
fn left_behind(world: &World) -> Vec<String> {
    let place = world.path("cache").display().to_string();
    let mut left = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc is there").flatten() {
        let path = entry.path();
        let cwd = std::fs::read_link(path.join("cwd")).unwrap_or_default();
        if cwd.display().to_string().starts_with(&place) {
            left.push(String::from_utf8_lossy(&std::fs::read(path.join("cmdline")).unwrap_or_default()).into_owned());
        }
    }
    left
}

#[test]
fn a_run_killed_at_any_moment_loses_nothing_and_leaves_nobody_behind() {
    let world = World::new().with_python_suite();
    world.write(
        "tachograph.toml",
        "[suite.python]\nbuild = [\"sh\", \"-c\", \"sleep 0.2\"]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"200ms\"\n",
    );
    world.commit("the suite");
    world.ended(0, &["run", "HEAD"]);
    let mut reported = 1;
    for trial in 0..TRIALS * soak() {
        let mut child = world
            .tachograph(&["run", "HEAD", "--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        std::thread::sleep(moment(trial, Duration::from_millis(1500)));
        child.kill().expect("it is killed");
        let out = child.stdout.take().expect("its output");
        child.wait().expect("it is gone");
        // Only whole lines are reports.
        let mut lines = BufReader::new(out);
        let mut line = String::new();
        while lines.read_line(&mut line).expect("UTF-8") > 0 {
            if line.ends_with('\n') {
                reported += 1;
            }
            line.clear();
        }
        let until = Instant::now() + CHILDREN_MAY_LIVE;
        while !left_behind(&world).is_empty() {
            assert!(Instant::now() < until, "trial {trial}: still alive: {:?}", left_behind(&world));
            std::thread::yield_now();
        }
        assert_eq!(world.sqlite3("pragma integrity_check"), "ok", "trial {trial}");
        let stored: usize = world.sqlite3("select count(*) from runs").parse().expect("a number");
        assert!(stored >= reported, "trial {trial}: {reported} were reported, {stored} are there");
        // A run may have been recorded and not yet reported when the kill came.
        reported = stored;
        let halves = world.sqlite3(
            "select count(*) from runs where id not in (select run_id from measured) \
             and id not in (select run_id from failed)",
        );
        assert_eq!(halves, "0", "trial {trial}: a half-run is visible");
    }
    world.ended(0, &["run", "HEAD"]);
    let trees: Vec<_> = std::fs::read_dir(world.path("cache"))
        .expect("the cache")
        .flatten()
        .map(|entry| entry.path().join("worktrees"))
        .flat_map(|worktrees| std::fs::read_dir(worktrees).expect("the worktrees").flatten())
        .filter(|place| place.path().join("tree").exists())
        .collect();
    assert!(trees.is_empty(), "worktrees are left: {trees:?}");
}

#[test]
fn a_signal_ends_a_run_with_its_exit_code_and_what_was_finished_is_kept() {
    let world = World::new().with_python_suite();
    world.write(
        "tachograph.toml",
        "[suite.python]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"300ms\"\n[suite.slow]\nworker = [\"python3\", \"worker.py\"]\nbudget = \"300s\"\n",
    );
    world.commit("the suites");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let before: usize = world
            .store()
            .exists()
            .then(|| world.sqlite3("select count(*) from runs"))
            .map_or(0, |n| n.parse().expect("a number"));
        let mut child = world
            .tachograph(&["run", "--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        out.read_line(&mut line).expect("the first run is reported");
        let killed = std::process::Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
        assert!(killed.expect("kill runs").success());
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "{signal}");
        let after: usize = world.sqlite3("select count(*) from runs").parse().expect("a number");
        assert_eq!(after, before + 1, "{signal}: the finished run is kept, the other is not there");
        assert_eq!(left_behind(&world), Vec::<String>::new());
    }
}
