//! What people said of findings, on its way through a remote.

use tachograph::domain::{Annotation, CommitId, Move, Named, State, Turn};

use super::{clone, store};
use crate::along::{Stream, made};
use crate::world::World;

fn said(named: &Named, state: State, note: &str, said_at_s: i64) -> Annotation {
    Annotation { finding: named.id.clone(), state, note: note.to_owned(), said_at_s }
}

#[test]
fn what_two_people_said_is_the_same_everywhere_and_the_newest_word_counts() {
    let world = World::new().with_remote();
    let other = clone(&world, "other", &[]);
    let id = |digit: &str| CommitId::new(digit.repeat(40)).expect("a hash");
    let named = Named::new(Move::Step, Turn::Regression, [id("a"), id("b"), id("b")]);
    let words = [
        said(&named, State::Expected, "the price of safety", 200),
        said(&named, State::Acknowledged, "looked at", 100),
        said(&named, State::Acknowledged, "in the same second", 200),
    ];
    for (folder, mine) in [(world.root(), &words[..2]), (other.clone(), &words[1..])] {
        let mut store = store(&folder);
        store.name(std::slice::from_ref(&named)).expect("named");
        for said in mine {
            store.annotate(said).expect("kept");
        }
    }
    assert_eq!(world.ended(0, &["push"]).out, "0 runs and 2 annotations pushed; the ledger holds 2 records\n");
    assert_eq!(
        world.ended_in(&other, 0, &["push"]).out,
        "0 runs and 1 annotation pushed; the ledger holds 3 records\n"
    );
    assert_eq!(world.ended(0, &["pull"]).out, "0 runs and 1 annotation new; the ledger holds 3 records\n");
    assert_eq!(world.ended_in(&other, 0, &["pull"]).out, "0 runs and 1 annotation new; the ledger holds 3 records\n");
    let third = clone(&world, "third", &[]);
    world.ended_in(&third, 0, &["pull"]);
    let all = |folder: &std::path::Path| store(folder).annotations().expect("annotations");
    assert_eq!(all(&world.root()), all(&other), "in one order");
    assert_eq!(all(&third), all(&other));
    assert_eq!(all(&third).len(), 3);
    assert_eq!(store(&third).named().expect("names"), [named]);
    // Twice is once, packed too, and a store that is made anew has them.
    assert!(world.ended(0, &["push"]).out.starts_with("0 runs pushed"));
    world.ended(0, &["compact", "--keep", "0"]);
    std::fs::remove_dir_all(third.join(".tachograph")).expect("removed");
    world.ended_in(&third, 0, &["rebuild"]);
    assert_eq!(all(&third), all(&other));
    world.ended(0, &["rebuild"]);
    assert_eq!(all(&world.root()), all(&other));
}

#[test]
fn what_was_said_here_is_shown_there_also_where_the_finding_got_another_name() {
    let world = World::new();
    let line = world.with_line(60);
    let remote = world.path("remote.git").display().to_string();
    world.git(&["clone", "--quiet", "--bare", ".", &remote]);
    world.git(&["remote", "add", "origin", &remote]);
    world.git(&["fetch", "--quiet", "origin"]);
    let mut stream = Stream::seeded(5);
    let runs: Vec<_> = (0..60)
        .map(|at| {
            let factor = if at >= 40 { 1.03 } else { 1.0 };
            made(&line[at], "lorry", &[("parse", 5000.0 * factor * (0.004 * stream.normal()).exp())])
        })
        .collect();
    // Here the history ends soon after the change, there it goes on: each gives the finding a name from what it knows.
    let other = clone(&world, "other", &[]);
    for (folder, count) in [(world.root(), 48), (other.clone(), 60)] {
        let mut store = store(&folder);
        runs[..count].iter().for_each(|run| drop(store.record(run).expect("recorded")));
    }
    let told = |folder: &std::path::Path| -> serde_json::Value {
        serde_json::from_str(&world.ended_in(folder, 0, &["changes", "--format", "json"]).out).expect("JSON")
    };
    let id = |told: &serde_json::Value| told["findings"][0]["id"].as_str().expect("an id").to_owned();
    let (here, there) = (id(&told(&world.root())), id(&told(&other)));
    world.ended(0, &["changes", "--expected", &here, "--note", "the price of safety"]);
    world.ended(0, &["push"]);
    world.ended_in(&other, 0, &["pull"]);
    let told = told(&other);
    assert_eq!(told["findings"].as_array().map(Vec::len), Some(1), "{told:#}");
    assert_eq!(id(&told), there, "it keeps its name");
    let finding = &told["findings"][0];
    assert_eq!(
        (&finding["state"], &finding["note"]),
        (&"expected".into(), &"the price of safety".into()),
        "{finding:#}"
    );
}
