//! The nevers of ARCHITECTURE.md, read from the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, from the roof down: each may import those on lower floors only. Rooms of one floor do not know each other,
/// but for the top floor, where verbs stand on flows.
const FLOORS: [&[&str]; 5] = [
    &["commands"],
    &["flow"],
    &["measure", "repo", "adapt", "record", "judge", "show", "config"],
    &["domain", "stats"],
    &["failure"],
];

/// Rooms that may be reached from anywhere above the ground floor.
const SHARED: [&str; 1] = ["failure"];

/// Crates that only one room may name, by their path's beginning below `src`.
const CELLS: [(&str, &str); 3] = [("git2", "repo/"), ("sqlx", "record/"), ("plotters", "show/chart")];

/// The only files that may hold `unsafe`, by their path's beginning below the top folder.
const UNSAFE_CELLS: [&str; 5] = [
    "engine/src/kernels/",
    "engine/tests/allocations",
    "engine/peers/src/matmul",
    "tracker/harness/src/",
    "tracker/src/measure/child/",
];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the top folder").to_owned()
}

fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).expect("a folder").map(|entry| entry.expect("an entry")) {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    found.sort();
    found
}

/// Code without comments and string contents, so that words in prose do not count.
fn code(source: &str) -> String {
    source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn room(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap_or(file)
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms that a source names through `crate::`, in `use` trees too.
fn imports(source: &str) -> BTreeSet<String> {
    let code = code(source);
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with('$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(tree) = rest.strip_prefix('{') {
            rooms.extend(branches(tree));
        } else {
            rooms.insert(rest.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect());
        }
    }
    rooms
}

/// The first word of each branch of a `use` tree, which is read from behind its opening brace to its closing one.
fn branches(tree: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let mut words = vec![String::new()];
    let mut word_ended = false;
    for sign in tree.chars() {
        match sign {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                words.push(String::new());
                word_ended = false;
            }
            ':' => word_ended = true,
            sign if depth == 0 && !word_ended && (sign.is_alphanumeric() || sign == '_') => {
                words.last_mut().expect("there is always a last word").push(sign);
            }
            _ => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn no_arrow_runs_up_and_no_two_rooms_of_the_storey_know_each_other() {
    let mut wrong = Vec::new();
    for (file, source) in sources(&top().join("tracker/src")) {
        let from = room(&file);
        if matches!(from, "lib" | "main") {
            continue;
        }
        let Some(at) = floor(from) else {
            wrong.push(format!("{file}: the room {from} stands on no floor of this test"));
            continue;
        };
        for to in imports(&source) {
            let allowed = to == from || SHARED.contains(&to.as_str()) || floor(&to).is_some_and(|floor| floor > at);
            if !allowed {
                wrong.push(format!("{file}: {from} must not import {to}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_crate_with_a_cell_is_named_nowhere_else() {
    let mut wrong = Vec::new();
    for (file, source) in sources(&top().join("tracker/src")) {
        for (name, cell) in CELLS {
            if code(&source).contains(&format!("{name}::")) && !file.starts_with(cell) {
                wrong.push(format!("{file} says {name}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn unsafe_stands_in_its_cells_only() {
    let mut wrong = Vec::new();
    for folder in ["engine", "tracker"] {
        for (file, source) in sources(&top().join(folder)) {
            let file = format!("{folder}/{file}");
            // A hyphen belongs to the word: `unsafe-inline` is what a page's security policy says.
            let is_apart = |sign: char| !sign.is_alphanumeric() && sign != '_' && sign != '-';
            let named = code(&source).split(is_apart).any(|word| word == "unsafe");
            if named && !file.contains("tests/house.rs") && !UNSAFE_CELLS.iter().any(|cell| file.starts_with(cell)) {
                wrong.push(file);
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_tracker_and_the_engine_do_not_know_each_other() {
    for (folder, stranger) in [("engine", "tachograph"), ("tracker", "engine")] {
        let manifest = fs::read_to_string(top().join(folder).join("Cargo.toml")).expect("a manifest");
        let named: Vec<&str> = manifest
            .lines()
            .filter(|line| line.split(['=', '.']).next().is_some_and(|name| name.trim() == stranger))
            .collect();
        assert_eq!(named, Vec::<&str>::new(), "{folder} must not depend on {stranger}");
    }
}

#[test]
fn no_room_is_called_util() {
    for folder in ["engine", "tracker"] {
        for (file, _) in sources(&top().join(folder)) {
            let parts: Vec<&str> = file.split(['/', '.']).collect();
            assert!(!parts.iter().any(|part| matches!(*part, "util" | "utils" | "helpers" | "common")), "{file}");
        }
    }
}

#[test]
fn the_map_in_architecture_names_every_room() {
    let map = fs::read_to_string(top().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut missing = BTreeMap::new();
    for rooms in FLOORS {
        for room in rooms {
            if !map.contains(&format!("{room}/")) && !map.contains(&format!("{room}.rs")) {
                missing.insert(*room, "is not on the map");
            }
        }
    }
    assert_eq!(missing, BTreeMap::new());
}

#[test]
fn this_test_sees_what_it_forbids() {
    let source = "use crate::{domain::Run, measure::child::{Child, crate_like}};\nlet x = crate::flow::run();";
    let rooms: Vec<String> = imports(source).into_iter().collect();
    assert_eq!(rooms, ["domain", "flow", "measure"]);
    assert!(imports("// crate::commands is only spoken of here").is_empty());
}
