//! What is built again and what is not: the times of files, and the places where commits are laid out.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use tachograph::repo::{Absent, Bench, Repository, Worktree};

use crate::repository::{bench, open};
use crate::world::World;

fn laid_out(repository: &Repository, bench: &Bench, revision: &str) -> Worktree {
    let commit = repository.commit(revision).expect("the commit");
    bench.lay_out(repository, &commit, None, Absent::default()).expect("laid out")
}

#[test]
fn a_file_that_a_folder_was_last_built_from_keeps_its_time_and_every_other_is_newer_than_that_build() {
    let world = World::new();
    world.write("same", "same");
    world.write("other", "1");
    world.commit("one");
    world.write("other", "2");
    world.commit("two");
    let (repository, bench) = (open(&world), bench(&world));
    let lay = |revision: &str| laid_out(&repository, &bench, revision);
    let target = world.path("target");
    let time = |path: &std::path::Path| fs::metadata(path).and_then(|meta| meta.modified()).expect("a time");
    // Head is laid out first and built last: what was built from base in between is newer than head's files were.
    let (head, base) = (lay("HEAD"), lay("HEAD~1"));
    let built = |worktree: &Worktree| {
        let settled = worktree.settle(&target).expect("settled");
        fs::write(target.join("built"), "what a build left").expect("a file");
        drop(settled);
        (time(&worktree.path().join("same")), time(&worktree.path().join("other")), time(&target.join("built")))
    };
    let first = built(&base);
    let second = built(&head);
    assert_eq!(second.0, first.0, "the same content needs no build");
    assert!(second.1 > first.2, "other content is newer than what was built before");
    let third = built(&base);
    assert!(third.1 > second.2, "also when it was there before that");
    assert_eq!(built(&base).1, third.1, "and it is not built again");
}

#[test]
fn a_folder_is_as_old_as_the_names_in_it() {
    let world = World::new();
    for name in ["a/kept", "b/kept", "b/gone"] {
        world.write(name, "1");
    }
    world.commit("one");
    world.write("a/kept", "2");
    fs::remove_file(world.root().join("b/gone")).expect("it goes");
    world.commit("two");
    let (repository, bench) = (open(&world), bench(&world));
    let target = world.path("target");
    let times = |revision: &str| {
        let worktree = laid_out(&repository, &bench, revision);
        drop(worktree.settle(&target).expect("settled"));
        let time = |name: &str| fs::metadata(worktree.path().join(name)).and_then(|meta| meta.modified());
        ["a", "b", "", ".git/HEAD"].map(|name| time(name).expect("a time"))
    };
    let one = times("HEAD~1");
    assert_eq!(times("HEAD~1"), one, "the same commit laid out again");
    let two = times("HEAD");
    assert_eq!((two[0], two[2]), (one[0], one[2]), "the same names");
    assert!(two[1] > one[1] && two[3] > one[3], "a name is gone, and it is another commit");
}

#[test]
fn a_link_that_leads_elsewhere_makes_every_file_new() {
    let world = World::new();
    world.write("one", "1");
    world.write("two", "2");
    std::os::unix::fs::symlink("one", world.root().join("link")).expect("a link");
    world.commit("one");
    world.write("other", "1");
    world.commit("a file more");
    fs::remove_file(world.root().join("link")).expect("it goes");
    std::os::unix::fs::symlink("two", world.root().join("link")).expect("a link");
    world.commit("the link leads to the other");
    let (repository, bench) = (open(&world), bench(&world));
    let target = world.path("target");
    let time = |revision: &str| {
        let worktree = laid_out(&repository, &bench, revision);
        drop(worktree.settle(&target).expect("settled"));
        fs::metadata(worktree.path().join("link")).and_then(|meta| meta.modified()).expect("a time")
    };
    let first = time("HEAD~2");
    assert_eq!(time("HEAD~1"), first, "the same link to the same file");
    let third = time("HEAD");
    assert!(third > first, "a build tool sees the time of the file that the link leads to");
    assert_eq!(time("HEAD"), third);
}

#[test]
fn of_places_that_are_free_the_last_few_keep_what_was_built() {
    let world = World::new();
    world.write("file", "1");
    world.commit("one");
    let (repository, bench) = (open(&world), bench(&world));
    let lay = || laid_out(&repository, &bench, "HEAD");
    let all: Vec<Worktree> = (0..6).map(|_| lay()).collect();
    let keeps: Vec<PathBuf> = all.iter().map(Worktree::keep).collect();
    for (worktree, keep) in all.iter().zip(&keeps) {
        drop(worktree.settle(&keep.join("built")).expect("settled"));
    }
    drop(all);
    let _held = lay();
    let left: Vec<bool> = keeps.iter().map(|keep| keep.exists()).collect();
    assert_eq!(left, [true, false, false, true, true, true], "all are alike, so the first is used");
}

#[test]
fn who_looks_for_a_place_takes_no_other_from_somebody_who_looks_at_the_same_time() {
    let world = World::new();
    world.write("file", "1");
    world.commit("one");
    bench(&world);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let (repository, bench) = (open(&world), bench(&world));
                    drop(laid_out(&repository, &bench, "HEAD"));
                }
            });
        }
    });
    let places = fs::read_dir(world.path("bench")).expect("the bench").flatten().filter(|entry| entry.path().is_dir());
    assert!(places.count() <= 4);
}

#[test]
fn a_commit_is_laid_out_where_the_most_like_it_was_built_and_a_new_place_begins_with_what_was_built_elsewhere() {
    let world = World::new();
    for (content, subject) in [("1", "one"), ("2", "two"), ("3", "three")] {
        world.write("changing", content);
        world.write("same", "same");
        world.commit(subject);
    }
    let (repository, bench) = (open(&world), bench(&world));
    let lay = |revision: &str| laid_out(&repository, &bench, revision);
    let build = |worktree: &Worktree| {
        let target = worktree.seeded("built", "a");
        let found = fs::read_to_string(target.join("deps/program")).ok();
        drop(worktree.settle(&target).expect("settled"));
        fs::create_dir_all(target.join("deps")).expect("a folder");
        let content = fs::read_to_string(worktree.path().join("changing")).expect("the file");
        let _ = fs::remove_file(target.join("deps/program"));
        fs::write(target.join("deps/program"), content).expect("a program");
        let _ = fs::remove_file(target.join("program"));
        fs::hard_link(target.join("deps/program"), target.join("program")).expect("another name of it");
        worktree.has_built(&target, "a").expect("remembered");
        (found, target)
    };
    let meta = |path: PathBuf| fs::metadata(path).expect("it is there");
    let (one, two) = (lay("HEAD~2"), lay("HEAD~1"));
    let (found, first) = build(&one);
    assert_eq!(found, None, "nothing was built before");
    let same = meta(one.path().join("same")).modified().expect("a time");
    let copied = two.seeded("built", "a");
    assert_ne!(copied, first);
    let [old, new] = [&first, &copied].map(|target| meta(target.join("program")));
    assert_eq!(new.modified().expect("a time"), old.modified().expect("a time"));
    assert_eq!((new.nlink(), new.ino()), (2, meta(copied.join("deps/program")).ino()), "two names of one file");
    assert_ne!(new.ino(), old.ino(), "a build here must not write into the other place");
    assert_eq!(build(&two).0.as_deref(), Some("1"));
    assert_eq!(meta(two.path().join("same")).modified().expect("a time"), same, "it was built from the same");
    assert_eq!(fs::read_to_string(first.join("program")).expect("the program"), "1");
    // What one place has built and the other never did is worth another copy, and nothing else is.
    let program = |worktree: &Worktree, part: &str| {
        fs::read_to_string(worktree.seeded("built", part).join("program")).expect("the program")
    };
    assert_eq!((program(&two, "a"), program(&two, "b")), ("2".to_owned(), "2".to_owned()));
    one.has_built(&first, "b").expect("remembered");
    assert_eq!((program(&two, "a"), program(&two, "b")), ("2".to_owned(), "1".to_owned()));
    build(&two);
    let (place_of_one, place_of_two) = (one.path().to_owned(), two.path().to_owned());
    drop((one, two));
    for (revision, place) in [("HEAD~1", &place_of_two), ("HEAD~2", &place_of_one), ("HEAD~1", &place_of_two)] {
        assert_eq!(lay(revision).path(), place, "{revision}");
    }
}
