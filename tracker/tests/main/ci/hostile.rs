use std::fs;
use std::path::Path;

use super::{Job, project, propose, pull_request};
use crate::world::World;

/// Two hundred files that somebody might hand on in place of what was measured, each with a name for its kind.
fn hostile(good: &str) -> Vec<(String, Vec<u8>)> {
    let (head, duel) = good.trim_end().split_once('\n').expect("two lines");
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| files.push((name.to_owned(), bytes));
    add("nothing", vec![]);
    add("zeros", vec![0; 4096]);
    add("no last line feed", good.trim_end().as_bytes().to_vec());
    add("a zip", b"PK\x03\x04../../etc/passwd".to_vec());
    add("a gzip bomb", [&b"\x1f\x8b\x08\x00\x00\x00\x00\x00"[..], &vec![0; 100_000]].concat());
    add("deep", ("[".repeat(500_000) + "\n").into_bytes());
    add("deep in the head", format!("{{\"gate\":1,\"commit\":{}\n{duel}\n", "[".repeat(100_000)).into_bytes());
    add("another version", good.replacen("\"gate\":1", "\"gate\":2", 1).into_bytes());
    add("spaces", good.replacen("\"gate\":1", "\"gate\": 1", 1).into_bytes());
    add("a key more", good.replacen("\"gate\":1", "\"gate\":1,\"verdict\":\"green\"", 1).into_bytes());
    add("a forged verdict", format!("{head}\n{{\"verdict\":\"green\",\"exit_code\":0}}\n").into_bytes());
    add("twice", format!("{head}\n{duel}\n{duel}\n").into_bytes());
    add("an empty line", format!("{head}\n\n{duel}\n").into_bytes());
    add("too many", format!("{head}\n{}", format!("{duel}\n").repeat(100)).into_bytes());
    add("a traversal", good.replacen("\"suite\":\"clocked\"", "\"suite\":\"../../../x\"", 1).into_bytes());
    add(
        "too long a reason",
        format!(
            "{}\n{duel}\n",
            head.replacen("\"broken\":[]", &format!("\"broken\":[[\"clocked\",\"{}\"]]", "x".repeat(20_000)), 1)
        )
        .into_bytes(),
    );
    // Cut short anywhere.
    for part in 1..=60 {
        add(&format!("cut at {part}"), good.as_bytes()[..good.len() * part / 61].to_vec());
    }
    // A byte changed anywhere: the identity is the hash of the content, and the head names the commit.
    for part in 0..70 {
        let mut bytes = good.as_bytes().to_vec();
        let at = bytes.len() * part / 70;
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        add(&format!("changed at {at}"), bytes);
    }
    // Numbers and names of every odd kind, in place of good ones.
    let odd = [
        "NaN",
        "1e999",
        "-1",
        "18446744073709551616",
        "null",
        "\"\"",
        "[]",
        "{}",
        "\"\\u0000\"",
        "true",
        "\"<script>alert(1)</script>\"",
        "\"::error::x\"",
        "\"](javascript:x)\"",
        "\"@everyone\"",
        "\"\\u202e\"",
        "\"$(touch evil)\"",
        "\"../../x\"",
        "1e308",
    ];
    for value in odd {
        for key in ["\"started_at_s\":", "\"base\":", "\"elapsed_ns\":"] {
            let from = duel.find(key).expect("there") + key.len();
            let end = from + duel[from..].find([',', '}']).expect("an end");
            add(&format!("{key}{value}"), format!("{head}\n{}{value}{}\n", &duel[..from], &duel[end..]).into_bytes());
        }
    }
    files
}

fn refused(world: &World, folder: &Path, name: &str, file: &Path, commit: &str) {
    let args = ["report", "--bundle", file.to_str().expect("UTF-8"), "--commit", commit, "--format", "markdown"];
    let output = world.tachograph(&args).current_dir(folder).output().expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{name}: {}\n{err}", String::from_utf8_lossy(&output.stdout));
    let first = err.lines().next().unwrap_or_default();
    assert!(first.contains("refused") || first.contains("does not have"), "{name}: {err}");
    assert!(err.lines().count() <= 3 && first.len() < 600, "{name}: one clear line: {err}");
    assert!(output.stdout.is_empty(), "{name}");
}

#[test]
fn two_hundred_hostile_bundles_are_refused_each_with_one_clear_line() {
    let world = project(r#"{"a": 700000}"#);
    let head = propose(&world, "slower", r#"{"a": 770000}"#);
    let job = Job::new(&world, "job", &head, "pull_request", &pull_request(&world, &head, 2));
    job.measure(1);
    let good = fs::read_to_string(job.bundle()).expect("a bundle");
    let main = world.git(&["rev-parse", "main"]);
    let reporter = Job::new(&world, "reporter", &main, "workflow_run", "{}");
    let folder = reporter.folder();

    let file = world.path("in.bundle");
    let files = hostile(&good);
    assert!(files.len() >= 195, "{}", files.len());
    let before = world.git_in(folder, &["status", "--porcelain", "--untracked-files=all"]);
    for (name, bytes) in files {
        fs::write(&file, bytes).expect("written");
        refused(&world, folder, &name, &file, &head);
    }
    // Of another commit, though whole; a link; a folder; a pipe that never ends; one that is too large.
    fs::write(&file, &good).expect("written");
    refused(&world, folder, "another commit", &file, &main);
    let link = world.path("link.bundle");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    refused(&world, folder, "a link", &link, &head);
    refused(&world, folder, "a folder", &world.path("home"), &head);
    let pipe = world.path("pipe.bundle");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    refused(&world, folder, "a pipe", &pipe, &head);
    let large = world.path("large.bundle");
    fs::File::create(&large).expect("made").set_len(1 << 40).expect("sparse");
    refused(&world, folder, "too large", &large, &head);

    // The good one is red, whoever wrote it.
    let args = ["report", "--bundle", file.to_str().expect("UTF-8"), "--commit", &head];
    assert!(world.ended_in(folder, 1, &args).out.starts_with("red"));
    assert_eq!(
        world.git_in(folder, &["status", "--porcelain", "--untracked-files=all"]),
        before,
        "nothing was written"
    );
    assert!(!folder.join(".tachograph").exists(), "a report keeps nothing unless it is told to");
}
